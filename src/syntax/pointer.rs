//! JSON Pointers (RFC 6901) of places that are already known by their bytes.
//!
//! One pass over a file gives the pointers of all its places. Inside a string that holds JSON the pointer goes on after
//! a `!`; a `!` in a key is written `~2`.

mod walk;

use std::borrow::Cow;

use super::json::{Json, Kind, Tape};
use crate::text::Span;
use crate::text::embedded::{Place, percent_decode};

/// How many layers of text inside text are followed.
const MAX_LAYERS: usize = 4;

/// Texts from this many bytes on are read one item at a time, so that memory does not grow with the file.
const LARGE: usize = 16 << 20;

/// The pointers of `spans`, in their order, in the file that `text` is; the empty pointer where the text is not JSON.
///
/// A span gets the pointer of the smallest value that holds it; a key stands for its member.
pub fn pointers(text: &str, spans: &[Span]) -> Vec<String> {
    if text.len() < LARGE { pointers_at_once(text, spans) } else { walk::pointers(text, spans) }
}

fn pointers_at_once(text: &str, spans: &[Span]) -> Vec<String> {
    let mut found = vec![String::new(); spans.len()];
    let Some(source) = spans.first().map(|s| s.source) else { return found };
    let place = Place::direct(source, 0);
    let mut tape = Tape::new();
    if let Ok(json) = tape.read(text, &place) {
        let mut path = String::new();
        descend(json, &sorted(spans), &mut path, &mut found, 0);
    }
    found
}

/// The spans by their start, the longer first, each with its number.
fn sorted(spans: &[Span]) -> Vec<(Span, usize)> {
    let mut sorted: Vec<(Span, usize)> = spans.iter().copied().zip(0..).collect();
    sorted.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    sorted
}

/// Follows `wanted` (sorted by start; all inside `json`) down into `json`, whose pointer is `path`.
///
/// Recursion is bounded by the nesting the reader accepts, times the layers of text inside text.
fn descend(json: Json<'_>, wanted: &[(Span, usize)], path: &mut String, found: &mut [String], layer: usize) {
    for (_, index) in wanted {
        if let Some(slot) = found.get_mut(*index) {
            slot.clone_from(path);
        }
    }
    let own = json.span();
    // A span that is the value itself needs no further look; what starts later or ends earlier lies below.
    if wanted.iter().all(|(span, _)| *span == own) {
        return;
    }
    match json.kind() {
        Kind::Object => {
            let members = json.members().map(|(key, value)| (key.span().to(value.span()), value, key.as_str()));
            children(members, wanted, path, found, layer);
        }
        Kind::Array => {
            let elements = json.elements().map(|element| (element.span(), element, None));
            children(elements, wanted, path, found, layer);
        }
        Kind::String if layer < MAX_LAYERS => {
            let inside: Vec<(Span, usize)> = wanted.iter().filter(|(span, _)| *span != own).copied().collect();
            inner(json, &inside, path, found, layer);
        }
        _ => {}
    }
}

fn children<'t>(
    items: impl Iterator<Item = (Span, Json<'t>, Option<Cow<'t, str>>)>,
    wanted: &[(Span, usize)],
    path: &mut String,
    found: &mut [String],
    layer: usize,
) {
    let mut rest = wanted;
    for (number, (span, value, key)) in items.enumerate() {
        let skip = rest.partition_point(|(s, _)| s.start < span.start);
        rest = rest.get(skip..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        let count = rest.partition_point(|(s, _)| s.start < span.end);
        let (here, later) = rest.split_at_checked(count).unwrap_or_default();
        rest = later;
        let here: Vec<(Span, usize)> = here.iter().filter(|(s, _)| span.contains(*s)).copied().collect();
        if here.is_empty() {
            continue;
        }
        let length = path.len();
        push_step(path, key.as_deref(), number);
        descend(value, &here, path, found, layer);
        path.truncate(length);
    }
}

/// Goes on in the JSON that a string holds, plain or percent-encoded.
fn inner(json: Json<'_>, wanted: &[(Span, usize)], path: &mut String, found: &mut [String], layer: usize) {
    let Some((text, place)) = json.decoded() else { return };
    let (text, place) = match text.trim_start().starts_with('%').then(|| percent_decode(&text, 0)) {
        Some(Ok(decoded)) => (decoded.text, place.embedded(&decoded.map)),
        _ => (text, place),
    };
    let mut tape = Tape::new();
    if let Ok(json) = tape.read(&text, &place) {
        let length = path.len();
        path.push('!');
        let root = json.span();
        let inside: Vec<(Span, usize)> = wanted.iter().filter(|(s, _)| root.contains(*s)).copied().collect();
        descend(json, &inside, path, found, layer + 1);
        path.truncate(length);
    }
}

/// Adds the key of a member, or the number of an element.
fn push_step(path: &mut String, key: Option<&str>, number: usize) {
    path.push('/');
    match key {
        Some(key) => push_escaped(path, key),
        None => path.push_str(&number.to_string()),
    }
}

fn push_escaped(path: &mut String, key: &str) {
    for character in key.chars() {
        match character {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            '!' => path.push_str("~2"),
            other => path.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::SourceId;

    fn pointer_of(text: &str, needle: &str) -> String {
        let start = text.find(needle).unwrap() as u32;
        let span = Span::new(SourceId::new(0), start, start + needle.len() as u32);
        pointers(text, &[span]).remove(0)
    }

    #[test]
    fn keys_elements_and_escapes_follow_rfc_6901() {
        let text = r#"{"a/b":[{"x":1},{"~y!":[true, 7]}]}"#;
        assert_eq!(pointer_of(text, "7"), "/a~1b/1/~0y~2/1");
        assert_eq!(pointer_of(text, r#"{"x":1}"#), "/a~1b/0");
        assert_eq!(pointer_of(text, r#""x""#), "/a~1b/0/x");
        assert_eq!(pointer_of(text, text), "");
        assert_eq!(pointer_of("not json", "json"), "");
    }

    #[test]
    fn text_inside_text_goes_on_after_an_exclamation_mark() {
        let text = r#"{"Policy":"{\"Statement\":[{\"Effect\":\"Allow\"}]}"}"#;
        assert_eq!(pointer_of(text, r#"\"Allow\""#), "/Policy!/Statement/0/Effect");
        let encoded = r#"{"Doc":"%7B%22Sid%22%3A%22x%22%7D"}"#;
        assert_eq!(pointer_of(encoded, "%22x%22"), "/Doc!/Sid");
        assert_eq!(pointer_of(encoded, r#""%7B%22Sid%22%3A%22x%22%7D""#), "/Doc");
        let twice = r#"{"P":"\"{\\\"k\\\":1}\""}"#;
        assert_eq!(pointer_of(twice, "1"), "/P!!/k");
    }

    #[test]
    fn many_places_come_back_in_the_order_asked() {
        let text = r#"[10,[11,12],{"a":13}]"#;
        let at = |n: &str| {
            let start = text.find(n).unwrap() as u32;
            Span::new(SourceId::new(0), start, start + n.len() as u32)
        };
        let spans = [at("13"), at("11"), at("[11,12]"), at("10"), at("13")];
        assert_eq!(pointers(text, &spans), ["/2/a", "/1/0", "/1", "/0", "/2/a"]);
    }
}
