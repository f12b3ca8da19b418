//! Policies that contradict each other: each is audited by itself, and which is in force is a gap.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{stderr, stdout, trailproof};

const ROLE: &str = "arn:aws:iam::111111111111:role/reader";
const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555";

fn report(files: &[(&str, Value)], select: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(folder.path(), name, &content.to_string());
    }
    let args = ["check", ".", "--no-config", "--select", select, "--format", "json", "--fail-on", "none"];
    let output = trailproof().current_dir(folder.path()).args(args).output().unwrap();
    serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)))
}

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A statement of a log bucket's policy that everyone may read by.
fn open() -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/AWSLogs/*"})
}

fn delivery() -> Value {
    json!({"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/AWSLogs/111111111111/*"]})
}

fn shown(report: &Value, key: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| format!("{} {}", finding["location"]["file"].as_str().unwrap(), finding[key])).collect()
}

/// Fact, number of places and the rules that are left undecided.
fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| format!("{} {} {}", gap["fact"], gap["locations"].as_array().unwrap().len(), gap["blocks"]))
        .collect()
}

/// The policies that each finding says it hangs on, with the finding's file.
fn hangs_on(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let hangs = |finding: &Value| {
        let words = finding["depends_on"].as_array().unwrap().iter().map(|words| words.as_str().unwrap().to_owned());
        words.filter(|words| words.contains("in force")).collect::<Vec<_>>().concat()
    };
    findings.map(|finding| format!("{}: {}", finding["location"]["file"].as_str().unwrap(), hangs(finding))).collect()
}

#[test]
fn a_draft_beside_the_policy_in_force_does_not_silence_the_audit() {
    let sound = policy(&[delivery()]);
    let draft = policy(&[delivery(), open()]);
    let report = report(&[("export/policy.json", sound), ("policies/logs.json", draft)], "missing-principal-org-id");
    assert_eq!(shown(&report, "rule"), ["policies/logs.json \"missing-principal-org-id\""]);
    let finding = &report["findings"][0];
    assert_eq!(finding["subject"]["arn"], "arn:aws:s3:::logs");
    assert_eq!(hangs_on(&report), ["policies/logs.json: which of the bucket policies of `logs` is in force"]);
    assert_eq!(gaps(&report), [r#""bucket.policy" 2 ["missing-principal-org-id"]"#]);
}

#[test]
fn the_text_names_the_places_that_disagree_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let policies = [policy(&[delivery()]), policy(&[delivery(), open()])];
    for (name, content) in ["a.json", "b.json", "c.json", "d.json"].into_iter().zip(policies.iter().cycle()) {
        write(folder.path(), name, &content.to_string());
    }
    let lines = |more: &[&str], files: &[&str]| {
        let mut check = trailproof();
        check.current_dir(folder.path()).args(["check", "--no-config", "--fail-on", "none"]).args(more).args(files);
        let text = stdout(&check.output().unwrap());
        let shown = text.lines().map(str::trim).skip_while(|line| !line.starts_with("bucket.policy: "));
        let after = shown.skip_while(|line| !line.ends_with(".json:1:1")).take_while(|line| !line.contains(": "));
        after.filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[], &["a.json", "b.json"]), ["a.json:1:1", "b.json:1:1"]);
    let all = ["a.json", "b.json", "c.json", "d.json"];
    assert_eq!(lines(&["--quiet"], &all), [""; 0]);
    assert_eq!(lines(&[], &all), ["a.json:1:1", "b.json:1:1", "c.json:1:1", "… and 1 more (-v shows them)"]);
    assert_eq!(lines(&["-v"], &all), all.map(|name| format!("{name}:1:1")));
}

#[test]
fn what_all_of_them_show_is_one_finding_that_hangs_on_nothing() {
    let more = json!({"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::logs"});
    let files = [("a.json", policy(&[delivery(), open()])), ("b.json", policy(&[delivery(), more, open()]))];
    let report = report(&files, "missing-principal-org-id");
    assert_eq!(hangs_on(&report), ["a.json: "]);
    let related = report["findings"][0]["related"].as_array().unwrap();
    assert!(related.iter().any(|place| place["location"]["file"] == "b.json"), "{related:?}");
    assert_eq!(gaps(&report).len(), 1);
}

#[test]
fn a_refusal_in_one_of_them_is_no_finding_and_in_all_of_them_it_is() {
    let trail = json!({"trailList": [{"Name": "main", "S3BucketName": "logs", "HomeRegion": "us-east-1", "IsMultiRegionTrail": true,
        "IsOrganizationTrail": false, "TrailARN": "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"}]});
    let tls = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let files = |first: &[Value], second: &[Value]| {
        [("a.json", policy(first)), ("b.json", policy(second)), ("describe-trails.json", trail.clone())]
    };
    let one = report(&files(&[delivery()], std::slice::from_ref(&tls)), "blocked-delivery");
    assert_eq!(shown(&one, "message"), [""; 0]);
    assert_eq!(gaps(&one), [r#""bucket.policy" 2 ["blocked-delivery"]"#]);
    let all = report(&files(std::slice::from_ref(&tls), &[tls.clone(), open()]), "blocked-delivery");
    assert_eq!(hangs_on(&all), ["a.json: "]);
}

#[test]
fn a_policy_and_the_answer_that_there_is_none_contradict_each_other_too() {
    let files = [
        ("111111111111/s3/logs/policy.json", json!({"$absent": "NoSuchBucketPolicy"})),
        ("policies/logs.json", policy(&[delivery(), open()])),
    ];
    let report = report(&files, "missing-principal-org-id");
    assert_eq!(hangs_on(&report), ["policies/logs.json: whether this bucket policy of `logs` is in force"]);
}

#[test]
fn each_of_two_key_policies_is_audited() {
    let root = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "kms:*", "Resource": "*"});
    let trail = json!({"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "kms:GenerateDataKey*", "Resource": "*"});
    let open = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
    let answer = |statements: &[Value]| json!({"Policy": policy(statements).to_string(), "PolicyName": "default"});
    let metadata = json!({"KeyMetadata": {"KeyId": "11111111-2222-3333-4444-555555555555", "Arn": KEY, "KeyManager": "CUSTOMER", "KeyState": "Enabled"}});
    let files = [
        ("describe-key.json", metadata),
        ("get-key-policy.json", answer(&[root.clone(), trail.clone()])),
        ("get-key-policy-old.json", answer(&[root, trail, open])),
    ];
    let report = report(&files, "open-key-policy");
    assert_eq!(shown(&report, "rule"), ["get-key-policy-old.json \"open-key-policy\""]);
    assert_eq!(report["findings"][0]["subject"]["arn"], KEY);
    assert_eq!(gaps(&report), [r#""key.policy" 2 ["open-key-policy"]"#]);
}

#[test]
fn each_of_two_trust_policies_of_one_role_is_audited() {
    let role = |principal: &str| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        json!({"Role": {"RoleName": "reader", "Arn": ROLE, "Path": "/", "AssumeRolePolicyDocument": policy(&[statement])}})
    };
    let files = [("new/get-role.json", role("222222222222")), ("old/get-role.json", role("*"))];
    let report = report(&files, "public-role-trust,missing-mfa");
    assert_eq!(shown(&report, "rule"), ["old/get-role.json \"public-role-trust\""]);
    let only = &report["findings"][0];
    assert_eq!(only["subject"]["arn"], ROLE);
    assert_eq!(hangs_on(&report), ["old/get-role.json: which of the trust policies of `reader` is in force"]);
}
