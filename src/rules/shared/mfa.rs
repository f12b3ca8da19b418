//! Multi-factor authentication in trust policies: whom a statement asks for it, and who gets in without.
//!
//! Source: IAM User Guide, "AWS global condition context keys" (`aws:MultiFactorAuthPresent` is absent from requests made
//! with access keys and `false` in sessions that began without MFA; `aws:MultiFactorAuthAge` is absent from both).

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side, statement_meets};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::search::{ANY_ROLE, ANY_USER, Answer, can_arrange, principals_of};
use crate::access::sts::{ExternalId, Membership, better};
use crate::aws::ConditionKey;
use crate::policy::condition::Tri;
use crate::policy::{Clause, Policy, Statement};
use crate::rule::context::Context;
use crate::rule::role::{Party, RoleView};

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "aws:MultiFactorAuthAge";

fn is_mfa(key: &ConditionKey) -> bool {
    key.is(PRESENT) || key.is(AGE)
}

/// The comparisons of a statement that ask for MFA, in whatever way.
pub(in crate::rules) fn clauses(statement: &Statement) -> impl Iterator<Item = &Clause> {
    statement.conditions.iter().filter(|clause| is_mfa(&clause.key))
}

/// The principals of a party whom a statement asks for MFA: those that its other conditions do not rule out.
///
/// One unnamed user and one unnamed role stand for all; only where the statement means neither are named ones given, so
/// that a role which a second statement lets in on its own terms is nobody's way around the first.
pub(in crate::rules) fn asked(
    role: &RoleView<'_>,
    policy: &Policy,
    statement: &Statement,
    party: &Party,
) -> Vec<Caller> {
    if clauses(statement).next().is_none() {
        return Vec::new();
    }
    let mut bare = statement.clone();
    bare.conditions.retain(|clause| !is_mfa(&clause.key) && !can_arrange(&clause.key));
    let mut callers = principals_of(party.account, [policy]);
    callers.retain(|caller| may_mean(role, policy, &bare, &party.membership, caller));
    let unnamed: Vec<Caller> = callers.iter().filter(|caller| is_unnamed(caller)).cloned().collect();
    if unnamed.is_empty() { callers } else { unnamed }
}

fn may_mean(
    role: &RoleView<'_>,
    policy: &Policy,
    statement: &Statement,
    membership: &Membership,
    caller: &Caller,
) -> bool {
    let policies = [policy];
    let policies = Policies { resource: Side::Policies(&policies), ..Policies::default() };
    membership.keys().into_iter().any(|keys| {
        let mut request = Request::new(caller.clone(), "sts:AssumeRole", &role.arn(), role.role.account);
        request.otherwise = Otherwise::Situation;
        keys.into_iter().for_each(|(key, given)| request.set(&key, given));
        statement_meets(statement, &request, &policies) != Tri::False
    })
}

fn is_unnamed(caller: &Caller) -> bool {
    match caller {
        Caller::User(_, name) => name == ANY_USER,
        Caller::Session(_, name, _) => name == ANY_ROLE,
        _ => false,
    }
}

/// Whether one of these principals of a party can assume the role without MFA, with access keys or in a session that began
/// without.
pub(in crate::rules) fn admits_without(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    party: &Party,
    callers: &[Caller],
) -> Answer {
    let mut best = Answer::No;
    for present in [Given::Absent, Given::Values(vec!["false".into()])] {
        let fixed = [(PRESENT, present), (AGE, Given::Absent)];
        let answer = role.admits_any_of(context, allowance, party, callers.to_vec(), ExternalId::Any, &fixed);
        best = better(best, answer);
    }
    best
}
