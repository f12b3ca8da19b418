//! What does not work: each fault ends in a retry or in a gap, never in a crash, a hang or a clean report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use serde_json::Value;

use super::proxy::{Fault, Proxy};
use super::{ACCESS_KEY, SECRET, assert_same, collect, contents, files, manifest, moto, unread};
use crate::support::{stderr, stdout, trailproof};

/// What `check` says of a snapshot: the code with `--strict`, and the facts that are not known.
fn check(folder: &Path) -> (Option<i32>, Vec<String>) {
    let mut check = trailproof();
    check.args(["check", "--no-config", "--strict", "--fail-on", "none", "--format", "json"]).arg(folder);
    let output = check.output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let gaps = report["gaps"].as_array().unwrap().iter();
    (output.status.code(), gaps.map(|gap| gap["fact"].as_str().unwrap().to_owned()).collect())
}

/// A collection through a proxy; it must end by itself and well. How often each operation was asked for comes with it.
fn spoilt(
    url: &'static str,
    attempts: &str,
    fault: impl Fn(&super::proxy::Seen<'_>) -> Option<Fault> + Send + Sync + 'static,
) -> (tempfile::TempDir, BTreeMap<String, usize>) {
    let proxy = Proxy::before(url, fault);
    let folder = tempfile::tempdir().unwrap();
    let mut collect = super::command(&proxy.url);
    collect.env("AWS_MAX_ATTEMPTS", attempts).args(["collect", "--no-config", "--assume-role", "Audit", "-v"]);
    collect.args(["--regions", "us-east-1", "--call-timeout", "5s", "-o"]).arg(folder.path().join("s"));
    let output = collect.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (folder, proxy.calls())
}

/// How often each operation is asked for where nothing goes wrong.
fn undisturbed(url: &'static str) -> &'static BTreeMap<String, usize> {
    static CALLS: OnceLock<BTreeMap<String, usize>> = OnceLock::new();
    CALLS.get_or_init(|| spoilt(url, "1", |_| None).1)
}

#[test]
fn a_fault_that_passes_is_asked_again() {
    let Some(url) = moto::url() else { return };
    const PASSES: [Fault; 7] = [
        Fault::Throttled,
        Fault::TooMany,
        Fault::SlowDown,
        Fault::Reset,
        Fault::Stalled,
        Fault::Truncated,
        Fault::Broken,
    ];
    // The first call of each operation meets one of them.
    let which = |operation: &str| PASSES[operation.bytes().map(usize::from).sum::<usize>() % PASSES.len()];
    let (folder, calls) = spoilt(url, "6", move |seen| (seen.before == 0).then_some(which(seen.operation)));
    assert_eq!(unread(&folder.path().join("s")), []);
    assert_same(&contents(&folder.path().join("s")), &contents(super::resume::whole(url)));
    for fault in PASSES {
        let met = undisturbed(url).iter().filter(|(operation, _)| which(operation) == fault);
        let met: Vec<(usize, usize)> = met.map(|(operation, calls_before)| (*calls_before, calls[operation])).collect();
        println!(
            "{fault:?} once: {} operations, {} calls more",
            met.len(),
            met.iter().map(|(a, b)| b - a).sum::<usize>()
        );
        assert!(!met.is_empty() && met.iter().all(|(before, now)| *now == before + 1), "{fault:?}: {met:?}");
    }
}

#[test]
fn a_fault_that_stays_is_a_gap_with_its_call_and_error() {
    let Some(url) = moto::url() else { return };
    const STAYS: [(&str, Fault, &str); 11] = [
        ("GetBucketAcl", Fault::SlowDown, "SlowDown"),
        ("GetBucketEncryption", Fault::Broken, "HTTP500"),
        ("GetBucketOwnershipControls", Fault::Reset, "ConnectionFailed"),
        ("GetBucketPolicyStatus", Fault::Expired, "ExpiredToken"),
        ("GetBucketPublicAccessBlock", Fault::Stalled, "Timeout"),
        ("GetKeyPolicy", Fault::Throttled, "ThrottlingException"),
        ("ListGrants", Fault::SameMarker, "RepeatedMarker"),
        ("ListTargetsForPolicy", Fault::SameMarker, "RepeatedMarker"),
        ("GetTrailStatus", Fault::TooMany, "TooManyRequests"),
        ("GetBucketLocation", Fault::Truncated, "UnreadableAnswer"),
        ("GetAccountAuthorizationDetails", Fault::SameMarker, "RepeatedMarker"),
    ];
    let (folder, calls) = spoilt(url, "2", |seen| STAYS.iter().find(|row| row.0 == seen.operation).map(|row| row.1));
    let snapshot = folder.path().join("s");
    let said = unread(&snapshot);
    for (operation, fault, code) in STAYS {
        let name = if operation == "GetBucketPublicAccessBlock" { "GetPublicAccessBlock" } else { operation };
        let errors: Vec<&str> = said.iter().filter(|one| one.0 == name).map(|one| one.1.as_str()).collect();
        println!("{operation} {fault:?} always: {} calls, {} gaps {code}", calls[operation], errors.len());
        assert!(!errors.is_empty(), "{operation} {fault:?} is told nowhere: {said:?}");
        assert!(errors.iter().all(|error| error.starts_with(code)), "{operation} {fault:?}: {errors:?}");
    }
    // Each is a file that says so, which `check` takes for a gap.
    let is_unknown = |text: &&String| text.contains("\"$unknown\"") && !text.contains("\"UnreadableAnswer\"");
    assert_eq!(files(&snapshot).values().filter(is_unknown).count(), said.len());
    let (code, gaps) = check(&snapshot);
    assert_eq!(code, Some(3));
    for fact in ["bucket.acl", "bucket.encryption", "bucket.ownership-controls", "key.policy"] {
        assert!(gaps.iter().any(|gap| gap == fact), "{fact}: {gaps:?}");
    }
}

/// Denies these operations; every denial is told with the permission that would mend it.
fn denied(url: &'static str, operations: &'static [(&str, &str)], more: &[&str]) {
    let proxy = Proxy::before(url, move |seen| {
        operations.iter().any(|(operation, _)| *operation == seen.operation).then_some(Fault::Denied)
    });
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("s");
    let output = collect(&proxy.url, &snapshot, more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said: BTreeSet<(String, String)> = unread(&snapshot).into_iter().map(|one| (one.0, one.2)).collect();
    for (operation, permission) in operations {
        let name = if operation.ends_with("PublicAccessBlock") { "GetPublicAccessBlock" } else { operation };
        assert!(said.contains(&(name.to_owned(), (*permission).to_owned())), "{operation}: {said:?}");
    }
    assert_eq!(check(&snapshot).0, Some(3));
}

#[test]
fn what_is_denied_is_told_with_the_permission_that_mends_it() {
    let Some(url) = moto::url() else { return };
    denied(
        url,
        &[
            ("GetBucketPolicyStatus", "s3:GetBucketPolicyStatus"),
            ("GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
            ("GetBucketAcl", "s3:GetBucketAcl"),
            ("GetBucketEncryption", "s3:GetEncryptionConfiguration"),
            ("GetBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
            ("GetAccountPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
            ("GetBucketLocation", "s3:GetBucketLocation"),
            ("GetBucketVersioning", "s3:GetBucketVersioning"),
            ("GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
            ("GetKeyPolicy", "kms:GetKeyPolicy"),
            ("GetKeyRotationStatus", "kms:GetKeyRotationStatus"),
            ("ListGrants", "kms:ListGrants"),
            ("ListAliases", "kms:ListAliases"),
            ("GetTrailStatus", "cloudtrail:GetTrailStatus"),
            ("GetEventSelectors", "cloudtrail:GetEventSelectors"),
            ("ListTargetsForPolicy", "organizations:ListTargetsForPolicy"),
            ("DescribePolicy", "organizations:DescribePolicy"),
            ("ListParents", "organizations:ListParents"),
        ],
        &[],
    );
    denied(
        url,
        &[
            ("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
            ("ListRoles", "iam:ListRoles"),
            ("ListBuckets", "s3:ListAllMyBuckets"),
            ("DescribeKey", "kms:DescribeKey"),
            ("DescribeOrganization", "organizations:DescribeOrganization"),
            ("ListPolicies", "organizations:ListPolicies"),
        ],
        &[],
    );
    denied(
        url,
        &[
            ("GetBucketPolicy", "s3:GetBucketPolicy"),
            ("DescribeTrails", "cloudtrail:DescribeTrails"),
            ("ListRoots", "organizations:ListRoots"),
            ("ListAccounts", "organizations:ListAccounts"),
            ("AssumeRole", "sts:AssumeRole"),
        ],
        &["--accounts", "111111111111,222222222222"],
    );
}

#[test]
fn roles_are_read_one_by_one_where_all_at_once_is_denied() {
    let Some(url) = moto::url() else { return };
    let (folder, _) =
        spoilt(url, "6", |seen| (seen.operation == "GetAccountAuthorizationDetails").then_some(Fault::Denied));
    let of_roles = |folder: &Path| {
        let mut check = trailproof();
        check.args(["check", "--no-config", "--select", "trust", "--fail-on", "none", "--format", "json"]).arg(folder);
        let report: Value = serde_json::from_str(&stdout(&check.output().unwrap())).unwrap();
        let found = report["findings"].as_array().unwrap().iter();
        let found = found.map(|one| format!("{} {}", one["subject"]["arn"], one["fingerprint"]));
        found.collect::<BTreeSet<_>>()
    };
    let found = of_roles(&folder.path().join("s"));
    assert!(found.len() >= 10, "{found:?}");
    assert_same(&found, &of_roles(super::resume::whole(url)));
}

#[test]
fn credentials_that_run_out_in_the_middle_end_in_gaps() {
    let Some(url) = moto::url() else { return };
    let (folder, _) = spoilt(url, "6", |seen| (seen.all_before > 40).then_some(Fault::Expired));
    let snapshot = folder.path().join("s");
    assert!(unread(&snapshot).iter().all(|one| one.1.starts_with("ExpiredToken")));
    assert!(!unread(&snapshot).is_empty());
    assert_eq!(check(&snapshot).0, Some(3));
}

#[test]
fn no_secret_is_written_or_said() {
    let Some(url) = moto::url() else { return };
    let proxy = Proxy::before(url, |seen| (seen.operation == "GetBucketAcl").then_some(Fault::Denied));
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("s");
    let output = collect(&proxy.url, &snapshot, &["-v"]);
    let mut all: Vec<String> = files(&snapshot).into_values().collect();
    all.extend([manifest(&snapshot).to_string(), stdout(&output), stderr(&output)]);
    for text in all {
        for secret in [ACCESS_KEY, SECRET, "Signature=", "Security-Token", "SecretAccessKey", "SessionToken", "ASIA"] {
            assert!(!text.contains(secret), "{secret} in {} bytes that begin {:.60}", text.len(), text);
        }
    }
}

#[test]
fn the_time_limit_ends_a_collection_that_does_not_come_to_its_end() {
    let Some(url) = moto::url() else { return };
    let proxy = Proxy::before(url, |seen| (seen.operation == "ListBuckets").then_some(Fault::Stalled));
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("s");
    let began = Instant::now();
    let output = collect(&proxy.url, &snapshot, &["--time-limit", "20s"]);
    assert!(began.elapsed().as_secs() < 60);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = unread(&snapshot);
    assert!(said.iter().any(|one| one.0 == "ListBuckets" && one.1.starts_with("TimeLimit")), "{said:?}");
    assert_eq!(check(&snapshot).0, Some(3));
}

#[test]
fn nobody_to_ask_as_or_nobody_who_answers_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = |mut command: std::process::Command| {
        let output = command.args(["collect", "--no-config", "-o"]).arg(folder.path().join("s")).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    let mut nobody = super::command("http://127.0.0.1:9");
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let said = run(nobody);
    assert!(said.starts_with("error: no AWS credentials"), "{said}");
    let said = run(super::command("http://127.0.0.1:9"));
    assert!(said.starts_with("error: AWS does not say who the credentials belong to"), "{said}");
}
