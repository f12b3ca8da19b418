//! What stands below the matrix: what is too much and too little, what was not known, notes and counts.

use std::collections::BTreeSet;

use super::AccessOptions;
use crate::finding::Level;
use crate::finding::matrix::{Certainty, Fit, Matrix, Party, Scope};
use crate::report::access::entry::Entry;
use crate::report::access::words::{fit_mark, fit_text};
use crate::report::text::pen::{Pen, Style, count};
use crate::report::text::position;
use crate::report::visible;
use crate::text::SourceMap;

/// Deviations of a kind that are listed unless all are asked for.
const SHOWN_DEVIATIONS: usize = 10;

/// Facts that are listed unless all are asked for.
const SHOWN_GAPS: usize = 8;

/// Places of a fact that are listed unless all are asked for.
const SHOWN_PLACES: usize = 2;

/// Notes that are listed unless all are asked for.
const SHOWN_NOTES: usize = 10;

pub(super) fn push(text: &mut String, matrix: &Matrix, sources: &SourceMap, options: &AccessOptions, pen: Pen) {
    for fit in [Fit::TooMuch, Fit::TooLittle] {
        push_deviations(text, matrix, fit, sources, options, pen);
    }
    push_gaps(text, matrix, sources, options, pen);
    let most = if options.verbose { usize::MAX } else { SHOWN_NOTES };
    for note in matrix.notes.iter().take(most) {
        pen.paragraph(text, 0, (Style::Faint, "info: "), &visible(note));
    }
    push_rest(text, 0, matrix.notes.len().saturating_sub(most), "note");
    if !matrix.notes.is_empty() {
        text.push('\n');
    }
}

fn push_deviations(
    text: &mut String,
    matrix: &Matrix,
    fit: Fit,
    sources: &SourceMap,
    options: &AccessOptions,
    pen: Pen,
) {
    let entries = Entry::deviations(matrix, fit);
    let Some(first) = entries.first() else { return };
    let level = if fit == Fit::TooMuch { Level::Error } else { Level::Warning };
    let heading = format!("{} {} ({}):", fit_mark(fit), fit_text(fit), entries.len());
    text.push_str(&pen.paint(Style::Level(level), &heading));
    text.push('\n');
    let most = if options.verbose { usize::MAX } else { SHOWN_DEVIATIONS };
    for entry in entries.iter().take(most) {
        pen.paragraph(text, 2, (Style::Strong, "· "), &visible(&entry.sentence()));
        if let Some((reason, step)) = entry.reason() {
            let at = step.and_then(|step| step.span).map(|span| format!(" ({})", position(sources, span)));
            pen.paragraph(text, 4, (Style::Faint, ""), &format!("{}{}", visible(&reason), at.unwrap_or_default()));
        }
    }
    push_rest(text, 2, entries.len().saturating_sub(most), "");
    if let Some((reader, owner)) = example(first) {
        let command = format!("`trailproof access --why {} --logs {}` tells why", shell(&reader.id), shell(&owner.id));
        pen.paragraph(text, 2, (Style::Faint, ""), &command);
    }
    text.push('\n');
}

/// A reader and an owner that the entry is about.
fn example<'m>(entry: &Entry<'m>) -> Option<(&'m Party, &'m Party)> {
    entry.readers.iter().find_map(|reader| {
        let owner = entry.owners.iter().find(|owner| match entry.cell.scope {
            Scope::All => true,
            Scope::Own => reader.owns(owner),
            Scope::Others => !reader.owns(owner),
        });
        owner.map(|owner| (reader, owner))
    })
}

/// An ID as it can be given to a shell.
fn shell(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,".contains(c);
    if id.chars().all(is_plain) { id.to_owned() } else { format!("'{}'", visible(id).replace('\'', r"'\''")) }
}

fn push_gaps(text: &mut String, matrix: &Matrix, sources: &SourceMap, options: &AccessOptions, pen: Pen) {
    if matrix.gaps.is_empty() {
        return;
    }
    text.push_str(&pen.paint(Style::Strong, &format!("not known ({}):", count(matrix.gaps.len(), "fact"))));
    text.push('\n');
    let most = if options.verbose { usize::MAX } else { SHOWN_GAPS };
    for gap in matrix.gaps.iter().take(most) {
        pen.paragraph(text, 2, (Style::Strong, &format!("{}: ", visible(&gap.fact))), &visible(&gap.reason));
        // Places that contradict each other are what there is to tell.
        if options.verbose || gap.places.len() > 1 {
            for span in gap.places.iter().take(if options.verbose { usize::MAX } else { SHOWN_PLACES }) {
                text.push_str(&format!("    {}\n", position(sources, *span)));
            }
        }
    }
    push_rest(text, 2, matrix.gaps.len().saturating_sub(most), "fact");
    text.push('\n');
}

fn push_rest(text: &mut String, indent: usize, rest: usize, what: &str) {
    if rest > 0 {
        let what = match what {
            "" => String::new(),
            what if rest == 1 => format!(" {what}"),
            what => format!(" {what}s"),
        };
        text.push_str(&format!("{:indent$}… and {rest} more{what} (-v lists them)\n", ""));
    }
}

/// Adds the counts of all buckets; who reads or has logs in several of them counts once.
pub(super) fn push_summary(text: &mut String, matrices: &[Matrix], pen: Pen) {
    if matrices.is_empty() {
        text.push_str(&pen.paint(Style::Strong, "no log bucket is known"));
        text.push('\n');
        return;
    }
    let ids = |parties: &mut dyn Iterator<Item = &Party>| -> usize {
        parties.map(|party| party.id.as_str()).collect::<BTreeSet<_>>().len()
    };
    let readers = ids(&mut matrices.iter().flat_map(|matrix| &matrix.rows).flat_map(|row| &row.readers));
    let owners = ids(&mut matrices.iter().flat_map(|matrix| &matrix.columns).flat_map(|column| &column.owners));
    let (buckets, readers) = (count(matrices.len(), "log bucket"), count(readers, "reader"));
    let said = format!("{buckets}, {readers}, logs of {}", count(owners, "account"));
    let mut parts = vec![(None, said)];
    for (fit, level) in [(Fit::TooMuch, Level::Error), (Fit::TooLittle, Level::Warning)] {
        let number: usize = matrices.iter().map(|matrix| Entry::deviations(matrix, fit).len()).sum();
        if number > 0 {
            parts.push((Some(Style::Level(level)), format!("{number} {}", fit_text(fit))));
        }
    }
    if parts.len() == 1 && matrices.iter().all(|matrix| matrix.is_declared) {
        let is_good =
            |entry: Entry<'_>| entry.cell.fit == Some(Fit::Expected) && entry.cell.certainty() == Certainty::Certain;
        parts.push(match matrices.iter().flat_map(Entry::all).all(is_good) {
            true => (Some(Style::Good), "all as the sharing model says".to_owned()),
            false => (None, "nothing is known to be too much or too little".to_owned()),
        });
    }
    let gaps: usize = matrices.iter().map(|matrix| matrix.gaps.len()).sum();
    if gaps > 0 {
        parts.push((None, format!("{} not known", count(gaps, "fact"))));
    }
    let mut taken = 0;
    for (number, (style, said)) in parts.iter().enumerate() {
        let semicolon = usize::from(number + 1 < parts.len());
        let glue = if number == 0 { 0 } else { 1 };
        if taken + glue + said.len() + semicolon > pen.width && number > 0 {
            text.push('\n');
            taken = 0;
        } else if number > 0 {
            text.push(' ');
        }
        text.push_str(&style.map_or_else(|| said.clone(), |style| pen.paint(style, said)));
        text.push_str(&";".repeat(semicolon));
        taken += glue + said.len() + semicolon;
    }
    text.push('\n');
}
