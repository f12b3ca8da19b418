//! Keys that patterns of log objects match.
//!
//! Source: CloudTrail User Guide, "Finding your CloudTrail log files": `[prefix/]AWSLogs/[organization/]account/kind/…`.

use super::{OTHER_ORGANIZATION, account_like, without_wildcards};
use crate::aws::{AccountId, Arn, is_organization_id};
use crate::policy::pattern::{self, Case, has_wildcard};

/// What the key of a log file has behind the account.
const LOG_FILE: &str = "CloudTrail/us-east-1/2026/01/01/trailproof.json.gz";

const FOLDER: &str = "AWSLogs";

/// The kinds of files that CloudTrail delivers.
const KINDS: [&str; 3] = ["CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight"];

/// The ARN of an object that CloudTrail could write for an account and that a `Resource` pattern is likely to match;
/// the evaluator has to confirm it.
///
/// Where the pattern leaves the account open it is `account`.
pub fn log_object(bucket: &str, pattern: &str, account: AccountId) -> String {
    let key = match key_of(pattern) {
        Some(key) if key != "*" => key,
        _ => return format!("{bucket}/{FOLDER}/{account}/{LOG_FILE}"),
    };
    let mut filled: Vec<String> = Vec::new();
    let mut components = key.split('/').peekable();
    while let Some(component) = components.next() {
        let before = filled.last().map(String::as_str).unwrap_or_default();
        filled.push(match (component, components.peek()) {
            ("*", None) if before == FOLDER || before.starts_with("o-") => format!("{account}/{LOG_FILE}"),
            ("*", None) => LOG_FILE.to_owned(),
            ("*", Some(_)) => account.to_string(),
            (other, _) => other.replace('*', "x").replace('?', "1"),
        });
    }
    format!("{bucket}/{}", filled.join("/"))
}

/// An object of an account that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignObject {
    /// The account whose logs lie there.
    pub account: AccountId,
    /// Whether the pattern writes the account out.
    pub is_named: bool,
    /// Its key up to the account, the account and a slash included.
    pub folder: String,
    /// Its ARN.
    pub arn: String,
}

/// Which accounts and organizations are ours.
#[derive(Clone, Copy)]
pub struct Ours<'o> {
    /// Whether an account is.
    pub account: &'o dyn Fn(AccountId) -> bool,
    /// Whether an organization is, or may be.
    pub organization: &'o dyn Fn(&str) -> bool,
}

/// Objects in paths of accounts that are not ours, as far as a `Resource` pattern may match them; the evaluator has to
/// confirm each.
///
/// What lies in the folder of our own organization is ours, whatever the account: CloudTrail writes there for its members
/// alone.
pub fn foreign_objects(bucket: &str, resource: &str, ours: Ours<'_>) -> Vec<ForeignObject> {
    let key = key_of(resource).unwrap_or("*");
    let components: Vec<&str> = key.split('/').collect();
    let (prefix, inside) = match components.iter().position(|component| *component == FOLDER) {
        Some(at) => {
            let (before, after) = components.split_at(at);
            let before: Vec<String> = before.iter().map(|part| without_wildcards(part).to_string()).collect();
            (before, after.get(1..).unwrap_or_default())
        }
        // Everything behind the last whole folder is open.
        None => {
            let folders = components.iter().take_while(|part| !has_wildcard(part));
            let folders = folders.take(components.len() - 1).map(|part| (*part).to_owned());
            (folders.collect(), ["*"].as_slice())
        }
    };
    let head: String = prefix.iter().map(|part| format!("{part}/")).collect();
    let open = inside == ["*"].as_slice();
    let mut found = Vec::new();
    let mut add = |organization: &str, pattern: &str, tail: &[&str]| {
        let account = match AccountId::parse(pattern) {
            Some(id) => Some(id).filter(|id| !(ours.account)(*id)),
            None if has_wildcard(pattern) => account_like(pattern, ours.account),
            None => None,
        };
        let is_named = AccountId::parse(pattern).is_some();
        let Some(account) = account else { return };
        let folder = format!("{head}{FOLDER}/{organization}{account}/");
        let (first, rest) = tail.split_first().unwrap_or((&"*", &[]));
        let rest: String = rest.iter().map(|part| format!("/{}", without_wildcards(part))).collect();
        let kinds = KINDS.iter().filter(|kind| pattern::matches(first, kind, Case::Sensitive));
        let files = kinds.flat_map(|kind| [LOG_FILE.replacen("CloudTrail", kind, 1), format!("{kind}{rest}")]);
        for file in files {
            let arn = format!("{bucket}/{folder}{file}");
            found.push(ForeignObject { account, is_named, folder: folder.clone(), arn });
        }
    };
    if let Some((account, tail)) = inside.split_first() {
        add("", account, tail);
    }
    match inside {
        [organization, account, tail @ ..] if has_wildcard(organization) => {
            add(&format!("{OTHER_ORGANIZATION}/"), account, tail);
        }
        [organization, account, tail @ ..]
            if is_organization_id(organization) && !(ours.organization)(organization) =>
        {
            add(&format!("{organization}/"), account, tail);
        }
        _ if open => add(&format!("{OTHER_ORGANIZATION}/"), "*", &[]),
        _ => {}
    }
    found
}

/// The part of a `Resource` pattern that speaks of keys; `None` where it has none.
fn key_of(pattern: &str) -> Option<&str> {
    Arn::parse(pattern)?.resource.split_once('/').map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:aws:s3:::b";

    fn account(id: &str) -> AccountId {
        AccountId::parse(id).unwrap()
    }

    #[test]
    fn an_object_is_found_for_each_form_of_pattern() {
        let object = |pattern: &str| log_object(BUCKET, pattern, account("111111111111"));
        for (pattern, expected) in [
            ("*", "arn:aws:s3:::b/AWSLogs/111111111111/CloudTrail/"),
            ("arn:aws:s3:::b*", "arn:aws:s3:::b/AWSLogs/111111111111/CloudTrail/"),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/AWSLogs/111111111111/CloudTrail/"),
            ("arn:aws:s3:::b/p/AWSLogs/*", "arn:aws:s3:::b/p/AWSLogs/111111111111/CloudTrail/"),
            (
                "arn:aws:s3:::b/AWSLogs/o-exampleorgid/*",
                "arn:aws:s3:::b/AWSLogs/o-exampleorgid/111111111111/CloudTrail/",
            ),
            ("arn:aws:s3:::b/AWSLogs/222222222222/*", "arn:aws:s3:::b/AWSLogs/222222222222/CloudTrail/"),
            ("arn:aws:s3:::b/AWSLogs/*/CloudTrail/*", "arn:aws:s3:::b/AWSLogs/111111111111/CloudTrail/"),
        ] {
            assert!(object(pattern).starts_with(expected), "{pattern}: {}", object(pattern));
        }
    }

    #[test]
    fn foreign_paths_are_those_that_the_pattern_matches_and_no_account_of_ours_owns() {
        let ours =
            Ours { account: &|id| id.as_str().starts_with("1111"), organization: &|id: &str| id == "o-exampleorgid" };
        let reached = |resource: &str| {
            let matches = |object: &ForeignObject| pattern::matches(resource, &object.arn, Case::Sensitive);
            foreign_objects(BUCKET, resource, ours).into_iter().find(matches).map(|object| object.account.to_string())
        };
        for pattern in [
            "arn:aws:s3:::b/AWSLogs/111111111111/*",
            "arn:aws:s3:::b/AWSLogs/11111111111?/*",
            "arn:aws:s3:::b/AWSLogs/o-exampleorgid/*",
            "arn:aws:s3:::b/AWSLogs/o-exampleorgid/777777777777/*",
            "arn:aws:s3:::b/AWSLogs/*/111111111111/*",
            "arn:aws:s3:::b/p/AWSLogs/111111111111/CloudTrail/*",
        ] {
            assert_eq!(reached(pattern), None, "{pattern}");
        }
        for pattern in [
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b/p/*",
            "arn:aws:s3:::b/AWSLogs/*",
            "arn:aws:s3:::b/AWSLogs/*/CloudTrail-Digest/*",
            "arn:aws:s3:::b/AWSLogs/*/CloudTrail/eu-west-1/*",
            "arn:aws:s3:::b/AWSLogs/o-otherorg/*",
            "arn:aws:s3:::b/AWSLogs/*/777777777777/*",
            "arn:aws:s3:::b/p/AWSLogs/77777777777?/*",
            "arn:aws:s3:::b/AWSLogs/7*",
        ] {
            assert!(reached(pattern).is_some(), "{pattern}");
        }
        assert_eq!(reached("arn:aws:s3:::b/AWSLogs/777777777777/*").as_deref(), Some("777777777777"));
    }
}
