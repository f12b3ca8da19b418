//! The JSON report: its contract, its published schema, its places.

use serde_json::Value;
use trailproof::audit::Report;
use trailproof::finding::Level;
use trailproof::report::json::{SCHEMA, write};
use trailproof::text::{Source, SourceId, SourceMap, Span};

use super::samples;

fn text(report: &Report<'_>) -> String {
    let mut out = Vec::new();
    write(&mut out, report).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(report: &Report<'_>) -> Value {
    serde_json::from_str(&text(report)).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(jsonschema::meta::validate(&schema).map_err(|e| e.to_string()), Ok(()));
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[test]
fn the_shape_is_the_contract_and_keys_keep_their_order() {
    let sources = samples::example_sources();
    let report = json(&samples::example(&sources));
    assert_eq!(keys(&report), ["schema_version", "tool", "summary", "findings", "gaps", "suppressed", "remarks"]);
    assert_eq!(report["schema_version"], "1");
    assert_eq!(report["tool"]["data_version"], "2026-11");
    let summary = serde_json::json!({"files": 5, "subjects": 2, "errors": 3, "warnings": 1, "notes": 0, "gaps": 2,
        "suppressed": 1, "set_aside": 0});
    assert_eq!(report["summary"], summary);
    let finding = &report["findings"][3];
    let finding_keys = [
        "rule",
        "level",
        "security_severity",
        "message",
        "subject",
        "location",
        "related",
        "path",
        "witness",
        "help",
        "fix",
        "controls",
        "fingerprint",
        "depends_on",
        "label",
    ];
    assert_eq!(keys(finding), finding_keys);
    assert_eq!((&finding["rule"], &finding["level"]), (&"missing-external-id".into(), &"error".into()));
    assert_eq!(finding["security_severity"], 8.1);
    assert_eq!(finding["controls"][0], "NIST-800-53-r5:AC-3 A");
    assert_eq!(keys(&finding["location"]), ["file", "pointer", "line", "column", "end_line", "end_column"]);
    assert_eq!(keys(&finding["witness"]), ["principal", "action", "resource", "context", "decision", "depends_on"]);
    assert_eq!(finding["witness"]["context"]["aws:PrincipalAccount"], "999999999999");
    assert_eq!(finding["witness"]["context"]["aws:PrincipalOrgPaths"][1], "o-a/r-1/ou-2/");
    assert_eq!(finding["path"][1]["effect"], "unless");
    assert_eq!((&finding["path"][1]["location"], &finding["fix"]), (&Value::Null, &Value::Null));
    assert_eq!(finding["depends_on"][1], "role.permissions-boundary");
    let gap = &report["gaps"][0];
    assert_eq!(keys(gap), ["subject", "fact", "reason", "blocks", "locations"]);
    assert_eq!(gap["subject"]["arn"], "arn:aws:iam::111111111111:role/log-analyzer");
    let suppressed = &report["suppressed"][0];
    assert_eq!(keys(suppressed), [&finding_keys[..], &["waiver"]].concat());
    assert_eq!(
        (&suppressed["waiver"]["until"], &suppressed["waiver"]["location"]["line"]),
        (&"2026-12-31".into(), &1.into())
    );
}

#[test]
fn reports_are_valid_under_the_published_schema() {
    let validator = validator();
    let sources = samples::example_sources();
    let many = samples::many_sources(30, true);
    let empty = SourceMap::new();
    for report in [samples::example(&sources), samples::many(&many), samples::report(&empty, Vec::new())] {
        let errors: Vec<String> =
            validator.iter_errors(&json(&report)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [""; 0]);
    }
}

#[test]
fn the_published_schema_refuses_what_is_not_the_contract() {
    let validator = validator();
    let sources = samples::example_sources();
    let good = json(&samples::example(&sources));
    let spoil = |pointer: &str, value: Value| {
        let mut report = good.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        validator.is_valid(&report)
    };
    assert!(validator.is_valid(&good));
    assert!(!spoil("/schema_version", "2".into()));
    assert!(!spoil("/findings/3/location/line", 0.into()));
    assert!(!spoil("/findings/3/level", "fatal".into()));
    assert!(!spoil("/findings/3/fingerprint", "abc".into()));
    assert!(!spoil("/findings/3/subject/account", "1".into()));
    assert!(!spoil("/findings/3/witness/context", serde_json::json!({"k": 1})));
    assert!(!spoil("/suppressed/0/waiver/until", "soon".into()));
    assert!(!spoil("/suppressed/0/waiver", Value::Null));
    assert!(!spoil("/gaps/0/blocks", serde_json::json!(["Not An ID"])));
}

/// The text at a reported place, found by walking lines and characters.
fn text_at(text: &str, location: &Value) -> String {
    let number = |key: &str| location[key].as_u64().unwrap() as usize;
    let mut found = String::new();
    let (mut line, mut column) = (1, 1);
    for character in text.chars() {
        if (line, column) >= (number("line"), number("column"))
            && (line, column) < (number("end_line"), number("end_column"))
        {
            found.push(character);
        }
        (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    found
}

/// The value that a pointer names, found by another JSON reader.
fn value_at(text: &str, pointer: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    for (layer, pointer) in pointer.split('!').enumerate() {
        if layer > 0 {
            value = serde_json::from_str(value.as_str().unwrap()).unwrap();
        }
        value = value.pointer(&pointer.replace("~2", "!")).unwrap().clone();
    }
    value
}

#[test]
fn places_are_what_an_independent_count_says() {
    let inner = r#"{\"Statement\":[{\"Sid\":\"a\u00e9😀\",\"Effect\":\"Allow\"}]}"#;
    let text = format!(
        "{{\r\n\t\"ключ 😀\": [\r\n\t\t\"a\u{308}b\", {{\"x\":\r\n 1}}],\r\n\t\"e!\": {{\"P\": \"{inner}\"}},\n \"a/b~\": null}}"
    );
    let cases = [
        ("\"a\u{308}b\"", "/ключ 😀/0"),
        ("{\"x\":\r\n 1}", "/ключ 😀/1"),
        ("\\\"Allow\\\"", "/e~2/P!/Statement/0/Effect"),
        ("\\\"a\\u00e9😀\\\"", "/e~2/P!/Statement/0/Sid"),
        ("null", "/a~1b~0"),
    ];
    let mut sources = SourceMap::new();
    let file = sources.add(Source::new("a.json", text.as_str()));
    let findings = cases
        .iter()
        .map(|(needle, _)| samples::finding("missing-mfa", Level::Note, samples::span(&sources, file, needle), "m"));
    let report = json(&samples::report(&sources, findings.collect()));
    for ((needle, pointer), finding) in cases.iter().zip(report["findings"].as_array().unwrap()) {
        assert_eq!(finding["location"]["pointer"], *pointer);
        assert_eq!(text_at(&text, &finding["location"]), *needle);
        let named = value_at(&text, pointer);
        let shown = if needle.contains('\\') { needle.replace("\\\"", "\"") } else { (*needle).to_owned() };
        assert_eq!(named, serde_json::from_str::<Value>(&shown).unwrap());
    }
}

#[test]
fn what_is_no_json_has_a_place_without_a_pointer() {
    let mut sources = SourceMap::new();
    let file = sources.add(Source::new("trailproof.toml", "[[allow]]\nrule = \"x\"\n"));
    let place = samples::span(&sources, file, "\"x\"");
    let report = json(&samples::report(&sources, vec![samples::finding("unused-waiver", Level::Warning, place, "m")]));
    let location = serde_json::json!({"file": "trailproof.toml", "pointer": "", "line": 2, "column": 8, "end_line": 2,
        "end_column": 11});
    assert_eq!(report["findings"][0]["location"], location);
}

#[test]
fn pointers_in_a_file_of_many_megabytes_are_those_of_a_small_one() {
    let small = samples::many_sources(3, false);
    let large = samples::many_sources(130_000, false);
    assert!(large.source(SourceId::new(0)).unwrap().text().len() > 17 << 20);
    let place = |sources: &SourceMap| {
        let start = samples::span(sources, SourceId::new(0), "\"RoleName\": \"réader-000002\"").start;
        Span::new(SourceId::new(0), start, start + 10)
    };
    let location = |sources: &SourceMap| {
        let finding = samples::finding("missing-mfa", Level::Note, place(sources), "m");
        json(&samples::report(sources, vec![finding]))["findings"][0]["location"].clone()
    };
    assert_eq!(location(&large), location(&small));
    assert_eq!(location(&small)["pointer"], "/RoleDetailList/2/RoleName");
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let sources = samples::example_sources();
    assert_eq!(text(&samples::example(&sources)), text(&samples::example(&sources)));
    assert!(text(&samples::example(&sources)).ends_with("}\n"));
}
