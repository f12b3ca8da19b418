//! The printed policy is held to the calls that are really made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::proxy::Proxy;
use super::{collect, command, moto};
use crate::support::{stderr, stdout};

/// The action that allows an operation.
///
/// Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service; S3 User Guide,
/// "Required permissions for Amazon S3 API operations".
fn action(operation: &str) -> Option<String> {
    let service = match operation {
        "GetCallerIdentity" => return None,
        "GetBucketEncryption" => return Some("s3:GetEncryptionConfiguration".to_owned()),
        "GetObjectLockConfiguration" => return Some("s3:GetBucketObjectLockConfiguration".to_owned()),
        "ListBuckets" => return Some("s3:ListAllMyBuckets".to_owned()),
        "AssumeRole" => "sts",
        "GetAccountAuthorizationDetails" => "iam",
        "DescribeKey" | "GetKeyPolicy" | "GetKeyRotationStatus" | "ListGrants" | "ListAliases" => "kms",
        "DescribeTrails" | "GetTrailStatus" | "GetEventSelectors" => "cloudtrail",
        bucket if bucket.starts_with("GetBucket") || bucket.starts_with("GetAccountPublic") => "s3",
        _ => "organizations",
    };
    Some(format!("{service}:{operation}"))
}

/// The actions of a printed policy, by the `Sid` of their statements.
fn printed(more: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let output = command("http://127.0.0.1:9").args(["collect"]).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let policy: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = |statement: &Value| -> BTreeSet<String> {
        let one = |action: &Value| action.as_str().unwrap().to_owned();
        match &statement["Action"] {
            Value::Array(all) => all.iter().map(one).collect(),
            action => [one(action)].into(),
        }
    };
    statements.map(|statement| (statement["Sid"].as_str().unwrap().to_owned(), actions(statement))).collect()
}

fn all(by_sid: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    by_sid.values().flatten().cloned().collect()
}

#[test]
fn the_printed_policy_allows_the_calls_that_are_made_and_no_others() {
    let Some(url) = moto::url() else { return };
    let proxy = Proxy::before(url, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let output = collect(&proxy.url, &folder.path().join("snapshot"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let made: BTreeSet<String> = proxy.calls().keys().filter_map(|operation| action(operation)).collect();
    let caller = printed(&["--print-policy", "--assume-role", "Audit"]);
    assert_eq!(all(&caller), made);
}

#[test]
fn the_role_is_asked_nothing_about_the_organization() {
    let caller = printed(&["--print-policy", "--assume-role", "Audit"]);
    let role = printed(&["--print-policy=role"]);
    let more: BTreeSet<String> = all(&caller).difference(&all(&role)).cloned().collect();
    let expected: BTreeSet<String> = caller["Organization"].union(&caller["Members"]).cloned().collect();
    assert_eq!(more, expected);
    assert!(all(&role).is_subset(&all(&caller)));
}
