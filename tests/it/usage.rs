//! Small promises of the command line: where outputs go, what a case may hold, what a list shows.

use serde_json::Value;

use crate::cli::{TRUST, json, run};
use crate::support::{stderr, stdout};

fn files() -> [(&'static str, &'static [u8]); 1] {
    [("roles/a-trust.json", TRUST.as_bytes())]
}

#[test]
fn a_dash_as_output_is_standard_output() {
    let (output, folder) = run(&files(), &["check", "--format", "json", "-o", "-"]);
    assert_eq!(json(&output)["schema_version"], "1");
    assert!(!folder.path().join("-").exists());
    let (output, folder) = run(&files(), &["init", "-o", "-"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).starts_with("# The sharing model"), "{}", stdout(&output));
    assert!(!folder.path().join("-").exists() && !folder.path().join("trailproof.toml").exists());
    let (output, _folder) = run(&files(), &["check", "--format", "json", "-o", "-", "--format", "text"]);
    assert_eq!(output.status.code(), Some(2), "two reports on standard output");
}

#[test]
fn two_reports_never_go_to_one_file() {
    let to = |first: &str, second: &str| {
        run(&files(), &["check", "--format", "json", "-o", first, "--format", "sarif", "-o", second])
    };
    for (first, second) in [("z", "z"), ("z", "./z"), ("roles/a-trust.json", "roles/../roles/a-trust.json")] {
        let (output, folder) = to(first, second);
        assert_eq!(output.status.code(), Some(2), "{first} {second}");
        assert!(
            stderr(&output).contains(&format!("two reports can not go to one file, `{second}`")),
            "{}",
            stderr(&output)
        );
        assert_eq!(std::fs::read_to_string(folder.path().join("roles/a-trust.json")).unwrap(), TRUST);
    }
    assert_eq!(to("y", "z").0.status.code(), Some(1));
    #[cfg(unix)]
    assert_eq!(to("/dev/null", "/dev/null").0.status.code(), Some(1), "a device takes both");
}

#[test]
fn a_case_that_can_not_be_read_is_an_error_and_the_others_are_answered() {
    let request = r#""request":{"principal":"anonymous","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}"#;
    let cases = [
        (format!(r#"{{"id":"good","note":"mine","expect":"implicit-deny",{request}}}"#), ""),
        (format!(r#"{{"id":7,{request}}}"#), ""),
        (format!(r#"{{{request}}}"#), "`id` is missing, or no text"),
        (format!(r#"{{"id":["a"],{request}}}"#), "`id` is missing, or no text"),
        (
            format!(r#"{{"id":"a",{request},"polices":{{}}}}"#),
            "`polices` is no part of a case; did you mean `policies`?",
        ),
        (
            format!(r#"{{"id":"a",{request},"policies":{{"resource":7}}}}"#),
            "a policy can not be read: `policy` is a number, not an object",
        ),
        (
            format!(r#"{{"id":"a",{request},"policies":{{"identity":[{{}},"[]"]}}}}"#),
            "a policy can not be read: `policy` is an array, not an object",
        ),
        (
            format!(r#"{{"id":"a",{}}}"#, request.replace("}", r#","resource_acount":"1"}"#)),
            "`request.resource_acount` is no part of a request; did you mean `resource_account`?",
        ),
        (
            format!(r#"{{"id":"a",{}}}"#, request.replace("}", r#","zone":"1"}"#)),
            "`request.zone` is no part of a request",
        ),
    ];
    let texts: Vec<&str> = cases.iter().map(|(text, _)| text.as_str()).collect();
    let file = format!(r#"{{"cases":[{}]}}"#, texts.join(",\n"));
    let (output, _folder) = run(&[("cases.json", file.as_bytes())], &["simulate", "--cases", "cases.json"]);
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), cases.len());
    for (line, (text, error)) in lines.iter().zip(&cases) {
        let decision = if error.is_empty() { "implicit-deny" } else { "" };
        assert_eq!(line["error"].as_str().unwrap_or_default(), *error, "{text}");
        assert_eq!(line["decision"].as_str().unwrap_or_default(), decision, "{text}");
    }
    assert!(lines[2]["id"].is_null() && lines[2].get("id").is_some());
}

#[test]
fn rules_are_listed_with_status_and_controls_in_every_format() {
    let shown = |format: &str| stdout(&run(&[], &["rules", "--format", format]).0);
    let rules: Value = serde_json::from_str(&shown("json")).unwrap();
    let rule = rules["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "missing-external-id").unwrap();
    let controls: Vec<&str> = rule["controls"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let (status, controls) = (rule["status"].as_str().unwrap(), controls.join(", "));
    for format in ["text", "markdown"] {
        let text = shown(format);
        let mut lines = text.lines().skip_while(|line| !line.contains("missing-external-id"));
        let [line, below] = [lines.next().unwrap(), lines.next().unwrap()];
        assert!(line.contains(&format!(" {status} ")), "{line}");
        assert!(line.contains(&controls) || below.contains(&controls), "{line}\n{below}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_directory_is_told_of_where_all_is_told() {
    let (_, folder) =
        run(&[("in/a-trust.json", TRUST.as_bytes()), ("real/b-trust.json", TRUST.as_bytes())], &["rules"]);
    std::os::unix::fs::symlink("../real", folder.path().join("in/linked")).unwrap();
    let check = |args: &[&str]| {
        let output = crate::support::trailproof().current_dir(folder.path()).args(args).output().unwrap();
        stdout(&output) + &stderr(&output)
    };
    let line = "skipped `in/linked`: a link to a directory, which is not followed";
    assert!(check(&["check", "in", "-v"]).contains(line));
    assert!(!check(&["check", "in"]).contains("linked"));
}

#[test]
fn no_account_is_made_up_for_a_role_of_which_none_is_known() {
    let access = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let (output, _folder) =
        run(&[files()[0], ("roles/a-access.json", access.as_bytes())], &["check", "--format", "json"]);
    let report = json(&output);
    let witness = |rule: &str| {
        let mut findings = report["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["rule"] == rule).unwrap()["witness"].clone()
    };
    assert_eq!(witness("missing-external-id")["resource"], "arn:aws:iam:::role/a");
    assert_eq!(witness("broad-role-access")["principal"], "arn:aws:sts:::assumed-role/a/any-session");
}

#[test]
fn a_statement_that_can_not_be_evaluated_leaves_rules_on_the_text_their_verdict() {
    let text = TRUST.replace("\"Allow\"", "\"allow\"");
    let (output, _folder) = run(&[("roles/a-trust.json", text.as_bytes())], &["check", "--format", "json"]);
    let report = json(&output);
    let gaps = report["gaps"].as_array().unwrap();
    let gap = gaps.iter().find(|gap| gap["reason"].as_str().unwrap().starts_with("statement 1")).unwrap();
    let blocks: Vec<&str> = gap["blocks"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    assert!(blocks.contains(&"missing-external-id"), "{blocks:?}");
    for rule in ["duplicate-key", "invalid-json", "policy-size-limit"] {
        assert!(!blocks.contains(&rule), "{blocks:?}");
    }
}
