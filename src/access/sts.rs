//! Who can assume a role.
//!
//! Sources: IAM User Guide, "How to use an external ID when granting access to your AWS resources to a third party" and
//! "Cross-account policy evaluation logic".

mod external_id;
mod refusal;

use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Question, principals_of};
use crate::aws::{AccountId, Arn, ConditionKey, is_organization_id};
use crate::finding::Dependency;
use crate::policy::condition::{Context, KeyValue, Tri, holds};
use crate::policy::template::Template;
use crate::policy::{Clause, Effect, Policy, Principal, Statement};

/// What is known of the organization of a caller's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It is in the organization of this ID.
    In(CompactString),
    /// It is in the estate's organization, whose ID is not known.
    InUnknown,
    /// It is in another organization, or in none: either way is tried.
    Outside,
}

impl Membership {
    /// The organization keys of a request from such an account, one list for each way to try.
    pub fn keys(&self) -> Vec<Vec<(CompactString, Given)>> {
        let keys =
            |id: Given, paths: Given| vec![("aws:PrincipalOrgID".into(), id), ("aws:PrincipalOrgPaths".into(), paths)];
        let value = |text: &str| Given::Values(vec![text.into()]);
        match self {
            Membership::In(id) => vec![keys(value(id), Given::Present)],
            Membership::InUnknown => vec![keys(Given::Present, Given::Present)],
            Membership::Outside => vec![
                keys(Given::Absent, Given::Absent),
                keys(value("o-stranger00"), value("o-stranger00/r-strg/ou-strg-stranger/")),
            ],
        }
    }
}

/// The organization keys that a request from an account may carry, and what has to be supposed for them.
#[derive(Debug, Clone)]
pub struct Way {
    /// The keys.
    pub keys: Vec<(CompactString, Given)>,
    supposed: Option<String>,
}

impl Way {
    /// A way on which nothing has to be supposed.
    pub fn with(keys: Vec<(CompactString, Given)>) -> Self {
        Way { keys, supposed: None }
    }

    /// An answer that was found on this way: one that hangs on the supposition, where there is one.
    pub fn weigh(&self, answer: Answer) -> Answer {
        match (answer, &self.supposed) {
            (Answer::Yes(mut found) | Answer::If(mut found), Some(fact)) => {
                found.explanation.depends_on.push(Dependency::of_request(fact));
                found.witness.depends_on.push(fact.clone());
                Answer::If(found)
            }
            (answer, _) => answer,
        }
    }
}

/// All ways to try for requests that an account makes under some policies of a resource and its organization; `own` is the
/// ID of the estate's organization.
///
/// An outside account that the policies name may be in any organization that they name, if only as one that a Deny spares.
pub fn ways<'p>(
    account: AccountId,
    membership: &Membership,
    policies: impl IntoIterator<Item = &'p Policy>,
    own: Option<&str>,
) -> Vec<Way> {
    let known = membership.keys().into_iter().map(|keys| Way { keys, supposed: None });
    let mut ways: Vec<Way> = known.collect();
    if *membership != Membership::Outside {
        return ways;
    }
    let policies: Vec<&Policy> = policies.into_iter().collect();
    let names = |policy: &&Policy| policy.allows().any(|one| meant_accounts(policy, one).contains(&account));
    if policies.iter().any(names) {
        for id in other_organizations(&policies, own) {
            let supposed = Some(format!("{account} being in organization {id}"));
            let keys = Membership::In(id).keys().into_iter();
            ways.extend(keys.map(|keys| Way { keys, supposed: supposed.clone() }));
        }
    }
    ways
}

/// The organizations that the statements of policies compare those of callers with by a full ID, other than `own`.
fn other_organizations(policies: &[&Policy], own: Option<&str>) -> Vec<CompactString> {
    let statements = policies.iter().flat_map(|policy| policy.effective());
    let mut found: Vec<CompactString> = statements.flat_map(|statement| organizations(statement, own)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The organizations that a statement compares those of callers with by a full ID, other than `own`.
pub fn organizations(statement: &Statement, own: Option<&str>) -> Vec<CompactString> {
    let asks = |clause: &&Clause| clause.key.is("aws:PrincipalOrgID") || clause.key.is("aws:PrincipalOrgPaths");
    let values = statement.conditions.iter().filter(asks).flat_map(|clause| &clause.values);
    let ids = values.filter_map(|value| value.template.raw().split('/').next());
    ids.filter(|id| is_organization_id(id) && Some(*id) != own).map(CompactString::new).collect()
}

/// The external ID of an AssumeRole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalId<'v> {
    /// Whatever lets the caller in.
    Any,
    /// None.
    Absent,
    /// One that the trust policy can not have meant, or one that the caller's own situation makes right.
    Guessed,
    /// This one.
    Exactly(&'v str),
}

/// A role and the policies that decide who may assume it.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'p> {
    /// The role's ARN, or a stand-in where it is not known.
    pub role: &'p str,
    /// The account of the role, where known.
    pub account: Option<AccountId>,
    /// Its trust policy.
    pub policy: &'p Policy,
    /// The RCPs of its account, level by level; empty where there are none or they are not known.
    pub rcp: &'p [Vec<&'p Policy>],
    /// The SCPs of the caller's account, level by level; empty where there are none, they are not known, or more than one
    /// account is asked about.
    pub scp: &'p [Vec<&'p Policy>],
    /// The ID of the estate's organization, where known.
    pub organization: Option<&'p str>,
    /// How much may be looked at.
    pub allowance: &'p Allowance,
}

impl Trust<'_> {
    /// Whether some principal of `account` can do `action` (`sts:AssumeRole`, `sts:TagSession` …) on the role, its own
    /// administrators willing; further keys of the request may be fixed.
    ///
    /// An outside account that the policy names may be in any organization that the policy names beside it: then the
    /// answer is [`Answer::If`] and says so.
    pub fn admits(
        &self,
        account: AccountId,
        membership: &Membership,
        action: &str,
        external_id: ExternalId<'_>,
        fixed: &[(&str, Given)],
    ) -> Answer {
        let bounds = self.rcp.iter().chain(self.scp).flatten().copied();
        let callers = principals_of(account, bounds.chain([self.policy]));
        self.admits_any_of(callers, membership, action, external_id, fixed)
    }

    /// Whether one of these principals of an account can do `action` on the role, its administrators willing.
    pub fn admits_any_of(
        &self,
        callers: Vec<Caller>,
        membership: &Membership,
        action: &str,
        external_id: ExternalId<'_>,
        fixed: &[(&str, Given)],
    ) -> Answer {
        let Some(account) = callers.first().and_then(Caller::account) else { return Answer::No };
        let what =
            if action == "sts:AssumeRole" { "assume this role".to_owned() } else { format!("`{action}` on this role") };
        let granted = format!("administrators of {account} decide which of their users and roles may {what}");
        let policies = self.rcp.iter().flatten().copied().chain([self.policy]);
        let ways = ways(account, membership, policies, self.organization);
        self.ask(callers, Side::Granted(&granted), ways, action, external_id, fixed)
    }

    /// Whether an AWS service, or someone whom an identity provider vouches for, can do `action` on the role.
    pub fn admits_caller(&self, caller: Caller, action: &str, fixed: &[(&str, Given)]) -> Answer {
        let way = Way { keys: Vec::new(), supposed: None };
        self.ask(vec![caller], Side::None, vec![way], action, ExternalId::Any, fixed)
    }

    fn ask(
        &self,
        callers: Vec<Caller>,
        identity: Side<'_>,
        ways: Vec<Way>,
        action: &str,
        external_id: ExternalId<'_>,
        fixed: &[(&str, Given)],
    ) -> Answer {
        let policies = [self.policy];
        let mut best = Answer::No;
        for way in ways {
            let mut keys = way.keys.clone();
            keys.extend(fixed.iter().map(|(key, given)| (CompactString::new(key), given.clone())));
            for (callers, keys) in self.scenarios(external_id, &callers, keys) {
                if !self.may_allow(action, &keys) {
                    continue;
                }
                let question = Question {
                    callers,
                    action,
                    resource: self.role.into(),
                    resource_account: self.account,
                    policies: Policies {
                        identity,
                        resource: Side::Policies(&policies),
                        rcp: self.rcp,
                        scp: self.scp,
                        ..Policies::default()
                    },
                    fixed: keys,
                };
                best = better(best, way.weigh(question.ask(self.allowance)));
                if best.is_yes() {
                    return best;
                }
            }
        }
        best
    }

    /// Whether some Allow of the trust policy, without which nobody gets in, covers the action and may hold with these keys:
    /// a quick look that spares most questions.
    fn may_allow(&self, action: &str, keys: &[(CompactString, Given)]) -> bool {
        let may_hold = |clause: &Clause| holds(clause, Effect::Allow, &Fixed(keys)) != Tri::False;
        let may_meet = |s: &Statement| s.covers_action(action) && s.conditions.iter().all(may_hold);
        self.policy.allows().any(may_meet)
    }
}

/// A request of which nothing is known but some keys.
struct Fixed<'k>(&'k [(CompactString, Given)]);

impl Context for Fixed<'_> {
    fn value(&self, key: &ConditionKey) -> KeyValue<'_> {
        self.0.iter().rev().find(|(name, _)| key.is(name)).map_or(KeyValue::Unknown, |(_, given)| given.value())
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// The answer that lets more through; [`Answer::Undecided`] beats [`Answer::No`].
pub fn better(one: Answer, other: Answer) -> Answer {
    if other.rank() > one.rank() { other } else { one }
}

/// The accounts that a statement names, in its principals and in conditions on the caller's account or ARN.
pub fn named_accounts(statement: &Statement) -> Vec<AccountId> {
    let principals = statement.principals.iter().flat_map(|p| &p.entries).filter_map(|e| e.principal.account());
    let conditions = caller_conditions(statement).flat_map(|clause| &clause.values).filter_map(|value| {
        let text = value.template.raw();
        AccountId::parse(text).or_else(|| Arn::parse(text)?.account_id())
    });
    let mut accounts: Vec<AccountId> = principals.chain(conditions).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// The accounts that may be meant by an Allow statement: those that it names, and where it takes in everyone those that
/// the Deny statements of its policy name, because a Deny may spare them.
pub fn meant_accounts(policy: &Policy, statement: &Statement) -> Vec<AccountId> {
    let mut accounts = named_accounts(statement);
    if names_everyone(statement) {
        accounts.extend(policy.denies().flat_map(named_accounts));
        accounts.sort_unstable();
        accounts.dedup();
    }
    accounts
}

/// The comparisons of a statement that tell the account of its caller.
pub fn caller_conditions(statement: &Statement) -> impl Iterator<Item = &Clause> {
    const KEYS: [&str; 3] = ["aws:PrincipalAccount", "aws:PrincipalArn", "kms:CallerAccount"];
    statement.conditions.iter().filter(|clause| KEYS.iter().any(|key| clause.key.is(key)))
}

/// Whether a statement's principals take in everyone, before any condition.
pub fn names_everyone(statement: &Statement) -> bool {
    statement
        .principals
        .as_ref()
        .is_some_and(|p| p.negated || p.entries.iter().any(|e| e.principal == Principal::Everyone))
}

/// Accounts that nobody names and that stand for all those a statement's wildcards take in: one for "any account", with
/// no pattern, and one for each pattern of an account ID in its conditions on the caller.
pub fn strangers(statement: &Statement, taken: &[AccountId]) -> Vec<(Option<CompactString>, AccountId)> {
    let mut strangers = vec![(None, AccountId::other_than(taken.iter().copied()))];
    let values = caller_conditions(statement).flat_map(|clause| &clause.values);
    let like = accounts_like(values.map(|value| &value.template), taken);
    strangers.extend(like.into_iter().map(|(pattern, account)| (Some(pattern), account)));
    strangers
}

/// The patterns of account IDs among these values, by themselves or in ARNs, each with an account that matches it and is
/// none of `taken`. One that takes in every account is left out.
pub fn accounts_like<'t>(
    values: impl IntoIterator<Item = &'t Template>,
    taken: &[AccountId],
) -> Vec<(CompactString, AccountId)> {
    let mut found: Vec<(CompactString, AccountId)> = Vec::new();
    for template in values.into_iter().filter(|template| template.is_plain()) {
        let raw = template.raw();
        let pattern = Arn::parse(raw).map_or(raw, |arn| arn.account);
        if pattern.bytes().all(|b| b == b'*') || !pattern.contains(['*', '?']) {
            continue;
        }
        if let Some(account) = account_like(pattern, taken)
            && !found.iter().any(|(known, _)| known.as_str() == pattern)
        {
            found.push((pattern.into(), account));
        }
    }
    found
}

/// An account ID that a pattern matches and that is none of `taken`.
fn account_like(pattern: &str, taken: &[AccountId]) -> Option<AccountId> {
    let stars = pattern.matches('*').count();
    let missing = 12usize.checked_sub(pattern.len() - stars)?;
    (0..10u8).rev().map(|digit| char::from(b'0' + digit)).find_map(|digit| {
        let mut run = if stars == 0 { String::new() } else { digit.to_string().repeat(missing) };
        let mut text = String::with_capacity(12);
        for c in pattern.chars() {
            match c {
                '*' => text.push_str(&std::mem::take(&mut run)),
                '?' => text.push(digit),
                other => text.push(other),
            }
        }
        AccountId::parse(&text).filter(|account| !taken.contains(account))
    })
}

#[cfg(test)]
mod tests;
