//! The text report: what people see, and that nothing of the input reaches their terminal raw.

use trailproof::audit::Report;
use trailproof::finding::{Level, Subject, SubjectKind};
use trailproof::report::TextOptions;
use trailproof::report::text::{summary, write};
use trailproof::text::{Source, SourceId, SourceMap, Span};

use super::samples;

fn text(report: &Report<'_>, options: TextOptions) -> String {
    let mut out = Vec::new();
    write(&mut out, report, &options).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(report: &Report<'_>) -> String {
    text(report, TextOptions::default())
}

fn show_all() -> TextOptions {
    TextOptions { verbose: true, ..TextOptions::default() }
}

const EXAMPLE: &str = r#"error[invalid-json] -:1:1
  × the text ends inside a value

error[invalid-json] /srv/shared/trust é.json:1:20
  × expected `,` or `]`
   ╭────
 1 │ {"Statement": [1, 2}
   ·                    ─
   ╰────

warning[writer-owned-objects] exports/get bucket-policy #1.json:2:61
  ⚠ Sid \u{1b}[31m`red`\u{202e}\u{0} ends [here](https://example.com)
   ╭────
 1 │ {
 2 │     "Policy": "{\"Statement\":[{\"Sid\":\"Größe 😀\",\"Effect\":\"Allow\"}]}"
   ·                                                                 ─────────
 3 │ }
   ╰────

error[missing-external-id] roles/log-analyzer.json:7:28
  × account 999999999999 can assume `log-analyzer` without an external ID, unless an SCP or the
  │ permissions boundary, which are not among the inputs, say otherwise
   ╭────
 6 │       "Effect": "Allow",
 7 │       "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
   ·                            ────────────────┬───────────────
   ·                                            ╰── anyone there whom its administrators allow
 8 │       "Action": "sts:AssumeRole"
   ·                 ────────┬───────
   ·                         ╰── no condition on `sts:ExternalId`
 9 │     }
   ╰────
   ╭─[exports/get bucket-policy #1.json:2:40]
 1 │ {
 2 │     "Policy": "{\"Statement\":[{\"Sid\":\"Größe 😀\",\"Effect\":\"Allow\"}]}"
   ·                                           ────┬───
   ·                                               ╰── what the role may read [all of it](x)
 3 │ }
   ╰────
  step 1 allows: the trust policy lets account 999999999999 in (roles/log-analyzer.json:4:5)
  step 2 unless: a service control policy denies
  proved by: arn:aws:iam::999999999999:root calls sts:AssumeRole on
             arn:aws:iam::111111111111:role/log-analyzer with aws:PrincipalAccount = 999999999999,
             aws:PrincipalOrgPaths = o-a/r-1/ and o-a/r-1/ou-2/: allowed, depending on
             organization.scp
  depends on: organization.scp, role.permissions-boundary
  help: add `"Condition": {"StringEquals": {"sts:ExternalId": "…"}}` and give the third party a
        value that it can not choose itself

info: the config `trailproof.toml` was used

not known:
  role `log-analyzer`
    role.permissions: not among the inputs (undecided: missing-mfa)
    role.tags: not among the inputs (undecided: missing-mfa, writer-owned-objects)

`trailproof explain invalid-json` tells more about a rule
3 errors, 1 warning in 5 files (2 subjects audited, 2 facts not known, 1 finding hidden by waivers)
"#;

#[test]
fn findings_are_shown_with_their_places_reasons_and_help() {
    let sources = samples::example_sources();
    assert_eq!(plain(&samples::example(&sources)), EXAMPLE);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let sources = samples::example_sources();
    let colored = text(&samples::example(&sources), TextOptions { color: true, ..TextOptions::default() });
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        stripped.push_str(before);
        let (code, after) = after.split_once('m').unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_digit() || b == b';'), "{code}");
        rest = after;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, EXAMPLE);
    assert!(colored.contains("\x1b[1;31merror[missing-external-id]\x1b[0m"));
}

#[test]
fn beyond_the_first_findings_there_is_one_line_each() {
    let sources = samples::example_sources();
    let shown = text(&samples::example(&sources), TextOptions { excerpts: Some(1), ..TextOptions::default() });
    assert!(shown.contains(
        "\n3 more findings, one line each (-v shows all in full):\n\n\
         error[invalid-json] /srv/shared/trust é.json:1:20 expected `,` or `]`\n\
         warning[writer-owned-objects] exports/get bucket-policy #1.json:2:61 Sid \\u{1b}[31m`red`\\u{202e}\\u{0} ends"
    ));
    assert_eq!(shown.matches("╭──").count(), 0, "standard input is empty");
    let none =
        text(&samples::example(&sources), TextOptions { excerpts: Some(0), quiet: true, ..TextOptions::default() });
    assert_eq!(none.lines().count(), 4);
}

#[test]
fn quiet_shows_findings_only_and_verbose_everything() {
    let sources = samples::example_sources();
    let report = samples::example(&sources);
    let quiet = text(&report, TextOptions { quiet: true, ..TextOptions::default() });
    let (findings, _) = EXAMPLE.split_once("info: ").unwrap();
    assert_eq!(quiet, findings);
    let all = text(&report, TextOptions { excerpts: Some(0), ..show_all() });
    assert!(all.starts_with(findings));
    assert!(all.contains(
        "role.permissions: not among the inputs (undecided: missing-mfa)\n      roles/log-analyzer.json:1:1\n"
    ));
    assert!(all.contains(
        "hidden by waivers:\n  note[missing-mfa] roles/log-analyzer.json:6:17 no MFA is asked for\n    \
         reason: reviewed in SEC-1412 (trailproof.toml:1:1 until 2026-12-31)\n"
    ));
}

#[test]
fn a_clean_run_says_what_was_audited_and_how_much_was_not_known() {
    let mut sources = SourceMap::new();
    for number in 0..12 {
        sources.add(Source::new(format!("{number}.json"), "{}"));
    }
    let mut report = samples::report(&sources, Vec::new());
    report.summary.subjects = 5;
    assert_eq!(plain(&report), "no findings: 12 files, 5 subjects audited\n");
    for number in 0..7 {
        let subject = Subject {
            kind: SubjectKind::Document,
            arn: None,
            file: Some(format!("{number}.json")),
            account: None,
            name: format!("{number}.json"),
        };
        samples::add_gap(&mut report, subject.clone(), "role.a", &["r1", "r2", "r3", "r4", "r5"], Vec::new());
        samples::add_gap(&mut report, subject, "role.b", &[], Vec::new());
    }
    let shown = plain(&report);
    assert!(shown.starts_with(
        "not known:\n  document `0.json`\n    role.a: not among the inputs (undecided: r1, r2, r3 and 2 more)\n    \
         role.b: not among the inputs\n"
    ));
    assert!(shown.ends_with(
        "  … and 4 facts of 2 subjects more (-v lists them)\n\n\
         no findings: 12 files, 5 subjects audited; 14 facts not known (run with -v to see them)\n"
    ));
    assert_eq!(summary(&report, false), "no findings: 12 files, 5 subjects audited; 14 facts not known");
    let all = text(&report, show_all());
    assert!(all.contains("document `6.json`") && all.contains("(undecided: r1, r2, r3, r4, r5)"));
    assert!(all.ends_with("; 14 facts not known\n"));
}

#[test]
fn nothing_of_the_input_is_printed_raw() {
    let evil = "\u{1b}[2J\u{0}\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}\u{feff}\r\u{8}\u{e0041}";
    let mut sources = SourceMap::new();
    let name = format!("dir{evil}/f.json");
    let content = format!("{{\"Sid\": \"x{evil}y\", \"z\": \"{evil}\"}}\n");
    let file = sources.add(Source::new(name, content.as_str()));
    let place = Span::new(file, 8, content.len() as u32 - 2);
    let mut finding = samples::finding("missing-mfa", Level::Note, place, &format!("message {evil}"));
    finding.primary.message = format!("label {evil}");
    let example_sources = samples::example_sources();
    let witness = samples::example(&example_sources).findings.pop().and_then(|f| f.witness).unwrap();
    finding.witness = Some(trailproof::finding::Witness {
        principal: evil.to_owned(),
        context: [(evil.to_owned(), vec![evil.to_owned()])].into(),
        ..witness
    });
    finding.path.push(trailproof::finding::Step {
        effect: trailproof::finding::StepEffect::Allows,
        message: evil.to_owned(),
        span: Some(Span::file(file)),
    });
    finding.related = (0..20).map(|_| trailproof::finding::Label::new(place, format!("related {evil}"))).collect();
    finding.depends_on = vec![evil.to_owned()];
    finding.help = Some(evil.to_owned());
    let mut report = samples::report(&sources, vec![finding.clone(), finding]);
    let subject = Subject {
        kind: SubjectKind::Role,
        arn: None,
        file: Some(evil.to_owned()),
        account: None,
        name: format!("n{evil}"),
    };
    samples::add_gap(&mut report, subject, evil, &["missing-mfa"], vec![place]);
    report.notes.push(evil.to_owned());
    for options in [TextOptions { excerpts: Some(1), ..TextOptions::default() }, show_all()] {
        let shown = text(&report, options);
        let raw: Vec<char> =
            shown.chars().filter(|&c| c != '\n' && evil.contains(c)).filter(|c| !c.is_ascii_graphic()).collect();
        assert!(raw.is_empty(), "{raw:?} in {shown}");
        assert!(shown.contains("\\u{1b}[2J\\u{0}\\u{7}\\u{9b}31m\\u{202e}\\u{2066}"));
    }
}

#[test]
fn a_line_of_megabytes_costs_what_is_shown() {
    let sources = samples::many_sources(25_000, false);
    let length = sources.source(SourceId::new(0)).unwrap().text().len();
    assert!(length > 4_000_000);
    let report = samples::many(&sources);
    let shown = text(&report, TextOptions { excerpts: Some(50), quiet: true, ..TextOptions::default() });
    let (full, _) =
        shown.split_once("error[missing-external-id] exports/account-authorization-details.json:1:9").unwrap();
    assert!(full.lines().all(|line| line.chars().count() <= 200), "{full}");
    assert!(full.contains("…"));
    let marked =
        full.lines().filter(|line| line.starts_with(" 1 │ …")).filter(|line| line.contains("999999999999:root"));
    assert!(marked.count() >= 49, "{full}");
}

#[test]
fn tabs_and_wide_characters_keep_the_label_under_its_text() {
    let mut sources = SourceMap::new();
    let file = sources.add(Source::new("f.json", "{\n\t\"日本\":\t\"x\"\n}\n"));
    let finding = samples::finding("missing-mfa", Level::Note, samples::span(&sources, file, "\"x\""), "m");
    let shown = text(&samples::report(&sources, vec![finding]), TextOptions { quiet: true, ..TextOptions::default() });
    // The two characters take two columns each, and tabs reach to the next multiple of four.
    assert_eq!(
        shown,
        "note[missing-mfa] f.json:2:8\n  ☞ m\n   ╭────\n 1 │ {\n 2 │     \"日本\": \"x\"\n   ·             ───\n 3 │ }\n   ╰────\n\n"
    );
}

#[test]
fn what_is_said_of_a_label_is_broken_to_the_width() {
    let mut sources = SourceMap::new();
    let file = sources.add(Source::new("f.json", "{\"a rather long key\": \"x\"}\n"));
    let mut finding = samples::finding("missing-mfa", Level::Note, samples::span(&sources, file, "\"x\""), "m");
    finding.primary.message = "one two three four five six seven eight nine ten".to_owned();
    let options = TextOptions { quiet: true, width: 66, ..TextOptions::default() };
    let shown = text(&samples::report(&sources, vec![finding]), options);
    let lines: Vec<&str> = shown.lines().skip(5).take(2).collect();
    assert_eq!(
        lines,
        [
            "   ·                        ╰─┤ one two three four five six",
            "   ·                          │ seven eight nine ten",
        ]
    );
}

#[test]
fn a_label_over_many_lines_is_drawn_beside_them() {
    let mut sources = SourceMap::new();
    let file = sources.add(Source::new("f.json", "[\n  {\n    \"a\": 1\n  }\n]\n"));
    let place = samples::span(&sources, file, "{\n    \"a\": 1\n  }");
    let mut finding = samples::finding("missing-mfa", Level::Note, place, "m");
    finding.primary.message = "this statement".to_owned();
    let shown = text(&samples::report(&sources, vec![finding]), TextOptions { quiet: true, ..TextOptions::default() });
    let lines: Vec<&str> = shown.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "   ╭────",
            " 1 │     [",
            " 2 │ ╭─▶   {",
            " 3 │ │       \"a\": 1",
            " 4 │ ├─▶   }",
            "   · ╰──── this statement",
            " 5 │     ]",
            "   ╰────",
            "",
        ]
    );
}
