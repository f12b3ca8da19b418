//! Colours and line breaks of the text report.

use std::fmt::Write;

use crate::finding::Level;

/// Styles, as the terminal's own colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Style {
    Level(Level),
    Strong,
    Faint,
    Help,
    Good,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Level(Level::Error) => "1;31",
            Style::Level(Level::Warning) => "1;33",
            Style::Level(Level::Note) => "1;36",
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Help => "36",
            Style::Good => "32",
        }
    }
}

/// Writes text in a width, in colour or without.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Pen {
    pub(in crate::report) color: bool,
    pub(in crate::report) width: usize,
}

impl Pen {
    /// The text in a style.
    pub(in crate::report) fn paint(self, style: Style, text: &str) -> String {
        if self.color { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_owned() }
    }

    /// Adds `head` and `text` in lines that begin with `indent` spaces, the later ones as far in as the text.
    pub(in crate::report) fn paragraph(self, out: &mut String, indent: usize, head: (Style, &str), text: &str) {
        let hang = indent + head.1.chars().count();
        let mut lines = wrap(text, self.width.saturating_sub(hang)).into_iter();
        // Writing to a string does not fail.
        let _ = writeln!(out, "{:indent$}{}{}", "", self.paint(head.0, head.1), lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(out, "{:hang$}{line}", "");
        }
    }
}

/// Breaks a text at its spaces into lines of at most `width` characters; a longer word (an ARN) stays whole, so that it
/// can be copied.
pub(in crate::report) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(30);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += size;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `1 error`, `2 errors`.
pub(in crate::report) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_and_long_words_stay_whole() {
        let arn = "arn:aws:iam::111111111111:role/a-role-of-a-long-name";
        let lines = wrap(&format!("a role that is known as {arn} and more"), 30);
        assert_eq!(lines, ["a role that is known as", arn, "and more"]);
        assert_eq!(wrap("", 80), [""; 0]);
    }

    #[test]
    fn later_lines_stand_under_the_text() {
        let mut out = String::new();
        let pen = Pen { color: false, width: 40 };
        pen.paragraph(&mut out, 2, (Style::Help, "help: "), "one two three four five six seven eight nine ten");
        assert_eq!(out, "  help: one two three four five six\n        seven eight nine ten\n");
    }
}
