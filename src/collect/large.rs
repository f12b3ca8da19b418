//! Exports of hundreds of megabytes: the items of IAM's lists are read one at a time, and the tape is used again.
//!
//! Policy documents are not kept parsed: an estate of a hundred thousand roles must not take more memory than its text.

use std::collections::HashMap;

use super::iam::List;
use super::reader::Reader;
use crate::syntax::json::{Container, Cursor, Duplicate, Json, JsonError, Tape};
use crate::text::Span;
use crate::text::embedded::Place;

/// What a large text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Large {
    /// Lists whose items were read.
    Read,
    /// One answer that is not read by items; the caller may read it whole.
    Whole,
    /// One policy document, which AWS would never take.
    Policy,
    /// Nothing of ours.
    Nothing,
}

/// Reads a text that may be several values, one behind the other.
///
/// # Errors
/// The first mistake in the JSON, with its byte in `text`.
pub(super) fn read(reader: &mut Reader<'_>, text: &str) -> Result<Large, JsonError> {
    reader.deferred = true;
    let mut tape = Tape::new();
    let mut at = 0;
    let mut found = Large::Nothing;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let place = Place::direct(reader.source, at as u32);
        let mut cursor = Cursor::new(rest, &place);
        let read = one(reader, &mut cursor, &mut tape)
            .map_err(|error| JsonError { at: error.at.saturating_add(at as u32), ..error })?;
        found = if found == Large::Nothing { read } else { found };
        at += cursor.offset();
        if text.get(at..).is_none_or(|rest| rest.trim_ascii_start().is_empty()) {
            return Ok(found);
        }
    }
}

fn one(reader: &mut Reader<'_>, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<Large, JsonError> {
    match cursor.peek() {
        Container::Object => object(reader, cursor, tape),
        Container::Array => array(reader, cursor, tape),
        Container::Scalar => {
            cursor.value(tape)?;
            Ok(Large::Whole)
        }
    }
}

/// An answer: its lists are read, the rest is passed over.
fn object(reader: &mut Reader<'_>, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<Large, JsonError> {
    let mut keys: HashMap<String, Span> = HashMap::new();
    let mut found = Large::Nothing;
    cursor.enter()?;
    while let Some(key) = cursor.next_key(tape)? {
        let (name, span) = (key.as_str().unwrap_or_default().into_owned(), key.span());
        let list = List::of_key(&name).filter(|_| cursor.peek() == Container::Array);
        if let Some(list) = list {
            items(reader, list, cursor, tape)?;
            found = Large::Read;
        } else {
            skip(cursor, tape)?;
            if found == Large::Nothing {
                found = if name == "Statement" { Large::Policy } else { Large::Nothing };
            }
        }
        match keys.get(&name) {
            Some(&first) => reader.told.duplicates.push(Duplicate { key: name, first, again: span }),
            None => {
                keys.insert(name, span);
            }
        }
    }
    let whole = ["Grants", "Aliases", "Accounts", "Buckets", "trailList", "Trails", "Policy", "Targets"];
    if found == Large::Nothing && whole.iter().any(|key| keys.contains_key(*key)) {
        return Ok(Large::Whole);
    }
    Ok(found)
}

fn items(reader: &mut Reader<'_>, list: List, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<(), JsonError> {
    cursor.enter()?;
    while cursor.next_element()? {
        let item = cursor.value(tape)?;
        reader.iam_item(list, item);
        reader.duplicates(item);
    }
    reader.told.recognised = true;
    Ok(())
}

/// A list without the answer around it, or pages.
fn array(reader: &mut Reader<'_>, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<Large, JsonError> {
    let mut found = Large::Nothing;
    cursor.enter()?;
    while cursor.next_element()? {
        if cursor.peek() != Container::Object {
            skip(cursor, tape)?;
            continue;
        }
        let item: Json<'_> = cursor.value(tape)?;
        if reader.value(item) {
            found = Large::Read;
        }
        reader.duplicates(item);
    }
    Ok(found)
}

/// Passes over a value without keeping it.
fn skip(cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<(), JsonError> {
    let mut open = Vec::new();
    loop {
        match cursor.peek() {
            Container::Scalar => {
                cursor.value(tape)?;
            }
            container => {
                cursor.enter()?;
                open.push(container);
            }
        }
        loop {
            let more = match open.last() {
                None => return Ok(()),
                Some(Container::Object) => cursor.next_key(tape)?.is_some(),
                Some(_) => cursor.next_element()?,
            };
            if more {
                break;
            }
            open.pop();
        }
    }
}
