//! What a snapshot says of itself.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::node::{Node, object};
use crate::aws::AccountId;

/// The file's place.
pub(super) const PLACE: &str = "manifest.json";

/// An account, and who asked in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The account.
    pub account: AccountId,
    /// The ARN of the principal.
    pub arn: String,
}

/// Something that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The account that was asked.
    pub account: AccountId,
    /// The operation.
    pub operation: &'static str,
    /// What was asked about: a bucket, key, trail, role …; empty for the account itself.
    pub about: String,
    /// The error: AWS's code and what it said.
    pub error: String,
    /// The action to allow, where that would help.
    pub permission: Option<&'static str>,
    /// The file that stands for it, where the snapshot has one.
    pub file: Option<String>,
}

/// How far a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Begun,
    Finished,
}

/// What the manifest is made of.
#[derive(Debug)]
pub(super) struct Manifest<'m> {
    pub(super) state: State,
    pub(super) began: OffsetDateTime,
    pub(super) caller: &'m Who,
    pub(super) accounts: &'m [Who],
    pub(super) regions: &'m [String],
    pub(super) unread: &'m [Unread],
}

impl Manifest<'_> {
    /// The text of the file.
    pub(super) fn to_text(&self, now: OffsetDateTime) -> String {
        let who = |who: &Who| object().with("Account", who.account.as_str()).with("Arn", who.arn.as_str());
        let unread = |one: &Unread| {
            object()
                .with("Account", one.account.as_str())
                .with("Operation", one.operation)
                .with("About", one.about.as_str())
                .with("Error", one.error.as_str())
                .maybe("Permission", one.permission)
                .maybe("File", one.file.as_deref())
        };
        let is_finished = self.state == State::Finished;
        object()
            .with("SchemaVersion", "1")
            .with("Tool", concat!("trailproof ", env!("CARGO_PKG_VERSION")))
            .with("Began", timestamp(self.began))
            .maybe("Finished", is_finished.then(|| timestamp(now)))
            .with("Caller", who(self.caller))
            .with("Regions", self.regions.iter().map(String::as_str).collect::<Node>())
            .with("Accounts", self.accounts.iter().map(who).collect::<Node>())
            .with("Unread", self.unread.iter().map(unread).collect::<Node>())
            .to_text()
    }
}

/// Who made a snapshot, by its manifest.
pub(super) fn caller(manifest: &Value) -> Option<(&str, &str)> {
    let caller = manifest.get("Caller")?;
    Some((caller.get("Account")?.as_str()?, caller.get("Arn")?.as_str()?))
}

fn timestamp(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
