//! What a file tells, in the shapes of the estate, before it is known what all of it is about.

use compact_str::CompactString;

use super::configuration_item::Capture;
use crate::aws::AccountId;
use crate::estate::{
    Account, BlockPublicAccess, Broken, Bucket, Document, Gap, Group, IdentityKind, Key, Known, ManagedPolicy, Member,
    OrganizationPolicy, Part, Role, Target, Trail, User,
};
use crate::syntax::json::Duplicate;
use crate::text::{Span, Spanned};

/// One thing a file tells.
#[derive(Debug)]
pub(super) enum Piece {
    /// A role that names itself; whether it is one of a list.
    Role(Box<Role>, bool),
    /// A user that names itself; whether it is one of a list.
    User(Box<User>, bool),
    /// A group that names itself; whether it is one of a list.
    Group(Box<Group>, bool),
    /// Something about a role, user or group; which one is told by name, or not at all.
    Part { kind: Option<IdentityKind>, name: Option<CompactString>, part: Part, span: Span },
    /// A managed policy that names itself.
    ManagedPolicy(Box<ManagedPolicy>),
    /// The text of a managed policy.
    PolicyText(Known<Document>, Span),
    /// Facts about a bucket; its name is empty where the file does not tell it.
    Bucket(Box<Bucket>),
    /// Block public access settings of a bucket or of an account.
    BlockPublicAccess(Known<BlockPublicAccess>, Span),
    /// The buckets of an account, and its canonical ID.
    Buckets(Vec<ListedBucket>, Option<Spanned<CompactString>>),
    /// Facts about a key; it has neither ID nor ARN where the file does not tell them.
    Key(Box<Key>),
    /// Facts about a trail; it has no ARN and an empty name where the file does not tell them.
    Trail(Box<Trail>),
    /// Facts about the organization.
    Organization(Known<CompactString>, Known<AccountId>),
    /// Accounts of the organization.
    Members(Known<Vec<Member>>),
    /// A service or resource control policy that names itself.
    OrganizationPolicy(Box<OrganizationPolicy>),
    /// What a service or resource control policy is attached to.
    Targets(Known<Vec<Target>>, Span),
    /// The parent of an account or OU.
    Parent(Spanned<CompactString>),
    /// The account that an export was made in.
    Caller(AccountId),
    /// Facts about an account.
    Account(AccountId, Box<Account>),
    /// A policy document.
    Policy(Box<Loose>),
    /// Something that could not be read.
    Gap(Gap),
}

/// A bucket in a list of buckets.
#[derive(Debug)]
pub(super) struct ListedBucket {
    pub(super) name: CompactString,
    pub(super) region: Option<Spanned<CompactString>>,
    pub(super) span: Span,
}

/// A policy document with what it says about what it is attached to.
#[derive(Debug)]
pub(super) struct Loose {
    pub(super) document: Document,
    /// The buckets whose names stand in the resources of a bucket policy, without doubles.
    pub(super) buckets: Vec<CompactString>,
    /// The partition of those.
    pub(super) partition: CompactString,
    /// The accounts whose root a key policy lets administer the key, without doubles.
    pub(super) administrators: Vec<AccountId>,
    /// Whether it is a bare document, and not part of an answer.
    pub(super) bare: bool,
}

/// A page of a list that AWS answers in pages.
#[derive(Debug)]
pub(super) struct Page {
    /// The fact that the whole list is.
    pub(super) fact: &'static str,
    /// The account or key whose list it is, where the page tells.
    pub(super) of: Option<CompactString>,
    /// Whether more pages follow.
    pub(super) goes_on: bool,
    pub(super) span: Span,
}

/// All that one file tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) pieces: Vec<Piece>,
    pub(super) pages: Vec<Page>,
    /// When AWS Config recorded what is told, in the order of the pieces.
    pub(super) captures: Vec<Capture>,
    pub(super) broken: Vec<Broken>,
    pub(super) duplicates: Vec<Duplicate>,
    /// Whether some of it was recognised, be it of no use to any rule.
    pub(super) recognised: bool,
    /// The kind of template it is, where it is one.
    pub(super) template: Option<&'static str>,
}
