//! The matrix as a list, where there are more columns than the terminal has room for: for each row what can be done, and
//! with whose logs.

use std::io::{self, Write};

use super::cells::{Met, Piece, Shown, lines, natural, said, wrap};
use super::{Line, SHOWN_NAMES};
use crate::finding::matrix::{Column, Fit, Matrix, Party, Row, Scope};
use crate::report::access::words::names;
use crate::report::text::pen::{Pen, Style};
use crate::report::visible;

/// The most columns of the words, which stand before whose logs they are about.
const WORDS: usize = 34;

/// A row's cells that say the same.
struct Group<'m> {
    pieces: Vec<Piece>,
    own: bool,
    /// How many owners less one, for each column of which all but one's own are meant.
    others: Vec<usize>,
    owners: Vec<&'m Party>,
    /// Nothing can be done, and nothing should.
    is_nothing: bool,
}

pub(super) fn write(
    out: &mut dyn Write,
    matrix: &Matrix,
    rows: &[Line<'_>],
    pen: Pen,
    met: &mut Met,
) -> io::Result<()> {
    let mut kind = None;
    for (row, line) in matrix.rows.iter().zip(rows) {
        if kind != Some(line.kind)
            && let Some(group) = line.group()
        {
            writeln!(out, "{}", pen.paint(Style::Strong, group))?;
        }
        kind = Some(line.kind);
        for text in wrap(&line.name, pen.width - 2) {
            writeln!(out, "  {text}")?;
        }
        for text in line.note.iter().flat_map(|note| wrap(note, pen.width - 4)) {
            writeln!(out, "    {}", pen.paint(Style::Faint, &text))?;
        }
        let groups = groups(&matrix.columns, row, line, met);
        let is_alone = groups.len() == 1;
        let widest = groups.iter().map(|group| natural(&group.pieces)).max().unwrap_or(0).min(WORDS);
        for group in groups {
            write_group(out, &group, (widest, is_alone), row.readers.len() > 1, pen)?;
        }
    }
    Ok(())
}

fn groups<'m>(columns: &'m [Column], row: &Row, line: &Line<'m>, met: &mut Met) -> Vec<Group<'m>> {
    let mut groups: Vec<Group<'m>> = Vec::new();
    for (column, cells) in columns.iter().zip(&line.cells) {
        for cell in *cells {
            let pieces = said(cell, met);
            let index = groups.iter().position(|group| group.pieces == pieces).unwrap_or_else(|| {
                groups.push(Group {
                    pieces,
                    own: false,
                    others: Vec::new(),
                    owners: Vec::new(),
                    is_nothing: cell.can.is_empty() && cell.fit != Some(Fit::TooLittle),
                });
                groups.len() - 1
            });
            let Some(group) = groups.get_mut(index) else { continue };
            let is_own = matches!((row.readers.as_slice(), column.owners.as_slice()), ([r], [o]) if r.owns(o));
            match cell.scope {
                _ if is_own => group.own = true,
                Scope::Own => group.own = true,
                Scope::Others => group.others.push(column.owners.len().saturating_sub(1)),
                Scope::All => group.owners.extend(&column.owners),
            }
        }
    }
    groups.sort_by_key(|group| (group.is_nothing, !group.own));
    groups
}

fn write_group(
    out: &mut dyn Write,
    group: &Group<'_>,
    (widest, is_alone): (usize, bool),
    several: bool,
    pen: Pen,
) -> io::Result<()> {
    let mut whose: Vec<String> = Vec::new();
    if group.own {
        whose.push(if several { "their own logs".to_owned() } else { "its own logs".to_owned() });
    }
    match (group.others.is_empty(), several) {
        (true, _) => {}
        (false, true) => whose.push("each other's logs".to_owned()),
        (false, false) => whose.push(format!("logs of {} others like it", group.others.iter().sum::<usize>())),
    }
    match group.owners.as_slice() {
        [] => {}
        [one] => whose.push(format!("logs of {}", visible(&one.label))),
        many if is_alone && whose.is_empty() => whose.push(format!("logs of all {} accounts", many.len())),
        many if group.is_nothing => whose.push(format!("logs of {} other accounts", many.len())),
        many => {
            let parties: Vec<Party> = many.iter().map(|party| (*party).clone()).collect();
            let list = names(&parties, SHOWN_NAMES + 1);
            whose.push(format!("logs of {} accounts: {}", many.len(), visible(&list)));
        }
    }
    let words = lines(&group.pieces, widest, pen);
    let room = pen.width.saturating_sub(4 + widest + 2).max(20);
    let whose = wrap(&whose.join("; "), room);
    for number in 0..words.len().max(whose.len()) {
        let nothing = Shown { text: String::new(), width: 0 };
        let word = words.get(number).unwrap_or(&nothing);
        let whose = whose.get(number).map_or("", String::as_str);
        let blanks = if whose.is_empty() { 0 } else { widest.saturating_sub(word.width) + 2 };
        writeln!(out, "    {}{:blanks$}{whose}", word.text, "")?;
    }
    Ok(())
}
