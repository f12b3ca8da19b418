//! Text from the input as HTML text and attribute values.

use crate::report::visible;

/// The text as it can stand in an element and in a quoted attribute; hidden characters are shown as `\u{…}`.
pub(super) fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A sentence; what stands between two backticks is code.
pub(super) fn prose(text: &str) -> String {
    let mut safe = String::new();
    let mut parts = text.split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        match is_code && parts.peek().is_some() {
            true => safe.push_str(&format!("<code>{}</code>", escaped(part))),
            false if is_code => safe.push_str(&format!("`{}", escaped(part))),
            false => safe.push_str(&escaped(part)),
        }
        is_code = !is_code;
    }
    safe
}
