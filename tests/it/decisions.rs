//! The decision tables: every case of `fixtures/decisions` through `trailproof simulate --cases`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{files_below, root, stdout, trailproof};

#[test]
fn every_case_is_decided_as_the_tables_say() {
    let mut wrong = Vec::new();
    let mut decided = 0;
    for file in files_below(&root().join("fixtures/decisions"), ".json") {
        let text = std::fs::read_to_string(&file).unwrap();
        let cases: Value = serde_json::from_str(&text).unwrap();
        let expected: BTreeMap<&str, &Value> =
            cases["cases"].as_array().unwrap().iter().map(|case| (case["id"].as_str().unwrap(), case)).collect();
        let output = trailproof().arg("simulate").arg("--cases").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", file.display());
        for line in stdout(&output).lines() {
            let answer: Value = serde_json::from_str(line).unwrap();
            let case = expected[answer["id"].as_str().unwrap()];
            decided += 1;
            if answer["decision"] != case["expect"] {
                wrong.push(format!("{}: {} instead of {} ({})", answer["id"], answer, case["expect"], case["note"]));
            }
            if let Some(because) = case["because"].as_str() {
                let steps = answer["steps"].as_array().unwrap();
                let says = |step: &Value| step["message"].as_str().is_some_and(|message| message.contains(because));
                let depends = answer["depends_on"].as_array().unwrap();
                let said = steps.iter().any(says) || depends.iter().any(|fact| fact.as_str() == Some(because));
                if !said {
                    wrong.push(format!("{}: nothing says `{because}`: {answer}", answer["id"]));
                }
            }
            if answer["decision"] == "conditional" {
                let principal_unknown = case["note"].as_str().unwrap_or_default();
                assert!(answer["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{principal_unknown}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {decided} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(decided >= 810, "only {decided} cases were decided");
}

#[test]
fn every_row_of_the_worked_table_is_there() {
    let mut rows = BTreeSet::new();
    for file in files_below(&root().join("fixtures/decisions"), ".json") {
        if !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("evaluation-")) {
            continue;
        }
        let cases: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for case in cases["cases"].as_array().unwrap() {
            assert!(case["note"].as_str().is_some_and(|note| !note.is_empty()), "{}", case["id"]);
            let number: String = case["id"].as_str().unwrap().chars().take_while(char::is_ascii_digit).collect();
            rows.insert(number.parse::<u32>().unwrap());
        }
    }
    let missing: Vec<u32> = (1..=121).filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_case_that_can_not_be_read_is_an_error_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.json");
    let good =
        r#"{"id":"good","request":{"principal":"111111111111","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}}"#;
    let bad = [
        r#"{"id":"nobody","request":{"principal":"somebody","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}}"#,
        r#"{"id":"no-request"}"#,
        r#"{"id":"setting","request":{"principal":"111111111111","action":"s3:GetObject","resource":"*"},"settings":{"s3_restrict_public_buckets":"yes"}}"#,
        r#"{"id":"kind","request":{"principal":"111111111111","action":"s3:GetObject","resource":"*"},"policies":{"bucket":{}}}"#,
    ];
    std::fs::write(&file, format!(r#"{{"cases":[{},{good}]}}"#, bad.join(","))).unwrap();
    let output = trailproof().arg("simulate").arg("--cases").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = stdout(&output);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[..4].iter().all(|line| line["error"].is_string() && line.get("decision").is_none()));
    assert_eq!(lines[4]["decision"], "allowed");
}
