//! The access matrix to bytes, one module for each format: who can do what with whose logs.
//!
//! A matrix is complete in itself: nothing here decides who can read. The same matrix gives the same bytes.

mod csv;
mod entry;
mod explain;
mod html;
pub mod json;
mod markdown;
mod text;
pub mod why;
mod words;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::finding::matrix::Matrix;
use crate::text::SourceMap;

/// How an access matrix is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessFormat {
    /// For people at a terminal.
    Text,
    /// Our own JSON, for scripts.
    Json,
    /// RFC 4180, a line for each reader and each owner, for spreadsheets.
    Csv,
    /// A table for a pull request or a wiki.
    Markdown,
    /// One page that needs nothing else, for a browser.
    Html,
}

impl AccessFormat {
    /// All formats, the default first.
    pub const ALL: [AccessFormat; 5] =
        [AccessFormat::Text, AccessFormat::Json, AccessFormat::Csv, AccessFormat::Markdown, AccessFormat::Html];

    /// `text`, `json`, `csv`, `markdown`, `html`.
    pub fn name(self) -> &'static str {
        match self {
            AccessFormat::Text => "text",
            AccessFormat::Json => "json",
            AccessFormat::Csv => "csv",
            AccessFormat::Markdown => "markdown",
            AccessFormat::Html => "html",
        }
    }

    /// Whether programs read it, so that what is said to people goes elsewhere.
    pub fn is_for_machines(self) -> bool {
        self != AccessFormat::Text
    }
}

impl fmt::Display for AccessFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no [`AccessFormat`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format of the access matrix: text, json, csv, markdown, html")]
pub struct UnknownAccessFormat(String);

impl FromStr for AccessFormat {
    type Err = UnknownAccessFormat;

    fn from_str(name: &str) -> Result<Self, UnknownAccessFormat> {
        let found = AccessFormat::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownAccessFormat(name.to_owned()))
    }
}

/// How an access matrix is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessOptions {
    /// Whether the text is coloured.
    pub color: bool,
    /// The columns of the terminal.
    pub width: usize,
    /// One row for each reader and one column for each owner, instead of classes that can do the same.
    pub wide: bool,
    /// Show all names, deviations, gaps and notes.
    pub verbose: bool,
    /// Show the matrix and nothing else.
    pub quiet: bool,
}

impl Default for AccessOptions {
    fn default() -> Self {
        AccessOptions { color: false, width: 100, wide: false, verbose: false, quiet: false }
    }
}

/// Writes matrices, one for each log bucket; CSV has always a line for each reader and owner.
///
/// # Errors
/// Those of `out`. Writes come in small pieces: give a buffered writer.
pub fn write(
    out: &mut dyn Write,
    format: AccessFormat,
    matrices: &[Matrix],
    sources: &SourceMap,
    options: &AccessOptions,
) -> io::Result<()> {
    match format {
        AccessFormat::Text => text::write(out, matrices, sources, options),
        AccessFormat::Json => json::write(out, matrices, sources, options.wide),
        AccessFormat::Csv => csv::write(out, matrices),
        AccessFormat::Markdown => markdown::write(out, matrices, sources, options),
        AccessFormat::Html => html::write(out, matrices, sources, options.wide),
    }
}
