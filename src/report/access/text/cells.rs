//! What stands in a cell of the text, broken to a width, and the legend of all that was met.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr;

use crate::finding::Level;
use crate::finding::matrix::{Cell, Certainty, Fit, Scope};
use crate::report::access::words::{Word, fit_mark, fit_text, mark, words};
use crate::report::text::pen::{Pen, Style};

/// Text that is never broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    text: String,
    style: Option<Style>,
    /// What stands between it and the one before in the same line.
    glue: &'static str,
}

/// A line of a cell: what is shown and how many columns it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) width: usize,
}

/// What the cells that were shown hold, for the legend.
#[derive(Debug, Default)]
pub(super) struct Met {
    words: BTreeSet<Word>,
    certainties: BTreeSet<Certainty>,
    fits: BTreeSet<Fit>,
}

/// The columns of a text.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The words of a part and how it stands to the model.
pub(super) fn said(cell: &Cell, met: &mut Met) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for said in words(cell) {
        met.words.insert(said.word);
        met.certainties.insert(said.certainty);
        let style = match (said.word, cell.fit) {
            (_, Some(Fit::TooMuch)) => Some(Style::Level(Level::Error)),
            (_, Some(Fit::TooLittle)) => Some(Style::Level(Level::Warning)),
            (Word::None, _) => Some(Style::Faint),
            _ => None,
        };
        pieces.push(Piece { text: said.text(), style, glue: " · " });
    }
    if let Some(fit) = cell.fit {
        met.fits.insert(fit);
        // The mark stays with the last word.
        if let Some(last) = pieces.last_mut() {
            last.text.push(' ');
            last.text.push_str(fit_mark(fit));
        }
    }
    pieces
}

/// What stands before the words of a part.
pub(super) fn part(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::All => None,
        Scope::Own => Some("own:"),
        Scope::Others => Some("others:"),
    }
}

/// The pieces of each part of a cell.
pub(super) fn parts(cells: &[Cell], met: &mut Met) -> Vec<Vec<Piece>> {
    let with_scope = |cell: &Cell| {
        let mut pieces = said(cell, met);
        if let Some(scope) = part(cell.scope).filter(|_| cells.len() > 1) {
            if let Some(first) = pieces.first_mut() {
                first.glue = " ";
            }
            pieces.insert(0, Piece { text: scope.to_owned(), style: None, glue: "" });
        }
        pieces
    };
    cells.iter().map(with_scope).collect()
}

/// The columns that pieces take in one line.
pub(super) fn natural(pieces: &[Piece]) -> usize {
    let glued = pieces.iter().skip(1).map(|piece| width(piece.glue)).sum::<usize>();
    pieces.iter().map(|piece| width(&piece.text)).sum::<usize>() + glued
}

/// The columns of the widest piece.
pub(super) fn least(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| width(&piece.text)).max().unwrap_or(0)
}

/// Pieces in lines of at most `most` columns.
pub(super) fn lines(pieces: &[Piece], most: usize, pen: Pen) -> Vec<Shown> {
    let mut lines: Vec<Shown> = Vec::new();
    for piece in pieces {
        let painted = match piece.style {
            Some(style) => pen.paint(style, &piece.text),
            None => piece.text.clone(),
        };
        let (own, glue) = (width(&piece.text), width(piece.glue));
        match lines.last_mut().filter(|line| line.width + glue + own <= most) {
            Some(line) => {
                line.text.push_str(piece.glue);
                line.text.push_str(&painted);
                line.width += glue + own;
            }
            None => lines.push(Shown { text: painted, width: own }),
        }
    }
    lines
}

/// A text in lines of at most `most` columns: broken at spaces, and where a word is longer behind the last `/`, `:` or
/// `-` that fits.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(4);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if let Some(line) = lines.last_mut().filter(|line| width(line) + 1 + width(word) <= most) {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        let mut rest = word;
        while width(rest) > most {
            let (head, tail) = rest.split_at_checked(break_at(rest, most)).unwrap_or((rest, ""));
            lines.push(head.to_owned());
            rest = tail;
        }
        lines.push(rest.to_owned());
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Where a word is broken; never at its beginning.
fn break_at(word: &str, most: usize) -> usize {
    let mut taken = 0;
    let (mut last, mut good) = (0, 0);
    for (at, character) in word.char_indices() {
        let mut buffer = [0; 4];
        taken += width(character.encode_utf8(&mut buffer));
        if taken > most && last > 0 {
            break;
        }
        last = at + character.len_utf8();
        if matches!(character, '/' | ':' | '-') {
            good = last;
        }
    }
    // A break so early that little of the line is used helps nobody.
    if good * 2 >= last { good } else { last }
}

impl Met {
    /// Adds what the words and marks mean.
    pub(super) fn push_legend(&self, text: &mut String, pen: Pen) {
        for word in Word::ALL.into_iter().filter(|word| self.words.contains(word) && *word != Word::None) {
            pen.paragraph(text, 0, (Style::Faint, &format!("{}: ", word.text())), word.meaning());
        }
        if self.certainties.contains(&Certainty::Conditional) {
            let meaning = "it hangs on what the reader can not arrange, or on facts that no input tells";
            pen.paragraph(text, 0, (Style::Faint, &format!("{}: ", mark(Certainty::Conditional))), meaning);
        }
        if self.certainties.contains(&Certainty::Unknown) && self.words.iter().any(|word| *word != Word::Unknown) {
            pen.paragraph(text, 0, (Style::Faint, &format!("{}: ", mark(Certainty::Unknown))), "nobody can tell");
        }
        let fits: Vec<String> = self.fits.iter().map(|fit| format!("{} {}", fit_mark(*fit), fit_text(*fit))).collect();
        if !fits.is_empty() {
            pen.paragraph(text, 0, (Style::Faint, "against the model: "), &fits.join(", "));
        }
        if !self.words.is_empty() {
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_where_an_arn_does_and_wide_characters_count_twice() {
        let arn = "arn:aws:iam::111111111111:role/log-reader-222222222222";
        assert_eq!(wrap(arn, 30), ["arn:aws:iam::111111111111:", "role/log-reader-222222222222"]);
        assert_eq!(wrap("ab 日本語日本語", 6), ["ab", "日本語", "日本語"]);
        assert_eq!(wrap("222222222222 (payments)", 14), ["222222222222", "(payments)"]);
        assert_eq!(wrap("", 14), [""]);
    }
}
