//! Points findings at the files of a repository that define what was found.
//!
//! A live audit reads what AWS answers; who mends it edits the policy file that it comes from. A definition is found by the
//! name of the resource (and its account, where the file tells it), and where a file names none by the policy itself, if
//! only one file says the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::report::Report;
use crate::aws::{AccountId, Arn};
use crate::estate::{Document, Estate, NamedBy, Permissions};
use crate::finding::{Finding, Label, SubjectKind};
use crate::policy::{Policy, Statement};
use crate::text::{SourceId, SourceMap, Span};

/// The policies that the files of a repository define.
#[derive(Debug, Default)]
pub struct Definitions {
    named: BTreeMap<Name, Vec<Definition>>,
    /// Those that no file names a resource for, by what they say.
    unnamed: BTreeMap<String, Vec<Definition>>,
}

/// What a policy is the policy of, apart from the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    kind: SubjectKind,
    resource: String,
    part: Part,
}

/// Which of the policies of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// The only one: of a bucket, a key, a managed policy, an organization policy.
    Only,
    Trust,
    Inline(Option<String>),
    Boundary,
}

/// A policy of a file, its places in the texts of the estate that is audited.
#[derive(Debug)]
struct Definition {
    account: Option<AccountId>,
    document: Document,
    policy: Arc<Policy>,
    says: String,
    /// How much higher the numbers of its texts are there.
    moved: usize,
}

impl Definitions {
    /// The policies of an estate, whose texts move to `sources`; those in files below a folder, as reports call it, are no
    /// definitions.
    pub fn of(mut estate: Estate, sources: &mut SourceMap, but: Option<&str>) -> Self {
        let mut found = Definitions::default();
        let moved = sources.len();
        let is_below = |folder: &str, document: &Document| {
            let name = estate.sources.name(document.span.source);
            name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        let mut add = |name: Option<Name>, account: Option<AccountId>, document: &Document| {
            if but.is_some_and(|folder| is_below(folder, document)) {
                return;
            }
            let policy = document.policy(&estate.sources);
            let says = says(&policy);
            let definition = Definition { account, document: document.clone(), policy, says, moved };
            match name {
                Some(name) => found.named.entry(name).or_default().push(definition),
                // A policy without statements is like any other.
                None if definition.policy.statements.is_empty() => {}
                None => found.unnamed.entry(definition.says.clone()).or_default().push(definition),
            }
        };
        each_policy(&estate, &mut add);
        sources.append(std::mem::take(&mut estate.sources));
        found
    }

    /// Points the findings of a report at the definitions of what they are about; how many were.
    pub fn link(&self, estate: &Estate, report: &mut Report<'_>) -> usize {
        let mut live: Vec<(Option<Name>, Option<AccountId>, &Document)> = Vec::new();
        each_policy(estate, &mut |name, account, document| live.push((name, account, document)));
        live.sort_by_key(|(_, _, document)| (document.span.source, document.span.start));
        let point = |finding: &mut Finding| -> Option<()> {
            let span = finding.primary.span;
            let start = |span: Span| (span.source, span.start);
            let upto = live.partition_point(|(_, _, document)| start(document.span) <= start(span));
            let (name, account, document) = live.get(upto.checked_sub(1)?)?;
            let policy = Some(document).filter(|document| document.span.contains(span))?.policy(&estate.sources);
            let definition = self.find(name.as_ref(), *account, &says(&policy))?;
            let (place, words) = definition.place_of(&policy, span);
            finding.primary.span = place;
            finding.related.insert(0, Label::new(span, words));
            Some(())
        };
        report.suppressed.iter_mut().for_each(|one| {
            point(&mut one.finding);
        });
        let linked = report.findings.iter_mut().filter_map(point).count();
        report.sort();
        linked
    }

    fn find(&self, name: Option<&Name>, account: Option<AccountId>, says: &str) -> Option<&Definition> {
        let by_name = name.and_then(|name| self.named_as(name, account, says));
        by_name.or_else(|| match self.unnamed.get(says).map(Vec::as_slice) {
            Some([one]) => Some(one),
            _ => None,
        })
    }

    /// The definition of a policy by its name: of the account rather than of any, and of several the one that says the same.
    fn named_as(&self, name: &Name, account: Option<AccountId>, says: &str) -> Option<&Definition> {
        let mut fits: Vec<&Definition> = self.named.get(name).into_iter().flatten().collect();
        if let Part::Inline(Some(_)) = name.part {
            // A policy file of a role says of which role, not what the policy is called there.
            let loose = Name { part: Part::Inline(None), ..name.clone() };
            if fits.is_empty() {
                fits.extend(self.named.get(&loose).into_iter().flatten());
            }
        }
        fits.retain(|one| one.account.is_none() || account.is_none() || one.account == account);
        if account.is_some() && fits.iter().any(|one| one.account == account) {
            fits.retain(|one| one.account == account);
        }
        match fits.as_slice() {
            [one] => Some(one),
            several => {
                let mut same = several.iter().filter(|one| one.says == says);
                same.next().filter(|_| same.next().is_none()).copied()
            }
        }
    }
}

impl Definition {
    /// The place in the file for one in the live policy, and what is to be said of the live one.
    fn place_of(&self, live: &Policy, span: Span) -> (Span, &'static str) {
        let (place, words) = self.own_place_of(live, span);
        let number = u32::try_from(place.source.index() + self.moved).unwrap_or(u32::MAX);
        (Span { source: SourceId::new(number), ..place }, words)
    }

    fn own_place_of(&self, live: &Policy, span: Span) -> (Span, &'static str) {
        let whole = self.document.span;
        let Some(statement) = live.statements.iter().find(|statement| statement.span.contains(span)) else {
            let is_version = live.written_version.as_ref().is_some_and(|version| version.span.contains(span));
            let version = self.policy.written_version.as_ref().filter(|_| is_version);
            let is_same = self.says == says(live) && self.policy.version == live.version;
            // A finding about the length of a policy points at how it begins.
            let begins = span.start == live.span.start && span.len() == 1;
            let whole = if begins { Span { end: whole.start + 1, ..whole } } else { whole };
            return (version.map_or(whole, |version| version.span), if is_same { AS_LIVE } else { DIFFERS });
        };
        let says = statement.normal_form();
        let statements = &self.policy.statements;
        if let Some(same) = statements.iter().find(|other| other.normal_form() == says) {
            return (same_place(statement, same, span), AS_LIVE);
        }
        let by_sid = |sid: &str| statements.iter().find(|other| other.sid_text() == Some(sid));
        match statement.sid_text().and_then(by_sid) {
            Some(other) => (other.span, STATEMENT_DIFFERS),
            None => (whole, NOT_IN_FILE),
        }
    }
}

const AS_LIVE: &str = "as it is live";
const DIFFERS: &str = "as it is live: the file says something else";
const STATEMENT_DIFFERS: &str = "as it is live: in the file the statement of this Sid says something else";
const NOT_IN_FILE: &str = "as it is live: no statement of the file says this";

/// A place in a statement, in another statement that says the same: that of the same element, of the first and the last
/// where it covers several, or of the element that it is in.
fn same_place(statement: &Statement, same: &Statement, span: Span) -> Span {
    let (own, others) = (elements(statement), elements(same));
    let other = |element: &(Element, Span)| others.iter().find(|one| one.0 == element.0).map(|one| one.1);
    let covered = || own.iter().filter(|(_, place)| span.contains(*place));
    let first = covered().find(|(_, place)| place.start == span.start).and_then(other);
    let last = covered().find(|(_, place)| place.end == span.end).and_then(other);
    if let (Some(first), Some(last)) = (first, last) {
        return Span { start: first.start.min(last.start), end: first.end.max(last.end), ..first };
    }
    let around = own.iter().filter(|(_, place)| place.contains(span)).min_by_key(|(_, place)| place.len());
    around.and_then(other).unwrap_or(same.span)
}

/// What a policy says, in whatever order.
fn says(policy: &Policy) -> String {
    let mut statements: Vec<String> = policy.statements.iter().map(Statement::normal_form).collect();
    statements.sort_unstable();
    statements.join("\n")
}

/// What tells an element of a statement from the others: its kind, and what it says.
type Element = (&'static str, String);

/// The elements of a statement that findings point at.
fn elements(statement: &Statement) -> Vec<(Element, Span)> {
    let mut found = vec![(("effect", String::new()), statement.effect_span)];
    let mut add = |kind, text: &str, span| found.push(((kind, text.to_owned()), span));
    if let Some(sid) = &statement.sid {
        add("sid", "", sid.span);
    }
    if let Some(principals) = &statement.principals {
        add("principals", "key", principals.key_span);
        add("principals", "", principals.span);
        principals.entries.iter().for_each(|entry| add("principal", &entry.text, entry.span));
    }
    for (all, one, entries) in
        [("actions", "action", &statement.actions), ("resources", "resource", &statement.resources)]
    {
        let Some(entries) = entries else { continue };
        add(all, "key", entries.key_span);
        add(all, "", entries.span);
        let as_meant = |raw: &str| if one == "action" { raw.to_ascii_lowercase() } else { raw.to_owned() };
        entries.items.iter().for_each(|item| add(one, &as_meant(item.raw()), item.span));
    }
    if let Some(span) = statement.condition_span {
        add("condition", "", span);
    }
    for clause in &statement.conditions {
        let of = format!("{} {}", clause.operator, clause.key);
        add("clause", &of, clause.span);
        add("operator", &of, clause.operator_span);
        add("key", &of, clause.key_span);
        clause.values.iter().for_each(|value| add("value", &format!("{of} {}", value.template.raw()), value.span));
    }
    found
}

/// Gives every policy to `each`, with what it is the policy of where that is told, and in which account.
fn each_policy<'e>(estate: &'e Estate, each: &mut dyn FnMut(Option<Name>, Option<AccountId>, &'e Document)) {
    for role in &estate.roles {
        let name = (role.named_by != NamedBy::Nothing).then_some(role.name.as_str());
        if let Some(trust) = role.trust.present() {
            each(name.map(|name| of(SubjectKind::Role, name, Part::Trust)), role.account, trust);
        }
        each_of(SubjectKind::Role, name, role.account, &role.permissions, each);
    }
    for user in &estate.users {
        each_of(SubjectKind::User, Some(&user.name), user.account, &user.permissions, each);
    }
    for group in &estate.groups {
        each_of(SubjectKind::Group, Some(&group.name), group.account, &group.permissions, each);
    }
    for policy in &estate.managed_policies {
        let account = policy.arn.as_deref().and_then(Arn::parse).and_then(|arn| arn.account_id());
        let name = of(SubjectKind::ManagedPolicy, &policy.name, Part::Only);
        policy.document.present().into_iter().for_each(|document| each(Some(name.clone()), account, document));
    }
    for bucket in &estate.buckets {
        let is_named = bucket.named_by != NamedBy::Nothing;
        let name = is_named.then(|| of(SubjectKind::Bucket, &bucket.name, Part::Only));
        let account = bucket.account.present().copied();
        bucket.policy.present().into_iter().for_each(|document| each(name.clone(), account, document));
    }
    for key in &estate.keys {
        let name = key.id.as_deref().map(|id| of(SubjectKind::Key, id, Part::Only));
        key.policy.present().into_iter().for_each(|document| each(name.clone(), key.account, document));
    }
    for policy in &estate.organization.policies {
        let name = of(SubjectKind::OrganizationPolicy, &policy.name, Part::Only);
        policy.document.present().into_iter().for_each(|document| each(Some(name.clone()), None, document));
    }
    estate.documents.iter().for_each(|document| each(None, None, document));
}

fn each_of<'e>(
    kind: SubjectKind,
    name: Option<&str>,
    account: Option<AccountId>,
    permissions: &'e Permissions,
    each: &mut dyn FnMut(Option<Name>, Option<AccountId>, &'e Document),
) {
    for inline in permissions.inline.present().into_iter().flatten() {
        let part = Part::Inline(inline.name.as_ref().map(ToString::to_string));
        if let Some(document) = inline.document.present() {
            each(name.map(|name| of(kind, name, part)), account, document);
        }
    }
    if let Some(document) = &permissions.boundary_document {
        each(name.map(|name| of(kind, name, Part::Boundary)), account, document);
    }
}

fn of(kind: SubjectKind, resource: &str, part: Part) -> Name {
    Name { kind, resource: resource.to_owned(), part }
}
