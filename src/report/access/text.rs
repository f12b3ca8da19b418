//! The matrix for people at a terminal: a table where it fits, else a list; then what is not as it should be.
//!
//! Nothing from the input reaches the terminal raw: control and format characters are escaped.

mod cells;
mod closing;
mod grid;
mod list;

use std::io::{self, Write};

use super::AccessOptions;
use super::words::{common_prefixes, names, plural};
use crate::finding::matrix::{Cell, Matrix, Party, ReaderKind, Row};
use crate::report::text::pen::{Pen, Style};
use crate::report::visible;
use crate::text::SourceMap;
use cells::Met;

/// The names of a class that are shown unless all are asked for.
const SHOWN_NAMES: usize = 3;

/// Writes matrices as text.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(
    out: &mut dyn Write,
    matrices: &[Matrix],
    sources: &SourceMap,
    options: &AccessOptions,
) -> io::Result<()> {
    let pen = Pen { color: options.color, width: options.width.max(60) };
    let prose = Pen { width: pen.width.min(110), ..pen };
    let mut met = Met::default();
    for (number, matrix) in matrices.iter().enumerate() {
        let mut text = String::new();
        if number > 0 {
            text.push('\n');
        }
        push_heading(&mut text, matrix, options, prose);
        out.write_all(text.as_bytes())?;
        write_matrix(out, matrix, options, pen, &mut met)?;
        if options.quiet {
            continue;
        }
        let mut text = String::from("\n");
        closing::push(&mut text, matrix, sources, options, prose);
        out.write_all(text.as_bytes())?;
    }
    let mut text = String::new();
    if !options.quiet {
        met.push_legend(&mut text, prose);
        closing::push_summary(&mut text, matrices, prose);
    }
    out.write_all(text.as_bytes())
}

fn push_heading(text: &mut String, matrix: &Matrix, options: &AccessOptions, pen: Pen) {
    let owner = matrix.owner.as_ref().map(|owner| format!(", owned by {}", visible(&owner.label))).unwrap_or_default();
    let heading = format!("{}{owner}", visible(&matrix.bucket));
    pen.paragraph(text, 0, (Style::Strong, "log bucket "), &heading);
    if options.quiet {
        return;
    }
    if let Some(prefixes) = common_prefixes(matrix) {
        pen.paragraph(text, 0, (Style::Faint, "keys begin with "), &visible(&prefixes.join(", ")));
    }
    if !matrix.is_declared {
        let said = "no sharing model is declared, so this is what the facts show, and nothing is called expected, too \
                    much or too little";
        pen.paragraph(text, 0, (Style::Faint, "model: "), said);
    }
    text.push('\n');
}

fn write_matrix(
    out: &mut dyn Write,
    matrix: &Matrix,
    options: &AccessOptions,
    pen: Pen,
    met: &mut Met,
) -> io::Result<()> {
    if matrix.rows.is_empty() || matrix.columns.is_empty() {
        let what = if matrix.rows.is_empty() { "no reader is known" } else { "no account is known to have logs here" };
        return writeln!(out, "{what}");
    }
    if options.wide {
        return grid::write_wide(out, matrix, pen, met);
    }
    let rows: Vec<Line<'_>> = matrix.rows.iter().map(|row| Line::of(row, options)).collect();
    let heads: Vec<String> = matrix.columns.iter().map(|column| accounts(&column.owners, options)).collect();
    match grid::Grid::fit(&rows, &heads, pen) {
        Some(grid) => grid.write(out, &rows, pen, met),
        None => list::write(out, matrix, &rows, pen, met),
    }
}

/// A row with what stands at its left.
struct Line<'m> {
    kind: ReaderKind,
    /// Who reads: a name, or how many and some of them.
    name: String,
    note: Option<String>,
    /// The parts of each column's cell.
    cells: Vec<&'m [Cell]>,
}

impl<'m> Line<'m> {
    fn of(row: &'m Row, options: &AccessOptions) -> Self {
        let name = match row.readers.as_slice() {
            [one] => visible(&one.label).into_owned(),
            many => {
                let list = names(many, shown(options));
                format!("{} {} like this: {}", many.len(), plural(row.kind), visible(&list))
            }
        };
        let note = row.note.as_deref().map(|note| visible(note).into_owned());
        Line { kind: row.kind, name, note, cells: row.cells.iter().map(Vec::as_slice).collect() }
    }

    /// What stands above the rows of its kind; nothing above that of anyone.
    fn group(&self) -> Option<&'static str> {
        (self.kind != ReaderKind::Anyone).then(|| plural(self.kind))
    }
}

/// What stands above a column.
fn accounts(owners: &[Party], options: &AccessOptions) -> String {
    match owners {
        [one] => visible(&one.label).into_owned(),
        many => format!("{} accounts: {}", many.len(), visible(&names(many, shown(options)))),
    }
}

fn shown(options: &AccessOptions) -> usize {
    if options.verbose { usize::MAX - 1 } else { SHOWN_NAMES }
}
