//! Why a reader can or can not read an account's logs: the answer in a sentence, then each step with its source.

use std::io::{self, Write};

use super::entry::Entry;
use super::explain::{Cause, Way, causes, ways, word};
use super::json;
use super::words::{self, in_a_row, joined, main_access, main_refusal, roles};
use crate::finding::matrix::{Ability, Fit, Hop, Matrix, NotInMatrix};
use crate::finding::{Label, Level, Step, StepEffect};
use crate::report::AccessOptions;
use crate::report::text::pen::{Pen, Style, wrap};
use crate::report::text::{position, proof, push_excerpt};
use crate::report::visible;
use crate::text::SourceMap;

/// One reader and one bucket, with the logs of one owner or of those who are alike to it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'m> {
    entry: Entry<'m>,
}

/// Whether the contents of logs can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// For certain.
    Yes,
    /// Not the contents, but something else can be done with the logs.
    Partly,
    /// It hangs on conditions or on facts that no input tells.
    Conditional,
    /// Nobody can tell.
    Unknown,
    /// Nothing at all.
    No,
}

impl Verdict {
    /// `yes`, `partly`, `conditional`, `unknown`, `no`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Yes => "yes",
            Verdict::Partly => "partly",
            Verdict::Conditional => "conditional",
            Verdict::Unknown => "unknown",
            Verdict::No => "no",
        }
    }
}

/// The answers for readers and owners of some names, in all log buckets; without names of owners, for the logs of all,
/// an answer for each group of owners that are alike to the reader.
///
/// Names are an ARN, an account ID, a name that people use, or `anyone`.
///
/// # Errors
/// The first name that stands in none of the matrices.
pub fn answers<'m>(matrices: &'m [Matrix], reader: &str, logs: &[String]) -> Result<Vec<Answer<'m>>, NotInMatrix> {
    let readers = || matrices.iter().flat_map(|matrix| &matrix.rows).flat_map(|row| &row.readers);
    if !readers().any(|party| party.is_called(reader)) {
        return Err(NotInMatrix::Reader(reader.to_owned()));
    }
    let owners = || matrices.iter().flat_map(|matrix| &matrix.columns).flat_map(|column| &column.owners);
    if let Some(name) = logs.iter().find(|name| !owners().any(|party| party.is_called(name))) {
        return Err(NotInMatrix::Logs(name.clone()));
    }
    let mut found = Vec::new();
    for matrix in matrices {
        for row in &matrix.rows {
            for party in row.readers.iter().filter(|party| party.is_called(reader)) {
                let readers = std::slice::from_ref(party);
                for (index, column) in matrix.columns.iter().enumerate() {
                    if logs.is_empty() {
                        let parts = row.cells.get(index).into_iter().flatten();
                        let parts = parts.filter(|cell| cell.scope.holds(readers, &column.owners));
                        let owners = column.owners.as_slice();
                        found.extend(parts.map(|cell| Answer { entry: Entry { matrix, row, readers, owners, cell } }));
                        continue;
                    }
                    for owner in column.owners.iter().filter(|o| logs.iter().any(|name| o.is_called(name))) {
                        let Some(cell) = row.cell(party, index, owner) else { continue };
                        let owners = std::slice::from_ref(owner);
                        found.push(Answer { entry: Entry { matrix, row, readers, owners, cell } });
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Writes answers for people.
///
/// # Errors
/// Those of `out`.
pub fn write(
    out: &mut dyn Write,
    answers: &[Answer<'_>],
    sources: &SourceMap,
    options: &AccessOptions,
) -> io::Result<()> {
    let pen = Pen { color: options.color, width: options.width.clamp(60, 120) };
    for (number, answer) in answers.iter().enumerate() {
        let mut text = String::new();
        if number > 0 {
            text.push('\n');
        }
        Explainer { text: &mut text, sources, pen, verbose: options.verbose, told: Vec::new() }.explain(answer);
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Writes answers as JSON: the shape of the matrix, with `answer` and `summary` in each cell.
///
/// # Errors
/// Those of `out`.
pub fn write_json(out: &mut dyn Write, answers: &[Answer<'_>], sources: &SourceMap) -> io::Result<()> {
    json::write_answers(out, answers, sources)
}

impl<'m> Answer<'m> {
    pub(super) fn entry(&self) -> Entry<'m> {
        self.entry
    }

    pub(super) fn matrix(&self) -> &'m Matrix {
        self.entry.matrix
    }

    /// Whether the contents can be read.
    pub fn verdict(&self) -> Verdict {
        self.entry.verdict()
    }

    /// The answer in one sentence, without its period: what, by which roles, or what stops it.
    pub fn sentence(&self) -> String {
        let sentence = match self.verdict() {
            Verdict::Partly => self.entry.lack_in_bucket(),
            _ => self.entry.sentence_in_bucket(),
        };
        let through = main_access(self.entry.cell).map(roles).unwrap_or_default();
        match (through.is_empty(), self.verdict()) {
            (_, Verdict::No) => match main_refusal(self.entry.cell) {
                Some(refusal) => format!("{sentence}: {}", refusal.cause),
                None => sentence,
            },
            // The roles stand with the path.
            (_, Verdict::Partly) => sentence,
            (true, _) => sentence,
            (false, _) => {
                let through = format!(", through {}", joined(&through, "and then"));
                // It is about what can be done, which comes first.
                match sentence.split_once("; ") {
                    Some((can, open)) => format!("{can}{through}; {open}"),
                    None => sentence + &through,
                }
            }
        }
    }
}

struct Explainer<'t> {
    text: &'t mut String,
    sources: &'t SourceMap,
    pen: Pen,
    /// Tell all steps of what does not matter too.
    verbose: bool,
    /// Hops that were explained.
    told: Vec<&'t Hop>,
}

impl<'t> Explainer<'t> {
    fn explain(&mut self, answer: &Answer<'t>) {
        let entry = answer.entry;
        let (word, style) = match answer.verdict() {
            Verdict::Yes => ("yes: ", Style::Strong),
            Verdict::Partly => ("partly: ", Style::Strong),
            Verdict::Conditional => ("it depends: ", Style::Level(Level::Warning)),
            Verdict::Unknown => ("not known: ", Style::Level(Level::Warning)),
            Verdict::No => ("no: ", Style::Strong),
        };
        self.pen.paragraph(self.text, 0, (style, word), &visible(&format!("{}.", answer.sentence())));
        let style = match entry.cell.fit {
            Some(Fit::TooMuch) => Style::Level(Level::Error),
            Some(Fit::TooLittle) => Style::Level(Level::Warning),
            Some(Fit::Expected) => Style::Good,
            None => Style::Faint,
        };
        let mark = entry
            .cell
            .fit
            .map_or("model: ".to_owned(), |fit| format!("{} {}: ", words::fit_mark(fit), words::fit_text(fit)));
        self.pen.paragraph(self.text, 0, (style, &mark), &format!("{}.", entry.judgement()));
        if let Some(note) = &entry.row.note {
            self.pen.paragraph(self.text, 0, (Style::Faint, "note: "), &visible(note));
        }
        let is_lacking = entry.is_lacking();
        let is_said = matches!(answer.verdict(), Verdict::No | Verdict::Partly);
        let said = main_refusal(entry.cell).filter(|_| is_said).map(|refusal| refusal.cause.as_str());
        let (mut full, mut brief) = (Vec::new(), Vec::new());
        for cause in causes(entry.cell) {
            // Where logs can be read as they should, what stops the rest is worth a line.
            let is_read = cause.abilities.iter().any(|ability| *ability != Ability::Write);
            if self.verbose || (is_read && is_lacking) { full.push(cause) } else { brief.push(cause) }
        }
        // What is missing comes first where that is the matter.
        if is_lacking {
            full.iter().for_each(|cause| self.cause(cause, said));
            ways(entry.cell).iter().for_each(|way| self.way(way));
        } else {
            ways(entry.cell).iter().for_each(|way| self.way(way));
            full.iter().for_each(|cause| self.cause(cause, said));
        }
        if !brief.is_empty() {
            self.text.push('\n');
        }
        for cause in brief {
            let head = format!("can not {}: ", cause.verbs());
            self.pen.paragraph(self.text, 0, (Style::Strong, &head), &visible(cause.cause));
        }
    }

    /// `can list and read, because:` and the hops.
    fn way(&mut self, way: &Way<'t>) {
        self.heading(&format!("{}:", way.heading()));
        for (number, hop) in (1..).zip(way.path) {
            let said = if way.path.len() > 1 { format!("{number}. ") } else { "· ".to_owned() };
            if self.told.contains(&hop) {
                let text = format!("{} (as above)", visible(&hop.title));
                self.pen.paragraph(self.text, 2, (Style::Strong, &said), &text);
                continue;
            }
            self.pen.paragraph(self.text, 2, (Style::Strong, &said), &visible(&hop.title));
            hop.steps.iter().for_each(|step| self.step(step));
            self.told.push(hop);
        }
        // The first proves what matters most.
        let most = if self.verbose { usize::MAX } else { 1 };
        for witness in way.accesses.iter().filter_map(|access| access.witness.as_ref()).take(most) {
            self.pen.paragraph(self.text, 2, (Style::Strong, "proved by: "), &proof(witness));
        }
        for (said, facts) in [("depends on: ", way.depends_on()), ("unless denied by: ", way.unless())] {
            if !facts.is_empty() {
                self.pen.paragraph(self.text, 2, (Style::Strong, said), &visible(&in_a_row(&facts)));
            }
        }
    }

    /// What stops it, and what it would take; a cause that was said already is not said again.
    fn cause(&mut self, cause: &Cause<'_>, said: Option<&str>) {
        let is_said = said == Some(cause.cause);
        // A step that the cause ends with has no more to it than its place.
        let is_cause = |step: &&Step| cause.cause.ends_with(step.message.as_str());
        let mut steps: Vec<&Step> = cause.steps.clone();
        steps.retain(|step| !is_cause(step) || step.span.is_some());
        let is_here = steps.first().is_some_and(is_cause);
        match (is_said, steps.is_empty(), cause.would_take.is_empty()) {
            (true, true, true) => return,
            (true, true, false) => self.heading(&format!("can not {}:", cause.verbs())),
            (true, false, _) if is_here => self.heading(&format!("can not {}, because of this:", cause.verbs())),
            _ => self.heading(&format!("can not {}, because:", cause.verbs())),
        }
        if !is_said {
            self.pen.paragraph(self.text, 2, (Style::Strong, "· "), &visible(cause.cause));
        }
        for (number, step) in steps.into_iter().enumerate() {
            match (is_cause(&step), number) {
                (true, 0) => self.excerpt(step),
                (true, _) => self.said_step(step, "this is what stops it"),
                (false, _) => self.said_step(step, &step.message),
            }
        }
        if !cause.would_take.is_empty() {
            let needed = joined(&cause.would_take, "and");
            self.pen.paragraph(self.text, 2, (Style::Help, "it would take: "), &visible(&needed));
        }
    }

    fn step(&mut self, step: &Step) {
        self.said_step(step, &step.message);
    }

    fn said_step(&mut self, step: &Step, message: &str) {
        let style = match step.effect {
            StepEffect::Allows => Style::Good,
            StepEffect::Denies | StepEffect::Missing => Style::Level(Level::Error),
            StepEffect::If | StepEffect::Unless => Style::Level(Level::Warning),
        };
        let drawn = self.drawn(step);
        // The excerpt says its place itself; what ships with the tool has none.
        let at = step.span.filter(|_| drawn.is_empty()).map(|span| position(self.sources, span));
        let at = at.filter(|at| !at.is_empty()).map(|at| format!(" ({at})")).unwrap_or_default();
        let text = format!("{}{at}", visible(message));
        self.pen.paragraph(self.text, 5, (style, &format!("{}: ", word(step))), &text);
        self.text.push_str(&drawn);
    }

    fn excerpt(&mut self, step: &Step) {
        let drawn = self.drawn(step);
        self.text.push_str(&drawn);
    }

    /// The excerpt at the place of a step, where it has one.
    fn drawn(&self, step: &Step) -> String {
        let Some(span) = step.span else { return String::new() };
        let level = match step.effect {
            StepEffect::Denies | StepEffect::Missing => Level::Error,
            StepEffect::If | StepEffect::Unless => Level::Warning,
            StepEffect::Allows => Level::Note,
        };
        let mut drawn = String::new();
        let label = Label::new(span, String::new());
        push_excerpt(&mut drawn, self.sources, &label, level, Pen { width: self.pen.width - 5, ..self.pen });
        drawn.lines().map(|line| format!("     {line}\n")).collect()
    }

    fn heading(&mut self, heading: &str) {
        self.text.push('\n');
        for line in wrap(heading, self.pen.width) {
            self.text.push_str(&self.pen.paint(Style::Strong, &line));
            self.text.push('\n');
        }
    }
}
