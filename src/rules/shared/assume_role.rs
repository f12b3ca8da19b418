//! Identity policies that let their holder assume every role of an account.

use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::pattern_set::{arn_covers, covers};
use crate::access::request::{Caller, Given};
use crate::access::search::{ANY_ROLE, ANY_SESSION, Answer, Question};
use crate::access::sts::{accounts_like, better};
use crate::aws::{AccountId, Arn, ConditionKey};
use crate::policy::pattern::has_wildcard;
use crate::policy::template::Template;
use crate::policy::{Effect, Policy, Statement};
use crate::rules::shared::permissions::{self, Limits};
use crate::text::Span;

const ACTION: &str = "sts:AssumeRole";

/// Whose roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Whose {
    /// Those of any account.
    Anyone,
    /// Those of every account whose ID this pattern matches.
    Like(CompactString),
    /// Those of this account.
    Account(AccountId),
}

/// What a statement lets its holder assume, and the proof.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Breadth {
    /// Whose roles, all of them.
    pub(in crate::rules) whose: Whose,
    /// The request for a role that nobody names.
    pub(in crate::rules) answer: Answer,
    /// The value that opens it.
    pub(in crate::rules) span: Span,
}

/// Whether a statement lets a holder in this account (or in a stand-in for it) assume a role of any name, in any account or
/// in one, within its limits.
///
/// The full administrator's `*` on `*` is no such statement.
pub(in crate::rules) fn breadth(
    allowance: &Allowance,
    statement: &Statement,
    limits: &Limits,
    holder: Option<AccountId>,
) -> Option<Breadth> {
    if !may_assume(statement) {
        return None;
    }
    let mut taken = named_accounts(statement);
    let named: Vec<(Whose, AccountId)> = taken.iter().map(|account| (Whose::Account(*account), *account)).collect();
    let holder = holder.unwrap_or_else(|| AccountId::other_than(taken.iter().copied()));
    taken.push(holder);
    let any = (Whose::Anyone, AccountId::other_than(taken.iter().copied()));
    let like = accounts_like(owner_patterns(statement), &taken).into_iter();
    let like = like.map(|(pattern, account)| (Whose::Like(pattern), account));
    let mut undecided = None;
    for (whose, account) in std::iter::once(any).chain(like).chain(named) {
        for partition in partitions(statement) {
            let role = format!("arn:{partition}:iam::{account}:role/{ANY_ROLE}");
            match ask(allowance, statement, limits, holder, (account, &role)) {
                Answer::No => {}
                Answer::Undecided => undecided = Some(Answer::Undecided),
                answer => return Some(Breadth { whose, answer, span: opening(statement, &role) }),
            }
        }
    }
    undecided.map(|answer| Breadth { whose: Whose::Anyone, answer, span: statement.span })
}

/// Whether a statement allows `sts:AssumeRole` on something, and is not the full administrator's.
pub(in crate::rules) fn may_assume(statement: &Statement) -> bool {
    statement.effect == Effect::Allow && statement.covers_action(ACTION) && !is_full_administrator(statement)
}

fn ask(
    allowance: &Allowance,
    statement: &Statement,
    limits: &Limits,
    holder: AccountId,
    (account, role): (AccountId, &str),
) -> Answer {
    let alone = permissions::alone(statement);
    let identity: Vec<&Policy> = std::iter::once(&alone).chain(&limits.denies).collect();
    // A role of another account than the holder's, so that no trust policy lets the holder in by itself.
    let holder = if account == holder { AccountId::other_than([account]) } else { holder };
    let keys = statement.conditions.iter().map(|clause| &clause.key);
    let fixed = keys.filter_map(|key| Some((key.as_str().into(), of_resource(key, statement)?))).collect();
    limits.with_boundary(|boundary| {
        let question = Question {
            callers: vec![Caller::Session(holder, ANY_ROLE.into(), Some(ANY_SESSION.into()))],
            action: ACTION,
            resource: role.into(),
            resource_account: Some(account),
            policies: Policies {
                identity: Side::Policies(&identity),
                resource: Side::Granted("the role's trust policy can let them in"),
                boundary,
                ..Policies::default()
            },
            fixed,
        };
        better(Answer::No, question.ask(allowance))
    })
}

/// What the request has for a key that tells of the role: it has no tags, and is in whatever organization is asked for.
fn of_resource(key: &ConditionKey, statement: &Statement) -> Option<Given> {
    if key.is_tag_of("aws:ResourceTag") || key.is_tag_of("iam:ResourceTag") {
        return Some(Given::Absent);
    }
    if !key.is("aws:ResourceOrgID") && !key.is("aws:ResourceOrgPaths") {
        return None;
    }
    let clause = statement.conditions.iter().find(|clause| clause.key == *key)?;
    let value = clause.values.first()?.template.raw().replace(['*', '?'], "x");
    Some(Given::Values(vec![value.into()]))
}

/// Whether a statement allows every action on every resource, whatever else it asks for.
fn is_full_administrator(statement: &Statement) -> bool {
    let actions = statement.actions.as_ref().filter(|actions| !actions.negated);
    let resources = statement.resources.as_ref().filter(|resources| !resources.negated);
    actions.is_some_and(|a| a.items.iter().any(|item| covers(item.raw(), "*:*") == Some(true)))
        && resources.is_some_and(|r| r.items.iter().any(|item| item.raw() == "*"))
}

/// The accounts that a statement's resources and conditions name.
fn named_accounts(statement: &Statement) -> Vec<AccountId> {
    let resources = statement.resources.iter().flat_map(|r| &r.items).map(|item| item.raw());
    let of_arns = resources.filter_map(|raw| Arn::parse(raw)?.account_id());
    let clauses = statement.conditions.iter().filter(|clause| clause.key.is("aws:ResourceAccount"));
    let of_conditions = clauses.flat_map(|c| &c.values).filter_map(|v| AccountId::parse(v.template.raw()));
    let mut accounts: Vec<AccountId> = of_arns.chain(of_conditions).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// The values in which a statement's resources and conditions tell the accounts of the roles.
fn owner_patterns(statement: &Statement) -> impl Iterator<Item = &Template> {
    let resources = statement.resources.iter().flat_map(|resources| &resources.items).map(|item| &item.value);
    let clauses = statement.conditions.iter().filter(|clause| clause.key.is("aws:ResourceAccount"));
    resources.chain(clauses.flat_map(|clause| &clause.values).map(|value| &value.template))
}

/// The partitions of the roles: those that the resources name, else the one of commercial Regions.
fn partitions(statement: &Statement) -> Vec<&str> {
    let resources = statement.resources.iter().flat_map(|resources| &resources.items);
    let named = resources.filter_map(|item| Some(Arn::parse(item.raw())?.partition));
    let mut partitions: Vec<&str> = named.filter(|partition| !has_wildcard(partition)).collect();
    partitions.push("aws");
    partitions.sort_unstable();
    partitions.dedup();
    partitions
}

/// The resource that takes in a role of whatever name.
fn opening(statement: &Statement, role: &str) -> Span {
    let Some(resources) = &statement.resources else { return statement.span };
    if resources.negated {
        return resources.span;
    }
    let takes = |raw: &str| arn_covers(raw, role) == Some(true);
    resources.items.iter().find(|item| takes(item.raw())).map_or(resources.span, |item| item.span)
}
