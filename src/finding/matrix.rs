//! Who can do what with whose logs: complete in itself, so that a report needs nothing else.
//!
//! Readers that can do the same are one row, and accounts whose logs the same readers can reach are one column, so that
//! an organization of many equal accounts is a few rows and columns. Where a row and a column hold the same accounts the
//! cell is parted: what each can do with its own logs, and what with those of the others.

mod view;

pub use view::{NotInMatrix, Wide, narrowed};

use crate::finding::{Dependency, Step, Witness};
use crate::text::Span;

/// What can be done with logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// Listing keys under the prefix.
    List,
    /// Fetching objects; encrypted ones are refused without [`Ability::Decrypt`].
    Get,
    /// Fetching objects that are encrypted under a key, contents and all.
    Decrypt,
    /// Writing, overwriting or deleting objects.
    Write,
}

impl Ability {
    /// All, from the least to the most.
    pub const ALL: [Ability; 4] = [Ability::List, Ability::Get, Ability::Decrypt, Ability::Write];

    /// `list`, `get`, `decrypt`, `write`.
    pub fn name(self) -> &'static str {
        match self {
            Ability::List => "list",
            Ability::Get => "get",
            Ability::Decrypt => "decrypt",
            Ability::Write => "write",
        }
    }
}

/// How certain an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// By the facts at hand.
    Certain,
    /// It hangs on what the reader can not arrange: network, time.
    Conditional,
    /// It hangs on facts that no input tells, or on a search that was given up.
    Unknown,
}

impl Certainty {
    /// `certain`, `conditional`, `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Conditional => "conditional",
            Certainty::Unknown => "unknown",
        }
    }
}

/// How a cell stands to the declared sharing model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// As declared.
    Expected,
    /// The reader can do more than the model gives it.
    TooMuch,
    /// The reader can not do what it should.
    TooLittle,
}

impl Fit {
    /// `expected`, `too-much`, `too-little`.
    pub fn name(self) -> &'static str {
        match self {
            Fit::Expected => "expected",
            Fit::TooMuch => "too-much",
            Fit::TooLittle => "too-little",
        }
    }
}

/// The kinds of readers, in the order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReaderKind {
    /// Anyone, signed or not, or any AWS account.
    Anyone,
    /// An account of the organization, by itself or by its users and roles.
    Account,
    /// An account outside of the organization.
    ThirdParty,
    /// A role that reaches logs, by its sessions.
    Role,
    /// An IAM user.
    User,
    /// An AWS service.
    Service,
}

impl ReaderKind {
    /// `anyone`, `account`, `third-party`, `role`, `user`, `service`.
    pub fn name(self) -> &'static str {
        match self {
            ReaderKind::Anyone => "anyone",
            ReaderKind::Account => "account",
            ReaderKind::ThirdParty => "third-party",
            ReaderKind::Role => "role",
            ReaderKind::User => "user",
            ReaderKind::Service => "service",
        }
    }
}

/// Someone or something with an ID and a name for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// An ARN, an account ID, the name of a service, or `anyone`.
    pub id: String,
    /// What people call it, where that is more than the ID: `222222222222 (payments)`.
    pub label: String,
    /// The account whose logs are a reader's own, where its ID does not say so: a role of the bucket's owner that is for
    /// one member. Without it an account's own logs are those of itself, and a role's and user's those of its account.
    pub own: Option<String>,
}

/// Readers that can do the same; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What they are.
    pub kind: ReaderKind,
    /// Who they are, in order.
    pub readers: Vec<Party>,
    /// What is to be known of them: which accounts can assume the role, what the account is to the model.
    pub note: Option<String>,
    /// One list for each column, in the same order: one cell, or two where row and column hold the same accounts.
    pub cells: Vec<Vec<Cell>>,
}

/// Accounts whose logs the same readers can reach; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Who they are, in order.
    pub owners: Vec<Party>,
    /// How the keys of their logs begin, with `<account>` for the account where there are several.
    pub prefixes: Vec<String>,
}

/// Which of the column's logs a cell is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All of them.
    All,
    /// For each reader its own.
    Own,
    /// For each reader all but its own.
    Others,
}

/// What the readers of a row can do with logs of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Which of the logs.
    pub scope: Scope,
    /// What they can do, or may be able to, in order of ability, each once.
    pub can: Vec<Access>,
    /// What they can not, with what stops it, in order of ability; abilities in neither list have no meaning here
    /// (decrypting what is under no key).
    pub can_not: Vec<Refusal>,
    /// Whether the logs are under a KMS key; `None` where that is not known.
    pub is_encrypted: Option<bool>,
    /// How it stands to the model; `None` where nothing is declared.
    pub fit: Option<Fit>,
}

/// One ability and how it comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What can be done.
    pub ability: Ability,
    /// How certain that is.
    pub certainty: Certainty,
    /// Keys and facts that it hangs on, or that could take it away.
    pub depends_on: Vec<Dependency>,
    /// How it comes about, hop by hop.
    pub path: Vec<Hop>,
    /// The request that proves it; none where it is not known.
    pub witness: Option<Witness>,
}

/// One request on the way: a role that is assumed, or the read itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Who does what: `222222222222 assumes arn:…`, `that session fetches a log file of 222222222222`.
    pub title: String,
    /// The ARN of the object or bucket; none where a role is assumed.
    pub resource: Option<String>,
    /// The ARN of the role that is assumed here; none where the hop is the read itself.
    pub role: Option<String>,
    /// Why it is let through.
    pub steps: Vec<Step>,
}

/// One ability that is missing, and what stops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What can not be done.
    pub ability: Ability,
    /// The cause in a few words: `no statement of the bucket policy allows it`.
    pub cause: String,
    /// The steps of the decision that came nearest.
    pub steps: Vec<Step>,
    /// What would have to be there for it to be possible; all of them together.
    pub would_take: Vec<String>,
}

/// Something that was not known and leaves cells unknown or conditional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixGap {
    /// The fact, as `kind.name`.
    pub fact: String,
    /// Why it is not known.
    pub reason: String,
    /// Where this can be seen.
    pub places: Vec<Span>,
}

/// Who can do what with whose logs in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The bucket's name.
    pub bucket: String,
    /// The account that owns it, as people call it.
    pub owner: Option<Party>,
    /// Whether a sharing model is declared, so that cells are held against it.
    pub is_declared: bool,
    /// Whose logs.
    pub columns: Vec<Column>,
    /// Who reads.
    pub rows: Vec<Row>,
    /// What was not known.
    pub gaps: Vec<MatrixGap>,
    /// What people should know of how it came about, one sentence each.
    pub notes: Vec<String>,
}

impl Cell {
    /// What is known of an ability that is there, or may be.
    pub fn access(&self, ability: Ability) -> Option<&Access> {
        self.can.iter().find(|access| access.ability == ability)
    }

    /// The least certain of its abilities; certain where it has none.
    pub fn certainty(&self) -> Certainty {
        self.can.iter().map(|access| access.certainty).max().unwrap_or(Certainty::Certain)
    }
}
