//! The matrix as Markdown (GitHub's), for a pull request or a wiki.
//!
//! Names come from policies and can be hostile. A plain name stands in a code span; any other has each of its signs as a
//! character reference, so that no markup, mention, link or HTML can come of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::AccessOptions;
use super::entry::Entry;
use super::words::{Said, Word, common_prefixes, fit_mark, fit_text, mark, plural, words};
use crate::finding::matrix::{Cell, Certainty, Fit, Matrix, Party, Row, Scope};
use crate::report::text::pen::count;
use crate::report::text::position;
use crate::report::visible;
use crate::text::SourceMap;

/// Columns of a table that a page still shows side by side.
const MAX_COLUMNS: usize = 8;

/// Names of a class that are shown unless all are asked for.
const SHOWN: usize = 3;

/// Deviations, gaps and notes that are shown unless all are asked for.
const LISTED: usize = 20;

pub(super) fn write(
    out: &mut dyn Write,
    matrices: &[Matrix],
    sources: &SourceMap,
    options: &AccessOptions,
) -> io::Result<()> {
    for (number, matrix) in matrices.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        write_matrix(out, matrix, sources, options)?;
    }
    if matrices.is_empty() {
        writeln!(out, "No log bucket is known.")?;
    }
    Ok(())
}

fn write_matrix(out: &mut dyn Write, matrix: &Matrix, sources: &SourceMap, options: &AccessOptions) -> io::Result<()> {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "### Who can read the logs in {}\n", name(&matrix.bucket));
    if let Some(owner) = &matrix.owner {
        let _ = write!(text, "Owned by {}. ", name(&owner.label));
    }
    if let Some(prefixes) = common_prefixes(matrix) {
        let prefixes: Vec<String> = prefixes.iter().map(|prefix| name(prefix)).collect();
        let _ = write!(text, "Keys begin with {}. ", prefixes.join(", "));
    }
    let _ = match matrix.is_declared {
        true => writeln!(text, "Held against the declared sharing model.\n"),
        false => writeln!(
            text,
            "No sharing model is declared, so this is what the facts show, and nothing is called expected, too much or \
             too little.\n"
        ),
    };
    out.write_all(text.as_bytes())?;
    if matrix.rows.is_empty() || matrix.columns.is_empty() {
        writeln!(out, "No reader or no logs are known.\n")?;
    } else if options.wide {
        write_wide(out, matrix)?;
    } else {
        write_folded(out, matrix, options)?;
    }
    if options.quiet {
        return Ok(());
    }
    let mut text = String::new();
    push_deviations(&mut text, matrix, sources, options);
    push_list(
        &mut text,
        "not known",
        options,
        matrix.gaps.iter().map(|gap| format!("{}: {}", name(&gap.fact), prose(&gap.reason))),
    );
    push_list(&mut text, "notes", options, matrix.notes.iter().map(|note| prose(note)));
    push_legend(&mut text, matrix);
    out.write_all(text.as_bytes())
}

fn write_wide(out: &mut dyn Write, matrix: &Matrix) -> io::Result<()> {
    let wide = matrix.wide();
    let heads: Vec<String> = wide.owners.iter().map(|(_, owner)| format!("logs of {}", name(&owner.label))).collect();
    write_head(out, &heads)?;
    for (row, reader) in &wide.readers {
        let cells = wide.owners.iter().filter_map(|(index, owner)| row.cell(reader, *index, owner));
        let cells: Vec<String> = cells.map(|cell| said(cell, None)).collect();
        writeln!(out, "| {} | {} |", reader_text(row, &name(&reader.label)), cells.join(" | "))?;
    }
    writeln!(out)
}

fn write_folded(out: &mut dyn Write, matrix: &Matrix, options: &AccessOptions) -> io::Result<()> {
    let most = if options.verbose { usize::MAX - 1 } else { SHOWN };
    let reader = |row: &Row| {
        let who = match row.readers.as_slice() {
            [one] => name(&one.label),
            many => format!("{} {} like this: {}", many.len(), plural(row.kind), list(many, most)),
        };
        reader_text(row, &who)
    };
    if matrix.columns.len() <= MAX_COLUMNS {
        let heads: Vec<String> =
            matrix.columns.iter().map(|column| format!("logs of {}", accounts(&column.owners, most))).collect();
        write_head(out, &heads)?;
        for row in &matrix.rows {
            let cell = |parts: &Vec<Cell>| {
                parts.iter().map(|cell| said(cell, scope(cell.scope))).collect::<Vec<_>>().join("<br>")
            };
            let cells: Vec<String> = row.cells.iter().map(cell).collect();
            writeln!(out, "| {} | {} |", reader(row), cells.join(" | "))?;
        }
        return writeln!(out);
    }
    write_head(out, &["can".to_owned(), "logs of".to_owned()])?;
    for row in &matrix.rows {
        let mut groups: Vec<(String, Vec<String>, Vec<Party>, bool)> = Vec::new();
        for (column, parts) in matrix.columns.iter().zip(&row.cells) {
            for cell in parts {
                let said = said(cell, None);
                let at = groups.iter().position(|(known, ..)| *known == said).unwrap_or_else(|| {
                    let is_nothing = cell.can.is_empty() && cell.fit != Some(Fit::TooLittle);
                    groups.push((said, Vec::new(), Vec::new(), is_nothing));
                    groups.len() - 1
                });
                let Some((_, words, owners, _)) = groups.get_mut(at) else { continue };
                match cell.scope {
                    Scope::Own => words.push("its own".to_owned()),
                    Scope::Others => words.push(format!("{} others", column.owners.len().saturating_sub(1))),
                    Scope::All => owners.extend(column.owners.iter().cloned()),
                }
            }
        }
        groups.sort_by_key(|(.., is_nothing)| *is_nothing);
        let mut first = reader(row);
        for (said, mut whose, owners, _) in groups {
            if !owners.is_empty() {
                whose.push(accounts(&owners, most));
            }
            writeln!(out, "| {} | {said} | {} |", std::mem::take(&mut first), whose.join("; "))?;
        }
    }
    writeln!(out)
}

fn write_head(out: &mut dyn Write, heads: &[String]) -> io::Result<()> {
    writeln!(out, "| readers | {} |", heads.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(heads.len()))
}

fn reader_text(row: &Row, who: &str) -> String {
    let note = row.note.as_deref().map(|note| format!("<br>{}", prose(note))).unwrap_or_default();
    format!("{who}{note}")
}

fn list(parties: &[Party], most: usize) -> String {
    let most = if parties.len() == most + 1 { most + 1 } else { most };
    let mut names: Vec<String> = parties.iter().take(most).map(|party| name(&party.label)).collect();
    if parties.len() > most {
        names.push(format!("… and {} more", parties.len() - most));
    }
    names.join(", ")
}

fn accounts(owners: &[Party], most: usize) -> String {
    match owners {
        [one] => name(&one.label),
        many => format!("{} accounts: {}", many.len(), list(many, most)),
    }
}

fn scope(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::All => None,
        Scope::Own => Some("own: "),
        Scope::Others => Some("others: "),
    }
}

/// The words of a cell; what is not as it should be stands out.
fn said(cell: &Cell, scope: Option<&str>) -> String {
    let said: Vec<String> = words(cell).into_iter().map(Said::text).collect();
    let said = said.join(" · ");
    let text = match cell.fit {
        Some(Fit::Expected) => format!("{said} {}", fit_mark(Fit::Expected)),
        Some(fit) => format!("**{said}** {} {}", fit_mark(fit), fit_text(fit)),
        None => said,
    };
    format!("{}{text}", scope.unwrap_or_default())
}

fn push_deviations(text: &mut String, matrix: &Matrix, sources: &SourceMap, options: &AccessOptions) {
    for fit in [Fit::TooMuch, Fit::TooLittle] {
        let entries = Entry::deviations(matrix, fit);
        let lines = entries.iter().map(|entry| {
            let reason = entry.reason().map(|(reason, step)| {
                let at = step.and_then(|step| step.span);
                let at = at.map(|span| format!(" ({})", name(&position(sources, span)))).unwrap_or_default();
                format!(": {}{at}", prose(&reason))
            });
            format!("{}{}", prose(&entry.sentence()), reason.unwrap_or_default())
        });
        push_list(text, &format!("{} {}", fit_mark(fit), fit_text(fit)), options, lines);
    }
}

fn push_list(text: &mut String, heading: &str, options: &AccessOptions, lines: impl ExactSizeIterator<Item = String>) {
    let (number, most) = (lines.len(), if options.verbose { usize::MAX } else { LISTED });
    if number == 0 {
        return;
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "**{heading}** ({number})\n");
    lines.take(most).for_each(|line| {
        let _ = writeln!(text, "- {line}");
    });
    if number > most {
        let _ = writeln!(text, "- … and {} more", number - most);
    }
    text.push('\n');
}

fn push_legend(text: &mut String, matrix: &Matrix) {
    let cells = matrix.rows.iter().flat_map(|row| &row.cells).flatten();
    let said: Vec<Said> = cells.flat_map(words).collect();
    let mut meanings: Vec<String> = Word::ALL
        .into_iter()
        .filter(|word| *word != Word::None && said.iter().any(|said| said.word == *word))
        .map(|word| format!("*{}*: {}", word.text(), word.meaning()))
        .collect();
    let is_met = |certainty| said.iter().any(|said| said.certainty == certainty && said.word != Word::Unknown);
    if is_met(Certainty::Conditional) {
        meanings
            .push(format!("*{}*: depends on conditions or on facts that no input tells", mark(Certainty::Conditional)));
    }
    if is_met(Certainty::Unknown) {
        meanings.push(format!("*{}*: nobody can tell", mark(Certainty::Unknown)));
    }
    if matrix.rows.iter().flat_map(|row| &row.cells).flatten().any(|cell| cell.fit == Some(Fit::Expected)) {
        meanings.push(format!("{}: {}", fit_mark(Fit::Expected), fit_text(Fit::Expected)));
    }
    let readers: usize = matrix.rows.iter().map(|row| row.readers.len()).sum();
    let owners: usize = matrix.columns.iter().map(|column| column.owners.len()).sum();
    meanings.insert(0, format!("{}, logs of {}", count(readers, "reader"), count(owners, "account")));
    // Writing to a string does not fail.
    let _ = writeln!(text, "<sub>{}</sub>", meanings.join("; "));
}

/// A name from the input, as code.
fn name(text: &str) -> String {
    let text = visible(text);
    let is_plain = |c: char| c.is_alphanumeric() || " -_.,:/()+=@*…$".contains(c);
    let padded = text.starts_with(' ') || text.ends_with(' ') || text.is_empty();
    if text.chars().all(is_plain) && !padded {
        format!("`{text}`")
    } else {
        format!("<code>{}</code>", referenced(&text))
    }
}

/// A sentence that may hold names from the input.
fn prose(text: &str) -> String {
    let text = visible(text);
    let mut shown = String::with_capacity(text.len() + 16);
    let mut parts = text.split('`').peekable();
    let mut is_code = false;
    // What stands between two backticks is a name; a backtick without another is itself.
    while let Some(part) = parts.next() {
        match is_code && parts.peek().is_some() {
            true => shown.push_str(&name(part)),
            false if is_code => shown.push_str(&format!("&#96;{}", referenced(part))),
            false => shown.push_str(&referenced(part)),
        }
        is_code = !is_code;
    }
    shown
}

/// Text with each sign that Markdown, HTML or GitHub could take for markup as a character reference.
fn referenced(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        match character {
            c if c.is_alphanumeric() || " ,()…·;".contains(c) => shown.push(c),
            // A mention ends where a comment begins.
            '@' => shown.push_str("&#64;<!-- -->"),
            '.' if next.is_none() => shown.push(character),
            ':' if next.is_none_or(|c| c == ' ') => shown.push(character),
            c if c.is_ascii() => {
                let _ = write!(shown, "&#{};", c as u32);
            }
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_nothing_but_names() {
        assert_eq!(name("222222222222 (payments)"), "`222222222222 (payments)`");
        assert_eq!(name("a|b`c"), "<code>a&#124;b&#96;c</code>");
        assert_eq!(name("<script>"), "<code>&#60;script&#62;</code>");
        assert_eq!(name("x\ny"), "<code>x&#92;u&#123;a&#125;y</code>");
        assert_eq!(prose("the role `a|b` of @octocat"), "the role <code>a&#124;b</code> of &#64;<!-- -->octocat");
        assert_eq!(prose("odd ` **b** https://x.y"), "odd &#96; &#42;&#42;b&#42;&#42; https&#58;&#47;&#47;x&#46;y");
    }
}
