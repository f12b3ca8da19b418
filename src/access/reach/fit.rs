//! How what a reader can do stands to the sharing model.

use std::collections::BTreeSet;

use super::chain::Entry;
use super::ground::Ground;
use super::seen::Seen;
use crate::access::lock::Lock;
use crate::aws::{AccountId, is_cloudtrail};
use crate::finding::matrix::{Ability, Certainty, Fit, ReaderKind};
use crate::model::{Class, Given};

/// What the model gives a reader.
#[derive(Debug)]
pub(super) struct Share {
    /// Whose logs it may read.
    may: Given,
    /// Whose logs it should be able to read.
    due: Given,
    may_write: bool,
    /// Whether it is CloudTrail, which should be able to write.
    delivers: bool,
    /// Whether a trail delivers here and CloudTrail can write nothing at all.
    is_blocked: bool,
    /// Whether the model speaks of such readers at all.
    is_subject: bool,
}

impl Share {
    pub(super) fn of(ground: &Ground<'_>, entry: &Entry<'_>) -> Self {
        let bucket = &ground.log_bucket.name;
        let model = ground.model;
        let owns = |account| Some(account) == ground.owner || matches!(model.class(account), Class::Owner);
        let nothing = || Share {
            may: Given::nothing(),
            due: Given::nothing(),
            may_write: false,
            delivers: false,
            is_blocked: false,
            is_subject: model.is_declared(),
        };
        let mut share = nothing();
        match (entry.reader.kind, entry.reader.account) {
            (ReaderKind::Service, _) => {
                // The model says who writes; that a service may read what it never asks for is no deviation of a reader.
                share.delivers = is_cloudtrail(&entry.reader.party.id);
                share.is_subject &= share.delivers || entry.reader.account.is_some();
                share.may = Given::All;
                share.may_write = true;
                share.is_blocked = entry.delivers(ground) && !entry.reach.has(Ability::Write);
            }
            (ReaderKind::Role | ReaderKind::User, Some(own)) => {
                // A role is for whoever can assume it; one that only its own account uses is for that.
                let accounts: Vec<Option<AccountId>> =
                    if entry.admitted.is_empty() { vec![Some(own)] } else { entry.admitted.clone() };
                share.may = accounts
                    .iter()
                    .map(|account| account.map_or_else(Given::nothing, |account| model.logs_of(account, bucket)))
                    .reduce(common)
                    .unwrap_or_else(Given::nothing);
                share.may_write = owns(own) && entry.admitted.is_empty();
            }
            (_, Some(account)) => {
                share.may = model.logs_of(account, bucket);
                share.due = model.logs_due(account, bucket);
                share.may_write = owns(account) || model.class(account) == Class::CloudTrail;
            }
            (_, None) => {}
        }
        share
    }

    /// The accounts whose logs it says something of their own about.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        let mut accounts = BTreeSet::new();
        for given in [&self.may, &self.due] {
            if let Given::Of(of) = given {
                accounts.extend(of);
            }
        }
        accounts
    }

    /// How it stands to what can be done with the logs of an account; `None` for accounts that nothing names.
    pub(super) fn fit(&self, ground: &Ground<'_>, seen: &Seen, account: Option<AccountId>) -> Option<Fit> {
        if !self.is_subject {
            return None;
        }
        let includes = |given: &Given| match account {
            Some(account) => given.includes(account),
            None => *given == Given::All,
        };
        let (may, due) = (includes(&self.may), includes(&self.due));
        let level = |ability| seen.access(ability).map(|access| access.certainty);
        let can = |ability| matches!(level(ability), Some(Certainty::Certain | Certainty::Conditional));
        let reads = [Ability::List, Ability::Get, Ability::Decrypt].into_iter().any(can);
        if (reads && !may) || (can(Ability::Write) && !self.may_write) {
            return Some(Fit::TooMuch);
        }
        let needed: &[Ability] = match ground.lock {
            Lock::None => &[Ability::Get],
            Lock::Key(_) | Lock::Unknown(_) => &[Ability::Get, Ability::Decrypt],
        };
        if self.is_blocked || due && needed.iter().any(|ability| level(*ability).is_none()) {
            return Some(Fit::TooLittle);
        }
        let is_open = |ability: &Ability| level(*ability) == Some(Certainty::Unknown);
        let open_reads = [Ability::List, Ability::Get, Ability::Decrypt].iter().any(is_open) && !may;
        let open_writes = is_open(&Ability::Write) && (self.delivers || !self.may_write);
        let open_due = due && needed.iter().any(is_open);
        (!open_reads && !open_writes && !open_due).then_some(Fit::Expected)
    }
}

/// What both are given.
fn common(one: Given, other: Given) -> Given {
    match (one, other) {
        (Given::All, other) | (other, Given::All) => other,
        (Given::Of(one), Given::Of(other)) => Given::Of(one.intersection(&other).copied().collect()),
    }
}
