//! Places as SARIF wants them: relative URIs, and regions that hold at least one character.

use crate::text::{Position, Source, Span};

/// What a file's URI is relative to.
pub(super) const SOURCE_ROOT: &str = "%SRCROOT%";

/// The URI of a file by its name in reports, and whether it is relative to [`SOURCE_ROOT`].
///
/// Code scanning refuses a whole report for one URI that is empty or of another scheme, so each name gets a path.
pub(super) fn uri(name: &str) -> (String, bool) {
    match name {
        "" => ("unknown".to_owned(), false),
        "-" => ("stdin".to_owned(), false),
        _ if name.starts_with('/') => (format!("file://{}", encode(name)), false),
        _ if is_drive(name) => {
            let (drive, path) = name.split_once(':').unwrap_or((name, ""));
            (format!("file:///{drive}:{}", encode(path)), false)
        }
        _ => (encode(name), true),
    }
}

/// Whether a path begins with a drive letter, as absolute paths on Windows do.
fn is_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

/// Percent-encodes what may not stand in the path of a URI (RFC 3986, `pchar` and `/`; a colon is encoded too, because
/// in the first segment it would end a scheme).
fn encode(path: &str) -> String {
    use std::fmt::Write;
    let mut uri = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => uri.push(byte as char),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(byte as char),
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b'@' => {
                uri.push(byte as char)
            }
            _ => {
                // Writing to a string does not fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// First character and behind the last one of a span; an empty span gets the character it stands before, at the end of
/// a line the one behind which it stands.
pub(super) fn region(source: &Source, span: Span) -> (Position, Position) {
    let (start, end) = (source.position(span.start), source.position(span.end));
    if start != end {
        return (start, end);
    }
    let after = |position: Position| Position { column: position.column + 1, ..position };
    let offset = (span.start as usize).min(source.text().len());
    if source.line_range(start.line).is_some_and(|line| offset < line.end) {
        return (start, after(start));
    }
    let before = source.text().get(..offset).unwrap_or("").trim_end();
    match before.char_indices().next_back() {
        Some((last, _)) => {
            let start = source.position(last as u32);
            (start, after(start))
        }
        None => (start, start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::SourceId;

    #[test]
    fn names_become_uris() {
        let path = |name| uri(name).0;
        assert_eq!(path("roles/a b#1%.json"), "roles/a%20b%231%25.json");
        assert_eq!(path("größe/日.json"), "gr%C3%B6%C3%9Fe/%E6%97%A5.json");
        assert_eq!(path("a:b/c?d.json"), "a%3Ab/c%3Fd.json");
        assert_eq!(path("/tmp/x y.json"), "file:///tmp/x%20y.json");
        assert_eq!(path("C:/x y.json"), "file:///C:/x%20y.json");
        assert_eq!(path("-"), "stdin");
        assert_eq!(path("back\\slash\n"), "back%5Cslash%0A");
        assert!(uri("x.json").1 && !uri("/x.json").1 && !uri("-").1);
    }

    #[test]
    fn a_region_holds_a_character_wherever_there_is_one() {
        let source = Source::new("f", "{\r\n  \"ä\"\r\n\r\n \n");
        let shown = |start, end| {
            let (start, end) = region(&source, Span::new(SourceId::new(0), start, end));
            format!("{start}-{end}")
        };
        assert_eq!(shown(0, 0), "1:1-1:2");
        assert_eq!(shown(5, 9), "2:3-2:6");
        assert_eq!(shown(5, 5), "2:3-2:4");
        // Before the line end, on an empty line, at the end of the text.
        assert_eq!(shown(9, 9), "2:5-2:6");
        assert_eq!(shown(11, 11), "2:5-2:6");
        assert_eq!(shown(99, 99), "2:5-2:6");
        let empty = Source::new("f", "");
        assert_eq!(region(&empty, Span::file(SourceId::new(0))).0, Position { line: 1, column: 1 });
    }
}
