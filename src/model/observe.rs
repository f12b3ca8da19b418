//! What bucket and key policies tell of CloudTrail's deliveries, of accounts and of the organization.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;

use super::path::{Generator, LogPath};
use super::statement::{
    bound_accounts, given_own_logs, is_for_cloudtrail, names_log_path, organizations, source_accounts, trail_arns,
};
use crate::aws::{AccountId, Arn, is_cloudtrail};
use crate::estate::read_policy;
use crate::policy::pattern::has_wildcard;
use crate::policy::{Effect, Policy, PolicyKind, Principal, Statement};
use crate::syntax::json::Tape;
use crate::text::embedded::Place;
use crate::text::{SourceId, Span, Spanned};

/// How the keys of a trail begin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layout {
    /// What stands before `/AWSLogs/`; empty where nothing does.
    pub prefix: CompactString,
    /// Whether the organization ID stands before the account; `None` where this is not known.
    pub organization: Option<bool>,
}

impl Layout {
    /// The layout of a bucket of which nothing is known: no prefix, and with or without an organization.
    pub(super) fn unknown() -> Self {
        Layout { prefix: CompactString::default(), organization: None }
    }
}

/// What one bucket policy tells.
#[derive(Debug, Default)]
pub(super) struct BucketPolicy {
    /// Whether CloudTrail may write.
    pub(super) lets_cloudtrail_write: bool,
    /// Whether a statement names a path in an `AWSLogs` folder.
    pub(super) names_log_path: bool,
    /// How the keys begin that CloudTrail may write, or else those that readers are given.
    pub(super) layouts: BTreeSet<Layout>,
    /// The accounts whose logs CloudTrail may write, or whose trails it may write for.
    pub(super) delivering: BTreeMap<AccountId, Span>,
    /// The ARNs of the trails that statements for CloudTrail name in full.
    pub(super) trails: Vec<Spanned<CompactString>>,
    /// The organizations whose logs CloudTrail may write.
    pub(super) delivered_organizations: Vec<Spanned<CompactString>>,
    /// The organizations that any statement names.
    pub(super) named_organizations: Vec<Spanned<CompactString>>,
    /// The management account, where the delivery of an organization trail tells it.
    pub(super) management: Option<Spanned<AccountId>>,
    /// The accounts that a statement gives just their own logs.
    pub(super) own_logs: BTreeMap<AccountId, Span>,
}

/// Whether a bucket policy is one of a bucket that holds logs: it has a statement for CloudTrail, or names a path in an
/// `AWSLogs` folder. A text that is no policy may be one, so that it counts.
pub fn speaks_of_logs(policy: &str) -> bool {
    let place = Place::direct(SourceId::new(0), 0);
    let Ok(read) = Tape::new().read(policy, &place).map(|json| read_policy(json, PolicyKind::Bucket)) else {
        return true;
    };
    let speaks = |statement: &Statement| is_for_cloudtrail(statement) || names_log_path(statement);
    read.map_or(true, |policy| policy.statements.iter().any(speaks))
}

impl BucketPolicy {
    /// What the policies given for one bucket tell together; `None` where none is.
    pub(super) fn read(policies: &[Arc<Policy>]) -> Option<Self> {
        let mut found = BucketPolicy::default();
        policies.iter().for_each(|policy| found.add(policy));
        (!policies.is_empty()).then_some(found)
    }

    fn add(&mut self, policy: &Policy) {
        let mut writes = Vec::new();
        for statement in policy.allows() {
            if is_for_cloudtrail(statement) {
                self.delivery(statement);
                if statement.covers_action("s3:PutObject") {
                    self.lets_cloudtrail_write = true;
                    writes.extend(paths(statement));
                }
            } else if statement.covers_action("s3:GetObject")
                && let Some(accounts) = bound_accounts(statement)
            {
                for account in given_own_logs(statement, &accounts).into_iter().flatten() {
                    self.own_logs.entry(account).or_insert(statement.span);
                }
            }
        }
        for statement in &policy.statements {
            self.names_log_path |= names_log_path(statement);
            self.named_organizations.extend(organizations(statement));
        }
        let management = self.write_paths(&writes, policy);
        self.management = self.management.or(management);
        if self.layouts.is_empty() {
            let read = policy.allows().flat_map(paths).filter(|path| path.has_fixed_prefix());
            self.layouts = read.map(|path| layout(&path)).collect();
        }
    }

    fn delivery(&mut self, statement: &Statement) {
        for account in source_accounts(statement) {
            self.delivering.entry(account.value).or_insert(account.span);
        }
        let whole = trail_arns(statement).filter(|arn| !has_wildcard(arn.value) && !arn.value.contains("${"));
        self.trails.extend(whole.map(|arn| Spanned::new(arn.value.into(), arn.span)));
    }

    /// Takes in what CloudTrail may write; gives the management account where an organization's path tells it.
    fn write_paths(&mut self, writes: &[Spanned<LogPath<'_>>], policy: &Policy) -> Option<Spanned<AccountId>> {
        let mut alone: BTreeMap<&str, BTreeMap<AccountId, Span>> = BTreeMap::new();
        let mut shared: BTreeSet<&str> = BTreeSet::new();
        for path in writes {
            if let Generator::One(account) = path.account {
                self.delivering.entry(account).or_insert(path.span);
                if path.organization.is_none() && !path.any_layout {
                    alone.entry(path.prefix).or_default().insert(account, path.span);
                }
            }
            if let Some(id) = path.organization {
                shared.insert(path.prefix);
                self.delivered_organizations.push(Spanned::new(id.into(), path.span));
            }
        }
        // An organization trail may also write to the path that its owner has without an organization: the documented policy
        // allows both, and only both together belong to one trail.
        let beside = |prefix: &str| alone.get(prefix).filter(|accounts| accounts.len() == 1 && shared.contains(prefix));
        for path in writes.iter().filter(|path| path.has_fixed_prefix()) {
            if path.organization.is_some() || beside(path.prefix).is_none() {
                self.layouts.insert(layout(path));
            }
        }
        if shared.is_empty() {
            return None;
        }
        let of_organization = |statement: &&Statement| paths(statement).any(|path| path.organization.is_some());
        let deliveries = policy.allows().filter(|s| is_for_cloudtrail(s)).filter(of_organization);
        let sources: BTreeMap<AccountId, Span> =
            deliveries.flat_map(source_accounts).map(|source| (source.value, source.span)).collect();
        let owners: BTreeMap<AccountId, Span> = match sources.is_empty() {
            true => shared.iter().filter_map(|prefix| beside(prefix)).flatten().map(|(a, s)| (*a, *s)).collect(),
            false => sources,
        };
        let mut owners = owners.into_iter();
        let (account, span) = owners.next()?;
        owners.next().is_none().then_some(Spanned::new(account, span))
    }
}

/// What one key policy tells.
#[derive(Debug, Default)]
pub(super) struct KeyPolicy {
    /// Whether it names CloudTrail or the encryption context that CloudTrail uses.
    pub(super) names_cloudtrail: bool,
    /// The accounts whose trails it names.
    pub(super) delivering: BTreeMap<AccountId, Span>,
    /// The organizations it names.
    pub(super) named_organizations: Vec<Spanned<CompactString>>,
}

impl KeyPolicy {
    /// What the policies given for one key tell together; `None` where none is.
    pub(super) fn read(policies: &[Arc<Policy>]) -> Option<Self> {
        let mut found = KeyPolicy::default();
        policies.iter().for_each(|policy| found.add(policy));
        (!policies.is_empty()).then_some(found)
    }

    fn add(&mut self, policy: &Policy) {
        for statement in &policy.statements {
            self.names_cloudtrail |= names_cloudtrail(statement);
            self.named_organizations.extend(organizations(statement));
        }
        for statement in policy.allows() {
            let sources = match is_for_cloudtrail(statement) {
                true => source_accounts(statement).collect(),
                false => accounts_of_trails(statement),
            };
            for account in sources {
                self.delivering.entry(account.value).or_insert(account.span);
            }
        }
    }
}

fn accounts_of_trails(statement: &Statement) -> Vec<Spanned<AccountId>> {
    let account = |arn: Spanned<&str>| Some(Spanned::new(Arn::parse(arn.value)?.account_id()?, arn.span));
    trail_arns(statement).filter_map(account).collect()
}

fn names_cloudtrail(statement: &Statement) -> bool {
    let principals = statement.principals.iter().flat_map(|principals| &principals.entries);
    let mut services = principals.map(|entry| &entry.principal);
    services.any(|principal| matches!(principal, Principal::Service(name) if is_cloudtrail(name)))
        || statement.conditions.iter().any(|clause| {
            let mut values = clause.values.iter().map(|value| value.template.raw());
            clause.key.is("kms:EncryptionContext:aws:cloudtrail:arn")
                || clause.key.is("kms:EncryptionContextKeys") && values.any(|v| v.eq_ignore_ascii_case(CONTEXT))
                || values.any(|v| is_cloudtrail(v) || Arn::parse(v).is_some_and(|arn| arn.service == "cloudtrail"))
        })
}

/// The key of the encryption context that holds the ARN of the trail.
const CONTEXT: &str = "aws:cloudtrail:arn";

fn paths(statement: &Statement) -> impl Iterator<Item = Spanned<LogPath<'_>>> {
    debug_assert_eq!(statement.effect, Effect::Allow);
    let resources = statement.resources.iter().filter(|resources| !resources.negated).flat_map(|r| &r.items);
    resources.filter_map(|resource| Some(Spanned::new(LogPath::of_resource(&resource.value)?, resource.span)))
}

fn layout(path: &LogPath<'_>) -> Layout {
    let organization = if path.any_layout { None } else { Some(path.organization.is_some()) };
    // A path that leaves the account open may go on with an organization.
    let organization = organization.filter(|known| *known || path.account != Generator::Open);
    Layout { prefix: path.prefix.into(), organization }
}
