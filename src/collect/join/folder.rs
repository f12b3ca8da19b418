//! What the documents of each folder name, before anything is concluded from names.

use std::collections::{HashMap, HashSet};

use compact_str::CompactString;

use super::{FileTold, NameSet, One};
use crate::aws::AccountId;
use crate::collect::iam::policy_name;
use crate::collect::label::{Label, TRUST, label};
use crate::collect::names::{FolderNames, Layout};
use crate::collect::piece::Piece;
use crate::collect::subject::Subject;
use crate::estate::{IdentityKind, Key, Known, NamedBy, Part};
use crate::policy::PolicyKind;
use crate::text::SourceId;

/// A key as a document names it.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyName {
    pub(super) id: Option<CompactString>,
    pub(super) arn: Option<CompactString>,
    pub(super) account: Option<AccountId>,
}

impl PartialEq for KeyName {
    /// An ID and the ARN that ends in it are one key.
    fn eq(&self, other: &Self) -> bool {
        let arns = self.arn.is_none() || other.arn.is_none() || self.arn == other.arn;
        self.id == other.id && arns
    }
}

/// A role, user or group as a document names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdentityName {
    pub(super) kind: IdentityKind,
    pub(super) account: Option<AccountId>,
    pub(super) name: CompactString,
}

/// What the documents of one folder name.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) buckets: One<CompactString>,
    pub(super) listed_buckets: One<CompactString>,
    pub(super) keys: One<KeyName>,
    pub(super) listed_keys: One<KeyName>,
    pub(super) identities: One<IdentityName>,
    pub(super) roles: One<IdentityName>,
    pub(super) users: One<IdentityName>,
    pub(super) groups: One<IdentityName>,
    /// The account of each role, user and group that a document names; of several, none.
    pub(super) accounts: HashMap<(IdentityKind, CompactString), One<Option<AccountId>>>,
    pub(super) policies: One<CompactString>,
    /// The ARN of each attached or described policy, by its name; of several, none.
    pub(super) policy_arns: HashMap<CompactString, One<CompactString>>,
    pub(super) trails: One<CompactString>,
    pub(super) trails_by_name: HashMap<CompactString, One<CompactString>>,
    pub(super) organization_policies: One<CompactString>,
    pub(super) account: One<AccountId>,
    /// The names in front of `-trust` and its like.
    pub(super) trust_names: NameSet,
    /// The trust policy that the files of the folder leave without a name, where there is one.
    pub(super) nameless_trust: One<SourceId>,
    /// Whether something else than roles, users, groups and their policies is told.
    pub(super) is_mixed: bool,
}

/// The folders of all files, and what holds for all of them.
#[derive(Debug)]
pub(super) struct Folders {
    /// By their numbers; none where no file of the folder tells anything.
    folders: Vec<Option<Folder>>,
    by_path: HashMap<String, u32>,
    nothing: Folder,
    /// Every bucket that some document names.
    pub(super) buckets: HashSet<CompactString>,
    /// The ARN of each managed policy that is described or attached anywhere, by its name.
    pub(super) policy_arns: HashMap<CompactString, One<CompactString>>,
    /// The ARN of each trail, by its name.
    pub(super) trails: HashMap<CompactString, One<CompactString>>,
    /// Every trail's ARN.
    pub(super) trail_arns: HashSet<CompactString>,
}

impl Folders {
    pub(super) fn new(files: &[FileTold]) -> Self {
        let mut all = Folders {
            folders: Vec::new(),
            by_path: HashMap::new(),
            nothing: Folder::default(),
            buckets: HashSet::new(),
            policy_arns: HashMap::new(),
            trails: HashMap::new(),
            trail_arns: HashSet::new(),
        };
        for file in files {
            let number = file.names.folder.number as usize;
            if all.folders.len() <= number {
                all.folders.resize_with(number + 1, || None);
            }
            let mut folder = all.folders.get_mut(number).and_then(Option::take).unwrap_or_else(|| {
                let FolderNames { path, number, .. } = &*file.names.folder;
                all.by_path.insert(path.clone(), *number);
                Folder::default()
            });
            all.subject(&mut folder, file);
            for piece in &file.told.pieces {
                all.piece(&mut folder, file, piece);
            }
            if let Some(slot) = all.folders.get_mut(number) {
                *slot = Some(folder);
            }
        }
        all
    }

    pub(super) fn of(&self, folder: &FolderNames) -> &Folder {
        self.numbered(folder.number)
    }

    /// The folder that reports call `path`.
    pub(super) fn at(&self, path: &str) -> &Folder {
        self.by_path.get(path).map_or(&self.nothing, |&number| self.numbered(number))
    }

    fn numbered(&self, number: u32) -> &Folder {
        self.folders.get(number as usize).and_then(Option::as_ref).unwrap_or(&self.nothing)
    }

    /// What the user says counts as if the document said it.
    fn subject(&mut self, folder: &mut Folder, file: &FileTold) {
        match file.subject() {
            Some(Subject::Bucket { name, .. }) => {
                self.buckets.insert(name.clone());
                folder.buckets.add(name.clone());
            }
            Some(Subject::Key(arn)) => folder.keys.add(key_name(&crate::collect::kms::named(arn, file.span()))),
            Some(Subject::Identity { kind, account, name, .. }) => {
                folder.identity(*kind, Some(*account), name.clone());
            }
            Some(Subject::ManagedPolicy(arn)) => self.managed_policy(folder, arn),
            Some(Subject::Trail(arn)) => folder.trails.add(arn.clone()),
            Some(Subject::Target(_)) | None => {}
        }
    }

    fn piece(&mut self, folder: &mut Folder, file: &FileTold, piece: &Piece) {
        match piece {
            // A list names all there are, and so none that its neighbours are about.
            Piece::Role(role, true) => folder.named(IdentityKind::Role, role.account, &role.name),
            Piece::User(user, true) => folder.named(IdentityKind::User, user.account, &user.name),
            Piece::Group(group, true) => folder.named(IdentityKind::Group, group.account, &group.name),
            Piece::Role(role, false) => folder.identity(IdentityKind::Role, role.account, role.name.clone()),
            Piece::User(user, false) => folder.identity(IdentityKind::User, user.account, user.name.clone()),
            Piece::Group(group, false) => folder.identity(IdentityKind::Group, group.account, group.name.clone()),
            Piece::Part { kind: Some(kind), name: Some(name), .. } => folder.identity(*kind, None, name.clone()),
            Piece::Part { part: Part::Attached(Known::Present(arns, _)) | Part::AttachedPage(arns, _), .. } => {
                for arn in arns {
                    self.managed_policy(folder, &arn.value);
                }
            }
            Piece::ManagedPolicy(policy) => {
                if let Some(arn) = &policy.arn {
                    self.managed_policy(folder, arn);
                }
            }
            Piece::Policy(policy) => match policy.document.kind {
                PolicyKind::Bucket => {
                    folder.is_mixed = true;
                    self.buckets.extend(policy.buckets.iter().cloned());
                    let called = file.names.folder.name.as_ref().filter(|name| policy.buckets.contains(name));
                    let bucket = match policy.buckets.as_slice() {
                        [only] => Some(only),
                        _ => called,
                    };
                    if let (Some(bucket), None) = (bucket, file.subject()) {
                        folder.buckets.add(bucket.clone());
                    }
                }
                PolicyKind::Key => folder.is_mixed = true,
                PolicyKind::Trust => match label(&file.names.stem, &TRUST) {
                    Label::Of(name) => {
                        folder.trust_names.insert(name.into());
                    }
                    Label::Alone => folder.nameless_trust.add(file.source),
                    Label::None => {}
                },
                _ => {}
            },
            Piece::Bucket(bucket) if bucket.named_by == NamedBy::Input => {
                folder.is_mixed = true;
                folder.listed_buckets.add(bucket.name.clone());
                self.buckets.insert(bucket.name.clone());
            }
            Piece::Bucket(_) | Piece::BlockPublicAccess(..) => folder.is_mixed = true,
            Piece::Buckets(buckets, _) => {
                for bucket in buckets {
                    folder.listed_buckets.add(bucket.name.clone());
                    self.buckets.insert(bucket.name.clone());
                }
            }
            Piece::Key(key) => {
                folder.is_mixed = true;
                let describes = key.metadata.present().is_some() || key.rotation.present().is_some();
                match (key.id.is_some(), describes) {
                    (true, true) => add_key(&mut folder.keys, key),
                    (true, false) => add_key(&mut folder.listed_keys, key),
                    _ => {}
                }
            }
            Piece::Trail(trail) => {
                folder.is_mixed = true;
                let Some(arn) = &trail.arn else { return };
                folder.trails.add(arn.clone());
                folder.trails_by_name.entry(trail.name.clone()).or_default().add(arn.clone());
                self.trails.entry(trail.name.clone()).or_default().add(arn.clone());
                self.trail_arns.insert(arn.clone());
                if let Some(bucket) = trail.bucket.present() {
                    self.buckets.insert(bucket.clone());
                }
            }
            Piece::OrganizationPolicy(policy) => folder.organization_policies.add(policy.id.clone()),
            Piece::Caller(account) => folder.account.add(*account),
            _ => {}
        }
        if let Layout::Bucket(name, _) = &file.names.folder.layout {
            self.buckets.insert(name.clone());
        }
    }

    fn managed_policy(&mut self, folder: &mut Folder, arn: &CompactString) {
        folder.policies.add(arn.clone());
        if let Some(name) = policy_name(arn) {
            folder.policy_arns.entry(name.into()).or_default().add(arn.clone());
            self.policy_arns.entry(name.into()).or_default().add(arn.clone());
        }
    }
}

impl Folder {
    fn identity(&mut self, kind: IdentityKind, account: Option<AccountId>, name: CompactString) {
        self.named(kind, account, &name);
        let identity = IdentityName { kind, account, name };
        let of_kind = match kind {
            IdentityKind::Role => &mut self.roles,
            IdentityKind::User => &mut self.users,
            IdentityKind::Group => &mut self.groups,
        };
        for slot in [of_kind, &mut self.identities] {
            // An answer without the account is about the one that another answer gives it.
            match slot {
                One::Only(known) if known.kind == kind && known.name == identity.name => {
                    match (known.account, identity.account) {
                        (None, account) => known.account = account,
                        (Some(one), Some(other)) if one != other => *slot = One::Several,
                        _ => {}
                    }
                }
                slot => slot.add(identity.clone()),
            }
        }
    }

    fn named(&mut self, kind: IdentityKind, account: Option<AccountId>, name: &CompactString) {
        self.accounts.entry((kind, name.clone())).or_default().add_account(account);
    }

    /// The one key of the folder: what describes a key goes before what lists keys.
    pub(super) fn key(&self) -> Option<&KeyName> {
        match &self.keys {
            One::Nothing => self.listed_keys.one(),
            keys => keys.one(),
        }
    }

    /// The one bucket of the folder.
    pub(super) fn bucket(&self) -> Option<&CompactString> {
        match &self.buckets {
            One::Nothing => self.listed_buckets.one(),
            buckets => buckets.one(),
        }
    }

    /// The one role, user or group of the folder; of that kind, where it is known.
    pub(super) fn one_identity(&self, kind: Option<IdentityKind>) -> Option<&IdentityName> {
        match kind {
            Some(IdentityKind::Role) => self.roles.one(),
            Some(IdentityKind::User) => self.users.one(),
            Some(IdentityKind::Group) => self.groups.one(),
            None => self.identities.one(),
        }
    }
}

impl One<Option<AccountId>> {
    fn add_account(&mut self, account: Option<AccountId>) {
        match self {
            One::Only(known @ None) => *known = account,
            One::Only(Some(_)) if account.is_none() => {}
            _ => self.add(account),
        }
    }
}

fn key_name(key: &Key) -> KeyName {
    KeyName { id: key.id.clone(), arn: key.arn.clone(), account: key.account }
}

fn add_key(slot: &mut One<KeyName>, key: &Key) {
    let name = key_name(key);
    match slot {
        One::Only(known) if *known == name => {
            known.arn = known.arn.take().or(name.arn);
            known.account = known.account.or(name.account);
        }
        slot => slot.add(name),
    }
}
