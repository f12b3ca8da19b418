//! One log bucket, with everything on its side that decides who can read from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;

use super::columns::{DELIVERED, LogOwner, columns, examples};
use crate::access::bucket::{BucketFacts, arn_by_policy, unknown_state};
use crate::access::evaluate::Side;
use crate::access::lock::Lock;
use crate::access::organization::Organization;
use crate::access::pattern_set::overlap;
use crate::access::request::{Caller, Given, Request};
use crate::access::s3::{Ownership, Storage};
use crate::access::search::STRANGER;
use crate::access::sts::{Membership, named_accounts, strangers};
use crate::aws::{AccountId, legacy_cloudtrail_account};
use crate::estate::{AclGrant, Bucket, Estate, Gap, Grantee, Known, OrganizationPolicyKind, Role, Trail};
use crate::finding::matrix::Party;
use crate::model::{LogBucket, Model, is_key};
use crate::policy::{Policy, Principal, Statement};

/// How much is looked at for all readers of a bucket, for one of few readers, and for one of very many, in tokens of
/// patterns: a second has some hundred millions.
const ALL_WORK: usize = 80_000_000;
const MOST_WORK: usize = 10_000_000;
const LEAST_WORK: usize = 500_000;

/// How many accounts that nobody names are asked about at most.
pub(super) const MOST_STRANGERS: usize = 24;

/// What an answer hangs on where there are more.
pub(super) const MORE_STRANGERS: &str = "which accounts very many patterns of account IDs let in";

/// How many actions make a policy a long one.
const LONG: usize = 64;

/// The actions of the services that have a part in a read.
const SERVICES: [&str; 3] = ["s3:*", "kms:*", "sts:*"];

/// One log bucket.
#[derive(Debug)]
pub(super) struct Ground<'e> {
    pub(super) estate: &'e Estate,
    pub(super) model: &'e Model,
    pub(super) organization: &'e Organization<'e>,
    /// The bucket as the model has it.
    pub(super) log_bucket: &'e LogBucket,
    /// The names of readers and owners that are asked about by themselves.
    pub(super) apart: &'e [String],
    /// Its ARN.
    pub(super) arn: String,
    /// The account that owns it, where known.
    pub(super) owner: Option<AccountId>,
    /// Whose logs it holds.
    pub(super) columns: Vec<LogOwner>,
    /// The key its logs are under.
    pub(super) lock: Lock<'e>,
    /// What was not known.
    pub(super) gaps: Vec<Gap>,
    /// How much may be looked at for one reader, in tokens of patterns: so much that all of them end in time.
    pub(super) allowance: usize,
    /// Accounts that stand for any account there is.
    pub(super) strangers: Vec<AccountId>,
    /// Whether policies tell more of them apart than are asked about.
    pub(super) has_more_strangers: bool,
    /// Accounts that somebody names, and those that stand for others.
    pub(super) taken: Vec<AccountId>,
    /// An account that stands for the accounts of an organization that nobody names.
    pub(super) unnamed: AccountId,
    bucket: Option<&'e Bucket>,
    facts: Option<BucketFacts<'e>>,
    policy: Option<Arc<Policy>>,
    /// What is not known where the policy is not, in words.
    missing: Option<String>,
    rcp: Vec<Arc<Policy>>,
    /// Long policies without what is about other services, by the addresses of their texts.
    slim: Mutex<HashMap<usize, Arc<Policy>>>,
}

impl<'e> Ground<'e> {
    /// Gathers the facts.
    pub(super) fn new(
        estate: &'e Estate,
        model: &'e Model,
        organization: &'e Organization<'e>,
        log_bucket: &'e LogBucket,
        apart: &'e [String],
    ) -> Self {
        let bucket = estate.buckets.iter().find(|bucket| {
            bucket.name == log_bucket.name
                && (bucket.arn().is_some() || !log_bucket.is_named || bucket.span == log_bucket.span)
        });
        let mut gaps = Vec::new();
        let mut gap = |gap: Gap| gaps.push(gap);
        let policy = match bucket.map(|bucket| bucket.policy.get()) {
            Some(Ok(document)) => Ok(document.map(|document| document.policy(&estate.sources))),
            Some(Err(unknown)) => Err(unknown),
            None => Err(Gap::new("bucket.policy", format!("bucket `{}` is not in the inputs", log_bucket.name))
                .at([log_bucket.span])),
        };
        let policy = policy.and_then(|policy| match policy.as_ref().and_then(|policy| policy.unreadable()) {
            Some(problem) => {
                Err(Gap::new("bucket.policy", format!("it can not be evaluated: {}", problem.kind)).at([problem.span]))
            }
            None => Ok(policy),
        });
        let missing = policy.as_ref().err().map(|_| format!("the policy of bucket `{}`", log_bucket.name));
        let policy = policy.unwrap_or_else(|unknown| {
            gap(unknown);
            None
        });
        let owner = bucket.and_then(|bucket| bucket.account.present().copied()).or(log_bucket.owner).or(model.owner());
        match owner {
            None => gap(Gap::not_collected("bucket.account").at([log_bucket.span])),
            Some(owner) if !estate.lists_roles_of(owner) => {
                let of = model.label(owner);
                let reason = format!("the roles of {of} are not all in the inputs, and one may let others at the logs");
                gap(Gap::new("account.roles", reason).at([log_bucket.span]));
            }
            Some(_) => {}
        }
        if let Some(bucket) = bucket
            && Ownership::from(&bucket.ownership) != Ownership::Enforced
            && let Some(unknown) = bucket.acl.gap()
        {
            gap(Gap {
                reason: format!("ACLs could give more than policies do: {}", unknown.reason).into(),
                ..unknown.clone()
            });
        }
        let facts = bucket.map(|bucket| BucketFacts::new(estate, model, bucket, owner));
        let arn = match bucket.and_then(Bucket::arn) {
            Some(arn) => arn,
            None if log_bucket.is_named => format!("arn:aws:s3:::{}", log_bucket.name),
            None => arn_by_policy(policy.as_deref()),
        };
        let columns = columns(model, log_bucket, policy.as_deref());
        if columns.iter().any(|column| column.is_guessed) {
            gap(Gap::new("organization.id", "the folder of the organization in the keys of the logs is not known")
                .at([log_bucket.span]));
        }
        let lock = match (&facts, columns.first()) {
            (Some(facts), Some(first)) => {
                let prefix = first.prefixes.first().map_or("", String::as_str);
                let [file, _] = examples(first.account);
                Lock::of(estate, organization, facts, &format!("{prefix}{DELIVERED}{file}"), owner)
            }
            _ => Lock::Unknown("what the logs are encrypted with"),
        };
        let of_trails = keys_of_trails(estate, log_bucket);
        match (&lock, bucket.map(|bucket| &bucket.encryption)) {
            (Lock::Key(key), _) if key.policy.is_none() && !key.facts.is_aws_managed() => {
                let unknown = key.key.and_then(|key| key.policy.gap().cloned());
                gap(unknown.unwrap_or_else(|| Gap::new("key.policy", format!("{} is not in the inputs", key.missing))));
            }
            // The bucket is not in the inputs, and its trail says what its logs are under.
            (Lock::Unknown(_), None) if !of_trails.is_empty() => {
                let unknown = of_trails.iter().filter(|key| !estate.keys.iter().any(|known| is_key(key, known)));
                let told =
                    |key: &&str| Gap::new("key.policy", format!("the policy of key `{key}` is not in the inputs"));
                unknown.for_each(|key| gap(told(key)));
            }
            (Lock::Unknown(what), _) => {
                gap(Gap::new("key.arn", format!("it is not known {what}").replace("known whether", "known if")))
            }
            (_, Some(Known::Unknown(unknown))) => gap(unknown.clone()),
            _ => {}
        }
        let mut ground = Ground {
            estate,
            model,
            organization,
            log_bucket,
            apart,
            arn,
            owner,
            columns,
            lock,
            gaps,
            allowance: (ALL_WORK / (estate.roles.len() + estate.users.len() + 8)).clamp(LEAST_WORK, MOST_WORK),
            strangers: Vec::new(),
            has_more_strangers: false,
            taken: Vec::new(),
            unnamed: AccountId::other_than([]),
            bucket,
            facts,
            policy,
            missing,
            rcp: organization.rcp(owner),
            slim: Mutex::default(),
        };
        ground.find_strangers();
        ground
    }

    /// Accounts that nothing names: one for each pattern of account IDs, and one that none matches.
    fn find_strangers(&mut self) {
        let statements = || self.all_policies().flat_map(|policy| policy.effective());
        let mut taken: Vec<AccountId> = self.model.known_accounts().into_iter().collect();
        taken.extend(self.columns.iter().map(|column| column.account));
        taken.extend(statements().flat_map(named_accounts));
        taken.extend(self.estate.accounts.keys());
        taken.extend(self.estate.roles.iter().filter_map(|role| role.account));
        taken.extend(self.grantees().filter_map(|caller| caller.account()));
        let mut found: Vec<AccountId> = Vec::new();
        for (_, account) in statements().flat_map(|statement| strangers(statement, &taken)) {
            if !found.contains(&account) {
                found.push(account);
            }
        }
        if found.is_empty() {
            found.push(AccountId::other_than(taken.iter().copied()));
        }
        taken.extend(found.iter().copied());
        taken.sort_unstable();
        taken.dedup();
        self.has_more_strangers = found.len() > MOST_STRANGERS;
        found.truncate(MOST_STRANGERS);
        self.unnamed = AccountId::other_than(taken.iter().copied());
        self.taken = taken;
        self.strangers = found;
        if self.has_more_strangers {
            let reason =
                format!("more than {MOST_STRANGERS} patterns of account IDs may let in accounts that nobody names");
            self.gaps.push(Gap::new("bucket.policy", reason).at([self.log_bucket.span]));
        }
    }

    /// Accounts that nobody names: those that stand for the patterns of account IDs, and one more.
    pub(super) fn of_nobody(&self) -> impl Iterator<Item = AccountId> + '_ {
        std::iter::once(self.unnamed).chain(self.strangers.iter().copied())
    }

    /// The principals that the grants of the key are made to.
    pub(super) fn grantees(&self) -> impl Iterator<Item = Caller> + '_ {
        let grants = match &self.lock {
            Lock::Key(key) => key.facts.grants.unwrap_or_default(),
            _ => &[],
        };
        grants.iter().filter_map(|grant| Caller::parse(&grant.grantee.as_ref()?.value))
    }

    /// The grants of the ACL of the bucket, as far as they are known.
    pub(super) fn acl(&self) -> &'e [AclGrant] {
        self.bucket.and_then(|bucket| bucket.acl.present()).map_or(&[], |acl| &acl.grants)
    }

    /// Whether the matrix has a column for an account, one that stands for all too.
    pub(super) fn has_column(&self, account: AccountId) -> bool {
        self.columns.binary_search_by_key(&account, |column| column.account).is_ok()
    }

    /// The accounts whose logs are asked about by themselves.
    pub(super) fn apart(&self) -> impl Iterator<Item = AccountId> + '_ {
        let columns = self.columns.iter().filter(|_| !self.apart.is_empty()).map(|column| column.account);
        columns.filter(|account| self.is_apart(&self.party(*account)))
    }

    /// Whether a reader or owner is asked about by itself.
    pub(super) fn is_apart(&self, party: &Party) -> bool {
        self.apart.iter().any(|name| party.is_called(name))
    }

    /// The column of an account, where the bucket has its logs.
    pub(super) fn column(&self, account: Option<AccountId>) -> Option<&LogOwner> {
        let account = account?;
        let found = self.columns.binary_search_by_key(&account, |column| column.account).ok()?;
        self.columns.get(found).filter(|column| !column.stands_for_all)
    }

    /// The role of this name in an account.
    pub(super) fn role(&self, account: AccountId, name: &str) -> Option<&'e Role> {
        self.estate.roles.iter().find(|role| role.name == name && role.account == Some(account))
    }

    /// The policies of bucket and key, as far as they are known.
    pub(super) fn resource_policies(&self) -> Vec<&Policy> {
        let key = match &self.lock {
            Lock::Key(key) => key.policy.as_deref(),
            _ => None,
        };
        self.policy.as_deref().into_iter().chain(key).collect()
    }

    /// The policies of bucket and key, and the RCPs that bind the two.
    pub(super) fn all_policies(&self) -> impl Iterator<Item = &Policy> {
        let key_rcp: &[Arc<Policy>] = match &self.lock {
            Lock::Key(key) => &key.rcp,
            _ => &[],
        };
        self.resource_policies().into_iter().chain(self.rcp.iter().chain(key_rcp).map(Arc::as_ref))
    }

    /// Whether a policy of bucket or key asks callers to be in an organization.
    pub(super) fn asks_for_an_organization(&self) -> bool {
        let statements = self.all_policies().flat_map(|policy| policy.effective());
        statements.flat_map(|statement| &statement.conditions).any(|clause| clause.key.starts_with("aws:principalorg"))
    }

    /// The canonical ID of an account, if only one that nobody has, as far as it decides whom policies and ACL
    /// name; `None` where an ID that they name may or may not be the account's.
    pub(super) fn canonical_id_of(&self, account: Option<AccountId>) -> Option<CompactString> {
        let statements = self.resource_policies().into_iter().flat_map(|policy| policy.effective());
        let entries = statements.filter_map(|statement| statement.principals.as_ref()).flat_map(|one| &one.entries);
        let by_policy = entries.filter_map(|entry| match &entry.principal {
            Principal::CanonicalUser(id) => Some(id),
            _ => None,
        });
        let by_acl = self.acl().iter().filter_map(|grant| match &grant.grantee {
            Grantee::CanonicalUser(id) => Some(id),
            _ => None,
        });
        let mut named = by_policy.chain(by_acl).map(|id| self.model.account_of_canonical_id(id)).peekable();
        let own = account.and_then(|account| self.model.canonical_id_of(account));
        match own {
            _ if named.peek().is_none() => None,
            Some(own) => Some(own.into()),
            None if named.all(|known| known.is_some()) => Some(STRANGER.into()),
            None => None,
        }
    }

    /// The policy of the bucket, where it has one that is known.
    pub(super) fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    /// The policy side of the bucket, given its policy as a list.
    pub(super) fn side<'s>(&'s self, policy: &'s [&'s Policy]) -> Side<'s> {
        match &self.missing {
            Some(missing) => Side::Unknown(missing),
            None if policy.is_empty() => Side::None,
            None => Side::Policies(policy),
        }
    }

    /// The policy without the actions of services that have no part in a read, where it lists many: managed policies name a
    /// thousand, and each request would be held against all of them.
    pub(super) fn slim(&self, policy: &Arc<Policy>) -> Arc<Policy> {
        let lists = |statement: &Statement| statement.actions.as_ref().map_or(0, |actions| actions.items.len());
        if policy.statements.iter().map(lists).sum::<usize>() < LONG {
            return Arc::clone(policy);
        }
        let mut known = self.slim.lock().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(Arc::as_ptr(policy) as usize).or_insert_with(|| {
            let mut slim = Policy::clone(policy);
            for actions in slim.statements.iter_mut().filter_map(|statement| statement.actions.as_mut()) {
                let has_part = |raw: &str| SERVICES.iter().any(|service| overlap(&raw.to_ascii_lowercase(), service));
                let all = std::mem::take(&mut actions.items).into_iter();
                actions.items = all.filter(|item| has_part(item.raw())).collect();
            }
            Arc::new(slim)
        });
        Arc::clone(made)
    }

    /// What is not known where the policy of the bucket is not, in words.
    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Whether the policy of the bucket is not known.
    pub(super) fn is_policy_unknown(&self) -> bool {
        self.missing.is_some()
    }

    /// The RCPs that bind the bucket.
    pub(super) fn rcp(&self) -> impl Iterator<Item = &Policy> {
        self.rcp.iter().map(Arc::as_ref)
    }

    /// What S3 adds to policies for the bucket, or for one of its objects; where the ownership settings are not known they
    /// are taken for those that leave ACLs out.
    pub(super) fn storage(&self, key: Option<&str>) -> Option<Storage<'_>> {
        self.facts.as_ref().map(|facts| facts.storage(key))
    }

    /// The same where the ownership settings are not known and ACLs grant something: leaving them out would hide a reader.
    pub(super) fn storage_with_acls(&self, key: Option<&str>) -> Option<Storage<'_>> {
        self.facts.as_ref().and_then(|facts| facts.storage_with_acls(key))
    }

    /// Whether an ACL may give what no policy gives.
    pub(super) fn has_acls(&self) -> bool {
        self.facts.as_ref().is_some_and(BucketFacts::has_acls)
    }

    /// What was not collected on the side of bucket and key and could only deny, in words.
    pub(super) fn unless(&self, request: &Request) -> Vec<String> {
        let mut facts = self.facts.as_ref().map_or_else(Vec::new, |facts| facts.unless(request));
        let knows_rcp = |owner| self.organization.knows(OrganizationPolicyKind::Rcp, owner);
        if self.owner_is_bound() && !self.owner.is_some_and(knows_rcp) {
            facts.push(self.of_organization("resource control policies"));
        }
        if let Lock::Key(key) = &self.lock {
            facts.extend(key.key.and_then(unknown_state));
        }
        facts
    }

    /// Policies that an organization may have, in words.
    pub(super) fn of_organization(&self, policies: &str) -> String {
        match self.model.organization_ids().is_empty() {
            true => format!("{policies}, if the account is in an organization"),
            false => format!("the {policies} of the organization"),
        }
    }

    fn owner_is_bound(&self) -> bool {
        let inside = |account| !matches!(self.organization.membership(account), Membership::Outside);
        self.owner.is_some_and(|owner| Some(owner) != self.model.management() && inside(owner))
    }

    /// Keys that tell where the bucket is.
    pub(super) fn whereabouts(&self) -> Option<(CompactString, Given)> {
        match self.organization.membership(self.owner?) {
            Membership::In(id) => Some(("aws:ResourceOrgID".into(), Given::Values(vec![id]))),
            _ => None,
        }
    }

    /// How a report calls an account.
    pub(super) fn party(&self, account: AccountId) -> Party {
        let label = match legacy_cloudtrail_account(account) {
            Some(region) => format!("{account} (CloudTrail in {region}, before its service principal)"),
            None => self.model.label(account),
        };
        Party { id: account.to_string(), label, own: None }
    }

    /// Whether a statement of a bucket policy may be about the bucket or its objects.
    pub(super) fn may_concern(&self, statement: &Statement) -> bool {
        statement.resources.as_ref().is_some_and(|resources| {
            resources.negated || resources.items.iter().any(|item| super::targets::may_overlap(item, &self.arn))
        })
    }
}

/// The keys that the trails which deliver to a bucket name; none where one of them names none.
fn keys_of_trails<'e>(estate: &'e Estate, log_bucket: &LogBucket) -> Vec<&'e str> {
    let delivers = |trail: &&Trail| trail.bucket.present().is_some_and(|name| *name == log_bucket.name);
    let named = estate.trails.iter().filter(delivers).map(|trail| trail.key.present().map(CompactString::as_str));
    let mut keys: Vec<&str> = named.collect::<Option<Vec<_>>>().unwrap_or_default();
    keys.sort_unstable();
    keys.dedup();
    keys
}
