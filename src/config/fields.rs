//! The values of one table, read with their places; what can not be read is noted and left out.

use std::cell::RefCell;

use toml::de::{DeArray, DeTable, DeValue};

use super::document::span;
use super::error::{ConfigError, listed, quoted};
use super::keys::{TABLES, Table};
use super::suggestion::closest;
use crate::aws::AccountId;
use crate::text::{SourceId, Span, Spanned};

/// What a reader of one text gives: the value, or why it is none.
pub(super) type Checked<T> = Result<T, ConfigError>;

/// The mistakes found so far in one file.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    source: SourceId,
    found: RefCell<Vec<ConfigError>>,
}

impl<'t> Mistakes<'t> {
    /// None yet in this text.
    pub(super) fn new(text: &'t str, source: SourceId) -> Self {
        Mistakes { text, source, found: RefCell::new(Vec::new()) }
    }

    pub(super) fn add(&self, error: ConfigError) {
        self.found.borrow_mut().push(error);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    pub(super) fn into_errors(self) -> Vec<ConfigError> {
        self.found.into_inner()
    }

    /// The value, or nothing and a note.
    pub(super) fn note<T>(&self, checked: Checked<T>) -> Option<T> {
        checked.map_err(|error| self.add(error)).ok()
    }
}

/// One table and the keys it may hold.
pub(super) struct Fields<'a> {
    table: &'a DeTable<'a>,
    known: &'static Table,
    mistakes: &'a Mistakes<'a>,
    /// The table, or its header and all that stands under it.
    pub(super) span: Span,
    /// The header, or the table itself where it is written as a value.
    header: Span,
}

impl<'a> Fields<'a> {
    /// The file itself.
    pub(super) fn new(known: &'static Table, table: &'a DeTable<'a>, mistakes: &'a Mistakes<'a>) -> Self {
        Fields::under(known, table, Span::file(mistakes.source), mistakes)
    }

    /// A table; notes the keys that it may not hold.
    fn under(known: &'static Table, table: &'a DeTable<'a>, header: Span, mistakes: &'a Mistakes<'a>) -> Self {
        for (key, _) in table {
            if !known.keys.contains(&key.get_ref().as_ref()) {
                mistakes.add(unknown_key(known, key.get_ref(), span(mistakes.source, &key.span())));
            }
        }
        let whole = extent(table).map_or(header, |inner| header.to(span(mistakes.source, &inner)));
        Fields { table, known, mistakes, span: whole, header }
    }

    /// The value of a key, whatever it is.
    pub(super) fn value(&self, key: &'static str) -> Option<Value<'a>> {
        debug_assert!(self.known.keys.contains(&key), "{key} is not listed for {}", self.known.header);
        self.table.get(key).map(|value| Value::new(key, value, self.mistakes))
    }

    /// A string that `read` accepts.
    pub(super) fn text<T>(&self, key: &'static str, read: impl Fn(Spanned<&str>) -> Checked<T>) -> Option<Spanned<T>> {
        self.value(key)?.text(read)
    }

    /// As [`Fields::text`], for a key that must be there.
    pub(super) fn needed<T>(
        &self,
        key: &'static str,
        read: impl Fn(Spanned<&str>) -> Checked<T>,
    ) -> Option<Spanned<T>> {
        if !self.table.contains_key(key) {
            let message = format!("this {} has no {}", quoted(self.known.header), quoted(key));
            self.mistakes.add(ConfigError::at(self.header, message));
        }
        self.text(key, read)
    }

    /// An array of strings that `read` accepts; those that it does not are left out.
    pub(super) fn texts<T>(
        &self,
        key: &'static str,
        read: impl Fn(Spanned<&str>) -> Checked<T>,
    ) -> Option<Spanned<Vec<Spanned<T>>>> {
        let value = self.value(key)?;
        match value.array() {
            Some(array) => Some(Spanned::new(value.elements(array, read), value.span)),
            None => value.is_no("an array of strings"),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &'static str) -> Option<Spanned<bool>> {
        let value = self.value(key)?;
        match value.value {
            DeValue::Boolean(b) => Some(Spanned::new(*b, value.span)),
            _ => value.is_no("`true` or `false`"),
        }
    }

    /// The table under a key.
    pub(super) fn table(&self, key: &'static str, known: &'static Table) -> Option<Fields<'a>> {
        let value = self.value(key)?;
        match value.value {
            DeValue::Table(table) => Some(Fields::under(known, table, value.span, self.mistakes)),
            _ => value.is_no_written_as("a table", known.header),
        }
    }

    /// The tables in the array under a key.
    pub(super) fn tables(&self, key: &'static str, known: &'static Table) -> Vec<Fields<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.array() else {
            value.is_no_written_as::<()>("an array of tables", known.header);
            return Vec::new();
        };
        let tables = value.each(array).filter_map(|element| match element.value {
            DeValue::Table(table) => Some(Fields::under(known, table, element.span, self.mistakes)),
            _ => element.is_no_written_as("a table", known.header),
        });
        tables.collect()
    }

    /// The entries of a table whose keys the user chooses, in the order of the file.
    pub(super) fn entries(&self, key: &'static str) -> Vec<(Spanned<&'a str>, Value<'a>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(table) = value.value else {
            value.is_no::<()>("a table");
            return Vec::new();
        };
        let mut entries: Vec<_> = table
            .iter()
            .map(|(name, element)| {
                let at = span(self.mistakes.source, &name.span());
                let name: &str = name.get_ref();
                (Spanned::new(name, at), Value::new(name, element, self.mistakes))
            })
            .collect();
        entries.sort_by_key(|(name, _)| name.span.start);
        entries
    }

    /// Notes a mistake that no single value shows.
    pub(super) fn add(&self, error: ConfigError) {
        self.mistakes.add(error);
    }

    /// The value, or nothing and a note.
    pub(super) fn note<T>(&self, checked: Checked<T>) -> Option<T> {
        self.mistakes.note(checked)
    }
}

/// One value and the key it was given for.
pub(super) struct Value<'a> {
    key: &'a str,
    /// Whether it stands in the array that was given for the key.
    element: bool,
    pub(super) value: &'a DeValue<'a>,
    pub(super) span: Span,
    mistakes: &'a Mistakes<'a>,
}

impl<'a> Value<'a> {
    fn new(key: &'a str, value: &'a toml::Spanned<DeValue<'a>>, mistakes: &'a Mistakes<'a>) -> Self {
        let at = span(mistakes.source, &value.span());
        Value { key, element: false, value: value.get_ref(), span: at, mistakes }
    }

    /// A string that `read` accepts.
    pub(super) fn text<T>(&self, read: impl Fn(Spanned<&str>) -> Checked<T>) -> Option<Spanned<T>> {
        let Some(text) = self.value.as_str() else { return self.is_no("a string") };
        let value = self.note(read(Spanned::new(text, self.span)))?;
        Some(Spanned::new(value, self.span))
    }

    pub(super) fn array(&self) -> Option<&'a DeArray<'a>> {
        self.value.as_array()
    }

    /// The strings of an array that `read` accepts.
    pub(super) fn elements<T>(
        &self,
        array: &'a DeArray<'a>,
        read: impl Fn(Spanned<&str>) -> Checked<T>,
    ) -> Vec<Spanned<T>> {
        self.each(array).filter_map(|element| element.text(&read)).collect()
    }

    fn each(&self, array: &'a DeArray<'a>) -> impl Iterator<Item = Value<'a>> {
        let (key, mistakes) = (self.key, self.mistakes);
        array.iter().map(move |element| Value { element: true, ..Value::new(key, element, mistakes) })
    }

    /// The value, or nothing and a note.
    pub(super) fn note<T>(&self, checked: Checked<T>) -> Option<T> {
        self.mistakes.note(checked)
    }

    /// Notes that the value is of another type.
    pub(super) fn is_no<T>(&self, wanted: &str) -> Option<T> {
        let mut error = self.wrong_type(wanted);
        if matches!(self.value, DeValue::Integer(_)) && wanted.contains("string") {
            // The parser keeps no digits of a number that begins with 0.
            let digits = self.mistakes.text.get(self.span.start as usize..self.span.end as usize);
            error = error.with_help(match digits.and_then(AccountId::parse) {
                Some(id) => format!("write an account ID in quotes, `\"{id}\"`: a number has no leading zeros"),
                None => "write it in quotes".to_owned(),
            });
        }
        self.mistakes.add(error);
        None
    }

    fn is_no_written_as<T>(&self, wanted: &str, header: &str) -> Option<T> {
        self.mistakes.add(self.wrong_type(wanted).with_help(format!("write it as {}", quoted(header))));
        None
    }

    fn wrong_type(&self, wanted: &str) -> ConfigError {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let part = if self.element { "each element of " } else { "" };
        ConfigError::at(self.span, format!("{part}{} must be {wanted}, not {found}", quoted(self.key)))
    }
}

fn unknown_key(known: &Table, key: &str, at: Span) -> ConfigError {
    let place = if known.header.is_empty() { String::new() } else { format!(" in {}", quoted(known.header)) };
    let error = ConfigError::at(at, format!("unknown key {}{place}", quoted(key)));
    if let Some(near) = closest(key, known.keys) {
        return error.with_help(format!("did you mean {}?", quoted(near)));
    }
    let mut homes = TABLES.iter().filter(|table| table.keys.contains(&key));
    match (homes.next(), homes.next()) {
        (Some(home), None) => error.with_help(format!("{} belongs to {}", quoted(key), quoted(home.header))),
        _ => error.with_help(format!("known here: {}", listed(known.keys, "and"))),
    }
}

/// The bytes from the first key of a table to the end of its last value.
fn extent(table: &DeTable<'_>) -> Option<std::ops::Range<usize>> {
    let ends = table.iter().map(|(key, value)| {
        let nested = match value.get_ref() {
            DeValue::Table(inner) => extent(inner).map_or(0, |e| e.end),
            _ => 0,
        };
        (key.span().start, key.span().end.max(value.span().end).max(nested))
    });
    ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).map(|(start, end)| start..end)
}
