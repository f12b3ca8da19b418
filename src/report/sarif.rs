//! SARIF 2.1.0, in the shape that GitHub code scanning accepts.
//!
//! Results are made one at a time while they are written. No absolute path of the machine, no time and no text of the
//! input beyond messages gets into the report.

mod limit;
mod place;
mod words;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use serde_sarif::sarif;

use super::json::{subject_value, witness_value};
use super::{VERSION, visible};
use crate::audit::{Report, ReportedGap, RuleFacts, Suppressed};
use crate::finding::{Finding, Level, Subject};
use crate::rule::{Card, Status};
use crate::text::Span;
use limit::{Entry, Limits, kept};
use place::SOURCE_ROOT;

/// The address of the schema.
pub const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The key of our fingerprint in `partialFingerprints`.
pub const FINGERPRINT: &str = "trailproof/v1";

/// Tags that GitHub accepts for one rule.
const MAX_TAGS: usize = 20;

/// Related places and steps that are written for one result.
const MAX_PLACES: usize = 100;

/// Writes a report as SARIF, indented; of more than 25,000 results (10 MB compressed) the worst, and a notification
/// says how many were left out.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let run = Run { report };
    let limits = Limits::of(report, |out, entries, notifications| run.write(out, entries, notifications))?;
    run.write(out, &kept(report, limits.results), limits.notifications)
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: sarif::Version,
    runs: [Streamed<'a>; 1],
}

/// A run whose results are made while they are written.
#[derive(Serialize)]
struct Streamed<'a> {
    #[serde(flatten)]
    head: &'a sarif::Run,
    results: Results<'a>,
}

struct Results<'a> {
    run: &'a Run<'a>,
    entries: &'a [Entry<'a>],
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries.iter().map(|entry| self.run.result(*entry)))
    }
}

/// The conditions that notifications are about: ID, in short, and in full.
const NOTIFICATIONS: [(&str, &str, &str); 4] = [
    (
        "unknown-fact",
        "A fact was not known, and rules have no verdict because of it.",
        "What was not collected can not be judged: the named rules neither passed nor failed for this subject. Give the \
         missing document or answer to the next run, or use --strict to make gaps fail.",
    ),
    (
        "left-out",
        "The report was larger than code scanning accepts.",
        "Code scanning accepts 25,000 results and 10 MB compressed. The worst results were kept; the JSON report has all.",
    ),
    (
        "run-failure",
        "Something that was asked for could not be done.",
        "An input that can not be read or a config with mistakes: what it would have told is missing from the result.",
    ),
    (
        "run-remark",
        "How the result came about.",
        "The config that was used, what was inferred, what was taken from names, and what was skipped.",
    ),
];

struct Run<'r> {
    report: &'r Report<'r>,
}

impl Run<'_> {
    /// Writes the log with these results, and says how many are left out.
    fn write(&self, mut out: &mut dyn Write, entries: &[Entry<'_>], notifications: usize) -> io::Result<()> {
        let left_out = self.report.findings.len() + self.report.suppressed.len() - entries.len();
        let log = Log {
            schema: SCHEMA,
            version: sarif::Version::V2_1_0,
            runs: [Streamed { head: &self.head(left_out, notifications), results: Results { run: self, entries } }],
        };
        serde_json::to_writer_pretty(&mut out, &log)?;
        writeln!(out)
    }

    /// Everything but the results.
    fn head(&self, left_out: usize, notifications: usize) -> sarif::Run {
        let root = sarif::ArtifactLocation::builder()
            .description("The directory in which trailproof ran; of a repository its root.")
            .build();
        sarif::Run::builder()
            .tool(self.tool())
            .automation_details(sarif::RunAutomationDetails::builder().id("trailproof/check/").build())
            .language("en-US")
            .column_kind("unicodeCodePoints")
            .original_uri_base_ids(BTreeMap::from([(SOURCE_ROOT.to_owned(), root)]))
            .invocations(vec![
                sarif::Invocation::builder()
                    .execution_successful(self.report.failures.is_empty())
                    .tool_execution_notifications(self.notifications(left_out, notifications))
                    .build(),
            ])
            .build()
    }

    fn tool(&self) -> sarif::ToolComponent {
        let notifications = NOTIFICATIONS.map(|(id, short, full)| {
            sarif::ReportingDescriptor::builder()
                .id(id)
                .name(words::pascal_case(id))
                .short_description(&short.to_owned())
                .full_description(&full.to_owned())
                .help(&full.to_owned())
                .build()
        });
        sarif::ToolComponent::builder()
            .name("trailproof")
            .version(VERSION)
            .semantic_version(VERSION)
            .information_uri(information_uri())
            .short_description(&env!("CARGO_PKG_DESCRIPTION").to_owned())
            .rules(self.report.rules.iter().map(descriptor).collect::<Vec<_>>())
            .notifications(notifications.to_vec())
            .properties(bag(None, [("dataVersion", json!(self.report.data_version))]))
            .build()
    }

    fn notifications(&self, left_out: usize, most: usize) -> Vec<sarif::Notification> {
        let report = self.report;
        let mut notifications = Vec::new();
        if left_out > 0 {
            let text =
                format!("{left_out} results were left out, because code scanning accepts no more; the worst are here");
            notifications.push(notification("left-out", Level::Warning, text));
        }
        let failures = report.failures.iter();
        notifications
            .extend(failures.map(|text| notification("run-failure", Level::Error, words::plain(text).into_owned())));
        let gaps = report.gaps.iter().map(|gap| self.gap(gap));
        let remarks =
            report.notes.iter().map(|note| notification("run-remark", Level::Note, words::plain(note).into_owned()));
        notifications.extend(gaps.chain(remarks).take(most));
        let rest = (report.gaps.len() + report.notes.len()).saturating_sub(most);
        if rest > 0 {
            let text = format!("{rest} more notifications were left out");
            notifications.push(notification("left-out", Level::Warning, text));
        }
        notifications
    }

    /// A gap weighs as much as what it leaves undecided, but the run itself did not fail.
    fn gap(&self, gap: &ReportedGap) -> sarif::Notification {
        let level = gap.blocks.iter().filter_map(|id| self.report.rule(id)).map(RuleFacts::level).max();
        let level = level.unwrap_or(Level::Note).min(Level::Warning);
        let properties = [
            ("fact", json!(gap.fact)),
            ("reason", json!(gap.reason)),
            ("blocks", json!(gap.blocks)),
            ("subject", subject_value(&gap.subject)),
        ];
        let mut notification = notification("unknown-fact", level, words::gap(gap));
        let places = gap.places.iter().take(MAX_PLACES).filter_map(|span| self.physical(*span));
        let places: Vec<_> = places.map(|place| sarif::Location::builder().physical_location(place).build()).collect();
        notification.locations = Some(places).filter(|places| !places.is_empty());
        notification.properties = Some(bag(None, properties));
        if let [rule] = gap.blocks.as_slice() {
            let mut reference = sarif::ReportingDescriptorReference::builder().id(*rule).build();
            reference.index = self.rule_index(rule);
            notification.associated_rule = Some(reference);
        }
        notification
    }

    fn rule_index(&self, id: &str) -> Option<i64> {
        self.report.rules.binary_search_by(|rule| rule.id.cmp(id)).ok().map(|index| index as i64)
    }

    fn result(&self, entry: Entry<'_>) -> sarif::Result {
        let finding = entry.finding;
        let logical = vec![logical(&finding.subject)];
        let mut primary = sarif::Location::builder().logical_locations(logical).build();
        primary.physical_location = self.physical(finding.primary.span);
        primary.message = Some(finding.primary.message.as_str()).filter(|text| !text.is_empty()).map(text_message);
        let mut result = sarif::Result::builder()
            .rule_id(finding.rule)
            .kind(sarif::ResultKind::Fail)
            .level(result_level(finding.level))
            .message(sarif::Message::builder().text(words::message(finding)).build())
            .locations(vec![primary])
            .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), finding.fingerprint.to_string())]))
            .properties(self.properties(finding))
            .build();
        result.rule_index = self.rule_index(finding.rule);
        let related = finding.related.iter().zip(1..).take(MAX_PLACES);
        let related: Vec<_> =
            related.filter_map(|(label, id)| Some((self.location(label.span, &label.message)?, id))).collect();
        if !related.is_empty() {
            let numbered = |(location, id)| sarif::Location { id: Some(id), ..location };
            result.related_locations = Some(related.into_iter().map(numbered).collect());
        }
        result.code_flows = self.code_flow(finding).map(|flow| vec![flow]);
        result.suppressions = entry.waiver.map(|waiver| vec![self.suppression(waiver)]);
        result
    }

    /// The steps of the path that have a place.
    fn code_flow(&self, finding: &Finding) -> Option<sarif::CodeFlow> {
        let steps = finding.path.iter().take(MAX_PLACES).filter_map(|step| {
            let location = self.location(step.span?, &format!("{}: {}", step.effect.name(), step.message))?;
            Some(sarif::ThreadFlowLocation::builder().location(location).build())
        });
        let steps: Vec<_> = steps.collect();
        if steps.is_empty() {
            return None;
        }
        let flow = sarif::ThreadFlow::builder().locations(steps).build();
        Some(sarif::CodeFlow::builder().thread_flows(vec![flow]).build())
    }

    fn suppression(&self, waiver: &Suppressed) -> sarif::Suppression {
        let mut suppression = sarif::Suppression::builder()
            .kind("external")
            .status("accepted")
            .justification(visible(&waiver.reason).into_owned())
            .build();
        suppression.location =
            self.physical(waiver.span).map(|place| sarif::Location::builder().physical_location(place).build());
        suppression.properties = waiver.until.as_ref().map(|until| bag(None, [("until", json!(until))]));
        suppression
    }

    fn properties(&self, finding: &Finding) -> sarif::PropertyBag {
        let controls = self.report.rule(finding.rule).map_or(&[][..], |rule| &rule.card().controls);
        let mut properties = vec![("subject", subject_value(&finding.subject))];
        if !controls.is_empty() {
            properties.push(("controls", json!(controls)));
        }
        if let Some(witness) = &finding.witness {
            properties.push(("witness", witness_value(witness)));
        }
        if !finding.depends_on.is_empty() {
            properties.push(("depends_on", json!(finding.depends_on)));
        }
        bag(None, properties)
    }

    fn location(&self, span: Span, message: &str) -> Option<sarif::Location> {
        let mut location = sarif::Location::builder().physical_location(self.physical(span)?).build();
        location.message = Some(message).filter(|text| !text.is_empty()).map(text_message);
        Some(location)
    }

    fn physical(&self, span: Span) -> Option<sarif::PhysicalLocation> {
        let source = self.report.sources.source(span.source)?;
        let (start, end) = place::region(source, span);
        let region = sarif::Region::builder()
            .start_line(i64::from(start.line))
            .start_column(i64::from(start.column))
            .end_line(i64::from(end.line))
            .end_column(i64::from(end.column))
            .build();
        let (uri, relative) = place::uri(source.name());
        let mut artifact = sarif::ArtifactLocation::builder().uri(uri).build();
        artifact.uri_base_id = relative.then(|| SOURCE_ROOT.to_owned());
        Some(sarif::PhysicalLocation::builder().artifact_location(artifact).region(region).build())
    }
}

/// Where the tool is explained: its home page, else its repository, else its page in the package registry.
fn information_uri() -> &'static str {
    [env!("CARGO_PKG_HOMEPAGE"), env!("CARGO_PKG_REPOSITORY")]
        .into_iter()
        .find(|address| !address.is_empty())
        .unwrap_or("https://crates.io/crates/trailproof")
}

fn descriptor(rule: &RuleFacts) -> sarif::ReportingDescriptor {
    let card = rule.card();
    let (text, markdown) = words::help(card);
    let properties = [
        ("precision", json!(if card.status == Status::Stable { "high" } else { "medium" })),
        ("problem.severity", json!(problem_severity(rule.level()))),
        ("security-severity", json!(format!("{:.1}", card.security_severity))),
    ];
    let mut descriptor = sarif::ReportingDescriptor::builder()
        .id(rule.id)
        .name(words::pascal_case(rule.id))
        .short_description(&card.summary)
        .full_description(&words::description(card))
        .help(sarif::MultiformatMessageString::builder().text(text).markdown(markdown).build())
        .default_configuration(sarif::ReportingConfiguration::builder().level(rule.level().name()).build())
        .properties(bag(Some(tags(rule.group, card)), properties))
        .build();
    descriptor.help_uri = card.references.iter().find(|address| address.starts_with("https://")).cloned();
    descriptor
}

/// `security`, the group, and the controls without their confidence.
fn tags(group: &str, card: &Card) -> Vec<String> {
    let mut tags: Vec<String> = ["security", "aws", "cloudtrail", group].map(str::to_owned).into();
    for control in &card.controls {
        let id = control.rsplit_once(' ').map_or(control.as_str(), |(id, _)| id).to_owned();
        if tags.len() < MAX_TAGS && !tags.contains(&id) {
            tags.push(id);
        }
    }
    tags
}

/// The words that GitHub knows for `problem.severity`.
fn problem_severity(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "recommendation",
    }
}

fn result_level(level: Level) -> sarif::ResultLevel {
    match level {
        Level::Error => sarif::ResultLevel::Error,
        Level::Warning => sarif::ResultLevel::Warning,
        Level::Note => sarif::ResultLevel::Note,
    }
}

fn logical(subject: &Subject) -> sarif::LogicalLocation {
    sarif::LogicalLocation::builder()
        .name(subject.name.as_str())
        .fully_qualified_name(subject.id())
        .kind("resource")
        .build()
}

fn text_message(text: &str) -> sarif::Message {
    sarif::Message::builder().text(words::plain(text).into_owned()).build()
}

fn bag<'k>(tags: Option<Vec<String>>, values: impl IntoIterator<Item = (&'k str, Value)>) -> sarif::PropertyBag {
    let values = values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>();
    let mut bag = sarif::PropertyBag::builder().additional_properties(values).build();
    bag.tags = tags;
    bag
}

fn notification(id: &str, level: Level, text: String) -> sarif::Notification {
    let index = NOTIFICATIONS.iter().position(|(known, ..)| *known == id).map(|index| index as i64);
    let mut descriptor = sarif::ReportingDescriptorReference::builder().id(id).build();
    descriptor.index = index;
    sarif::Notification::builder()
        .descriptor(descriptor)
        .level(level.name())
        .message(sarif::Message::builder().text(text).build())
        .build()
}
