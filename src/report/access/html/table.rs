//! The heat map: classes of readers and owners, each reader and owner by itself, or, where a table would have more cells
//! than a browser shows with ease, what each reader can do as a list.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::escaped;
use super::panel::Panels;
use crate::finding::matrix::{Cell, Certainty, Column, Fit, Matrix, Party, Row, Scope};
use crate::report::access::words::{Said, Word, fit_mark, fit_text, plural, short, words};

/// Cells of a table that a browser shows with ease.
const MAX_CELLS: usize = 50_000;

/// Columns up to which cells say words and not letters.
const WORDY: usize = 12;

/// Members of a class that are shown without being asked for.
const SHOWN: usize = 3;

/// Owners that are named in a list without being asked for.
const NAMED: usize = 6;

/// Owners that the lists of a bucket name in all; beyond that they say how many.
const MAX_NAMES: usize = 200_000;

pub(super) fn write(
    out: &mut dyn Write,
    number: usize,
    matrix: &Matrix,
    is_wide: bool,
    panels: &mut Panels<'_>,
) -> io::Result<()> {
    let (rows, columns) = match is_wide {
        true => (
            matrix.rows.iter().map(|row| row.readers.len()).sum::<usize>(),
            matrix.columns.iter().map(|column| column.owners.len()).sum::<usize>(),
        ),
        false => (matrix.rows.len(), matrix.columns.len()),
    };
    let size = rows.saturating_mul(columns);
    if size > MAX_CELLS {
        writeln!(
            out,
            "<p class=\"lead\">A table of {rows} × {columns} cells is more than a browser shows with ease, so this is what each \
             reader can do, and with whose logs. As CSV there is a line for each reader and account.</p>"
        )?;
        return write_list(out, number, matrix, is_wide, panels);
    }
    let dense = if columns > WORDY { " dense" } else { "" };
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"b{number}\">\n<table class=\"matrix{dense}\">\n\
         <thead><tr><th scope=\"col\" class=\"corner\">readers ╲ logs of</th>"
    )?;
    if is_wide {
        write_wide(out, number, matrix, columns > WORDY, panels)?
    } else {
        write_classes(out, number, matrix, columns > WORDY, panels)?
    }
    writeln!(out, "</tbody>\n</table>\n</div>")
}

fn write_classes(
    out: &mut dyn Write,
    number: usize,
    matrix: &Matrix,
    dense: bool,
    panels: &mut Panels<'_>,
) -> io::Result<()> {
    for column in &matrix.columns {
        write_column(out, &column.owners, &column.prefixes)?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in &matrix.rows {
        write_row_head(out, row, &row.readers)?;
        for parts in &row.cells {
            let parts: Vec<&Cell> = parts.iter().collect();
            write_cell(out, number, &parts, dense, panels)?;
        }
        writeln!(out, "</tr>")?;
    }
    Ok(())
}

fn write_wide(
    out: &mut dyn Write,
    number: usize,
    matrix: &Matrix,
    dense: bool,
    panels: &mut Panels<'_>,
) -> io::Result<()> {
    let wide = matrix.wide();
    for (index, owner) in &wide.owners {
        let prefixes = matrix.columns.get(*index).map(|column| column.prefixes.as_slice());
        write_column(out, std::slice::from_ref(*owner), prefixes.unwrap_or_default())?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for (row, reader) in &wide.readers {
        write_row_head(out, row, std::slice::from_ref(*reader))?;
        for (index, owner) in &wide.owners {
            let cell: Vec<&Cell> = row.cell(reader, *index, owner).into_iter().collect();
            write_cell(out, number, &cell, dense, panels)?;
        }
        writeln!(out, "</tr>")?;
    }
    Ok(())
}

fn write_column(out: &mut dyn Write, owners: &[Party], prefixes: &[String]) -> io::Result<()> {
    let title = match prefixes {
        [] => String::new(),
        some => format!(" title=\"{}\"", escaped(&some.join("\n").replace('\n', ", "))),
    };
    writeln!(
        out,
        "<th scope=\"col\" data-q=\"{}\"{title}>{}</th>",
        search_text(owners, ""),
        members(owners, "accounts")
    )
}

fn write_row_head(out: &mut dyn Write, row: &Row, readers: &[Party]) -> io::Result<()> {
    let note = row.note.as_deref().unwrap_or_default();
    let shown = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{}</p>", escaped(note)) };
    let kind = row.kind.name();
    writeln!(
        out,
        "<tr class=\"k-{kind}\"><th scope=\"row\" data-q=\"{}\"><span class=\"kind\">{kind}</span> {}{shown}</th>",
        search_text(readers, &format!("{kind} {note}")),
        members(readers, plural(row.kind))
    )
}

/// All that a row or column can be found by.
fn search_text(parties: &[Party], more: &str) -> String {
    let mut text = String::new();
    for party in parties {
        // A label begins with the ID in most cases.
        if !party.label.contains(&party.id) {
            text.push_str(&party.id);
            text.push(' ');
        }
        text.push_str(&party.label);
        text.push(' ');
    }
    text.push_str(more);
    escaped(&text.to_lowercase())
}

/// A name, or how many and all of them behind a triangle.
fn members(parties: &[Party], what: &str) -> String {
    if let [one] = parties {
        let id = if one.label.contains(&one.id) { String::new() } else { format!(" title=\"{}\"", escaped(&one.id)) };
        return format!("<span class=\"who\"{id}>{}</span>", breakable(&one.label));
    }
    let few: Vec<String> = parties.iter().take(SHOWN).map(|party| breakable(short(party))).collect();
    let all: Vec<String> = parties.iter().map(|party| format!("<li>{}</li>", breakable(&party.label))).collect();
    let more = if parties.len() > SHOWN { ", …" } else { "" };
    format!(
        "<details class=\"members\"><summary><b>{} {what}</b> <span class=\"few\">{}{more}</span></summary><ul>{}</ul></details>",
        parties.len(),
        few.join(", "),
        all.join("")
    )
}

/// A name that may break where an ARN does.
fn breakable(name: &str) -> String {
    escaped(name).replace('/', "/<wbr>").replace("::", "::<wbr>").replace(":role", ":<wbr>role")
}

fn write_cell(
    out: &mut dyn Write,
    number: usize,
    parts: &[&Cell],
    dense: bool,
    panels: &mut Panels<'_>,
) -> io::Result<()> {
    // Two parts share the height of their row.
    let (open, close) = if parts.len() > 1 { ("<td><div class=\"parts\">", "</div></td>") } else { ("<td>", "</td>") };
    let mut text = String::from(open);
    for cell in parts {
        let scope = match (parts.len(), cell.scope) {
            (1, _) | (_, Scope::All) => "",
            (_, Scope::Own) => "<i>own</i> ",
            (_, Scope::Others) => "<i>others</i> ",
        };
        let _ = write!(text, "{}", part(cell, scope, dense, panels.link(number, cell)));
    }
    text.push_str(close);
    writeln!(out, "{text}")
}

/// A part of a cell: a link to its path, coloured by what can be done.
fn part(cell: &Cell, scope: &str, dense: bool, panel: Option<usize>) -> String {
    let said = words(cell);
    let shown: Vec<String> = said.iter().map(|said| if dense { said.letter() } else { said.text() }).collect();
    let full: Vec<String> = said.iter().map(|said| said.text()).collect();
    let fit = cell.fit.map(|fit| match (dense, fit) {
        (false, Fit::TooMuch | Fit::TooLittle) => format!(" <b>{} {}</b>", fit_mark(fit), fit_text(fit)),
        _ => format!(" <b>{}</b>", fit_mark(fit)),
    });
    let shown = escaped(&shown.join(if dense { " " } else { " · " })).replace("read+", "read+<wbr>");
    let title = match (dense, cell.fit) {
        (false, _) => String::new(),
        (true, fit) => {
            let fit = fit.map(|fit| format!(", {}", fit_text(fit))).unwrap_or_default();
            format!(" title=\"{}{fit}\"", full.join(" · "))
        }
    };
    let class = format!("p {}{}{}", heat_of(&said), unsure_class(cell), fit_class_with_space(cell.fit));
    let inner = format!("{scope}{shown}{}", fit.unwrap_or_default());
    match panel {
        Some(panel) => format!("<a class=\"{class}\" href=\"#c{panel}\"{title}>{inner}</a>"),
        None => format!("<span class=\"{class}\"{title}>{inner}</span>"),
    }
}

fn fit_class_with_space(fit: Option<Fit>) -> String {
    let class = fit_class(fit);
    if class.is_empty() { String::new() } else { format!(" {class}") }
}

/// The class of a deviation.
pub(super) fn fit_class(fit: Option<Fit>) -> &'static str {
    match fit {
        Some(Fit::Expected) => "fits",
        Some(Fit::TooMuch) => "more",
        Some(Fit::TooLittle) => "less",
        None => "",
    }
}

fn unsure_class(cell: &Cell) -> &'static str {
    match cell.certainty() {
        Certainty::Certain => "",
        Certainty::Conditional => " if",
        Certainty::Unknown => " unsure",
    }
}

/// The colour of a word.
pub(super) fn heat(word: Word) -> &'static str {
    match word {
        Word::None => "h0",
        Word::List => "h1",
        Word::ReadNoDecrypt => "h2",
        Word::Read | Word::ReadDecrypt => "h3",
        Word::Write => "h4",
        Word::Unknown => "hu",
    }
}

/// The colour of the strongest word that may hold.
fn heat_of(said: &[Said]) -> &'static str {
    if said.iter().all(|said| said.certainty == Certainty::Unknown) {
        return heat(Word::Unknown);
    }
    let known = said.iter().filter(|said| said.certainty != Certainty::Unknown);
    known.map(|said| heat(said.word)).max().unwrap_or("h0")
}

/// What each reader can do: a line for each group of equal cells.
fn write_list(
    out: &mut dyn Write,
    number: usize,
    matrix: &Matrix,
    is_wide: bool,
    panels: &mut Panels<'_>,
) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"b{number}\">\n<table class=\"matrix list\">\n\
         <thead><tr><th scope=\"col\" class=\"corner\">readers</th><th scope=\"col\">can, with the logs of</th></tr></thead>\n\
         <tbody>"
    )?;
    let mut room = MAX_NAMES;
    for row in &matrix.rows {
        let classes: Vec<&[Party]> = match is_wide {
            true => row.readers.iter().map(std::slice::from_ref).collect(),
            false => vec![&row.readers],
        };
        for readers in classes {
            write_row_head(out, row, readers)?;
            writeln!(out, "<td>{}</td></tr>", groups(number, &matrix.columns, row, panels, &mut room))?;
        }
    }
    writeln!(out, "</tbody>\n</table>\n</div>")
}

/// The groups of a row. Whoever is meant and not named is told to the search by `data-rest`, so that it hides no access.
fn groups(number: usize, columns: &[Column], row: &Row, panels: &mut Panels<'_>, room: &mut usize) -> String {
    struct Group<'m> {
        key: (Vec<Said>, Option<Fit>),
        cell: &'m Cell,
        own: bool,
        others: bool,
        owners: Vec<(&'m Party, Option<usize>)>,
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (column, parts) in columns.iter().zip(&row.cells) {
        for cell in parts {
            let key = (words(cell), cell.fit);
            let at = groups.iter().position(|group| group.key == key).unwrap_or_else(|| {
                groups.push(Group { key, cell, own: false, others: false, owners: Vec::new() });
                groups.len() - 1
            });
            let Some(group) = groups.get_mut(at) else { continue };
            match cell.scope {
                Scope::Own => group.own = true,
                Scope::Others => group.others = true,
                Scope::All => {
                    let panel = panels.link(number, cell);
                    group.owners.extend(column.owners.iter().map(|owner| (owner, panel)));
                }
            }
        }
    }
    let is_nothing = |group: &Group<'_>| group.cell.can.is_empty() && group.key.1 != Some(Fit::TooLittle);
    groups.sort_by_key(|group| (is_nothing(group), !group.own));
    let mut text = String::new();
    let is_alone = groups.len() == 1;
    for group in groups {
        let named = if is_nothing(&group) && group.owners.len() > 1 { 0 } else { NAMED };
        let mut whose: Vec<String> = Vec::new();
        whose.extend(group.own.then(|| "its own".to_owned()));
        whose.extend(group.others.then(|| "the others".to_owned()));
        whose.extend(group.owners.iter().take(named).map(|(owner, panel)| match panel {
            Some(panel) => format!("<a href=\"#c{panel}\">{}</a>", escaped(&owner.label)),
            None => escaped(&owner.label),
        }));
        let mut is_whole = !group.own && !group.others;
        let mut hidden = String::new();
        let rest = group.owners.get(named..).unwrap_or_default();
        if !rest.is_empty() && named == 0 {
            let all = if is_alone && !group.own && !group.others { "all " } else { "" };
            let other = if all.is_empty() { "other " } else { "" };
            whose.push(format!("{all}{} {other}accounts", rest.len()));
        } else if rest.len() > *room {
            is_whole = false;
            hidden = format!(", … and {} more", rest.len());
        } else if !rest.is_empty() {
            *room -= rest.len();
            let names: Vec<String> =
                rest.iter().map(|(owner, _)| format!("<li>{}</li>", escaped(&owner.label))).collect();
            let (more, names) = (rest.len(), names.join(""));
            hidden =
                format!("<details class=\"members\"><summary>… and {more} more</summary><ul>{names}</ul></details>");
        }
        let rest = if is_whole || is_nothing(&group) { "" } else { " data-rest" };
        let said = part(group.cell, "", false, panels.link(number, group.cell));
        let _ = write!(text, "<div class=\"group\"{rest}>{said} <div>{}{hidden}</div></div>", whose.join(", "));
    }
    text
}
