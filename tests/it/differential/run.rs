//! Both evaluators, each as the program that it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{root, trailproof};

/// What the two say to one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) ours: String,
    pub(crate) theirs: String,
}

impl Answers {
    /// Whether both decide and decide alike: allowed, denied by a statement, or not allowed by any.
    pub(crate) fn agree(&self) -> bool {
        self.ours == self.theirs && self.decided()
    }

    /// Whether each is one of the three decisions: no error, and nothing that depends.
    pub(crate) fn decided(&self) -> bool {
        [&self.ours, &self.theirs].iter().all(|answer| DECISIONS.contains(&answer.as_str()))
    }
}

const DECISIONS: [&str; 3] = ["allowed", "explicit-deny", "implicit-deny"];

/// The folder below which the package is installed; a test says so where it is not, or fails where tools are required.
pub(crate) fn package() -> Option<PathBuf> {
    let folder = std::env::var_os("TRAILPROOF_IAM_SIMULATE").map_or_else(|| root().to_path_buf(), PathBuf::from);
    let installed = folder.join("node_modules/@cloud-copilot/iam-simulate/package.json").is_file();
    let node =
        Command::new("node").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if installed && node {
        return Some(folder);
    }
    let missing = if node { "@cloud-copilot/iam-simulate" } else { "Node.js" };
    assert_ne!(std::env::var("TRAILPROOF_REQUIRE_TOOLS").as_deref(), Ok("1"), "{missing} is missing");
    println!(
        "not run: {missing} is missing (npm install --no-save @cloud-copilot/iam-simulate@0.1.173, or name the folder \
         of its node_modules in TRAILPROOF_IAM_SIMULATE)"
    );
    None
}

/// Asks both for every case.
pub(crate) fn both(package: &Path, cases: &[Value]) -> Vec<Answers> {
    if cases.is_empty() {
        return Vec::new();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), cases);
    let theirs = Command::new("node")
        .arg(root().join("benches/differential/simulate.mjs"))
        .arg(&file)
        .env("TRAILPROOF_IAM_SIMULATE", package)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ours = answers_of(&file);
    let theirs = theirs.wait_with_output().unwrap();
    assert!(theirs.status.success(), "simulate.mjs failed");
    let theirs = read(&String::from_utf8(theirs.stdout).unwrap(), cases.len());
    ours.into_iter().zip(theirs).map(|(ours, theirs)| Answers { ours, theirs }).collect()
}

/// Asks the command under test alone.
pub(crate) fn ours(cases: &[Value]) -> Vec<String> {
    if cases.is_empty() {
        return Vec::new();
    }
    let folder = tempfile::tempdir().unwrap();
    answers_of(&write(folder.path(), cases))
}

fn write(folder: &Path, cases: &[Value]) -> PathBuf {
    let file = folder.join("cases.json");
    // The answers come in order, and a case that was changed keeps its ID: number them here.
    let numbered: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let mut case = case.clone();
            case["id"] = json!(number.to_string());
            case
        })
        .collect();
    std::fs::write(&file, json!({"cases": numbered}).to_string()).unwrap();
    file
}

fn answers_of(file: &Path) -> Vec<String> {
    let output = trailproof().arg("simulate").arg("--cases").arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    read(&text, text.lines().count())
}

/// The decisions in order of their number; an error is an answer too.
fn read(text: &str, wanted: usize) -> Vec<String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let number: usize = line["id"].as_str().unwrap().parse().unwrap();
        let answer = match line["decision"].as_str() {
            Some(decision) => decision.to_owned(),
            None => format!("error: {}", line["error"].as_str().unwrap_or_default()),
        };
        found.insert(number, answer);
    }
    assert_eq!(found.len(), wanted, "every case has an answer");
    found.into_values().collect()
}
