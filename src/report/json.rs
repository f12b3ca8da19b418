//! The JSON report: one object, its keys in a fixed order, written as it is made.
//!
//! Its shape is [`SCHEMA`]. Within `schema_version` keys are only added.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::VERSION;
use super::places::{Place, Places};
use crate::audit::{Report, ReportedGap, Suppressed};
use crate::finding::{Finding, Label, Step, Subject, Witness};
use crate::text::Span;

/// The JSON Schema (draft 2020-12) of the report.
pub const SCHEMA: &str = include_str!("../../docs/report.schema.json");

/// The version of the shape.
pub const SCHEMA_VERSION: &str = "1";

/// Writes a report as JSON, indented.
///
/// # Errors
/// Those of `out`.
pub fn write(mut out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let context = Context { report, places: &Places::of(report) };
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool::new(report.data_version),
        summary: Summary::of(report),
        findings: Each(&report.findings, |finding| context.finding(finding)),
        gaps: Each(&report.gaps, |gap| context.gap(gap)),
        suppressed: Each(&report.suppressed, |suppressed| context.suppressed(suppressed)),
        remarks: report.failures.iter().chain(&report.notes).collect(),
    };
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)
}

/// A subject as reports write it.
pub(super) fn subject_value(subject: &Subject) -> serde_json::Value {
    serde_json::to_value(SubjectJson::from(subject)).unwrap_or_default()
}

/// A witness as reports write it.
pub(super) fn witness_value(witness: &Witness) -> serde_json::Value {
    serde_json::to_value(WitnessJson::from(witness)).unwrap_or_default()
}

/// A list whose items are made one at a time while they are written.
pub(super) struct Each<'l, T, F>(pub(super) &'l [T], pub(super) F);

impl<'l, T, U: Serialize, F: Fn(&'l T) -> U> Serialize for Each<'l, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

/// What writes itself as a string by its `Display`.
fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[derive(Serialize)]
struct Document<'r, F, G, S> {
    schema_version: &'static str,
    tool: Tool,
    summary: Summary,
    findings: F,
    gaps: G,
    suppressed: S,
    remarks: Vec<&'r String>,
}

#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
    data_version: &'static str,
}

impl Tool {
    pub(super) fn new(data_version: &'static str) -> Self {
        Tool { name: "trailproof", version: VERSION, data_version }
    }
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    subjects: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    gaps: usize,
    suppressed: usize,
    set_aside: usize,
}

impl Summary {
    fn of(report: &Report<'_>) -> Self {
        let counts = &report.summary;
        Summary {
            files: counts.files,
            subjects: counts.subjects,
            errors: counts.errors,
            warnings: counts.warnings,
            notes: counts.notes,
            gaps: counts.gaps,
            suppressed: counts.suppressed,
            set_aside: counts.set_aside,
        }
    }
}

#[derive(Serialize)]
struct FindingJson<'r> {
    rule: &'static str,
    level: &'static str,
    security_severity: Option<f64>,
    message: &'r str,
    subject: SubjectJson<'r>,
    location: Option<LocationJson<'r>>,
    related: Vec<RelatedJson<'r>>,
    path: Vec<StepJson<'r>>,
    witness: Option<WitnessJson<'r>>,
    help: Option<&'r str>,
    fix: Option<()>,
    controls: &'static [String],
    #[serde(serialize_with = "as_text")]
    fingerprint: crate::finding::Fingerprint,
    depends_on: &'r [String],
    label: Option<&'r str>,
}

#[derive(Serialize)]
struct SubjectJson<'r> {
    kind: &'static str,
    arn: Option<&'r str>,
    account: Option<&'r str>,
    name: &'r str,
    file: Option<&'r str>,
}

impl<'r> From<&'r Subject> for SubjectJson<'r> {
    fn from(subject: &'r Subject) -> Self {
        SubjectJson {
            kind: subject.kind.name(),
            arn: subject.arn.as_deref(),
            account: subject.account.as_ref().map(|account| account.as_str()),
            name: &subject.name,
            file: subject.file.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LocationJson<'r> {
    file: &'r str,
    pointer: &'r str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

impl<'r> From<&'r Place<'_>> for LocationJson<'r> {
    fn from(place: &'r Place<'_>) -> Self {
        LocationJson {
            file: place.file,
            pointer: &place.pointer,
            line: place.start.line,
            column: place.start.column,
            end_line: place.end.line,
            end_column: place.end.column,
        }
    }
}

#[derive(Serialize)]
struct RelatedJson<'r> {
    message: &'r str,
    location: Option<LocationJson<'r>>,
}

#[derive(Serialize)]
pub(super) struct StepJson<'r> {
    effect: &'static str,
    message: &'r str,
    location: Option<LocationJson<'r>>,
}

#[derive(Serialize)]
pub(super) struct WitnessJson<'r> {
    principal: &'r str,
    action: &'r str,
    resource: &'r str,
    context: BTreeMap<&'r str, Values<'r>>,
    decision: &'static str,
    depends_on: &'r [String],
}

/// The values of a condition key: one as a string, more (or none) as a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Values<'r> {
    One(&'r str),
    Many(&'r [String]),
}

impl<'r> From<&'r Witness> for WitnessJson<'r> {
    fn from(witness: &'r Witness) -> Self {
        let values = |list: &'r [String]| match list {
            [one] => Values::One(one),
            many => Values::Many(many),
        };
        WitnessJson {
            principal: &witness.principal,
            action: &witness.action,
            resource: &witness.resource,
            context: witness.context.iter().map(|(key, list)| (key.as_str(), values(list))).collect(),
            decision: witness.decision.name(),
            depends_on: &witness.depends_on,
        }
    }
}

#[derive(Serialize)]
struct GapJson<'r> {
    subject: SubjectJson<'r>,
    fact: &'r str,
    reason: &'r str,
    blocks: &'r [&'static str],
    locations: Vec<LocationJson<'r>>,
}

#[derive(Serialize)]
struct SuppressedJson<'r> {
    #[serde(flatten)]
    finding: FindingJson<'r>,
    waiver: WaiverJson<'r>,
}

#[derive(Serialize)]
struct WaiverJson<'r> {
    reason: &'r str,
    until: Option<&'r str>,
    location: Option<LocationJson<'r>>,
}

impl Places<'_> {
    /// A place as reports write it.
    pub(super) fn location(&self, span: Span) -> Option<LocationJson<'_>> {
        self.get(span).map(LocationJson::from)
    }

    /// A step as reports write it.
    pub(super) fn step<'r>(&'r self, step: &'r Step) -> StepJson<'r> {
        StepJson {
            effect: step.effect.name(),
            message: &step.message,
            location: step.span.and_then(|span| self.location(span)),
        }
    }
}

struct Context<'r> {
    report: &'r Report<'r>,
    places: &'r Places<'r>,
}

impl<'r> Context<'r> {
    fn location(&self, span: Span) -> Option<LocationJson<'r>> {
        self.places.location(span)
    }

    fn finding(&self, finding: &'r Finding) -> FindingJson<'r> {
        let card = self.report.rule(finding.rule).map(|rule| rule.card());
        FindingJson {
            rule: finding.rule,
            level: finding.level.name(),
            security_severity: card.map(|card| card.security_severity),
            message: &finding.message,
            subject: SubjectJson::from(&finding.subject),
            location: self.location(finding.primary.span),
            related: finding.related.iter().map(|label| self.related(label)).collect(),
            path: finding.path.iter().map(|step| self.step(step)).collect(),
            witness: finding.witness.as_ref().map(WitnessJson::from),
            help: finding.help.as_deref(),
            fix: None,
            controls: card.map_or(&[], |card| &card.controls),
            fingerprint: finding.fingerprint,
            depends_on: &finding.depends_on,
            label: Some(finding.primary.message.as_str()).filter(|label| !label.is_empty()),
        }
    }

    fn related(&self, label: &'r Label) -> RelatedJson<'r> {
        RelatedJson { message: &label.message, location: self.location(label.span) }
    }

    fn step(&self, step: &'r Step) -> StepJson<'r> {
        self.places.step(step)
    }

    fn gap(&self, gap: &'r ReportedGap) -> GapJson<'r> {
        GapJson {
            subject: SubjectJson::from(&*gap.subject),
            fact: &gap.fact,
            reason: &gap.reason,
            blocks: &gap.blocks,
            locations: gap.places.iter().filter_map(|span| self.location(*span)).collect(),
        }
    }

    fn suppressed(&self, suppressed: &'r Suppressed) -> SuppressedJson<'r> {
        SuppressedJson {
            finding: self.finding(&suppressed.finding),
            waiver: WaiverJson {
                reason: &suppressed.reason,
                until: suppressed.until.as_deref(),
                location: self.location(suppressed.span),
            },
        }
    }
}
