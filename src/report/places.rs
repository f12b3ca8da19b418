//! Places as people and programs name them: file, line, column, JSON pointer.

use crate::audit::Report;
use crate::finding::Finding;
use crate::syntax::pointer;
use crate::text::{Position, SourceMap, Span};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'r> {
    /// The file, `-` for standard input.
    pub(super) file: &'r str,
    /// The first character.
    pub(super) start: Position,
    /// Behind the last character.
    pub(super) end: Position,
    /// The JSON pointer; empty for the whole document and for what is no JSON.
    pub(super) pointer: String,
}

impl<'r> Place<'r> {
    /// The place of a span, without its pointer; `None` where its source is not in the map.
    pub(super) fn of(sources: &'r SourceMap, span: Span) -> Option<Self> {
        let source = sources.source(span.source)?;
        let (start, end) = (source.position(span.start), source.position(span.end));
        Some(Place { file: source.name(), start, end, pointer: String::new() })
    }
}

/// All places of a report with their pointers, found in one pass over each file.
#[derive(Debug)]
pub(super) struct Places<'r> {
    /// Sorted by span.
    places: Vec<(Span, Place<'r>)>,
}

impl<'r> Places<'r> {
    /// Finds the places of everything in `report`.
    pub(super) fn of(report: &Report<'r>) -> Self {
        let mut spans = Vec::new();
        report.findings.iter().for_each(|finding| collect(finding, &mut spans));
        for suppressed in &report.suppressed {
            collect(&suppressed.finding, &mut spans);
            spans.push(suppressed.span);
        }
        spans.extend(report.gaps.iter().flat_map(|gap| &gap.places));
        Places::of_spans(report.sources, spans)
    }

    /// Finds the places of `spans`.
    pub(super) fn of_spans(sources: &'r SourceMap, mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        spans.dedup();
        let mut places = Vec::with_capacity(spans.len());
        for spans in spans.chunk_by(|a, b| a.source == b.source) {
            let Some(source) = spans.first().and_then(|span| sources.source(span.source)) else { continue };
            for (span, pointer) in spans.iter().zip(pointer::pointers(source.text(), spans)) {
                places.extend(Place::of(sources, *span).map(|place| (*span, Place { pointer, ..place })));
            }
        }
        Places { places }
    }

    /// The place of a span of the report.
    pub(super) fn get(&self, span: Span) -> Option<&Place<'r>> {
        let index = self.places.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.places.get(index).map(|(_, place)| place)
    }
}

fn collect(finding: &Finding, spans: &mut Vec<Span>) {
    spans.push(finding.primary.span);
    spans.extend(finding.related.iter().map(|label| label.span));
    spans.extend(finding.path.iter().filter_map(|step| step.span));
}
