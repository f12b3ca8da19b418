//! A reader for files of hundreds of megabytes: walks into the outer containers and reads their items one at a time.

use super::{Json, JsonError, JsonErrorKind, MAX_DEPTH, Tape, error, scan};
use crate::text::embedded::Place;

/// What a value is, before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// An object begins here.
    Object,
    /// An array begins here.
    Array,
    /// Neither.
    Scalar,
}

/// A position between the items of nested containers.
///
/// Call [`Cursor::peek`] to see what comes; [`Cursor::enter`] to go into it, then [`Cursor::next_key`] or
/// [`Cursor::next_element`] until they say that there is no more, which also leaves the container; or
/// [`Cursor::value`] to read it whole.
#[derive(Debug)]
pub struct Cursor<'t> {
    text: &'t str,
    place: &'t Place,
    at: usize,
    /// For each container that is open: whether an item was read in it.
    open: Vec<bool>,
}

impl<'t> Cursor<'t> {
    /// A cursor before the value that `text` is.
    pub fn new(text: &'t str, place: &'t Place) -> Self {
        Cursor { text, place, at: scan::skip_space(text.as_bytes(), 0), open: Vec::new() }
    }

    /// What the value at the cursor is.
    pub fn peek(&self) -> Container {
        match self.text.as_bytes().get(self.at) {
            Some(b'{') => Container::Object,
            Some(b'[') => Container::Array,
            _ => Container::Scalar,
        }
    }

    /// The byte the cursor stands at.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Goes into the container at the cursor.
    ///
    /// # Errors
    /// Where containers nest too deep.
    pub fn enter(&mut self) -> Result<(), JsonError> {
        if self.open.len() == MAX_DEPTH {
            return Err(error(JsonErrorKind::TooDeep, self.at));
        }
        self.open.push(false);
        self.at = scan::skip_space(self.text.as_bytes(), self.at + 1);
        Ok(())
    }

    /// The next key of the object the cursor is in, read into `tape`; the cursor then stands at its value.
    ///
    /// # Errors
    /// The first mistake met.
    pub fn next_key<'a>(&mut self, tape: &'a mut Tape) -> Result<Option<Json<'a>>, JsonError>
    where
        't: 'a,
    {
        if u32::try_from(self.text.len()).is_err() {
            return Err(error(JsonErrorKind::TooLarge, u32::MAX as usize));
        }
        if !self.next_item(b'}', "`,` or `}`")? {
            return Ok(None);
        }
        tape.clear();
        self.at = tape.key(self.text.as_bytes(), self.at)?;
        Ok(Some(tape.root(self.text, self.place)))
    }

    /// Whether the array the cursor is in has another element; the cursor then stands at it.
    ///
    /// # Errors
    /// The first mistake met.
    pub fn next_element(&mut self) -> Result<bool, JsonError> {
        self.next_item(b']', "`,` or `]`")
    }

    /// Reads the value at the cursor.
    ///
    /// # Errors
    /// The first mistake met.
    pub fn value<'a>(&mut self, tape: &'a mut Tape) -> Result<Json<'a>, JsonError>
    where
        't: 'a,
    {
        self.at = tape.read_value(self.text, self.at)?;
        Ok(tape.root(self.text, self.place))
    }

    /// Checks that nothing stands after the value.
    ///
    /// # Errors
    /// Where something does.
    pub fn finish(self) -> Result<(), JsonError> {
        let end = scan::skip_space(self.text.as_bytes(), self.at);
        if end == self.text.len() { Ok(()) } else { Err(error(JsonErrorKind::TrailingText, end)) }
    }

    fn next_item(&mut self, closing: u8, expected: &'static str) -> Result<bool, JsonError> {
        let bytes = self.text.as_bytes();
        self.at = scan::skip_space(bytes, self.at);
        let Some(read) = self.open.last_mut() else { return Ok(false) };
        match bytes.get(self.at) {
            Some(b',') if *read => {
                self.at = scan::skip_space(bytes, self.at + 1);
                Ok(true)
            }
            Some(&b) if b == closing => {
                self.open.pop();
                self.at += 1;
                Ok(false)
            }
            Some(_) if !*read => {
                *read = true;
                Ok(true)
            }
            Some(_) => Err(error(JsonErrorKind::Expected(expected), self.at)),
            None => Err(error(JsonErrorKind::UnexpectedEnd, self.at)),
        }
    }
}
