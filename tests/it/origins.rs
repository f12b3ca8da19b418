//! The bundled estates: exactly the findings they list, the same in every form, with the same fingerprints.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{root, stdout, trailproof};

/// Rule, level, subject and fingerprint of each finding.
type Found = BTreeSet<(String, String, String, String)>;

fn written(scenario: &Path, form: &str, more: &[&str]) -> String {
    let mut command = trailproof();
    command.current_dir(scenario).env("SOURCE_DATE_EPOCH", "1795000000");
    command.args(["check", form, "--format", "json", "--fail-on", "none"]).args(more);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}: {}", scenario.display(), String::from_utf8_lossy(&output.stderr));
    stdout(&output)
}

fn check(scenario: &Path, form: &str) -> Value {
    serde_json::from_str(&written(scenario, form, &[])).unwrap()
}

fn found(report: &Value) -> Found {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let found = findings.map(|finding| {
        let subject = &finding["subject"];
        // A file belongs to its form; everything else is known by its ARN.
        let subject =
            if subject["arn"].is_string() { text(&subject["arn"]) } else { text(&finding["location"]["file"]) };
        (text(&finding["rule"]), text(&finding["level"]), subject, text(&finding["fingerprint"]))
    });
    let all: Vec<_> = found.collect();
    let set: Found = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "two findings share a fingerprint");
    set
}

fn expected(scenario: &Path) -> BTreeSet<(String, String, String)> {
    let text = std::fs::read_to_string(scenario.join("expected.json")).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|e| (text(&e["rule"]), text(&e["level"]), text(&e["subject"]))).collect()
}

fn scenarios() -> Vec<PathBuf> {
    let folder = root().join("fixtures/estates");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    found.retain(|path| path.join("expected.json").is_file());
    found.sort();
    assert!(found.len() >= 3);
    found
}

#[test]
fn each_estate_gives_exactly_the_findings_it_lists() {
    for scenario in scenarios() {
        let expected = expected(&scenario);
        for form in ["raw", "export"] {
            let found: BTreeSet<_> = found(&check(&scenario, form))
                .into_iter()
                .map(|(rule, level, subject, _)| (rule, level, subject))
                .collect();
            let missed: Vec<_> = expected.difference(&found).collect();
            let extra: Vec<_> = found.difference(&expected).collect();
            assert!(
                missed.is_empty() && extra.is_empty(),
                "{} {form}\nmissed {missed:#?}\nextra {extra:#?}",
                scenario.display()
            );
        }
    }
}

#[test]
fn the_form_of_an_estate_changes_no_finding_and_no_fingerprint() {
    for scenario in scenarios() {
        let (raw, export) = (found(&check(&scenario, "raw")), found(&check(&scenario, "export")));
        let differ: Vec<_> = raw.symmetric_difference(&export).collect();
        assert!(differ.is_empty(), "{}: {differ:#?}", scenario.display());
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    for scenario in scenarios() {
        for form in ["raw", "export"] {
            let [one, four] = ["1", "4"].map(|jobs| written(&scenario, form, &["--jobs", jobs]));
            assert!(one == four, "{} {form}", scenario.display());
        }
    }
}
