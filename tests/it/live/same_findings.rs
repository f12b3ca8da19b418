//! The same estate live and as files.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{assert_same, command, estate, moto};
use crate::support::{root, stderr, stdout, trailproof};

/// What a report says, without the places, which are in other files.
fn said(report: &Value) -> BTreeSet<String> {
    let text = |one: &Value, keys: &[&str]| {
        let values = keys.iter().map(|key| one[key].to_string());
        values.collect::<Vec<_>>().join(" ")
    };
    let subject = |one: &Value| one["subject"]["arn"].to_string();
    let findings = report["findings"].as_array().unwrap().iter();
    let keys = ["rule", "level", "message", "fingerprint", "depends_on", "witness"];
    let findings = findings.map(|one| format!("{} {}", subject(one), text(one, &keys)));
    let gaps = report["gaps"].as_array().unwrap().iter();
    findings.chain(gaps.map(|one| format!("{} {}", subject(one), text(one, &["fact", "reason", "blocks"])))).collect()
}

fn audit(url: &str, config: &Path, more: &[&str]) -> Value {
    let mut audit = command(url);
    audit.env("SOURCE_DATE_EPOCH", "1763000000").args(["audit", "--assume-role", "Audit", "--regions", "us-east-1"]);
    let output = audit.arg("--config").arg(config).args(["--format", "json"]).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn a_live_organization_and_its_files_give_the_same_findings() {
    let Some(url) = moto::url() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = estate::config(folder.path());
    let export = folder.path().join("export");
    estate::write(&export);
    let mut check = trailproof();
    check.env("SOURCE_DATE_EPOCH", "1763000000").arg("check").arg(&export).arg("--config").arg(&config);
    let output = check.args(["--format", "json"]).output().unwrap();
    let files: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(files["findings"].as_array().unwrap().len() > 40, "{}", stderr(&output));

    let snapshot = folder.path().join("snapshot");
    let kept = audit(url, &config, &["--snapshot", snapshot.to_str().unwrap()]);
    assert_same(&said(&kept), &said(&files));
    // Findings point into the snapshot that was kept.
    let place = kept["findings"][0]["location"]["file"].as_str().unwrap();
    assert!(Path::new(place).starts_with(&snapshot) && Path::new(place).is_file(), "{place}");

    let passing = audit(url, &config, &[]);
    assert_same(&said(&passing), &said(&files));
    for finding in passing["findings"].as_array().unwrap() {
        let place = finding["location"]["file"].as_str().unwrap();
        assert!(snapshot.join(place).is_file() || Path::new(place) == config, "{place}");
    }

    // The same findings, at the policy files of a repository.
    let files = "fixtures/estates/seed-flawed/raw";
    let linked = audit(url, &config, &["--link", root().join(files).to_str().unwrap()]);
    assert_same(&said(&linked), &said(&kept));
    let is_linked = |one: &&Value| one["location"]["file"].as_str().unwrap().contains(files);
    let count = linked["findings"].as_array().unwrap().iter().filter(is_linked).count();
    assert!(count >= 30, "{count} findings are linked");
    let accounts = crate::live::manifest(&snapshot)["Accounts"].as_array().unwrap().len();
    assert_eq!(accounts, estate::ACCOUNTS.len());
}
