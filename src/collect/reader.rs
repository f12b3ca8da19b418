//! Reads values of one file into pieces: what all the readers of services share.

use std::borrow::Cow;

use compact_str::CompactString;

use super::names::Names;
use super::piece::{Loose, Page, Piece, Told};
use crate::aws::{AccountId, Arn};
use crate::estate::{Document, Gap, Known, read_policy, unwrap};
use crate::policy::pattern::{Case, has_wildcard, matches};
use crate::policy::{Effect, Policy, PolicyKind, Principal, Standing};
use crate::syntax::json::{Json, Kind};
use crate::text::{SourceId, Span, Spanned};

/// Reads one file.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) source: SourceId,
    pub(super) names: &'a Names,
    /// The kind the user says its policy is of.
    pub(super) kind: Option<PolicyKind>,
    /// Whether documents are read again when they are needed.
    pub(super) deferred: bool,
    pub(super) told: Told,
    /// The policy documents seen in the value being read.
    documents: Vec<Span>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: SourceId, names: &'a Names, kind: Option<PolicyKind>) -> Self {
        let told = Told::default();
        Reader { source, names, kind, deferred: false, told, documents: Vec::new() }
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.told.recognised = true;
        if self.told.pieces.is_empty() {
            // Most files tell one thing.
            self.told.pieces.reserve_exact(1);
        }
        self.told.pieces.push(piece);
    }

    /// Notes a page of a list: an account's or key's, where `of` tells.
    pub(super) fn page(&mut self, fact: &'static str, of: Option<CompactString>, goes_on: bool, span: Span) {
        self.told.pages.push(Page { fact, of, goes_on, span });
    }

    /// The account of the first role, user or group among the pieces from `first` on.
    pub(super) fn account_since(&self, first: usize) -> Option<CompactString> {
        let account = self.told.pieces.get(first..)?.iter().find_map(|piece| match piece {
            Piece::Role(role, _) => role.account,
            Piece::User(user, _) => user.account,
            Piece::Group(group, _) => group.account,
            _ => None,
        });
        account.map(|account| account.as_str().into())
    }

    /// Notes keys that stand twice in a value outside of its policy documents; those note their own.
    pub(super) fn duplicates(&mut self, json: Json<'_>) {
        if self.documents.as_slice() != [json.span()] {
            self.duplicates_inside(json);
        }
        self.documents.clear();
    }

    /// Notes keys that stand twice in a text inside the value being read.
    pub(super) fn duplicates_inside(&mut self, json: Json<'_>) {
        let found = json.duplicate_keys();
        if !found.is_empty() {
            let documents = &mut self.documents;
            documents.sort_unstable_by_key(|document| document.start);
            let inside = |span: Span| {
                let after = documents.partition_point(|document| document.start <= span.start);
                after.checked_sub(1).and_then(|at| documents.get(at)).is_some_and(|document| document.contains(span))
            };
            self.told.duplicates.extend(found.into_iter().filter(|duplicate| !inside(duplicate.again)));
        }
    }

    /// The policy document that a member holds: object, string or percent-encoded.
    pub(super) fn document(&mut self, json: Option<Json<'_>>, kind: PolicyKind, fact: &'static str) -> Known<Document> {
        let Some(json) = json.filter(|json| !json.is_null()) else { return Known::not_collected(fact) };
        let json = json.minding_case();
        let span = json.span();
        self.documents.push(span);
        let read = if self.deferred {
            unwrap(json, 0, &mut |_| ()).map(|()| Document::deferred(kind, span)).map_err(|broken| broken.of(kind))
        } else {
            read_policy(json, kind).map(|policy| Document::new(policy, span))
        };
        match read {
            Ok(document) => Known::Present(document, span),
            Err(broken) => {
                let gap = Gap::new(fact, "its text is not JSON").at([broken.span]);
                self.told.broken.push(broken);
                Known::Unknown(gap)
            }
        }
    }

    /// A policy document by itself.
    ///
    /// # Errors
    /// The gap of a text that is not JSON, which is noted.
    pub(super) fn policy(&mut self, json: Json<'_>, kind: PolicyKind, bare: bool) -> Result<(), Gap> {
        let span = json.span();
        self.documents.push(span);
        let policy = read_policy(json, kind).map_err(|broken| {
            let gap = Gap::new(format!("{}.document", kind.name()), "its text is not JSON").at([broken.span]);
            self.told.broken.push(broken);
            gap
        })?;
        self.push(Piece::Policy(Box::new(loose(policy, span, bare))));
        Ok(())
    }
}

fn loose(mut policy: Policy, span: Span, bare: bool) -> Loose {
    let (mut buckets, mut partition, mut other) = (Vec::new(), CompactString::const_new("aws"), false);
    let resources = policy.statements.iter().filter_map(|s| s.resources.as_ref()).flat_map(|r| &r.items);
    for item in resources.filter(|_| policy.kind == PolicyKind::Bucket) {
        let Some(arn) = Arn::parse(item.raw()) else { continue };
        match arn.bucket() {
            Some(name) if !has_wildcard(name) && !name.contains('$') => {
                partition = arn.partition.into();
                buckets.push(CompactString::from(name));
            }
            Some(_) => {}
            // An access point's ARN has a Region and an account.
            None => other |= arn.service == "s3",
        }
    }
    buckets.sort_unstable();
    buckets.dedup();
    if policy.kind == PolicyKind::Bucket && buckets.is_empty() && other {
        policy.kind = PolicyKind::Resource;
    }
    let administrators = if policy.kind == PolicyKind::Key { administrators(&policy) } else { Vec::new() };
    Loose { document: Document::new(policy, span), buckets, partition, administrators, bare }
}

/// The accounts whose root may change the policy of the key.
fn administrators(policy: &Policy) -> Vec<AccountId> {
    let administers = |actions: &crate::policy::Entries| {
        !actions.negated && actions.items.iter().any(|a| matches(a.raw(), "kms:PutKeyPolicy", Case::Insensitive))
    };
    let mut accounts: Vec<AccountId> = policy
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Allow && s.standing == Standing::Effective)
        .filter(|s| s.actions.as_ref().is_some_and(administers))
        .filter_map(|s| s.principals.as_ref().filter(|principals| !principals.negated))
        .flat_map(|principals| &principals.entries)
        .filter_map(|entry| match entry.principal {
            Principal::Account(account) => Some(account),
            _ => None,
        })
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// Whether a value is a policy document, an object with statements; not yet of which kind.
pub(super) fn is_policy(json: Json<'_>) -> bool {
    const ELEMENTS: [&str; 7] =
        ["Effect", "Action", "NotAction", "Principal", "NotPrincipal", "Resource", "NotResource"];
    let Some(statement) = json.member("Statement") else { return false };
    let version = json.member("Version").and_then(Json::as_str);
    let is_statement = |json: Json<'_>| ELEMENTS.iter().any(|element| json.member(element).is_some());
    matches!(version.as_deref(), Some("2012-10-17" | "2008-10-17"))
        || is_statement(statement)
        || statement.elements().take(3).any(is_statement)
}

/// The string under a key.
pub(super) fn text(json: Json<'_>, key: &str) -> Option<CompactString> {
    json.member(key).and_then(Json::as_str).map(CompactString::from)
}

/// The string under a key, with its place.
pub(super) fn spanned(json: Json<'_>, key: &str) -> Option<Spanned<CompactString>> {
    let value = json.member(key)?;
    Some(Spanned::new(value.as_str()?.into(), value.span()))
}

/// The boolean under a key.
pub(super) fn flag(json: Json<'_>, key: &str) -> Option<bool> {
    json.member(key).and_then(Json::as_bool)
}

/// The boolean under a key as a fact.
pub(super) fn known_flag(json: Json<'_>, key: &str, fact: &'static str) -> Known<bool> {
    match json.member(key) {
        Some(value) => value.as_bool().map_or(Known::not_collected(fact), |flag| Known::Present(flag, value.span())),
        None => Known::not_collected(fact),
    }
}

/// The array under a key.
pub(super) fn array<'t>(json: Json<'t>, key: &str) -> Option<Json<'t>> {
    json.member(key).filter(|value| value.kind() == Kind::Array)
}

/// The object under a key.
pub(super) fn object<'t>(json: Json<'t>, key: &str) -> Option<Json<'t>> {
    json.member(key).filter(|value| value.kind() == Kind::Object)
}

/// Whether the first element of an array is an object with all these keys.
pub(super) fn begins_with(json: Json<'_>, keys: &[&str]) -> bool {
    json.elements().next().is_some_and(|first| keys.iter().all(|key| first.member(key).is_some()))
}

/// Why a list of which more pages follow is not known.
pub(super) const GOES_ON: &str = "the list goes on";

/// Whether more pages follow, as the paginated answers of the services say it.
pub(super) fn goes_on(json: Json<'_>) -> bool {
    json.members().any(|(key, value)| says_more(&key.as_str().unwrap_or_default(), value))
}

/// Whether a member of an answer says that more pages follow.
pub(super) fn says_more(key: &str, value: Json<'_>) -> bool {
    match key {
        "IsTruncated" | "Truncated" => value.as_bool() == Some(true),
        "Marker" | "NextMarker" | "NextToken" | "ContinuationToken" => {
            value.as_str().is_some_and(|token: Cow<'_, str>| !token.is_empty())
        }
        _ => false,
    }
}
