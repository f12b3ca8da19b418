//! The sharing model: who owns the logs, who is a member, who may read whose logs.
//!
//! It is what the config declares, completed by what the inputs show; where the config contradicts a collected fact the fact
//! counts. Without a config it is inferred, and then says who *may* read, never who *should*. It decides no access: what the
//! policies really let through is another question.

mod bucket;
mod external_id;
mod given;
mod key;
mod label;
mod observe;
mod organization;
mod owner;
mod path;
mod remarks;
mod role;
mod starter;
mod statement;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

pub use bucket::{LogBucket, LogBucketStatus};
pub use given::{Exception, Given};
pub use key::{LogKeyStatus, is_key};
pub use observe::{Layout, speaks_of_logs};
pub use organization::{OrganizationId, Origin};
pub use owner::OwnedBy;
pub use starter::starter;

use crate::aws::{AccountId, legacy_cloudtrail_account};
use crate::config::{Config, MemberReaders};
use crate::estate::{Bucket, Estate, Gap, Key, Member};
use crate::policy::PolicyKind;
use crate::text::{Span, Spanned};
use bucket::LogBuckets;
use label::Labels;
use observe::{BucketPolicy, KeyPolicy};
use owner::Owners;

/// What an account is to the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It owns logs: may read everything.
    Owner,
    /// The management account of the organization: may read everything.
    Management,
    /// A member of the organization.
    Member,
    /// A reader that the config declares and that is no member.
    Reader,
    /// An account outside of the organization that may read logs.
    ThirdParty {
        /// Whether the config says so; else it is inferred from a trust policy.
        declared: bool,
        /// Whether its roles must ask for an external ID.
        external_id_required: bool,
    },
    /// CloudTrail's own, from the time before it had a service principal.
    CloudTrail,
    /// None of these. In all that is not said otherwise it is a third party.
    Undeclared,
}

/// Something that the config says otherwise than the inputs, which count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The name of the log bucket it is about; `None` where it is about the organization.
    pub bucket: Option<CompactString>,
    /// What differs: the reason names both values, the places are those of the config and of the inputs.
    pub gap: Gap,
}

/// The declared or inferred sharing model.
#[derive(Debug)]
pub struct Model {
    is_declared: bool,
    members_are_complete: bool,
    members: BTreeMap<AccountId, Span>,
    management: Option<AccountId>,
    owners: Owners,
    exceptions: Vec<Exception>,
    /// Third parties, and whether each is declared and needs an external ID.
    third_parties: BTreeMap<AccountId, (bool, bool)>,
    organization_ids: Vec<OrganizationId>,
    log_buckets: Vec<LogBucket>,
    bucket_statuses: BTreeMap<(CompactString, Span), LogBucketStatus>,
    key_statuses: BTreeMap<(CompactString, Span), LogKeyStatus>,
    labels: Labels,
    inferences: Vec<Spanned<String>>,
    contradictions: Vec<Contradiction>,
}

impl Model {
    /// Joins what the config declares and what the inputs show; `accounts_file` is what was read from the config's
    /// `accounts-file`, if it names one.
    ///
    /// Reads each bucket and key policy once, and each trust policy once at most: only where the members or the owners are
    /// not told otherwise.
    pub fn new(estate: &Estate, config: Option<&Config>, accounts_file: Option<&[Member]>) -> Model {
        let mut contradictions = Vec::new();
        let declared = config.and_then(|config| config.organization.as_ref());
        let read = |policy, kind| -> Vec<_> {
            estate.given(policy, kind).iter().map(|document| document.policy(&estate.sources)).collect()
        };
        let bucket_policies: Vec<Option<BucketPolicy>> =
            estate.buckets.iter().map(|b| BucketPolicy::read(&read(&b.policy, PolicyKind::Bucket))).collect();
        let key_policies: Vec<Option<KeyPolicy>> =
            estate.keys.iter().map(|key| KeyPolicy::read(&read(&key.policy, PolicyKind::Key))).collect();
        let buckets = LogBuckets::new(estate, config, &bucket_policies);
        let key_statuses = key::statuses(estate, &buckets.all, &key_policies);
        let owners = Owners::of_resources(&buckets.all, &key::owned(estate, &key_statuses));
        let organization_ids = |roles: &[role::SharedRole<'_>], found: &mut Vec<Contradiction>| {
            organization::ids(estate, declared, &bucket_policies, &key_policies, roles, found)
        };
        let mut ids = organization_ids(&[], &mut contradictions);
        let management = organization::management(estate, declared, &bucket_policies, &mut contradictions);
        let listed = organization::listed(estate, config, accounts_file, &mut contradictions);
        let mut roles = Vec::new();
        if listed.is_none() || owners.by.is_none() {
            let named = buckets.all.iter().filter(|bucket| bucket.is_named);
            let owner = owners.only().map(|owner| owner.value);
            roles = role::shared_roles(estate, &named.map(|bucket| bucket.name.clone()).collect(), owner);
            if ids.is_empty() {
                ids = organization_ids(&roles, &mut Vec::new());
            }
        }
        let owners = owners.or_else(&roles, &buckets.all, management.map(|(account, _)| account));
        let members_are_complete = listed.is_some();
        let inferred = || organization::inferred(estate, &bucket_policies, &key_policies, &roles, &buckets.all);
        let inferred = (!members_are_complete).then(inferred);
        let mut members = listed.or_else(|| Some(inferred.as_ref()?.accounts.clone())).unwrap_or_default();
        if let Some((account, _)) = management {
            members.entry(account.value).or_insert(account.span);
        }
        members.retain(|account, _| legacy_cloudtrail_account(*account).is_none());
        contradictions.extend(buckets.contradictions);
        let mut model = Model {
            is_declared: config.is_some_and(declares_a_model),
            members_are_complete,
            members,
            management: management.map(|(account, _)| account.value),
            owners,
            exceptions: config.map(Exception::all).unwrap_or_default(),
            third_parties: BTreeMap::new(),
            organization_ids: ids,
            bucket_statuses: by_place(estate.buckets.iter().map(|b| (&b.name, b.span)), &buckets.status),
            key_statuses: by_place(estate.keys.iter().map(|key| (&key.name, key.span)), &key_statuses),
            log_buckets: buckets.all,
            labels: Labels::new(estate, config, accounts_file),
            inferences: Vec::new(),
            contradictions,
        };
        for party in config.iter().flat_map(|config| &config.third_parties) {
            model.third_parties.insert(party.account.value, (true, party.needs_external_id()));
        }
        let parties = model.infer_third_parties(&roles);
        model.inferences = remarks::all(&model, management, inferred.as_ref(), &parties);
        model
    }

    /// Takes the accounts that a trust policy lets in only with an external ID for third parties, where no list of members
    /// says who is who; gives them with the role that tells it.
    fn infer_third_parties<'e>(&mut self, roles: &[role::SharedRole<'e>]) -> Vec<remarks::Party<'e>> {
        let mut found: Vec<remarks::Party<'e>> = Vec::new();
        if self.members_are_complete {
            return found;
        }
        for role in roles {
            for trusted in role.trusted.iter().filter(|trusted| trusted.is_bound) {
                if self.class(trusted.account) == Class::Undeclared {
                    self.third_parties.insert(trusted.account, (false, true));
                    found.push(remarks::Party { account: trusted.account, span: trusted.span, role: &role.role.name });
                }
            }
        }
        found
    }

    /// What an account is; of several things it may be, the first of [`Class`].
    ///
    /// CloudTrail's legacy accounts are that, whatever else names them.
    pub fn class(&self, account: AccountId) -> Class {
        if legacy_cloudtrail_account(account).is_some() {
            return Class::CloudTrail;
        }
        if self.is_owner(account) {
            return Class::Owner;
        }
        if self.management == Some(account) {
            return Class::Management;
        }
        if self.members.contains_key(&account) {
            return Class::Member;
        }
        if let Some((declared, external_id_required)) = self.third_parties.get(&account) {
            return Class::ThirdParty { declared: *declared, external_id_required: *external_id_required };
        }
        match self.is_declared_reader(account) {
            true => Class::Reader,
            false => Class::Undeclared,
        }
    }

    fn is_declared_reader(&self, account: AccountId) -> bool {
        let listed = |bucket: &LogBucket| match &bucket.readers {
            Some(MemberReaders::Accounts(accounts)) => accounts.iter().any(|reader| reader.value == account),
            _ => false,
        };
        self.exceptions.iter().any(|exception| exception.account == account) || self.log_buckets.iter().any(listed)
    }

    /// Whether a config declares it, or a part of it.
    pub fn is_declared(&self) -> bool {
        self.is_declared
    }

    /// Whether the config or an Organizations export lists the members. Where neither does the list may lack some, so that
    /// a finding about an undeclared account is a warning at most and says "if this account is not yours".
    pub fn members_are_complete(&self) -> bool {
        self.members_are_complete
    }

    /// The accounts of the organization, the management account included; of no organization, the accounts that share the
    /// logs. The owner is there only if it is one of them.
    pub fn members(&self) -> impl Iterator<Item = AccountId> {
        self.members.keys().copied()
    }

    /// Every account that the model knows, in order, each once.
    pub fn known_accounts(&self) -> BTreeSet<AccountId> {
        let mut known: BTreeSet<AccountId> = self.members().collect();
        known.extend(self.owners());
        known.extend(self.third_parties.keys());
        known.extend(self.exceptions.iter().map(|exception| exception.account));
        for bucket in &self.log_buckets {
            if let Some(MemberReaders::Accounts(accounts)) = &bucket.readers {
                known.extend(accounts.iter().map(|account| account.value));
            }
            known.extend(bucket.owner);
        }
        known.extend(self.labels.canonical_accounts());
        known
    }

    /// The management account: exported, the owner of the organization trails, declared, or told by CloudTrail's statements.
    pub fn management(&self) -> Option<AccountId> {
        self.management
    }

    /// The organization ID that is declared or observed; `None` also where [`Model::organization_ids`] gives several.
    pub fn organization_id(&self) -> Option<&OrganizationId> {
        match self.organization_ids.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The organization IDs of the most trusted source that gives any; with more than one it is not known which is ours.
    pub fn organization_ids(&self) -> &[OrganizationId] {
        &self.organization_ids
    }

    /// The one owner account, if there is one: the account that a loose role belongs to.
    ///
    /// It is the owner of the log bucket (a declared bucket before one that holds logs of other accounts, that before any
    /// other; a collected owner before a declared one), else of the log key, else of the roles that other accounts can assume,
    /// else the management account whose organization trail delivers to a log bucket.
    pub fn owner(&self) -> Option<AccountId> {
        self.owners.only().map(|owner| owner.value)
    }

    /// What told who the owners are.
    pub fn owned_by(&self) -> Option<OwnedBy> {
        self.owners.by
    }

    /// Every owner account: those that [`Model::owner`] chooses from, and those of the keys of their buckets.
    pub fn owners(&self) -> impl Iterator<Item = AccountId> {
        let of_keys = self.owners.of_keys.iter().filter(|account| !self.owners.accounts.contains_key(account));
        self.owners.accounts.keys().chain(of_keys).copied()
    }

    fn is_owner(&self, account: AccountId) -> bool {
        self.owners.accounts.contains_key(&account) || self.owners.of_keys.contains(&account)
    }

    /// How messages call an account: `222222222222 (payments)` where config or inputs name it.
    pub fn label(&self, account: AccountId) -> String {
        match self.labels.name(account) {
            Some(name) => format!("{account} ({name})"),
            None => account.to_string(),
        }
    }

    /// The name of an account, where config or inputs tell it.
    pub fn name(&self, account: AccountId) -> Option<&str> {
        self.labels.name(account)
    }

    /// The account that has a config's name for a third party or an account's own name, if only one has it.
    pub fn named(&self, name: &str) -> Option<AccountId> {
        self.labels.account(name)
    }

    /// The account that an S3 canonical ID stands for, where config or inputs tell it.
    pub fn account_of_canonical_id(&self, id: &str) -> Option<AccountId> {
        self.labels.account_of_canonical_id(id)
    }

    /// The S3 canonical ID of an account, where config or inputs tell it.
    pub fn canonical_id_of(&self, account: AccountId) -> Option<&str> {
        self.labels.canonical_id_of(account)
    }

    /// Whether the S3 canonical ID of an account is known, from config or inputs.
    pub fn has_canonical_id(&self, account: AccountId) -> bool {
        self.labels.canonical_accounts().any(|known| known == account)
    }

    /// The log buckets: declared ones first, then those of the inputs, then those that only a trail names.
    pub fn log_buckets(&self) -> &[LogBucket] {
        &self.log_buckets
    }

    /// The log bucket of that name.
    pub fn log_bucket(&self, name: &str) -> Option<&LogBucket> {
        self.log_buckets.iter().find(|bucket| bucket.name == name)
    }

    /// Whether a bucket of the estate is a log bucket.
    pub fn is_log_bucket(&self, bucket: &Bucket) -> LogBucketStatus {
        let status = self.bucket_statuses.get(&(bucket.name.clone(), bucket.span));
        status.copied().unwrap_or(LogBucketStatus::NotKnown)
    }

    /// Whether a key of the estate is a log key.
    pub fn is_log_key(&self, key: &Key) -> LogKeyStatus {
        self.key_statuses.get(&(key.name.clone(), key.span)).copied().unwrap_or(LogKeyStatus::NotKnown)
    }

    /// Whose logs in a bucket an account may read. A bucket that is no log bucket counts as one of which nothing is
    /// declared.
    pub fn logs_of(&self, account: AccountId, bucket: &str) -> Given {
        let class = self.class(account);
        if class == Class::CloudTrail {
            return Given::nothing();
        }
        let log_bucket = self.log_bucket(bucket);
        let owns = log_bucket.is_some_and(|b| b.owner == Some(account) || b.key_accounts.contains(&account));
        let inferred_party = matches!(class, Class::ThirdParty { declared: false, .. });
        if owns || inferred_party || matches!(class, Class::Owner | Class::Management) {
            return Given::All;
        }
        let own = || Given::Of(BTreeSet::from([account]));
        let is_member = self.members.contains_key(&account);
        let by_bucket = match log_bucket.and_then(|bucket| bucket.readers.as_ref()) {
            Some(MemberReaders::None) => Given::nothing(),
            Some(MemberReaders::Accounts(listed)) if listed.iter().any(|reader| reader.value == account) => own(),
            Some(MemberReaders::Accounts(_)) => Given::nothing(),
            Some(MemberReaders::OwnLogs) | None if is_member => own(),
            Some(MemberReaders::OwnLogs) | None => Given::nothing(),
        };
        by_bucket.and(self.excepted(account, bucket))
    }

    /// Whose logs in a bucket an account should be able to read: what the config says, and nothing that is inferred. The
    /// owners need no one's leave, so nothing is said of them.
    pub fn logs_due(&self, account: AccountId, bucket: &str) -> Given {
        let Some(log_bucket) = self.log_bucket(bucket) else { return Given::nothing() };
        if self.is_owner(account) || log_bucket.owner == Some(account) {
            return Given::nothing();
        }
        let is_due = match &log_bucket.readers {
            Some(MemberReaders::OwnLogs) => self.members_are_complete && self.members.contains_key(&account),
            Some(MemberReaders::Accounts(listed)) => listed.iter().any(|reader| reader.value == account),
            Some(MemberReaders::None) | None => false,
        };
        let own = if is_due { Given::Of(BTreeSet::from([account])) } else { Given::nothing() };
        own.and(self.excepted(account, bucket))
    }

    fn excepted(&self, account: AccountId, bucket: &str) -> Given {
        let about = self.exceptions.iter().filter(|e| e.account == account && e.is_about(bucket));
        about.fold(Given::nothing(), |so_far, exception| so_far.and(exception.logs.clone()))
    }

    /// Whether an account may read the logs of another, or its own, in a bucket.
    pub fn may_read(&self, reader: AccountId, logs_of: AccountId, bucket: &str) -> bool {
        self.logs_of(reader, bucket).includes(logs_of)
    }

    /// Whether the config says that an account should read the logs of another, or its own, in a bucket.
    pub fn should_read(&self, reader: AccountId, logs_of: AccountId, bucket: &str) -> bool {
        self.logs_due(reader, bucket).includes(logs_of)
    }

    /// The `[[reader]]` and `[[third-party]]` entries of the config.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// How the keys of an account's logs in a bucket begin, as `AWSLogs/o-exampleorgid/222222222222/`; both forms where it
    /// is not known whether the organization ID is among them. Nothing where that ID is needed and not known.
    pub fn own_prefixes(&self, account: AccountId, bucket: &str) -> Vec<String> {
        let organization = self.organization_id().map(|organization| organization.id.as_str());
        match self.log_bucket(bucket) {
            Some(bucket) => bucket.own_prefixes(account, organization),
            None => bucket::prefixes(&[Layout::unknown()], account, organization),
        }
    }

    /// What was inferred, one sentence each, with the place that shows it.
    pub fn inferences(&self) -> &[Spanned<String>] {
        &self.inferences
    }

    /// What the config says otherwise than the inputs.
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }
}

fn by_place<'e, T: Copy>(
    names: impl Iterator<Item = (&'e CompactString, Span)>,
    statuses: &[T],
) -> BTreeMap<(CompactString, Span), T> {
    names.zip(statuses).map(|((name, span), status)| ((name.clone(), span), *status)).collect()
}

/// Whether a config says anything of the sharing model.
fn declares_a_model(config: &Config) -> bool {
    config.organization.is_some()
        || !config.log_buckets.is_empty()
        || !config.readers.is_empty()
        || !config.third_parties.is_empty()
}

#[cfg(test)]
mod tests;
