//! The estates under `fixtures/access`: each variant's whole matrix, as its README has it from AWS's rules.

mod bad_input;
mod estate;
mod table;

use std::collections::BTreeMap;

use serde_json::Value;

use self::estate::{Variant, variants};
use crate::support::stdout;

/// What a reader can do with the logs of an account, by both.
type Cells = BTreeMap<(String, String), String>;

fn matrix(variant: &Variant) -> Value {
    let folder = variant.join();
    let output = variant.run(&folder, &["--format", "json", "--wide"]);
    assert_eq!(output.status.code(), Some(0), "{}: {}", variant.name, String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// The cells of a matrix in the words of the tables.
fn cells(document: &Value) -> Cells {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |cell: &Value| {
        let abilities = cell["abilities"].as_array().unwrap().iter().map(|ability| {
            let mark = match ability["certainty"].as_str().unwrap() {
                "certain" => "",
                "conditional" => " if",
                _ => " ?",
            };
            format!("{}{mark}", text(&ability["ability"]))
        });
        let abilities: Vec<String> = abilities.collect();
        let can = if abilities.is_empty() { "none".to_owned() } else { abilities.join(", ") };
        match cell["model"].as_str() {
            Some(fit) => format!("{can}; {fit}"),
            None => can,
        }
    };
    let mut found = Cells::new();
    for cell in document["cells"].as_array().unwrap() {
        let [reader] = &cell["readers"].as_array().unwrap()[..] else { panic!("{cell}") };
        let [owner] = &cell["logs"].as_array().unwrap()[..] else { panic!("{cell}") };
        let before = found.insert((text(reader), text(owner)), of(cell));
        assert_eq!(before, None, "{reader} with the logs of {owner} stands there twice");
    }
    found
}

#[test]
fn each_variant_gives_the_matrix_of_its_readme() {
    let mut wrong = Vec::new();
    for variant in variants() {
        let document = matrix(&variant);
        let expected = &variant.table.cells;
        let found = cells(&document);
        let places: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for place in places {
            let (expected, found) = (expected.get(place), found.get(place));
            if expected != found {
                wrong.push(format!("{}: {place:?}\n  expected {expected:?}\n  found    {found:?}", variant.name));
            }
        }
        let mut facts: Vec<&str> =
            document["gaps"].as_array().unwrap().iter().map(|gap| gap["fact"].as_str().unwrap()).collect();
        facts.dedup();
        if facts != variant.table.unknown {
            wrong.push(format!("{}: gaps {:?}, expected {:?}", variant.name, facts, variant.table.unknown));
        }
    }
    assert!(wrong.is_empty(), "{} cells are wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn whatever_is_not_known_has_a_reason_and_a_place_in_the_report() {
    for variant in variants() {
        let folder = variant.join();
        let unknown = variant.table.cells.iter().filter(|(_, cell)| cell.contains('?')).map(|(place, _)| place);
        for (reader, logs) in unknown {
            let output = variant.run(&folder, &["--why", reader, "--logs", logs, "--format", "json"]);
            let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
            let depends_on = document["cells"][0]["depends_on"].as_array().unwrap();
            assert!(!depends_on.is_empty(), "{}: {reader} {logs}: {document:#}", variant.name);
        }
        let strict = variant.run(&folder, &["--strict"]).status.code();
        assert_eq!(strict, Some(if variant.table.unknown.is_empty() { 0 } else { 3 }), "{}", variant.name);
    }
}

#[test]
fn each_positive_answer_shows_its_path_and_each_negative_its_cause() {
    for variant in variants() {
        let document = matrix(&variant);
        for cell in document["cells"].as_array().unwrap() {
            let at = || format!("{}: {} {}", variant.name, cell["readers"], cell["logs"]);
            for ability in cell["abilities"].as_array().unwrap() {
                if ability["certainty"] == "certain" {
                    let path = ability["path"].as_array().unwrap();
                    assert!(!path.is_empty() && ability["witness"].is_object(), "{}: {ability}", at());
                    let is_told = |hop: &Value| !hop["steps"].as_array().unwrap().is_empty();
                    // Why the root user is let through needs no statement, and is not told yet.
                    let by_root = ability["witness"]["principal"].as_str().unwrap().ends_with(":root");
                    assert_eq!(path.iter().all(is_told), !by_root, "{}: {ability}", at());
                }
            }
            for refusal in cell["can_not"].as_array().unwrap() {
                assert!(!refusal["cause"].as_str().unwrap().is_empty(), "{}: {refusal}", at());
            }
        }
    }
}

/// An explanation as words, without its excerpts and proofs.
fn told(text: &str) -> String {
    let is_drawn = |line: &&str| line.contains(['│', '╭', '╰', '·']) && !line.trim_start().starts_with("· ");
    let told =
        text.lines().filter(|line| !is_drawn(line)).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    let mut parts = told.split(" proved by: ");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    // A proof ends where the next thing is said.
    for part in parts {
        let end = ["can ", "unless denied by: ", "depends on: ", "not known "]
            .iter()
            .filter_map(|next| part.find(&format!(" {next}")));
        kept.push_str(end.min().map_or("", |end| &part[end..]));
    }
    kept
}

#[test]
fn each_answer_of_no_names_the_cause_that_aws_gives_it() {
    let mut wrong = Vec::new();
    for variant in variants() {
        let lacking: Vec<_> = variant.table.cells.iter().filter(|(_, cell)| cell.ends_with("; too-little")).collect();
        let is_told = |cell: &(&(String, String), &String)| {
            variant.table.why.iter().any(|(reader, logs, _)| (reader, logs) == (&cell.0.0, &cell.0.1))
        };
        assert!(lacking.is_empty() || lacking.iter().any(is_told), "{}: no cause is expected", variant.name);
        let folder = variant.join();
        let mut answers: BTreeMap<(&str, &str), String> = BTreeMap::new();
        for (reader, logs, words) in &variant.table.why {
            let answer = answers
                .entry((reader, logs))
                .or_insert_with(|| told(&stdout(&variant.run(&folder, &["--why", reader, "--logs", logs]))));
            assert!(answer.starts_with("no: ") || answer.starts_with("partly: "), "{}: {answer}", variant.name);
            if !answer.contains(words.as_str()) {
                wrong.push(format!("{}: {reader} {logs}: {words}\n{answer}", variant.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} causes are not told\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn an_explanation_is_free_of_what_only_proofs_need() {
    for variant in variants() {
        let folder = variant.join();
        let told = told(&stdout(&variant.run(&folder, &["--why", "222222222222"])));
        assert!(!told.is_empty(), "{}", variant.name);
        for unwanted in [".json.gz", "trailproof-", "allows it ()", "any-other-", "any-session"] {
            assert!(!told.contains(unwanted), "{}: `{unwanted}` in {told}", variant.name);
        }
    }
}

#[test]
fn only_a_bound_external_id_is_part_of_the_path() {
    let with = |name: &str| {
        let variant = Variant::named(name);
        let output = variant.run(&variant.join(), &["--why", "999999999999", "--logs", "222222222222"]);
        stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ").contains("with external ID")
    };
    assert!(with("third-party"));
    assert!(!with("missing-external-id"));
    assert!(!with("external-id-if-exists"));
}
