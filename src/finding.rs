//! What a rule finds: complete in itself, so that a report needs nothing else.

mod dependency;
pub mod matrix;

use std::collections::BTreeMap;
use std::fmt;

pub use self::dependency::Dependency;
use crate::aws::AccountId;
use crate::text::Span;

/// How bad a finding is; the names are SARIF's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
}

impl Level {
    /// `note`, `warning`, `error`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// Reads [`Level::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Level::Note, Level::Warning, Level::Error].into_iter().find(|level| level.name() == name)
    }

    /// One level less; a note stays a note.
    pub fn lower(self) -> Self {
        match self {
            Level::Error => Level::Warning,
            Level::Warning | Level::Note => Level::Note,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The kinds of things that rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// An IAM role.
    Role,
    /// An IAM user.
    User,
    /// An IAM group.
    Group,
    /// A managed policy.
    ManagedPolicy,
    /// An S3 bucket.
    Bucket,
    /// A KMS key.
    Key,
    /// A CloudTrail trail.
    Trail,
    /// An account.
    Account,
    /// The organization.
    Organization,
    /// A service or resource control policy.
    OrganizationPolicy,
    /// A document that could be attached to nothing.
    Document,
    /// The config file.
    Config,
}

impl SubjectKind {
    /// The name in reports, kebab-case.
    pub fn name(self) -> &'static str {
        match self {
            SubjectKind::Role => "role",
            SubjectKind::User => "user",
            SubjectKind::Group => "group",
            SubjectKind::ManagedPolicy => "managed-policy",
            SubjectKind::Bucket => "bucket",
            SubjectKind::Key => "key",
            SubjectKind::Trail => "trail",
            SubjectKind::Account => "account",
            SubjectKind::Organization => "organization",
            SubjectKind::OrganizationPolicy => "organization-policy",
            SubjectKind::Document => "document",
            SubjectKind::Config => "config",
        }
    }
}

impl SubjectKind {
    /// The name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            SubjectKind::ManagedPolicy => "managed policy",
            SubjectKind::OrganizationPolicy => "organization policy",
            other => other.name(),
        }
    }
}

/// What a finding or a gap is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its ARN, where known.
    pub arn: Option<String>,
    /// The file that stands for it where its ARN is not known.
    pub file: Option<String>,
    /// Its account, where known.
    pub account: Option<AccountId>,
    /// What messages call it: a role's name, a bucket's name, …
    pub name: String,
}

impl Subject {
    /// What it is known by, for fingerprints and waivers: its ARN, else its file, else its name.
    pub fn id(&self) -> &str {
        self.arn.as_deref().or(self.file.as_deref()).unwrap_or(&self.name)
    }
}

/// A place and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said; may be empty for the primary place, where the finding's message says it.
    pub message: String,
}

impl Label {
    /// Makes a label.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Label { span, message: message.into() }
    }
}

/// What a step of a decision does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepEffect {
    /// A statement allows.
    Allows,
    /// A statement denies.
    Denies,
    /// An Allow that would be needed is missing.
    Missing,
    /// The result holds only if this does.
    If,
    /// The result holds unless this does.
    Unless,
}

impl StepEffect {
    /// `allows`, `denies`, `missing`, `if`, `unless`.
    pub fn name(self) -> &'static str {
        match self {
            StepEffect::Allows => "allows",
            StepEffect::Denies => "denies",
            StepEffect::Missing => "missing",
            StepEffect::If => "if",
            StepEffect::Unless => "unless",
        }
    }
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub effect: StepEffect,
    /// In words.
    pub message: String,
    /// The statement, where there is one.
    pub span: Option<Span>,
}

/// How a request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Some statement allows, none denies.
    Allowed,
    /// A statement denies.
    ExplicitDeny,
    /// Nothing allows, or a limit does not.
    ImplicitDeny,
    /// It depends on what is not known.
    Conditional,
}

impl Decision {
    /// `allowed`, `explicit-deny`, `implicit-deny`, `conditional`.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Allowed => "allowed",
            Decision::ExplicitDeny => "explicit-deny",
            Decision::ImplicitDeny => "implicit-deny",
            Decision::Conditional => "conditional",
        }
    }
}

/// A concrete request that the evaluator decided as the finding says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Who asks: an ARN, an account, a service or `anonymous`.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// What the request carries, by condition key.
    pub context: BTreeMap<String, Vec<String>>,
    /// How it was decided.
    pub decision: Decision,
    /// What the decision depends on.
    pub depends_on: Vec<String>,
}

/// 128 bits that stay the same while a finding is about the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Digests the parts that say what a finding is about; their order counts.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        use sha2::{Digest, Sha256};
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        Fingerprint(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What identifies a statement in a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementId {
    /// Its Sid, where it has one.
    pub sid: Option<String>,
    /// Its meaning in normal form.
    pub normal_form: String,
}

/// One deviation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's ID.
    pub rule: &'static str,
    /// How bad it is here.
    pub level: Level,
    /// What is true, short, about this resource.
    pub message: String,
    /// What it is about.
    pub subject: Subject,
    /// The place where one would mend it.
    pub primary: Label,
    /// Other places that matter.
    pub related: Vec<Label>,
    /// How access comes about, in order.
    pub path: Vec<Step>,
    /// The request that proves it.
    pub witness: Option<Witness>,
    /// Facts that were not known and could take the access away, or that it hangs on.
    pub depends_on: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// The Sid of the statement it is about, for waivers.
    pub sid: Option<String>,
    /// The meaning of the statement it is about, in normal form.
    pub statement: Option<String>,
    /// What it is about in that statement: account, prefix, key, …
    pub about: Vec<String>,
    /// Its number among findings alike in all of the above; set by the audit.
    pub fingerprint: Fingerprint,
}

impl Finding {
    /// Starts a finding at its place; the level is the one its rule starts with until [`Draft::level`] changes it.
    pub fn at(span: Span, label: impl Into<String>) -> Placed {
        Placed { primary: Label::new(span, label) }
    }
}

/// A finding that has a place but no message yet.
#[derive(Debug)]
pub struct Placed {
    primary: Label,
}

impl Placed {
    /// Says what is true.
    pub fn message(self, message: impl Into<String>) -> Draft {
        Draft {
            level: None,
            message: message.into(),
            primary: self.primary,
            related: Vec::new(),
            path: Vec::new(),
            witness: None,
            depends_on: Vec::new(),
            help: None,
            sid: None,
            statement: None,
            about: Vec::new(),
            subject: None,
        }
    }
}

/// A finding as a check makes it; the audit adds rule, subject, level and fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(crate) level: Option<Level>,
    pub(crate) message: String,
    pub(crate) primary: Label,
    pub(crate) related: Vec<Label>,
    pub(crate) path: Vec<Step>,
    pub(crate) witness: Option<Witness>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) help: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) statement: Option<String>,
    pub(crate) about: Vec<String>,
    pub(crate) subject: Option<Subject>,
}

impl Draft {
    /// Another level than the one the rule starts with.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Adds a place that matters.
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label::new(span, message));
        self
    }

    /// Says how access comes about.
    pub fn path(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.path.extend(steps);
        self
    }

    /// Adds the request that proves it.
    pub fn witness(mut self, witness: Witness) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Names facts that were not known and could change the result.
    pub fn depends_on(mut self, facts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.depends_on.extend(facts.into_iter().map(Into::into));
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Ties it to a statement: its Sid for waivers, its meaning for the fingerprint.
    pub fn statement(mut self, statement: impl Into<StatementId>) -> Self {
        let StatementId { sid, normal_form } = statement.into();
        self.sid = sid;
        self.statement = Some(normal_form);
        self
    }

    /// Says what it is about in its statement or subject: an account, a prefix, a key.
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.about.push(what.into());
        self
    }

    /// Another subject than the one that was checked.
    pub fn subject(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }
}
