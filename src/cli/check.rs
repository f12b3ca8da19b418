//! `trailproof check`

use std::mem::ManuallyDrop;

use clap::ArgMatches;

use super::args::CheckArgs;
use super::estate::Loaded;
use super::output::Destination;
use super::{Exit, Failure, in_pool, output, terminal};
use crate::audit::{Audit, Report};
use crate::report::{self, Format, TextOptions};
use crate::rule::Selection;
use crate::rules::RULES;

pub(super) fn run(args: &CheckArgs, matches: &ArgMatches) -> Result<Exit, Failure> {
    let destinations = output::destinations(&args.report, Format::Text, matches)?;
    let today = today()?;
    in_pool(args.input.jobs, || {
        // The process ends with the command: giving back a hundred thousand policies one by one would be for nothing.
        let loaded = ManuallyDrop::new(Loaded::read(&args.input, args.kind, args.subject.as_deref())?);
        let selection = selection(args, &loaded)?;
        let audit = Audit {
            estate: &loaded.estate,
            model: &loaded.model,
            config: loaded.config.as_ref(),
            selection: &selection,
            today,
            files: loaded.files,
        };
        let mut report = ManuallyDrop::new(audit.run());
        report.notes = loaded.remarks.clone();
        report.failures = loaded.failures.clone();
        if args.report.verbose {
            report.notes.extend(loaded.details.iter().cloned());
            let aside = report.set_aside.iter();
            let lines: Vec<String> = aside
                .map(|subject| {
                    format!("{} `{}` was set aside: no rule that ran applies to it", subject.kind.title(), subject.name)
                })
                .collect();
            report.notes.extend(lines);
        }
        let mut exit = verdict(args, &report);
        for destination in &destinations {
            let options = TextOptions {
                color: destination.is_coloured(args.report.color),
                width: terminal::width(),
                verbose: args.report.verbose,
                quiet: args.report.quiet,
                ..TextOptions::default()
            };
            destination.write(|out| report::write(out, destination.format, &report, &options))?;
        }
        // Whoever runs it sees how it ended, also where every report goes to a file or to a machine.
        let is_shown = |to: &Destination<Format>| to.file.is_none() && !to.format.is_for_machines();
        if !args.report.quiet && !destinations.iter().any(is_shown) {
            terminal::say(&report::text::summary(&report, false));
        }
        if !loaded.failures.is_empty() {
            exit = Exit::Failed;
        }
        Ok(exit)
    })
}

fn verdict(args: &CheckArgs, report: &Report<'_>) -> Exit {
    let reached = report.findings.iter().any(|finding| args.fail_on.is_reached_by(finding.level));
    match reached {
        true => Exit::Findings,
        // What left no rule without a verdict is shown and asks for nothing.
        false if args.strict && report.gaps.iter().any(|gap| !gap.blocks.is_empty()) => Exit::Unknown,
        false => Exit::Clean,
    }
}

/// The rules that run: the command line replaces the config.
fn selection(args: &CheckArgs, loaded: &Loaded) -> Result<Selection, Failure> {
    let declared = loaded.config.as_ref().map(|config| &config.rules);
    let own = |list: &[crate::text::Spanned<String>]| list.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
    let (mut select, mut ignore) = (args.select.clone(), args.ignore.clone());
    if select.is_empty() && ignore.is_empty() {
        select = declared.and_then(|rules| rules.select.as_ref()).map(|names| own(&names.value)).unwrap_or_default();
        ignore = declared.map(|rules| own(&rules.ignore)).unwrap_or_default();
    } else if select.is_empty() {
        select = declared.and_then(|rules| rules.select.as_ref()).map(|names| own(&names.value)).unwrap_or_default();
    }
    Selection::new(&RULES, &select, &ignore).map_err(|unknown| {
        let hint = unknown.suggestion.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Failure::new(format!("{unknown}{hint}"))
    })
}

/// The day of the run in UTC; `SOURCE_DATE_EPOCH` (seconds) sets it.
fn today() -> Result<time::Date, Failure> {
    let now = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => {
            let seconds = text.trim().parse().ok().and_then(|s| time::OffsetDateTime::from_unix_timestamp(s).ok());
            seconds.ok_or_else(|| Failure::new(format!("SOURCE_DATE_EPOCH is `{text}`, not seconds since 1970")))?
        }
        Err(_) => time::OffsetDateTime::from(std::time::SystemTime::now()),
    };
    Ok(now.date())
}
