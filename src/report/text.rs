//! The report for people: excerpts with the label on the very value, why, what to do, and a summary line.
//!
//! Nothing from the input reaches the terminal raw: control and format characters are escaped.

mod closing;
pub(super) mod excerpt;
pub(super) mod pen;

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, Severity, SourceCode, SourceSpan,
    SpanContents,
};

use super::visible;
use crate::audit::Report;
use crate::finding::{Finding, Label, Level, Step, Witness};
use crate::text::{SourceId, SourceMap, Span};
use excerpt::{Chunk, Excerpt, Mark, Wanted};
use pen::{Pen, Style, count};

/// The columns of a tab.
const TAB: usize = 4;

/// Related places of one finding that are shown as excerpts.
const MAX_EXCERPTS: usize = 4;

/// Related places and steps of one finding that are listed unless all are asked for.
const MAX_LISTED: usize = 8;

/// How the text report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether colours are used.
    pub color: bool,
    /// The columns of the terminal; long lines of the source are cut to it.
    pub width: usize,
    /// How many findings are shown in full, the others in one line each; `None` for all.
    pub excerpts: Option<usize>,
    /// Show all findings in full, all gaps, remarks and waived findings.
    pub verbose: bool,
    /// Show the findings and nothing else.
    pub quiet: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        TextOptions { color: false, width: 100, excerpts: Some(20), verbose: false, quiet: false }
    }
}

/// Writes a report as text.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, report: &Report<'_>, options: &TextOptions) -> io::Result<()> {
    let pen = Pen { color: options.color, width: options.width.clamp(60, 160) };
    let full = if options.verbose { usize::MAX } else { options.excerpts.unwrap_or(usize::MAX) };
    let mut text = String::new();
    for finding in report.findings.iter().take(full) {
        push_finding(&mut text, report, finding, options, pen);
        text.push('\n');
        flush(out, &mut text)?;
    }
    let rest = report.findings.len().saturating_sub(full);
    if full > 0 && rest > 0 && !options.quiet {
        let more = count(rest, "more finding");
        writeln!(out, "{more}, one line each (-v shows all in full):\n")?;
    }
    for finding in report.findings.iter().skip(full) {
        push_line(&mut text, report, finding, pen);
        flush(out, &mut text)?;
    }
    if options.quiet {
        return Ok(());
    }
    if rest > 0 {
        text.push('\n');
    }
    closing::push(&mut text, report, options, pen);
    if let Some(finding) = report.findings.iter().min_by_key(|finding| std::cmp::Reverse(finding.level)) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "`trailproof explain {}` tells more about a rule", finding.rule);
    }
    text.push_str(&closing::summary(report, pen, closing::has_unlisted_gaps(report, options)));
    text.push('\n');
    flush(out, &mut text)
}

/// The summary in one line, without a line end: for where the report itself goes elsewhere.
pub fn summary(report: &Report<'_>, color: bool) -> String {
    closing::summary(report, Pen { color, width: 100 }, false)
}

fn flush(out: &mut dyn Write, text: &mut String) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    text.clear();
    Ok(())
}

fn place(report: &Report<'_>, span: Span) -> String {
    position(report.sources, span)
}

/// `file:line:column`.
pub(super) fn position(sources: &SourceMap, span: Span) -> String {
    match sources.source(span.source) {
        Some(source) => format!("{}:{}", visible(source.name()), source.position(span.start)),
        None => String::new(),
    }
}

fn heading(report: &Report<'_>, finding: &Finding, pen: Pen) -> String {
    let level = pen.paint(Style::Level(finding.level), &format!("{}[{}]", finding.level, finding.rule));
    format!("{level} {}", pen.paint(Style::Strong, &place(report, finding.primary.span)))
}

/// A finding in one line.
fn push_line(text: &mut String, report: &Report<'_>, finding: &Finding, pen: Pen) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}", heading(report, finding, pen), visible(&finding.message));
}

/// A finding in full.
fn push_finding(text: &mut String, report: &Report<'_>, finding: &Finding, options: &TextOptions, pen: Pen) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", heading(report, finding, pen));
    let all = if options.verbose { usize::MAX } else { MAX_LISTED };
    let shown = finding.related.len().min(if options.verbose { usize::MAX } else { MAX_EXCERPTS });
    let (excerpts, listed) = finding.related.split_at_checked(shown).unwrap_or_default();
    let mut groups: Vec<(SourceId, Vec<Wanted<'_>>)> = vec![(finding.primary.span.source, Vec::new())];
    let labels = std::iter::once((&finding.primary, true)).chain(excerpts.iter().map(|label| (label, false)));
    for (Label { span, message }, primary) in labels {
        let wanted = Wanted { span: *span, message, primary };
        match groups.iter_mut().find(|(source, _)| *source == span.source) {
            Some((_, group)) => group.push(wanted),
            None => groups.push((span.source, vec![wanted])),
        }
    }
    for (number, (source, labels)) in groups.iter().enumerate() {
        let message = if number == 0 { &*finding.message } else { "" };
        let excerpt = match report.sources.source(*source) {
            Some(source) => Excerpt::new(source, labels, pen.width - 10),
            None => Excerpt::default(),
        };
        push_frame(text, Frame::new(message, finding.level, excerpt, pen), pen);
    }
    for label in listed.iter().take(all) {
        let line = format!("{} {}", place(report, label.span), visible(&label.message));
        pen.paragraph(text, 2, (Style::Faint, "see also: "), &line);
    }
    if listed.len() > all {
        pen.paragraph(text, 2, (Style::Faint, "see also: "), &format!("{} more", count(listed.len() - all, "place")));
    }
    push_path(text, report, &finding.path, all, pen);
    if let Some(witness) = &finding.witness {
        pen.paragraph(text, 2, (Style::Strong, "proved by: "), &proof(witness));
    }
    if !finding.depends_on.is_empty() {
        pen.paragraph(text, 2, (Style::Strong, "depends on: "), &visible(&finding.depends_on.join(", ")));
    }
    if let Some(help) = &finding.help {
        pen.paragraph(text, 2, (Style::Help, "help: "), &visible(help));
    }
}

fn push_path(text: &mut String, report: &Report<'_>, path: &[Step], most: usize, pen: Pen) {
    for (number, step) in (1..).zip(path).take(most) {
        let at = step.span.map(|span| format!(" ({})", place(report, span))).unwrap_or_default();
        let line = format!("{}: {}{at}", step.effect.name(), visible(&step.message));
        pen.paragraph(text, 2, (Style::Faint, &format!("step {number} ")), &line);
    }
    let rest = path.len().saturating_sub(most);
    if rest > 0 {
        pen.paragraph(text, 2, (Style::Faint, "… "), &format!("{} more", count(rest, "step")));
    }
}

/// A witness as a sentence.
pub(super) fn proof(witness: &Witness) -> String {
    let Witness { principal, action, resource, context, decision, depends_on } = witness;
    let mut text = format!("{principal} calls {action} on {resource}");
    for (number, (key, values)) in context.iter().enumerate() {
        let values = if values.is_empty() { "no value".to_owned() } else { values.join(" and ") };
        let _ = write!(text, "{} {key} = {values}", if number == 0 { " with" } else { "," });
    }
    let _ = write!(text, ": {}", decision.name().replace('-', " "));
    if !depends_on.is_empty() {
        let _ = write!(text, ", depending on {}", depends_on.join(", "));
    }
    visible(&text).into_owned()
}

/// Adds the lines around a place with a label on it; nothing where the source is empty.
pub(super) fn push_excerpt(text: &mut String, sources: &SourceMap, label: &Label, level: Level, pen: Pen) {
    let Some(source) = sources.source(label.span.source) else { return };
    let wanted = Wanted { span: label.span, message: &label.message, primary: false };
    push_frame(text, Frame::new("", level, Excerpt::new(source, &[wanted], pen.width - 10), pen), pen);
}

/// An excerpt with its message, as miette draws it.
#[derive(Debug)]
struct Frame {
    message: String,
    level: Level,
    excerpt: Excerpt,
    width: usize,
}

impl Frame {
    fn new(message: &str, level: Level, excerpt: Excerpt, pen: Pen) -> Self {
        let message = pen::wrap(&visible(message), pen.width - 4).join("\n");
        Frame { message, level, excerpt, width: pen.width }
    }

    /// The columns that are left for what is said of a label: it begins under the middle of the label, or at the left
    /// where the label covers more than one line.
    fn label_width(&self, mark: &Mark) -> usize {
        const GUTTER: usize = 12;
        let before = self.excerpt.text.get(..mark.range.start).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        let marked = self.excerpt.text.get(mark.range.clone()).unwrap_or("");
        let columns = |text: &str| text.chars().map(|c| if c == '\t' { TAB } else { 1 }).sum::<usize>();
        let middle = if marked.contains('\n') { 0 } else { columns(line) + columns(marked) / 2 };
        self.width.saturating_sub(GUTTER + middle)
    }
}

fn push_frame(text: &mut String, frame: Frame, pen: Pen) {
    let mut theme = if pen.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let own = match frame.level {
        Level::Error => theme.styles.error,
        Level::Warning => theme.styles.warning,
        Level::Note => theme.styles.advice,
    };
    let other = theme.styles.help;
    theme.styles.highlights = frame.excerpt.marks.iter().map(|mark| if mark.primary { own } else { other }).collect();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(pen.width)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .tab_width(TAB)
        .with_links(false)
        .without_primary_span_start()
        .without_syntax_highlighting();
    let mut drawn = String::new();
    if handler.render_report(&mut drawn, &frame).is_err() {
        drawn = format!("  {}\n", frame.message);
    }
    // Without a message miette leaves its line empty.
    text.push_str(drawn.trim_start_matches('\n'));
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Frame {}

impl Diagnostic for Frame {
    fn severity(&self) -> Option<Severity> {
        Some(match self.level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note => Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.marks.iter().map(|mark| {
            let message = pen::wrap(&mark.message, self.label_width(mark)).join("\n");
            LabeledSpan::new(Some(message).filter(|text| !text.is_empty()), mark.range.start, mark.range.len())
        })))
    }
}

impl SourceCode for Excerpt {
    /// Gives the whole chunk that holds the span, so that each is drawn once.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let chunk = self
            .chunks
            .iter()
            .find(|chunk| chunk.range.start <= start && end <= chunk.range.end && start < chunk.range.end);
        let chunk = chunk.ok_or(MietteError::OutOfBounds)?;
        let data = self.text.get(chunk.range.clone()).unwrap_or("").as_bytes();
        Ok(Box::new(Drawn { chunk, data, span: SourceSpan::from(chunk.range.clone()) }))
    }
}

struct Drawn<'a> {
    chunk: &'a Chunk,
    data: &'a [u8],
    span: SourceSpan,
}

impl<'a> SpanContents<'a> for Drawn<'a> {
    fn data(&self) -> &'a [u8] {
        self.data
    }

    fn span(&self) -> &SourceSpan {
        &self.span
    }

    fn name(&self) -> Option<&str> {
        self.chunk.title.as_deref()
    }

    fn line(&self) -> usize {
        self.chunk.line as usize - 1
    }

    fn column(&self) -> usize {
        0
    }

    fn line_count(&self) -> usize {
        self.chunk.lines as usize
    }
}
