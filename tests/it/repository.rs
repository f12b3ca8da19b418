//! The repository holds itself to its own rules: who imports whom, a card for each rule, how messages read, file sizes.

use std::collections::{BTreeMap, BTreeSet};

use trailproof::rule::Card;
use trailproof::rules::RULES;

use crate::support::{files_below, root, stdout, trailproof};

/// What each module may import from this crate, besides itself.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let rows: [(&str, &str); 17] = [
        ("text", ""),
        ("aws", ""),
        ("syntax", "text aws"),
        ("policy", "text syntax aws"),
        ("estate", "text syntax policy aws"),
        ("config", "text syntax aws"),
        ("finding", "text aws"),
        ("model", "text syntax policy estate aws config"),
        ("access", "text syntax policy estate model aws config finding"),
        ("rule", "text syntax policy estate model access aws config finding"),
        ("rules", "text policy estate model access rule aws config finding"),
        ("audit", "text policy estate model access rule rules aws config finding"),
        ("report", "text syntax rule audit aws finding"),
        ("collect", "text syntax policy estate aws"),
        ("cli", "text syntax policy estate model access rule rules audit report collect aws config finding"),
        ("lib", ""),
        ("main", "cli"),
    ];
    rows.into_iter().map(|(name, may)| (name, may.split_whitespace().collect())).collect()
}

#[test]
fn modules_import_only_what_stands_to_their_left() {
    let table = allowed();
    let mut wrong = Vec::new();
    for file in files_below(&root().join("src"), ".rs") {
        let relative = file.strip_prefix(root().join("src")).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let may = table.get(module).unwrap_or_else(|| panic!("`{module}` is not in the import table"));
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if relative.to_string_lossy().contains("tests") {
            continue;
        }
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != module && table.contains_key(used.as_str()) && !may.contains(used.as_str()) {
                    wrong.push(format!("{} imports `{used}`", relative.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn heavy_libraries_stay_in_their_room() {
    let rooms = [
        ("serde_sarif", "report/sarif"),
        ("miette", "report/text"),
        ("clap", "cli"),
        ("clap_complete", "cli"),
        ("clap_mangen", "cli"),
        ("ignore", "collect"),
    ];
    let mut at_home = BTreeSet::new();
    for file in files_below(&root().join("src"), ".rs") {
        let name = file.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        for (library, room) in rooms.into_iter().filter(|(library, _)| text.lines().any(|line| names(line, library))) {
            assert!(name.starts_with(room), "{name} uses `{library}`, which belongs to {room}");
            at_home.insert(library);
        }
    }
    assert_eq!(at_home.len(), rooms.len(), "used at all: {at_home:?}");
}

/// Whether a line of code names a library: in a path, or as the whole of a `use`.
fn names(line: &str, library: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = line.match_indices(library);
    !line.trim_start().starts_with("//")
        && places.any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + library.len()..]);
            let is_whole = !before.ends_with(|c| is_word(c) || c == ':' || c == '.') && !after.starts_with(is_word);
            is_whole && (after.starts_with("::") || before.trim_start().ends_with("use "))
        })
}

#[test]
fn a_library_is_seen_in_whatever_way_it_is_named() {
    for line in ["use clap::Parser;", "    let a = clap::Arg::new(\"a\");", "use clap as c;", "#[derive(clap::Parser)]"]
    {
        assert!(names(line, "clap"), "{line}");
    }
    for line in
        ["// clap::Parser", "use clap_complete::Shell;", "crate::clap::x()", "let clap = 1;", "self.clap::<u8>()"]
    {
        assert!(!names(line, "clap"), "{line}");
    }
}

#[test]
fn every_rule_has_a_card_and_every_card_a_rule() {
    let rules: BTreeSet<String> = RULES.iter().map(|rule| format!("{}/{}", rule.group, rule.id)).collect();
    let folder = root().join("rules");
    let cards: BTreeSet<String> = files_below(&folder, ".md")
        .into_iter()
        .filter(|path| !path.ends_with("README.md"))
        .map(|path| path.strip_prefix(&folder).unwrap().with_extension("").to_string_lossy().into_owned())
        .collect();
    assert_eq!(rules, cards);
    assert_eq!(rules.len(), RULES.len(), "an id stands twice");
}

#[test]
fn names_that_are_kept_for_rules_to_come_are_free() {
    for name in trailproof::rules::RESERVED {
        assert!(RULES.iter().all(|rule| rule.id != name), "{name} is a rule now");
    }
}

#[test]
fn every_card_can_be_read_and_tells_all_it_should() {
    for rule in &RULES {
        let card = Card::parse(rule.text).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        let headings: Vec<&str> = card.sections.iter().map(|(heading, _)| heading.as_str()).collect();
        assert_eq!(headings, ["What it detects", "Why it matters", "Remediation", "Limits"], "{}", rule.id);
        assert!(card.sections.iter().all(|(_, text)| !text.is_empty()), "{} has an empty section", rule.id);
        assert!((0.0..=10.0).contains(&card.security_severity), "{}", rule.id);
        for control in &card.controls {
            let (id, letter) = control.rsplit_once(' ').unwrap_or_else(|| panic!("{}: `{control}`", rule.id));
            assert!(id.contains(':') && ["A", "P", "J"].contains(&letter), "{}: `{control}`", rule.id);
        }
        let source =
            if rule.group == "config" { "https://docs.oasis-open.org/" } else { "https://docs.aws.amazon.com/" };
        for reference in &card.references {
            assert!(reference.starts_with(source), "{}: `{reference}`", rule.id);
        }
        assert!(!card.references.is_empty(), "{} names no document", rule.id);
    }
}

#[test]
fn summaries_and_messages_follow_the_house_style() {
    let mut wrong = Vec::new();
    for rule in &RULES {
        let card = rule.card();
        let mut texts = vec![card.summary.clone()];
        for line in card.examples.iter().flat_map(|example| &example.findings) {
            let message = line.splitn(3, ' ').nth(2).unwrap_or(line);
            texts.push(message.to_owned());
        }
        for text in texts {
            let first = text.chars().next().unwrap_or('A');
            let name = text.starts_with('`')
                || text.split(' ').next().is_some_and(|w| w.chars().skip(1).any(char::is_uppercase));
            if first.is_uppercase() && !name {
                wrong.push(format!("{}: begins with a capital: {text}", rule.id));
            }
            if text.ends_with('.') && !text.ends_with("…") {
                wrong.push(format!("{}: ends with a period: {text}", rule.id));
            }
            if text.contains("  ") || text.contains("Some(") || text.contains("None") && text.contains("::") {
                wrong.push(format!("{}: reads like code: {text}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_index_of_rules_is_current() {
    let output = trailproof().args(["rules", "--format", "markdown"]).output().unwrap();
    let page = std::fs::read_to_string(root().join("rules/README.md")).unwrap_or_default();
    assert_eq!(page, stdout(&output), "run `trailproof rules --format markdown > rules/README.md`");
}

#[test]
fn source_files_stay_short() {
    for file in files_below(&root().join("src"), ".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 800, "{} has {lines} lines", file.display());
        if file.to_string_lossy().contains("/rules/") && !file.to_string_lossy().contains("/shared/") {
            assert!(lines <= 250, "{} has {lines} lines; a check has about 120", file.display());
        }
    }
}

#[test]
fn the_changelog_names_every_rule() {
    let changelog = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    for rule in &RULES {
        assert!(changelog.contains(&format!("`{}`", rule.id)), "CHANGELOG.md does not name `{}`", rule.id);
    }
}
