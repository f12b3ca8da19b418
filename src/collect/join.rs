//! What each piece is about, and from all pieces one estate.
//!
//! Trust falls from what the user says, over what a document says itself and what its folder's other documents say, to
//! the names of its file and folder. What can not be told joins nothing. The table of names stands in [`super`].

mod folder;
mod identities;
mod resources;

use std::collections::{HashMap, HashSet};

use compact_str::CompactString;

use super::configuration_item;
use super::error::CollectError;
use super::names::{Layout, Names};
use super::piece::{ListedBucket, Loose, Page, Piece, Told};
use super::reader::GOES_ON;
use super::subject::Subject;
use crate::aws::AccountId;
use crate::estate::{
    Account, Bucket, Builder, Document, Estate, Gap, Known, NamedBy, OrganizationPolicy, OrganizationPolicyKind, Target,
};
use crate::policy::PolicyKind;
use crate::text::{SourceId, SourceMap, Span, Spanned};
use folder::{Folder, Folders};

/// A file and what it tells.
#[derive(Debug)]
pub(super) struct FileTold {
    pub(super) source: SourceId,
    pub(super) names: Names,
    pub(super) said: Option<Box<Said>>,
    pub(super) told: Box<Told>,
}

/// What the user says a document is attached to.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) subject: Subject,
    pub(super) written: String,
}

impl FileTold {
    fn subject(&self) -> Option<&Subject> {
        self.said.as_ref().map(|said| &said.subject)
    }

    fn span(&self) -> Span {
        Span::file(self.source)
    }
}

/// Puts the estate together.
pub(super) fn join(mut files: Vec<FileTold>, sources: SourceMap) -> (Estate, Vec<CollectError>) {
    configuration_item::pass_over_outdated(files.iter_mut().map(|file| &mut *file.told));
    let folders = Folders::new(&files);
    let mut join = Join {
        folders: &folders,
        builder: Builder::new(sources),
        conclusions: Vec::new(),
        listed: Vec::new(),
        policy_kinds: HashMap::new(),
        errors: Vec::new(),
    };
    let mut later = Vec::with_capacity(files.len());
    for file in &mut files {
        for broken in file.told.broken.drain(..) {
            join.builder.broken(broken);
        }
        for duplicate in file.told.duplicates.drain(..) {
            join.builder.duplicate(duplicate);
        }
        for piece in std::mem::take(&mut file.told.pieces) {
            // What names itself comes first, so that what does not can join it whatever the order of files.
            if let Some(piece) = join.self_named(file, piece) {
                later.push((&*file, piece));
            }
        }
    }
    for (file, piece) in later {
        join.piece(file, piece);
    }
    for gap in unended(&files) {
        join.builder.gap(gap);
    }
    join.finish()
}

/// The lists of which pages are there and the last one is not: of the same account or key, or of nobody one can tell, in the
/// same folder.
fn unended(files: &[FileTold]) -> Vec<Gap> {
    let pages = || files.iter().flat_map(|file| file.told.pages.iter().map(|page| (page, file.names.folder.number)));
    let (mut of, mut in_folder) = (HashSet::new(), HashSet::new());
    for (page, folder) in pages().filter(|(page, _)| !page.goes_on) {
        match &page.of {
            Some(whose) => of.insert((page.fact, whose)),
            None => in_folder.insert((page.fact, folder)),
        };
    }
    let is_open = |(page, folder): &(&Page, u32)| {
        let is_ended = page.of.as_ref().is_some_and(|whose| of.contains(&(page.fact, whose)));
        page.goes_on && !is_ended && !in_folder.contains(&(page.fact, *folder))
    };
    pages().filter(is_open).map(|(page, _)| Gap::new(page.fact, GOES_ON).at([page.span])).collect()
}

/// By which name a file is taken to be about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// Its own.
    File,
    /// Its folder's.
    Folder,
    /// The one that other documents of the folder name.
    Neighbours,
}

struct Join<'f> {
    folders: &'f Folders,
    builder: Builder,
    /// Subjects that names told: how, in which folder, of which file.
    conclusions: Vec<(String, By, u32, SourceId)>,
    listed: Vec<(Option<AccountId>, ListedBucket)>,
    policy_kinds: HashMap<CompactString, OrganizationPolicyKind>,
    errors: Vec<CollectError>,
}

impl Join<'_> {
    /// Takes a piece that names what it is about, unless the user says otherwise; hands back the others.
    fn self_named(&mut self, file: &FileTold, piece: Piece) -> Option<Piece> {
        match piece {
            Piece::Role(role, _) => self.role(file, *role),
            Piece::User(user, _) => self.user(file, *user),
            Piece::Group(group, _) => self.group(file, *group),
            Piece::ManagedPolicy(policy) => {
                // A managed policy without its text tells nothing.
                let is_empty = matches!(&policy.document, Known::Unknown(gap) if gap.places.is_empty());
                if !is_empty {
                    self.builder.managed_policy(*policy);
                }
            }
            Piece::Bucket(bucket) if bucket.named_by == NamedBy::Input => self.builder.bucket(*bucket),
            Piece::Account(id, account) => self.builder.account(id, *account),
            Piece::Key(key) if key.arn.is_some() && file.said.is_none() => self.key(file, *key),
            Piece::Trail(trail) if !trail.name.is_empty() && file.said.is_none() => self.builder.trail(*trail),
            Piece::Organization(id, management) => self.builder.organization(id, management),
            Piece::Members(members) => {
                for member in members.present().into_iter().flatten() {
                    let account = Account { name: member.name.clone(), ..Account::default() };
                    self.builder.account(member.id, account);
                }
                self.builder.members(members);
            }
            Piece::OrganizationPolicy(policy) => {
                self.policy_kinds.insert(policy.id.clone(), policy.kind);
                self.builder.organization_policy(*policy);
            }
            Piece::Caller(account) => self.builder.account(account, Account::default()),
            Piece::Gap(gap) => self.builder.gap(gap),
            Piece::Buckets(buckets, owner) => {
                let account = self.account(file);
                if let (Some(account), Some(canonical_id)) = (account, owner) {
                    let canonical_id = Some(canonical_id);
                    self.builder.account(account, Account { canonical_id, ..Account::default() });
                }
                self.listed.extend(buckets.into_iter().map(|bucket| (account, bucket)));
            }
            other => return Some(other),
        }
        None
    }

    fn piece(&mut self, file: &FileTold, piece: Piece) {
        match piece {
            Piece::Part { kind, name, part, span } => self.part(file, kind, name, part, span),
            Piece::PolicyText(document, span) => self.policy_text(file, document, span),
            Piece::Bucket(bucket) => self.bucket_facts(file, *bucket),
            Piece::BlockPublicAccess(settings, span) => self.block_public_access(file, settings, span),
            Piece::Key(key) => self.key(file, *key),
            Piece::Trail(trail) => self.trail_facts(file, *trail),
            Piece::Targets(targets, span) => self.targets(file, targets, span),
            Piece::Parent(parent) => self.parent(file, parent),
            Piece::Policy(policy) => self.policy(file, *policy),
            _ => {}
        }
    }

    fn policy(&mut self, file: &FileTold, policy: Loose) {
        let kind = policy.document.kind;
        if let Some(said) = file.said.as_ref().filter(|said| !said.subject.takes(kind)) {
            let subject = said.written.clone();
            let article = if kind == PolicyKind::Identity { "an" } else { "a" };
            let kind = format!("{article} {}", kind.title());
            self.errors.push(CollectError::WrongSubject { subject, kind });
            return self.builder.document(policy.document);
        }
        match kind {
            PolicyKind::Bucket => self.bucket_policy(file, policy),
            PolicyKind::Key => self.key_policy(file, policy),
            PolicyKind::Trust => self.trust_policy(file, policy.document),
            PolicyKind::Identity => self.access_policy(file, policy.document),
            PolicyKind::Boundary => self.boundary(file, policy.document),
            PolicyKind::Scp => self.control_policy(file, policy.document, OrganizationPolicyKind::Scp),
            PolicyKind::Rcp => self.control_policy(file, policy.document, OrganizationPolicyKind::Rcp),
            _ => {
                self.may_be_ours(&policy.document);
                self.builder.document(policy.document);
            }
        }
    }

    /// Says of a resource-based policy whose kind its text can not tell that it may be one of those that are audited.
    fn may_be_ours(&mut self, document: &Document) {
        const OURS: [&str; 3] = ["s3:GetObject", "kms:Decrypt", "sts:AssumeRole"];
        let policy = document.policy(self.builder.sources());
        if policy.statements.iter().any(|statement| OURS.iter().any(|action| statement.covers_action(action))) {
            let reason =
                "its text fits a bucket, a key and a role alike; --kind or a [[file]] in trailproof.toml tells which";
            self.builder.gap(Gap::new("policy.kind", reason).at([document.span]));
        }
    }

    fn control_policy(&mut self, file: &FileTold, document: Document, kind: OrganizationPolicyKind) {
        let id = match &file.names.folder.layout {
            Layout::OrganizationPolicy(id) => id.clone(),
            _ => CompactString::default(),
        };
        let span = document.span;
        let targets = match file.subject() {
            Some(Subject::Target(target)) => Known::Present(vec![Target { id: target.clone(), span }], span),
            _ => Known::not_collected("organization-policy.targets"),
        };
        let name = self.builder.sources().name(file.source).into();
        let document = Known::Present(document, span);
        self.builder.organization_policy(OrganizationPolicy { id, name, kind, document, targets, span });
    }

    fn targets(&mut self, file: &FileTold, targets: Known<Vec<Target>>, span: Span) {
        let own = file.names.stem.split(['_', '.']).find(|part| part.starts_with("p-")).map(CompactString::from);
        let id = match &file.names.folder.layout {
            Layout::OrganizationPolicy(id) => Some(id.clone()),
            _ => self.folder(file).organization_policies.one().cloned().or(own),
        };
        let Some(id) = id else { return self.nowhere("organization-policy.targets", span) };
        let Some(&kind) = self.policy_kinds.get(&id) else {
            let reason = format!("what policy `{id}` says, and of which kind it is, is not known");
            return self.builder.gap(Gap::new("organization-policy.document", reason).at([span]));
        };
        let document = Known::not_collected("organization-policy.document");
        let name = CompactString::default();
        self.builder.organization_policy(OrganizationPolicy { id, name, kind, document, targets, span });
    }

    fn parent(&mut self, file: &FileTold, parent: Spanned<CompactString>) {
        let is_id = |text: &str| AccountId::parse(text).is_some() || text.starts_with("ou-");
        let stem = file.names.stem.as_str();
        let command = super::operation::Operation::ListParents.command();
        let child = match file.names.folder.layout {
            Layout::Parents => Some(stem),
            _ => super::operation::behind(stem, command).or_else(|| super::operation::before(stem, command)),
        };
        match (child.filter(|child| is_id(child)), file.subject()) {
            (_, Some(Subject::Target(child))) => self.builder.parent(child.clone(), parent),
            (Some(child), _) => self.builder.parent(child.into(), parent),
            _ => self.nowhere("organization.parents", parent.span),
        }
    }

    /// Notes an answer of which nobody can tell what it is about.
    fn nowhere(&mut self, fact: &'static str, span: Span) {
        self.builder.gap(Gap::new(fact, "what this answer is about can not be told").at([span]));
    }

    /// Notes that a name was relied on.
    fn concluded(&mut self, file: &FileTold, subject: String, by: By) {
        self.conclusions.push((subject, by, file.names.folder.number, file.source));
    }

    fn folder(&self, file: &FileTold) -> &Folder {
        self.folders.of(&file.names.folder)
    }

    /// The account a file was exported from, by its folders or the caller's identity beside it.
    fn account(&self, file: &FileTold) -> Option<AccountId> {
        file.names.folder.account.or_else(|| self.folder(file).account.one().copied())
    }

    fn finish(mut self) -> (Estate, Vec<CollectError>) {
        for (account, listed) in std::mem::take(&mut self.listed) {
            // A list makes no bucket a subject: it only adds to those that something else tells of.
            if !self.builder.has_bucket(&listed.name) {
                continue;
            }
            let mut bucket = Bucket::new(listed.name, NamedBy::Input, listed.span);
            if let Some(account) = account {
                bucket.account = Known::Present(account, listed.span);
            }
            if let Some(region) = listed.region {
                bucket.region = Known::Present(region.value, region.span);
            }
            self.builder.bucket(bucket);
        }
        // The first of files that tell the same stays first.
        self.conclusions.sort_by(|(a, x, m, _), (b, y, n, _)| (a, x, m).cmp(&(b, y, n)));
        let conclusions = std::mem::take(&mut self.conclusions);
        for same in conclusions.chunk_by(|(a, x, m, _), (b, y, n, _)| (a, x, m) == (b, y, n)) {
            let Some((subject, by, _, file)) = same.first() else { continue };
            let name = self.builder.sources().name(*file);
            let count = same.len();
            let (more, verb, whose) = match count {
                1 => (String::new(), "is", "its"),
                2 => (" and 1 more file".to_owned(), "are", "their"),
                _ => (format!(" and {} more files", count - 1), "are", "their"),
            };
            let (why, what) = match by {
                By::File => (" by ", " name"),
                By::Folder => (" by the name of ", " folder"),
                By::Neighbours => (", which other documents in ", " folder name"),
            };
            let parts = ["`", name, "`", &more, " ", verb, " taken to be about ", subject, why, whose, what];
            self.builder.named(parts.concat(), *file);
        }
        (self.builder.finish(), self.errors)
    }
}

/// None, one or several different things that a folder's documents name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum One<T> {
    #[default]
    Nothing,
    Only(T),
    Several,
}

impl<T: PartialEq> One<T> {
    fn add(&mut self, item: T) {
        *self = match std::mem::take(self) {
            One::Nothing => One::Only(item),
            One::Only(known) if known == item => One::Only(known),
            _ => One::Several,
        };
    }
}

impl<T> One<T> {
    fn one(&self) -> Option<&T> {
        match self {
            One::Only(item) => Some(item),
            _ => None,
        }
    }
}

type NameSet = HashSet<CompactString>;
