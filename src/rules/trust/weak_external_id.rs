use std::collections::{BTreeMap, BTreeSet};

use crate::aws::AccountId;
use crate::finding::{Draft, Finding, Level, Subject};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::external_id::{self, Accepted, Bound, party};
use crate::rules::shared::guessable::{self, Weakness};
use crate::rules::shared::trust::{self, Outsider};

pub(in crate::rules) const CHECK: Check = Check { role: Some(check), estate: Some(shared), ..Check::NOTHING };

/// Looks at the IDs of one role.
fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    let mut gaps = Vec::new();
    // An ID that does not bind is `bypassable-external-id`.
    let bound = external_id::bound(context, role, &mut gaps);
    let mut findings = BTreeMap::new();
    for Bound { outsider, accepted } in &bound {
        for one in accepted {
            let Some(weakness) = guessable::weakness(context, &role.role.name, outsider.account, one) else { continue };
            findings.entry(one.value.span).or_insert_with(|| weak(role, outsider, one, &weakness));
        }
    }
    let mut findings: Vec<Draft> = findings.into_values().collect();
    findings.extend(several(context, role, &bound));
    Ok(Verdict::with_gaps(findings, gaps))
}

/// An ID that is weak by itself.
fn weak(role: &RoleView<'_>, outsider: &Outsider<'_>, one: &Accepted<'_>, weakness: &Weakness) -> Draft {
    let level = if *weakness == Weakness::IgnoresCase { Level::Note } else { level(outsider) };
    Finding::at(one.value.span, weakness.label())
        .message(weakness.message(one.value.template.raw(), &role.subject.name))
        .level(level)
        .statement(one.statement)
        .about(weakness.name())
        .about(one.value.template.raw())
        .help(match weakness {
            Weakness::IgnoresCase => "compare it with StringEquals",
            Weakness::Pattern => "require the one ID that the other side sends, with StringEquals",
            _ => "have the other side generate a random ID, such as a UUID, for you alone",
        })
}

fn level(outsider: &Outsider<'_>) -> Level {
    if outsider.admission.answer.is_yes() { Level::Warning } else { Level::Note }
}

/// Several IDs that let in the same principals of one third party, be it in one statement or in two.
fn several(context: &Context<'_>, role: &RoleView<'_>, bound: &[Bound<'_>]) -> Vec<Draft> {
    let mut groups: BTreeMap<(AccountId, String), Vec<(&Outsider<'_>, &Accepted<'_>)>> = BTreeMap::new();
    for Bound { outsider, accepted } in bound {
        let statement = outsider.admission.statement.as_ref();
        let here = bound.iter().filter(|other| other.outsider.admission.statement.span == statement.span);
        let parties: BTreeSet<String> = here.map(|other| party(context, other.outsider.account)).collect();
        // Where one statement serves several parties, what is shared is the graver mistake.
        if parties.len() > 1 {
            continue;
        }
        let sendable = accepted.iter().filter(|one| one.is_pattern() || guessable::unsendable(&one.id()).is_none());
        let sendable: Vec<_> = sendable.map(|one| (outsider, one)).collect();
        let principals = statement.principals.iter().flat_map(|p| &p.entries).map(|entry| &entry.principal);
        for principal in principals.filter(|p| p.account().is_none_or(|account| account == outsider.account)) {
            groups.entry((outsider.account, principal.normal_form())).or_default().extend(&sendable);
        }
    }
    let mut drafts = BTreeMap::new();
    for ((account, _), group) in groups {
        let ids: BTreeSet<&str> = group.iter().map(|(_, one)| one.value.template.raw()).collect();
        let Some((outsider, last)) = group.last().filter(|_| ids.len() > 1) else { continue };
        let label = context.model.label(account);
        let mut draft = Finding::at(last.clause.span, "one ID is enough")
            .message(format!("account {label} can assume `{}` with any of {} external IDs", role.subject.name, ids.len()))
            .level(level(outsider))
            .about("several")
            .about(account.to_string())
            .help("keep the one ID that is in use: with each further one there is one more that may be another customer's");
        let others = group.iter().filter(|(_, one)| one.clause.span != last.clause.span);
        for (_, one) in others.clone() {
            draft = draft.related(one.value.span, "this ID lets it in as well");
        }
        if others.count() == 0 {
            draft = draft.statement(last.statement);
        }
        drafts.entry(last.clause.span).or_insert(draft);
    }
    drafts.into_values().collect()
}

/// One place where an external ID lets somebody in.
struct Use<'v> {
    role: &'v RoleView<'v>,
    outsider: Outsider<'v>,
    accepted: Accepted<'v>,
}

/// The same ID for two third parties, in one role or in two.
fn shared(context: &Context<'_>) -> Outcome {
    let mut uses: BTreeMap<String, Vec<Use<'_>>> = BTreeMap::new();
    for role in context.sharing_roles() {
        for Bound { outsider, accepted } in external_id::bound(context, role, &mut Vec::new()) {
            for accepted in accepted.into_iter().filter(|one| !one.is_pattern()) {
                uses.entry(accepted.id().into_owned()).or_default().push(Use { role, outsider, accepted });
            }
        }
    }
    let drafts = uses.into_iter().filter_map(|(id, mut uses)| {
        uses.sort_by(|a, b| (a.outsider.account, a.role.subject.id()).cmp(&(b.outsider.account, b.role.subject.id())));
        let parties: BTreeSet<String> = uses.iter().map(|one| party(context, one.outsider.account)).collect();
        let last = uses.last().filter(|_| parties.len() > 1)?;
        let accounts: BTreeSet<AccountId> = uses.iter().map(|one| one.outsider.account).collect();
        let name = &last.role.subject.name;
        let message =
            format!("external ID `{id}` of `{name}` lets in {}", trust::accounts(context, accounts.iter().copied()));
        let mut draft = Finding::at(last.accepted.value.span, "each of them can be made to act for the other")
            .message(message)
            .level(level(&last.outsider))
            .statement(last.accepted.statement)
            .subject(Subject::clone(&last.role.subject))
            .about("shared")
            .help("have each third party generate an ID of its own, and give each a statement of its own");
        for account in &accounts {
            draft = draft.about(account.to_string());
        }
        for one in uses.iter().filter(|one| one.accepted.value.span != last.accepted.value.span) {
            let label = context.model.label(one.outsider.account);
            draft = draft.related(one.accepted.value.span, format!("the same ID lets in {label} here"));
        }
        Some(draft)
    });
    Ok(Verdict::of(drafts.collect()))
}
