//! Every example of every card, each on an estate of its own with only its rule selected; a rule about waivers needs the
//! rules beside it that the waivers name.

use serde_json::Value;
use trailproof::rule::Expectation;
use trailproof::rules::RULES;

use crate::support::{stdout, trailproof};

#[test]
fn every_example_says_what_its_card_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for rule in &RULES {
        for (number, example) in rule.card().examples.iter().enumerate() {
            count += 1;
            if let Err(message) = check(rule.id, example) {
                wrong.push(format!("{} example {} ({}): {message}", rule.id, number + 1, example.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} examples:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_card_shows_a_failing_a_passing_and_an_unknown_example() {
    for rule in &RULES {
        let card = rule.card();
        // What such a rule reads is there, or there is nothing to ask about.
        let is_always_known = ["config", "validity"].contains(&rule.group);
        let unknown = Some(Expectation::Unknown).filter(|_| !is_always_known);
        for wanted in [Expectation::Fails, Expectation::Passes].into_iter().chain(unknown) {
            let shown = card.examples.iter().any(|example| example.expectation == wanted);
            assert!(shown, "{} has no example that {}", rule.id, wanted.name());
        }
    }
}

fn check(rule: &str, example: &trailproof::rule::Example) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    for (name, text) in &example.files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).map_err(|e| e.to_string())?;
        std::fs::write(&path, text).map_err(|e| e.to_string())?;
    }
    let mut command = trailproof();
    command.current_dir(folder.path()).env("SOURCE_DATE_EPOCH", "1795000000");
    let select = [rule].into_iter().chain(waived(example)).collect::<Vec<_>>().join(",");
    command.args(["check", ".", "--select", &select, "--format", "json", "--fail-on", "none"]);
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.code() != Some(0) {
        return Err(format!("exit {:?}: {}", output.status.code(), String::from_utf8_lossy(&output.stderr)));
    }
    let report: Value = serde_json::from_str(&stdout(&output)).map_err(|e| e.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings: Vec<String> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| finding["rule"] == rule)
        .map(|finding| {
            let place = &finding["location"];
            let (level, message) = (text(&finding["level"]), text(&finding["message"]));
            format!("{level} {}:{}:{} {message}", text(&place["file"]), place["line"], place["column"])
        })
        .collect();
    let gaps: Vec<String> = report["gaps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|gap| gap["blocks"].as_array().is_some_and(|blocks| blocks.contains(&Value::from(rule))))
        .map(|gap| format!("{}: {}", text(&gap["fact"]), text(&gap["reason"])))
        .collect();
    let is_fit = match (example.expectation, example.findings.is_empty(), example.gaps.is_empty()) {
        (Expectation::Fails, has_none, _) => !has_none,
        (Expectation::Passes, no_finding, no_gap) => no_finding && no_gap,
        (Expectation::Unknown, no_finding, no_gap) => no_finding && !no_gap,
    };
    if !is_fit {
        return Err("what it expects is no such example".to_owned());
    }
    if findings != example.findings || gaps != example.gaps {
        return Err(format!("found\n  {}\ngaps\n  {}", findings.join("\n  "), gaps.join("\n  ")));
    }
    Ok(())
}

/// The rules that the waivers in the config of an example name.
fn waived(example: &trailproof::rule::Example) -> Vec<&str> {
    let configs = example.files.iter().filter(|(name, _)| name == "trailproof.toml");
    let waivers = configs.flat_map(|(_, text)| text.split("[[allow]]").skip(1));
    let rules = waivers.flat_map(str::lines).filter_map(|line| line.strip_prefix("rule = \""));
    rules.filter_map(|rest| rest.strip_suffix('"')).collect()
}
