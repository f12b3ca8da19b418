//! The organizations that statements ask for.

use compact_str::CompactString;

use crate::access::sts::named_accounts;
use crate::model::Class;
use crate::policy::ast::ConditionValue;
use crate::policy::operator::Family;
use crate::policy::{Clause, Effect, Statement};
use crate::rule::context::Context;
use crate::rules::shared::outsiders::own_organization;

const KEYS: [&str; 6] = [
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
];

/// Every organization that a statement asks for: an Allow that demands it, or a Deny that spares it.
pub(in crate::rules) fn demanded(
    statement: &Statement,
) -> impl Iterator<Item = (&Statement, &Clause, &ConditionValue, CompactString)> {
    let clauses = statement.conditions.iter().filter(|clause| KEYS.iter().any(|key| clause.key.is(key)));
    let demands = clauses.filter(|clause| clause.operator.negated == (statement.effect == Effect::Deny));
    demands.flat_map(move |clause| {
        let values = clause.values.iter();
        values.filter_map(move |value| Some((statement, clause, value, organization(clause, value)?)))
    })
}

/// The organization that a comparison names, well written or not; wildcards and variables name none.
pub(in crate::rules) fn organization(clause: &Clause, value: &ConditionValue) -> Option<CompactString> {
    let id = value.template.raw().split('/').next().filter(|id| !id.is_empty() && !id.contains(['*', '?', '$']))?;
    match clause.operator.family {
        Family::StringIgnoreCase => Some(id.to_ascii_lowercase().into()),
        Family::String | Family::StringLike => Some(id.into()),
        _ => None,
    }
}

/// Whether a statement means only accounts outside of the organization: a third party may be held to its own.
pub(in crate::rules) fn is_for_outsiders(context: &Context<'_>, statement: &Statement) -> bool {
    let accounts = named_accounts(statement);
    let is_ours = |class| matches!(class, Class::Owner | Class::Management | Class::Member);
    !accounts.is_empty() && !accounts.iter().any(|account| is_ours(context.model.class(*account)))
}

/// Whether a clause keeps our own accounts out because it asks for another organization.
pub(in crate::rules) fn is_foreign(context: &Context<'_>, statement: &Statement, clause: &Clause) -> bool {
    let Some(own) = own_organization(context) else { return false };
    let mut named = demanded(statement).filter(|(_, one, ..)| std::ptr::eq(*one, clause));
    named.any(|(.., id)| id != own) && !is_for_outsiders(context, statement)
}
