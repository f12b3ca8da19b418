//! The matrix as a table.

use std::io::{self, Write};

use super::Line;
use super::cells::{Met, Shown, least, lines, natural, parts, width, wrap};
use crate::finding::matrix::{Cell, Matrix, Party, ReaderKind};
use crate::report::text::pen::{Pen, Style};
use crate::report::visible;

/// Between two columns.
const GAP: usize = 2;

/// The least columns for an account: its ID.
const LEAST: usize = 12;

/// The most that what stands above a column makes it wider than its cells are.
const HEAD: usize = 24;

/// The most lines above a column.
const MAX_HEAD: usize = 6;

/// A table whose columns are wide enough for what they hold and together no wider than the terminal.
#[derive(Debug)]
pub(super) struct Grid {
    first: usize,
    widths: Vec<usize>,
    heads: Vec<String>,
}

/// The columns that a cell wants, and those it can do with.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    natural: usize,
    least: usize,
}

impl Need {
    fn add(&mut self, cells: &[Cell]) {
        for pieces in parts(cells, &mut Met::default()) {
            self.natural = self.natural.max(natural(&pieces));
            self.least = self.least.max(least(&pieces));
        }
    }

    fn add_head(&mut self, head: &str) {
        self.least = self.least.max(LEAST);
        self.natural = self.natural.max(self.least).max(width(head).min(HEAD));
    }

    fn capped(self, cap: usize) -> usize {
        self.natural.min(cap.max(self.least))
    }
}

impl Grid {
    /// A table of all columns; none where they do not fit side by side.
    pub(super) fn fit(rows: &[Line<'_>], heads: &[String], pen: Pen) -> Option<Self> {
        let mut needs = vec![Need::default(); heads.len()];
        for row in rows {
            needs.iter_mut().zip(&row.cells).for_each(|(need, cells)| need.add(cells));
        }
        needs.iter_mut().zip(heads).for_each(|(need, head)| need.add_head(head));
        let names = rows.iter().map(|row| width(&row.name) + indent(row.kind)).max().unwrap_or(0);
        Grid::of(names, &needs, heads, pen)
    }

    /// A table for names of so many columns.
    fn of(names: usize, needs: &[Need], heads: &[String], pen: Pen) -> Option<Self> {
        let total = |cap: usize| needs.iter().map(|need| need.capped(cap)).sum::<usize>();
        let room = |first: usize| pen.width.checked_sub(first + GAP * needs.len());
        // Names are broken before words are: they are read once, words are compared.
        let shares = [names.min(60), names.min(44), names.min(32), names.min(26)];
        let natural = shares.into_iter().find(|first| room(*first).is_some_and(|room| total(usize::MAX) <= room));
        let (first, cap) = match natural {
            Some(first) => (first, usize::MAX),
            None => {
                let first = names.min(26);
                let room = room(first)?;
                (first, (LEAST..=60).rev().find(|cap| total(*cap) <= room)?)
            }
        };
        let widths = needs.iter().map(|need| need.capped(cap)).collect();
        Some(Grid { first: first.max(8), widths, heads: heads.to_vec() })
    }

    /// Writes the table.
    pub(super) fn write(&self, out: &mut dyn Write, rows: &[Line<'_>], pen: Pen, met: &mut Met) -> io::Result<()> {
        self.write_head(out, pen)?;
        let mut kind = None;
        for row in rows {
            if kind != Some(row.kind)
                && let Some(group) = row.group()
            {
                writeln!(out, "{}", pen.paint(Style::Strong, group))?;
            }
            kind = Some(row.kind);
            self.write_row(out, row, pen, met)?;
        }
        Ok(())
    }

    fn write_head(&self, out: &mut dyn Write, pen: Pen) -> io::Result<()> {
        let heads: Vec<Vec<String>> = self
            .heads
            .iter()
            .zip(&self.widths)
            .map(|(head, width)| {
                let mut lines = wrap(head, *width);
                if lines.len() > MAX_HEAD {
                    lines.truncate(MAX_HEAD - 1);
                    lines.push("…".to_owned());
                }
                lines
            })
            .collect();
        writeln!(out, "{:first$}  {}", "", pen.paint(Style::Faint, "logs of"), first = self.first)?;
        for number in 0..heads.iter().map(Vec::len).max().unwrap_or(0) {
            let cells = heads.iter().map(|lines| {
                let text = lines.get(number).map_or("", String::as_str);
                Shown { text: pen.paint(Style::Strong, text), width: width(text) }
            });
            self.write_line(out, (String::new(), 0), cells)?;
        }
        let total = self.first + self.widths.iter().map(|width| width + GAP).sum::<usize>();
        writeln!(out, "{}", pen.paint(Style::Faint, &"─".repeat(total)))
    }

    fn write_row(&self, out: &mut dyn Write, row: &Line<'_>, pen: Pen, met: &mut Met) -> io::Result<()> {
        let indent = indent(row.kind);
        let mut names: Vec<(String, usize)> = Vec::new();
        for line in wrap(&row.name, self.first - indent) {
            let width = width(&line) + indent;
            names.push((format!("{:indent$}{line}", ""), width));
        }
        for line in row.note.iter().flat_map(|note| wrap(note, self.first - indent - 2)) {
            let width = width(&line) + indent + 2;
            names.push((format!("{:indent$}  {}", "", pen.paint(Style::Faint, &line)), width));
        }
        let cells: Vec<Vec<Shown>> = row
            .cells
            .iter()
            .zip(&self.widths)
            .map(|(cells, width)| parts(cells, met).iter().flat_map(|pieces| lines(pieces, *width, pen)).collect())
            .collect();
        let height = cells.iter().map(Vec::len).chain([names.len()]).max().unwrap_or(0);
        for number in 0..height {
            let name = names.get(number).cloned().unwrap_or_default();
            let nothing = || Shown { text: String::new(), width: 0 };
            self.write_line(out, name, cells.iter().map(|lines| lines.get(number).cloned().unwrap_or_else(nothing)))?;
        }
        Ok(())
    }

    fn write_line(
        &self,
        out: &mut dyn Write,
        (name, taken): (String, usize),
        cells: impl Iterator<Item = Shown>,
    ) -> io::Result<()> {
        let mut line = name;
        // Blanks are owed until something follows them.
        let mut owed = self.first.saturating_sub(taken);
        for (cell, width) in cells.zip(&self.widths) {
            owed += GAP;
            if cell.width > 0 {
                line.push_str(&" ".repeat(owed));
                line.push_str(&cell.text);
                owed = 0;
            }
            owed += width.saturating_sub(cell.width);
        }
        writeln!(out, "{line}")
    }
}

fn indent(kind: ReaderKind) -> usize {
    if kind == ReaderKind::Anyone { 0 } else { 2 }
}

/// Writes one row for each reader and one column for each owner, in as many tables as the width asks for.
pub(super) fn write_wide(out: &mut dyn Write, matrix: &Matrix, pen: Pen, met: &mut Met) -> io::Result<()> {
    let wide = matrix.wide();
    let heads: Vec<String> = wide.owners.iter().map(|(_, owner)| visible(&owner.label).into_owned()).collect();
    let mut needs = vec![Need::default(); heads.len()];
    // What a column needs is what the classes in it need.
    for (need, (index, _)) in needs.iter_mut().zip(&wide.owners) {
        let parts = matrix.rows.iter().filter_map(|row| row.cells.get(*index)).flatten();
        parts.for_each(|cell| need.add(std::slice::from_ref(cell)));
    }
    needs.iter_mut().zip(&heads).for_each(|(need, head)| need.add_head(head));
    let names: Vec<String> = wide.readers.iter().map(|(_, reader)| visible(&reader.label).into_owned()).collect();
    let widest = wide.readers.iter().zip(&names).map(|((row, _), name)| width(name) + indent(row.kind)).max();
    let mut start = 0;
    while start < heads.len() {
        let (end, grid) = block(start, widest.unwrap_or(0), &needs, &heads, pen);
        if start > 0 {
            writeln!(out)?;
        }
        if end - start < heads.len() {
            let first = start + 1;
            let which = if first == end { format!("{end}") } else { format!("{first} to {end}") };
            let said = format!("logs {which} of {}, {} readers", heads.len(), wide.readers.len());
            writeln!(out, "{}", pen.paint(Style::Strong, &said))?;
        }
        let owners = wide.owners.get(start..end).unwrap_or_default();
        let lines = wide.readers.iter().zip(&names).map(|((row, reader), name)| {
            let cell = |(index, owner): &(usize, &Party)| row.cell(reader, *index, owner).map(std::slice::from_ref);
            let cells = owners.iter().map(|owner| cell(owner).unwrap_or_default()).collect();
            Line { kind: row.kind, name: name.clone(), note: None, cells }
        });
        let lines: Vec<Line<'_>> = lines.collect();
        grid.write(out, &lines, pen, met)?;
        start = end;
    }
    Ok(())
}

/// The table of as many columns from `start` as fit; one is always shown.
fn block(start: usize, names: usize, needs: &[Need], heads: &[String], pen: Pen) -> (usize, Grid) {
    let most = (pen.width / (LEAST + GAP)).max(1);
    let mut end = (start + most).min(heads.len());
    loop {
        let shown = heads.get(start..end).unwrap_or_default();
        let needs = needs.get(start..end).unwrap_or_default();
        if let Some(grid) = Grid::of(names, needs, shown, pen) {
            return (end, grid);
        }
        if end <= start + 1 {
            return (
                end,
                Grid { first: 26, widths: needs.iter().map(|need| need.least).collect(), heads: shown.to_vec() },
            );
        }
        end -= 1;
    }
}
