//! From paths to facts: finds the config, collects the inputs, settles the sharing model.

use std::path::{Component, Path, PathBuf};

use super::args::{ConfigArgs, InputArgs};
use super::{Failure, terminal};
use crate::collect::{self, CollectError, Collected, Declared, Options, Skipped};
use crate::config::{Config, ConfigError};
use crate::estate::Estate;
use crate::model::Model;
use crate::policy::PolicyKind;
use crate::rules::{RESERVED, RULES};
use crate::text::{Source, SourceMap, Span, Spanned};

/// The name the config is looked up by.
pub(super) const CONFIG_NAME: &str = "trailproof.toml";

/// All that was read.
pub(super) struct Loaded {
    pub(super) estate: Estate,
    pub(super) model: Model,
    pub(super) config: Option<Config>,
    /// How many files held something to audit.
    pub(super) files: usize,
    /// What was said along the way, one sentence each.
    pub(super) remarks: Vec<String>,
    /// What is told only with `-v`.
    pub(super) details: Vec<String>,
    /// What was asked for and could not be done, one sentence each.
    pub(super) failures: Vec<String>,
}

/// What to read, and how.
pub(super) struct Inputs<'a> {
    pub(super) paths: &'a [PathBuf],
    /// The folder that names of files are relative to.
    pub(super) seen_from: &'a Path,
    /// The config file.
    pub(super) config: Option<PathBuf>,
    pub(super) jobs: Option<u16>,
    pub(super) kind: Option<PolicyKind>,
    pub(super) subject: Option<&'a str>,
}

impl Loaded {
    /// Reads the inputs; what can not be read is said on standard error and the rest is read all the same.
    ///
    /// # Errors
    /// Where nothing can be read at all.
    pub(super) fn read(args: &InputArgs, kind: Option<PolicyKind>, subject: Option<&str>) -> Result<Self, Failure> {
        let cwd = std::env::current_dir()?;
        let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
        let config = find_config(&args.config, &paths, &cwd)?;
        Loaded::of(&Inputs { paths: &paths, seen_from: &cwd, config, jobs: args.jobs, kind, subject })
    }

    /// The same where it is settled what to read.
    ///
    /// # Errors
    /// Where nothing can be read at all.
    pub(super) fn of(inputs: &Inputs<'_>) -> Result<Self, Failure> {
        let cwd = std::env::current_dir()?;
        let mut failures = Vec::new();
        let mut remarks = Vec::new();
        let found = inputs.config.as_deref();
        let text = found.map(|path| read_text(path, &cwd)).transpose()?;
        let folder = found.and_then(Path::parent).unwrap_or(&cwd);
        let config = text.as_ref().and_then(|(name, text)| read_config(name, text, folder));
        let accounts = config.as_ref().and_then(|config| config.organization.as_ref()?.accounts_file.as_ref());
        let accounts = accounts.map(|file| folder.join(&file.value));
        let declared = |path: &Path| declared(config.as_ref()?, folder, path);
        let options = Options {
            jobs: usize::from(inputs.jobs.unwrap_or(0)),
            kind: inputs.kind,
            subject: inputs.subject,
            declared: config.is_some().then_some(&declared as &(dyn Fn(&Path) -> Option<Declared> + Sync)),
            accounts_file: accounts.clone(),
            cwd: inputs.seen_from.to_owned(),
        };
        let collected = collect::collect(inputs.paths, &mut std::io::stdin().lock(), &options);
        let Collected { mut estate, files, skipped, linked_directories, templates, remarks: more, errors } =
            collected.map_err(|error| Failure::new(with_help(&error)))?;
        for error in &errors {
            failures.push(error.to_string());
            terminal::complain(&with_help(error));
        }
        // The config was read before the inputs because it says what some of them are; its places count from here on.
        let is_declared = text.is_some();
        let config = text.filter(|_| config.is_some()).and_then(|(name, text)| {
            let id = estate.sources.add(Source::new(name, text.clone()));
            Config::parse(&text, id).ok()
        });
        let config = config.filter(|config| check_accounts(config, accounts.is_some(), &estate));
        if is_declared && config.is_none() {
            failures.push("the config has mistakes".to_owned());
            remarks.push("the config is not used because of its mistakes".to_owned());
        }
        let model = Model::new(&estate, config.as_ref(), None);
        if let Some(owner) = model.owner() {
            estate.settle(owner);
        }
        if let Some(path) = found.filter(|_| config.is_some()) {
            remarks.push(format!("config: {}", shown(path, &cwd)));
            remarks.extend(config.iter().flat_map(|config| unmet(config, folder)));
        }
        remarks.extend(model.inferences().iter().map(|inference| inference.value.clone()));
        remarks.extend(more);
        for template in &templates {
            remarks.push(format!("`{}` is a template ({}); templates are not read yet", template.name, template.why));
        }
        let (named, met): (Vec<_>, Vec<_>) = skipped.iter().partition(|skipped| skipped.named);
        let line = |skipped: &&Skipped| format!("skipped `{}`: {}", skipped.name, skipped.why);
        remarks.extend(named.iter().map(line));
        if !met.is_empty() {
            let (count, s) = (met.len(), if met.len() == 1 { "" } else { "s" });
            remarks.push(format!("{count} file{s} skipped: no policy document and no answer of the AWS CLI"));
        }
        let mut details: Vec<String> = met.iter().map(line).collect();
        details.extend(
            linked_directories
                .iter()
                .map(|name| format!("skipped `{name}`: a link to a directory, which is not followed")),
        );
        details.extend(std::mem::take(&mut estate.named).into_iter().map(|named| named.value));
        Ok(Loaded { estate, model, config, files, remarks, details, failures })
    }
}

/// The config to use: the one named, else the nearest.
pub(super) fn find_config(args: &ConfigArgs, paths: &[PathBuf], cwd: &Path) -> Result<Option<PathBuf>, Failure> {
    if args.no_config {
        return Ok(None);
    }
    if let Some(named) = &args.file {
        return Ok(Some(cwd.join(named)));
    }
    let starts = common_folder(paths, cwd).into_iter().chain([cwd.to_path_buf()]);
    for start in starts {
        if let Some(found) = start.ancestors().map(|folder| folder.join(CONFIG_NAME)).find(|path| path.is_file()) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The folder that holds all paths; none where only standard input is read.
fn common_folder(paths: &[PathBuf], cwd: &Path) -> Option<PathBuf> {
    let mut common: Option<PathBuf> = None;
    for path in paths.iter().filter(|path| path.as_os_str() != "-") {
        let path = clean(&cwd.join(path));
        let folder = if path.is_dir() { path } else { path.parent().map(Path::to_path_buf)? };
        common = Some(match common {
            None => folder,
            Some(common) => {
                let shared = common.components().zip(folder.components()).take_while(|(a, b)| a == b);
                shared.map(|(component, _)| component).collect()
            }
        });
    }
    common
}

/// Takes `.` and `..` out of a path without asking the file system.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// A path as people see it: relative to the working directory where it lies below.
pub(super) fn shown(path: &Path, cwd: &Path) -> String {
    let clean = clean(path);
    let shown = clean.strip_prefix(cwd).unwrap_or(&clean);
    shown.to_string_lossy().replace('\\', "/")
}

/// The config of a file, for what has to be known of it before the inputs are there.
///
/// # Errors
/// Where it can not be read, or has mistakes, which are said on standard error.
#[cfg(feature = "live")]
pub(super) fn config_of(path: &Path, cwd: &Path) -> Result<Config, Failure> {
    let (name, text) = read_text(path, cwd)?;
    read_config(&name, &text, path.parent().unwrap_or(cwd)).ok_or_else(|| Failure::new("the config has mistakes"))
}

/// Reads the config's text; its name as people see it, and the text.
fn read_text(path: &Path, cwd: &Path) -> Result<(String, String), Failure> {
    let name = shown(path, cwd);
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(format!("can not read the config `{name}`: {}", collect::reason(&error))))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("the config `{name}` is not UTF-8 text")))?;
    Ok((name, text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

/// Reads the config; says what is wrong with it and gives `None` where it has mistakes.
fn read_config(name: &str, text: &str, folder: &Path) -> Option<Config> {
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new(name, text));
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let mut groups: Vec<&str> = RULES.iter().map(|rule| rule.group).chain(["default", "all"]).collect();
    groups.dedup();
    let mistakes = match Config::parse(text, id) {
        Ok(config) => {
            let mut mistakes = config.check_rule_names(&rules, &RESERVED, &groups);
            mistakes.extend(unreadable_accounts(&config, folder));
            if mistakes.is_empty() {
                return Some(config);
            }
            mistakes
        }
        Err(mistakes) => mistakes,
    };
    mistakes.iter().for_each(|mistake| say(mistake, &sources));
    None
}

/// Prints a mistake in the config with its place.
fn say(mistake: &ConfigError, sources: &SourceMap) {
    let place = |span: Span| {
        let position = sources.source(span.source).map(|source| source.position(span.start));
        position.map_or_else(String::new, |position| format!("{}:{position}", sources.name(span.source)))
    };
    let mut text = format!("{}: {}", place(mistake.span), mistake.message);
    if let Some(source) = sources.source(mistake.span.source) {
        let position = source.position(mistake.span.start);
        let line = source.line_range(position.line).and_then(|range| source.text().get(range)).unwrap_or("");
        let width = sources.slice(mistake.span).lines().next().map_or(1, |line| line.chars().count().max(1));
        let pad = " ".repeat(position.column as usize - 1);
        text.push_str(&format!("\n  | {line}\n  | {pad}{}", "^".repeat(width)));
    }
    if let Some(related) = &mistake.related {
        text.push_str(&format!("\n  {}: {}", place(related.span), related.value));
    }
    if let Some(help) = &mistake.help {
        text.push_str(&format!("\n  help: {help}"));
    }
    terminal::complain(&text);
}

/// The mistake of an `accounts-file` that can not be read.
fn unreadable_accounts(config: &Config, folder: &Path) -> Option<ConfigError> {
    let file = config.organization.as_ref()?.accounts_file.as_ref()?;
    let error = std::fs::File::open(folder.join(&file.value)).err()?;
    Some(ConfigError::at(file.span, format!("can not read `{}`: {}", file.value, collect::reason(&error))))
}

/// Holds the accounts that the config's `accounts-file` lists against the config; says what is wrong with them.
fn check_accounts(config: &Config, has_file: bool, estate: &Estate) -> bool {
    let file = config.organization.as_ref().and_then(|organization| organization.accounts_file.as_ref());
    let Some(file) = file.filter(|_| has_file) else { return true };
    let mistakes = match estate.organization.accounts.present() {
        Some(accounts) => {
            let members: Vec<Spanned<_>> = accounts.iter().map(|member| Spanned::new(member.id, member.span)).collect();
            config.third_parties_among(&members)
        }
        None => {
            let message = format!("`{}` is not an answer of `organizations list-accounts`", file.value);
            vec![ConfigError::at(file.span, message)]
        }
    };
    mistakes.iter().for_each(|mistake| say(mistake, &estate.sources));
    mistakes.is_empty()
}

/// What the config speaks of and this run can not meet.
fn unmet<'c>(config: &'c Config, folder: &'c Path) -> impl Iterator<Item = String> + 'c {
    let files = config.files.iter().filter(|entry| !entry.path.is_glob());
    let gone = files.filter(|entry| !folder.join(entry.path.as_str()).exists());
    let gone = gone.map(|entry| format!("`{}`, which a `[[file]]` describes, does not exist", entry.path.as_str()));
    let early = config.waivers.iter().map(|waiver| &waiver.rule.value).filter(|rule| RESERVED.contains(&rule.as_str()));
    gone.chain(early.map(|rule| format!("the waiver for `{rule}` waits for a rule that this version does not have")))
}

/// What the config says of a document, whose path is absolute.
pub(super) fn declared(config: &Config, folder: &Path, path: &Path) -> Option<Declared> {
    let relative = path.strip_prefix(clean(folder)).ok()?.to_string_lossy().replace('\\', "/");
    let entry = config.file_entry(&relative)?;
    let kind = PolicyKind::from_name(entry.kind.value.as_str())?;
    Some(Declared { kind, subject: entry.subject.as_ref().map(|subject| subject.value.clone()) })
}

pub(super) fn with_help(error: &CollectError) -> String {
    let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    format!("{error}{help}")
}
