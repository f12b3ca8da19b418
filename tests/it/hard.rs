//! Policies made to be hard: what is left open ends in a gap that names the bound, and not in a pass.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{stdout, trailproof};

const BUCKET: &str = "arn:aws:s3:::central-logs";
const MODEL: &str = "[[log-bucket]]\nname = \"central-logs\"\naccount = \"111111111111\"\n";
const BOUND: &str = "a search that was given up";

fn tag(number: usize) -> String {
    format!("aws:PrincipalTag/t{number}")
}

/// One tag more than there are values, no two of which may be the same: nothing short of all combinations tells that nobody
/// gets in.
fn all_different(values: usize, action: &str, resource: Value) -> Value {
    let statement = |effect: &str, condition: Value| json!({"Effect": effect, "Principal": {"AWS": "*"}, "Action": action, "Resource": resource, "Condition": condition});
    let texts: Vec<String> = (0..values).map(|value| value.to_string()).collect();
    let wanted: serde_json::Map<String, Value> = (0..=values).map(|number| (tag(number), json!(texts))).collect();
    let mut statements = vec![statement("Allow", json!({"StringEquals": wanted}))];
    for one in 0..=values {
        for other in 0..one {
            let same =
                |value: &String| statement("Deny", json!({"StringEquals": {tag(one): value, tag(other): value}}));
            statements.extend(texts.iter().map(same));
        }
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The same for a trust policy, which has no `Resource`.
fn without_resource(mut policy: Value) -> Value {
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement.as_object_mut().unwrap().remove("Resource");
    }
    policy
}

fn write(folder: &Path, name: &str, value: &Value) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, value.to_string()).unwrap();
}

/// Runs a command on a folder; gives its report.
fn report(folder: &Path, args: &[&str], code: i32) -> Value {
    let output = trailproof().current_dir(folder).args(args).args(["--format", "json", "--strict"]).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// The rules that the gaps of a report which name the bound keep from a verdict.
fn kept_open(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    let bound = gaps.filter(|gap| gap["reason"].as_str().unwrap().contains(BOUND));
    let rules = bound.flat_map(|gap| gap["blocks"].as_array().into_iter().flatten());
    rules.map(|rule| rule.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_bucket_policy_that_is_too_hard_is_a_gap_in_check_and_in_access() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trailproof.toml"), MODEL).unwrap();
    let policy = all_different(8, "s3:GetObject", json!(format!("{BUCKET}/*")));
    write(folder.path(), "111111111111/s3/central-logs/policy.json", &json!({"Policy": policy.to_string()}));
    let checked = report(folder.path(), &["check", "--fail-on", "none"], 3);
    let rules = kept_open(&checked);
    for rule in ["missing-principal-org-id", "public-log-read"] {
        assert!(rules.iter().any(|known| known == rule), "{rule}: {rules:?}");
    }
    let again = report(folder.path(), &["check", "--fail-on", "none", "--select", "missing-principal-org-id"], 3);
    assert_eq!(kept_open(&again), ["missing-principal-org-id"], "no answer hangs on which rules run");
    let matrix = report(folder.path(), &["access"], 3);
    let gaps = matrix["gaps"].as_array().unwrap().iter();
    assert!(gaps.clone().any(|gap| gap["reason"].as_str().unwrap().contains(BOUND)), "{:?}", gaps.collect::<Vec<_>>());
}

#[test]
fn a_hard_statement_hides_no_plain_one_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trailproof.toml"), MODEL).unwrap();
    let mut policy = all_different(8, "s3:GetObject", json!(format!("{BUCKET}/*")));
    let open = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": BUCKET});
    policy["Statement"].as_array_mut().unwrap().push(open);
    write(folder.path(), "111111111111/s3/central-logs/policy.json", &json!({"Policy": policy.to_string()}));
    let select = ["check", "--fail-on", "none", "--select", "missing-principal-org-id"];
    let found = report(folder.path(), &select, 3);
    assert_eq!(found["findings"].as_array().unwrap().len(), 1, "{}", found["findings"]);
    assert_eq!(kept_open(&found), ["missing-principal-org-id"]);
}

#[test]
fn a_trust_policy_and_a_key_policy_that_are_too_hard_are_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let trust = without_resource(all_different(8, "sts:AssumeRole", Value::Null));
    write(folder.path(), "reader-trust.json", &trust);
    let checked = report(folder.path(), &["check", "--no-config", "--fail-on", "none", "reader-trust.json"], 3);
    assert!(kept_open(&checked).iter().any(|rule| rule == "public-role-trust"), "{}", checked["gaps"]);
    let folder = tempfile::tempdir().unwrap();
    let key = all_different(10, "kms:*", json!("*"));
    write(folder.path(), "key-policy.json", &key);
    let checked = report(folder.path(), &["check", "--no-config", "--fail-on", "none", "key-policy.json"], 3);
    assert!(kept_open(&checked).iter().any(|rule| rule == "open-key-policy"), "{}", checked["gaps"]);
}
