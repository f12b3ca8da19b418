//! External IDs in trust policies.
//!
//! The two rules on roles that can be entered without one share [`hold`], so that they never speak of one entry both.

use std::borrow::Cow;

use crate::access::allowance::Allowance;
use crate::access::search::Answer;
use crate::access::sts::ExternalId;
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::policy::ast::ConditionValue;
use crate::policy::{Clause, Policy, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rules::shared::trust::{Outsider, may_name, outsiders, undecided};

/// What a role makes an outside account prove at one of its statements.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) enum Hold<'v> {
    /// Nothing is said of an external ID, and it gets in without.
    Missing(&'v Answer),
    /// One is mentioned, but it gets in without.
    Without(&'v Answer),
    /// One is mentioned, but it gets in with any.
    AnyId(&'v Answer),
    /// It gets in with the right external ID only.
    Bound,
    /// The search gave up.
    Undecided,
}

/// What a role makes an outside account prove.
pub(in crate::rules) fn hold<'v>(context: &Context<'_>, role: &'v RoleView<'_>, outsider: Outsider<'v>) -> Hold<'v> {
    let without = role.without_external_id(context, outsider.admission);
    let is_mentioned = || role.trust.as_deref().is_ok_and(|policy| clauses(policy, outsider.account).next().is_some());
    if without.found().is_some() {
        return if is_mentioned() { Hold::Without(without) } else { Hold::Missing(without) };
    }
    let guessed = role.with_guessed_external_id(context, outsider.admission);
    if guessed.found().is_some() {
        return Hold::AnyId(guessed);
    }
    match (without, guessed) {
        (Answer::No, Answer::No) => Hold::Bound,
        _ => Hold::Undecided,
    }
}

/// The comparisons on `sts:ExternalId` in statements that may speak of an account, each with its statement.
pub(in crate::rules) fn clauses(policy: &Policy, account: AccountId) -> impl Iterator<Item = (&Statement, &Clause)> {
    let statements = policy.effective().filter(move |statement| may_name(statement, account));
    statements.flat_map(|statement| {
        let clauses = statement.conditions.iter().filter(|clause| clause.key.is("sts:ExternalId"));
        clauses.map(move |clause| (statement, clause))
    })
}

/// An external ID that lets an account in, or a pattern of such IDs.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Accepted<'v> {
    /// The statement that compares it.
    pub(in crate::rules) statement: &'v Statement,
    /// The comparison.
    pub(in crate::rules) clause: &'v Clause,
    /// The value.
    pub(in crate::rules) value: &'v ConditionValue,
}

impl Accepted<'_> {
    /// The ID, escaped characters as they stand for themselves; a pattern as written.
    pub(in crate::rules) fn id(&self) -> Cow<'_, str> {
        let template = &self.value.template;
        match template.is_plain() {
            true => Cow::Borrowed(template.raw()),
            false => Cow::Owned(template.raw().replace("${*}", "*").replace("${?}", "?").replace("${$}", "$")),
        }
    }

    /// Whether more than one ID matches it.
    pub(in crate::rules) fn is_pattern(&self) -> bool {
        self.clause.operator.takes_wildcards() && self.value.template.has_wildcard()
    }
}

/// An outsider that gets in with the right external ID only, and what its statement takes for right.
#[derive(Debug)]
pub(in crate::rules) struct Bound<'v> {
    /// The outsider.
    pub(in crate::rules) outsider: Outsider<'v>,
    /// The external IDs, in the order of the policy.
    pub(in crate::rules) accepted: Vec<Accepted<'v>>,
}

/// The outsiders of a role that are held to an external ID; `gaps` takes what could not be decided.
pub(in crate::rules) fn bound<'v>(
    context: &Context<'_>,
    role: &'v RoleView<'_>,
    gaps: &mut Vec<Gap>,
) -> Vec<Bound<'v>> {
    let allowance = Allowance::of_rule();
    let mut bound = Vec::new();
    for outsider in outsiders(context, role) {
        match hold(context, role, outsider) {
            Hold::Bound => bound.push(Bound { outsider, accepted: accepted(context, &allowance, role, outsider) }),
            Hold::Undecided => gaps.push(undecided()),
            Hold::Missing(_) | Hold::Without(_) | Hold::AnyId(_) => {}
        }
    }
    bound
}

/// The external IDs that let an outsider in at its statement, as the policy writes them.
fn accepted<'v>(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    outsider: Outsider<'v>,
) -> Vec<Accepted<'v>> {
    let admission = outsider.admission;
    let compared = clauses(&admission.policy, outsider.account);
    let values = compared
        .flat_map(|(statement, clause)| clause.values.iter().map(move |value| Accepted { statement, clause, value }));
    let lets_in = |one: &Accepted<'_>| {
        let id = one.id();
        // A text that the pattern matches.
        let id = if one.is_pattern() { id.replace('*', "").replace('?', "0").into() } else { id };
        role.with_external_id(context, allowance, admission, ExternalId::Exactly(&id)) != Answer::No
    };
    let values: Vec<Accepted<'v>> = values.collect();
    match values.as_slice() {
        // It gets in with some ID and not with any: with the only one there is.
        [_] => values,
        _ => values.into_iter().filter(lets_in).collect(),
    }
}

/// What stands for a third party: its name in the config, else its account. Two accounts of one name are one party.
pub(in crate::rules) fn party(context: &Context<'_>, account: AccountId) -> String {
    let mut declared = context.model.exceptions().iter().filter(|party| party.is_third_party);
    let named = declared.find(|party| party.account == account && party.name.is_some());
    named.and_then(|party| party.name.clone()).unwrap_or_else(|| account.to_string())
}
