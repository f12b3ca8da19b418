//! Who owns the logs.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::{LogBucket, LogBucketStatus};
use super::role::SharedRole;
use crate::aws::AccountId;
use crate::text::{Span, Spanned};

/// What told who the owners are, the most trusted first; the next counts only where this one tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnedBy {
    /// A log bucket: a declared one, else one that holds logs of others than its owner, else any.
    Bucket,
    /// A log key.
    Key,
    /// A role that other accounts can assume, and that reads logs where any is known to.
    Role,
    /// The organization trail: its owner is taken for the owner of its bucket.
    Trail,
}

/// The owner accounts.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// The accounts that the most trusted evidence gives, each with a place that shows it.
    pub(super) accounts: BTreeMap<AccountId, Span>,
    pub(super) by: Option<OwnedBy>,
    /// The accounts of the keys of the owners' buckets, which own logs too.
    pub(super) of_keys: BTreeSet<AccountId>,
}

impl Owners {
    fn new(accounts: BTreeMap<AccountId, Span>, by: OwnedBy) -> Self {
        let by = (!accounts.is_empty()).then_some(by);
        Owners { accounts, by, of_keys: BTreeSet::new() }
    }

    /// The owners of buckets and keys; nobody where neither tells.
    pub(super) fn of_resources(buckets: &[LogBucket], keys: &[Spanned<AccountId>]) -> Self {
        let declared = buckets.iter().filter(|bucket| bucket.status == LogBucketStatus::Declared);
        let central = buckets.iter().filter(|bucket| bucket.is_central());
        let groups: [Vec<&LogBucket>; 3] = [declared.collect(), central.collect(), buckets.iter().collect()];
        for group in groups {
            let accounts = group.iter().filter_map(|bucket| Some((bucket.owner?, bucket.span))).collect();
            let found = Owners::new(accounts, OwnedBy::Bucket);
            if found.by.is_some() {
                let of_keys = group.iter().flat_map(|bucket| &bucket.key_accounts).copied().collect();
                return Owners { of_keys, ..found };
            }
        }
        let named = buckets.iter().flat_map(|bucket| bucket.key_accounts.iter().map(|account| (*account, bucket.span)));
        Owners::new(named.chain(keys.iter().map(|key| (key.value, key.span))).collect(), OwnedBy::Key)
    }

    /// The owners, where no resource tells them.
    pub(super) fn or_else(
        self,
        roles: &[SharedRole<'_>],
        buckets: &[LogBucket],
        management: Option<Spanned<AccountId>>,
    ) -> Self {
        if self.by.is_some() {
            return self;
        }
        let accounts = |reads: bool| -> BTreeMap<AccountId, Span> {
            let roles = roles.iter().filter(|role| role.reads_logs || !reads);
            roles.filter_map(|role| Some((role.role.account?, role.role.span))).collect()
        };
        // Of several accounts with such roles, which one keeps the logs is not known.
        for found in [accounts(true), accounts(false)] {
            match found.len() {
                0 => {}
                1 => return Owners::new(found, OwnedBy::Role),
                _ => break,
            }
        }
        let is_organization = |bucket: &LogBucket| bucket.layouts.iter().any(|l| l.organization == Some(true));
        match management.filter(|_| buckets.iter().any(is_organization)) {
            Some(account) => Owners::new(BTreeMap::from([(account.value, account.span)]), OwnedBy::Trail),
            None => self,
        }
    }

    /// The one owner, and what shows it.
    pub(super) fn only(&self) -> Option<Spanned<AccountId>> {
        let mut accounts = self.accounts.iter();
        let (account, span) = accounts.next()?;
        accounts.next().is_none().then_some(Spanned::new(*account, *span))
    }
}
