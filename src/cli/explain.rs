//! `trailproof explain RULE`

use super::args::ExplainArgs;
use super::{Exit, Failure, output};
use crate::rule::Selection;
use crate::rules::RULES;

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let Some(rule) = RULES.iter().find(|rule| rule.id == args.rule) else {
        let hint = Selection::new(&RULES, std::slice::from_ref(&args.rule), &[]).err().and_then(|e| e.suggestion);
        let hint = hint
            .map_or_else(|| "; `trailproof rules` lists them".to_owned(), |near| format!("; did you mean `{near}`?"));
        return Err(Failure::new(format!("there is no rule `{}`{hint}", args.rule)));
    };
    let card = rule.card();
    output::to_stdout(|out| {
        writeln!(out, "{}: {}", rule.id, card.summary)?;
        writeln!(out, "{}", "=".repeat(rule.id.len() + 2 + card.summary.chars().count()))?;
        writeln!(out)?;
        writeln!(out, "group: {}", rule.group)?;
        writeln!(out, "level: {} (security severity {:.1})", card.level, card.security_severity)?;
        writeln!(out, "runs:  {}", if rule.is_default() { "by default" } else { "when selected with --select" })?;
        writeln!(out, "needs: {}", card.needs.join(", "))?;
        for (heading, text) in &card.sections {
            writeln!(out, "\n{heading}\n{}\n\n{text}", "-".repeat(heading.chars().count()))?;
        }
        writeln!(out, "\nExamples\n--------")?;
        for example in &card.examples {
            writeln!(out, "\n{}: {}", example.expectation.name(), example.title)?;
            for (name, text) in &example.files {
                writeln!(out, "\n  {name}")?;
                text.lines().try_for_each(|line| writeln!(out, "    {line}"))?;
            }
            if !(example.findings.is_empty() && example.gaps.is_empty()) {
                writeln!(out)?;
                example.findings.iter().chain(&example.gaps).try_for_each(|line| writeln!(out, "  -> {line}"))?;
            }
        }
        if !card.controls.is_empty() {
            writeln!(out, "\nControls this gives evidence for\n--------------------------------\n")?;
            card.controls.iter().try_for_each(|control| writeln!(out, "{}", spell_out(control)))?;
        }
        writeln!(out, "\nReferences\n----------\n")?;
        card.references.iter().try_for_each(|reference| writeln!(out, "{reference}"))
    })
}

/// A control with its confidence in words.
fn spell_out(control: &str) -> String {
    let (id, letter) = control.rsplit_once(' ').unwrap_or((control, ""));
    let who = match letter {
        "A" => "mapping published by AWS or CIS",
        "P" => "mapping published by Prowler",
        _ => "our judgement",
    };
    format!("{id} ({who})")
}
