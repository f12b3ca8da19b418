//! JSON with exact places: a validating reader into a flat tape, and a cursor for files that are too large for one.
//!
//! The reader keeps duplicate keys, never recurses, and reports each error with its byte. RFC 8259 is followed to the
//! letter but for one thing: nesting is limited to [`MAX_DEPTH`].

mod cursor;
mod scan;
mod tree;

use std::fmt;

pub use cursor::{Container, Cursor};
pub use tree::{Duplicate, Elements, Json, Kind, Members, unescape};

use crate::text::embedded::Place;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The offending byte, counted in the text that was read.
    pub at: u32,
}

/// The kinds of [`JsonError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// The text stops inside a value.
    UnexpectedEnd,
    /// Something else was needed here.
    Expected(&'static str),
    /// A number that JSON does not write this way.
    InvalidNumber,
    /// A backslash that begins no escape, or half of a surrogate pair.
    InvalidEscape,
    /// A control character that JSON wants escaped.
    ControlCharacter(char),
    /// More than [`MAX_DEPTH`] levels.
    TooDeep,
    /// Something stands after the value.
    TrailingText,
    /// More text than a 32-bit offset reaches.
    TooLarge,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonErrorKind::UnexpectedEnd => f.write_str("the text ends inside a value"),
            JsonErrorKind::Expected(what) => write!(f, "expected {what}"),
            JsonErrorKind::InvalidNumber => f.write_str("this is not a number as JSON writes it"),
            JsonErrorKind::InvalidEscape => f.write_str("invalid escape in a string"),
            JsonErrorKind::ControlCharacter(c) => {
                write!(f, "control character U+{:04X} in a string; JSON wants it escaped", *c as u32)
            }
            JsonErrorKind::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels"),
            JsonErrorKind::TrailingText => f.write_str("text after the end of the JSON value"),
            JsonErrorKind::TooLarge => f.write_str("larger than 4 GiB"),
        }
    }
}

impl std::error::Error for JsonErrorKind {}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    escaped: bool,
    start: u32,
    end: u32,
    /// The index of the node after this one and all it holds.
    next: u32,
}

/// The nodes of one value in document order; keep one and fill it again to read many values without allocating.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    open: Vec<u32>,
}

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Tape::default()
    }

    /// Reads a text that is one JSON value.
    ///
    /// # Errors
    /// The first mistake, with its byte.
    pub fn read<'t>(&'t mut self, text: &'t str, place: &'t Place) -> Result<Json<'t>, JsonError> {
        let end = self.read_value(text, scan::skip_space(text.as_bytes(), 0))?;
        let end = scan::skip_space(text.as_bytes(), end);
        if end != text.len() {
            return Err(error(JsonErrorKind::TrailingText, end));
        }
        Ok(self.root(text, place))
    }

    /// The value that was read last from `text`.
    fn root<'t>(&'t self, text: &'t str, place: &'t Place) -> Json<'t> {
        Json::new(text, &self.nodes, place, 0)
    }

    fn clear(&mut self) {
        self.nodes.clear();
        self.open.clear();
    }

    /// Reads the value that begins at byte `at`, which is no space; gives the byte after it.
    fn read_value(&mut self, text: &str, at: usize) -> Result<usize, JsonError> {
        self.clear();
        let bytes = text.as_bytes();
        if u32::try_from(bytes.len()).is_err() {
            return Err(error(JsonErrorKind::TooLarge, u32::MAX as usize));
        }
        let mut at = at;
        loop {
            at = self.begin(bytes, at)?;
            // Behind a value: close what ends here, up to the next value or the end of the whole.
            loop {
                let Some(container) = self.open.last().copied() else { return Ok(at) };
                at = scan::skip_space(bytes, at);
                let object = self.nodes.get(container as usize).is_some_and(|n| n.kind == Kind::Object);
                match bytes.get(at) {
                    Some(b',') => {
                        at = scan::skip_space(bytes, at + 1);
                        if object {
                            at = self.key(bytes, at)?;
                        }
                        break;
                    }
                    Some(b'}') if object => at = self.close(at),
                    Some(b']') if !object => at = self.close(at),
                    Some(_) if object => return Err(error(JsonErrorKind::Expected("`,` or `}`"), at)),
                    Some(_) => return Err(error(JsonErrorKind::Expected("`,` or `]`"), at)),
                    None => return Err(error(JsonErrorKind::UnexpectedEnd, at)),
                }
            }
        }
    }

    /// Reads a scalar, or opens containers down to the first scalar or empty container.
    fn begin(&mut self, bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
        loop {
            match bytes.get(at) {
                Some(b'"') => return self.string(bytes, at),
                Some(b'{') => {
                    self.open(Kind::Object, at)?;
                    at = scan::skip_space(bytes, at + 1);
                    if bytes.get(at) == Some(&b'}') {
                        return Ok(self.close(at));
                    }
                    at = self.key(bytes, at)?;
                }
                Some(b'[') => {
                    self.open(Kind::Array, at)?;
                    at = scan::skip_space(bytes, at + 1);
                    if bytes.get(at) == Some(&b']') {
                        return Ok(self.close(at));
                    }
                }
                Some(b'-' | b'0'..=b'9') => {
                    let end = scan::number(bytes, at)?;
                    return Ok(self.scalar(Kind::Number, at, end));
                }
                Some(b't') => return self.word(bytes, at, b"true", Kind::True),
                Some(b'f') => return self.word(bytes, at, b"false", Kind::False),
                Some(b'n') => return self.word(bytes, at, b"null", Kind::Null),
                Some(_) => return Err(error(JsonErrorKind::Expected("a JSON value"), at)),
                None => return Err(error(JsonErrorKind::UnexpectedEnd, at)),
            }
        }
    }

    fn key(&mut self, bytes: &[u8], at: usize) -> Result<usize, JsonError> {
        match bytes.get(at) {
            Some(b'"') => {}
            Some(_) => return Err(error(JsonErrorKind::Expected("a key in double quotes"), at)),
            None => return Err(error(JsonErrorKind::UnexpectedEnd, at)),
        }
        let end = self.string(bytes, at)?;
        let colon = scan::skip_space(bytes, end);
        match bytes.get(colon) {
            Some(b':') => Ok(scan::skip_space(bytes, colon + 1)),
            Some(_) => Err(error(JsonErrorKind::Expected("`:` after a key"), colon)),
            None => Err(error(JsonErrorKind::UnexpectedEnd, colon)),
        }
    }

    fn string(&mut self, bytes: &[u8], at: usize) -> Result<usize, JsonError> {
        let (end, escaped) = scan::string(bytes, at)?;
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind: Kind::String, escaped, start: at as u32, end: end as u32, next });
        Ok(end)
    }

    fn word(&mut self, bytes: &[u8], at: usize, word: &[u8], kind: Kind) -> Result<usize, JsonError> {
        let end = at + word.len();
        match bytes.get(at..end) {
            Some(found) if found == word => Ok(self.scalar(kind, at, end)),
            None if word.starts_with(bytes.get(at..).unwrap_or_default()) => {
                Err(error(JsonErrorKind::UnexpectedEnd, bytes.len()))
            }
            _ => Err(error(JsonErrorKind::Expected("a JSON value"), at)),
        }
    }

    fn scalar(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, escaped: false, start: start as u32, end: end as u32, next });
        end
    }

    fn open(&mut self, kind: Kind, at: usize) -> Result<(), JsonError> {
        if self.open.len() == MAX_DEPTH {
            return Err(error(JsonErrorKind::TooDeep, at));
        }
        self.open.push(self.nodes.len() as u32);
        self.nodes.push(Node { kind, escaped: false, start: at as u32, end: 0, next: 0 });
        Ok(())
    }

    fn close(&mut self, at: usize) -> usize {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|open| self.nodes.get_mut(open as usize)) {
            node.end = at as u32 + 1;
            node.next = next;
        }
        at + 1
    }
}

fn error(kind: JsonErrorKind, at: usize) -> JsonError {
    JsonError { kind, at: at as u32 }
}

#[cfg(test)]
mod tests;
