//! Answers as the AWS CLI prints them.

use std::fmt::Write as _;

use serde_json::Value;

/// A JSON value whose policy documents keep every byte AWS gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `null`
    Null,
    /// A string.
    Text(String),
    /// A number.
    Number(i64),
    /// A truth value.
    Bool(bool),
    /// An array.
    List(Vec<Node>),
    /// An object, in the order it is written.
    Object(Vec<(String, Node)>),
    /// JSON text, written as it is but for its white space: keys that stand twice stay twice.
    Document(String),
}

/// An object with no fields yet.
pub(super) fn object() -> Node {
    Node::Object(Vec::new())
}

impl Node {
    /// With a field more.
    pub(super) fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        if let Node::Object(fields) = &mut self {
            fields.push((name.to_owned(), value.into()));
        }
        self
    }

    /// With a field more, where there is a value for it.
    pub(super) fn maybe(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A policy document as IAM gives it: percent-encoded, or plain as some servers give it. What is no JSON stays a text.
    pub(super) fn document(text: &str) -> Self {
        let decoded = match text.trim_start().starts_with('{') {
            true => Some(text.to_owned()),
            false => crate::text::embedded::percent_decode(text, 0).ok().map(|decoded| decoded.text),
        };
        let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        match decoded.filter(is_json) {
            Some(json) => Node::Document(json),
            None => Node::Text(text.to_owned()),
        }
    }

    /// The text of a file, indented as the AWS CLI does.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    /// The value, in which a key stands once.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Text(text) => Value::from(text.as_str()),
            Node::Number(number) => Value::from(*number),
            Node::Bool(bool) => Value::from(*bool),
            Node::List(items) => items.iter().map(Node::to_value).collect(),
            Node::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value.to_value())).collect(),
            Node::Document(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        }
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Node::Null => out.push_str("null"),
            Node::Text(text) => quote(out, text),
            Node::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Node::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
            Node::List(items) => group(out, depth, ['[', ']'], items.iter(), |out, item| item.write(out, depth + 1)),
            Node::Object(fields) => group(out, depth, ['{', '}'], fields.iter(), |out, (name, value)| {
                quote(out, name);
                out.push_str(": ");
                value.write(out, depth + 1);
            }),
            Node::Document(text) => indent(out, text, depth),
        }
    }
}

fn group<T>(
    out: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push(open);
    let mut is_empty = true;
    for item in items {
        if !is_empty {
            out.push(',');
        }
        is_empty = false;
        new_line(out, depth + 1);
        write(out, item);
    }
    if !is_empty {
        new_line(out, depth);
    }
    out.push(close);
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    // A hostile document may be deeper than any line is wide.
    (0..depth.min(40)).for_each(|_| out.push_str("    "));
}

fn quote(out: &mut String, text: &str) {
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        Err(_) => out.push_str("\"\""),
    }
}

/// Writes JSON text with white space of our own; the text is known to be JSON.
fn indent(out: &mut String, text: &str, depth: usize) {
    let mut depth = depth;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '"' => {
                length = string_length(rest);
                out.push_str(rest.get(..length).unwrap_or(rest));
            }
            '{' | '[' => {
                out.push(first);
                let inside = rest.get(1..).unwrap_or_default().trim_start();
                if inside.starts_with(['}', ']']) {
                    length = rest.len() - inside.len() + 1;
                    out.push_str(inside.get(..1).unwrap_or_default());
                } else {
                    depth += 1;
                    new_line(out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(out, depth);
                out.push(first);
            }
            ',' => {
                out.push(first);
                new_line(out, depth);
            }
            ':' => out.push_str(": "),
            ' ' | '\n' | '\r' | '\t' => {}
            other => out.push(other),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The length of the string a text begins with, its quotes included, in bytes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Node::Text(text)
    }
}

impl From<bool> for Node {
    fn from(bool: bool) -> Self {
        Node::Bool(bool)
    }
}

impl From<i32> for Node {
    fn from(number: i32) -> Self {
        Node::Number(number.into())
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Node::Number(number)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(items: Vec<T>) -> Self {
        Node::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Node>> FromIterator<T> for Node {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Node::List(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_it_was() {
        let node = object()
            .with("Name", "a \"quoted\"\n\u{1b}text")
            .with("None", Node::Null)
            .with("Empty", Node::List(Vec::new()))
            .with("Count", -3)
            .maybe("Missing", None::<&str>)
            .with("List", vec![Node::from(true), object()]);
        let text = node.to_text();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), node.to_value());
        assert!(text.contains("\n    \"Empty\": [],\n"), "{text}");
    }

    #[test]
    fn a_document_keeps_keys_that_stand_twice_and_the_spelling_of_its_strings() {
        let plain = r#"{"a" : "x  \" {\u0041}", "a":[ ],"b":[1.50, {"c":{}}]}"#;
        let encoded: String = plain.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let expected = "{\n    \"P\": {\n        \"a\": \"x  \\\" {\\u0041}\",\n        \"a\": [],\n        \"b\": [\n            1.50,\n            {\n                \"c\": {}\n            }\n        ]\n    }\n}\n";
        for text in [plain, &encoded] {
            assert_eq!(object().with("P", Node::document(text)).to_text(), expected);
        }
    }

    #[test]
    fn a_document_that_is_no_json_stays_a_text() {
        for text in ["{\"a\": ", "%7B%22a", "%ZZ", "", "no"] {
            assert_eq!(Node::document(text), Node::Text(text.to_owned()));
        }
    }
}
