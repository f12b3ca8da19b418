//! Reports made by hand, for tests and benches.

#![allow(dead_code, reason = "the benches use a part of it")]

use std::collections::BTreeMap;

use trailproof::audit::{Report, ReportedGap, RuleFacts, Summary, Suppressed};
use trailproof::aws::AccountId;
use trailproof::finding::{
    Decision, Finding, Fingerprint, Label, Level, Step, StepEffect, Subject, SubjectKind, Witness,
};
use trailproof::rule::Card;
use trailproof::text::{Source, SourceId, SourceMap, Span};

/// The card of a rule that exists in these reports only.
fn card(summary: &str, level: &str, severity: &str) -> &'static Card {
    let text = format!(
        "+++\nsummary = \"{summary}\"\nlevel = \"{level}\"\nsecurity-severity = {severity}\nstatus = \"stable\"\n\
         controls = [\"NIST-800-53-r5:AC-3 A\", \"PCI-DSS-4.0.1:7.2.1 J\"]\n\
         references = [\"https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html\"]\n\
         +++\n\n## What it detects\n\nA sentence about it. {}\n\n## Why it matters\n\nBecause.\n\n## Remediation\n\n\
         Mend it:\n\n```json\n{{}}\n```\n\n## Limits\n\nNone.\n",
        "More and more words. ".repeat(70)
    );
    Box::leak(Box::new(Card::parse(&text).expect("the card parses")))
}

/// The rules of these reports, in order of ID.
pub(crate) fn rules() -> Vec<RuleFacts> {
    let rule = |id, group, summary: &str, level: Level, severity| RuleFacts {
        id,
        group,
        explained: card(summary, level.name(), severity),
        declared: None,
    };
    vec![
        rule("invalid-json", "validity", "a file that is not JSON", Level::Error, "5.0"),
        rule(
            "missing-external-id",
            "trust",
            "a third party assumes a role without an external ID",
            Level::Error,
            "8.1",
        ),
        rule("missing-mfa", "trust", "a role for people can be assumed without MFA", Level::Note, "3.0"),
        rule("unused-waiver", "config", "a waiver that hides nothing", Level::Warning, "0.0"),
        rule("writer-owned-objects", "ownership", "objects belong to their writer", Level::Warning, "6.5"),
    ]
}

/// The place of the first `needle` in a source.
pub(crate) fn span(sources: &SourceMap, file: SourceId, needle: &str) -> Span {
    let start = sources.source(file).and_then(|s| s.text().find(needle)).expect("the text is there") as u32;
    Span::new(file, start, start + needle.len() as u32)
}

/// A role of account 111111111111.
pub(crate) fn role(name: &str) -> Subject {
    Subject {
        kind: SubjectKind::Role,
        arn: Some(format!("arn:aws:iam::111111111111:role/{name}")),
        file: None,
        account: AccountId::parse("111111111111"),
        name: name.to_owned(),
    }
}

/// A finding with nothing but its place.
pub(crate) fn finding(rule: &'static str, level: Level, span: Span, message: &str) -> Finding {
    Finding {
        rule,
        level,
        message: message.to_owned(),
        subject: role("log-analyzer"),
        primary: Label::new(span, ""),
        related: Vec::new(),
        path: Vec::new(),
        witness: None,
        depends_on: Vec::new(),
        help: None,
        sid: None,
        statement: None,
        about: Vec::new(),
        fingerprint: Fingerprint::of([rule, message, &format!("{span:?}")]),
    }
}

/// A report on `findings`, with its counts.
pub(crate) fn report(sources: &SourceMap, findings: Vec<Finding>) -> Report<'_> {
    let mut summary = Summary { files: sources.len(), subjects: 2, ..Summary::default() };
    for finding in &findings {
        *match finding.level {
            Level::Error => &mut summary.errors,
            Level::Warning => &mut summary.warnings,
            Level::Note => &mut summary.notes,
        } += 1;
    }
    Report {
        sources,
        data_version: "2026-11",
        rules: rules(),
        findings,
        gaps: Vec::new(),
        suppressed: Vec::new(),
        summary,
        set_aside: Vec::new(),
        notes: Vec::new(),
        failures: Vec::new(),
    }
}

/// Adds a gap and counts it.
pub(crate) fn add_gap(
    report: &mut Report<'_>,
    subject: Subject,
    fact: &str,
    blocks: &[&'static str],
    places: Vec<Span>,
) {
    let reason = "not among the inputs".to_owned();
    let (fact, reason) = (fact.to_owned().into(), reason.into());
    report.gaps.push(ReportedGap { subject: subject.into(), fact, reason, blocks: blocks.to_vec(), places });
    report.summary.gaps += 1;
}

const TRUST: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Analyzer",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
      "Action": "sts:AssumeRole"
    }
  ]
}
"#;

const BUCKET: &str = "{\r\n\t\"Policy\": \"{\\\"Statement\\\":[{\\\"Sid\\\":\\\"Gr\u{f6}\u{df}e \u{1f600}\\\",\\\"Effect\\\":\\\"Allow\\\"}]}\"\r\n}\r\n";

const CONFIG: &str = "[[allow]]\nrule = \"missing-mfa\"\nreason = \"reviewed\"\nuntil = 2026-12-31\n";

/// The sources of [`example`].
pub(crate) fn example_sources() -> SourceMap {
    let mut sources = SourceMap::new();
    sources.add(Source::new("roles/log-analyzer.json", TRUST));
    sources.add(Source::new("exports/get bucket-policy #1.json", BUCKET));
    sources.add(Source::new("trailproof.toml", CONFIG));
    sources.add(Source::new("/srv/shared/trust é.json", "{\"Statement\": [1, 2}\n"));
    sources.add(Source::new("-", ""));
    sources
}

/// A report with one of everything: four levels of detail, places in a string, outside the directory, in an empty
/// standard input, a gap, a waiver, remarks.
pub(crate) fn example(sources: &SourceMap) -> Report<'_> {
    let [trust, bucket, config, outside, stdin] = [0, 1, 2, 3, 4].map(SourceId::new);
    let mut first = finding(
        "missing-external-id",
        Level::Error,
        span(sources, trust, "\"arn:aws:iam::999999999999:root\""),
        "account 999999999999 can assume `log-analyzer` without an external ID, unless an SCP or the permissions boundary, which are not among the inputs, say otherwise",
    );
    first.primary.message = "anyone there whom its administrators allow".to_owned();
    first.related = vec![
        Label::new(span(sources, trust, "\"sts:AssumeRole\""), "no condition on `sts:ExternalId`"),
        Label::new(span(sources, bucket, "Gr\u{f6}\u{df}e \u{1f600}"), "what the role may read [all of it](x)"),
    ];
    first.path = vec![
        Step {
            effect: StepEffect::Allows,
            message: "the trust policy lets account 999999999999 in".to_owned(),
            span: Some(span(sources, trust, "{\n      \"Sid\": \"Analyzer\",\n      \"Effect\": \"Allow\"")),
        },
        Step { effect: StepEffect::Unless, message: "a service control policy denies".to_owned(), span: None },
    ];
    first.witness = Some(Witness {
        principal: "arn:aws:iam::999999999999:root".to_owned(),
        action: "sts:AssumeRole".to_owned(),
        resource: "arn:aws:iam::111111111111:role/log-analyzer".to_owned(),
        context: BTreeMap::from([
            ("aws:PrincipalAccount".to_owned(), vec!["999999999999".to_owned()]),
            ("aws:PrincipalOrgPaths".to_owned(), vec!["o-a/r-1/".to_owned(), "o-a/r-1/ou-2/".to_owned()]),
        ]),
        decision: Decision::Allowed,
        depends_on: vec!["organization.scp".to_owned()],
    });
    first.depends_on = vec!["organization.scp".to_owned(), "role.permissions-boundary".to_owned()];
    first.help = Some("add `\"Condition\": {\"StringEquals\": {\"sts:ExternalId\": \"…\"}}` and give the third party a value that it can not choose itself".to_owned());

    let second = finding(
        "writer-owned-objects",
        Level::Warning,
        span(sources, bucket, "\\\"Allow\\\""),
        "Sid \x1b[31m`red`\u{202e}\0 ends [here](https://example.com)",
    );
    let broken = finding("invalid-json", Level::Error, span(sources, outside, "}\n"), "expected `,` or `]`");
    let mut empty = finding("invalid-json", Level::Error, Span::file(stdin), "the text ends inside a value");
    empty.subject = Subject {
        kind: SubjectKind::Document,
        arn: None,
        file: Some("-".to_owned()),
        account: None,
        name: "standard input".to_owned(),
    };
    let mut report = report(sources, vec![empty, broken, second, first]);
    add_gap(&mut report, role("log-analyzer"), "role.permissions", &["missing-mfa"], vec![Span::file(trust)]);
    add_gap(&mut report, role("log-analyzer"), "role.tags", &["missing-mfa", "writer-owned-objects"], vec![]);
    report.suppressed.push(Suppressed {
        finding: finding("missing-mfa", Level::Note, span(sources, trust, "\"Allow\""), "no MFA is asked for"),
        reason: "reviewed in SEC-1412".to_owned(),
        until: Some("2026-12-31".to_owned()),
        span: span(sources, config, "[[allow]]"),
    });
    report.summary.suppressed = 1;
    report.notes = vec!["the config `trailproof.toml` was used".to_owned()];
    report
}

/// A source with `count` roles of some 200 bytes each, in lines or in one.
pub(crate) fn many_sources(count: usize, lines: bool) -> SourceMap {
    let end = if lines { "\n" } else { "" };
    let mut text = format!("{{\"RoleDetailList\": [{end}");
    for number in 0..count {
        text.push_str(&format!(
            "{}{{\"RoleName\": \"r\u{e9}ader-{number:06}\", \"AssumeRolePolicyDocument\": {{\"Statement\": [{{\"Effect\": \"Allow\",{end} \
             \"Principal\": {{\"AWS\": \"arn:aws:iam::999999999999:root\"}}, \"Action\": \"sts:AssumeRole\"}}]}}}}{end}",
            if number == 0 { "" } else { "," }
        ));
    }
    text.push_str("]}\n");
    let mut sources = SourceMap::new();
    sources.add(Source::new("exports/account-authorization-details.json", text));
    sources.add(Source::new("roles/log-analyzer.json", TRUST));
    sources
}

/// A report with a finding, a related place, a step and a witness for each role of [`many_sources`].
pub(crate) fn many(sources: &SourceMap) -> Report<'_> {
    let [export, trust] = [0, 1].map(SourceId::new);
    let text = sources.source(export).map_or("", Source::text);
    let elsewhere = span(sources, trust, "\"sts:AssumeRole\"");
    let findings =
        text.match_indices("\"arn:aws:iam::999999999999:root\"").enumerate().map(|(number, (at, needle))| {
            let place = Span::new(export, at as u32, (at + needle.len()) as u32);
            let level = [Level::Warning, Level::Error, Level::Note][number % 3];
            let message = format!("account 999999999999 can assume `r\u{e9}ader-{number:06}` without an external ID");
            Finding {
                subject: role(&format!("r\u{e9}ader-{number:06}")),
                related: vec![Label::new(elsewhere, "no condition on `sts:ExternalId`")],
                path: vec![Step {
                    effect: StepEffect::Allows,
                    message: "the trust policy".to_owned(),
                    span: Some(place),
                }],
                witness: Some(Witness {
                    principal: "arn:aws:iam::999999999999:root".to_owned(),
                    action: "sts:AssumeRole".to_owned(),
                    resource: format!("arn:aws:iam::111111111111:role/reader-{number:06}"),
                    context: BTreeMap::new(),
                    decision: Decision::Allowed,
                    depends_on: Vec::new(),
                }),
                help: Some("add a condition on `sts:ExternalId`".to_owned()),
                ..finding("missing-external-id", level, place, &message)
            }
        });
    report(sources, findings.collect())
}
