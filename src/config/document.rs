//! From text to a TOML tree, and what a mistake in the syntax means for the rest.
//!
//! A mistake inside one value, or a key given twice, leaves the tree whole: reading goes on, and both kinds of mistake
//! are reported together. Any other leaves a tree in which the parser has guessed, so nothing else is said.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, quoted};
use crate::aws::AccountId;
use crate::text::{SourceId, Span};

const DUPLICATE: &str = "duplicate key";

/// A TOML document whose structure is sound.
pub(super) struct Document<'t> {
    root: toml::Spanned<DeTable<'t>>,
    text: &'t str,
    /// Mistakes that leave the structure sound, each with the value it lies in.
    local: Vec<(ConfigError, Option<Span>)>,
}

impl<'t> Document<'t> {
    /// Reads a text.
    ///
    /// # Errors
    /// The mistakes in the syntax up to the first that breaks the structure.
    pub(super) fn parse(text: &'t str, source: SourceId) -> Result<Self, Vec<ConfigError>> {
        if u32::try_from(text.len()).is_err() {
            return Err(vec![ConfigError::at(Span::file(source), "larger than 4 GiB")]);
        }
        let (root, mut found) = DeTable::parse_recoverable(text);
        found.sort_by_key(|e| e.span().map_or(0, |s| s.start));
        let mut places = Places::default();
        if !found.is_empty() {
            places.visit(root.get_ref(), None, text);
            places.scalars.sort_unstable_by_key(|s| s.start);
        }
        let mut local = Vec::new();
        for error in found {
            // Only a dotted key that is too deep comes without a place.
            let at = error.span().unwrap_or_else(|| line_with_most_dots(text));
            let mut mistake = ConfigError::at(span(source, &at), error.message());
            let scalar = places.scalar_around(&at);
            if error.message() == DUPLICATE {
                mistake.message = format!("{} is given twice", quoted(text.get(at.clone()).unwrap_or("")));
                if let Some(first) = places.key_before(text, &at) {
                    mistake = mistake.with_related(span(source, &first), "first given here");
                }
            } else if scalar.is_none() {
                let mut all: Vec<ConfigError> = local.into_iter().map(|(error, _)| error).collect();
                all.push(mistake);
                return Err(all);
            }
            local.push((mistake, scalar.map(|s| span(source, &s))));
        }
        Ok(Document { root, text, local })
    }

    /// The outermost table.
    pub(super) fn root(&self) -> &DeTable<'t> {
        self.root.get_ref()
    }

    /// All mistakes in the order of the file, those of `read` included.
    ///
    /// Of one value only TOML or its reader speaks: TOML, which knows better what is wrong with a date or a string,
    /// but for an account ID without quotes, where only the reader knows what was meant.
    pub(super) fn join(self, read: Vec<ConfigError>) -> Vec<ConfigError> {
        let answered: BTreeSet<Span> = read.iter().map(|error| error.span).collect();
        let is_account = |span: &Span| {
            let raw = self.text.get(span.start as usize..span.end as usize);
            raw.is_some_and(|raw| AccountId::parse(raw).is_some()) && answered.contains(span)
        };
        let local = self.local.into_iter().filter(|(_, scalar)| !scalar.as_ref().is_some_and(is_account));
        let local: Vec<(ConfigError, Option<Span>)> = local.collect();
        let spoiled: BTreeSet<Span> = local.iter().filter_map(|(_, scalar)| *scalar).collect();
        let read = read.into_iter().filter(|error| !spoiled.contains(&error.span));
        let mut all: Vec<ConfigError> = read.chain(local.iter().map(|(error, _)| error.clone())).collect();
        all.sort_by_key(|error| (error.span.start, error.span.end));
        all
    }
}

/// A byte range of the parser as a span; the text is known to fit 32 bits.
pub(super) fn span(source: SourceId, range: &Range<usize>) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(source, offset(range.start), offset(range.end))
}

fn line_with_most_dots(text: &str) -> Range<usize> {
    let lines = text.lines().max_by_key(|line| line.matches('.').count());
    lines.and_then(|line| text.find(line).map(|at| at..at + line.len())).unwrap_or(0..0)
}

/// Where the scalars stand, and the keys of tables that are not written in one value.
#[derive(Default)]
struct Places<'t> {
    scalars: Vec<Range<usize>>,
    keys: BTreeMap<&'t str, Vec<Range<usize>>>,
}

impl<'t> Places<'t> {
    fn visit(&mut self, table: &DeTable<'_>, around: Option<&Range<usize>>, text: &'t str) {
        for (key, value) in table {
            let at = key.span();
            let inline = around.is_some_and(|a| a.start < at.start && at.end < a.end);
            if let Some(raw) = text.get(at.clone())
                && !inline
            {
                self.keys.entry(raw).or_default().push(at);
            }
            self.visit_value(value, text);
        }
    }

    fn visit_value(&mut self, value: &toml::Spanned<DeValue<'_>>, text: &'t str) {
        match value.get_ref() {
            DeValue::Table(table) => self.visit(table, Some(&value.span()), text),
            DeValue::Array(array) => array.iter().for_each(|v| self.visit_value(v, text)),
            _ => self.scalars.push(value.span()),
        }
    }

    fn scalar_around(&self, at: &Range<usize>) -> Option<Range<usize>> {
        let after = self.scalars.partition_point(|s| s.start <= at.start);
        let scalar = after.checked_sub(1).and_then(|i| self.scalars.get(i))?;
        (!at.is_empty() && at.end <= scalar.end).then(|| scalar.clone())
    }

    /// The nearest same key before this one. A key behind a dot may belong to another table, so it has none.
    fn key_before(&self, text: &str, at: &Range<usize>) -> Option<Range<usize>> {
        if text.get(..at.start)?.ends_with('.') {
            return None;
        }
        let same = self.keys.get(text.get(at.clone())?)?;
        same.iter().filter(|k| k.end <= at.start).max_by_key(|k| k.start).cloned()
    }
}
