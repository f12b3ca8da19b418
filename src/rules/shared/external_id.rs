//! External IDs in trust policies.
//!
//! The two rules on roles that can be entered without one share [`hold`], so that they never speak of one entry both.

use crate::access::search::Answer;
use crate::access::sts::ExternalId;
use crate::aws::AccountId;
use crate::policy::ast::ConditionValue;
use crate::policy::{Clause, Policy, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rules::shared::trust::{Outsider, may_name};

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
    /// The value as written.
    pub(in crate::rules) fn text(&self) -> &str {
        self.value.template.raw()
    }

    /// Whether more than one ID matches it.
    pub(in crate::rules) fn is_pattern(&self) -> bool {
        self.clause.operator.takes_wildcards() && self.value.template.has_wildcard()
    }
}

/// The external IDs that let an outsider in at its statement, as the policy writes them.
pub(in crate::rules) fn accepted<'v>(
    context: &Context<'_>,
    role: &RoleView<'_>,
    outsider: Outsider<'v>,
) -> Vec<Accepted<'v>> {
    let admission = outsider.admission;
    let compared = clauses(&admission.policy, outsider.account);
    let values = compared
        .flat_map(|(statement, clause)| clause.values.iter().map(move |value| Accepted { statement, clause, value }));
    let lets_in = |one: &Accepted<'_>| {
        // A text that the pattern matches; escaped characters stand for themselves.
        let id = one.text().replace("${*}", "*").replace("${?}", "?").replace("${$}", "$");
        let id = if one.is_pattern() { id.replace('*', "").replace('?', "0") } else { id };
        role.with_external_id(context, admission, ExternalId::Exactly(&id)) != Answer::No
    };
    values.filter(lets_in).collect()
}
