//! The same fact told twice: one fact, or a gap that shows every place that told it.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::aws::AccountId;
use crate::estate::{
    Acl, BlockPublicAccess, BucketEncryption, Document, EventSelectors, Gap, InlinePolicy, KeyMetadata, Known,
    ObjectOwnership, TrailStatus,
};
use crate::text::{SourceMap, Span, Spanned};

/// Why a fact that was told in two ways is not known.
pub(super) const CONTRADICTION: &str = "the inputs contradict each other";

/// A fact that can be told twice.
pub(super) trait Told {
    /// Whether both say the same, wherever they stand.
    fn same(&self, other: &Self, sources: &SourceMap) -> bool;

    /// Hands over the policy documents in it, so that they are audited though the fact is not known.
    fn release(self, _documents: &mut Vec<Document>)
    where
        Self: Sized,
    {
    }
}

/// Where merging reads texts and leaves documents that contradict each other.
pub(super) struct Merge<'a> {
    pub(super) sources: &'a SourceMap,
    pub(super) documents: &'a mut Vec<Document>,
}

impl Merge<'_> {
    /// Adds what another place says of a fact.
    pub(super) fn known<T: Told>(&mut self, fact: &'static str, into: &mut Known<T>, new: Known<T>) {
        let old = std::mem::replace(into, Known::not_collected(fact));
        *into = match (old, new) {
            (Known::Unknown(gap), new) if is_contradiction(&gap) => self.once_more(gap, new),
            (old, Known::Unknown(gap)) if is_contradiction(&gap) => self.once_more(gap, old),
            (Known::Unknown(old), Known::Unknown(new)) => Known::Unknown(better(old, new)),
            (Known::Unknown(_), told) | (told, Known::Unknown(_)) => told,
            (Known::Absent(span), Known::Absent(_)) => Known::Absent(span),
            (Known::Present(old, span), Known::Present(new, other)) => {
                if old.same(&new, self.sources) {
                    Known::Present(old, span)
                } else {
                    old.release(self.documents);
                    new.release(self.documents);
                    contradiction(fact, [span, other])
                }
            }
            (Known::Present(value, there), Known::Absent(gone)) => {
                value.release(self.documents);
                contradiction(fact, [there, gone])
            }
            (Known::Absent(gone), Known::Present(value, there)) => {
                value.release(self.documents);
                contradiction(fact, [gone, there])
            }
        };
    }

    /// A further place that tells a fact of which two places already disagree.
    fn once_more<T: Told>(&mut self, gap: Gap, new: Known<T>) -> Known<T> {
        let mut places = gap.places;
        match new {
            Known::Present(value, span) => {
                value.release(self.documents);
                places.push(span);
            }
            Known::Absent(span) => places.push(span),
            Known::Unknown(other) if is_contradiction(&other) => places.extend(other.places),
            Known::Unknown(_) => {}
        }
        Known::Unknown(Gap { fact: gap.fact, reason: gap.reason, places })
    }

    /// Adds inline policies; a list that is not `whole` says only what it names.
    pub(super) fn inline(
        &mut self,
        fact: &'static str,
        into: &mut Known<Vec<InlinePolicy>>,
        into_whole: bool,
        new: Known<Vec<InlinePolicy>>,
        new_whole: bool,
    ) {
        let (Known::Present(old, span), Known::Present(more, other)) = (&mut *into, &new) else {
            return self.known(fact, into, new);
        };
        let fits = match (into_whole, new_whole) {
            (true, _) => {
                let covers = self.covers(old, more) && (!new_whole || self.covers(more, old));
                if covers {
                    add_texts(old, more);
                }
                covers
            }
            (false, true) => {
                let covers = self.covers(more, old);
                if covers {
                    let known = std::mem::replace(old, more.clone());
                    add_texts(old, &known);
                    *span = *other;
                }
                covers
            }
            (false, false) => {
                let rest = self.not_in(old, more);
                old.extend(rest);
                true
            }
        };
        if !fits {
            self.known(fact, into, new);
        }
    }

    /// Whether every policy of `part` is in `whole`: the same text, under its name where both have one, or the same name
    /// where one of the two texts is not known.
    fn covers(&self, whole: &[InlinePolicy], part: &[InlinePolicy]) -> bool {
        self.not_in(whole, part).is_empty()
    }

    fn not_in(&self, whole: &[InlinePolicy], part: &[InlinePolicy]) -> Vec<InlinePolicy> {
        let mut known: HashMap<String, Vec<Option<&CompactString>>> = HashMap::new();
        let mut has_text: HashMap<&CompactString, bool> = HashMap::new();
        for policy in whole {
            known.entry(self.inline_meaning(policy)).or_default().push(policy.name.as_ref());
            has_text.extend(policy.name.as_ref().map(|name| (name, policy.document.present().is_some())));
        }
        let is_known = |policy: &&InlinePolicy| {
            let name = policy.name.as_ref();
            let is_named = name.and_then(|name| has_text.get(name));
            is_named.is_some_and(|has_text| !has_text || policy.document.present().is_none())
                || known
                    .get(&self.inline_meaning(policy))
                    .is_some_and(|names| names.iter().any(|one| one.is_none() || name.is_none() || *one == name))
        };
        part.iter().filter(|policy| !is_known(policy)).cloned().collect()
    }

    fn inline_meaning(&self, policy: &InlinePolicy) -> String {
        match &policy.document {
            Known::Present(document, _) => meaning(document, self.sources),
            _ => String::new(),
        }
    }
}

/// Gives policies of which only the name is known the text that others of that name have.
fn add_texts(policies: &mut [InlinePolicy], more: &[InlinePolicy]) {
    let texts: HashMap<&CompactString, &InlinePolicy> = more
        .iter()
        .filter(|one| one.document.present().is_some())
        .filter_map(|one| Some((one.name.as_ref()?, one)))
        .collect();
    let is_missing = |policy: &&mut InlinePolicy| policy.document.gap().is_some_and(|gap| !is_contradiction(gap));
    for policy in policies.iter_mut().filter(is_missing) {
        if let Some(other) = policy.name.as_ref().and_then(|name| texts.get(name)) {
            policy.document = other.document.clone();
        }
    }
}

/// The gap of a fact that places contradict each other about.
pub(super) fn contradiction<T>(fact: &'static str, places: impl IntoIterator<Item = Span>) -> Known<T> {
    Known::Unknown(Gap::new(fact, CONTRADICTION).at(places))
}

/// Whether a gap comes from contradicting places.
pub(super) fn is_contradiction(gap: &Gap) -> bool {
    gap.reason == CONTRADICTION
}

/// Of two reasons the one that was seen somewhere.
fn better(old: Gap, new: Gap) -> Gap {
    if old.places.is_empty() && !new.places.is_empty() { new } else { old }
}

/// What a policy document says, whatever its order, white space and encoding.
pub(super) fn meaning(document: &Document, sources: &SourceMap) -> String {
    let policy = document.policy(sources);
    let mut statements: Vec<String> =
        policy.statements.iter().map(|s| format!("{:?} {}", s.standing, s.normal_form())).collect();
    statements.sort_unstable();
    let mut problems: Vec<String> = policy.problems.iter().map(|p| p.kind.to_string()).collect();
    problems.sort_unstable();
    format!("{:?}\n{:?}\n{}\n{}", policy.kind, policy.version, statements.join("\n"), problems.join("\n"))
}

macro_rules! told_by_value {
    ($($kind:ty),*) => {
        $(impl Told for $kind {
            fn same(&self, other: &Self, _: &SourceMap) -> bool {
                self == other
            }
        })*
    };
}

told_by_value!(bool, CompactString, AccountId, ObjectOwnership, BlockPublicAccess);

impl Told for Document {
    fn same(&self, other: &Self, sources: &SourceMap) -> bool {
        meaning(self, sources) == meaning(other, sources)
    }

    fn release(self, documents: &mut Vec<Document>) {
        documents.push(self);
    }
}

impl Told for Vec<InlinePolicy> {
    fn same(&self, _: &Self, _: &SourceMap) -> bool {
        false
    }

    fn release(self, documents: &mut Vec<Document>) {
        documents.extend(self.into_iter().filter_map(|policy| match policy.document {
            Known::Present(document, _) => Some(document),
            _ => None,
        }));
    }
}

impl Told for Vec<Spanned<CompactString>> {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        same_set(self.iter().map(|item| &item.value), other.iter().map(|item| &item.value))
    }
}

impl Told for Vec<CompactString> {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        same_set(self.iter(), other.iter())
    }
}

impl Told for Acl {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        let grants = |acl: &Acl| -> Vec<String> {
            let mut grants: Vec<String> =
                acl.grants.iter().map(|g| format!("{:?} {:?}", g.grantee, g.permission)).collect();
            grants.sort_unstable();
            grants
        };
        value(&self.owner) == value(&other.owner) && grants(self) == grants(other)
    }
}

impl Told for BucketEncryption {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        self.algorithm == other.algorithm
            && value(&self.key) == value(&other.key)
            && self.bucket_key == other.bucket_key
    }
}

impl Told for KeyMetadata {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        self.manager == other.manager
            && value(&self.state) == value(&other.state)
            && value(&self.usage) == value(&other.usage)
            && value(&self.spec) == value(&other.spec)
            && value(&self.origin) == value(&other.origin)
    }
}

impl Told for TrailStatus {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        value(&self.is_logging) == value(&other.is_logging)
            && value(&self.delivery_error) == value(&other.delivery_error)
    }
}

impl Told for EventSelectors {
    fn same(&self, other: &Self, _: &SourceMap) -> bool {
        self.management_events == other.management_events
    }
}

fn value<T>(spanned: &Option<Spanned<T>>) -> Option<&T> {
    spanned.as_ref().map(|spanned| &spanned.value)
}

fn same_set<'a>(one: impl Iterator<Item = &'a CompactString>, other: impl Iterator<Item = &'a CompactString>) -> bool {
    let sorted = |items: &mut dyn Iterator<Item = &'a CompactString>| {
        let mut items: Vec<&CompactString> = items.collect();
        items.sort_unstable();
        items.dedup();
        items
    };
    let (mut one, mut other) = (one, other);
    sorted(&mut one) == sorted(&mut other)
}
