//! The result of an audit: all that a report format needs, and nothing that it would have to compute.

use std::borrow::Cow;
use std::sync::Arc;

use crate::finding::{Finding, Level, Subject};
use crate::rule::{Card, Explained};
use crate::text::{SourceMap, Span};

/// What an audit found.
#[derive(Debug)]
pub struct Report<'a> {
    /// The texts that places point into.
    pub sources: &'a SourceMap,
    /// The date of the service data the verdicts rest on, `YYYY-MM`.
    pub data_version: &'static str,
    /// The rules that ran, in order of ID.
    pub rules: Vec<RuleFacts>,
    /// The findings, in order of file, line, column, rule, fingerprint.
    pub findings: Vec<Finding>,
    /// What was not known and left rules without a verdict.
    pub gaps: Vec<ReportedGap>,
    /// Findings that a waiver hides.
    pub suppressed: Vec<Suppressed>,
    /// The counts.
    pub summary: Summary,
    /// The subjects that no selected rule applies to.
    pub set_aside: Vec<Arc<Subject>>,
    /// What people should know of how the result came about, one sentence each: the config used, what was inferred,
    /// what was taken from names, what was skipped.
    pub notes: Vec<String>,
    /// What was asked for and could not be done, one sentence each: inputs that can not be read, a config with mistakes.
    pub failures: Vec<String>,
}

impl Report<'_> {
    /// Brings the findings into their order.
    pub(super) fn sort(&mut self) {
        let sources = self.sources;
        let order = |finding: &Finding| {
            let span = finding.primary.span;
            (sources.name(span.source), span, finding.rule, finding.fingerprint)
        };
        self.findings.sort_by(|one, other| order(one).cmp(&order(other)));
    }
}

/// A rule that ran.
#[derive(Debug, Clone, Copy)]
pub struct RuleFacts {
    /// Its ID.
    pub id: &'static str,
    /// Its group.
    pub group: &'static str,
    /// What explains it.
    pub explained: &'static dyn Explained,
    /// The level that the config sets.
    pub declared: Option<Level>,
}

impl RuleFacts {
    /// Its card.
    pub fn card(&self) -> &'static Card {
        self.explained.card()
    }

    /// The level it starts at in this run.
    pub fn level(&self) -> Level {
        self.declared.unwrap_or(self.card().level)
    }
}

/// A fact that was not known, and what it left undecided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedGap {
    /// What it is about.
    pub subject: Arc<Subject>,
    /// The fact, `kind.name`.
    pub fact: Cow<'static, str>,
    /// Why it is not known.
    pub reason: Cow<'static, str>,
    /// The rules that have no verdict because of it, in order.
    pub blocks: Vec<&'static str>,
    /// Where this can be seen.
    pub places: Vec<Span>,
}

/// A finding that a waiver hides.
#[derive(Debug)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The waiver's reason.
    pub reason: String,
    /// The waiver's last day, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// The waiver in the config.
    pub span: Span,
}

/// The counts of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that held something to audit.
    pub files: usize,
    /// Subjects that were audited.
    pub subjects: usize,
    /// Subjects that were set aside because no rule applies to them.
    pub set_aside: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level note.
    pub notes: usize,
    /// Gaps.
    pub gaps: usize,
    /// Suppressed findings.
    pub suppressed: usize,
}

impl Report<'_> {
    /// The worst level among the findings.
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }

    /// The facts of a rule that ran.
    pub fn rule(&self, id: &str) -> Option<&RuleFacts> {
        self.rules.binary_search_by(|rule| rule.id.cmp(id)).ok().and_then(|index| self.rules.get(index))
    }
}
