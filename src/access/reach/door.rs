//! The trust policy of a role: who gets in.
//!
//! Source: STS API Reference, AssumeRole; IAM User Guide, "Cross-account policy evaluation logic".

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ground::Ground;
use super::hit::{Hit, judged};
use super::seen::Onward;
use crate::access::allowance::Allowance;
use crate::access::sts::{ExternalId, Membership, Trust, meant_accounts, named_accounts, names_everyone, strangers};
use crate::aws::AccountId;
use crate::estate::{Gap, Role};
use crate::finding::matrix::Hop;
use crate::finding::{Dependency, Step};
use crate::policy::{Policy, Principal};

/// The call that assumes a role.
pub(super) const ASSUME: &str = "sts:AssumeRole";

/// The trust policy of a role.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) arn: String,
    pub(super) account: Option<AccountId>,
    pub(super) policy: Arc<Policy>,
    pub(super) rcp: Vec<Arc<Policy>>,
}

impl Door {
    /// The trust policy of a role; `None` where it is not known, which `gaps` tells then.
    pub(super) fn of(ground: &Ground<'_>, role: &Role, gaps: &mut Vec<Gap>) -> Option<Self> {
        let arn = role.arn()?;
        match role.trust.get() {
            Ok(Some(document)) => {
                let policy = document.policy(&ground.estate.sources);
                Some(Door { arn, account: role.account, policy, rcp: ground.organization.rcp(role.account) })
            }
            Ok(None) => None,
            Err(gap) => {
                let reason = format!("who can assume {arn}: {}", gap.reason).into();
                gaps.push(Gap { reason, ..gap });
                None
            }
        }
    }

    pub(super) fn ask<T>(&self, ground: &Ground<'_>, ask: impl FnOnce(Trust<'_>) -> T) -> T {
        let rcp = [self.rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let organization = ground.model.organization_id().map(|organization| organization.id.as_str());
        let (role, account, allowance) = (&self.arn, self.account, &Allowance::of(ground.allowance));
        ask(Trust { role, account, policy: &self.policy, rcp: &rcp, scp: &[], organization, allowance })
    }

    /// The trust policy, and the RCPs that bind the role.
    pub(super) fn all_policies(&self) -> impl Iterator<Item = &Policy> {
        self.rcp.iter().chain([&self.policy]).map(Arc::as_ref)
    }

    /// Whether some principal of an account can assume the role, its administrators willing.
    pub(super) fn admits(
        &self,
        ground: &Ground<'_>,
        account: AccountId,
        membership: &Membership,
        who: &str,
    ) -> Option<Onward> {
        let scp = ground.organization.scp(account);
        let scp: Vec<Vec<&Policy>> = scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
        let answer = self.ask(ground, |trust| {
            Trust { scp: &scp, ..trust }.admits(account, membership, ASSUME, ExternalId::Any, &[])
        });
        let mut onward = self.onward(judged(answer)?, who);
        onward.depends_on.extend(ground.scp_unless(account).into_iter().map(Dependency::fact));
        Some(onward)
    }

    pub(super) fn onward(&self, hit: Hit, who: &str) -> Onward {
        let steps = hit.found.as_ref().map(|found| found.explanation.steps.clone()).unwrap_or_default();
        let carried = hit.found.as_ref().and_then(|found| found.witness.context.get("sts:ExternalId"));
        let external_id = carried.and_then(|values| values.first());
        let hop = self.hop(who, external_id.map(|id| id.as_str()), steps);
        Onward { hop, certainty: hit.certainty, depends_on: hit.depends_on }
    }

    pub(super) fn hop(&self, who: &str, external_id: Option<&str>, steps: Vec<Step>) -> Hop {
        let with = external_id.map(|id| format!(" with external ID `{id}`")).unwrap_or_default();
        Hop { title: format!("{who} assumes {}{with}", self.arn), resource: None, role: Some(self.arn.clone()), steps }
    }

    /// The principals of its own account that the trust policy names beside the whole account.
    pub(super) fn names_in_account(&self, name: &str) -> bool {
        self.policy.allows().filter_map(|statement| statement.principals.as_ref()).any(|principals| {
            principals.negated
                || principals.entries.iter().any(|entry| match &entry.principal {
                    Principal::Everyone => true,
                    Principal::Role(account, role) | Principal::Session(account, role, _) => {
                        Some(*account) == self.account && role.rsplit('/').next() == Some(name)
                    }
                    Principal::User(account, user) => {
                        Some(*account) == self.account && user.rsplit('/').next() == Some(name)
                    }
                    _ => false,
                })
        })
    }

    /// Accounts that nobody names, for the patterns of account IDs in it.
    pub(super) fn strangers(&self, ground: &Ground<'_>) -> Vec<AccountId> {
        let statements = || self.all_policies().flat_map(|policy| policy.effective());
        let mut taken = ground.taken.clone();
        taken.extend(statements().flat_map(named_accounts));
        let found = statements().flat_map(|statement| strangers(statement, &taken));
        let mut accounts: Vec<AccountId> = found.map(|(_, account)| account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// The accounts that its statements speak of.
    pub(super) fn meant(&self) -> BTreeSet<AccountId> {
        self.policy.allows().flat_map(|statement| meant_accounts(&self.policy, statement)).collect()
    }

    /// The accounts that it may let in; `None` for any.
    pub(super) fn accounts(&self) -> Option<BTreeSet<AccountId>> {
        let mut accounts = BTreeSet::new();
        for statement in self.policy.allows() {
            if names_everyone(statement) {
                return None;
            }
            accounts.extend(meant_accounts(&self.policy, statement));
        }
        Some(accounts)
    }
}
