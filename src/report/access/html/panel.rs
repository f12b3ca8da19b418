//! The path behind each cell: what it says, hop by hop with excerpts, what proves it, and what stops the rest.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::{escaped, prose};
use super::table::fit_class;
use crate::finding::matrix::{Cell, Fit, Matrix};
use crate::finding::{Step, Witness};
use crate::report::access::entry::Entry;
use crate::report::access::explain::{Cause, Way, causes, ways, word};
use crate::report::access::words::{fit_mark, fit_text, joined};
use crate::report::text::excerpt::{Excerpt, Wanted};
use crate::report::text::position;
use crate::text::{SourceMap, Span};

/// Paths that a page holds; beyond that those that matter most.
const MAX_PANELS: usize = 3_000;

/// Bytes of excerpts that a page holds.
const MAX_EXCERPTS: usize = 12 << 20;

/// The columns of an excerpt.
const WIDTH: usize = 100;

/// The paths of all cells, numbered.
pub(super) struct Panels<'m> {
    entries: Vec<(usize, Entry<'m>)>,
    /// By bucket and the cell's own place in memory, which is the same for all who read the same matrix.
    numbers: HashMap<(usize, *const Cell), usize>,
    left_out: usize,
}

impl<'m> Panels<'m> {
    pub(super) fn new(matrices: &'m [Matrix]) -> Self {
        let mut entries: Vec<(usize, Entry<'m>)> = Vec::new();
        for (number, matrix) in matrices.iter().enumerate() {
            entries.extend(Entry::all(matrix).map(|entry| (number, entry)));
        }
        let total = entries.len();
        if total > MAX_PANELS {
            // A stable sort: what matters as much stays in order.
            entries.sort_by_key(|(_, entry)| match (entry.cell.fit, entry.cell.can.is_empty()) {
                (Some(Fit::TooMuch | Fit::TooLittle), _) => 0,
                (_, false) => 1,
                (_, true) => 2,
            });
            entries.truncate(MAX_PANELS);
        }
        let key = |(at, (number, entry)): (usize, &(usize, Entry<'m>))| ((*number, std::ptr::from_ref(entry.cell)), at);
        let numbers = entries.iter().enumerate().map(key).collect();
        Panels { left_out: total - entries.len(), entries, numbers }
    }

    /// The number of a cell's panel, where the page has it.
    pub(super) fn link(&self, bucket: usize, cell: &Cell) -> Option<usize> {
        self.numbers.get(&(bucket, std::ptr::from_ref(cell))).copied()
    }

    pub(super) fn write(&self, out: &mut dyn Write, sources: &SourceMap) -> io::Result<()> {
        let mut room = MAX_EXCERPTS;
        for (number, (bucket, entry)) in self.entries.iter().enumerate() {
            let mut panel = Panel { text: String::new(), sources, room: &mut room };
            panel.push(number, *bucket, entry);
            out.write_all(panel.text.as_bytes())?;
        }
        if self.left_out > 0 {
            writeln!(
                out,
                "<p class=\"left-out\">{} more cells have no path on this page: <code>trailproof access --why READER \
                 --logs ACCOUNT</code> tells it.</p>",
                self.left_out
            )?;
        }
        if room == 0 {
            writeln!(out, "<p class=\"left-out\">Some excerpts are left out, because there are too many.</p>")?;
        }
        Ok(())
    }
}

struct Panel<'p> {
    text: String,
    sources: &'p SourceMap,
    /// Bytes that excerpts may still take.
    room: &'p mut usize,
}

impl Panel<'_> {
    fn push(&mut self, number: usize, bucket: usize, entry: &Entry<'_>) {
        let class = fit_class(entry.cell.fit);
        let mark = entry.cell.fit.map(|fit| format!("{} {}: ", fit_mark(fit), fit_text(fit))).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(
            self.text,
            "<article id=\"c{number}\" class=\"panel {class}\" tabindex=\"-1\" aria-labelledby=\"t{number}\">\n\
             <a class=\"close\" href=\"#b{bucket}\" title=\"close (Esc)\" aria-label=\"close\">×</a>\n\
             <h3 id=\"t{number}\">{}.</h3>\n<p class=\"fit\">{mark}{}.</p>",
            prose(&entry.sentence()),
            entry.judgement()
        );
        if let Some(note) = &entry.row.note {
            let _ = writeln!(self.text, "<p class=\"note\">{}</p>", prose(note));
        }
        // What is missing comes first where that is the matter.
        if entry.is_lacking() {
            causes(entry.cell).iter().for_each(|cause| self.cause(cause));
            ways(entry.cell).iter().for_each(|way| self.way(way));
        } else {
            ways(entry.cell).iter().for_each(|way| self.way(way));
            causes(entry.cell).iter().for_each(|cause| self.cause(cause));
        }
        self.text.push_str("</article>\n");
    }

    fn way(&mut self, way: &Way<'_>) {
        let _ = writeln!(self.text, "<section class=\"can\"><h4>{}</h4>", way.heading());
        let tag = if way.path.len() > 1 { "ol" } else { "ul" };
        if !way.path.is_empty() {
            let _ = writeln!(self.text, "<{tag} class=\"hops\">");
            for hop in way.path {
                let _ = writeln!(self.text, "<li><p>{}</p>", prose(&hop.title));
                self.steps(hop.steps.iter());
                self.text.push_str("</li>\n");
            }
            let _ = writeln!(self.text, "</{tag}>");
        }
        // The first proves what matters most.
        for (at, witness) in way.accesses.iter().filter_map(|access| access.witness.as_ref()).enumerate() {
            self.witness(witness, at == 0);
        }
        for (said, facts) in [("depends on", way.depends_on()), ("unless denied by", way.unless())] {
            let facts: Vec<String> = facts.into_iter().map(|fact| format!("<code>{}</code>", escaped(fact))).collect();
            if !facts.is_empty() {
                let _ = writeln!(self.text, "<p class=\"depends\">{said} {}</p>", facts.join(", "));
            }
        }
        self.text.push_str("</section>\n");
    }

    fn cause(&mut self, cause: &Cause<'_>) {
        let _ = writeln!(
            self.text,
            "<section class=\"can-not\"><h4>can not {}</h4><p>{}</p>",
            cause.verbs(),
            prose(cause.cause)
        );
        self.steps(cause.steps.iter().copied());
        if !cause.would_take.is_empty() {
            let needed = joined(&cause.would_take, "and");
            let _ = writeln!(self.text, "<p class=\"needed\">it would take {}</p>", prose(&needed));
        }
        self.text.push_str("</section>\n");
    }

    fn steps<'s>(&mut self, steps: impl ExactSizeIterator<Item = &'s Step>) {
        if steps.len() == 0 {
            return;
        }
        self.text.push_str("<ul class=\"steps\">");
        for step in steps {
            let (effect, word) = (step.effect.name(), word(step));
            // What ships with the tool has no place.
            let at = step.span.map(|span| position(self.sources, span)).filter(|at| !at.is_empty());
            let at = at.map(|at| format!(" <span class=\"at\">{}</span>", escaped(&at)));
            let _ = write!(
                self.text,
                "<li><b class=\"e-{effect}\">{word}</b> {}{}",
                prose(&step.message),
                at.unwrap_or_default()
            );
            if let Some(span) = step.span {
                self.excerpt(span);
            }
            self.text.push_str("</li>\n");
        }
        self.text.push_str("</ul>\n");
    }

    fn excerpt(&mut self, span: Span) {
        let Some(source) = self.sources.source(span.source) else { return };
        let excerpt = Excerpt::new(source, &[Wanted { span, message: "", primary: true }], WIDTH);
        let (Some(chunk), Some(mark)) = (excerpt.chunks.first(), excerpt.marks.first()) else { return };
        let shown = excerpt.text.get(chunk.range.clone()).unwrap_or("");
        let start = mark.range.start.saturating_sub(chunk.range.start);
        let end = mark.range.end.saturating_sub(chunk.range.start);
        let mut html = String::from("<pre tabindex=\"0\">");
        let mut offset = 0;
        for (number, line) in (chunk.line..).zip(shown.split_inclusive('\n')) {
            let (from, to) = (start.clamp(offset, offset + line.len()), end.clamp(offset, offset + line.len()));
            let cut = |from: usize, to: usize| escaped_line(shown.get(from..to).unwrap_or(""));
            let _ = write!(html, "<span class=\"ln\">{number:>5} </span>{}", cut(offset, from));
            if from < to {
                let _ = write!(html, "<mark>{}</mark>", cut(from, to));
            }
            let _ = writeln!(html, "{}", cut(to, offset + line.len()));
            offset += line.len();
        }
        html.push_str("</pre>");
        if html.len() > *self.room {
            *self.room = 0;
            return;
        }
        *self.room -= html.len();
        self.text.push_str(&html);
    }

    fn witness(&mut self, witness: &Witness, is_open: bool) {
        let Witness { principal, action, resource, context, decision, depends_on } = witness;
        let mut rows =
            vec![("principal", principal.clone()), ("action", action.clone()), ("resource", resource.clone())];
        for (key, values) in context {
            rows.push((key, if values.is_empty() { "(no value)".to_owned() } else { values.join(", ") }));
        }
        let mut decided = decision.name().replace('-', " ");
        if !depends_on.is_empty() {
            decided.push_str(&format!(", depending on {}", depends_on.join(", ")));
        }
        rows.push(("decision", decided));
        let (open, action) = (if is_open { " open" } else { "" }, escaped(action));
        let _ = write!(
            self.text,
            "<details{open} class=\"witness\"><summary>proved by a request for <code>{action}</code></summary><dl>"
        );
        for (key, value) in rows {
            let _ = write!(self.text, "<dt>{}</dt><dd>{}</dd>", escaped(key), escaped(&value));
        }
        self.text.push_str("</dl></details>\n");
    }
}

/// A line of an excerpt, whose hidden characters are shown already, without its line end.
fn escaped_line(line: &str) -> String {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let cells: Vec<String> = line.split('\t').map(escaped).collect();
    cells.join("    ")
}
