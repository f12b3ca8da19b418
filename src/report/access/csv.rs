//! The matrix as CSV (RFC 4180): a line for each bucket, reader and owner.
//!
//! Spreadsheets take a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula: such a text
//! gets an apostrophe before it.

use std::io::{self, Write};

use super::words;
use crate::finding::Dependency;
use crate::finding::matrix::{Cell, Certainty, Matrix, Party};
use crate::report::visible;

/// The names of the columns.
const HEADER: &str =
    "bucket,reader_kind,reader,reader_name,logs,logs_name,can,certainty,model,encrypted,through,depends_on";

pub(super) fn write(out: &mut dyn Write, matrices: &[Matrix]) -> io::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    for matrix in matrices {
        write_matrix(out, matrix)?;
    }
    Ok(())
}

fn write_matrix(out: &mut dyn Write, matrix: &Matrix) -> io::Result<()> {
    let bucket = field(&matrix.bucket);
    let wide = matrix.wide();
    let owners: Vec<String> = wide.owners.iter().map(|(_, owner)| party(owner)).collect();
    // A cell stands for many pairs that follow each other: its text is made once for each run of them.
    let mut last: Option<(&Cell, String)> = None;
    for (row, reader) in &wide.readers {
        let head = format!("{bucket},{},{}", row.kind.name(), party(reader));
        for ((index, owner), owner_fields) in wide.owners.iter().zip(&owners) {
            let Some(cell) = row.cell(reader, *index, owner) else { continue };
            if last.as_ref().is_none_or(|(known, _)| !std::ptr::eq(*known, cell)) {
                last = Some((cell, cell_fields(cell)));
            }
            let said = last.as_ref().map_or("", |(_, said)| said);
            write!(out, "{head},{owner_fields},{said}\r\n")?;
        }
    }
    Ok(())
}

/// The ID, and the name where there is one.
fn party(party: &Party) -> String {
    let name = party.name().unwrap_or(if party.label == party.id { "" } else { &party.label });
    format!("{},{}", field(&party.id), field(name))
}

/// What can be done, how certain, against the model, whether the logs are under a key, by which roles one comes to what
/// matters most of it, what it depends on.
fn cell_fields(cell: &Cell) -> String {
    let can: Vec<String> = cell
        .can
        .iter()
        .map(|access| match access.certainty {
            Certainty::Certain => access.ability.name().to_owned(),
            other => format!("{}:{}", access.ability.name(), other.name()),
        })
        .collect();
    let can = if can.is_empty() { "none".to_owned() } else { can.join(" ") };
    let mut facts = words::depends_on(cell, Certainty::Certain);
    facts.extend(words::depends_on(cell, Certainty::Conditional));
    facts.extend(words::depends_on(cell, Certainty::Unknown));
    facts.sort_unstable();
    facts.dedup();
    let facts: Vec<&str> = facts.into_iter().map(Dependency::text).collect();
    let model = cell.fit.map_or("", |fit| fit.name());
    let encrypted = cell.is_encrypted.map(|is| is.to_string()).unwrap_or_default();
    let through = words::main_access(cell).map(words::roles).unwrap_or_default().join(" > ");
    let certainty = cell.certainty().name();
    format!("{can},{certainty},{model},{encrypted},{},{}", field(&through), field(&facts.join("; ")))
}

/// A field, quoted where it has to be.
fn field(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 1);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        shown.push('\'');
    }
    shown.push_str(&visible(text));
    if shown.contains([',', '"', '\r', '\n']) { format!("\"{}\"", shown.replace('"', "\"\"")) } else { shown }
}
