use crate::access::search::{Answer, Found};
use crate::aws::AccountId;
use crate::finding::{Draft, Finding, Level};
use crate::policy::ast::ConditionValue;
use crate::policy::operator::Family;
use crate::policy::{Clause, Effect, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::external_id::{self, Hold};
use crate::rules::shared::trust::{self, Outsider};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::roles(check);

const HELP: &str = "require one exact ID in every statement that names the account: \
    \"Condition\": {\"StringEquals\": {\"sts:ExternalId\": \"the ID\"}}";

const WITHOUT: &str = "without the external ID that it asks for";

/// One place that lets accounts past their external ID.
struct Hole<'v> {
    span: Span,
    why: String,
    /// The statement it stands in.
    statement: &'v Statement,
    /// The ID that is asked for in another statement.
    asked: Option<Span>,
    /// Whether an external ID has to be sent at all.
    is_any_id: bool,
    /// What they get in with, or without.
    with: &'static str,
    level: Level,
    accounts: Vec<AccountId>,
    found: &'v Found,
}

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    let outsiders = trust::outsiders(context, role);
    let mut holes: Vec<Hole<'_>> = Vec::new();
    let mut gaps = Vec::new();
    for outsider in &outsiders {
        let (answer, is_any_id) = match external_id::hold(context, role, *outsider) {
            Hold::Without(answer) => (answer, false),
            Hold::AnyId(answer) => (answer, true),
            Hold::Undecided => {
                gaps.push(trust::undecided());
                continue;
            }
            Hold::Missing(_) | Hold::Bound => continue,
        };
        let Some(found) = answer.found() else { continue };
        let hole = hole(context, role, outsider, answer, found, is_any_id);
        match holes.iter_mut().find(|known| known.span == hole.span && known.is_any_id == is_any_id) {
            Some(known) => {
                known.accounts.extend(hole.accounts);
                known.level = known.level.max(hole.level);
            }
            None => holes.push(hole),
        }
    }
    Ok(Verdict::with_gaps(holes.into_iter().map(|hole| finding(context, role, hole)).collect(), gaps))
}

/// The place that lets an outsider past: the comparison that does not bind, else the statement that makes none.
fn hole<'v>(
    context: &Context<'_>,
    role: &'v RoleView<'_>,
    outsider: &Outsider<'v>,
    answer: &Answer,
    found: &'v Found,
    is_any_id: bool,
) -> Hole<'v> {
    let admission = outsider.admission;
    let level = match RoleView::is_certain_outsider(context, outsider.account) {
        true => Level::Error,
        false => Level::Warning,
    };
    let level = if answer.is_yes() { level } else { level.lower() };
    let accounts = vec![outsider.account];
    let mut own: Vec<_> = external_id::clauses(&admission.policy, outsider.account).collect();
    // What the statement itself asks for goes before what a Deny asks for.
    own.sort_by_key(|(statement, _)| statement.effect);
    if let Some((statement, clause)) = own.first() {
        let (span, why) = flaw(clause, statement.effect, is_any_id);
        let with = match (is_any_id, variable(clause, statement.effect)) {
            (true, Some(_)) => "with an external ID that it fills in itself",
            (true, None) => "with any external ID",
            (false, _) => WITHOUT,
        };
        return Hole { span, why, statement, asked: None, is_any_id, with, level, accounts, found };
    }
    let elsewhere = role.trust.as_deref().ok().and_then(|policy| external_id::clauses(policy, outsider.account).next());
    Hole {
        span: trust::principal_span(&admission.policy, &admission.statement, outsider.account),
        why: "this statement asks for no external ID, and one statement is enough to get in".to_owned(),
        statement: &admission.statement,
        asked: elsewhere.map(|(_, clause)| clause.span),
        is_any_id,
        with: if is_any_id { "with any external ID" } else { WITHOUT },
        level,
        accounts,
        found,
    }
}

/// The value that a statement lets in and that the caller's own situation fills in.
fn variable(clause: &Clause, effect: Effect) -> Option<&ConditionValue> {
    let is_wanted = clause.operator.family != Family::Null && clause.operator.negated == (effect == Effect::Deny);
    clause.values.iter().filter(|_| is_wanted).find(|value| value.template.variables().next().is_some())
}

/// Where a comparison does not bind, and why.
fn flaw(clause: &Clause, effect: Effect, is_any_id: bool) -> (Span, String) {
    let operator = clause.operator;
    let all = clause.values.iter().find(|v| v.template.raw().bytes().all(|b| matches!(b, b'*' | b'?')));
    match (is_any_id, effect) {
        (_, _) if operator.family == Family::Null => {
            let why = match (effect, is_any_id) {
                (_, true) => "this asks that an external ID is there, not which",
                (Effect::Allow, false) => "this lets in requests that carry no external ID",
                (Effect::Deny, false) => "this does not deny requests that carry no external ID",
            };
            (clause.values.first().map_or(clause.span, |value| value.span), why.to_owned())
        }
        (true, _) if let Some(value) = variable(clause, effect) => {
            (value.span, "the caller's own situation fills this in, not the customer it acts for".to_owned())
        }
        (true, Effect::Allow) if operator.takes_wildcards() && !operator.negated && all.is_some() => {
            (all.map_or(clause.span, |value| value.span), "this matches any external ID".to_owned())
        }
        (true, _) => (clause.operator_span, format!("`{operator}` is met by every external ID but the one it names")),
        (false, Effect::Allow) => {
            (clause.operator_span, format!("`{operator}` is met by a request that carries no external ID"))
        }
        (false, Effect::Deny) => (
            clause.operator_span,
            format!("`{operator}` is not met by a request that carries no external ID: nothing denies it"),
        ),
    }
}

fn finding(context: &Context<'_>, role: &RoleView<'_>, mut hole: Hole<'_>) -> Draft {
    hole.accounts.sort_unstable();
    hole.accounts.dedup();
    let who = trust::accounts(context, hole.accounts.iter().copied());
    let message = format!("{who} can assume `{}` {}", role.subject.name, hole.with);
    let help = hole.accounts.first().map(|account| trust::help(context, *account, HELP));
    let mut draft = Finding::at(hole.span, hole.why)
        .message(message)
        .level(hole.level)
        .statement(hole.statement)
        .path(hole.found.explanation.steps.iter().cloned())
        .witness(hole.found.witness.clone())
        .depends_on(trust::unless(context, role, hole.found))
        .help(help.unwrap_or_default());
    for account in &hole.accounts {
        draft = draft.about(account.to_string());
    }
    match hole.asked {
        Some(span) => draft.related(span, "the external ID is asked for here only"),
        None => draft,
    }
}
