//! One text to what it tells, or why it tells nothing.

use super::error::CollectError;
use super::files::Input;
use super::large::{self, Large};
use super::names::Names;
use super::piece::{Piece, Told};
use super::read::{Content, Damaged};
use super::reader::Reader;
use super::{answer, shape};
use crate::estate::Broken;
use crate::policy::PolicyKind;
use crate::syntax::json::{Cursor, JsonError, JsonErrorKind, Tape};
use crate::text::embedded::Place;
use crate::text::{SourceId, Span};

/// Texts of at least this many bytes are read item by item.
const LARGE: usize = 32 * 1024 * 1024;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It tells something, be it only that it is broken.
    Told(String, Box<Told>),
    /// It is none of ours; why.
    Skipped(String),
    /// It is a template of that kind.
    Template(&'static str),
    /// It could not be read.
    Error(CollectError),
}

/// Reads what a file holds; `tape` is kept by the thread, from file to file.
pub(super) fn parse(
    content: Content,
    source: SourceId,
    input: &Input,
    names: &Names,
    kind: Option<PolicyKind>,
    tape: &mut Tape,
) -> Outcome {
    // The kind that the command line gives is for files given by name; one that the config gives is for that file.
    let expected = input.named || kind.is_some();
    let mut reader = Reader::new(source, names, kind);
    match content {
        Content::Empty if shape::answers_nothing(names) => Outcome::Told(String::new(), Box::default()),
        Content::Empty => Outcome::Skipped("empty".to_owned()),
        Content::Damaged(damaged) => of_damaged(damaged, source, expected),
        Content::Text(text) if text.len() >= LARGE => of_large(text, &mut reader, input, expected, tape),
        Content::Text(text) => of_text(text, &mut reader, expected, tape),
    }
}

fn of_damaged(damaged: Damaged, source: SourceId, expected: bool) -> Outcome {
    if !expected && !shape::holds_known_key(&damaged.text) {
        return Outcome::Skipped(damaged.message);
    }
    let span = Span::new(source, damaged.place.start, damaged.place.end);
    broken(damaged.text, Broken { span, message: damaged.message })
}

fn broken(text: String, broken: Broken) -> Outcome {
    let told = Told { broken: vec![broken], recognised: true, ..Told::default() };
    Outcome::Told(text, Box::new(told))
}

fn of_text(text: String, reader: &mut Reader<'_>, expected: bool, tape: &mut Tape) -> Outcome {
    let place = Place::direct(reader.source, 0);
    match tape.read(&text, &place) {
        Ok(json) => {
            if reader.value(json) {
                reader.told.recognised = true;
                reader.duplicates(json);
            } else if let Some(kind) = reader.kind {
                reader.as_said(json, kind);
                reader.duplicates(json);
            }
            outcome(text, std::mem::take(&mut reader.told))
        }
        Err(error) => {
            if error.kind == JsonErrorKind::TrailingText && pages(reader, &text) {
                return outcome(text, std::mem::take(&mut reader.told));
            }
            of_error(text, &error, reader, expected)
        }
    }
}

/// Reads answers that stand one behind the other, as appending pages to a file leaves them; whether all are answers.
fn pages(reader: &mut Reader<'_>, text: &str) -> bool {
    let mut tape = Tape::new();
    let mut at = 0;
    while text.get(at..).is_some_and(|rest| !rest.trim_ascii_start().is_empty()) {
        let place = Place::direct(reader.source, at as u32);
        let mut cursor = Cursor::new(text.get(at..).unwrap_or_default(), &place);
        let read = cursor.value(&mut tape).is_ok_and(|json| {
            let found = reader.value(json);
            reader.duplicates(json);
            found
        });
        at += cursor.offset();
        let is_bare = |piece: &Piece| matches!(piece, Piece::Policy(policy) if policy.bare);
        if !read || reader.told.pieces.last().is_some_and(is_bare) {
            reader.told = Told::default();
            return false;
        }
    }
    true
}

fn of_error(text: String, error: &JsonError, reader: &mut Reader<'_>, expected: bool) -> Outcome {
    let lines = answer::error_lines(&text);
    if !lines.is_empty() {
        answer::read_error_lines(reader, &lines);
        return outcome(text, std::mem::take(&mut reader.told));
    }
    if expected || shape::holds_known_key(&text) {
        let found = Broken::at(error, &text, &Place::direct(reader.source, 0));
        return broken(text, found);
    }
    Outcome::Skipped(format!("not JSON: {}", error.kind))
}

fn of_large(text: String, reader: &mut Reader<'_>, input: &Input, expected: bool, tape: &mut Tape) -> Outcome {
    let read = large::read(reader, &text);
    let told = std::mem::take(&mut reader.told);
    match read {
        Ok(Large::Read) => outcome(text, told),
        Ok(Large::Whole) => {
            reader.deferred = false;
            of_text(text, reader, expected, tape)
        }
        Ok(Large::Policy) => {
            Outcome::Error(CollectError::OneLargeDocument { path: input.name.clone(), mib: text.len() >> 20 })
        }
        Ok(Large::Nothing) => outcome(String::new(), Told::default()),
        Err(error) => of_error(text, &error, reader, expected),
    }
}

fn outcome(text: String, told: Told) -> Outcome {
    if told.recognised || !told.broken.is_empty() {
        Outcome::Told(text, Box::new(told))
    } else if let Some(template) = told.template {
        Outcome::Template(template)
    } else {
        Outcome::Skipped("JSON, but neither a policy document nor an answer of the AWS CLI".to_owned())
    }
}
