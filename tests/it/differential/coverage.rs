//! What the cases of a run were about, and how often it decided, so that nobody takes a number for more than it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use trailproof::policy::operator::Operator;

use super::run;
use super::walk;

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
    /// Counts cases and what we answer, asking again with each clause and each statement left out.
    pub(crate) fn of(cases: &[Value], answers: &[String]) -> Self {
        let mut coverage = Coverage { cases: cases.len(), ..Coverage::default() };
        let mut variants = Vec::new();
        // For each variant: the case, and the operators that stand there, with whether the whole statement went.
        let mut about: Vec<(usize, Vec<String>, bool)> = Vec::new();
        for (number, (case, answer)) in cases.iter().zip(answers).enumerate() {
            coverage.allowed += usize::from(answer == "allowed");
            coverage.features(case, answer);
            for statement in 0..statements(case) {
                let mut operators = Vec::new();
                nth_statement(&mut case.clone(), statement, &mut |statement| operators = operators_of(statement));
                for (clause, operator) in operators.iter().enumerate() {
                    let mut variant = case.clone();
                    nth_statement(&mut variant, statement, &mut |statement| take_clause(statement, clause));
                    variants.push(variant);
                    about.push((number, vec![operator.clone()], false));
                }
                for operator in &operators {
                    coverage.count(operator, |count| count.written += 1);
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

    fn features(&mut self, case: &Value, answer: &str) {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let request = &case["request"];
        let principal = request["principal"].as_str().unwrap_or_default();
        let action = request["action"].as_str().unwrap_or_default();
        let account = principal.split(':').nth(4);
        let kind = match principal {
            "anonymous" => "anonymous",
            _ if account.is_none() => "service",
            _ if principal.ends_with(":root") => "root",
            _ if principal.contains(":user/") => "user",
            _ if principal.contains(":federated-user/") => "federated user",
            _ => "role session",
        };
        found.push(("caller", kind.to_owned()));
        found.push(("service", action.split(':').next().unwrap_or_default().to_owned()));
        found.push(("decision", answer.to_owned()));
        let owned = request["resource"].as_str().is_some_and(|resource| resource != "*");
        let accounts = match account {
            _ if !owned => "no resource",
            None => "no account",
            Some(account) if account == super::world::OWNER => "same account",
            Some(_) => "cross-account",
        };
        found.push(("accounts", accounts.to_owned()));
        let mut case = case.clone();
        walk::policies(&mut case, &mut |kind, document| {
            found.push(("policy", kind.to_owned()));
            found.push(("version", walk::text(&document["Version"])));
        });
        walk::each_statement(&mut case, &mut |_, _, statement| {
            for element in ["NotPrincipal", "NotAction", "NotResource"] {
                if statement.get(element).is_some() {
                    found.push(("element", format!("{element} ({})", walk::text(&statement["Effect"]))));
                }
            }
            if statement.to_string().contains("${") {
                found.push(("element", "variables".to_owned()));
            }
            for entry in walk::principals(statement).map(|(entries, _)| entries).unwrap_or_default() {
                let form = match entry.as_str() {
                    "*" => "everyone",
                    _ if entry.ends_with(":root") => "account by ARN",
                    _ if entry.contains(":assumed-role/") => "session",
                    _ if entry.contains(":federated-user/") => "federated user",
                    _ if entry.contains(":role/") => "role",
                    _ if entry.contains(":user/") => "user",
                    _ if entry.contains(".amazonaws.") => "service",
                    _ => "account by ID",
                };
                found.push(("principal", form.to_owned()));
            }
        });
        found.sort();
        found.dedup();
        for feature in found {
            *self.features.entry(feature).or_default() += 1;
        }
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
