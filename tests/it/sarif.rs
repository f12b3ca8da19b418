//! SARIF: the official schema, the Microsoft multitool with its GitHub rules, and what GitHub asks for beyond them.
//!
//! `sarif-schema-2.1.0.json` is the OASIS SARIF Technical Committee's schema, as its `$id` says, unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use trailproof::audit::Report;
use trailproof::finding::{Label, Level, Step, StepEffect};
use trailproof::report::sarif::write;
use trailproof::text::{Source, SourceId, SourceMap, Span};

use crate::reports::samples;
use crate::support::{stdout, trailproof};

/// The multitool's rules that a report does not keep, and why.
const NOT_KEPT: [(&str, &str); 6] = [
    ("SARIF2002", "GitHub shows `message.text` and knows no message strings"),
    ("SARIF2003", "a report holds nothing of the place where it was made, so no repository and revision"),
    ("SARIF2006", "it fetches every address, and tests run offline"),
    ("SARIF2009", "rule IDs are words, so that people can read them after `ignore`"),
    ("SARIF2016", "a file outside the working directory has no relative URI"),
    ("SARIF2010", "a snippet would copy policy text, external IDs included, into what is uploaded"),
];

/// The same for SARIF2011, which asks for more lines of the same text.
const CONTEXT_REGION: &str = "SARIF2011";

fn text(report: &Report<'_>) -> String {
    let mut out = Vec::new();
    write(&mut out, report).unwrap();
    String::from_utf8(out).unwrap()
}

fn run(report: &Report<'_>) -> Value {
    let mut log: Value = serde_json::from_str(&text(report)).unwrap();
    log["runs"][0].take()
}

fn schema_errors(log: &Value) -> Vec<String> {
    let mut schema: Value = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    // The published pattern has a bracket too many, which makes it no regular expression.
    for component in ["run", "toolComponent"] {
        schema["definitions"][component]["properties"]["language"]["pattern"] = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn all_results(run: &Value) -> &Vec<Value> {
    run["results"].as_array().unwrap()
}

#[test]
fn reports_are_valid_under_the_official_schema() {
    let sources = samples::example_sources();
    let many = samples::many_sources(30, true);
    let empty = SourceMap::new();
    for report in [samples::example(&sources), samples::many(&many), samples::report(&empty, Vec::new())] {
        assert_eq!(schema_errors(&serde_json::from_str(&text(&report)).unwrap()), [""; 0]);
    }
    let mut spoiled: Value = serde_json::from_str(&text(&samples::example(&sources))).unwrap();
    spoiled["runs"][0]["results"][0]["level"] = "fatal".into();
    assert_eq!(schema_errors(&spoiled).len(), 1);
}

/// The multitool, if it is on this machine; a test says so where it is not, or fails where tools are required.
fn multitool() -> Option<PathBuf> {
    let named = std::env::var_os("TRAILPROOF_SARIF_MULTITOOL").map(PathBuf::from);
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool");
    let found = named.or_else(|| installed.is_file().then_some(installed));
    if found.is_none() {
        assert_ne!(std::env::var("TRAILPROOF_REQUIRE_TOOLS").as_deref(), Ok("1"), "the SARIF multitool is missing");
        println!(
            "not run: the SARIF multitool is missing (npm install @microsoft/sarif-multitool-linux, or name it in \
             TRAILPROOF_SARIF_MULTITOOL)"
        );
    }
    found
}

/// What the multitool says of a log: the places by the rule they break.
fn complaints(tool: &Path, log_text: &str) -> BTreeMap<String, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let (log, said) = (folder.path().join("log.sarif"), folder.path().join("said.sarif"));
    std::fs::write(&log, log_text).unwrap();
    let output = Command::new(tool)
        .args(["validate", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note", "--log", "ForceOverwrite"])
        .arg("--output")
        .args([&said, &log])
        .output()
        .unwrap();
    let said = std::fs::read_to_string(&said).unwrap_or_else(|_| panic!("no answer: {output:?}"));
    let said: Value = serde_json::from_str(said.trim_start_matches('\u{feff}')).unwrap();
    let mut complaints: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for result in said["runs"][0]["results"].as_array().into_iter().flatten() {
        let rule = result["ruleId"].as_str().unwrap_or("without a rule").to_owned();
        complaints.entry(rule).or_default().push(result["message"].to_string());
    }
    complaints
}

#[test]
fn the_multitool_and_its_github_rules_find_nothing_else() {
    let Some(tool) = multitool() else { return };
    let sources = samples::example_sources();
    let report = samples::example(&sources);
    let mut found = complaints(&tool, &text(&report));
    for (rule, _) in NOT_KEPT {
        found.remove(rule);
    }
    // This one is known to speak, which shows that the tool looked.
    assert!(found.remove(CONTEXT_REGION).is_some(), "the multitool did not look at the results: {found:?}");
    assert!(found.is_empty(), "{found:#?}");

    let empty = SourceMap::new();
    let mut found = complaints(&tool, &text(&samples::report(&empty, Vec::new())));
    found.retain(|rule, _| NOT_KEPT.iter().all(|(known, _)| known != rule));
    assert!(found.is_empty(), "{found:#?}");
}

/// The bundled estates as the command writes them, each form of the flawed one and a good one.
fn real_logs() -> Vec<String> {
    let estates = ["seed-flawed/export", "seed-flawed/raw", "seed-good/export"];
    let log = |estate: &&str| {
        let path = format!("fixtures/estates/{estate}");
        let args = ["check", &path, "--format", "sarif", "--fail-on", "none"];
        stdout(&trailproof().current_dir(env!("CARGO_MANIFEST_DIR")).args(args).output().unwrap())
    };
    estates.iter().map(log).collect()
}

#[test]
fn what_the_command_writes_of_whole_estates_is_valid() {
    let logs = real_logs();
    let counts = logs.iter().map(|log| {
        let log: Value = serde_json::from_str(log).unwrap();
        assert_eq!(schema_errors(&log), [""; 0]);
        all_results(&log["runs"][0]).len()
    });
    let counts: Vec<usize> = counts.collect();
    assert!(counts[0] > 20 && counts[0] == counts[1] && counts[2] == 0, "{counts:?}");
    let Some(tool) = multitool() else { return };
    for log in &logs {
        let mut found = complaints(&tool, log);
        found.retain(|rule, _| rule != CONTEXT_REGION && NOT_KEPT.iter().all(|(known, _)| known != rule));
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn what_github_asks_for_is_there() {
    let sources = samples::example_sources();
    let report = samples::example(&sources);
    let run = run(&report);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), report.rules.len());
    for (rule, facts) in rules.iter().zip(&report.rules) {
        assert_eq!(rule["id"], facts.id);
        assert_eq!(rule["defaultConfiguration"]["level"], facts.level().name());
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string());
        let full = rule["fullDescription"]["text"].as_str().unwrap().chars().count();
        assert!((900..=1024).contains(&full), "{full}");
        let markdown = rule["help"]["markdown"].as_str().unwrap();
        assert!(markdown.contains("## Remediation\n\nMend it:\n\n```json\n") && markdown.contains("* <https://docs."));
        let properties = &rule["properties"];
        let tags = properties["tags"].as_array().unwrap();
        assert!(tags.contains(&"security".into()) && tags.contains(&facts.group.into()) && tags.len() <= 20);
        assert!(tags.contains(&"NIST-800-53-r5:AC-3".into()));
        assert_eq!(properties["precision"], "high");
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"));
    }
    let severities: Vec<&str> = rules.iter().filter_map(|r| r["properties"]["security-severity"].as_str()).collect();
    assert_eq!(severities, ["5.0", "8.1", "3.0", "0.0", "6.5"]);
    let kinds: Vec<&str> = rules.iter().filter_map(|r| r["properties"]["problem.severity"].as_str()).collect();
    assert_eq!(kinds, ["error", "error", "recommendation", "warning", "warning"]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["automationDetails"]["id"], "trailproof/check/");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    for result in all_results(&run) {
        assert_eq!(result["kind"], "fail");
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        assert_eq!(result["partialFingerprints"]["trailproof/v1"].as_str().unwrap().len(), 32);
    }
}

#[test]
fn places_are_relative_encoded_and_never_empty() {
    let sources = samples::example_sources();
    let run = run(&samples::example(&sources));
    let shown: Vec<String> = all_results(&run)
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            let (artifact, region) = (&place["artifactLocation"], &place["region"]);
            let [line, column, end_line, end_column] =
                ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64().unwrap());
            format!("{} {} {line}:{column}-{end_line}:{end_column}", artifact["uri"], artifact["uriBaseId"])
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#""stdin" null 1:1-1:1"#,
            r#""file:///srv/shared/trust%20%C3%A9.json" null 1:20-2:1"#,
            r#""exports/get%20bucket-policy%20%231.json" "%SRCROOT%" 2:61-2:70"#,
            r#""roles/log-analyzer.json" "%SRCROOT%" 7:28-7:60"#,
            r#""roles/log-analyzer.json" "%SRCROOT%" 6:17-6:24"#,
        ]
    );
    let base = &run["originalUriBaseIds"]["%SRCROOT%"];
    assert!(base["uri"].is_null() && base["description"]["text"].is_string());
}

#[test]
fn a_result_tells_the_whole_story() {
    let sources = samples::example_sources();
    let run = run(&samples::example(&sources));
    let result = &all_results(&run)[3];
    let message = result["message"]["text"].as_str().unwrap();
    assert!(message.starts_with("account 999999999999 can assume `log-analyzer`"));
    assert!(
        message.contains(r" (see [no condition on `sts:ExternalId`](1), [what the role may read \[all of it\](x)](2))")
    );
    assert!(message.contains("\n\nadd `\"Condition\""));
    let related = result["relatedLocations"].as_array().unwrap();
    assert_eq!(related.iter().map(|place| place["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(related[1]["physicalLocation"]["region"]["startColumn"], 40);
    let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    assert_eq!(steps.len(), 1, "a step without a place has no place in a code flow");
    assert_eq!(steps[0]["location"]["message"]["text"], "allows: the trust policy lets account 999999999999 in");
    let logical = &result["locations"][0]["logicalLocations"][0];
    assert_eq!(logical["fullyQualifiedName"], "arn:aws:iam::111111111111:role/log-analyzer");
    let properties = &result["properties"];
    assert_eq!(properties["subject"]["account"], "111111111111");
    assert_eq!(properties["witness"]["action"], "sts:AssumeRole");
    assert_eq!(properties["depends_on"][0], "organization.scp");
    assert_eq!(properties["controls"][1], "PCI-DSS-4.0.1:7.2.1 J");
}

#[test]
fn input_in_a_message_is_neither_a_link_nor_a_terminal_escape() {
    let sources = samples::example_sources();
    let run = run(&samples::example(&sources));
    let message = &all_results(&run)[2]["message"]["text"];
    assert_eq!(message, "Sid \\u{1b}[31m`red`\\u{202e}\\u{0} ends [here] (https://example.com)");
}

#[test]
fn a_waived_finding_is_suppressed_and_an_unwaived_one_is_not() {
    let sources = samples::example_sources();
    let run = run(&samples::example(&sources));
    let suppression = &all_results(&run)[4]["suppressions"][0];
    assert_eq!((&suppression["kind"], &suppression["status"]), (&"external".into(), &"accepted".into()));
    assert_eq!(suppression["justification"], "reviewed in SEC-1412");
    assert_eq!(suppression["location"]["physicalLocation"]["artifactLocation"]["uri"], "trailproof.toml");
    assert!(all_results(&run)[3]["suppressions"].is_null());
}

#[test]
fn gaps_and_remarks_are_notifications() {
    let sources = samples::example_sources();
    let run = run(&samples::example(&sources));
    let said = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let shown: Vec<String> = said
        .iter()
        .map(|n| format!("{} {} {}", n["descriptor"]["id"], n["level"], n["message"]["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            r#""unknown-fact" "note" `role.permissions` of role `log-analyzer` is not known: not among the inputs; no verdict from `missing-mfa`"#,
            r#""unknown-fact" "warning" `role.tags` of role `log-analyzer` is not known: not among the inputs; no verdict from `missing-mfa`, `writer-owned-objects`"#,
            r#""run-remark" "note" the config `trailproof.toml` was used"#,
        ]
    );
    assert_eq!(said[0]["associatedRule"]["id"], "missing-mfa");
    let known = run["tool"]["driver"]["notifications"].as_array().unwrap();
    for notification in said {
        let index = notification["descriptor"]["index"].as_u64().unwrap() as usize;
        assert_eq!(known[index]["id"], notification["descriptor"]["id"]);
    }
}

#[test]
fn of_too_many_results_the_worst_are_kept_in_their_order_and_the_rest_is_counted() {
    let mut sources = SourceMap::new();
    let file = sources.add(Source::new("f.json", "{}"));
    let level = |number: usize| [Level::Warning, Level::Error, Level::Note][number % 3];
    let findings = (0..25_300)
        .map(|number| samples::finding("missing-mfa", level(number), Span::file(file), &format!("number {number:05}")));
    let log = text(&samples::report(&sources, findings.collect()));
    let kept: Vec<usize> = log
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"text\": \"number ")?.get(..5)?.parse().ok())
        .collect();
    let notes = (0..25_300).filter(|number| level(*number) == Level::Note).count() - 300;
    let last_note = (0..25_300).filter(|number| level(*number) == Level::Note).nth(notes).unwrap();
    let expected: Vec<usize> =
        (0..25_300).filter(|number| level(*number) != Level::Note || *number < last_note).collect();
    assert_eq!(kept.len(), 25_000);
    assert!(kept == expected);
    assert!(log.contains("\"300 results were left out, because"));
}

#[test]
fn every_uri_is_a_path_or_a_file() {
    let mut sources = SourceMap::new();
    for name in ["a:b.json", "C:/x.json", "-", "/", "日本/\u{7}.json", "?#[]", " "] {
        sources.add(Source::new(name, "{}"));
    }
    let findings = (0..sources.len() as u32).map(|n| {
        let place = Span::new(SourceId::new(n), 0, 2);
        let mut finding = samples::finding("missing-mfa", Level::Note, place, "m");
        finding.related.push(Label::new(place, ""));
        finding.path.push(Step { effect: StepEffect::Allows, message: "s".to_owned(), span: Some(place) });
        finding
    });
    let log = text(&samples::report(&sources, findings.collect()));
    assert_eq!(schema_errors(&serde_json::from_str(&log).unwrap()), [""; 0]);
    let mut uris = BTreeSet::new();
    for line in log.lines().filter_map(|line| line.trim().strip_prefix("\"uri\": \"")) {
        uris.insert(line.split('"').next().unwrap());
    }
    let expected =
        ["%20", "%3F%23%5B%5D", "%E6%97%A5%E6%9C%AC/%07.json", "a%3Ab.json", "file:///", "file:///C:/x.json", "stdin"];
    assert_eq!(uris.into_iter().collect::<Vec<_>>(), expected);
}
