//! Who can assume a role.
//!
//! Sources: IAM User Guide, "How to use an external ID when granting access to your AWS resources to a third party" and
//! "Cross-account policy evaluation logic".

use compact_str::CompactString;

use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Question, STRANGER, principals_of};
use crate::aws::{AccountId, Arn};
use crate::policy::{Policy, Principal, Statement};

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

/// The external ID of an AssumeRole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalId {
    /// Whatever lets the caller in.
    Any,
    /// None.
    Absent,
    /// One that the trust policy can not have meant.
    Guessed,
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
}

impl Trust<'_> {
    /// Whether some principal of `account` can do `action` (`sts:AssumeRole`, `sts:TagSession` …) on the role, its own
    /// administrators willing; further keys of the request may be fixed.
    pub fn admits(
        &self,
        account: AccountId,
        membership: &Membership,
        action: &str,
        external_id: ExternalId,
        fixed: &[(&str, Given)],
    ) -> Answer {
        let policies = [self.policy];
        self.admits_any_of(principals_of(account, &policies), membership, action, external_id, fixed)
    }

    /// Whether one of these principals of an account can do `action` on the role, its administrators willing.
    pub fn admits_any_of(
        &self,
        callers: Vec<Caller>,
        membership: &Membership,
        action: &str,
        external_id: ExternalId,
        fixed: &[(&str, Given)],
    ) -> Answer {
        let account = callers.first().and_then(Caller::account).map_or_else(String::new, |a| a.to_string());
        let granted = format!("administrators of {account} can allow their principals `{action}` on this role");
        self.ask(callers, Side::Granted(&granted), membership.keys(), action, external_id, fixed)
    }

    /// Whether an AWS service, or someone whom an identity provider vouches for, can do `action` on the role.
    pub fn admits_caller(&self, caller: Caller, action: &str, fixed: &[(&str, Given)]) -> Answer {
        self.ask(vec![caller], Side::None, vec![Vec::new()], action, ExternalId::Any, fixed)
    }

    fn ask(
        &self,
        callers: Vec<Caller>,
        identity: Side<'_>,
        ways: Vec<Vec<(CompactString, Given)>>,
        action: &str,
        external_id: ExternalId,
        fixed: &[(&str, Given)],
    ) -> Answer {
        let policies = [self.policy];
        let mut best = Answer::No;
        for mut keys in ways {
            match external_id {
                ExternalId::Any => {}
                ExternalId::Absent => keys.push(("sts:ExternalId".into(), Given::Absent)),
                ExternalId::Guessed => keys.push(("sts:ExternalId".into(), Given::Values(vec![STRANGER.into()]))),
            }
            keys.extend(fixed.iter().map(|(key, given)| (CompactString::new(key), given.clone())));
            let question = Question {
                callers: callers.clone(),
                action,
                resource: self.role.into(),
                resource_account: self.account,
                policies: Policies {
                    identity,
                    resource: Side::Policies(&policies),
                    rcp: self.rcp,
                    ..Policies::default()
                },
                fixed: keys,
            };
            best = better(best, question.ask());
        }
        best
    }
}

/// The answer that lets more through; [`Answer::Undecided`] beats [`Answer::No`].
pub fn better(one: Answer, other: Answer) -> Answer {
    let rank = |answer: &Answer| match answer {
        Answer::Yes(_) => 3,
        Answer::If(_) => 2,
        Answer::Undecided => 1,
        Answer::No => 0,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// The accounts that an Allow statement names, in its principals and in conditions on the caller's account or ARN.
pub fn named_accounts(statement: &Statement) -> Vec<AccountId> {
    let principals = statement.principals.iter().flat_map(|p| &p.entries).filter_map(|e| e.principal.account());
    let clauses = statement
        .conditions
        .iter()
        .filter(|c| ["aws:PrincipalAccount", "aws:PrincipalArn", "kms:CallerAccount"].iter().any(|key| c.key.is(key)));
    let conditions = clauses.flat_map(|clause| &clause.values).filter_map(|value| {
        let text = value.template.raw();
        AccountId::parse(text).or_else(|| Arn::parse(text)?.account_id())
    });
    let mut accounts: Vec<AccountId> = principals.chain(conditions).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// Whether a statement's principals take in everyone, before any condition.
pub fn names_everyone(statement: &Statement) -> bool {
    statement
        .principals
        .as_ref()
        .is_some_and(|p| p.negated || p.entries.iter().any(|e| e.principal == Principal::Everyone))
}
