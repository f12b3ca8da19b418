//! The access matrix against brute force, on generated estates.
//!
//! `TRAILPROOF_ORACLE=seed,count` says which estates the full run makes; without it those that CONTRIBUTING.md tells of.

mod compare;
mod estate;
mod generate;
mod shrink;
mod statements;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::Value;

use compare::{Compared, compare, compare_and_tell};
use trailproof::access::oracle::Level;
use trailproof::finding::matrix::Ability;

use crate::support::{files_below, root};

/// The seeds of the full run, and how many estates each makes.
const FULL: ([u64; 4], u64) = ([1, 2, 3, 4], 25_000);

/// How many disagreements of one kind are made small and shown.
const SHOWN: usize = 1;

/// Compares so many estates of a seed, and fails on a disagreement.
fn run(seed: u64, count: u64) {
    let numbers = 0..count;
    let compared: Vec<(u64, Compared)> =
        numbers.into_par_iter().map(|number| (number, compare(&generate::estate(seed, number)))).collect();
    let levels = compared.iter().fold([0; 3], |sum: [usize; 3], (_, one)| [0, 1, 2].map(|at| sum[at] + one.levels[at]));
    let differ = compared.iter().filter(|(_, one)| !one.disagreements.is_empty()).count();
    let undecided: usize = compared.iter().map(|(_, one)| one.undecided).sum();
    println!(
        "seed {seed}: {count} estates, {differ} differ; of the answers {} are no, {} maybe, {} yes; {undecided} undecided",
        levels[0], levels[1], levels[2]
    );
    let mut kinds: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (number, one) in &compared {
        let mut of_estate: Vec<String> = one.disagreements.iter().map(compare::Disagreement::kind).collect();
        of_estate.sort();
        of_estate.dedup();
        for kind in of_estate {
            kinds.entry(kind).or_default().push(*number);
        }
    }
    for (kind, numbers) in &kinds {
        println!("{:6} {kind}", numbers.len());
        for number in numbers.iter().take(SHOWN) {
            show(seed, *number, kind);
        }
    }
    assert_eq!(differ, 0, "seed {seed}: {differ} of {count} estates differ");
}

/// Makes a disagreement small and writes it down as an estate that the command reads.
fn show(seed: u64, number: u64, kind: &str) {
    let of_kind = |plan: &Value| compare(plan).disagreements.into_iter().find(|one| one.kind() == kind);
    let small = shrink::shrink(generate::estate(seed, number), &|plan| of_kind(plan).is_some());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle/{seed}-{number}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    estate::write(&folder, &small);
    println!("seed {seed}, estate {number}: {}\n  in {}\n  {small}", of_kind(&small).unwrap(), folder.display());
}

#[test]
fn a_share_of_the_estates_is_answered_alike() {
    run(1, 120);
}

#[test]
#[ignore = "takes long in a debug build; CONTRIBUTING.md has the command"]
fn every_estate_is_answered_alike() {
    let Ok(wanted) = std::env::var("TRAILPROOF_ORACLE") else {
        let (seeds, count) = FULL;
        seeds.into_iter().for_each(|seed| run(seed, count));
        return;
    };
    let (seed, count) = wanted.split_once(',').expect("TRAILPROOF_ORACLE is `seed,count`");
    run(seed.parse().unwrap(), count.parse().unwrap());
}

#[test]
fn what_they_once_differed_on_is_answered_right() {
    let mut wrong = Vec::new();
    let files = files_below(&root().join("fixtures/oracle"), ".json");
    assert!(files.len() >= 43, "only {} plans", files.len());
    for file in files {
        let plan: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let [reader, logs, ability, answer] =
            ["reader", "logs", "ability", "answer"].map(|key| plan[key].as_str().unwrap());
        let compared = compare_and_tell(&plan);
        let is_asked = |a: &&(String, String, Ability, Level)| a.0 == reader && a.1 == logs && a.2.name() == ability;
        let level = compared.answers.iter().find(is_asked).map(|(.., level)| format!("{level:?}").to_lowercase());
        assert_eq!(level.as_deref(), Some(answer), "the oracle on {}", file.display());
        wrong.extend(compared.disagreements.iter().map(|one| format!("{}: {one}", file.display())));
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_same_seed_makes_the_same_estates() {
    assert_eq!(generate::estate(7, 1), generate::estate(7, 1));
    assert_ne!(generate::estate(7, 1), generate::estate(8, 1));
}
