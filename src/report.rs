//! From a [`Report`] to bytes, one module for each format.
//!
//! A report is complete in itself: nothing here decides anything, reads a file or knows the time. The same report gives
//! the same bytes.

pub mod access;
pub mod json;
mod places;
pub mod sarif;
pub mod text;
mod visible;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub use access::{AccessFormat, AccessOptions};
pub use text::TextOptions;
pub use visible::visible;

use crate::audit::Report;

/// The version of the tool, as reports show it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Our own JSON, for scripts.
    Json,
}

impl Format {
    /// All formats, the default first.
    pub const ALL: [Format; 3] = [Format::Text, Format::Sarif, Format::Json];

    /// `text`, `sarif`, `json`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Sarif => "sarif",
            Format::Json => "json",
        }
    }

    /// Whether programs read it, so that the summary goes elsewhere.
    pub fn is_for_machines(self) -> bool {
        self != Format::Text
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no [`Format`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no report format: text, sarif, json")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Writes a report; `options` are for [`Format::Text`].
///
/// # Errors
/// Those of `out`. Writes come in small pieces: give a buffered writer.
pub fn write(out: &mut dyn Write, format: Format, report: &Report<'_>, options: &TextOptions) -> io::Result<()> {
    match format {
        Format::Text => text::write(out, report, options),
        Format::Sarif => sarif::write(out, report),
        Format::Json => json::write(out, report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_by_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "`xml` is no report format: text, sarif, json");
    }
}
