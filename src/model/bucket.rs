//! The log buckets: what the config declares of them, held against what was collected.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::Contradiction;
use super::observe::{BucketPolicy, Layout};
use super::whole::is_loose;
use crate::aws::{AccountId, Arn};
use crate::config::{self, Config, MemberReaders};
use crate::estate::{Bucket, Estate, Gap, Known, NamedBy, Trail};
use crate::policy::PolicyKind;
use crate::text::{Span, Spanned};

/// Whether a bucket of the inputs holds logs, and how this is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogBucketStatus {
    /// The config declares it.
    Declared,
    /// A trail delivers to it.
    TrailDelivers,
    /// Its policy lets CloudTrail write, or names a path in an `AWSLogs` folder: any path, as folders of other services
    /// there lie beside those of CloudTrail and are shared by the same patterns.
    PolicyNamesLogs,
    /// The inputs hold no log bucket, and its policy was given as a loose document.
    Assumed,
    /// It does not.
    No,
    /// Nothing says so, and its policy is not known.
    NotKnown,
}

impl LogBucketStatus {
    /// Whether it counts as a log bucket.
    pub fn is_log_bucket(self) -> bool {
        !matches!(self, LogBucketStatus::No | LogBucketStatus::NotKnown)
    }
}

/// A bucket that holds logs, among the inputs or only named by the config or a trail.
#[derive(Debug, Clone)]
pub struct LogBucket {
    /// Its name; the file's name where the inputs do not tell it.
    pub name: CompactString,
    /// Whether its name is known.
    pub is_named: bool,
    /// How it is known; never [`LogBucketStatus::No`] or [`LogBucketStatus::NotKnown`].
    pub status: LogBucketStatus,
    /// Its position among the buckets of the estate, where it is one of them. For the making of the model alone: an estate
    /// may be put in another order later, so that others look a bucket up by its name.
    pub(super) bucket: Option<usize>,
    /// Where it is declared, delivered to or described.
    pub span: Span,
    /// The account that owns it.
    pub owner: Option<AccountId>,
    /// The accounts of the keys that its logs are encrypted under, as far as key ARNs tell.
    pub key_accounts: BTreeSet<AccountId>,
    /// How the keys of its logs begin, in order; one for each kind of trail, never empty.
    pub layouts: Vec<Layout>,
    /// The ARNs of the trails that deliver to it: declared, collected, or named in its policy.
    pub trails: Vec<Spanned<CompactString>>,
    /// The accounts that logs are delivered for, as far as paths and trails name them.
    pub delivering: BTreeMap<AccountId, Span>,
    /// `readers` as declared; `None` where the config does not say.
    pub readers: Option<MemberReaders>,
}

impl LogBucket {
    /// The S3 key prefixes of its trails, each once; the empty one stands for none.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        self.layouts.iter().map(|layout| layout.prefix.as_str()).filter(move |prefix| seen.insert(*prefix))
    }

    /// Whether keys hold the organization ID before the account; `None` where this is not known, or differs.
    pub fn is_organization(&self) -> Option<bool> {
        let mut all = self.layouts.iter().map(|layout| layout.organization);
        let first = all.next()?;
        if all.all(|other| other == first) { first } else { None }
    }

    /// Whether it holds logs of others than its owner.
    pub(super) fn is_central(&self) -> bool {
        self.layouts.iter().any(|layout| layout.organization == Some(true))
            || self.delivering.keys().any(|account| Some(*account) != self.owner)
    }

    /// How the keys of an account's logs begin; nothing where an organization ID is needed and not known.
    pub(super) fn own_prefixes(&self, account: AccountId, organization: Option<&str>) -> Vec<String> {
        prefixes(&self.layouts, account, organization)
    }
}

/// How the keys of an account's logs begin in each layout.
pub(super) fn prefixes(layouts: &[Layout], account: AccountId, organization: Option<&str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |prefix: String| {
        if !found.contains(&prefix) {
            found.push(prefix);
        }
    };
    for layout in layouts {
        let before = if layout.prefix.is_empty() { String::new() } else { format!("{}/", layout.prefix) };
        if let Some(id) = organization.filter(|_| layout.organization != Some(false)) {
            add(format!("{before}AWSLogs/{id}/{account}/"));
        }
        if layout.organization != Some(true) {
            add(format!("{before}AWSLogs/{account}/"));
        }
    }
    found
}

/// All log buckets, the status of each bucket of the estate, and what the config says otherwise than the facts.
pub(super) struct LogBuckets {
    pub(super) all: Vec<LogBucket>,
    pub(super) status: Vec<LogBucketStatus>,
    pub(super) contradictions: Vec<Contradiction>,
}

impl LogBuckets {
    /// Finds them; `policies` stands beside the buckets of the estate.
    pub(super) fn new(estate: &Estate, config: Option<&Config>, policies: &[Option<BucketPolicy>]) -> Self {
        let declared = config.map(|config| config.log_buckets.as_slice()).unwrap_or_default();
        let mut found = LogBuckets { all: Vec::new(), status: Vec::new(), contradictions: Vec::new() };
        found.statuses(estate, declared, policies);
        for declaration in declared {
            let bucket = estate.buckets.iter().position(|b| is_called(b, &declaration.name.value));
            found.add(estate, policies, Some(declaration), bucket, &declaration.name.value, declaration.name.span);
        }
        for (index, bucket) in estate.buckets.iter().enumerate() {
            let status = found.status.get(index).copied().unwrap_or(LogBucketStatus::No);
            if status.is_log_bucket() && status != LogBucketStatus::Declared {
                found.add(estate, policies, None, Some(index), &bucket.name, bucket.span);
            }
        }
        for trail in &estate.trails {
            if let Known::Present(name, span) = &trail.bucket
                && !found.all.iter().any(|bucket| bucket.is_named && bucket.name == *name)
            {
                found.add(estate, policies, None, None, name, *span);
            }
        }
        found
    }

    fn statuses(&mut self, estate: &Estate, declared: &[config::LogBucket], policies: &[Option<BucketPolicy>]) {
        let delivered: BTreeSet<&str> =
            estate.trails.iter().filter_map(|trail| Some(trail.bucket.present()?.as_str())).collect();
        for (bucket, policy) in estate.buckets.iter().zip(policies) {
            let named = bucket.named_by != NamedBy::Nothing;
            self.status.push(if declared.iter().any(|d| is_called(bucket, &d.name.value)) {
                LogBucketStatus::Declared
            } else if named && delivered.contains(bucket.name.as_str()) {
                LogBucketStatus::TrailDelivers
            } else {
                match policy {
                    Some(policy) if policy.lets_cloudtrail_write || policy.names_log_path => {
                        LogBucketStatus::PolicyNamesLogs
                    }
                    None if bucket.policy.is_unknown() => LogBucketStatus::NotKnown,
                    _ => LogBucketStatus::No,
                }
            });
        }
        if self.status.iter().any(|status| status.is_log_bucket()) {
            return;
        }
        for (bucket, status) in estate.buckets.iter().zip(&mut self.status) {
            let documents = estate.given(&bucket.policy, PolicyKind::Bucket);
            if documents.iter().any(|document| is_loose(&estate.sources, document.span)) {
                *status = LogBucketStatus::Assumed;
            }
        }
    }

    fn add(
        &mut self,
        estate: &Estate,
        policies: &[Option<BucketPolicy>],
        declared: Option<&config::LogBucket>,
        bucket: Option<usize>,
        name: &str,
        span: Span,
    ) {
        let facts = bucket.and_then(|index| estate.buckets.get(index));
        let policy = bucket.and_then(|index| policies.get(index)?.as_ref());
        let named = facts.is_none_or(|bucket| bucket.named_by != NamedBy::Nothing);
        let collected: Vec<&Trail> =
            estate.trails.iter().filter(|t| named && t.bucket.present().is_some_and(|b| b == name)).collect();
        let status = match (declared, bucket) {
            (Some(_), _) => LogBucketStatus::Declared,
            (None, Some(index)) => self.status.get(index).copied().unwrap_or(LogBucketStatus::No),
            (None, None) => LogBucketStatus::TrailDelivers,
        };
        let owner = facts.and_then(|bucket| match &bucket.account {
            Known::Present(account, span) => Some(Spanned::new(*account, *span)),
            _ => None,
        });
        let mut notes = Notes { bucket: name.into(), found: &mut self.contradictions };
        if let Some(declared) = declared {
            notes.owner(declared, owner);
            notes.trails_elsewhere(declared, &estate.trails);
        }
        let mut delivering = policy.map(|policy| policy.delivering.clone()).unwrap_or_default();
        let mut trails = Vec::new();
        let arns = collected.iter().filter_map(|trail| Some(Spanned::new(trail.arn.clone()?, trail.span)));
        let listed =
            declared.iter().flat_map(|d| &d.trails).map(|arn| Spanned::new(arn.value.as_str().into(), arn.span));
        let in_policy = policy.iter().flat_map(|policy| &policy.trails).cloned();
        for arn in arns.chain(listed).chain(in_policy) {
            if let Some(account) = Arn::parse(&arn.value).and_then(|arn| arn.account_id()) {
                delivering.entry(account).or_insert(arn.span);
            }
            if !trails.iter().any(|seen: &Spanned<CompactString>| seen.value == arn.value) {
                trails.push(arn);
            }
        }
        for account in collected.iter().filter_map(|trail| Some((trail.account?, trail.span))) {
            delivering.entry(account.0).or_insert(account.1);
        }
        let keys = collected.iter().filter_map(|trail| trail.key.present().map(CompactString::as_str));
        let default = facts.and_then(|bucket| bucket.encryption.present()?.key.as_ref());
        let keys = keys.chain(default.map(|key| key.value.as_str()));
        self.all.push(LogBucket {
            name: name.into(),
            is_named: named,
            status,
            bucket,
            span,
            owner: owner.map(|owner| owner.value).or_else(|| declared?.account.map(|account| account.value)),
            key_accounts: keys.filter_map(|key| Arn::parse(key)?.account_id()).collect(),
            layouts: notes.layouts(declared, &collected, policy),
            trails,
            delivering,
            readers: declared.and_then(|d| d.readers.as_ref()).map(|readers| readers.value.clone()),
        });
    }
}

fn is_called(bucket: &Bucket, name: &str) -> bool {
    bucket.named_by != NamedBy::Nothing && bucket.name == name
}

/// Notes on one bucket where the config and the facts differ.
struct Notes<'n> {
    bucket: CompactString,
    found: &'n mut Vec<Contradiction>,
}

impl Notes<'_> {
    fn add(&mut self, fact: &'static str, declared: Spanned<&str>, collected: Spanned<&str>) {
        let shown = |text: &str| if text.is_empty() { "none".to_owned() } else { format!("`{text}`") };
        let (said, known) = (shown(declared.value), shown(collected.value));
        let gap = Gap::new(fact, format!("the config says {said}, the inputs say {known}"));
        self.found
            .push(Contradiction { bucket: Some(self.bucket.clone()), gap: gap.at([declared.span, collected.span]) });
    }

    fn owner(&mut self, declared: &config::LogBucket, owner: Option<Spanned<AccountId>>) {
        if let (Some(said), Some(owner)) = (declared.account, owner)
            && said.value != owner.value
        {
            let said = Spanned::new(said.value.as_str(), said.span);
            self.add("bucket.account", said, Spanned::new(owner.value.as_str(), owner.span));
        }
    }

    fn trails_elsewhere(&mut self, declared: &config::LogBucket, trails: &[Trail]) {
        for said in &declared.trails {
            let trail = trails.iter().find(|trail| trail.arn.as_deref() == Some(said.value.as_str()));
            if let Some(Known::Present(name, span)) = trail.map(|trail| &trail.bucket)
                && *name != declared.name.value
            {
                let said = Spanned::new(declared.name.value.as_str(), said.span);
                self.add("trail.bucket", said, Spanned::new(name.as_str(), *span));
            }
        }
    }

    /// How the keys begin: as the collected trails say, else as the config says, else as the policy lets CloudTrail write.
    ///
    /// Without a declaration the paths in the policy count beside the trails: not every trail may have been collected.
    fn layouts(
        &mut self,
        declared: Option<&config::LogBucket>,
        collected: &[&Trail],
        policy: Option<&BucketPolicy>,
    ) -> Vec<Layout> {
        let in_policy = policy.map(|policy| &policy.layouts).into_iter().flatten();
        let likely = in_policy.clone().next();
        let said_prefix =
            declared.and_then(|d| d.prefix.as_ref()).map(|prefix| CompactString::from(prefix.value.as_str()));
        let said_layout = declared.and_then(|d| d.organization_trail).map(|organization| organization.value);
        let said = Layout {
            prefix: said_prefix.or_else(|| Some(likely?.prefix.clone())).unwrap_or_default(),
            organization: said_layout.or_else(|| likely?.organization),
        };
        let mut found: BTreeSet<Layout> = BTreeSet::new();
        for trail in collected {
            let prefix = match &trail.prefix {
                Known::Present(prefix, _) => prefix.clone(),
                Known::Absent(_) => CompactString::default(),
                Known::Unknown(_) => said.prefix.clone(),
            };
            let organization = trail.is_organization.present().copied().or(said.organization);
            found.insert(Layout { prefix, organization });
        }
        match declared {
            Some(declared) if !self.all_known(declared, collected) => {
                found.insert(said);
            }
            Some(declared) => self.layout_differs(declared, collected),
            None => found.extend(in_policy.cloned()),
        }
        if found.is_empty() {
            found.insert(Layout::unknown());
        }
        found.into_iter().collect()
    }

    /// Whether every trail that the config lists, and at least one, was collected.
    fn all_known(&self, declared: &config::LogBucket, collected: &[&Trail]) -> bool {
        let is_known = |arn: &Spanned<String>| collected.iter().any(|t| t.arn.as_deref() == Some(arn.value.as_str()));
        !collected.is_empty() && declared.trails.iter().all(is_known)
    }

    fn layout_differs(&mut self, declared: &config::LogBucket, collected: &[&Trail]) {
        if let Some(said) = &declared.prefix {
            let prefixes = collected.iter().map(|trail| match &trail.prefix {
                Known::Present(prefix, span) => Some(Spanned::new(prefix.as_str(), *span)),
                Known::Absent(span) => Some(Spanned::new("", *span)),
                Known::Unknown(_) => None,
            });
            if let Some(other) = none_agrees(prefixes, &said.value.as_str()) {
                self.add("trail.prefix", Spanned::new(said.value.as_str(), said.span), other);
            }
        }
        if let Some(said) = declared.organization_trail {
            let word = |is_organization| if is_organization { "true" } else { "false" };
            let kinds = collected.iter().map(|trail| match trail.is_organization {
                Known::Present(is_organization, span) => Some(Spanned::new(is_organization, span)),
                _ => None,
            });
            if let Some(other) = none_agrees(kinds, &said.value) {
                let other = Spanned::new(word(other.value), other.span);
                self.add("trail.is-organization", Spanned::new(word(said.value), said.span), other);
            }
        }
    }
}

/// The first of several facts, where all are known and none is the one that was said.
fn none_agrees<T: PartialEq>(facts: impl Iterator<Item = Option<Spanned<T>>>, said: &T) -> Option<Spanned<T>> {
    let facts: Vec<Spanned<T>> = facts.collect::<Option<_>>()?;
    let agrees = facts.iter().any(|fact| fact.value == *said);
    facts.into_iter().next().filter(|_| !agrees)
}
