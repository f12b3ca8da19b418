//! Our decisions against those of an independent evaluator, on generated cases.
//!
//! The other one runs as a program of its own; `benches/differential/README.md` says how, and `docs/differential.md` what
//! they differ on.

mod clauses;
mod compare;
mod coverage;
mod generate;
mod known;
pub(crate) mod rng;
mod run;
mod shrink;
mod values;
mod walk;
mod world;

use std::path::Path;

use serde_json::Value;

use compare::{Outcome, compare};
use coverage::Coverage;
use known::{Ours, TOPICS};
use run::Answers;

/// Runs so many cases of a seed through both, and fails on a disagreement that nothing explains.
fn run(package: &Path, seed: u64, count: u64) -> (Vec<Value>, Vec<Answers>, Outcome) {
    let cases: Vec<Value> = (0..count).map(|number| generate::case(seed, number)).collect();
    let answers = run::both(package, &cases);
    let outcome = compare(package, &cases, &answers);
    println!(
        "seed {seed}: {count} cases, {} agree, {} differ for a known reason, {} differ",
        outcome.agreed,
        outcome.explained.values().sum::<usize>(),
        outcome.unexplained.len()
    );
    for (name, count) in &outcome.explained {
        println!("  {count:6} {name}");
    }
    let few: Vec<Value> = outcome.unexplained.iter().take(10).map(|number| cases[*number].clone()).collect();
    if !few.is_empty() {
        let differs = |cases: &[Value]| {
            let unexplained = compare(package, cases, &run::both(package, cases)).unexplained;
            (0..cases.len()).map(|number| unexplained.contains(&number)).collect()
        };
        let small = shrink::shrink(few, &differs);
        let shown: Vec<String> = small
            .iter()
            .zip(run::both(package, &small))
            .map(|(case, answers)| format!("ours {}, theirs {}: {case}", answers.ours, answers.theirs))
            .collect();
        panic!("seed {seed}: {} cases differ, such as\n{}", outcome.unexplained.len(), shown.join("\n"));
    }
    (cases, answers, outcome)
}

#[test]
fn a_share_of_the_cases_is_decided_alike() {
    let Some(package) = run::package() else { return };
    for seed in [1, 2] {
        run(&package, seed, 1_000);
    }
}

/// The seed and the count of the full run; every subject is in it.
const FULL: (u64, u64) = (3, 25_000);

/// Numbers from the environment: `TRAILPROOF_DIFFERENTIAL=seed,count`.
fn wanted() -> (u64, u64) {
    let Ok(text) = std::env::var("TRAILPROOF_DIFFERENTIAL") else { return FULL };
    let (seed, count) = text.split_once(',').expect("TRAILPROOF_DIFFERENTIAL is `seed,count`");
    (seed.parse().unwrap(), count.parse().unwrap())
}

#[test]
#[ignore = "takes minutes; see benches/differential/README.md"]
fn every_case_is_decided_alike() {
    let Some(package) = run::package() else { return };
    let (seed, count) = wanted();
    let (cases, answers, outcome) = run(&package, seed, count);
    let ours: Vec<String> = answers.into_iter().map(|answers| answers.ours).collect();
    let coverage = Coverage::of(&cases, &ours);
    print!("{}", coverage.report());
    assert!((count as usize / 4..=count as usize * 3 / 4).contains(&coverage.allowed), "{} allowed", coverage.allowed);
    // A hundred in twenty thousand.
    let enough = count as usize / 200;
    for (name, counts) in coverage.bases.iter().chain(&coverage.affixes) {
        assert!(counts.stopped >= enough && counts.held >= enough, "{name} decided too seldom: {counts:?}");
    }
    assert_eq!(coverage.lacks(200), [""; 0]);
    for topic in TOPICS.iter().filter(|_| (seed, count) == FULL) {
        assert!(outcome.explained.contains_key(topic.name), "nothing differs on `{}` any more", topic.name);
    }
}

#[test]
fn every_kind_of_case_is_made() {
    let cases: Vec<Value> = (0..4_000).map(|number| generate::case(1, number)).collect();
    assert_eq!(Coverage::written(&cases).lacks(200), [""; 0]);
}

#[test]
fn the_same_seed_gives_the_same_cases() {
    for number in 0..50 {
        assert_eq!(generate::case(7, number), generate::case(7, number));
    }
    assert_ne!(generate::case(7, 1)["policies"], generate::case(8, 1)["policies"]);
}

#[test]
fn a_subject_that_was_taken_out_is_gone_and_one_that_was_reworded_changes_no_answer() {
    let mut asked = Vec::new();
    let mut names = Vec::new();
    for number in 0..3_000 {
        let case = generate::case(3, number);
        for topic in &TOPICS {
            let mut without = case.clone();
            if (topic.take_out)(&mut without) {
                let mut again = without.clone();
                assert!(!(topic.take_out)(&mut again), "{} stays in {case}", topic.name);
                if topic.ours == Ours::Stays {
                    asked.extend([case.clone(), without]);
                    names.push(topic.name);
                }
            }
        }
    }
    let answers = run::ours(&asked);
    for ((pair, cases), name) in answers.chunks(2).zip(asked.chunks(2)).zip(names) {
        assert_eq!(pair[0], pair[1], "{name}: {}\n{}", cases[0], cases[1]);
    }
}
