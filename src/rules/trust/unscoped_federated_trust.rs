use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Found};
use crate::access::sts::better;
use crate::finding::{Draft, Finding, Level};
use crate::policy::{Clause, Principal, PrincipalEntry, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::federation::Provider;
use crate::rules::shared::{log_reader, trust};

pub(in crate::rules) const CHECK: Check = Check::roles(check);

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let policy = match role.trust() {
        Ok(policy) => policy,
        Err(gap) if log_reader::reads_logs(context, role)? => return Err(gap),
        Err(_) => return Ok(Verdict::NotApplicable),
    };
    let federated = |statement: &Statement| providers(statement).next().is_some();
    if !policy.allows().any(federated) || !log_reader::reads_logs(context, role)? {
        return Ok(Verdict::NotApplicable);
    }
    let allowance = Allowance::of_rule();
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for statement in policy.allows() {
        for (entry, provider) in providers(statement) {
            let answer = admits_stranger(context, &allowance, role, statement, &provider);
            match &answer {
                Answer::Undecided => gaps.push(trust::undecided()),
                Answer::Yes(found) | Answer::If(found) if passes_through(found, statement) => {
                    let draft = finding(context, role, statement, entry, &provider, found);
                    findings.push(if answer.is_yes() { draft } else { draft.level(Level::Note) });
                }
                _ => {}
            }
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn providers(statement: &Statement) -> impl Iterator<Item = (&PrincipalEntry, Provider)> {
    let entries = statement.principals.iter().filter(|p| !p.negated).flat_map(|p| &p.entries);
    entries.filter_map(|entry| match &entry.principal {
        Principal::Federated(text) => Some((entry, Provider::new(text))),
        _ => None,
    })
}

/// Whether someone whom the provider vouches for, and whom the policy can not have meant, can assume the role.
fn admits_stranger(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    statement: &Statement,
    provider: &Provider,
) -> Answer {
    let Ok(policy) = role.trust() else { return Answer::No };
    let caller = Caller::Provider(CompactString::new(&provider.name));
    provider.strangers(policy, statement).into_iter().fold(Answer::No, |best, claims| {
        let fixed: Vec<(&str, Given)> = claims.iter().map(|(key, given)| (key.as_str(), given.clone())).collect();
        better(best, role.admits_caller(context, allowance, caller.clone(), provider.action(), &fixed))
    })
}

fn passes_through(found: &Found, statement: &Statement) -> bool {
    found.explanation.steps.iter().any(|step| step.span == Some(statement.span))
}

fn finding(
    context: &Context<'_>,
    role: &RoleView<'_>,
    statement: &Statement,
    entry: &PrincipalEntry,
    provider: &Provider,
    found: &Found,
) -> Draft {
    let clauses: Vec<&Clause> =
        statement.conditions.iter().filter(|clause| provider.claim(&clause.key).is_some()).collect();
    let binding = clauses.iter().filter_map(|clause| Some((*clause, provider.claim(&clause.key)?)));
    let mut binding = binding.filter(|(_, claim)| provider.binds_by(claim));
    let open = binding
        .clone()
        .find_map(|(clause, claim)| clause.values.iter().find(|value| provider.is_open(claim, value.template.raw())));
    let value = open.or_else(|| binding.find_map(|(clause, _)| clause.values.first()));
    let (span, label) = match (value, provider.shared.is_some()) {
        (Some(value), true) => (value.span, "another organization's tokens meet this"),
        (Some(value), false) => (value.span, "every token meets this"),
        (None, true) => (entry.span, "every organization gets tokens there, with the audience it asks for"),
        (None, false) => (entry.span, "no audience and no subject is asked for"),
    };
    Finding::at(span, label)
        .message(format!("{} can assume `{}`", provider.anyone(), role.subject.name))
        .statement(statement)
        .about(provider.name.clone())
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(trust::unless(context, role, found))
        .help(provider.advice())
}
