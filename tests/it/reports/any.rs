//! Whatever the places are, each format can be written and keeps its promises.

use proptest::prelude::*;
use trailproof::finding::{Label, Level, Step, StepEffect};
use trailproof::report::{Format, TextOptions, write};
use trailproof::text::{Source, SourceMap, Span};

use super::samples;

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("a"), 1 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r"), 1 => Just("\t"), 1 => Just("ä"),
        1 => Just("日"), 1 => Just("\u{1f600}"), 1 => Just("\u{1b}"), 1 => Just("\u{202e}"), 1 => Just("{\"k\": [1, 2]}"),
        1 => Just("a line that is longer than what is shown of a line, so that it has to be cut on one side or both"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Places as they come, also beyond the end and inside a character.
fn places() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((0u32..400, prop_oneof![Just(0u32), 0u32..8, 0u32..400]), 1..7)
}

proptest! {
    #[test]
    fn any_place_in_any_text_can_be_reported(texts in prop::collection::vec(text(), 1..3), places in places()) {
        let mut sources = SourceMap::new();
        let files: Vec<_> =
            texts.iter().map(|text| sources.add(Source::new(format!("f{}.json", text.len()), text.as_str()))).collect();
        let spans: Vec<Span> = places
            .iter()
            .zip(files.iter().cycle())
            .map(|((start, length), file)| Span::new(*file, *start, start + length))
            .collect();
        let mut finding = samples::finding("missing-mfa", Level::Note, spans[0], "m");
        finding.related = spans.iter().skip(1).map(|span| Label::new(*span, "r")).collect();
        finding.path = spans
            .iter()
            .map(|span| Step { effect: StepEffect::Allows, message: "s".to_owned(), span: Some(*span) })
            .collect();
        let report = samples::report(&sources, vec![finding]);
        for format in Format::ALL {
            let mut out = Vec::new();
            let options = TextOptions { width: 60, verbose: true, ..TextOptions::default() };
            write(&mut out, format, &report, &options).unwrap();
            let shown = String::from_utf8(out).unwrap();
            if format == Format::Text {
                let raw = shown.contains(['\u{1b}', '\u{202e}', '\r', '\t']);
                prop_assert!(!raw, "{}", shown);
                // The label is drawn, or the file is empty.
                prop_assert!(shown.contains("╭──") || texts[0].is_empty(), "{}", shown);
            } else {
                let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
                let (region, keys) = match format {
                    Format::Json => (&value["findings"][0]["location"], ["line", "column", "end_line", "end_column"]),
                    _ => (
                        &value["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"],
                        ["startLine", "startColumn", "endLine", "endColumn"],
                    ),
                };
                let [line, column, end_line, end_column] = keys.map(|key| region[key].as_u64().unwrap());
                prop_assert!(line > 0 && column > 0 && (line, column) <= (end_line, end_column), "{}", region);
            }
        }
    }
}
