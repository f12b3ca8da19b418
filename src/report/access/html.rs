//! The matrix as one page that needs nothing else: a heat map, search, and the path behind each cell.
//!
//! The table, and the path behind a cell (a link to a part of the page that shows itself as a panel), work without
//! scripts. The page's content security policy lets no request leave and nothing run but the one script that is here.

mod escape;
mod panel;
mod table;

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::words::{Word, common_prefixes, fit_mark, fit_text, words};
use crate::finding::matrix::{Certainty, Fit, Matrix};
use crate::report::VERSION;
use crate::report::text::pen::count;
use crate::report::text::position;
use crate::text::SourceMap;
use escape::{escaped, prose};
use panel::Panels;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Deviations that are listed above a table, and those that can be asked for there.
const LISTED: (usize, usize) = (5, 200);

pub(super) fn write(out: &mut dyn Write, matrices: &[Matrix], sources: &SourceMap, is_wide: bool) -> io::Result<()> {
    let mut panels = Panels::new(matrices);
    write_head(out, matrices)?;
    for (number, matrix) in matrices.iter().enumerate() {
        write_matrix(out, number, matrix, sources, is_wide, &mut panels)?;
    }
    if matrices.is_empty() {
        writeln!(out, "<p>No log bucket is known.</p>")?;
    }
    writeln!(out, "</main>\n<aside id=\"panels\" aria-label=\"paths\">")?;
    panels.write(out, sources)?;
    writeln!(out, "</aside>\n<footer><p>trailproof {VERSION}</p></footer>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// What a content security policy calls a text that may run.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

fn write_head(out: &mut dyn Write, matrices: &[Matrix]) -> io::Result<()> {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let names: Vec<&str> = matrices.iter().map(|matrix| matrix.bucket.as_str()).collect();
    let title = escaped(&format!("Who can read the logs in {}", names.join(", ")));
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"trailproof {VERSION}\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header><h1>Who can read the logs</h1>"
    )?;
    write!(
        out,
        "<form id=\"tools\" role=\"search\" hidden>\
         <label>Readers <input id=\"find-readers\" type=\"search\" placeholder=\"ID, name or ARN\" autocomplete=\"off\" \
         spellcheck=\"false\"></label>\
         <label>Logs of <input id=\"find-logs\" type=\"search\" placeholder=\"ID or name\" autocomplete=\"off\" \
         spellcheck=\"false\"></label>\
         <label>Show <select id=\"find-cells\"><option value=\"\">all cells</option>\
         <option value=\"access\">any access</option><option value=\"more\">▲ too much</option>\
         <option value=\"less\">▼ too little</option><option value=\"unsure\">if or unknown</option></select></label>\
         <button type=\"reset\">Reset</button><output id=\"found\" aria-live=\"polite\"></output></form>"
    )?;
    writeln!(out, "</header>\n<main>")
}

fn write_matrix(
    out: &mut dyn Write,
    number: usize,
    matrix: &Matrix,
    sources: &SourceMap,
    is_wide: bool,
    panels: &mut Panels<'_>,
) -> io::Result<()> {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "<section class=\"bucket\" aria-labelledby=\"b{number}\">");
    let _ = writeln!(text, "<h2 id=\"b{number}\">{}</h2>", escaped(&matrix.bucket));
    push_lead(&mut text, matrix);
    for fit in [Fit::TooMuch, Fit::TooLittle] {
        push_deviations(&mut text, number, matrix, fit, sources, panels);
    }
    push_legend(&mut text, matrix);
    out.write_all(text.as_bytes())?;
    if matrix.rows.is_empty() || matrix.columns.is_empty() {
        writeln!(out, "<p>No reader or no logs are known.</p>")?;
    } else {
        table::write(out, number, matrix, is_wide, panels)?;
    }
    let mut text = String::new();
    push_list(
        &mut text,
        "Not known",
        true,
        matrix.gaps.iter().map(|gap| {
            let places: Vec<String> = gap.places.iter().map(|span| escaped(&position(sources, *span))).collect();
            let at = if places.is_empty() {
                String::new()
            } else {
                format!(" <span class=\"at\">{}</span>", places.join(", "))
            };
            format!("<b>{}</b>: {}{at}", escaped(&gap.fact), prose(&gap.reason))
        }),
    );
    push_list(&mut text, "Notes", false, matrix.notes.iter().map(|note| prose(note)));
    text.push_str("</section>\n");
    out.write_all(text.as_bytes())
}

fn push_lead(text: &mut String, matrix: &Matrix) {
    let readers: usize = matrix.rows.iter().map(|row| row.readers.len()).sum();
    let owners: usize = matrix.columns.iter().map(|column| column.owners.len()).sum();
    let mut lead = format!("{}, logs of {}.", count(readers, "reader"), count(owners, "account"));
    if let Some(owner) = &matrix.owner {
        let _ = write!(lead, " Owned by {}.", escaped(&owner.label));
    }
    if let Some(prefixes) = common_prefixes(matrix) {
        let prefixes: Vec<String> = prefixes.iter().map(|prefix| format!("<code>{}</code>", escaped(prefix))).collect();
        let _ = write!(lead, " Keys begin with {}.", prefixes.join(", "));
    }
    let model = match matrix.is_declared {
        true => "Held against the declared sharing model.",
        false => {
            "No sharing model is declared: this is what the facts show, and nothing is called expected, too much or too \
             little."
        }
    };
    let _ = writeln!(text, "<p class=\"lead\">{lead} {model}</p>");
}

fn push_deviations(
    text: &mut String,
    number: usize,
    matrix: &Matrix,
    fit: Fit,
    sources: &SourceMap,
    panels: &mut Panels<'_>,
) {
    let entries = Entry::deviations(matrix, fit);
    if entries.is_empty() {
        return;
    }
    let class = if fit == Fit::TooMuch { "more" } else { "less" };
    let _ = writeln!(
        text,
        "<section class=\"odd {class}\"><h3>{} {} ({})</h3><ul>",
        fit_mark(fit),
        fit_text(fit),
        entries.len()
    );
    for (at, entry) in entries.iter().take(LISTED.1).enumerate() {
        if at == LISTED.0 {
            let _ = write!(text, "</ul><details><summary>{} more</summary><ul>", entries.len() - at);
        }
        let sentence = prose(&entry.sentence());
        let said = match panels.link(number, entry.cell) {
            Some(panel) => format!("<a href=\"#c{panel}\">{sentence}</a>"),
            None => sentence,
        };
        let reason = entry.reason().map(|(reason, step)| {
            let at = step.and_then(|step| step.span).map(|span| escaped(&position(sources, span)));
            let at = at.map(|at| format!(" <span class=\"at\">{at}</span>")).unwrap_or_default();
            format!("<br><span class=\"why\">{}</span>{at}", prose(&reason))
        });
        let _ = writeln!(text, "<li>{said}{}</li>", reason.unwrap_or_default());
    }
    if entries.len() > LISTED.1 {
        let _ = writeln!(text, "<li>… and {} more: choose them under “Show”</li>", entries.len() - LISTED.1);
    }
    text.push_str(if entries.len() > LISTED.0 { "</ul></details></section>\n" } else { "</ul></section>\n" });
}

fn push_legend(text: &mut String, matrix: &Matrix) {
    let cells = || matrix.rows.iter().flat_map(|row| &row.cells).flatten();
    let said: Vec<_> = cells().flat_map(words).collect();
    let mut items: Vec<String> = Word::ALL
        .into_iter()
        .filter(|word| said.iter().any(|said| said.word == *word))
        .map(|word| {
            let (class, letter) = (table::heat(word), word.letter());
            format!("<li><span class=\"chip {class}\">{letter}</span> <b>{}</b> {}</li>", word.text(), word.meaning())
        })
        .collect();
    if said.iter().any(|said| said.certainty == Certainty::Conditional) {
        items.push(
            "<li><span class=\"chip h3 if\">if</span> depends on conditions or on facts that no input tells</li>"
                .to_owned(),
        );
    }
    if said.iter().any(|said| said.certainty == Certainty::Unknown) {
        items.push("<li><span class=\"chip hu\">?</span> nobody can tell</li>".to_owned());
    }
    for fit in [Fit::Expected, Fit::TooMuch, Fit::TooLittle] {
        if cells().any(|cell| cell.fit == Some(fit)) {
            let class = table::fit_class(Some(fit));
            items.push(format!("<li><span class=\"chip {class}\">{}</span> {}</li>", fit_mark(fit), fit_text(fit)));
        }
    }
    let _ =
        writeln!(text, "<details class=\"legend\" open><summary>Legend</summary><ul>{}</ul></details>", items.join(""));
}

fn push_list(text: &mut String, heading: &str, is_open: bool, items: impl ExactSizeIterator<Item = String>) {
    let number = items.len();
    if number > 0 {
        let open = if is_open { " open" } else { "" };
        let items: Vec<String> = items.map(|item| format!("<li>{item}</li>")).collect();
        let _ = writeln!(
            text,
            "<details{open}><summary>{heading} ({number})</summary><ul>{}</ul></details>",
            items.join("\n")
        );
    }
}
