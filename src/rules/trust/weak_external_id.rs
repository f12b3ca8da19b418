use std::collections::{BTreeMap, BTreeSet};

use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::policy::operator::Family;
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::external_id::{self, Accepted, Hold};
use crate::rules::shared::guessable::{self, Weakness};
use crate::rules::shared::trust::{self, Outsider};

pub(in crate::rules) const CHECK: Check = Check { role: Some(check), estate: Some(shared), ..Check::NOTHING };

const HELP: &str = "have the other side generate a random ID, such as a UUID, for you alone";

/// An external ID that lets an outsider in, with the principals it does so for.
type Entry<'v> = (Outsider<'v>, Vec<Accepted<'v>>);

/// Looks at the IDs of one role.
fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    let mut gaps = Vec::new();
    let entries = entries(context, role, &mut gaps);
    let mut findings = BTreeMap::new();
    for (outsider, accepted) in &entries {
        for one in accepted {
            if let Some(draft) = weak(context, role, *outsider, one) {
                findings.entry(one.value.span).or_insert(draft);
            }
        }
    }
    let mut findings: Vec<Draft> = findings.into_values().collect();
    findings.extend(several(context, role, &entries));
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The outsiders that need the right ID, each with the IDs that are right.
fn entries<'v>(context: &Context<'_>, role: &'v RoleView<'_>, gaps: &mut Vec<Gap>) -> Vec<Entry<'v>> {
    let mut entries = Vec::new();
    for outsider in trust::outsiders(context, role) {
        match external_id::hold(context, role, outsider) {
            Hold::Bound => entries.push((outsider, external_id::accepted(context, role, outsider))),
            Hold::Undecided => gaps.push(trust::undecided()),
            // An ID that does not bind is `bypassable-external-id`.
            Hold::Missing(_) | Hold::Without(_) | Hold::AnyId(_) => {}
        }
    }
    entries
}

/// An ID that is weak by itself.
fn weak(context: &Context<'_>, role: &RoleView<'_>, outsider: Outsider<'_>, one: &Accepted<'_>) -> Option<Draft> {
    let name = &role.subject.name;
    let id = one.text();
    let ignores_case =
        one.clause.operator.family == Family::StringIgnoreCase && id.bytes().any(|b| b.is_ascii_alphabetic());
    let weakness = match one.is_pattern() {
        true => None,
        false => guessable::weakness(context, &role.role.name, outsider.account, id),
    };
    let (kind, is, label) = match weakness {
        Some(Weakness::Refused(c)) => {
            ("refused", format!("`{id}` of `{name}` holds `{c}`, which AWS refuses"), "nobody can send it")
        }
        Some(Weakness::Length(length)) => (
            "refused",
            format!("of `{name}` has {length} characters; AWS takes 2 to 1,224"),
            "nobody can send it",
        ),
        Some(Weakness::Account(account)) => {
            ("account-id", format!("of `{name}` is an account ID, {account}"), "account IDs are no secret")
        }
        Some(Weakness::Placeholder) => {
            ("placeholder", format!("`{id}` of `{name}` is a placeholder"), "anyone would try it")
        }
        Some(Weakness::Name(of)) => {
            ("name", format!("`{id}` of `{name}` is the name of {of}"), "whoever knows the role knows it")
        }
        Some(Weakness::Short(length)) => {
            ("short", format!("of `{name}` has only {length} characters"), "all IDs of this length can be tried")
        }
        None if one.is_pattern() => {
            ("wildcard", format!("`{id}` of `{name}` is a pattern that many IDs match"), "another customer's ID may match it")
        }
        None if ignores_case => {
            ("ignores-case", format!("of `{name}` is compared without regard to case"), "IDs in other cases get in too")
        }
        None => return None,
    };
    let level = if kind == "ignores-case" { Level::Note } else { level(&outsider) };
    let draft = Finding::at(one.value.span, label)
        .message(format!("external ID {is}"))
        .level(level)
        .statement(one.statement)
        .about(kind)
        .about(id)
        .help(HELP);
    Some(draft)
}

fn level(outsider: &Outsider<'_>) -> Level {
    if outsider.admission.answer.is_yes() { Level::Warning } else { Level::Note }
}

/// Several IDs that all let in the same principals of one third party.
fn several(context: &Context<'_>, role: &RoleView<'_>, entries: &[Entry<'_>]) -> Vec<Draft> {
    let mut groups: BTreeMap<(AccountId, String), Vec<(&Outsider<'_>, &Accepted<'_>)>> = BTreeMap::new();
    for (outsider, accepted) in entries {
        let parties: BTreeSet<String> = entries
            .iter()
            .filter(|(other, _)| other.admission.statement.span == outsider.admission.statement.span)
            .map(|(other, _)| party(context, other.account))
            .collect();
        // One ID for several parties is the graver mistake of the same statement.
        if parties.len() > 1 {
            continue;
        }
        let principals = outsider.admission.statement.principals.iter().flat_map(|p| &p.entries);
        let meant = principals.map(|entry| &entry.principal).filter(|p| p.account().is_none_or(|a| a == outsider.account));
        for principal in meant {
            let group = groups.entry((outsider.account, principal.normal_form())).or_default();
            let sendable = |one: &&Accepted<'_>| {
                let weakness = guessable::weakness(context, "", outsider.account, one.text());
                one.is_pattern() || !matches!(weakness, Some(Weakness::Refused(_) | Weakness::Length(_)))
            };
            group.extend(accepted.iter().filter(sendable).map(|one| (outsider, one)));
        }
    }
    let mut drafts = BTreeMap::new();
    for ((account, _), group) in groups {
        let ids: BTreeSet<&str> = group.iter().map(|(_, one)| one.text()).collect();
        let Some((outsider, last)) = group.last().filter(|_| ids.len() > 1) else { continue };
        let label = context.model.label(account);
        let message = format!("{} external IDs let account {label} assume `{}`", ids.len(), role.subject.name);
        let mut draft = Finding::at(last.clause.span, "one ID would do").message(message).level(level(outsider));
        if group.iter().all(|(_, one)| one.clause.span == last.clause.span) {
            draft = draft.statement(last.statement);
        }
        for (_, one) in &group {
            if one.clause.span != last.clause.span && one.text() != last.text() {
                draft = draft.related(one.value.span, "this ID is right as well");
            }
        }
        let draft = draft.about("several").about(account.to_string()).help(
            "keep the one ID that is in use: each further one is one more that another customer may have been given",
        );
        drafts.entry(last.clause.span).or_insert(draft);
    }
    drafts.into_values().collect()
}

/// What stands for a third party: its name in the config, else its account.
fn party(context: &Context<'_>, account: AccountId) -> String {
    let mut declared = context.config.into_iter().flat_map(|config| &config.third_parties);
    let named = declared.find(|party| party.account.value == account).and_then(|party| party.name.as_ref());
    named.map_or_else(|| account.to_string(), |name| name.value.clone())
}

/// One use of an external ID.
struct Use<'v> {
    role: &'v RoleView<'v>,
    outsider: Outsider<'v>,
    accepted: Accepted<'v>,
}

/// The same ID for two third parties, in one role or in two.
fn shared(context: &Context<'_>) -> Outcome {
    let mut uses: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
    for role in context.sharing_roles() {
        for (outsider, accepted) in entries(context, role, &mut Vec::new()) {
            for accepted in accepted.into_iter().filter(|one| !one.is_pattern()) {
                let id = accepted.value.template.raw();
                uses.entry(id).or_default().push(Use { role, outsider, accepted });
            }
        }
    }
    let drafts = uses.into_iter().filter_map(|(id, mut uses)| {
        uses.sort_by(|a, b| (a.outsider.account, a.role.subject.id()).cmp(&(b.outsider.account, b.role.subject.id())));
        let parties: BTreeSet<String> = uses.iter().map(|one| party(context, one.outsider.account)).collect();
        let last = uses.last().filter(|_| parties.len() > 1)?;
        let accounts: BTreeSet<AccountId> = uses.iter().map(|one| one.outsider.account).collect();
        let labels: Vec<String> = accounts.iter().map(|account| context.model.label(*account)).collect();
        let message = format!("external ID `{id}` of `{}` is that of accounts {}", last.role.subject.name, labels.join(", "));
        let mut draft = Finding::at(last.accepted.value.span, "one party can make the other act for it")
            .message(message)
            .level(level(&last.outsider))
            .statement(last.accepted.statement)
            .subject(last.role.subject.clone())
            .about("shared")
            .help("have each third party generate an ID of its own");
        for account in &accounts {
            draft = draft.about(account.to_string());
        }
        for one in uses.iter().filter(|one| one.accepted.value.span != last.accepted.value.span) {
            let account = context.model.label(one.outsider.account);
            draft = draft.related(one.accepted.value.span, format!("the same ID lets in {account} here"));
        }
        Some(draft)
    });
    Ok(Verdict::of(drafts.collect()))
}
