use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::request::{Caller, Given};
use crate::access::search::Answer;
use crate::access::sts::{better, names_everyone};
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::Context;
use crate::rule::role::{Admission, RoleView, Who};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::federation::Provider;
use crate::rules::shared::trust;

pub(in crate::rules) const CHECK: Check = Check::roles(check);

const HELP: &str = "name the accounts or roles that need it in `Principal`; where all accounts of the organization do, \
    require it: \"Condition\": {\"StringEquals\": {\"aws:PrincipalOrgID\": \"o-…\"}}";

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.trust()?.allows().any(names_everyone) {
        return Ok(Verdict::Pass);
    }
    let mut findings: Vec<Draft> = Vec::new();
    let mut gaps = Vec::new();
    let mut seen = Vec::new();
    for admission in role.admissions(context).iter().filter(|admission| admission.who.is_public()) {
        if seen.contains(&admission.statement.span) {
            continue;
        }
        match &admission.answer {
            Answer::Undecided => gaps.push(trust::undecided()),
            _ => {
                seen.push(admission.statement.span);
                findings.extend(finding(context, role, admission));
            }
        }
    }
    let allowance = Allowance::of_rule();
    for statement in role.trust()?.allows().filter(|s| names_everyone(s) && !seen.contains(&s.span)) {
        findings.extend(by_sign_in(context, &allowance, role, statement)?);
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// A statement that does not let every account assume the role and yet everyone who signs in at a provider that AWS knows by itself.
fn by_sign_in(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    statement: &Statement,
) -> Result<Option<Draft>, Gap> {
    let google = Provider::new("accounts.google.com");
    let caller = Caller::Provider(CompactString::new(&google.name));
    let answer = google.strangers(role.trust()?, statement).into_iter().fold(Answer::No, |best, claims| {
        let fixed: Vec<(&str, Given)> = claims.iter().map(|(key, given)| (key.as_str(), given.clone())).collect();
        better(best, role.admits_caller(context, allowance, caller.clone(), google.action(), &fixed))
    });
    if answer == Answer::Undecided {
        return Err(trust::undecided());
    }
    let draft = answer.found().map(|found| {
        Finding::at(trust::everyone_span(statement), "everyone whom a public provider gives a token")
            .message(format!("anyone who signs in with Google, Facebook or Amazon can assume `{}`", role.subject.name))
            .level(if answer.is_yes() { Level::Warning } else { Level::Note })
            .statement(statement)
            .about("web identity")
            .path(found.explanation.steps.iter().cloned())
            .witness(found.witness.clone())
            .depends_on(trust::unless(context, role, found))
            .help("name the provider as \"Federated\" in `Principal`, and ask for your application's audience and the subject")
    });
    Ok(draft)
}

fn finding(context: &Context<'_>, role: &RoleView<'_>, admission: &Admission) -> Option<Draft> {
    let found = admission.answer.found()?;
    let statement = admission.statement.as_ref();
    let who = match &admission.who {
        Who::AnyoneLike(pattern) => format!("any AWS account whose ID matches `{pattern}`"),
        _ => "any AWS account".to_owned(),
    };
    let knowing = match role.without_external_id(context, admission) {
        Answer::No => " that knows the external ID",
        _ => "",
    };
    let message = format!("{who}{knowing} can assume `{}`", role.subject.name);
    let level = if admission.answer.is_yes() { Level::Error } else { Level::Warning };
    let all_but = statement.principals.as_ref().is_some_and(|principals| principals.negated);
    let label = if all_but { "every account on AWS but these" } else { "every account on AWS" };
    let mut draft = Finding::at(trust::everyone_span(statement), label)
        .message(message)
        .level(level)
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(trust::unless(context, role, found))
        .help(HELP);
    if let Some(span) = statement.condition_span {
        draft = draft.related(span, "callers from other accounts meet this too");
    }
    Some(draft)
}
