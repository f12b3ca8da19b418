//! CSV, read back by another reader.

use trailproof::report::{AccessFormat, AccessOptions};
use trailproof::text::SourceMap;

use super::samples;

fn read(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn text(matrices: &[trailproof::finding::matrix::Matrix], sources: &SourceMap) -> String {
    samples::rendered(AccessFormat::Csv, matrices, sources, AccessOptions::default())
}

#[test]
fn there_is_a_line_for_each_reader_and_owner() {
    let sources = samples::sources();
    let lines = read(&text(&[samples::small(&sources), samples::organization(3)], &sources));
    assert_eq!(lines.len(), 1 + 6 * 2 + 8 * 4);
    let expected = [
        [
            "bucket",
            "reader_kind",
            "reader",
            "reader_name",
            "logs",
            "logs_name",
            "can",
            "certainty",
            "model",
            "encrypted",
            "through",
            "depends_on",
        ],
        [
            "my-organization-bucket",
            "anyone",
            "anyone",
            "",
            "222222222222",
            "payments",
            "none",
            "certain",
            "expected",
            "true",
            "",
            "",
        ],
        [
            "my-organization-bucket",
            "account",
            "222222222222",
            "payments",
            "222222222222",
            "payments",
            "list get decrypt",
            "certain",
            "expected",
            "true",
            "",
            "",
        ],
        [
            "my-organization-bucket",
            "account",
            "333333333333",
            "security",
            "222222222222",
            "payments",
            "get:conditional decrypt:conditional",
            "conditional",
            "too-much",
            "true",
            "",
            "aws:SourceIp",
        ],
        [
            "my-organization-bucket",
            "role",
            samples::ANALYZER,
            "",
            "333333333333",
            "security",
            "get decrypt:unknown",
            "unknown",
            "",
            "true",
            "",
            "key.policy",
        ],
        [
            "central-logs",
            "account",
            "200000000001",
            "team 1",
            "200000000001",
            "team 1",
            "list get decrypt",
            "certain",
            "expected",
            "true",
            "",
            "",
        ],
        [
            "central-logs",
            "account",
            "200000000001",
            "team 1",
            "200000000002",
            "team 2",
            "list",
            "certain",
            "too-much",
            "true",
            "",
            "",
        ],
    ];
    let through = lines.iter().find(|line| line[2] == "999999999999" && line[4] == "333333333333").unwrap();
    assert_eq!(through[6..11], ["get", "certain", "too-little", "true", samples::ANALYZER]);
    for line in expected {
        assert!(lines.iter().any(|known| known == &line), "{line:?}");
    }
}

#[test]
fn every_line_ends_as_the_standard_says() {
    let sources = samples::sources();
    let text = text(&[samples::small(&sources)], &sources);
    assert!(text.ends_with("\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn hostile_names_stay_in_their_field_and_are_no_formulas() {
    let (matrix, sources) = samples::hostile();
    let lines = read(&text(&[matrix], &sources));
    assert_eq!(lines.len(), 1 + 18 * 24);
    for field in lines.iter().flatten() {
        assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r']), "{field}");
        assert!(field.chars().all(|c| !c.is_control()), "{field:?}");
    }
    assert!(lines.iter().any(|line| line[2] == "'=HYPERLINK(\"https://evil.example\",\"x\")"));
    assert!(lines.iter().any(|line| line[2] == "'-1+1\\u{9}\\u{d}\\u{a}x"));
}
