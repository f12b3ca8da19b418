//! Whose logs an account may, or should, read.

use std::collections::BTreeSet;

use compact_str::CompactString;

use crate::aws::AccountId;
use crate::config::{Config, Logs};
use crate::text::Span;

/// The accounts whose logs somebody is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The logs of every account.
    All,
    /// The logs of these; of nobody where it is empty.
    Of(BTreeSet<AccountId>),
}

impl Given {
    /// The logs of nobody.
    pub fn nothing() -> Self {
        Given::Of(BTreeSet::new())
    }

    /// Whether the logs of an account are among them.
    pub fn includes(&self, account: AccountId) -> bool {
        match self {
            Given::All => true,
            Given::Of(accounts) => accounts.contains(&account),
        }
    }

    /// Whether there are none.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Given::Of(accounts) if accounts.is_empty())
    }

    /// Both together.
    pub fn and(self, other: Given) -> Given {
        match (self, other) {
            (Given::Of(mut mine), Given::Of(theirs)) => {
                mine.extend(theirs);
                Given::Of(mine)
            }
            _ => Given::All,
        }
    }
}

/// A `[[reader]]` or `[[third-party]]` of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The account that may and should read.
    pub account: AccountId,
    /// Whether it is a `[[third-party]]`.
    pub is_third_party: bool,
    /// `name`, of a third party.
    pub name: Option<String>,
    /// What it may and should read; nothing where the config only declares it.
    pub logs: Given,
    /// The one log bucket this is about; `None` for every one.
    pub bucket: Option<CompactString>,
    /// `reason`.
    pub reason: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

impl Exception {
    /// Those of a config, in its order, readers first.
    pub(super) fn all(config: &Config) -> Vec<Exception> {
        let bucket = |bucket: &Option<crate::text::Spanned<String>>| bucket.as_ref().map(|b| b.value.as_str().into());
        let reason = |reason: &Option<crate::text::Spanned<String>>| reason.as_ref().map(|r| r.value.clone());
        let readers = config.readers.iter().map(|reader| Exception {
            account: reader.account.value,
            is_third_party: false,
            name: None,
            logs: given(reader.logs.as_ref().map(|logs| &logs.value), reader.account.value),
            bucket: bucket(&reader.bucket),
            reason: reason(&reader.reason),
            span: reader.span,
        });
        let parties = config.third_parties.iter().map(|party| Exception {
            account: party.account.value,
            is_third_party: true,
            name: party.name.as_ref().map(|name| name.value.clone()),
            logs: given(party.logs.as_ref().map(|logs| &logs.value), party.account.value),
            bucket: bucket(&party.bucket),
            reason: reason(&party.reason),
            span: party.span,
        });
        readers.chain(parties).collect()
    }

    /// Whether it is about a log bucket.
    pub(super) fn is_about(&self, bucket: &str) -> bool {
        self.bucket.as_ref().is_none_or(|only| only == bucket)
    }
}

fn given(logs: Option<&Logs>, account: AccountId) -> Given {
    match logs {
        None => Given::nothing(),
        Some(Logs::Own) => Given::Of(BTreeSet::from([account])),
        Some(Logs::All) => Given::All,
        Some(Logs::Accounts(accounts)) => Given::Of(accounts.iter().map(|account| account.value).collect()),
    }
}
