//! Where two lists of answers differ, and which of the known subjects is why.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::known::{Ours, TOPICS};
use super::run::{self, Answers};

/// What came of a run.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) agreed: usize,
    pub(crate) explained: BTreeMap<String, usize>,
    /// Number of the case.
    pub(crate) unexplained: Vec<usize>,
}

/// Compares the answers, and those to each disagreement without its explained subjects.
pub(crate) fn compare(package: &Path, cases: &[Value], answers: &[Answers]) -> Outcome {
    let mut outcome = Outcome::default();
    let open: Vec<usize> = (0..cases.len()).filter(|number| !answers[*number].agree()).collect();
    outcome.agreed = cases.len() - open.len();
    let differ: Vec<(&Value, &Answers)> = open.iter().map(|number| (&cases[*number], &answers[*number])).collect();
    for (number, name) in open.into_iter().zip(explain(package, &differ)) {
        match name {
            Some(name) => *outcome.explained.entry(name).or_default() += 1,
            None => outcome.unexplained.push(number),
        }
    }
    outcome
}

/// The name of what explains each disagreement: one subject alone, else all of those in the case.
fn explain(package: &Path, open: &[(&Value, &Answers)]) -> Vec<Option<String>> {
    let mut tries: Vec<(usize, String, Ours, Value)> = Vec::new();
    for (number, (case, _)) in open.iter().enumerate() {
        let mut all = (*case).clone();
        let mut ours = Ours::Stays;
        let mut names = Vec::new();
        for topic in &TOPICS {
            let mut one = (*case).clone();
            if (topic.take_out)(&mut one) {
                tries.push((number, topic.name.to_owned(), topic.ours, one));
            }
            if (topic.take_out)(&mut all) {
                if topic.ours == Ours::Conditional {
                    ours = topic.ours;
                }
                names.push(topic.name);
            }
        }
        if names.len() > 1 {
            tries.push((number, "several of these at once".to_owned(), ours, all));
        }
    }
    let asked: Vec<Value> = tries.iter().map(|(.., case)| case.clone()).collect();
    let mut explained: Vec<Option<String>> = vec![None; open.len()];
    for ((number, name, ours, _), again) in tries.into_iter().zip(run::both(package, &asked)) {
        let before = open[number].1;
        let as_said = match before.ours.as_str() {
            "conditional" => ours == Ours::Conditional,
            _ => before.decided() && again.ours == before.ours,
        };
        if again.agree() && as_said {
            explained[number].get_or_insert(name);
        }
    }
    explained
}
