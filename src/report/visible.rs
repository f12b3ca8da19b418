//! Text from input, made fit to be shown to people.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character would not show as itself: control and format characters, which move the cursor, start terminal
/// escapes, reorder or hide text (Unicode categories Cc, Cf, Zl, Zp).
pub(super) fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Adds a character as it can be shown: a hidden one as `\u{…}`.
pub(super) fn push_visible(text: &mut String, character: char) {
    if is_hidden(character) {
        // Writing to a string does not fail.
        let _ = write!(text, "\\u{{{:x}}}", character as u32);
    } else {
        text.push(character);
    }
}

/// The text with hidden characters (line ends and tabs too) as `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push_visible(&mut shown, c));
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_escaped() {
        assert_eq!(visible("a\x1b[31m\0\u{9b}2J\u{202e}b\n"), "a\\u{1b}[31m\\u{0}\\u{9b}2J\\u{202e}b\\u{a}");
        assert!(matches!(visible("größe 大 😀 `x`"), Cow::Borrowed(_)));
    }
}
