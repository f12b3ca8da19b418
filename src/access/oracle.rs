//! The answers of the access matrix by brute force: slow, small and plain, to hold the search against.
//!
//! Every caller of a reader puts every call for every key of a small universe with every combination of the values that a
//! caller can arrange to the evaluator, and the best answer counts. What roles can assume each other is closed over until
//! nothing is won. Nothing here knows how the search of [`crate::access::reach`] goes about it.
//!
//! Sources: as for [`mod@crate::access::evaluate`], which decides every single request.

mod parties;
mod universe;

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use self::parties::Asker;
pub use self::parties::{Who, user_arn};
use crate::access::bucket::BucketFacts;
use crate::access::evaluate::{Policies, Side, decide};
use crate::access::lock::Lock;
use crate::access::organization::Organization;
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::s3::{Ownership, Storage};
use crate::access::sts::Membership;
use crate::aws::AccountId;
use crate::estate::{Bucket, Estate, Grantee, Role};
use crate::finding::Decision;
use crate::model::{LogBucket, Model};
use crate::policy::{Policy, Principal, Statement};

const FETCHES: [&str; 2] = ["s3:GetObject", "s3:GetObjectVersion"];
const LISTS: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];
const WRITES: [&str; 7] = [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
];
const ASSUME: &str = "sts:AssumeRole";
const DECRYPT: &str = "kms:Decrypt";

/// An organization whose ID nobody told has some ID.
const SOME_ORGANIZATION: &str = "o-someother00";

/// How far an answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// No request gets through.
    #[default]
    No,
    /// Some may, and what it hangs on the caller can not arrange, or no input tells it.
    Maybe,
    /// Some gets through.
    Yes,
}

/// What can be done with somebody's logs, in the order of [`crate::finding::matrix::Ability`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Can {
    /// Listing keys.
    pub list: Level,
    /// Fetching objects.
    pub get: Level,
    /// Fetching objects that S3 has decrypted under a KMS key.
    pub decrypt: Level,
    /// Writing, overwriting or deleting objects.
    pub write: Level,
}

impl Can {
    /// The levels in order of ability.
    pub fn levels(self) -> [Level; 4] {
        [self.list, self.get, self.decrypt, self.write]
    }

    fn each(self, other: Can, join: impl Fn(Level, Level) -> Level) -> Can {
        Can {
            list: join(self.list, other.list),
            get: join(self.get, other.get),
            decrypt: join(self.decrypt, other.decrypt),
            write: join(self.write, other.write),
        }
    }

    /// The better of the two.
    fn or(self, other: Can) -> Can {
        self.each(other, Level::max)
    }

    /// No more than `most`.
    fn within(self, most: Level) -> Can {
        self.each(self, |level, _| level.min(most))
    }
}

/// One log bucket and all that decides who can do what there.
#[derive(Debug)]
pub struct Oracle<'e> {
    estate: &'e Estate,
    model: &'e Model,
    organization: &'e Organization<'e>,
    name: CompactString,
    prefixes: Vec<CompactString>,
    bucket: Option<&'e Bucket>,
    arn: String,
    owner: Option<AccountId>,
    facts: Option<BucketFacts<'e>>,
    policy: Option<Arc<Policy>>,
    policy_is_known: bool,
    rcp: Vec<Arc<Policy>>,
    lock: Lock<'e>,
    /// What allows everything: the most that an unknown policy can say.
    all: Arc<Policy>,
}

impl<'e> Oracle<'e> {
    /// Gathers the facts of a log bucket; `None` where its name is not known.
    pub fn new(
        estate: &'e Estate,
        model: &'e Model,
        organization: &'e Organization<'e>,
        log_bucket: &LogBucket,
    ) -> Option<Self> {
        if !log_bucket.is_named {
            return None;
        }
        let bucket = estate.buckets.iter().find(|bucket| bucket.name == log_bucket.name);
        let document = bucket.and_then(|bucket| bucket.policy.get().ok());
        let policy = document.flatten().map(|document| document.policy(&estate.sources));
        let is_readable = policy.as_ref().is_none_or(|policy| policy.unreadable().is_none());
        let owner = bucket.and_then(|bucket| bucket.account.present().copied()).or(log_bucket.owner).or(model.owner());
        let facts = bucket.map(|bucket| BucketFacts::new(estate, model, bucket, owner));
        let mut oracle = Oracle {
            estate,
            model,
            organization,
            name: log_bucket.name.clone(),
            prefixes: log_bucket.prefixes().map(CompactString::new).collect(),
            bucket,
            arn: bucket.and_then(Bucket::arn).unwrap_or_else(|| format!("arn:aws:s3:::{}", log_bucket.name)),
            owner,
            facts,
            policy: policy.filter(|_| is_readable),
            policy_is_known: document.is_some() && is_readable,
            rcp: organization.rcp(owner),
            lock: Lock::Unknown("what the logs are encrypted with"),
            all: universe::allow_all()?,
        };
        if let Some(facts) = &oracle.facts {
            let folder = oracle.folders(AccountId::other_than([])).into_iter().next()?;
            let object = universe::log_file(&folder, AccountId::other_than([]));
            oracle.lock = Lock::of(estate, organization, facts, &object, owner);
        }
        Some(oracle)
    }

    /// What a reader can do with the logs of each of these accounts, by itself and by the roles it can assume; `roles` is
    /// what [`Oracle::roles`] says of the same accounts.
    pub fn answer(&self, who: &Who<'e>, owners: &[AccountId], roles: &Reached<'e>) -> Vec<Can> {
        let mut can = self.direct(who, owners);
        for (role, reached) in &roles.0 {
            if reached.iter().all(|can| *can == Can::default()) {
                continue;
            }
            let step = self.can_assume(who, role);
            join(&mut can, reached, step);
        }
        can
    }

    /// What each role of the estate can do with the logs of these accounts, with the roles that it can assume.
    pub fn roles(&self, owners: &[AccountId]) -> Reached<'e> {
        let roles = self.estate.roles.iter();
        let mut reached: Vec<(&Role, Vec<Can>)> =
            roles.map(|role| (role, self.direct(&Who::Role(role), owners))).collect();
        let mut steps: BTreeMap<(usize, usize), Level> = BTreeMap::new();
        loop {
            let before = reached.clone();
            for (from, (source, can)) in reached.iter_mut().enumerate() {
                for (to, (target, theirs)) in before.iter().enumerate() {
                    if from != to && theirs.iter().any(|can| *can != Can::default()) {
                        let step =
                            steps.entry((from, to)).or_insert_with(|| self.can_assume(&Who::Role(source), target));
                        join(can, theirs, *step);
                    }
                }
            }
            if reached.iter().zip(&before).all(|((_, now), (_, before))| now == before) {
                return Reached(reached);
            }
        }
    }

    /// What a reader can do without assuming a role.
    fn direct(&self, who: &Who<'e>, owners: &[AccountId]) -> Vec<Can> {
        let mut policies: Vec<&Policy> = self.resource_policies();
        policies.extend(self.rcp.iter().map(Arc::as_ref));
        if let Lock::Key(key) = &self.lock {
            policies.extend(key.rcp.iter().map(Arc::as_ref));
        }
        let askers = self.askers(who, &policies);
        owners
            .iter()
            .map(|owner| askers.iter().fold(Can::default(), |can, asker| can.or(self.one(asker, *owner))))
            .collect()
    }

    /// What one set of callers can do with the logs of an account.
    fn one(&self, asker: &Asker, owner: AccountId) -> Can {
        let mut can = Can::default();
        let folders = self.folders(owner);
        let objects: Vec<String> = folders.iter().flat_map(|folder| self.objects(asker, folder, owner)).collect();
        for action in FETCHES {
            for object in &objects {
                self.each_request(asker, action, (object, ""), &mut |request, most| {
                    let (get, decrypt) = self.fetch(asker, request);
                    can.get = can.get.max(get.min(most));
                    can.decrypt = can.decrypt.max(decrypt.min(most));
                    let is_locked = !matches!(self.lock, Lock::None);
                    can.get == Level::Yes && (!is_locked || can.decrypt == Level::Yes)
                });
            }
        }
        for action in LISTS {
            for folder in &folders {
                self.each_request(asker, action, (&self.arn, folder), &mut |request, most| {
                    can.list = can.list.max(self.simple(asker, request).min(most));
                    can.list == Level::Yes
                });
            }
        }
        for action in WRITES {
            for object in &objects {
                self.each_request(asker, action, (object, ""), &mut |request, most| {
                    can.write = can.write.max(self.simple(asker, request).min(most));
                    can.write == Level::Yes
                });
            }
        }
        can
    }

    /// One call to S3.
    fn simple(&self, asker: &Asker, request: &Request) -> Level {
        self.fetch(asker, request).0
    }

    /// One call to S3, and the Decrypt call behind it where it is allowed.
    fn fetch(&self, asker: &Asker, request: &Request) -> (Level, Level) {
        let policy: Vec<&Policy> = self.policy.iter().map(Arc::as_ref).collect();
        let rcp = [self.rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let resource = match self.policy_is_known {
            false => Side::Unknown("the policy of the bucket"),
            true => Side::Policies(&policy),
        };
        let canonical = self.canonical_id(request.caller.account());
        let (mut get, mut decrypt) = (Level::No, Level::No);
        for storage in self.storages(request) {
            asker.each_identity(&self.all, &mut |identity, boundary, scp, most| {
                let policies = Policies {
                    identity,
                    resource,
                    boundary,
                    scp,
                    rcp: &rcp,
                    management: self.model.management(),
                    canonical: canonical.as_deref(),
                    storage: storage.as_ref(),
                    ..Policies::default()
                };
                let fetched = level(decide(request, &policies)).min(most);
                get = get.max(fetched);
                if fetched > Level::No && FETCHES.iter().any(|action| request.action.is(action)) {
                    let opened = match &self.lock {
                        Lock::None => Level::No,
                        Lock::Unknown(_) => Level::Maybe,
                        Lock::Key(key) => level(key.behind(request, &policies, decide)),
                    };
                    decrypt = decrypt.max(opened.min(fetched));
                }
            });
        }
        (get, decrypt)
    }

    /// The canonical ID of an account: the known one; another than all that policies and ACL name where those are known to be
    /// others'; else nothing.
    fn canonical_id(&self, account: Option<AccountId>) -> Option<String> {
        if let Some(known) = account.and_then(|account| self.model.canonical_id_of(account)) {
            return Some(known.to_owned());
        }
        let is_unknown = |principal: &Principal| match principal {
            Principal::CanonicalUser(id) => self.model.account_of_canonical_id(id).is_none(),
            _ => false,
        };
        let policies = self.resource_policies();
        let grants = self.bucket.and_then(|bucket| bucket.acl.present()).into_iter().flat_map(|acl| &acl.grants);
        let mut by_acl = grants.filter(|grant| match &grant.grantee {
            Grantee::CanonicalUser(id) => self.model.account_of_canonical_id(id).is_none(),
            _ => false,
        });
        let is_open = parties::principals(&policies).any(is_unknown) || by_acl.next().is_some();
        (!is_open).then(|| "of somebody else".to_owned())
    }

    /// What S3 may know of the bucket: where its object ownership was not collected, ACLs that were may count too.
    fn storages(&self, request: &Request) -> Vec<Option<Storage<'_>>> {
        let key = request.resource.split_once('/').map(|(_, key)| key);
        let Some(known) = self.facts.as_ref().map(|facts| facts.storage(key)) else { return vec![None] };
        match self.bucket.is_some_and(|bucket| bucket.ownership.is_unknown() && bucket.acl.present().is_some()) {
            true => vec![Some(known), Some(Storage { ownership: Ownership::Unknown, ..known })],
            false => vec![Some(known)],
        }
    }

    /// How surely a reader can assume a role.
    fn can_assume(&self, who: &Who<'e>, role: &Role) -> Level {
        let (Some(arn), Some(document)) = (role.arn(), role.trust.present()) else { return Level::No };
        if matches!(who, Who::Role(other) if other.arn().as_ref() == Some(&arn)) {
            return Level::No;
        }
        let trust = document.policy(&self.estate.sources);
        let bound = self.organization.rcp(role.account);
        let rcp = [bound.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let mut best = Level::No;
        // STS takes no unsigned requests for roles.
        let signed = |asker: &Asker| asker.callers.iter().all(|caller| *caller != Caller::Anonymous);
        let policies: Vec<&Policy> = bound.iter().chain([&trust]).map(Arc::as_ref).collect();
        for asker in self.askers(who, &policies).into_iter().filter(signed) {
            let statements =
                asker.statements().chain(trust.effective()).chain(bound.iter().flat_map(|p| p.effective()));
            let statements: Vec<&Statement> = statements.filter(|s| s.covers_action(ASSUME)).collect();
            let target = (ASSUME, arn.as_str(), role.account);
            self.each_context(&asker, target, "", &statements, &mut |request, most| {
                let trust = [trust.as_ref()];
                asker.each_identity(&self.all, &mut |identity, boundary, scp, known| {
                    let policies = Policies {
                        identity,
                        resource: Side::Policies(&trust),
                        boundary,
                        scp,
                        rcp: &rcp,
                        management: self.model.management(),
                        ..Policies::default()
                    };
                    best = best.max(level(decide(request, &policies)).min(known).min(most));
                });
                best == Level::Yes
            });
        }
        best
    }

    /// Every request of these callers for an action on a resource of the bucket, to list what shows something of `folder` if
    /// it lists, until one answers `true`.
    fn each_request(
        &self,
        asker: &Asker,
        action: &str,
        (resource, folder): (&str, &str),
        visit: &mut dyn FnMut(&Request, Level) -> bool,
    ) {
        let decrypts = FETCHES.contains(&action);
        let own = asker.statements().filter(|s| s.covers_action(action) || (decrypts && s.covers_action(DECRYPT)));
        let bucket = self.policy.iter().chain(&self.rcp).flat_map(|policy| policy.effective());
        let mut statements: Vec<&Statement> = own.chain(bucket.filter(|s| s.covers_action(action))).collect();
        if let (Lock::Key(key), true) = (&self.lock, decrypts) {
            let policies = key.policy.iter().chain(&key.rcp).flat_map(|policy| policy.effective());
            statements.extend(policies.filter(|s| s.covers_action(DECRYPT)));
        }
        self.each_context(asker, (action, resource, self.owner), folder, &statements, visit);
    }

    /// Every request for an action on a resource with every combination of what its caller can arrange, as far as
    /// `statements` speak of it, until one answers `true`.
    fn each_context(
        &self,
        asker: &Asker,
        (action, resource, account): (&str, &str, Option<AccountId>),
        folder: &str,
        statements: &[&Statement],
        visit: &mut dyn FnMut(&Request, Level) -> bool,
    ) {
        for caller in &asker.callers {
            let free = self.free_keys(caller, (action, resource, folder), statements);
            for (keys, most) in &asker.organizations {
                let mut request = Request::new(caller.clone(), action, resource, account);
                request.otherwise = Otherwise::Situation;
                for (key, given) in keys.iter().chain(&self.whereabouts(account)) {
                    request.set(key, given.clone());
                }
                if each_choice(&mut request, &free, &mut |request| visit(request, *most)) {
                    return;
                }
            }
        }
    }

    /// The organization of a resource, where it is known.
    fn whereabouts(&self, account: Option<AccountId>) -> Vec<(CompactString, Given)> {
        match account
            .filter(|account| Some(*account) == self.owner)
            .map(|account| self.organization.membership(account))
        {
            Some(Membership::In(id)) => vec![("aws:ResourceOrgID".into(), Given::Values(vec![id]))],
            _ => Vec::new(),
        }
    }

    /// The policies of bucket and key, as far as they are known.
    fn resource_policies(&self) -> Vec<&Policy> {
        let key = match &self.lock {
            Lock::Key(key) => key.policy.as_deref(),
            Lock::None | Lock::Unknown(_) => None,
        };
        self.policy.as_deref().into_iter().chain(key).collect()
    }

    /// How the keys of an account's logs begin.
    fn folders(&self, account: AccountId) -> Vec<String> {
        let known = self.model.own_prefixes(account, &self.name);
        if !known.is_empty() {
            return known;
        }
        let all = self.prefixes.iter();
        all.map(|prefix| match prefix.is_empty() {
            true => format!("AWSLogs/{SOME_ORGANIZATION}/{account}/"),
            false => format!("{prefix}/AWSLogs/{SOME_ORGANIZATION}/{account}/"),
        })
        .collect()
    }
}

/// An account that stands for all whose logs a bucket may hold, where nothing tells which they are.
pub fn owner_for_all(model: &Model) -> AccountId {
    AccountId::other_than(model.known_accounts())
}

/// What each role of an estate can do with the logs of some accounts.
#[derive(Debug)]
pub struct Reached<'e>(Vec<(&'e Role, Vec<Can>)>);

impl Reached<'_> {
    /// What the role of this ARN can do.
    pub fn of(&self, arn: &str) -> Option<&[Can]> {
        let found = self.0.iter().find(|(role, _)| role.arn().as_deref() == Some(arn));
        found.map(|(_, can)| can.as_slice())
    }
}

/// Adds what a role reaches, as far as the step to it goes.
fn join(can: &mut [Can], theirs: &[Can], step: Level) {
    for (mine, theirs) in can.iter_mut().zip(theirs) {
        *mine = mine.or(theirs.within(step));
    }
}

fn level(decision: Decision) -> Level {
    match decision {
        Decision::Allowed => Level::Yes,
        Decision::Conditional => Level::Maybe,
        Decision::ExplicitDeny | Decision::ImplicitDeny => Level::No,
    }
}

/// Visits a request with each combination of values for these keys, until one answers `true`.
fn each_choice(
    request: &mut Request,
    keys: &[(CompactString, Vec<Given>)],
    visit: &mut dyn FnMut(&Request) -> bool,
) -> bool {
    let Some(((key, values), rest)) = keys.split_first() else { return visit(request) };
    values.iter().any(|value| {
        request.set(key, value.clone());
        each_choice(request, rest, visit)
    })
}
