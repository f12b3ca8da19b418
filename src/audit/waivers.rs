//! Waivers: findings that the config hides, and waivers that hide nothing.

use std::borrow::Cow;
use std::sync::Arc;

use time::Date;

use super::hearing::Blocking;
use super::report::Suppressed;
use super::run::{Audit, number_doubles};
use crate::config::{Config, Waiver};
use crate::finding::{Finding, Fingerprint, Label, Level, Subject, SubjectKind};
use crate::rule::Rule;
use crate::rules::Check;
use crate::text::Span;

/// What is left of the findings, and what waivers hide.
pub(super) struct Waived {
    pub(super) findings: Vec<Finding>,
    pub(super) suppressed: Vec<Suppressed>,
}

/// What a run has gone through, beside its findings.
pub(super) struct Ran<'r> {
    /// Gives a rule that ran.
    pub(super) rule: &'r dyn Fn(&str) -> Option<&'static Rule<Check>>,
    /// Every subject that was audited.
    pub(super) subjects: &'r [Arc<Subject>],
    /// Every gap, with the rule that it left without a verdict.
    pub(super) gaps: &'r [Blocking],
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// No finding is one that it speaks of.
    None,
    /// Each finding that it speaks of is hidden, if not by itself then by another.
    Hides,
    /// It is over, and a finding that it hid is there again.
    Back,
}

/// Applies the waivers of the config.
pub(super) fn apply(audit: &Audit<'_>, findings: Vec<Finding>, ran: &Ran<'_>) -> Waived {
    let Some(config) = audit.config.filter(|config| !config.waivers.is_empty()) else {
        return Waived { findings, suppressed: Vec::new() };
    };
    let mut uses = vec![Use::None; config.waivers.len()];
    // For each waiver the first finding in the open that only the statement it names keeps it from hiding.
    let mut elsewhere: Vec<Option<Span>> = vec![None; config.waivers.len()];
    // For each waiver that names a file, how its rule calls what it found in there.
    let mut known_as: Vec<Option<String>> = vec![None; config.waivers.len()];
    let mut waived = Waived { findings: Vec::new(), suppressed: Vec::new() };
    for finding in findings {
        let speaks: Vec<bool> = config.waivers.iter().map(|waiver| covers(waiver, &finding)).collect();
        let speaking = || config.waivers.iter().zip(&speaks).filter(|(_, speaks)| **speaks).map(|(waiver, _)| waiver);
        let holding = speaking().find(|waiver| !waiver.is_expired_on(audit.today));
        let now = if holding.is_some() { Use::Hides } else { Use::Back };
        for (so_far, _) in uses.iter_mut().zip(&speaks).filter(|(_, speaks)| **speaks) {
            *so_far = now.max(*so_far);
        }
        match holding {
            Some(waiver) => waived.suppressed.push(Suppressed {
                finding,
                reason: waiver.reason.value.clone(),
                until: waiver.until.as_ref().map(|day| iso(day.value)),
                span: waiver.span,
            }),
            None => {
                let near = config.waivers.iter().map(|waiver| matches(waiver, &finding));
                for (place, _) in elsewhere.iter_mut().zip(near).filter(|(_, near)| *near) {
                    place.get_or_insert(finding.primary.span);
                }
                for (known_as, waiver) in known_as.iter_mut().zip(&config.waivers) {
                    if waiver.rule.value == finding.rule && names_file_of(audit, waiver, finding.primary.span) {
                        known_as.get_or_insert_with(|| finding.subject.id().to_owned());
                    }
                }
                waived.findings.push(finding);
            }
        }
    }
    let waivers = config.waivers.iter().zip(uses).zip(elsewhere.into_iter().zip(known_as));
    let own = waivers.filter_map(|((waiver, how), (elsewhere, known_as))| {
        about(audit, config, ran, waiver, (how, elsewhere, known_as.as_deref()))
    });
    let mut own: Vec<Finding> = own.collect();
    number_doubles(&mut own);
    waived.findings.extend(own);
    waived
}

/// What is to be said of a waiver itself.
fn about(
    audit: &Audit<'_>,
    config: &Config,
    ran: &Ran<'_>,
    waiver: &Waiver,
    (how, elsewhere, known_as): (Use, Option<Span>, Option<&str>),
) -> Option<Finding> {
    let rule = &waiver.rule.value;
    let (id, span, label, message, help) = match (how, &waiver.until) {
        (Use::Back, Some(until)) => (
            "expired-waiver",
            until.span,
            "the last day",
            format!("the waiver for `{rule}` ended on {} and what it hid is back", iso(until.value)),
            Cow::Borrowed("mend the finding, or review it again and set a new `until`"),
        ),
        (Use::None, _) if elsewhere.is_some() && !is_undecided(ran, waiver) => (
            "unused-waiver",
            waiver.statement.as_ref().map_or(waiver.rule.span, |sid| sid.span),
            "no statement of this name has such a finding",
            format!("the waiver for `{rule}` hides nothing"),
            "correct its `statement`, or leave that out, if it is meant for the other finding; else remove the waiver"
                .into(),
        ),
        (Use::None, _) if let Some(known_as) = known_as => (
            "unused-waiver",
            waiver.subject.span,
            "what this file is about is known by its ARN",
            format!("the waiver for `{rule}` hides nothing"),
            format!(
                "name `{known_as}` as its `subject`, if it is meant for what was found there; else remove the waiver"
            )
            .into(),
        ),
        (Use::None, _) if is_unused(audit, ran, waiver) => (
            "unused-waiver",
            waiver.rule.span,
            "found nothing that this could hide",
            format!("the waiver for `{rule}` hides nothing"),
            "remove it, so that it can not hide a later finding unseen".into(),
        ),
        _ => return None,
    };
    let own = (ran.rule)(id)?;
    let mut finding = finding(audit, config, own, waiver, (span, label), message, &help);
    let elsewhere = elsewhere.filter(|_| how == Use::None);
    finding.related.extend(elsewhere.map(|span| Label::new(span, format!("`{rule}` finds this"))));
    Some(finding)
}

/// Whether the rule came to a verdict on every subject that the waiver speaks of, of which there is one at least, or on
/// all where it names a file of the inputs instead.
fn is_unused(audit: &Audit<'_>, ran: &Ran<'_>, waiver: &Waiver) -> bool {
    // One that tells nothing has no text.
    let files = audit.estate.sources.iter().filter(|(_, source)| !source.text().is_empty());
    let mut files = files.map(|(id, _)| Span::file(id)).filter(|file| file.source != waiver.span.source);
    (ran.rule)(&waiver.rule.value).is_some()
        && (speaks_of_any(ran, waiver) || files.any(|file| names_file_of(audit, waiver, file)))
        && !is_undecided(ran, waiver)
}

/// Whether a gap leaves the rule without a verdict on a subject that the waiver speaks of.
fn is_undecided(ran: &Ran<'_>, waiver: &Waiver) -> bool {
    let mut of_rule = ran.gaps.iter().filter(|own| own.rules.iter().any(|rule| *rule == waiver.rule.value));
    // Of a file nobody can tell which of the gaps are about it.
    let any = !speaks_of_any(ran, waiver);
    of_rule.any(|own| any || waiver.subject.value.matches(own.subject.id()))
}

fn speaks_of_any(ran: &Ran<'_>, waiver: &Waiver) -> bool {
    ran.subjects.iter().any(|subject| waiver.subject.value.matches(subject.id()))
}

/// Whether a waiver names the file of a place.
fn names_file_of(audit: &Audit<'_>, waiver: &Waiver, place: Span) -> bool {
    waiver.subject.value.matches(audit.estate.sources.name(place.source))
}

fn finding(
    audit: &Audit<'_>,
    config: &Config,
    rule: &'static Rule<Check>,
    waiver: &Waiver,
    (span, label): (Span, &str),
    message: String,
    help: &str,
) -> Finding {
    let file = audit.estate.sources.name(span.source).to_owned();
    let declared = config.rules.levels.iter().find(|(name, _)| name.value == rule.id);
    let declared = declared.and_then(|(_, level)| Level::from_name(level.value.as_str()));
    let mut about = vec![waiver.rule.value.clone(), waiver.subject.value.as_str().to_owned()];
    about.extend(waiver.statement.as_ref().map(|sid| sid.value.clone()));
    Finding {
        rule: rule.id,
        level: declared.unwrap_or(rule.card().level),
        message,
        subject: Subject { kind: SubjectKind::Config, arn: None, account: None, name: file.clone(), file: Some(file) },
        primary: Label::new(span, label),
        related: Vec::new(),
        path: Vec::new(),
        witness: None,
        depends_on: Vec::new(),
        help: Some(help.to_owned()),
        sid: None,
        statement: None,
        about,
        fingerprint: Fingerprint::of([]),
    }
}

/// Whether a waiver speaks of a finding.
fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    matches(waiver, finding)
        && waiver.statement.as_ref().is_none_or(|sid| finding.sid.as_deref() == Some(sid.value.as_str()))
}

/// Whether a finding is of the rule and subject of a waiver, in whatever statement.
fn matches(waiver: &Waiver, finding: &Finding) -> bool {
    waiver.rule.value == finding.rule && waiver.subject.value.matches(finding.subject.id())
}

fn iso(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}
