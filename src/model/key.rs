//! The log keys: the KMS keys that logs are encrypted under.

use super::bucket::LogBucket;
use super::observe::KeyPolicy;
use super::whole::is_loose;
use crate::aws::{AccountId, Arn};
use crate::estate::{Estate, Key};
use crate::policy::PolicyKind;
use crate::text::Spanned;

/// Whether a key of the inputs encrypts logs, and how this is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKeyStatus {
    /// A trail names it.
    OfTrail,
    /// It is the default key of a log bucket.
    OfBucket,
    /// Its policy names CloudTrail or the encryption context that CloudTrail uses.
    PolicyNamesCloudTrail,
    /// The inputs hold no log key, and its policy was given as a loose document.
    Assumed,
    /// It does not.
    No,
    /// Nothing says so, and its policy is not known.
    NotKnown,
}

impl LogKeyStatus {
    /// Whether it counts as a log key.
    pub fn is_log_key(self) -> bool {
        !matches!(self, LogKeyStatus::No | LogKeyStatus::NotKnown)
    }
}

/// The status of each key of the estate; `policies` stands beside the keys.
pub(super) fn statuses(estate: &Estate, buckets: &[LogBucket], policies: &[Option<KeyPolicy>]) -> Vec<LogKeyStatus> {
    let of_trails: Vec<&str> = estate.trails.iter().filter_map(|trail| Some(trail.key.present()?.as_str())).collect();
    let buckets = buckets.iter().filter_map(|bucket| estate.buckets.get(bucket.bucket?));
    let of_buckets: Vec<&str> =
        buckets.filter_map(|bucket| Some(bucket.encryption.present()?.key.as_ref()?.value.as_str())).collect();
    let mut found: Vec<LogKeyStatus> = Vec::with_capacity(estate.keys.len());
    for (key, policy) in estate.keys.iter().zip(policies) {
        let is_any = |references: &[&str]| references.iter().any(|reference| is_key(reference, key));
        found.push(if is_any(&of_trails) {
            LogKeyStatus::OfTrail
        } else if is_any(&of_buckets) {
            LogKeyStatus::OfBucket
        } else {
            match policy {
                Some(policy) if policy.names_cloudtrail => LogKeyStatus::PolicyNamesCloudTrail,
                None if key.policy.is_unknown() => LogKeyStatus::NotKnown,
                _ => LogKeyStatus::No,
            }
        });
    }
    if !found.iter().any(|status| status.is_log_key()) {
        for (key, status) in estate.keys.iter().zip(&mut found) {
            let documents = estate.given(&key.policy, PolicyKind::Key);
            if documents.iter().any(|document| is_loose(&estate.sources, document.span)) {
                *status = LogKeyStatus::Assumed;
            }
        }
    }
    found
}

/// The accounts that log keys belong to, with the places of the keys.
pub(super) fn owned(estate: &Estate, statuses: &[LogKeyStatus]) -> Vec<Spanned<AccountId>> {
    let keys = estate.keys.iter().zip(statuses).filter(|(_, status)| status.is_log_key());
    keys.filter_map(|(key, _)| Some(Spanned::new(key.account?, key.span))).collect()
}

/// Whether a key ID, key ARN, alias name or alias ARN means this key.
pub fn is_key(reference: &str, key: &Key) -> bool {
    let Some(arn) = Arn::parse(reference) else {
        return key.id.as_deref() == Some(reference) || has_alias(key, reference);
    };
    if key.arn.as_deref() == Some(reference) {
        return true;
    }
    let own = key.arn.as_deref().and_then(Arn::parse);
    let region_fits = own.is_none_or(|own| own.region == arn.region);
    let account_fits = key.account.is_none_or(|account| arn.account_id() == Some(account));
    let id = key.arn.is_none().then(|| arn.resource_of("key")).flatten();
    account_fits && region_fits && (id.is_some() && id == key.id.as_deref() || has_alias(key, arn.resource))
}

fn has_alias(key: &Key, name: &str) -> bool {
    key.aliases.present().is_some_and(|aliases| aliases.iter().any(|alias| alias.value == name))
}
