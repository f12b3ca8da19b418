//! `trailproof check`

use std::mem::ManuallyDrop;

use clap::ArgMatches;

use super::args::{AuditReportArgs, CheckArgs};
use super::estate::Loaded;
use super::output::Destination;
use super::{Exit, Failure, in_pool, output, terminal};
use crate::audit::{Audit, Report};
use crate::config::Config;
use crate::report::{self, Format, TextOptions};
use crate::rule::Selection;
use crate::rules::RULES;

pub(super) fn run(args: &CheckArgs, matches: &ArgMatches) -> Result<Exit, Failure> {
    let reporter = Reporter::new(&args.audit, matches)?;
    in_pool(args.input.jobs, || {
        // The process ends with the command: giving back a hundred thousand policies one by one would be for nothing.
        let loaded = ManuallyDrop::new(Loaded::read(&args.input, args.kind, args.subject.as_deref())?);
        let selection = selection(&args.audit, loaded.config.as_ref())?;
        reporter.report(&loaded, &selection, |_| {})
    })
}

/// Runs the rules and writes the reports that were asked for.
pub(super) struct Reporter<'a> {
    args: &'a AuditReportArgs,
    destinations: Vec<Destination<Format>>,
    today: time::Date,
}

impl<'a> Reporter<'a> {
    /// What the command line asks for.
    ///
    /// # Errors
    /// Where it asks for what can not be.
    pub(super) fn new(args: &'a AuditReportArgs, matches: &ArgMatches) -> Result<Self, Failure> {
        let destinations = output::destinations(&args.report, Format::Text, matches)?;
        Ok(Reporter { args, destinations, today: today()? })
    }

    /// Audits what was read; `finish` has the last word on the report.
    pub(super) fn report(
        &self,
        loaded: &Loaded,
        selection: &Selection,
        finish: impl FnOnce(&mut Report<'_>),
    ) -> Result<Exit, Failure> {
        let told = &self.args.report;
        let audit = Audit {
            estate: &loaded.estate,
            model: &loaded.model,
            config: loaded.config.as_ref(),
            selection,
            today: self.today,
            files: loaded.files,
        };
        let mut report = ManuallyDrop::new(audit.run());
        report.notes = loaded.remarks.clone();
        report.failures = loaded.failures.clone();
        if told.verbose {
            report.notes.extend(loaded.details.iter().cloned());
            let aside = report.set_aside.iter();
            let lines: Vec<String> = aside
                .map(|subject| {
                    format!("{} `{}` was set aside: no rule that ran applies to it", subject.kind.title(), subject.name)
                })
                .collect();
            report.notes.extend(lines);
        }
        finish(&mut report);
        let mut exit = verdict(self.args, &report);
        for destination in &self.destinations {
            let options = TextOptions {
                color: destination.is_coloured(told.color),
                width: terminal::width(),
                verbose: told.verbose,
                quiet: told.quiet,
                ..TextOptions::default()
            };
            destination.write(|out| report::write(out, destination.format, &report, &options))?;
        }
        // Whoever runs it sees how it ended, also where every report goes to a file or to a machine.
        let is_shown = |to: &Destination<Format>| to.file.is_none() && !to.format.is_for_machines();
        if !told.quiet && !self.destinations.iter().any(is_shown) {
            terminal::say(&report::text::summary(&report, false));
        }
        if !loaded.failures.is_empty() {
            exit = Exit::Failed;
        }
        Ok(exit)
    }
}

fn verdict(args: &AuditReportArgs, report: &Report<'_>) -> Exit {
    let reached = report.findings.iter().any(|finding| args.fail_on.is_reached_by(finding.level));
    match reached {
        true => Exit::Findings,
        // What left no rule without a verdict is shown and asks for nothing.
        false if args.strict && report.gaps.iter().any(|gap| !gap.blocks.is_empty()) => Exit::Unknown,
        false => Exit::Clean,
    }
}

/// The rules that run: the command line replaces the config.
pub(super) fn selection(args: &AuditReportArgs, config: Option<&Config>) -> Result<Selection, Failure> {
    let declared = config.map(|config| &config.rules);
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
