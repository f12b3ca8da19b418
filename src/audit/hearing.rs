//! One subject before all rules: what their checks say of it, as findings and gaps.

use std::sync::Arc;

use super::run::Runner;
use crate::estate::{Document, Gap};
use crate::finding::{Draft, Finding, Fingerprint, Subject, SubjectKind};
use crate::policy::{Policy, PolicyKind};
use crate::rule::context::{DocumentView, IdentityView};
use crate::rule::{Outcome, Rule, Verdict};
use crate::rules::Check;

/// What one subject gave.
#[derive(Default)]
pub(super) struct Part {
    pub(super) findings: Vec<Finding>,
    pub(super) gaps: Vec<Blocking>,
    pub(super) subjects: Vec<Arc<Subject>>,
    pub(super) set_aside: Vec<Arc<Subject>>,
}

/// A gap of a subject and the rules that it keeps from a verdict.
pub(super) struct Blocking {
    pub(super) subject: Arc<Subject>,
    pub(super) gap: Gap,
    /// None where no rule can be blamed for asking.
    pub(super) rules: Vec<&'static str>,
}

impl Blocking {
    /// What tells the gaps of one subject apart.
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.gap.fact, &self.gap.reason)
    }
}

/// The outcomes of one subject's checks.
pub(super) struct Hearing<'r, 'a> {
    runner: &'r Runner<'a>,
    subject: Arc<Subject>,
    pub(super) part: Part,
    applies: Vec<&'static str>,
}

impl<'r, 'a> Hearing<'r, 'a> {
    /// Opens it.
    pub(super) fn new(runner: &'r Runner<'a>, subject: Arc<Subject>) -> Self {
        let applies = Vec::with_capacity(runner.rules.len());
        Hearing { runner, subject, part: Part::default(), applies }
    }

    pub(super) fn identity(&mut self, view: &IdentityView<'_>) {
        for rule in &self.runner.rules {
            if let Some(check) = rule.check.identity {
                self.record(rule, check(&self.runner.context, view));
            }
        }
        for one in &view.inline {
            self.document(one.document, &one.policy, one.name);
        }
    }

    /// The policy of a bucket or key; one that could not be read leaves the rules on documents that need it without a
    /// verdict.
    pub(super) fn attached(&mut self, document: Option<&Document>, policy: &Result<Option<Arc<Policy>>, Gap>) {
        match (document, policy) {
            (Some(document), Ok(Some(policy))) => self.document(document, policy, None),
            (_, Err(gap)) if is_told(gap) && !gap.is_contradiction() => {
                let needs = |rule: &&&'static Rule<Check>| {
                    rule.check.document.is_some() && rule.card().needs.iter().any(|fact| *fact == gap.fact)
                };
                for rule in self.runner.rules.iter().filter(needs) {
                    self.record(rule, Err(gap.clone()));
                }
            }
            _ => {}
        }
    }

    pub(super) fn document(&mut self, document: &Document, policy: &Policy, name: Option<&str>) {
        let subject = Arc::clone(&self.subject);
        let view = DocumentView { document, subject: &subject, policy, name };
        for rule in &self.runner.rules {
            if let Some(check) = rule.check.document {
                self.record(rule, check(&self.runner.context, &view));
            }
        }
        // A role says so itself, by the name of the fact.
        let is_told =
            matches!(policy.kind, PolicyKind::Trust | PolicyKind::Identity) && self.subject.kind == SubjectKind::Role;
        if let Some(problem) = policy.unreadable().filter(|_| !is_told) {
            let reason = format!("the {} can not be evaluated: {}", policy.kind.title(), problem.kind);
            let gap = Gap::new(fact_of(policy.kind), reason).at([problem.span]);
            self.block(gap, None);
        }
        for problem in policy.problems.iter().filter(|problem| problem.is_refused() && problem.statement.is_some()) {
            let number = problem.statement.unwrap_or(0) + 1;
            let what = policy.kind.title();
            let reason = format!("statement {number} of the {what} can not be evaluated: {}", problem.kind);
            let gap = Gap::new(fact_of(policy.kind), reason).at([problem.span]);
            self.block(gap, None);
        }
    }

    pub(super) fn record(&mut self, rule: &'static Rule<Check>, outcome: Outcome) {
        if matches!(outcome, Ok(Verdict::NotApplicable)) {
            return;
        }
        self.applies.push(rule.id);
        match outcome {
            Ok(Verdict::NotApplicable | Verdict::Pass) => {}
            Ok(Verdict::Fail(drafts, gaps)) => {
                for draft in drafts {
                    let finding = self.finding(rule, draft);
                    self.part.findings.push(finding);
                }
                for gap in gaps {
                    self.block(gap, Some(rule.id));
                }
            }
            Err(gap) => self.block(gap, Some(rule.id)),
        }
    }

    /// Notes a gap; what many rules of the subject miss is one gap of them all.
    fn block(&mut self, gap: Gap, rule: Option<&'static str>) {
        // A subject has few gaps, and those that are told apart here are joined in the report.
        const NEAR: usize = 8;
        let is_same = |known: &&mut Blocking| {
            known.gap.fact == gap.fact && known.gap.reason == gap.reason && known.rules.is_empty() == rule.is_none()
        };
        match self.part.gaps.iter_mut().rev().take(NEAR).find(is_same) {
            Some(known) => known.rules.extend(rule),
            None => {
                // What one rule misses, most rules on the same fact do.
                let mut rules = Vec::with_capacity(self.runner.rules.len().min(NEAR));
                rules.extend(rule);
                if self.part.gaps.is_empty() {
                    // Most subjects that lack something lack one fact or two.
                    self.part.gaps.reserve_exact(2);
                }
                self.part.gaps.push(Blocking { subject: Arc::clone(&self.subject), gap, rules });
            }
        }
    }

    fn finding(&self, rule: &'static Rule<Check>, draft: Draft) -> Finding {
        let level = self.runner.levels.get(rule.id).copied();
        Finding {
            rule: rule.id,
            level: level.or(draft.level).unwrap_or_else(|| rule.card().level),
            message: draft.message,
            subject: draft.subject.unwrap_or_else(|| Subject::clone(&self.subject)),
            primary: draft.primary,
            related: draft.related,
            path: draft.path,
            witness: draft.witness,
            depends_on: draft.depends_on,
            help: draft.help,
            sid: draft.sid,
            statement: draft.statement,
            about: draft.about,
            fingerprint: Fingerprint::of([]),
        }
    }

    pub(super) fn close(mut self) -> Part {
        if self.applies.is_empty() {
            self.part.set_aside.push(self.subject.clone());
        }
        // What no rule can be blamed for keeps every rule from a full verdict that asks what the subject's policies do.
        let mut applies = std::mem::take(&mut self.applies);
        let asks = |id: &str| self.runner.rules.iter().any(|rule| rule.id == id && rule.asks_what_policies_do());
        // Where none does, nobody knows which would have: the gap is told all the same.
        if applies.iter().any(|id| asks(id)) {
            applies.retain(|id| asks(id));
        }
        for blocking in self.part.gaps.iter_mut().filter(|blocking| blocking.rules.is_empty()) {
            blocking.rules.clone_from(&applies);
        }
        self.part.gaps.retain(|blocking| !blocking.rules.is_empty());
        // Subjects come in order, so that all gaps together are then nearly sorted.
        self.part.gaps.sort_by(|one, other| one.key().cmp(&other.key()));
        self.part.subjects.push(self.subject);
        self.part
    }
}

/// Whether an input says that a fact could not be had, and not only none tells it.
pub(super) fn is_told(gap: &Gap) -> bool {
    !gap.places.is_empty()
}

fn fact_of(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Trust => "role.trust-policy",
        PolicyKind::Bucket => "bucket.policy",
        PolicyKind::Key => "key.policy",
        PolicyKind::Scp | PolicyKind::Rcp => "organization.policies",
        PolicyKind::Boundary => "role.permissions-boundary",
        _ => "policy.statement",
    }
}
