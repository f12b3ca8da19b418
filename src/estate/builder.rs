//! Puts together one estate from what many files tell.
//!
//! The same fact told twice is one fact. Facts that contradict each other are not known: their gap shows every place,
//! and the policy documents among them are kept in [`Estate::documents`], so that each is still audited by itself.

mod blank;
mod finish;
mod merge;
mod resources;

use std::collections::HashMap;

use compact_str::CompactString;

use super::{
    Account, Broken, Bucket, Document, Estate, Gap, Group, InlinePolicy, Key, Known, ManagedPolicy, Member, NamedBy,
    OrganizationPolicy, Role, Trail, User,
};
use crate::aws::AccountId;
use crate::syntax::json::Duplicate;
use crate::text::{SourceId, SourceMap, Span, Spanned};
use merge::Merge;
use resources::{
    extend, merge_boundary, merge_bucket, merge_key, merge_permissions, merge_role, merge_trail, merge_user, of_fact,
};

/// What tells one role, user or group from the others of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A name in an account.
    Account(AccountId, CompactString),
    /// A name that holds only among the files of one folder, because the account is not known.
    Folder(u32, CompactString),
    /// Nothing but the file that tells of it.
    File(SourceId),
}

/// The kinds of principal that carry permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// A role.
    Role,
    /// A user.
    User,
    /// A group.
    Group,
}

/// One thing that is told of a role, user or group.
#[derive(Debug)]
pub enum Part {
    /// Its trust policy; said of a role only.
    Trust(Known<Document>),
    /// One of its inline policies.
    Inline(InlinePolicy, Span),
    /// The names of all its inline policies.
    InlineNames(Vec<Spanned<CompactString>>, Span),
    /// The ARNs of its managed policies.
    Attached(Known<Vec<Spanned<CompactString>>>),
    /// Some of the ARNs of its managed policies, and that the list of them goes on.
    AttachedPage(Vec<Spanned<CompactString>>, Gap),
    /// The text of its permissions boundary.
    Boundary(Document),
    /// The names of its groups; said of a user only.
    Groups(Known<Vec<CompactString>>),
    /// Its inline policies, or one of them, could not be read.
    InlineRefused(Gap),
    /// The names of its inline policies are more than those that were listed.
    InlineGoesOn(Gap),
}

/// An estate in the making.
///
/// The order of calls decides which of two equal facts gives the place; [`Builder::finish`] sorts.
#[derive(Debug)]
pub struct Builder {
    estate: Estate,
    identities: HashMap<(IdentityKind, Identity), usize>,
    bits: HashMap<(IdentityKind, usize), Bits>,
    policies: HashMap<CompactString, usize>,
    buckets: HashMap<CompactString, usize>,
    keys_by_arn: HashMap<CompactString, usize>,
    keys_by_id: HashMap<CompactString, Vec<usize>>,
    trails: HashMap<CompactString, usize>,
    organization_policies: HashMap<CompactString, usize>,
}

/// What was told of policies bit by bit: inline policies one by one, and pages.
#[derive(Debug, Default)]
struct Bits {
    names: Option<(Vec<Spanned<CompactString>>, Span)>,
    policies: Vec<(InlinePolicy, Span)>,
    /// Why some were not told; a list of all names goes before it.
    refused: Option<Gap>,
    /// Why a list of names is none of all.
    goes_on: Option<Gap>,
    /// The pages of its attached policies but for the last one.
    attached: Vec<(Vec<Spanned<CompactString>>, Gap)>,
}

impl Builder {
    /// An empty estate over these texts.
    pub fn new(sources: SourceMap) -> Self {
        Builder {
            estate: Estate { sources, ..Estate::default() },
            identities: HashMap::new(),
            bits: HashMap::new(),
            policies: HashMap::new(),
            buckets: HashMap::new(),
            keys_by_arn: HashMap::new(),
            keys_by_id: HashMap::new(),
            trails: HashMap::new(),
            organization_policies: HashMap::new(),
        }
    }

    /// The texts.
    pub fn sources(&self) -> &SourceMap {
        &self.estate.sources
    }

    /// Adds a role, or more about one that is there.
    pub fn role(&mut self, id: Identity, role: Role) {
        let key = (IdentityKind::Role, id);
        let Some(&at) = self.identities.get(&key) else {
            self.identities.insert(key, self.estate.roles.len());
            return self.estate.roles.push(role);
        };
        let Estate { sources, documents, roles, .. } = &mut self.estate;
        if let Some(known) = roles.get_mut(at) {
            merge_role(known, role, true, &mut Merge { sources, documents });
        }
    }

    /// Adds a user, or more about one that is there.
    pub fn user(&mut self, id: Identity, user: User) {
        let key = (IdentityKind::User, id);
        let Some(&at) = self.identities.get(&key) else {
            self.identities.insert(key, self.estate.users.len());
            return self.estate.users.push(user);
        };
        let Estate { sources, documents, users, .. } = &mut self.estate;
        if let Some(known) = users.get_mut(at) {
            merge_user(known, user, true, &mut Merge { sources, documents });
        }
    }

    /// Adds a group, or more about one that is there.
    pub fn group(&mut self, id: Identity, group: Group) {
        let key = (IdentityKind::Group, id);
        let Some(&at) = self.identities.get(&key) else {
            self.identities.insert(key, self.estate.groups.len());
            return self.estate.groups.push(group);
        };
        let Estate { sources, documents, groups, .. } = &mut self.estate;
        if let Some(known) = groups.get_mut(at) {
            known.arn = known.arn.take().or(group.arn);
            let merge = &mut Merge { sources, documents };
            merge_permissions(&GROUP, &mut known.permissions, group.permissions, (true, true), merge);
        }
    }

    /// Adds one thing about a role, user or group that is there.
    pub fn part(&mut self, kind: IdentityKind, id: &Identity, part: Part) {
        let Some(&at) = self.identities.get(&(kind, id.clone())) else { return };
        match part {
            Part::Inline(policy, span) => {
                let known = &mut self.bits.entry((kind, at)).or_default().policies;
                if known.is_empty() {
                    // Most have one.
                    known.reserve_exact(1);
                }
                known.push((policy, span));
            }
            Part::InlineNames(names, span) => self.inline_names((kind, at), names, span),
            Part::InlineRefused(gap) => self.bits.entry((kind, at)).or_default().refused = Some(gap),
            Part::AttachedPage(arns, gap) => self.bits.entry((kind, at)).or_default().attached.push((arns, gap)),
            Part::InlineGoesOn(gap) => self.bits.entry((kind, at)).or_default().goes_on = Some(gap),
            part => self.known_part(kind, at, part),
        }
    }

    fn inline_names(&mut self, key: (IdentityKind, usize), names: Vec<Spanned<CompactString>>, span: Span) {
        let known = &mut self.bits.entry(key).or_default().names;
        let Some((first, place)) = known else {
            *known = Some((names, span));
            return;
        };
        if !merge::Told::same(first, &names, &self.estate.sources) {
            self.estate.gaps.push(Gap::new(facts(key.0).inline, merge::CONTRADICTION).at([*place, span]));
        }
    }

    fn known_part(&mut self, kind: IdentityKind, at: usize, part: Part) {
        let Estate { sources, documents, roles, users, groups, .. } = &mut self.estate;
        if let (IdentityKind::Role, Part::Attached(attached), Some(role)) = (kind, &part, roles.get_mut(at)) {
            role.is_listed |= !attached.is_unknown();
        }
        let mut merge = Merge { sources, documents };
        let facts = facts(kind);
        let permissions = match kind {
            IdentityKind::Role => roles.get_mut(at).map(|role| &mut role.permissions),
            IdentityKind::User => users.get_mut(at).map(|user| &mut user.permissions),
            IdentityKind::Group => groups.get_mut(at).map(|group| &mut group.permissions),
        };
        match part {
            Part::Trust(trust) => {
                if let (IdentityKind::Role, Some(role)) = (kind, roles.get_mut(at)) {
                    merge.known(TRUST, &mut role.trust, trust);
                }
            }
            Part::Groups(names) => {
                if let (IdentityKind::User, Some(user)) = (kind, users.get_mut(at)) {
                    merge.known("user.groups", &mut user.groups, names);
                }
            }
            Part::Attached(attached) => {
                if let Some(permissions) = permissions {
                    let attached = of_fact(facts.attached, attached);
                    merge.known(facts.attached, &mut permissions.attached, attached);
                }
            }
            Part::Boundary(document) => {
                if let Some(permissions) = permissions {
                    merge_boundary(&mut permissions.boundary_document, Some(document), &mut merge);
                }
            }
            _ => {}
        }
    }

    /// Adds a managed policy, or more about the one of that ARN.
    pub fn managed_policy(&mut self, policy: ManagedPolicy) {
        let Some(arn) = policy.arn.clone() else { return self.estate.managed_policies.push(policy) };
        let Some(&at) = self.policies.get(&arn) else {
            self.policies.insert(arn, self.estate.managed_policies.len());
            return self.estate.managed_policies.push(policy);
        };
        let Estate { sources, documents, managed_policies, .. } = &mut self.estate;
        if let Some(known) = managed_policies.get_mut(at) {
            Merge { sources, documents }.known("managed-policy.document", &mut known.document, policy.document);
        }
    }

    /// Adds a bucket, or more about the one of that name; one that nothing names is a bucket of its own.
    pub fn bucket(&mut self, bucket: Bucket) {
        let at = self.buckets.get(&bucket.name).copied().filter(|_| bucket.named_by != NamedBy::Nothing);
        let Some(at) = at else {
            if bucket.named_by != NamedBy::Nothing {
                self.buckets.insert(bucket.name.clone(), self.estate.buckets.len());
            }
            return self.estate.buckets.push(bucket);
        };
        let Estate { sources, documents, buckets, .. } = &mut self.estate;
        if let Some(known) = buckets.get_mut(at) {
            merge_bucket(known, bucket, &mut Merge { sources, documents });
        }
    }

    /// Whether a bucket of that name is there.
    pub fn has_bucket(&self, name: &str) -> bool {
        self.buckets.contains_key(name)
    }

    /// Adds a key, or more about the one of that ARN or ID; one that has neither is a key of its own.
    ///
    /// An ID alone joins the one key that has it: multi-Region keys share theirs, so give those with an ARN first.
    pub fn key(&mut self, key: Key) {
        let by_id = |id: &CompactString| self.keys_by_id.get(id).map(Vec::as_slice).unwrap_or_default();
        let same_id = key.id.as_ref().map(by_id).unwrap_or_default();
        let at = match &key.arn {
            Some(arn) => self.keys_by_arn.get(arn).copied().or_else(|| {
                let without_arn = |&&at: &&usize| self.estate.keys.get(at).is_some_and(|k| k.arn.is_none());
                same_id.iter().find(without_arn).copied()
            }),
            None => match same_id {
                [only] => Some(*only),
                _ => None,
            },
        };
        let index = at.unwrap_or(self.estate.keys.len());
        if let Some(arn) = &key.arn {
            self.keys_by_arn.insert(arn.clone(), index);
        }
        if let Some(id) = &key.id {
            let known = self.keys_by_id.entry(id.clone()).or_default();
            if !known.contains(&index) {
                known.push(index);
            }
        }
        let Estate { sources, documents, keys, .. } = &mut self.estate;
        match at.and_then(|at| keys.get_mut(at)) {
            Some(known) => merge_key(known, key, &mut Merge { sources, documents }),
            None => keys.push(key),
        }
    }

    /// Adds a trail, or more about the one of that ARN.
    pub fn trail(&mut self, trail: Trail) {
        let Some(arn) = trail.arn.clone() else { return self.estate.trails.push(trail) };
        let Some(&at) = self.trails.get(&arn) else {
            self.trails.insert(arn, self.estate.trails.len());
            return self.estate.trails.push(trail);
        };
        let Estate { sources, documents, trails, .. } = &mut self.estate;
        if let Some(known) = trails.get_mut(at) {
            merge_trail(known, trail, &mut Merge { sources, documents });
        }
    }

    /// Adds a service or resource control policy, or more about the one of that ID.
    pub fn organization_policy(&mut self, policy: OrganizationPolicy) {
        let Estate { sources, documents, organization, .. } = &mut self.estate;
        let policies = &mut organization.policies;
        let Some(&at) = self.organization_policies.get(&policy.id).filter(|_| !policy.id.is_empty()) else {
            if !policy.id.is_empty() {
                self.organization_policies.insert(policy.id.clone(), policies.len());
            }
            return policies.push(policy);
        };
        if let Some(known) = policies.get_mut(at) {
            Merge { sources, documents }.known("organization-policy.document", &mut known.document, policy.document);
            extend(&mut known.targets, policy.targets);
        }
    }

    /// Adds what is told of the organization itself.
    pub fn organization(&mut self, id: Known<CompactString>, management: Known<AccountId>) {
        let Estate { sources, documents, organization, .. } = &mut self.estate;
        let mut merge = Merge { sources, documents };
        merge.known("organization.id", &mut organization.id, id);
        merge.known("organization.management-account", &mut organization.management, management);
    }

    /// Adds accounts of the organization; lists of several files are pages of one list.
    pub fn members(&mut self, members: Known<Vec<Member>>) {
        extend(&mut self.estate.organization.accounts, members);
    }

    /// Adds the parent of an account or OU.
    pub fn parent(&mut self, child: CompactString, parent: Spanned<CompactString>) {
        let known = self.estate.organization.parents.entry(child).or_insert_with(|| parent.clone());
        if known.value != parent.value {
            let gap = Gap::new("organization.parents", merge::CONTRADICTION).at([known.span, parent.span]);
            self.estate.gaps.push(gap);
        }
    }

    /// Adds what is told of an account.
    pub fn account(&mut self, id: AccountId, account: Account) {
        let Estate { sources, documents, accounts, .. } = &mut self.estate;
        let known = accounts.entry(id).or_default();
        known.name = known.name.take().or(account.name);
        known.canonical_id = known.canonical_id.take().or(account.canonical_id);
        let mut merge = Merge { sources, documents };
        merge.known("account.public-access-block", &mut known.block_public_access, account.block_public_access);
    }

    /// Adds a policy document that joins nothing.
    pub fn document(&mut self, document: Document) {
        self.estate.documents.push(document);
    }

    /// Adds a text that is not JSON though it should be.
    pub fn broken(&mut self, broken: Broken) {
        self.estate.broken.push(broken);
    }

    /// Adds a key that stands twice outside of a policy document.
    pub fn duplicate(&mut self, duplicate: Duplicate) {
        self.estate.duplicates.push(duplicate);
    }

    /// Adds a conclusion from the name of a file or folder.
    pub fn named(&mut self, sentence: String, file: SourceId) {
        self.estate.named.push(Spanned::new(sentence, Span::file(file)));
    }

    /// Adds a gap that belongs to no fact of a resource.
    pub fn gap(&mut self, gap: Gap) {
        self.estate.gaps.push(gap);
    }
}

/// The names of the facts about permissions.
pub(super) struct Facts {
    pub(super) inline: &'static str,
    pub(super) attached: &'static str,
    pub(super) boundary: &'static str,
}

const TRUST: &str = "role.trust-policy";
const ROLE: Facts =
    Facts { inline: "role.inline-policies", attached: "role.attached-policies", boundary: "role.permissions-boundary" };
const USER: Facts =
    Facts { inline: "user.inline-policies", attached: "user.attached-policies", boundary: "user.permissions-boundary" };
const GROUP: Facts = Facts {
    inline: "group.inline-policies",
    attached: "group.attached-policies",
    boundary: "group.permissions-boundary",
};

pub(super) fn facts(kind: IdentityKind) -> &'static Facts {
    match kind {
        IdentityKind::Role => &ROLE,
        IdentityKind::User => &USER,
        IdentityKind::Group => &GROUP,
    }
}
