//! Identity policies that let their holder assume every role of an account.

use crate::access::evaluate::{Policies, Side};
use crate::access::pattern_set::{arn_covers, covers};
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Question, STRANGER};
use crate::access::sts::better;
use crate::aws::{AccountId, Arn, ConditionKey};
use crate::policy::pattern::{Case, matches};
use crate::policy::{Effect, Entries, Policy, Statement};
use crate::rules::shared::permissions::{self, Limits};
use crate::text::Span;

const ACTION: &str = "sts:AssumeRole";

/// What a statement lets its holder assume, and the proof.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Breadth {
    /// Every role of this account; `None` stands for those of any account.
    pub(in crate::rules) account: Option<AccountId>,
    /// The request for a role that nobody names.
    pub(in crate::rules) answer: Answer,
    /// The value that opens it.
    pub(in crate::rules) span: Span,
}

/// Whether a statement lets a holder in this account (or in a stand-in for it) assume a role of any name, in any account or
/// in one, within its limits.
///
/// The full administrator's `*` on `*` is no such statement.
pub(in crate::rules) fn breadth(statement: &Statement, limits: &Limits, holder: Option<AccountId>) -> Option<Breadth> {
    if !may_assume(statement) {
        return None;
    }
    let named = named_accounts(statement);
    let holder = holder.unwrap_or_else(|| AccountId::other_than(named.iter().copied()));
    let stranger = AccountId::other_than(named.iter().copied().chain([holder]));
    let mut undecided = None;
    for account in std::iter::once(stranger).chain(named) {
        let answer = ask(statement, limits, holder, account);
        let of_any = account == stranger;
        match answer {
            Answer::No => {}
            Answer::Undecided => undecided = Some(answer),
            found => {
                let account = (!of_any).then_some(account);
                return Some(Breadth { account, answer: found, span: opening(statement, account) });
            }
        }
    }
    undecided.map(|answer| Breadth { account: None, answer, span: statement.span })
}

/// Whether a statement allows `sts:AssumeRole` on something, and is not the full administrator's.
pub(in crate::rules) fn may_assume(statement: &Statement) -> bool {
    let covers = |actions: &Entries| {
        actions.items.iter().any(|item| matches(item.raw(), ACTION, Case::Insensitive)) != actions.negated
    };
    statement.effect == Effect::Allow
        && statement.actions.as_ref().is_some_and(covers)
        && !is_full_administrator(statement)
}

fn ask(statement: &Statement, limits: &Limits, holder: AccountId, account: AccountId) -> Answer {
    let alone = permissions::alone(statement);
    let identity: Vec<&Policy> = std::iter::once(&alone).chain(&limits.denies).collect();
    // A role of another account than the holder's, so that no trust policy lets the holder in by itself.
    let holder = if account == holder { AccountId::other_than([account]) } else { holder };
    let keys = statement.conditions.iter().map(|clause| &clause.key);
    let fixed = keys.filter_map(|key| Some((key.as_str().into(), of_resource(key, statement)?))).collect();
    limits.with_boundary(|boundary| {
        let question = Question {
            callers: vec![Caller::Session(holder, STRANGER.into(), Some(STRANGER.into()))],
            action: ACTION,
            resource: format!("arn:aws:iam::{account}:role/{STRANGER}").into(),
            resource_account: Some(account),
            policies: Policies {
                identity: Side::Policies(&identity),
                resource: Side::Granted("the role's trust policy can let them in"),
                boundary,
                ..Policies::default()
            },
            fixed,
        };
        better(Answer::No, question.ask())
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

/// The resource that takes in every role.
fn opening(statement: &Statement, account: Option<AccountId>) -> Span {
    let Some(resources) = &statement.resources else { return statement.span };
    if resources.negated {
        return resources.span;
    }
    let owner = account.map_or_else(|| "987654321098".to_owned(), |account| account.to_string());
    let role = format!("arn:aws:iam::{owner}:role/{STRANGER}");
    let takes = |raw: &str| arn_covers(raw, &role) == Some(true);
    resources.items.iter().find(|item| takes(item.raw())).map_or(resources.span, |item| item.span)
}
