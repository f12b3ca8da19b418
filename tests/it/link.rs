//! Findings of a live audit that point at the policy files of a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trailproof::audit::link::Definitions;
use trailproof::audit::{Audit, Report};
use trailproof::collect::{Collected, Options, collect};
use trailproof::config::Config;
use trailproof::finding::Finding;
use trailproof::model::Model;
use trailproof::rule::Selection;
use trailproof::rules::RULES;
use trailproof::text::SourceId;

use crate::support::root;

fn read(folder: &Path, cwd: &Path) -> Collected {
    let options = Options { cwd: cwd.to_owned(), ..Options::default() };
    collect(&[PathBuf::from(folder)], &mut std::io::empty(), &options).unwrap()
}

fn scenario() -> PathBuf {
    root().join("fixtures/estates/seed-flawed")
}

/// Audits the exported estate, links it to the definitions below a folder, and gives the report to `look`, with how many
/// findings were linked.
fn linked(definitions: &Path, but: Option<&str>, look: impl FnOnce(&Report<'_>, usize)) {
    let config = std::fs::read_to_string(scenario().join("trailproof.toml")).unwrap();
    let config = Config::parse(&config, SourceId::new(0)).unwrap();
    let mut live = read(&scenario().join("export"), &scenario());
    let definitions = Definitions::of(read(definitions, definitions).estate, &mut live.estate.sources, but);
    let model = Model::new(&live.estate, Some(&config), None);
    let selection = Selection::new(&RULES, &[], &[]).unwrap();
    let today = time::Date::from_ordinal_date(2026, 300).unwrap();
    let audit = Audit {
        estate: &live.estate,
        model: &model,
        config: Some(&config),
        selection: &selection,
        today,
        files: live.files,
    };
    let mut report = audit.run();
    let before: BTreeSet<String> = report.findings.iter().map(|one| one.fingerprint.to_string()).collect();
    let count = definitions.link(&live.estate, &mut report);
    let after: BTreeSet<String> = report.findings.iter().map(|one| one.fingerprint.to_string()).collect();
    assert_eq!(before, after);
    look(&report, count);
}

/// The file and the text that a finding points at, without the white space.
fn place(report: &Report<'_>, finding: &Finding) -> (String, String) {
    let span = finding.primary.span;
    (report.sources.name(span.source).to_owned(), squeezed(report.sources.slice(span)))
}

/// A text without white space, and without what makes it a JSON string.
fn squeezed(text: &str) -> String {
    let plain = text.replace("\\\"", "\"").trim_matches('"').replace("\\n", "");
    plain.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Findings that are linked, by rule and subject, each with its place in the definitions.
fn places(report: &Report<'_>) -> BTreeMap<(String, String), (String, String)> {
    let of =
        |finding: &&Finding| finding.related.first().is_some_and(|label| label.message.starts_with("as it is live"));
    let linked = report.findings.iter().filter(of);
    linked.map(|finding| ((finding.rule.to_owned(), finding.subject.name.clone()), place(report, finding))).collect()
}

#[test]
fn a_finding_about_a_policy_points_at_the_file_that_defines_it() {
    linked(&scenario().join("raw"), None, |report, count| {
        let places = places(report);
        assert!(count >= 25, "{count} of {}", report.findings.len());
        for finding in &report.findings {
            let (file, text) = place(report, finding);
            let Some(live) = finding.related.first().filter(|label| label.message.starts_with("as it is live")) else {
                // What is no policy has no definition among policy files.
                assert!(!file.ends_with("policy.json") && !file.ends_with("-trust.json"), "{} {file}", finding.rule);
                continue;
            };
            assert_eq!(live.message, "as it is live", "{} {file}", finding.rule);
            // The same words in the file and in the export, whose strings hold JSON in a string.
            let same = squeezed(report.sources.slice(live.span));
            // A key that stands twice is no element of a statement.
            let is_same = if finding.rule == "duplicate-key" { text.contains(&same) } else { text == same };
            assert!(is_same, "{} {file}: {text} is not {same}", finding.rule);
        }
        let (file, _) = &places[&("cross-account-log-read".to_owned(), "my-organization-bucket".to_owned())];
        assert_eq!(file, "my-organization-bucket/bucket-policy.json");
        let order: Vec<_> = report.findings.iter().map(|one| place(report, one).0).collect();
        assert!(order.is_sorted(), "{order:?}");
    });
}

/// A folder with one policy file in it.
fn repository(file: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    folder
}

fn raw(file: &str) -> String {
    std::fs::read_to_string(scenario().join("raw").join(file)).unwrap()
}

#[test]
fn a_file_that_names_nothing_defines_what_says_the_same() {
    // A key policy does not name its key.
    let folder = repository("kms.json", &raw("log-key/key-policy.json"));
    linked(folder.path(), None, |report, count| {
        let places = places(report);
        assert!(count > 0);
        assert!(places.values().all(|(file, _)| file == "kms.json"), "{places:?}");
    });
    // Two that say the same may be of two keys.
    std::fs::copy(folder.path().join("kms.json"), folder.path().join("other.json")).unwrap();
    linked(folder.path(), None, |_, count| assert_eq!(count, 0));
}

#[test]
fn a_definition_that_says_something_else_is_told_so() {
    let role = |change: &dyn Fn(&str) -> String| {
        let folder = repository("roles/partner-siem-trust.json", &change(&raw("roles/partner-siem-trust.json")));
        let mut words = BTreeSet::new();
        linked(folder.path(), None, |report, _| {
            words.extend(report.findings.iter().flat_map(|one| &one.related).map(|label| label.message.clone()));
        });
        words.retain(|text| text.starts_with("as it is live"));
        words
    };
    let same = role(&str::to_owned);
    assert_eq!(same, BTreeSet::from(["as it is live".to_owned()]));
    let other = role(&|text| text.replace("sts:AssumeRole", "sts:TagSession"));
    assert_eq!(other.len(), 1);
    assert!(other.iter().all(|text| text.contains("says this") || text.contains("something else")), "{other:?}");
}

#[test]
fn the_snapshot_itself_defines_nothing() {
    let export = scenario().join("export");
    linked(&export, None, |report, count| assert!(count > 25, "{count} of {}", report.findings.len()));
    linked(&scenario(), Some("export"), |report, _| {
        let places = places(report);
        assert!(places.values().all(|(file, _)| file.starts_with("raw/")), "{places:?}");
    });
}
