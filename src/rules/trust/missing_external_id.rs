use crate::access::search::Answer;
use crate::access::sts::ExternalId;
use crate::finding::{Finding, Level};
use crate::model::Class;
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::{external_id, trust};

pub(in crate::rules) const CHECK: Check = Check::roles(check);

const HELP: &str = "have the other side generate an ID for you alone and require it: \
    \"Condition\": {\"StringEquals\": {\"sts:ExternalId\": \"that ID\"}}";

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let policy = role.trust()?;
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for party in trust::third_parties(context, role) {
        let answer = role.admits(context, party.account, "sts:AssumeRole", ExternalId::Absent, &[]);
        if answer == Answer::Undecided {
            gaps.push(trust::undecided());
        }
        // An ID that is mentioned but not enforced is `bypassable-external-id`.
        if external_id::clauses(policy, party.account).next().is_some() {
            continue;
        }
        let Some(found) = answer.found() else { continue };
        let Some((statement, span)) = trust::admitting(policy, &answer, party.account) else { continue };
        let mut level = if party.class == Class::Undeclared { Level::Warning } else { Level::Error };
        if !answer.is_yes() {
            level = level.lower();
        }
        let maybe_own = party.class == Class::Undeclared && !context.model.members_are_complete();
        let help = if maybe_own { format!("if this account is not yours, {HELP}") } else { HELP.to_owned() };
        let label = context.model.label(party.account);
        findings.push(
            Finding::at(span, "nothing in its request has to prove whom it acts for")
                .message(format!("account {label} can assume `{}` without an external ID", role.subject.name))
                .level(level)
                .statement(statement)
                .about(party.account.to_string())
                .path(found.explanation.steps.iter().cloned())
                .witness(found.witness.clone())
                .depends_on(trust::unless(context, role, found))
                .help(help),
        );
    }
    Ok(Verdict::with_gaps(findings, gaps))
}
