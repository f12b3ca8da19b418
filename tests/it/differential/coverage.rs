//! What the cases of a run were about, and how often it decided, so that nobody takes a number for more than it is.

mod features;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use trailproof::policy::operator::Operator;

use super::{run, walk};

/// How often something stood in a case, held and decided, or failed and decided.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) written: usize,
    /// It held, and without its statement the answer is another.
    pub(crate) held: usize,
    /// It failed, and without it the answer is another.
    pub(crate) stopped: usize,
}

/// The counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) cases: usize,
    pub(crate) allowed: usize,
    /// Comparisons without set operator and `IfExists`.
    pub(crate) bases: BTreeMap<String, Count>,
    /// Set operator and `IfExists` without the comparison.
    pub(crate) affixes: BTreeMap<String, Count>,
    /// Whole operators.
    pub(crate) operators: BTreeMap<String, Count>,
    /// Callers, kinds of policies, elements, decisions: in how many cases.
    pub(crate) features: BTreeMap<(&'static str, String), usize>,
}

impl Coverage {
    /// Counts what cases are about, without asking anybody.
    pub(crate) fn written(cases: &[Value]) -> Self {
        let mut coverage = Coverage { cases: cases.len(), ..Coverage::default() };
        for case in cases {
            for feature in features::of(case) {
                *coverage.features.entry(feature).or_default() += 1;
            }
            walk::each_statement(&mut case.clone(), &mut |_, _, statement| {
                for operator in operators_of(statement) {
                    coverage.count(&operator, |count| count.written += 1);
                }
            });
        }
        coverage
    }

    /// What too few cases are about, one in so many being enough; every operator with each affix must be there at all.
    pub(crate) fn lacks(&self, one_in: usize) -> Vec<String> {
        let mut lacks = Vec::new();
        for (group, names) in features::EXPECTED {
            for name in *names {
                let found = self.features.get(&(*group, (*name).to_owned())).copied().unwrap_or_default();
                if found * one_in < self.cases {
                    lacks.push(format!("{group} {name}: {found}"));
                }
            }
        }
        for base in Operator::names() {
            for set in ["", "ForAllValues:", "ForAnyValue:"] {
                for if_exists in ["", "IfExists"].iter().take(if base == "Null" { 1 } else { 2 }) {
                    let operator = format!("{set}{base}{if_exists}");
                    if !self.operators.contains_key(&operator) {
                        lacks.push(operator);
                    }
                }
            }
        }
        lacks
    }

    /// Counts cases and what we answer, asking again with each clause and each statement left out.
    pub(crate) fn of(cases: &[Value], answers: &[String]) -> Self {
        let mut coverage = Coverage::written(cases);
        let mut variants = Vec::new();
        // For each variant: the case, and the operators that stand there, with whether the whole statement went.
        let mut about: Vec<(usize, Vec<String>, bool)> = Vec::new();
        for (number, (case, answer)) in cases.iter().zip(answers).enumerate() {
            coverage.allowed += usize::from(answer == "allowed");
            *coverage.features.entry(("decision", answer.clone())).or_default() += 1;
            for statement in 0..statements(case) {
                let mut operators = Vec::new();
                nth_statement(&mut case.clone(), statement, &mut |statement| operators = operators_of(statement));
                for (clause, operator) in operators.iter().enumerate() {
                    let mut variant = case.clone();
                    nth_statement(&mut variant, statement, &mut |statement| take_clause(statement, clause));
                    variants.push(variant);
                    about.push((number, vec![operator.clone()], false));
                }
                if !operators.is_empty() {
                    let mut variant = case.clone();
                    nth_statement(&mut variant, statement, &mut turn_off);
                    variants.push(variant);
                    about.push((number, operators, true));
                }
            }
        }
        for ((number, operators, whole), answer) in about.into_iter().zip(run::ours(&variants)) {
            if (answer == "allowed") != (answers[number] == "allowed") {
                for operator in operators {
                    coverage.count(&operator, |count| if whole { count.held += 1 } else { count.stopped += 1 });
                }
            }
        }
        coverage
    }

    fn count(&mut self, operator: &str, add: impl Fn(&mut Count)) {
        let base = Operator::parse(operator).unwrap().base();
        let affix = operator.replace(base, "…");
        add(self.bases.entry(base.to_owned()).or_default());
        add(self.affixes.entry(affix).or_default());
        add(self.operators.entry(operator.to_owned()).or_default());
    }

    /// The counts as text.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("{} cases, {} allowed\n", self.cases, self.allowed);
        for ((group, name), count) in &self.features {
            let _ = writeln!(text, "  {group:10} {name:24} {count:7}");
        }
        let _ =
            writeln!(text, "  {:38} {:>8} {:>14} {:>14}", "operator", "written", "held, decided", "failed, decided");
        for (name, count) in self.bases.iter().chain(&self.affixes) {
            let _ = writeln!(text, "  {name:38} {:8} {:14} {:14}", count.written, count.held, count.stopped);
        }
        let rarest = self.operators.iter().min_by_key(|(_, count)| count.held + count.stopped);
        if let Some((name, count)) = rarest {
            let decided = count.held + count.stopped;
            let _ = writeln!(
                text,
                "  {} operators with their affixes; {name} decided least often: {decided}",
                self.operators.len()
            );
        }
        text
    }
}

fn statements(case: &Value) -> usize {
    let mut count = 0;
    walk::each_statement(&mut case.clone(), &mut |_, _, _| count += 1);
    count
}

fn nth_statement(case: &mut Value, wanted: usize, change: &mut dyn FnMut(&mut Value)) {
    let mut number = 0;
    walk::each_statement(case, &mut |_, _, statement| {
        if number == wanted {
            change(statement);
        }
        number += 1;
    });
}

/// The operator of each clause of a statement.
fn operators_of(statement: &Value) -> Vec<String> {
    let blocks = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    blocks.flat_map(|(name, block)| block.as_object().into_iter().flatten().map(move |_| name.clone())).collect()
}

fn take_clause(statement: &mut Value, wanted: usize) {
    let mut number = 0;
    for (_, block) in statement["Condition"].as_object_mut().unwrap() {
        block.as_object_mut().unwrap().retain(|_, _| {
            number += 1;
            number != wanted + 1
        });
    }
}

fn turn_off(statement: &mut Value) {
    statement["Condition"] = serde_json::json!({"Null": {"aws:PrincipalTag/in-no-request": "false"}});
}
