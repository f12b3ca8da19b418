//! The texts of a SARIF report.

use std::borrow::Cow;
use std::fmt::Write;

use crate::audit::ReportedGap;
use crate::finding::{Finding, Subject};
use crate::report::visible;
use crate::rule::Card;

/// The longest description of a rule that GitHub shows, in characters.
const MAX_DESCRIPTION: usize = 1024;

/// How many related places a message links to; all of them are in `relatedLocations`.
const MAX_LINKS: usize = 8;

/// Text from input in a message: hidden characters are shown, and nothing in it becomes a link.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    if shown.contains("](") { Cow::Owned(shown.replace("](", "] (")) } else { shown }
}

/// The message of a result: what is true, with links to the related places (numbered from 1), then what to do.
pub(super) fn message(finding: &Finding) -> String {
    let mut text = plain(&finding.message).into_owned();
    let links = finding.related.iter().zip(1..).filter(|(label, _)| !label.message.is_empty()).take(MAX_LINKS);
    for (count, (label, id)) in links.enumerate() {
        text.push_str(if count == 0 { " (see " } else { ", " });
        push_link(&mut text, &label.message, id);
    }
    if finding.related.iter().any(|label| !label.message.is_empty()) {
        text.push(')');
    }
    if let Some(help) = &finding.help {
        text.push_str("\n\n");
        text.push_str(&plain(help));
    }
    text
}

fn push_link(text: &mut String, words: &str, id: usize) {
    text.push('[');
    for character in visible(words).chars() {
        if matches!(character, '[' | ']' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    // Writing to a string does not fail.
    let _ = write!(text, "]({id})");
}

/// What a gap's notification says.
pub(super) fn gap(gap: &ReportedGap) -> String {
    let Subject { kind, name, .. } = &*gap.subject;
    let mut text = format!("`{}` of {} `{}` is not known: {}", gap.fact, kind.name(), name, gap.reason);
    for (count, rule) in gap.blocks.iter().enumerate() {
        text.push_str(if count == 0 { "; no verdict from `" } else { ", `" });
        text.push_str(rule);
        text.push('`');
    }
    plain(&text).into_owned()
}

/// `missing-external-id` as `MissingExternalId`.
pub(super) fn pascal_case(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for word in id.split('-') {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

/// What a rule detects, cut to the length that is shown.
pub(super) fn description(card: &Card) -> String {
    let text = card.sections.first().map_or(card.summary.as_str(), |(_, body)| body.as_str());
    let text = if text.is_empty() { card.summary.as_str() } else { text };
    match text.char_indices().nth(MAX_DESCRIPTION) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(MAX_DESCRIPTION - 2).map_or(text.len(), |(at, _)| at);
            let cut = text.get(..end).unwrap_or(text);
            let cut = cut.rfind(char::is_whitespace).and_then(|space| cut.get(..space)).unwrap_or(cut);
            format!("{} …", cut.trim_end())
        }
    }
}

/// The prose of a card without and with headings in markdown.
pub(super) fn help(card: &Card) -> (String, String) {
    let (mut text, mut markdown) = (String::new(), String::new());
    for (heading, body) in &card.sections {
        // Writing to a string does not fail.
        let _ = write!(text, "{heading}\n\n{body}\n\n");
        let _ = write!(markdown, "## {heading}\n\n{body}\n\n");
    }
    if card.sections.is_empty() {
        text.push_str(&card.summary);
        markdown.push_str(&card.summary);
    }
    if !card.references.is_empty() {
        text.push_str("References\n\n");
        markdown.push_str("## References\n\n");
        for reference in &card.references {
            let _ = writeln!(text, "{reference}");
            let _ = writeln!(markdown, "* <{reference}>");
        }
    }
    (text.trim_end().to_owned(), markdown.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_can_not_make_a_link() {
        assert_eq!(plain("Sid `[x](https://evil)`\x1b"), "Sid `[x] (https://evil)`\\u{1b}");
        let mut text = String::new();
        push_link(&mut text, "a ]( [b] \\", 3);
        assert_eq!(text, "[a \\]( \\[b\\] \\\\](3)");
    }

    #[test]
    fn rule_names_are_in_pascal_case() {
        assert_eq!(pascal_case("missing-external-id"), "MissingExternalId");
    }
}
