//! Reading live accounts, and what follows.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::ArgMatches;
use serde_json::Value;

use super::link::Linked;
use super::progress::{Progress, in_words};
use crate::aws::AccountId;
use crate::cli::args::{AuditArgs, CollectArgs, LiveArgs, PolicyFor};
use crate::cli::check::{self, Reporter};
use crate::cli::estate::{Inputs, Loaded, config_of, find_config, shown};
use crate::cli::{Exit, Failure, in_pool, output, terminal};
use crate::collect::live::{self, Accounts, Asker, Collection, LiveError, LiveOptions};
use crate::collect::reason;
use crate::config::Config;
use crate::model;

pub(in crate::cli) fn collect(args: &CollectArgs) -> Result<Exit, Failure> {
    let live = &args.live;
    if let Some(whose) = args.print_policy {
        return print_policy(live, whose);
    }
    let Some(directory) = &args.output else { return Err(Failure::new("`--output DIR` is missing")) };
    let cwd = std::env::current_dir()?;
    let config = find_config(&args.config, &[], &cwd)?.map(|path| config_of(&path, &cwd)).transpose()?;
    let options = options(live, directory, args.resume, config.as_ref())?;
    let collection = read(options, args.quiet, args.verbose)?;
    let shown = directory.display();
    if !args.quiet {
        terminal::say(&format!("{}; `trailproof check {shown}` audits it", came_to(&collection, &shown.to_string())));
    }
    // A snapshot in which nothing was read is not what was asked for.
    Ok(if collection.accounts.is_empty() { Exit::Failed } else { Exit::Clean })
}

pub(in crate::cli) fn audit(args: &AuditArgs, matches: &ArgMatches) -> Result<Exit, Failure> {
    let reporter = Reporter::new(&args.audit, matches)?;
    let cwd = std::env::current_dir()?;
    let found = find_config(&args.config, &[], &cwd)?;
    let config = found.as_ref().map(|path| config_of(path, &cwd)).transpose()?;
    // Mistakes come to light before an hour of reading.
    let selection = check::selection(&args.audit, config.as_ref())?;
    let linked = Linked::read(&args.link, found.as_deref().zip(config.as_ref()), &cwd)?;
    let snapshot = Snapshot::new(args.snapshot.as_deref(), &cwd)?;
    let options = options(&args.live, snapshot.directory(), args.resume, config.as_ref())?;
    let told = &args.audit.report;
    let collection = read(options, told.quiet, told.verbose)?;
    if !told.quiet {
        terminal::say(&came_to(&collection, &snapshot.name()));
    }
    in_pool(args.jobs, || {
        let paths = [snapshot.directory().to_owned()];
        let seen_from = snapshot.seen_from();
        let inputs = Inputs { paths: &paths, seen_from, config: found, jobs: args.jobs, kind: None, subject: None };
        let mut loaded = ManuallyDrop::new(Loaded::of(&inputs)?);
        if collection.accounts.is_empty() {
            loaded.failures.push("no account could be read".to_owned());
        }
        if matches!(snapshot, Snapshot::Passing { .. }) {
            let note = "places are in the snapshot of this run, which is deleted; `--snapshot DIR` keeps it";
            loaded.remarks.push(note.to_owned());
        }
        let kept = args.snapshot.as_deref().map(|directory| shown(&cwd.join(directory), &cwd));
        let joined = linked.map(|linked| linked.join(&mut loaded, kept.as_deref()));
        reporter.report(&loaded, &selection, |report| {
            joined.iter().for_each(|joined| joined.link(&loaded, report));
        })
    })
}

/// Where the answers are kept.
enum Snapshot {
    /// In a folder that the user named, seen from the working directory.
    Kept { directory: PathBuf, cwd: PathBuf },
    /// In one that goes when the audit is done.
    Passing { folder: tempfile::TempDir, root: PathBuf },
}

impl Snapshot {
    fn new(directory: Option<&Path>, cwd: &Path) -> Result<Self, Failure> {
        if let Some(directory) = directory {
            return Ok(Snapshot::Kept { directory: directory.to_owned(), cwd: cwd.to_owned() });
        }
        let fail = |error: std::io::Error| Failure::new(format!("can not make a temporary folder: {}", reason(&error)));
        let folder = tempfile::Builder::new().prefix("trailproof-").tempdir().map_err(fail)?;
        let root = folder.path().canonicalize().map_err(fail)?;
        Ok(Snapshot::Passing { folder, root })
    }

    fn directory(&self) -> &Path {
        match self {
            Snapshot::Kept { directory, .. } => directory,
            Snapshot::Passing { root, .. } => root,
        }
    }

    /// The folder that names of files are relative to.
    fn seen_from(&self) -> &Path {
        match self {
            Snapshot::Kept { cwd, .. } => cwd,
            Snapshot::Passing { root, .. } => root,
        }
    }

    fn name(&self) -> String {
        match self {
            Snapshot::Kept { directory, .. } => directory.display().to_string(),
            Snapshot::Passing { folder, .. } => folder.path().display().to_string(),
        }
    }
}

/// Reads what the options ask for, and tells how far it is.
fn read(options: LiveOptions, quiet: bool, verbose: bool) -> Result<Collection, Failure> {
    let progress = Arc::new(Progress::new(quiet, verbose));
    let result = live::collect(options, progress.clone(), model::speaks_of_logs);
    progress.end();
    result.map_err(|error| Failure::new(with_help(&error)))
}

fn with_help(error: &LiveError) -> String {
    let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    format!("{error}{help}")
}

/// What a collection came to, as one line.
fn came_to(collection: &Collection, directory: &str) -> String {
    let accounts = in_words(collection.accounts.len(), "account");
    let calls = usize::try_from(collection.calls.values().sum::<u64>()).unwrap_or(usize::MAX);
    let unread = match collection.unread.len() {
        0 => String::new(),
        1 => ", 1 answer could not be had".to_owned(),
        count => format!(", {count} answers could not be had"),
    };
    let caller = &collection.caller.arn;
    format!("read {accounts} as {caller} into `{directory}` ({}{unread})", in_words(calls, "call"))
}

fn options(args: &LiveArgs, directory: &Path, resume: bool, config: Option<&Config>) -> Result<LiveOptions, Failure> {
    let listed = match &args.accounts_file {
        Some(file) => accounts_in(file)?,
        None => args.accounts.clone(),
    };
    let accounts = match (listed.is_empty(), &args.assume_role) {
        (false, _) => Accounts::Listed(listed),
        (true, Some(_)) => Accounts::Organization,
        (true, None) => Accounts::Own,
    };
    let log_buckets = config.map(|config| config.log_buckets.iter().map(|bucket| bucket.name.value.clone()));
    Ok(LiveOptions {
        directory: directory.to_owned(),
        resume,
        accounts,
        role: args.assume_role.clone(),
        external_id: args.external_id.clone(),
        regions: args.regions.clone(),
        profile: args.profile.clone(),
        endpoint_url: args.endpoint_url.clone(),
        log_buckets: log_buckets.into_iter().flatten().collect(),
        all_buckets: args.all_buckets,
        concurrency: usize::from(args.concurrency),
        call_timeout: args.call_timeout,
        until: args.time_limit.map(|limit| Instant::now() + limit),
    })
}

/// The accounts that a file lists: an ID in each line, or an answer of `organizations list-accounts`, of which only
/// active accounts can be read.
fn accounts_in(file: &Path) -> Result<Vec<AccountId>, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("can not read `{name}`: {}", reason(&error))))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let wrong = |what: &str| Failure::new(format!("`{name}`: {what}"));
    let no_id = |given: &str| wrong(&format!("`{given}` is no account ID, which has 12 digits"));
    let mut accounts = Vec::new();
    if text.trim_start().starts_with(['{', '[']) {
        let answer: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        let list = answer.get("Accounts").unwrap_or(&answer).as_array();
        for entry in list.ok_or_else(|| wrong("no list `Accounts` in it"))? {
            let is_active = entry.get("Status").and_then(Value::as_str).is_none_or(|status| status == "ACTIVE");
            let id = entry.get("Id").unwrap_or(entry);
            let id = id.as_str().ok_or_else(|| wrong("an entry without an `Id`"))?;
            let account = AccountId::parse(id).ok_or_else(|| no_id(id))?;
            accounts.extend(is_active.then_some(account));
        }
    } else {
        for line in text.lines() {
            let id = line.split('#').next().unwrap_or_default().trim();
            if !id.is_empty() {
                accounts.push(AccountId::parse(id).ok_or_else(|| no_id(id))?);
            }
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() { Err(wrong("it lists no account")) } else { Ok(accounts) }
}

fn print_policy(args: &LiveArgs, whose: PolicyFor) -> Result<Exit, Failure> {
    let partition = match args.regions.first() {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let asker = match whose {
        PolicyFor::Caller => Asker::Caller { assumes: args.assume_role.as_deref() },
        PolicyFor::Role => Asker::Role,
    };
    let policy = live::least_privilege(partition, asker);
    output::to_stdout(|out| writeln!(out, "{policy:#}"))
}
