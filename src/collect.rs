//! Reads files, exports and snapshots into an estate: the only code that reads the outside.
//!
//! Each text is read and recognised by itself ([`collect`] does that on several threads where it pays), then all that
//! was told is joined. Nothing here decides about access. The result does not depend on the order of paths or on the
//! number of threads.
//!
//! Besides policy documents and the answers of the AWS CLI these are the configuration items of AWS Config, in files and
//! in answers: each says itself what it is about, and of several of one resource the latest counts.
//!
//! # What a document is about
//!
//! In this order of trust: `--subject`; `[[file]]`; the document itself (ARNs, names of the answer, for a bucket policy
//! the one bucket its resources name, for a key policy the one account whose root administers the key); its folder and
//! file. Two documents are joined only where the table below says so; a document that nothing names is audited by itself.
//!
//! | name | tells |
//! |---|---|
//! | `<account>/s3/<bucket>/…` and the other folders of a snapshot | account, bucket, key, trail, Region, policy ID; for these it goes before the document |
//! | a folder of 12 digits, or `get-caller-identity` in the same folder | the account |
//! | `NAME-trust`, `NAME-trust-policy`, `NAME-assume-role-policy`, … (also joined by `.` or `_`) | a trust policy: role `NAME` |
//! | `NAME-access`, `NAME-permissions`, `NAME-policy`, `NAME-inline`, …, `NAME-boundary` | role `NAME`, where a trust policy or an answer in the same folder names that role, or in a folder `roles`, `users`, `groups` |
//! | `roles/NAME/…`, `users/NAME/…`, `groups/NAME/…` | role, user or group `NAME` |
//! | `roles/NAME` | role `NAME` |
//! | `trust-policy` beside `access`, `permissions-policy`, … | one role, called after the folder where it holds nothing but such documents |
//! | `NAME-get-bucket-acl`, `get-bucket-acl-NAME`, `NAME-acl`, … | bucket `NAME`; of several readings the one that is a bucket elsewhere |
//! | `KEYID-key-policy`, `TRAIL-status`, `POLICY-v3` | the key, trail or managed policy of that name, where there is one |
//! | no name, in a folder whose documents name one bucket, key, trail, role, user, group or managed policy | that one |
//! | `scp`, `rcp`, `boundary` at the end of the name, or folders of these names | the kind of the policy, which its text can not tell |
//!
//! What was taken from names is said in [`Estate::named`](crate::estate::Estate::named), but for the folders of a
//! snapshot.

mod answer;
mod cloudtrail;
mod configuration_item;
mod error;
mod files;
mod iam;
mod join;
mod kms;
mod label;
mod large;
#[cfg(feature = "live")]
pub mod live;
mod names;
mod operation;
mod organizations;
mod parse;
mod piece;
mod read;
mod reader;
mod s3;
mod shape;
mod subject;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

pub use error::{CollectError, reason};
pub(crate) use kms::read_grant;
pub(crate) use s3::read_acl_grant;

use crate::estate::Estate;
use crate::policy::PolicyKind;
use crate::syntax::json::Tape;
use crate::text::{Source, SourceId, SourceMap};
use files::{Input, Listing};
use join::{FileTold, Said};
use names::{AllFolders, FolderNames, Names};
use parse::Outcome;
use subject::Subject;

/// From this many files on it pays to start threads.
const WORTH_THREADS: usize = 64;

/// How to collect.
#[derive(Clone, Default)]
pub struct Options<'a> {
    /// How many threads may read and parse; 0 counts as 1.
    pub jobs: usize,
    /// `--kind`: what the policies among the files given by name are.
    pub kind: Option<PolicyKind>,
    /// `--subject`: what the one document given by name is attached to.
    pub subject: Option<&'a str>,
    /// `[[file]]`: what the user declares of the file at an absolute path.
    pub declared: Option<&'a Declarations<'a>>,
    /// `accounts-file`: a file that the config names, read though it is no input.
    pub accounts_file: Option<PathBuf>,
    /// The working directory: paths and names are seen from there.
    pub cwd: PathBuf,
}

/// What the user declares of the file at an absolute path; asked from several threads.
pub type Declarations<'a> = dyn Fn(&Path) -> Option<Declared> + Sync + 'a;

/// What the user declares of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The kind of its policy.
    pub kind: PolicyKind,
    /// What it is attached to: an ARN; for an SCP or RCP the ID of an account, OU or root.
    pub subject: Option<String>,
}

/// What was collected.
#[derive(Debug)]
pub struct Collected {
    /// The inventory.
    pub estate: Estate,
    /// How many files held something to audit.
    pub files: usize,
    /// Files that were looked at and hold nothing of ours, in order.
    pub skipped: Vec<Skipped>,
    /// Links to directories, which are not followed, in order.
    pub linked_directories: Vec<String>,
    /// Templates, which are not read yet, each with what it is, in order.
    pub templates: Vec<Skipped>,
    /// What else people should know, one sentence each.
    pub remarks: Vec<String>,
    /// Inputs that could not be read: exit code 2, though the rest is audited.
    pub errors: Vec<CollectError>,
}

/// A file that tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// How reports call it.
    pub name: String,
    /// Why it was skipped, or what it is.
    pub why: String,
    /// Whether it was given by name.
    pub named: bool,
}

/// Reads all that `paths` stand for; `-` is `stdin`.
///
/// # Errors
/// A subject that is none, or that is not for exactly one document. What can not be read is in [`Collected::errors`].
pub fn collect(paths: &[PathBuf], stdin: &mut dyn Read, options: &Options<'_>) -> Result<Collected, CollectError> {
    let subject = options.subject.map(read_subject).transpose()?;
    let listing = files::list(paths, options.accounts_file.as_deref(), &options.cwd);
    let stdin = listing.inputs.iter().any(is_stdin).then(|| read::stream(stdin, files::STDIN));
    let stdin = std::sync::Mutex::new(stdin);
    let said = options.kind.or_else(|| subject.as_ref().and_then(Subject::kind));
    let mut folders = AllFolders::default();
    let in_folders: Vec<_> = listing.inputs.iter().map(|input| (input, folders.of(&input.name, &input.path))).collect();
    let one = |tape: &mut Tape, (number, (input, folder)): (usize, &(&Input, Arc<FolderNames>))| {
        let names = Names::new(&input.name, Arc::clone(folder));
        one(SourceId::new(number as u32), (input, names), &stdin, said, options, tape)
    };
    let each = || {
        let mut tape = Tape::new();
        in_folders.iter().enumerate().map(|input| one(&mut tape, input)).collect()
    };
    let outcomes: Vec<(Names, Option<Declared>, Outcome)> = if options.jobs > 1 && listing.inputs.len() >= WORTH_THREADS
    {
        match rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build() {
            Ok(pool) => pool.install(|| in_folders.par_iter().enumerate().map_init(Tape::new, one).collect()),
            Err(_) => each(),
        }
    } else {
        each()
    };
    Gathered::new(listing, outcomes).finish(options, subject)
}

fn read_subject(text: &str) -> Result<Subject, CollectError> {
    Subject::parse(text)
        .ok_or_else(|| CollectError::WrongSubject { subject: text.to_owned(), kind: "a policy document".to_owned() })
}

fn is_stdin(input: &Input) -> bool {
    input.path.as_os_str().is_empty()
}

/// Standard input, until it is asked for.
type Stdin = std::sync::Mutex<Option<Result<read::Content, CollectError>>>;

fn one(
    source: SourceId,
    (input, names): (&Input, Names),
    stdin: &Stdin,
    said: Option<PolicyKind>,
    options: &Options<'_>,
    tape: &mut Tape,
) -> (Names, Option<Declared>, Outcome) {
    let (declared, content) = if is_stdin(input) {
        let content = stdin.lock().ok().and_then(|mut content| content.take()).unwrap_or(Ok(read::Content::Empty));
        (None, content)
    } else {
        let declared = options.declared.and_then(|declared| declared(&input.path));
        (declared, read::file(&input.path, &input.name))
    };
    let kind = said.filter(|_| input.named).or(declared.as_ref().map(|declared| declared.kind));
    let outcome = match content {
        Ok(content) => parse::parse(content, source, input, &names, kind, tape),
        Err(error) => Outcome::Error(error),
    };
    (names, declared, outcome)
}

/// What became of all files.
struct Gathered {
    sources: SourceMap,
    told: Vec<FileTold>,
    /// The files given by name that tell something, by their numbers.
    named: Vec<SourceId>,
    /// Whether any file was given by name, whatever it holds.
    has_named: bool,
    /// How many files that only the config names tell something.
    beside: usize,
    declared: Vec<(SourceId, String)>,
    skipped: Vec<Skipped>,
    linked_directories: Vec<String>,
    templates: Vec<Skipped>,
    errors: Vec<CollectError>,
    remarks: Vec<String>,
}

impl Gathered {
    fn new(listing: Listing, outcomes: Vec<(Names, Option<Declared>, Outcome)>) -> Self {
        let Listing { inputs, directories, links, linked_directories, errors, remarks } = listing;
        let mut all = Gathered {
            sources: SourceMap::new(),
            told: Vec::with_capacity(outcomes.len()),
            named: Vec::new(),
            has_named: false,
            beside: 0,
            declared: Vec::new(),
            skipped: Vec::new(),
            linked_directories,
            templates: Vec::new(),
            errors,
            remarks,
        };
        let mut counts = vec![Counts::default(); directories.len()];
        for (input, (names, declared, outcome)) in inputs.into_iter().zip(outcomes) {
            for &directory in &input.directories {
                if let Some(counts) = counts.get_mut(directory as usize) {
                    counts.add(&outcome);
                }
            }
            all.add(input, names, declared, outcome);
        }
        for (directory, counts) in directories.iter().zip(&counts) {
            let inside = format!("{directory}/");
            let is_refused = |error: &CollectError| match error {
                CollectError::Unreadable { path, .. } => {
                    path == directory || path.starts_with(&inside) || (directory == "." && !path.starts_with('/'))
                }
                _ => false,
            };
            // What could not be looked at is said already; nobody knows what is in it.
            if counts.told == 0 && !all.errors.iter().any(is_refused) {
                let found = counts.in_words();
                all.errors.push(CollectError::NothingFound { path: directory.clone(), found });
            }
        }
        let why = "a link, which is not followed";
        all.skipped.extend(links.into_iter().map(|name| Skipped { name, why: why.to_owned(), named: false }));
        all.skipped.sort_unstable();
        all
    }

    fn add(&mut self, input: Input, names: Names, declared: Option<Declared>, outcome: Outcome) {
        let Input { name, named, beside, .. } = input;
        self.beside += usize::from(beside && matches!(outcome, Outcome::Told(..)));
        self.has_named |= named;
        // A file that tells nothing keeps its number, so that numbers do not depend on the content of others.
        let mut text = String::new();
        match outcome {
            Outcome::Told(read, told) => {
                text = read;
                let source = SourceId::new(self.sources.len() as u32);
                self.told.push(FileTold { source, names, said: None, told });
                if named {
                    self.named.push(source);
                }
                self.declared.extend(declared.and_then(|declared| Some((source, declared.subject?))));
            }
            Outcome::Skipped(why) => self.skipped.push(Skipped { name: name.clone(), why, named }),
            Outcome::Template(what) => {
                self.templates.push(Skipped { name: name.clone(), why: what.to_owned(), named });
            }
            Outcome::Error(error) => self.errors.push(error),
        }
        self.sources.add(Source::new(name, text));
    }

    fn finish(mut self, options: &Options<'_>, subject: Option<Subject>) -> Result<Collected, CollectError> {
        for (source, text) in std::mem::take(&mut self.declared) {
            match read_subject(&text) {
                Ok(subject) => self.set_subject(source, subject, text),
                Err(error) => self.errors.push(error),
            }
        }
        if let Some(subject) = subject {
            match self.named.as_slice() {
                &[source] => self.set_subject(source, subject, options.subject.unwrap_or_default().to_owned()),
                // The one document may be what could not be read.
                [] if !self.errors.is_empty() => {}
                named => return Err(CollectError::SubjectOf { count: named.len() }),
            }
        } else if options.kind.is_some() && !self.has_named && self.errors.is_empty() {
            return Err(CollectError::KindOfNothing);
        }
        let files = self.told.len() - self.beside;
        if files == 0 && self.errors.is_empty() {
            self.errors.push(CollectError::NothingRead);
        }
        let (estate, errors) = join::join(self.told, self.sources);
        self.errors.extend(errors);
        Ok(Collected {
            estate,
            files,
            skipped: self.skipped,
            linked_directories: self.linked_directories,
            templates: self.templates,
            remarks: self.remarks,
            errors: self.errors,
        })
    }

    fn set_subject(&mut self, source: SourceId, subject: Subject, written: String) {
        if let Ok(at) = self.told.binary_search_by_key(&source, |file| file.source)
            && let Some(file) = self.told.get_mut(at)
        {
            file.said = Some(Box::new(Said { subject, written }));
        }
    }
}

/// What was found in a directory.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    told: usize,
    skipped: usize,
    templates: usize,
    errors: usize,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Told(..) => self.told += 1,
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Template(_) => self.templates += 1,
            Outcome::Error(_) => self.errors += 1,
        }
    }

    fn in_words(self) -> String {
        if self.skipped + self.templates + self.errors == 0 {
            return "no *.json or *.json.gz".to_owned();
        }
        let parts = [
            (self.skipped, "JSON file that is not what is looked for", "JSON files that are not what is looked for"),
            (self.templates, "template, which is not read yet", "templates, which are not read yet"),
            (self.errors, "file that can not be read", "files that can not be read"),
        ];
        let parts = parts.iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<String> =
            parts.map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many })).collect();
        parts.join(", ")
    }
}
