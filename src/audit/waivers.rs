//! Waivers: findings that the config hides, and waivers that hide nothing.

use time::Date;

use super::report::Suppressed;
use super::run::Audit;
use crate::config::Waiver;
use crate::finding::{Finding, Fingerprint, Label, Subject, SubjectKind};
use crate::rule::Rule;
use crate::rules::Check;

/// What is left of the findings, and what waivers hide.
pub(super) struct Waived {
    pub(super) findings: Vec<Finding>,
    pub(super) suppressed: Vec<Suppressed>,
}

/// Applies the waivers of the config; `rule` gives a rule that ran, `subjects` are all that were audited.
pub(super) fn apply(
    audit: &Audit<'_>,
    rule: &dyn Fn(&str) -> Option<&'static Rule<Check>>,
    findings: Vec<Finding>,
    subjects: &[Subject],
) -> Waived {
    let Some(config) = audit.config.filter(|config| !config.waivers.is_empty()) else {
        return Waived { findings, suppressed: Vec::new() };
    };
    let mut used = vec![0usize; config.waivers.len()];
    let mut waived = Waived { findings: Vec::new(), suppressed: Vec::new() };
    for finding in findings {
        let hit = config.waivers.iter().zip(&mut used).filter(|(waiver, _)| covers(waiver, &finding)).fold(
            None::<&Waiver>,
            |found, (waiver, used)| {
                *used += 1;
                // One that still holds beats one that is over.
                found.filter(|f| !f.is_expired_on(audit.today)).or(Some(waiver))
            },
        );
        match hit {
            Some(waiver) if !waiver.is_expired_on(audit.today) => waived.suppressed.push(Suppressed {
                finding,
                reason: waiver.reason.value.clone(),
                until: waiver.until.as_ref().map(|day| iso(day.value)),
                span: waiver.span,
            }),
            _ => waived.findings.push(finding),
        }
    }
    for (waiver, used) in config.waivers.iter().zip(used) {
        let expired = waiver.is_expired_on(audit.today);
        let subject = &waiver.subject.value;
        let matched = |id: &str| subject.matches(id);
        let audited = || subjects.iter().any(|subject| matched(subject.id()));
        let (id, message, help) = if used > 0 && expired {
            let day = waiver.until.as_ref().map(|day| iso(day.value)).unwrap_or_default();
            (
                "expired-waiver",
                format!("the waiver for `{}` ended on {day} and what it hid is back", waiver.rule.value),
                "mend the finding, or review it again and set a new `until`",
            )
        } else if used == 0 && rule(&waiver.rule.value).is_some() && audited() {
            (
                "unused-waiver",
                format!("the waiver for `{}` hides nothing: the rule found nothing on its subject", waiver.rule.value),
                "remove it, so that it can not hide a later finding unseen",
            )
        } else {
            continue;
        };
        let Some(own) = rule(id) else { continue };
        let file = audit.estate.sources.name(waiver.span.source).to_owned();
        let level = config
            .rules
            .levels
            .iter()
            .find(|(name, _)| name.value == id)
            .and_then(|(_, level)| crate::finding::Level::from_name(level.value.as_str()));
        let mut about = vec![waiver.rule.value.clone(), subject.as_str().to_owned()];
        about.extend(waiver.statement.as_ref().map(|sid| sid.value.clone()));
        let parts = [own.id, file.as_str(), ""];
        let fingerprint = Fingerprint::of(parts.into_iter().chain(about.iter().map(String::as_str)).chain([""]));
        waived.findings.push(Finding {
            rule: own.id,
            level: level.unwrap_or(own.card().level),
            message,
            subject: Subject {
                kind: SubjectKind::Config,
                arn: None,
                account: None,
                name: file.clone(),
                file: Some(file),
            },
            primary: Label::new(waiver.rule.span, ""),
            related: Vec::new(),
            path: Vec::new(),
            witness: None,
            depends_on: Vec::new(),
            help: Some(help.to_owned()),
            sid: None,
            statement: None,
            about,
            fingerprint,
        });
    }
    waived
}

/// Whether a waiver speaks of a finding.
fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    waiver.rule.value == finding.rule
        && waiver.subject.value.matches(finding.subject.id())
        && waiver.statement.as_ref().is_none_or(|sid| finding.sid.as_deref() == Some(sid.value.as_str()))
}

fn iso(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}
