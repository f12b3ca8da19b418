use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Found};
use crate::access::sts::{accounts_like, better};
use crate::aws::{AccountId, ConditionKey, documented_source};
use crate::finding::{Draft, Finding, Level, StepEffect};
use crate::policy::template::Template;
use crate::policy::{Clause, Policy, Principal, PrincipalEntry, Statement};
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
    let policy = match role.trust() {
        Ok(policy) => policy,
        Err(gap) if log_reader::reads_logs(context, role)? => return Err(gap),
        Err(_) => return Ok(Verdict::NotApplicable),
    };
    let names_one = |statement| services(statement).next().is_some();
    if !policy.allows().any(names_one) || !log_reader::reads_logs(context, role)? {
        return Ok(Verdict::NotApplicable);
    }
    let allowance = Allowance::of_rule();
    let mut gaps = Vec::new();
    let mut findings = Vec::new();
    for statement in policy.allows() {
        let mut open: Vec<(&PrincipalEntry, &str)> = Vec::new();
        let mut best = Foreign { like: None, answer: Answer::No };
        for (entry, name) in services(statement) {
            let Foreign { like, answer } = admits_foreign(context, &allowance, role, name);
            if answer == Answer::Undecided {
                gaps.push(trust::undecided());
            }
            if passes_through(&answer, statement) {
                open.push((entry, name));
                best = best.or(Foreign { like, answer });
            }
        }
        if let Some(found) = best.answer.found() {
            let draft = finding(context, role, policy, statement, &open, (best.like.as_deref(), found));
            findings.push(if best.answer.is_yes() { draft } else { draft.level(Level::Note) });
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// How a service gets in for an account that nobody names: for any there is, or for those whose ID a pattern matches.
struct Foreign {
    like: Option<CompactString>,
    answer: Answer,
}

impl Foreign {
    /// The one that lets more through.
    fn or(self, other: Foreign) -> Foreign {
        if better(self.answer.clone(), other.answer.clone()) == self.answer { self } else { other }
    }
}

/// The services that a statement names and that tell for whom they act.
fn services(statement: &Statement) -> impl Iterator<Item = (&PrincipalEntry, &str)> {
    let entries = statement.principals.iter().filter(|p| !p.negated).flat_map(|p| &p.entries);
    entries.filter_map(|entry| match &entry.principal {
        Principal::Service(name) if documented_source(name).is_some() => Some((entry, name.as_str())),
        _ => None,
    })
}

/// Whether a service can assume the role for an account that nobody knows, be it in another organization or in none: for
/// any, or for those that a pattern takes in.
fn admits_foreign(context: &Context<'_>, allowance: &Allowance, role: &RoleView<'_>, service: &str) -> Foreign {
    let clauses = role.trust().into_iter().flat_map(Policy::effective).flat_map(|s| &s.conditions);
    let values: Vec<&Template> = clauses.flat_map(|clause| &clause.values).map(|value| &value.template).collect();
    let named = values.iter().filter_map(|template| AccountId::parse(template.raw()));
    let taken: Vec<AccountId> = context.model.known_accounts().into_iter().chain(named).collect();
    let like =
        accounts_like(values.iter().copied(), &taken).into_iter().map(|(pattern, account)| (Some(pattern), account));
    let any = (None, AccountId::other_than(taken.iter().copied()));
    let each = std::iter::once(any).chain(like);
    let each =
        each.map(|(like, account)| Foreign { like, answer: admits_for(context, allowance, role, service, account) });
    each.reduce(Foreign::or).unwrap_or(Foreign { like: None, answer: Answer::No })
}

fn admits_for(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    service: &str,
    account: AccountId,
) -> Answer {
    let value = |text: &str| Given::Values(vec![text.into()]);
    let organizations =
        [(Given::Absent, Given::Absent), (value("o-stranger00"), value("o-stranger00/r-strg/ou-strg-stranger/"))];
    organizations.into_iter().fold(Answer::No, |best, (id, paths)| {
        let fixed =
            [("aws:SourceAccount", value(account.as_str())), ("aws:SourceOrgID", id), ("aws:SourceOrgPaths", paths)];
        better(best, role.admits_caller(context, allowance, Caller::Service(service.into()), "sts:AssumeRole", &fixed))
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
    (like, found): (Option<&str>, &Found),
) -> Draft {
    let names: Vec<&str> = open.iter().map(|(_, name)| *name).collect();
    let is_source = |key: &ConditionKey| SOURCES.iter().any(|source| key.is(source));
    let guard = statement.conditions.iter().find(|clause| is_source(&clause.key));
    let principal = open.first().map_or(statement.span, |(entry, _)| entry.span);
    let open_value = |clause: &'_ Clause| {
        clause.values.iter().find(|value| value.template.has_wildcard()).or(clause.values.first()).cloned()
    };
    let (span, label) = match guard.and_then(|clause| Some((clause, open_value(clause)?))) {
        Some((clause, value)) if clause.operator.takes_wildcards() && !clause.operator.if_exists => {
            (value.span, "resources of other accounts meet this")
        }
        Some((clause, _)) => (clause.operator_span, "met whoever the service acts for"),
        None => (principal, "nothing asks for whom it acts"),
    };
    let example = role.role.account.map_or_else(|| "your account ID".to_owned(), |account| account.to_string());
    let denies = policy.denies().flat_map(|s| s.conditions.iter()).find(|clause| is_source(&clause.key));
    let whom = like.map_or_else(String::new, |pattern| format!(" whose ID matches `{pattern}`"));
    let name = &role.subject.name;
    let mut draft = Finding::at(span, label)
        .message(format!("{} can assume `{name}` on behalf of any AWS account{whom}", quoted(&names, 3)))
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
