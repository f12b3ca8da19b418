//! `trailproof.toml`: the sharing model as its owner declares it, with the place of every value.
//!
//! [`Config::parse`] reports all mistakes of a file at once. Nothing here reads a file, knows a rule or compares the
//! declaration with an estate: the caller brings the text, hands in the names of the rules
//! ([`Config::check_rule_names`]) and reads the file that `accounts-file` names. Paths are relative to the folder of
//! the configuration file.

mod consistency;
mod document;
mod error;
mod fields;
mod files;
mod keys;
mod pattern;
mod rules;
mod sharing;
mod suggestion;
mod values;

pub use error::ConfigError;
pub use files::{DocumentKind, FileEntry};
pub use pattern::{PathPattern, Wildcard};
pub use rules::{Level, Limits, RuleSelection, Waiver};
pub use sharing::{LogBucket, Logs, MemberReaders, Organization, Reader, ThirdParty};
pub use suggestion::closest;

use crate::aws::AccountId;
use crate::text::{SourceId, Spanned};
use document::Document;
use fields::{Fields, Mistakes};

/// The JSON Schema (2020-12) of the file, for editors.
pub const SCHEMA: &str = include_str!("../docs/trailproof.schema.json");

/// A whole `trailproof.toml` that holds no mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The text it was read from; every place in it lies there.
    pub source: SourceId,
    /// `[organization]`, where the file has that table.
    pub organization: Option<Organization>,
    /// `[[log-bucket]]`, in the order of the file; no two have one name.
    pub log_buckets: Vec<LogBucket>,
    /// `[[reader]]`, in the order of the file; an account is there at most once for all buckets and once for each.
    pub readers: Vec<Reader>,
    /// `[[third-party]]`, in the order of the file; none is a listed member or a reader, and each is there as often as
    /// a reader may be.
    pub third_parties: Vec<ThirdParty>,
    /// `[limits]`, or the defaults.
    pub limits: Limits,
    /// `[rules]`; empty where the file says nothing about rules.
    pub rules: RuleSelection,
    /// `[[allow]]`, in the order of the file.
    pub waivers: Vec<Waiver>,
    /// `[[file]]`, in the order of the file; no path stands there twice.
    pub files: Vec<FileEntry>,
}

impl Config {
    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// Every mistake, in the order of the file. Behind a break in the TOML syntax nothing is read.
    pub fn parse(text: &str, source: SourceId) -> Result<Config, Vec<ConfigError>> {
        let document = Document::parse(text, source)?;
        let mistakes = Mistakes::new(text, source);
        let file = Fields::new(&keys::FILE, document.root(), &mistakes);
        let config = Config {
            source,
            organization: file.table("organization", &keys::ORGANIZATION).as_ref().map(Organization::read),
            log_buckets: file.tables("log-bucket", &keys::LOG_BUCKET).iter().filter_map(LogBucket::read).collect(),
            readers: file.tables("reader", &keys::READER).iter().filter_map(Reader::read).collect(),
            third_parties: file.tables("third-party", &keys::THIRD_PARTY).iter().filter_map(ThirdParty::read).collect(),
            limits: file.table("limits", &keys::LIMITS).as_ref().map(Limits::read).unwrap_or_default(),
            rules: file.table("rules", &keys::RULES).as_ref().map(RuleSelection::read).unwrap_or_default(),
            waivers: file.tables("allow", &keys::ALLOW).iter().filter_map(Waiver::read).collect(),
            files: file.tables("file", &keys::FILE_ENTRY).iter().filter_map(FileEntry::read).collect(),
        };
        consistency::check(&config, &mistakes);
        let errors = document.join(mistakes.into_errors());
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }

    /// Third parties that are among `members`, each with both places.
    ///
    /// [`Config::parse`] asks this of the accounts in the file itself; those that `accounts-file` brings are the
    /// caller's to ask about.
    pub fn third_parties_among(&self, members: &[Spanned<AccountId>]) -> Vec<ConfigError> {
        consistency::third_parties_among(&self.third_parties, members)
    }

    /// Names in `select`, `ignore`, `level` and `[[allow]]` that are no rule, in the order of the file.
    ///
    /// `rules` are the rule ids; `groups` what else may be selected: the group names, `default` and `all`. A level and
    /// a waiver are for one rule, so there a group is a mistake too.
    pub fn check_rule_names(&self, rules: &[&str], reserved: &[&str], groups: &[&str]) -> Vec<ConfigError> {
        rules::check_names(self, rules, reserved, groups)
    }

    /// What the file says about the document at `path`: a path of its own goes before a glob, an earlier glob before a
    /// later one.
    ///
    /// `path` is relative to the folder of the configuration file and uses `/`.
    pub fn file_entry(&self, path: &str) -> Option<&FileEntry> {
        let matching = |glob: bool| self.files.iter().find(move |f| f.path.is_glob() == glob && f.path.matches(path));
        matching(false).or_else(|| matching(true))
    }
}

#[cfg(test)]
mod tests;
