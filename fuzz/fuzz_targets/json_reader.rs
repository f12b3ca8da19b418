//! Any text: the reader takes exactly what JSON is, every span lies in the text, and the cursor agrees with the tape.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailproof::syntax::json::{Container, Cursor, Json, JsonError, Kind, Tape};
use trailproof::syntax::pointer::pointers;
use trailproof::text::embedded::Place;
use trailproof::text::{SourceId, Span};

fuzz_target!(|text: &str| {
    let place = Place::direct(SourceId::new(0), 0);
    let mut tape = Tape::new();
    let read = tape.read(text, &place);
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => assert!(read.is_ok() || text.matches(['[', '{']).count() > 100, "refused: {text:?}"),
        Err(error) => {
            let known = ["number out of range", "recursion limit"].iter().any(|k| error.to_string().contains(k));
            assert!(read.is_err() || known, "accepted: {text:?}");
        }
    }
    assert_eq!(walk(text).is_ok(), read.is_ok(), "the cursor disagrees: {text:?}");
    if let Ok(json) = read {
        let mut spans = Vec::new();
        visit(json, text, &mut spans, 0);
        json.duplicate_keys();
        if !spans.is_empty() {
            assert_eq!(pointers(text, &spans).len(), spans.len());
        }
    }
});

fn visit(json: Json<'_>, text: &str, spans: &mut Vec<Span>, layer: usize) {
    let span = json.span();
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "a span splits a character");
    if spans.len() < 64 {
        spans.push(span);
    }
    match json.kind() {
        Kind::Object => json.members().for_each(|(key, value)| {
            visit(key, text, spans, layer);
            visit(value, text, spans, layer);
        }),
        Kind::Array => json.elements().for_each(|element| visit(element, text, spans, layer)),
        Kind::String if layer < 3 => {
            if let Some((inner, place)) = json.decoded() {
                let mut tape = Tape::new();
                if let Ok(json) = tape.read(&inner, &place) {
                    visit(json, text, spans, layer + 1);
                }
            }
        }
        _ => {}
    }
}

fn walk(text: &str) -> Result<(), JsonError> {
    let place = Place::direct(SourceId::new(0), 0);
    let mut cursor = Cursor::new(text, &place);
    item(&mut cursor)?;
    cursor.finish()
}

fn item(cursor: &mut Cursor<'_>) -> Result<(), JsonError> {
    let mut tape = Tape::new();
    match cursor.peek() {
        Container::Object => {
            cursor.enter()?;
            while cursor.next_key(&mut tape)?.is_some() {
                item(cursor)?;
            }
        }
        Container::Array => {
            cursor.enter()?;
            while cursor.next_element()? {
                item(cursor)?;
            }
        }
        Container::Scalar => {
            cursor.value(&mut tape)?;
        }
    }
    Ok(())
}
