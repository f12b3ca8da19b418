//! What is said beside the report, on standard error.

use std::io::{IsTerminal, Write};

use super::args::Color;

/// Says why something could not be done.
pub(super) fn complain(message: &str) {
    say(&format!("error: {message}"));
}

/// Says something; control characters are shown, not obeyed.
pub(super) fn say(message: &str) {
    let mut safe = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    let _ = writeln!(std::io::stderr(), "{safe}");
}

/// Whether standard output should be coloured (<https://no-color.org>, `CLICOLOR_FORCE`).
pub(super) fn is_coloured(choice: Color) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        Color::Auto => set("CLICOLOR_FORCE") || std::io::stdout().is_terminal(),
    }
}

/// How wide the text report may be.
pub(super) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0).clamp(60, 140))
}
