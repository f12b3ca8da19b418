//! What accounts are called.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::aws::AccountId;
use crate::config::Config;
use crate::estate::{Estate, Member};

/// The names and canonical IDs of accounts.
#[derive(Debug, Default)]
pub(super) struct Labels {
    names: BTreeMap<AccountId, CompactString>,
    canonical_ids: BTreeMap<CompactString, AccountId>,
}

impl Labels {
    /// The config's names go before those of the inputs.
    pub(super) fn new(estate: &Estate, config: Option<&Config>, accounts_file: Option<&[Member]>) -> Self {
        let mut labels = Labels::default();
        for party in config.iter().flat_map(|config| &config.third_parties) {
            labels.add_name(party.account.value, party.name.as_ref().map(|name| name.value.as_str()));
        }
        let exported = estate.organization.accounts.present().map(Vec::as_slice).unwrap_or_default();
        for member in accounts_file.unwrap_or_default().iter().chain(exported) {
            labels.add_name(member.id, member.name.as_deref());
        }
        for (id, account) in &estate.accounts {
            labels.add_name(*id, account.name.as_deref());
            if let Some(canonical) = &account.canonical_id {
                labels.add_canonical_id(&canonical.value, *id);
            }
        }
        for bucket in &estate.buckets {
            let owner = bucket.acl.present().and_then(|acl| acl.owner.as_ref());
            if let (Some(owner), Some(account)) = (owner, bucket.account.present()) {
                labels.add_canonical_id(&owner.value, *account);
            }
        }
        let declared = config.and_then(|config| config.organization.as_ref()).map(|o| o.canonical_ids.as_slice());
        for (id, account) in declared.unwrap_or_default() {
            labels.add_canonical_id(&id.value, account.value);
        }
        labels
    }

    fn add_name(&mut self, account: AccountId, name: Option<&str>) {
        if let Some(name) = name.filter(|name| !name.trim().is_empty()) {
            self.names.entry(account).or_insert_with(|| name.into());
        }
    }

    fn add_canonical_id(&mut self, id: &str, account: AccountId) {
        self.canonical_ids.entry(id.to_ascii_lowercase().into()).or_insert(account);
    }

    pub(super) fn name(&self, account: AccountId) -> Option<&str> {
        self.names.get(&account).map(CompactString::as_str)
    }

    pub(super) fn account(&self, name: &str) -> Option<AccountId> {
        let mut accounts = self.names.iter().filter(|(_, known)| *known == name).map(|(account, _)| *account);
        let first = accounts.next()?;
        accounts.next().is_none().then_some(first)
    }

    pub(super) fn account_of_canonical_id(&self, id: &str) -> Option<AccountId> {
        self.canonical_ids.get(id.to_ascii_lowercase().as_str()).copied()
    }

    pub(super) fn canonical_id_of(&self, account: AccountId) -> Option<&str> {
        self.canonical_ids.iter().find(|(_, of)| **of == account).map(|(id, _)| id.as_str())
    }

    pub(super) fn canonical_accounts(&self) -> impl Iterator<Item = AccountId> {
        self.canonical_ids.values().copied()
    }
}
