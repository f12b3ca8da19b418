use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Found};
use crate::access::sts::better;
use crate::aws::{AccountId, ConditionKey, documented_source};
use crate::finding::{Draft, Finding, Level, StepEffect};
use crate::policy::{Policy, Principal, PrincipalEntry, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::words::quoted;
use crate::rules::shared::{log_reader, trust};

pub(in crate::rules) const CHECK: Check = Check::roles(check);

/// The keys by which a service tells for whom it acts.
const SOURCES: [&str; 4] = ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let Ok(policy) = role.trust() else { return Ok(Verdict::NotApplicable) };
    let names_one = |statement| services(statement).next().is_some();
    if !policy.allows().any(names_one) || !log_reader::reads_logs(context, role)? {
        return Ok(Verdict::NotApplicable);
    }
    let mut gaps = Vec::new();
    let mut findings = Vec::new();
    for statement in policy.allows() {
        let mut open: Vec<(&PrincipalEntry, &str)> = Vec::new();
        let mut best = Answer::No;
        for (entry, name) in services(statement) {
            let answer = admits_foreign(context, role, name);
            if answer == Answer::Undecided {
                gaps.push(trust::undecided());
            }
            if passes_through(&answer, statement) {
                open.push((entry, name));
                best = better(best, answer);
            }
        }
        if let Some(found) = best.found() {
            let draft = finding(context, role, policy, statement, &open, found);
            findings.push(if best.is_yes() { draft } else { draft.level(Level::Note) });
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The services that a statement names and that tell for whom they act.
fn services(statement: &Statement) -> impl Iterator<Item = (&PrincipalEntry, &str)> {
    let entries = statement.principals.iter().filter(|p| !p.negated).flat_map(|p| &p.entries);
    entries.filter_map(|entry| match &entry.principal {
        Principal::Service(name) if documented_source(name).is_some() => Some((entry, name.as_str())),
        _ => None,
    })
}

/// Whether a service can assume the role for an account that nobody knows, be it in another organization or in none.
fn admits_foreign(context: &Context<'_>, role: &RoleView<'_>, service: &str) -> Answer {
    let named = role.trust().into_iter().flat_map(Policy::effective).flat_map(|s| &s.conditions);
    let named = named.flat_map(|clause| &clause.values).filter_map(|value| AccountId::parse(value.template.raw()));
    let account = AccountId::other_than(context.model.known_accounts().into_iter().chain(named));
    let value = |text: &str| Given::Values(vec![text.into()]);
    let organizations =
        [(Given::Absent, Given::Absent), (value("o-stranger00"), value("o-stranger00/r-strg/ou-strg-stranger/"))];
    organizations.into_iter().fold(Answer::No, |best, (id, paths)| {
        let fixed =
            [("aws:SourceAccount", value(account.as_str())), ("aws:SourceOrgID", id), ("aws:SourceOrgPaths", paths)];
        better(best, role.admits_caller(context, Caller::Service(service.into()), "sts:AssumeRole", &fixed))
    })
}

fn passes_through(answer: &Answer, statement: &Statement) -> bool {
    let steps = answer.found().map(|found| found.explanation.steps.as_slice()).unwrap_or_default();
    steps.iter().any(|s| s.span == Some(statement.span) && matches!(s.effect, StepEffect::Allows | StepEffect::If))
}

fn finding(
    context: &Context<'_>,
    role: &RoleView<'_>,
    policy: &Policy,
    statement: &Statement,
    open: &[(&PrincipalEntry, &str)],
    found: &Found,
) -> Draft {
    let names: Vec<&str> = open.iter().map(|(_, name)| *name).collect();
    let is_source = |key: &ConditionKey| SOURCES.iter().any(|source| key.is(source));
    let guard = statement.conditions.iter().find(|clause| is_source(&clause.key));
    let principal = open.first().map_or(statement.span, |(entry, _)| entry.span);
    let (span, label) = match guard.and_then(|clause| Some((clause, clause.values.first()?))) {
        Some((clause, value)) if clause.operator.takes_wildcards() && !clause.operator.if_exists => {
            (value.span, "the resource of any account meets this")
        }
        Some((clause, _)) => (clause.operator_span, "met whoever the service acts for"),
        None => (principal, "nothing asks for whom it acts"),
    };
    let example = role.role.account.map_or_else(|| "your account ID".to_owned(), |account| account.to_string());
    let denies = policy.denies().flat_map(|s| s.conditions.iter()).find(|clause| is_source(&clause.key));
    let mut draft = Finding::at(span, label)
        .message(format!("{} can assume `{}` on behalf of any AWS account", quoted(&names, 3), role.subject.name))
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(trust::unless(context, role, found))
        .help(format!(
            "bind it: \"Condition\": {{\"StringEquals\": {{\"aws:SourceAccount\": \"{example}\"}}}}, or better the ARN of the one \
             resource with \"aws:SourceArn\""
        ));
    if let Some(clause) = denies {
        draft = draft.related(clause.span, "this Deny does not meet every such request");
    }
    names.iter().fold(draft, |draft, name| draft.about(*name))
}
