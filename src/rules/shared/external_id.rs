//! External IDs in trust policies.

use crate::aws::AccountId;
use crate::policy::{Clause, Policy, Statement};
use crate::rules::shared::trust::may_name;

/// The comparisons on `sts:ExternalId` in statements that may speak of an account, each with its statement.
pub(in crate::rules) fn clauses(policy: &Policy, account: AccountId) -> impl Iterator<Item = (&Statement, &Clause)> {
    let statements = policy.effective().filter(move |statement| may_name(statement, account));
    statements.flat_map(|statement| {
        let clauses = statement.conditions.iter().filter(|clause| clause.key.is("sts:ExternalId"));
        clauses.map(move |clause| (statement, clause))
    })
}
