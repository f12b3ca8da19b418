use crate::access::allowance::Allowance;
use crate::access::request::Caller;
use crate::access::search::{Answer, Found};
use crate::access::sts::{better, named_accounts};
use crate::aws::AccountId;
use crate::finding::{Draft, Finding, Level};
use crate::policy::operator::Family;
use crate::policy::{Effect, Policy, Statement};
use crate::rule::context::Context;
use crate::rule::role::{Party, RoleView, Who};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::{mfa, trust};

pub(in crate::rules) const CHECK: Check = Check::roles(check);

/// Those who get past one statement, and the proof for the first of them.
struct Bypass {
    parties: Vec<Party>,
    answer: Answer,
}

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let policy = role.trust()?;
    let mut asking: Vec<&Statement> = policy.effective().filter(|s| mfa::clauses(s).next().is_some()).collect();
    if asking.is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    // Where both kinds ask the same callers in vain, the Allow is the one to mend.
    asking.sort_by_key(|statement| statement.effect == Effect::Deny);
    let allowance = Allowance::of_rule();
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    let mut told: Vec<Caller> = Vec::new();
    for statement in asking {
        let mut bypass = Bypass { parties: Vec::new(), answer: Answer::No };
        for party in parties(context, role, policy) {
            let mut callers = mfa::asked(role, policy, statement, &party);
            callers.retain(|caller| !told.contains(caller));
            let answer = mfa::admits_without(context, &allowance, role, &party, &callers);
            if answer.found().is_some() {
                bypass.parties.push(party);
                told.extend(callers);
            }
            bypass.answer = better(bypass.answer, answer);
        }
        match &bypass.answer {
            Answer::Undecided => gaps.push(trust::undecided()),
            Answer::Yes(found) | Answer::If(found) => {
                findings.extend(finding(context, role, policy, statement, &bypass, found));
            }
            Answer::No => {}
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// Whom the policy names or lets in, the role's own account among them.
fn parties(context: &Context<'_>, role: &RoleView<'_>, policy: &Policy) -> Vec<Party> {
    let mut accounts: Vec<AccountId> = policy.allows().flat_map(named_accounts).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut parties: Vec<Party> = accounts.into_iter().map(|account| Party::account(context, account)).collect();
    for party in role.parties(context) {
        if !parties.iter().any(|known| known.who == party.who) {
            parties.push(party);
        }
    }
    parties
}

fn finding(
    context: &Context<'_>,
    role: &RoleView<'_>,
    policy: &Policy,
    statement: &Statement,
    bypass: &Bypass,
    found: &Found,
) -> Option<Draft> {
    let clause = mfa::clauses(statement).next()?;
    let first = bypass.parties.first()?.account;
    let name = &role.subject.name;
    let who: Vec<&Who> = bypass.parties.iter().map(|party| &party.who).collect();
    let message = format!("`{name}` asks for MFA and can be assumed without it from {}", trust::whom(context, &who));
    let other = trust::admitting(policy, &bypass.answer, first).filter(|(through, _)| through.span != statement.span);
    let draft = match other {
        // Another Allow lets them in: that one lacks the condition.
        Some((through, span)) if statement.effect == Effect::Allow => {
            Finding::at(span, "this statement lets them in without MFA")
                .message(message)
                .related(clause.span, "MFA is asked for here")
                .statement(through)
                .help("put the condition on every statement that lets these callers in")
        }
        _ => Finding::at(clause.operator_span, weakness(statement, clause.operator.family))
            .message(message)
            .statement(statement)
            .help(match statement.effect {
                Effect::Allow => "ask for \"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}, which access keys do not meet",
                Effect::Deny => "deny with \"BoolIfExists\": {\"aws:MultiFactorAuthPresent\": \"false\"}, which access keys meet too",
            }),
    };
    let draft = if bypass.answer.is_yes() { draft } else { draft.level(Level::Note) };
    let draft = who.iter().fold(draft, |draft, who| draft.about(who.to_string()));
    Some(
        draft
            .path(found.explanation.steps.iter().cloned())
            .witness(found.witness.clone())
            .depends_on(trust::unless(context, role, found)),
    )
}

/// Why the condition does not hold callers back.
fn weakness(statement: &Statement, family: Family) -> &'static str {
    match (statement.effect, family) {
        (Effect::Allow, Family::Null) => "a session that began without MFA has this key too",
        (Effect::Allow, _) => "met without MFA",
        (Effect::Deny, Family::Null) => "a session that began without MFA has this key too, and is not denied",
        (Effect::Deny, _) => "a request made with access keys does not have this key, and is not denied",
    }
}
