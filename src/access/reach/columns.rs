//! Whose logs a bucket holds, and under which keys.

use crate::aws::AccountId;
use crate::model::{LogBucket, Model};
use crate::policy::Policy;

/// How the objects CloudTrail delivers begin, under the prefix of an account.
pub(super) const DELIVERED: &str = "CloudTrail";

/// Stands in keys for an organization whose ID is not known; no policy can name it.
const UNKNOWN_ORGANIZATION: &str = "o-notknown00";

/// Keys as they really are, behind [`DELIVERED`]: a log file, a digest.
pub(super) fn examples(account: AccountId) -> [String; 2] {
    let file = |kind: &str, name: &str| {
        format!("{kind}/us-east-1/2026/01/31/{account}_{name}_20260131T0000Z_trailproofProof1.json.gz")
    };
    [file("", "CloudTrail_us-east-1"), file("-Digest", "CloudTrail-Digest_us-east-1")]
}

/// An account whose logs the bucket holds.
#[derive(Debug, Clone)]
pub(super) struct LogOwner {
    /// The account; one that stands for all where nothing tells which they are.
    pub(super) account: AccountId,
    /// How the keys of its logs begin.
    pub(super) prefixes: Vec<String>,
    /// Whether it stands for accounts that nothing names.
    pub(super) stands_for_all: bool,
    /// Whether the prefixes hold an organization ID that is made up, as the real one is not known.
    pub(super) is_guessed: bool,
}

/// Whose logs a bucket holds: of the members, of those that CloudTrail delivers for, and of those that its policy names a
/// folder for.
pub(super) fn columns(model: &Model, log_bucket: &LogBucket, policy: Option<&Policy>) -> Vec<LogOwner> {
    let mut accounts: Vec<AccountId> = model.members().chain(log_bucket.delivering.keys().copied()).collect();
    let statements = policy.into_iter().flat_map(|policy| policy.effective());
    for item in statements.filter_map(|s| s.resources.as_ref()).flat_map(|r| &r.items) {
        let components = item.raw().split('/').skip_while(|component| *component != "AWSLogs").skip(1).take(2);
        accounts.extend(components.filter_map(AccountId::parse));
    }
    accounts.sort_unstable();
    accounts.dedup();
    let of = |account: AccountId, stands_for_all| {
        let known = model.own_prefixes(account, &log_bucket.name);
        let is_guessed = known.is_empty();
        let guess = |prefix: &str| {
            let before = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            format!("{before}AWSLogs/{UNKNOWN_ORGANIZATION}/{account}/")
        };
        let prefixes = if is_guessed { log_bucket.prefixes().map(guess).collect() } else { known };
        LogOwner { account, prefixes, stands_for_all, is_guessed }
    };
    let mut columns: Vec<LogOwner> = accounts.iter().map(|account| of(*account, false)).collect();
    if columns.is_empty() {
        columns.push(of(AccountId::other_than(model.known_accounts()), true));
    }
    columns
}
