use crate::finding::{Finding, Level};
use crate::model::Class;
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::external_id::{self, Hold};
use crate::rules::shared::trust;

pub(in crate::rules) const CHECK: Check = Check::roles(check);

const HELP: &str = "have the other side generate an ID for you alone and require it: \
    \"Condition\": {\"StringEquals\": {\"sts:ExternalId\": \"that ID\"}}";

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for outsider in trust::outsiders(context, role) {
        // An ID that is mentioned but not enforced is `bypassable-external-id`.
        let answer = match external_id::hold(context, role, outsider) {
            Hold::Missing(answer) => answer,
            Hold::Undecided => {
                gaps.push(trust::undecided());
                continue;
            }
            Hold::Without(_) | Hold::AnyId(_) | Hold::Bound => continue,
        };
        let Some(found) = answer.found() else { continue };
        let level = if outsider.class == Class::Undeclared { Level::Warning } else { Level::Error };
        let (account, statement) = (outsider.account, outsider.admission.statement.as_ref());
        let label = context.model.label(account);
        findings.push(
            Finding::at(trust::principal_span(statement, account), "nothing in its request has to prove whom it acts for")
                .message(format!("account {label} can assume `{}` without an external ID", role.subject.name))
                .level(if answer.is_yes() { level } else { level.lower() })
                .statement(statement)
                .about(account.to_string())
                .path(found.explanation.steps.iter().cloned())
                .witness(found.witness.clone())
                .depends_on(trust::unless(context, role, found))
                .help(trust::help(context, account, HELP)),
        );
    }
    Ok(Verdict::with_gaps(findings, gaps))
}
