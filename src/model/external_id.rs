//! Whether a trust policy lets an account in only with an external ID that it asks for.
//!
//! Source: IAM User Guide, "Access to AWS accounts owned by third parties". The request is evaluated without an external ID
//! and with one that nobody would choose; a form of condition is never looked for.

use crate::aws::{AccountId, ConditionKey};
use crate::policy::condition::{Context, KeyValue, Tri, holds};
use crate::policy::{Policy, Principal, Statement};

pub(super) const KEY: &str = "sts:ExternalId";
pub(super) const ASSUME_ROLE: &str = "sts:AssumeRole";

/// An external ID that no trust policy asks for.
const OTHER: &str = "0b6c1e5a-93d7-4f28-a1c4-5e7d9f3b2a60";

/// Whether no principal of the account can assume the role without an external ID, nor with any, but with the right one.
pub(super) fn is_bound(policy: &Policy, account: AccountId) -> bool {
    let answer = |external_id: Option<&str>| decision(policy, account, external_id);
    let asks = policy.effective().flat_map(|statement| &statement.conditions).filter(|clause| clause.key.is(KEY));
    let wanted = asks.flat_map(|clause| &clause.values).map(|value| value.template.raw());
    answer(None) == Tri::False
        && answer(Some(OTHER)) == Tri::False
        && wanted.map(|id| id.replace('*', "").replace('?', "x")).any(|id| answer(Some(&id)) != Tri::False)
}

fn decision(policy: &Policy, account: AccountId, external_id: Option<&str>) -> Tri {
    let caller = Caller { account, external_id };
    let applies = |statement: &Statement| {
        if !statement.covers_action(ASSUME_ROLE) {
            return Tri::False;
        }
        let certain = if statement.ambiguous { Tri::Unknown } else { Tri::True };
        let clauses = statement.conditions.iter();
        clauses.fold(certain, |so_far, clause| so_far.and(holds(clause, statement.effect, &caller)))
    };
    let admitted: Vec<&Principal> = policy.allows().flat_map(|statement| of_account(statement, account)).collect();
    let allowed = policy.allows().filter(|statement| of_account(statement, account).next().is_some());
    let allowed = allowed.fold(Tri::False, |so_far, statement| so_far.or(applies(statement)));
    let denied = policy.denies().fold(Tri::False, |so_far, statement| {
        so_far.or(reaches(statement, account, &admitted).and(applies(statement)))
    });
    allowed.and(!denied)
}

/// The entries of a statement that name principals of the account.
fn of_account(statement: &Statement, account: AccountId) -> impl Iterator<Item = &Principal> {
    let entries = statement.principals.iter().filter(|principals| !principals.negated).flat_map(|p| &p.entries);
    entries.map(|entry| &entry.principal).filter(move |principal| match principal {
        Principal::Everyone => true,
        other => other.account() == Some(account),
    })
}

/// Whether a Deny reaches every principal of the account that is let in.
fn reaches(deny: &Statement, account: AccountId, admitted: &[&Principal]) -> Tri {
    let denied: Vec<&Principal> = of_account(deny, account).collect();
    let whole = |principal: &&Principal| matches!(principal, Principal::Everyone | Principal::Account(_));
    if denied.iter().any(whole) || !admitted.is_empty() && admitted.iter().all(|principal| denied.contains(principal)) {
        return Tri::True;
    }
    if denied.is_empty() { Tri::False } else { Tri::Unknown }
}

/// Some principal of an account that calls `sts:AssumeRole`.
struct Caller<'c> {
    account: AccountId,
    external_id: Option<&'c str>,
}

impl Context for Caller<'_> {
    fn value(&self, key: &ConditionKey) -> KeyValue<'_> {
        match key.as_str() {
            "sts:externalid" => self.external_id.map_or(KeyValue::Absent, KeyValue::One),
            "aws:principalaccount" => KeyValue::One(self.account.as_str()),
            "aws:principalisawsservice" => KeyValue::One("false"),
            "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths" => KeyValue::Absent,
            "aws:principalarn" | "aws:principaltype" | "aws:userid" | "sts:rolesessionname" => KeyValue::Present,
            _ => KeyValue::Unknown,
        }
    }
}
