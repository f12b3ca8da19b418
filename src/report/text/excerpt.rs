//! Excerpts of a source: the lines around labels, cut to a width and with hidden characters escaped.
//!
//! An excerpt costs what it shows, wherever it stands and however long the line or file is.

use std::ops::Range;

use crate::report::visible::push_visible;
use crate::text::{Source, Span};

/// Lines shown before and after a label.
const CONTEXT: u32 = 1;

/// Lines shown of a label that covers many.
const MAX_LINES: u32 = 6;

/// What stands for text that is left out.
const ELLIPSIS: char = '…';

/// A label to be shown.
#[derive(Debug, Clone)]
pub(in crate::report) struct Wanted<'r> {
    pub(in crate::report) span: Span,
    pub(in crate::report) message: &'r str,
    pub(in crate::report) primary: bool,
}

/// Lines of one source and the labels in them.
#[derive(Debug, Default)]
pub(in crate::report) struct Excerpt {
    /// The lines of all chunks, each with its line end, as they are shown.
    pub(in crate::report) text: String,
    /// Runs of lines, in the order of `text`.
    pub(in crate::report) chunks: Vec<Chunk>,
    /// The labels, in the order of their chunks.
    pub(in crate::report) marks: Vec<Mark>,
}

/// Lines that follow each other in the source.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::report) struct Chunk {
    /// Their part of the excerpt's text.
    pub(in crate::report) range: Range<usize>,
    /// The number of the first, from 1.
    pub(in crate::report) line: u32,
    /// How many there are.
    pub(in crate::report) lines: u32,
    /// `file:line:column` of its first label, unless it holds the primary label, whose place is said elsewhere.
    pub(in crate::report) title: Option<String>,
}

/// A label in an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::report) struct Mark {
    /// Its part of the excerpt's text.
    pub(in crate::report) range: Range<usize>,
    /// What is said of it; may be empty.
    pub(in crate::report) message: String,
    /// Whether it is the finding's own place.
    pub(in crate::report) primary: bool,
}

/// A label with the lines it covers and shows.
struct Placed<'r> {
    wanted: Wanted<'r>,
    first: u32,
    last: u32,
    /// The last line of it that is shown.
    shown: u32,
}

impl Excerpt {
    /// Shows `labels` of `source` in lines of at most `width` characters; nothing where the source is empty.
    pub(in crate::report) fn new(source: &Source, labels: &[Wanted<'_>], width: usize) -> Self {
        if source.text().is_empty() {
            return Excerpt::default();
        }
        let mut placed: Vec<Placed<'_>> = labels.iter().map(|label| Placed::new(source, label.clone())).collect();
        placed.sort_by_key(|label| (!label.wanted.primary, label.wanted.span));
        let mut groups: Vec<Vec<Placed<'_>>> = Vec::new();
        for label in placed {
            match groups.iter_mut().find(|group| fits(source, group, &label, width)) {
                Some(group) => group.push(label),
                None => groups.push(vec![label]),
            }
        }
        let mut excerpt = Excerpt::default();
        for group in &mut groups {
            group.sort_by_key(|label| label.wanted.span);
            excerpt.push(source, group, width);
        }
        excerpt
    }

    fn push(&mut self, source: &Source, labels: &[Placed<'_>], width: usize) {
        let Some(first) = labels.iter().map(|label| label.first).min() else { return };
        let last = labels.iter().map(|label| label.shown).max().unwrap_or(first);
        let top = first.saturating_sub(CONTEXT).max(1);
        let start = self.text.len();
        let mut ranges: Vec<Range<usize>> = labels.iter().map(|_| 0..0).collect();
        let mut lines = 0;
        let is_cut = labels.iter().any(|label| label.is_cut() && label.shown == last);
        for number in top..=last.saturating_add(if is_cut { 0 } else { CONTEXT }) {
            let Some(line) = source.line_range(number) else { break };
            // The empty line behind the last line end is only shown when a label stands there.
            if number > last && line.start == source.text().len() {
                break;
            }
            lines += 1;
            self.push_line(source, line, number, labels, &mut ranges, width);
        }
        let own = labels.iter().any(|label| label.wanted.primary);
        let title = labels.first().filter(|_| !own).map(|label| {
            format!("{}:{}", crate::report::visible(source.name()), source.position(label.wanted.span.start))
        });
        self.chunks.push(Chunk { range: start..self.text.len(), line: top, lines, title });
        self.marks.extend(labels.iter().zip(ranges).map(|(label, range)| Mark {
            range,
            message: crate::report::visible(label.wanted.message).into_owned(),
            primary: label.wanted.primary,
        }));
    }

    /// Adds a line, and where labels begin and end in it.
    fn push_line(
        &mut self,
        source: &Source,
        line: Range<usize>,
        number: u32,
        labels: &[Placed<'_>],
        ranges: &mut [Range<usize>],
        width: usize,
    ) {
        let needed = needed(&line, number, labels);
        let window = window(source.text(), &line, needed, width);
        if window.start > line.start {
            self.text.push(ELLIPSIS);
        }
        // Where each character of the window stands in the excerpt.
        let mut offsets: Vec<(usize, usize)> = Vec::new();
        let shown = source.text().get(window.clone()).unwrap_or("");
        for (at, character) in shown.char_indices() {
            offsets.push((window.start + at, self.text.len()));
            match character {
                '\t' => self.text.push('\t'),
                other => push_visible(&mut self.text, other),
            }
        }
        let end = self.text.len();
        if window.end < line.end {
            self.text.push(ELLIPSIS);
        }
        let at = |offset: usize| {
            let index = offsets.partition_point(|(source, _)| *source < offset);
            offsets.get(index).map_or(end, |(_, shown)| *shown)
        };
        for (label, range) in labels.iter().zip(ranges) {
            if number == label.first {
                range.start = at(label.wanted.span.start as usize);
                range.end = range.start;
            }
            if number == label.last {
                range.end = at(label.wanted.span.end as usize).max(range.start);
            } else if number == label.shown {
                range.end = end.max(range.start);
            }
        }
        let more = labels.iter().filter(|l| number == l.shown && l.is_cut()).map(|l| l.last - l.shown).max();
        if let Some(more) = more {
            self.text.push_str(&format!(" {ELLIPSIS} ({more} more line{})", if more == 1 { "" } else { "s" }));
        }
        self.text.push('\n');
    }
}

impl<'r> Placed<'r> {
    fn new(source: &Source, wanted: Wanted<'r>) -> Self {
        let first = source.position(wanted.span.start).line;
        let end = source.position(wanted.span.end);
        // A label that ends with a line end does not reach into the next line.
        let last = if end.column == 1 && end.line > first { end.line - 1 } else { end.line };
        Placed { wanted, first, last, shown: last.min(first + MAX_LINES - 1) }
    }

    /// Whether lines of it are left out.
    fn is_cut(&self) -> bool {
        self.shown < self.last
    }

    fn is_in_one_line(&self) -> bool {
        self.first == self.last
    }
}

/// Whether a label can be shown together with those of a group: its lines touch theirs, and no two labels in one line
/// cover each other or lie further apart than a line is wide.
fn fits(source: &Source, group: &[Placed<'_>], label: &Placed<'_>, width: usize) -> bool {
    let touches = |other: &Placed<'_>| {
        label.first <= other.shown + 2 * CONTEXT + 1 && other.first <= label.shown + 2 * CONTEXT + 1
    };
    let apart = |other: &Placed<'_>| {
        let (a, b) = (label.wanted.span, other.wanted.span);
        // No line may be shown that a cut label says is left out.
        if (other.is_cut() && label.shown > other.shown) || (label.is_cut() && other.shown > label.shown) {
            return false;
        }
        if !label.is_in_one_line() || !other.is_in_one_line() {
            return a != b;
        }
        if label.first != other.first {
            return true;
        }
        let disjoint = a.end <= b.start || b.end <= a.start;
        let reach = (a.end.max(b.end) - a.start.min(b.start)) as usize;
        let length = source.line_range(label.first).map_or(0, |line| line.len());
        disjoint && a.start != b.start && (length <= width || reach <= width / 2)
    };
    group.iter().any(touches) && group.iter().all(apart)
}

/// The part of a line that labels want to be seen.
fn needed(line: &Range<usize>, number: u32, labels: &[Placed<'_>]) -> Option<Range<usize>> {
    let mut needed: Option<Range<usize>> = None;
    for label in labels {
        let (start, end) = (label.wanted.span.start as usize, label.wanted.span.end as usize);
        let own = match (number == label.first, number == label.last) {
            (true, true) => start..end.min(line.end).max(start),
            (true, false) => start..start,
            (false, true) => end..end,
            (false, false) => continue,
        };
        needed = Some(needed.map_or(own.clone(), |n| n.start.min(own.start)..n.end.max(own.end)));
    }
    needed
}

/// The part of a line that is shown: all of it where it is not wider than `width` characters, else a part around what
/// is needed.
fn window(text: &str, line: &Range<usize>, needed: Option<Range<usize>>, width: usize) -> Range<usize> {
    if line.len() <= width {
        return line.clone();
    }
    let needed = needed.unwrap_or(line.start..line.start);
    let (before, from) = (text.get(line.start..needed.start), text.get(needed.start..line.end));
    let (Some(before), Some(from)) = (before, from) else { return line.start..line.start };
    let length = from.char_indices().take(width).take_while(|(at, _)| needed.start + at < needed.end).count();
    // Most of what the label leaves stands before it, where its key is; near the end of the line all of it.
    let behind = from.chars().take(width).count();
    let lead = ((width - length) * 2 / 3).max(width / 8).max(width - behind);
    let mut start = needed.start;
    let mut led = 0;
    for (at, _) in before.char_indices().rev().take(lead) {
        start = line.start + at;
        led += 1;
    }
    let end = from.char_indices().nth(width.saturating_sub(led)).map_or(line.end, |(at, _)| needed.start + at);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::SourceId;

    fn span(text: &str, needle: &str) -> Span {
        let start = text.find(needle).unwrap() as u32;
        Span::new(SourceId::new(0), start, start + needle.len() as u32)
    }

    fn excerpt(text: &str, needles: &[&str], width: usize) -> Excerpt {
        let labels: Vec<Wanted<'_>> = needles
            .iter()
            .enumerate()
            .map(|(n, needle)| Wanted { span: span(text, needle), message: "m", primary: n == 0 })
            .collect();
        Excerpt::new(&Source::new("f.json", text), &labels, width)
    }

    fn marked(excerpt: &Excerpt) -> Vec<&str> {
        excerpt.marks.iter().map(|mark| &excerpt.text[mark.range.clone()]).collect()
    }

    #[test]
    fn a_label_comes_with_a_line_before_and_after() {
        let found = excerpt("a\nb\nc x d\ne\nf\n", &["x"], 80);
        assert_eq!(found.text, "b\nc x d\ne\n");
        assert_eq!(found.chunks, [Chunk { range: 0..10, line: 2, lines: 3, title: None }]);
        assert_eq!(marked(&found), ["x"]);
    }

    #[test]
    fn carriage_returns_are_no_part_of_a_line() {
        let found = excerpt("a\r\nb x\r\nc\r\n", &["x\r\n"], 80);
        assert_eq!(found.text, "a\nb x\nc\n");
        assert_eq!(marked(&found), ["x"]);
    }

    #[test]
    fn near_labels_share_lines_and_far_ones_have_their_own() {
        let text = "1\n2 x\n3\n4\n5 y\n6\n7\n8\n9\n10\n11 z\n";
        let found = excerpt(text, &["z", "x", "y"], 80);
        let lines: Vec<_> = found.chunks.iter().map(|c| (c.line, c.lines, c.title.as_deref())).collect();
        assert_eq!(lines, [(10, 2, None), (1, 6, Some("f.json:2:3"))]);
        assert_eq!(marked(&found), ["z", "x", "y"]);
    }

    #[test]
    fn labels_that_cover_each_other_in_a_line_are_shown_apart() {
        let found = excerpt("{\"a\": [1, 2]}", &["[1, 2]", "1", "2"], 80);
        assert_eq!(found.chunks.len(), 2);
        assert_eq!(marked(&found), ["[1, 2]", "1", "2"]);
    }

    #[test]
    fn a_label_of_many_lines_is_cut_and_says_so() {
        let text = "{\n1\n2\n3\n4\n5\n6\n7\n}\n";
        let found = excerpt(text, &["{\n1\n2\n3\n4\n5\n6\n7\n}"], 80);
        assert_eq!(found.text, "{\n1\n2\n3\n4\n5 … (3 more lines)\n");
        assert_eq!(marked(&found), ["{\n1\n2\n3\n4\n5"]);
    }

    #[test]
    fn a_line_of_megabytes_is_cut_around_the_label_wherever_it_stands() {
        for pad in [0, 7, 500, 3_000_000] {
            let text = format!("{}<x>{}", "ä".repeat(pad), "ß".repeat(3_000_000 - pad));
            let found = excerpt(&text, &["<x>"], 60);
            assert_eq!(marked(&found), ["<x>"], "{pad}");
            let length = found.text.chars().count();
            assert!((60..=63).contains(&length), "{pad}: {length}");
            assert_eq!(found.text.starts_with('…'), pad >= 60, "{pad}");
            assert_eq!(found.text.ends_with("…\n"), pad < 3_000_000, "{pad}");
        }
    }

    #[test]
    fn a_label_wider_than_the_line_shows_its_beginning() {
        let text = format!("{}[{}]{}", "a".repeat(500), "b".repeat(500), "c".repeat(500));
        let found = excerpt(&text, &[&format!("[{}]", "b".repeat(500))], 80);
        let line = found.text.trim_end();
        assert_eq!(line.chars().count(), 82);
        assert_eq!(marked(&found), [&format!("[{}", "b".repeat(69))]);
        assert_eq!(line, format!("…{}[{}…", "a".repeat(10), "b".repeat(69)));
    }

    #[test]
    fn two_far_labels_in_one_long_line_are_shown_apart() {
        let text = format!("x{}y{}", "a".repeat(4_000), "b".repeat(10));
        let found = excerpt(&text, &["y", "x"], 80);
        assert_eq!(found.chunks.len(), 2);
        assert_eq!(marked(&found), ["y", "x"]);
        assert_eq!(found.chunks[1].title.as_deref(), Some("f.json:1:1"));
    }

    #[test]
    fn hidden_characters_are_escaped_and_labels_stay_on_their_text() {
        let found = excerpt("a\x1b[31m\u{202e} <\u{9b}x> \u{0}\n", &["<\u{9b}x>"], 80);
        assert_eq!(found.text, "a\\u{1b}[31m\\u{202e} <\\u{9b}x> \\u{0}\n");
        assert_eq!(marked(&found), ["<\\u{9b}x>"]);
    }

    #[test]
    fn empty_labels_stand_where_they_are() {
        for (text, at, shown) in [("\n", 0, "\n"), ("ab\n", 3, "ab\n\n"), ("ab\n", 2, "ab\n"), ("ab", 9, "ab\n")] {
            let source = Source::new("f", text);
            let label = Wanted { span: Span::new(SourceId::new(0), at, at), message: "", primary: true };
            let found = Excerpt::new(&source, &[label], 80);
            assert_eq!(found.text, shown, "{text:?} {at}");
            let mark = &found.marks[0].range;
            assert!(mark.is_empty() && mark.start < found.text.len(), "{mark:?}");
        }
    }
}
