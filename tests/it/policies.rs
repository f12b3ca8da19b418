//! Single policies, right and wrong, against the indexes beside them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{root, stdout, trailproof};

/// Runs one entry of an index; gives the set of rule and level, and the messages.
fn run(folder: &Path, entry: &Value) -> (BTreeSet<(String, String)>, String) {
    let text = |key: &str| entry[key].as_str();
    let mut command = trailproof();
    command.current_dir(folder).args(["check", text("file").unwrap(), "--format", "json", "--fail-on", "none"]);
    match text("config") {
        Some(config) => command.args(["--config", config]),
        None => command.arg("--no-config"),
    };
    if let Some(rules) = entry["select"].as_array() {
        let rules: Vec<&str> = rules.iter().map(|rule| rule.as_str().unwrap()).collect();
        command.args(["--select", &rules.join(",")]);
    }
    for option in ["kind", "subject"] {
        if let Some(value) = text(option) {
            command.arg(format!("--{option}")).arg(value);
        }
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{entry}: {}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let part = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let set = findings.iter().map(|f| (part(f, "rule"), part(f, "level"))).collect();
    let messages: Vec<String> = findings
        .iter()
        .map(|f| format!("    {} {}: {}", part(f, "level"), part(f, "rule"), part(f, "message")))
        .collect();
    (set, messages.join("\n"))
}

fn entries(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("index.json")).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    let entries = list.as_array().unwrap().clone();
    let listed: BTreeSet<String> = entries.iter().map(|entry| entry["file"].as_str().unwrap().to_owned()).collect();
    let there = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = there.filter(|name| name != "index.json").collect();
    assert_eq!(listed, there, "the index against the folder");
    entries
}

#[test]
fn there_are_enough_policies_right_and_wrong() {
    let count = |name: &str| entries(&root().join("fixtures/policies").join(name)).len();
    assert!(count("wrong") >= 161 && count("right") >= 63, "{} wrong, {} right", count("wrong"), count("right"));
}

fn pairs(list: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|one| (text(&one["rule"]), text(&one["level"]))).collect()
}

#[test]
fn every_wrong_policy_is_found_and_nothing_else_is_said_of_it() {
    let folder = root().join("fixtures/policies/wrong");
    let mut wrong = Vec::new();
    for entry in entries(&folder) {
        let (found, messages) = run(&folder, &entry);
        let expected = pairs(&entry["expect"]);
        if found != expected {
            wrong.push(format!("{} ({})\n  expected {expected:?}\n  found\n{messages}", entry["file"], entry["why"]));
        }
    }
    assert!(wrong.is_empty(), "{} policies:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn right_policies_are_left_alone() {
    let folder = root().join("fixtures/policies/right");
    let rank = |level: &str| ["note", "warning", "error"].iter().position(|known| *known == level).unwrap();
    let mut wrong = Vec::new();
    for entry in entries(&folder) {
        let (found, messages) = run(&folder, &entry);
        let allowed = pairs(&entry["allow"]);
        let may = |rule: &str, level: &str| allowed.iter().any(|(r, most)| r == rule && rank(level) <= rank(most));
        if !found.iter().all(|(rule, level)| may(rule, level)) {
            wrong.push(format!("{} ({}, config {})\n{messages}", entry["file"], entry["why"], entry["config"]));
        }
    }
    assert!(wrong.is_empty(), "{} policies:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_aws_wrote_is_not_held_against_those_who_attach_it() {
    let folder = tempfile::tempdir().unwrap();
    // The resource takes no variable where this one stands: a mistake, whoever makes it.
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:${aws:PrincipalAccount}::logs/*"}]}"#;
    let document: Value = serde_json::from_str(text).unwrap();
    let found_in = |arn: &str| {
        let version = serde_json::json!({"Document": document, "VersionId": "v1", "IsDefaultVersion": true});
        let policy = serde_json::json!({"PolicyName": "P", "Arn": arn, "Path": "/", "DefaultVersionId": "v1", "PolicyVersionList": [version]});
        let answer = serde_json::json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [policy]});
        std::fs::write(folder.path().join("details.json"), answer.to_string()).unwrap();
        let entry = serde_json::json!({"file": "details.json"});
        run(folder.path(), &entry).0.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(found_in("arn:aws:iam::111111111111:policy/P"), ["literal-policy-variable"]);
    assert_eq!(found_in("arn:aws:iam::aws:policy/P"), [""; 0]);
}
