//! What is wrong in the file.

use crate::text::{Span, Spanned};

/// One mistake in `trailproof.toml`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// What is wrong: lower case, no final period, the user's text in backticks.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to write instead, where that is known.
    pub help: Option<String>,
    /// A second place that belongs to it, such as the first of two entries that collide, and what stands there.
    pub related: Option<Spanned<String>>,
}

impl ConfigError {
    /// A mistake at a place; the message in lower case, without a final period.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        ConfigError { message: message.into(), span, help: None, related: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn with_related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related = Some(Spanned::new(message.into(), span));
        self
    }
}

/// The user's text in backticks, control characters escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('`');
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    shown.push('`');
    shown
}

/// Names in backticks: `a`, `b` and `c`; the last joined by `word`.
pub(super) fn listed(names: &[&str], word: &str) -> String {
    match names {
        [] => String::new(),
        [one] => quoted(one),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|n| quoted(n)).collect();
            format!("{} {word} {}", first.join(", "), quoted(last))
        }
    }
}
