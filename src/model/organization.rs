//! The organization: its ID, its management account and its members, declared, exported or inferred.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::Contradiction;
use super::observe::BucketPolicy;
use super::observe::KeyPolicy;
use super::role::SharedRole;
use crate::aws::{AccountId, legacy_cloudtrail_account};
use crate::config::{self, Config};
use crate::estate::{Estate, Gap, Known, Member};
use crate::text::{Span, Spanned};

/// How a fact about the organization is known, the most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An answer of AWS Organizations is among the inputs, or a trail says it.
    Collected,
    /// The config says it.
    Declared,
    /// The statements with which CloudTrail may write logs tell it.
    Delivery,
    /// Conditions of policies name it.
    Policies,
}

/// An organization ID, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationId {
    /// `o-…`.
    pub id: CompactString,
    /// Where it was first read.
    pub span: Span,
    /// How it is known.
    pub origin: Origin,
}

/// The IDs that the most trusted source gives: more than one means that it is not known which.
pub(super) fn ids(
    estate: &Estate,
    config: Option<&config::Organization>,
    buckets: &[Option<BucketPolicy>],
    keys: &[Option<KeyPolicy>],
    roles: &[SharedRole<'_>],
    contradictions: &mut Vec<Contradiction>,
) -> Vec<OrganizationId> {
    let collected = match &estate.organization.id {
        Known::Present(id, span) => Some(Spanned::new(id.as_str(), *span)),
        _ => None,
    };
    let declared = config.and_then(|o| o.id.as_ref()).map(|id| Spanned::new(id.value.as_str(), id.span));
    if let (Some(collected), Some(declared)) = (collected, declared) {
        differ("organization.id", declared, collected, contradictions);
    }
    for (known, origin) in [(collected, Origin::Collected), (declared, Origin::Declared)] {
        if let Some(id) = known {
            return vec![OrganizationId { id: id.value.into(), span: id.span, origin }];
        }
    }
    let buckets = || buckets.iter().flatten();
    let delivered = buckets().flat_map(|policy| &policy.delivered_organizations);
    let found = distinct(delivered, Origin::Delivery);
    if !found.is_empty() {
        return found;
    }
    let named = buckets().flat_map(|policy| &policy.named_organizations);
    let named = named.chain(keys.iter().flatten().flat_map(|policy| &policy.named_organizations));
    distinct(named.chain(roles.iter().flat_map(|role| &role.organizations)), Origin::Policies)
}

fn distinct<'i>(ids: impl Iterator<Item = &'i Spanned<CompactString>>, origin: Origin) -> Vec<OrganizationId> {
    let mut found: Vec<OrganizationId> = Vec::new();
    for id in ids {
        if !found.iter().any(|seen| seen.id == id.value) {
            found.push(OrganizationId { id: id.value.clone(), span: id.span, origin });
        }
    }
    found
}

/// The management account, and how it is known.
pub(super) fn management(
    estate: &Estate,
    config: Option<&config::Organization>,
    buckets: &[Option<BucketPolicy>],
    contradictions: &mut Vec<Contradiction>,
) -> Option<(Spanned<AccountId>, Origin)> {
    let collected = match &estate.organization.management {
        Known::Present(account, span) => Some(Spanned::new(*account, *span)),
        // Every organization trail belongs to the management account, also one that a delegated administrator made.
        _ => {
            let trails = estate.trails.iter().filter(|trail| trail.is_organization.present() == Some(&true));
            only(trails.filter_map(|trail| Some(Spanned::new(trail.account?, trail.span))))
        }
    };
    let declared = config.and_then(|organization| organization.management_account);
    if let (Some(collected), Some(declared)) = (collected, declared) {
        let text = |account: Spanned<AccountId>| account.value.to_string();
        let (said, fact) = (text(declared), text(collected));
        let said = Spanned::new(said.as_str(), declared.span);
        differ("organization.management-account", said, Spanned::new(fact.as_str(), collected.span), contradictions);
    }
    let observed = || only(buckets.iter().flatten().filter_map(|policy| policy.management));
    collected
        .map(|account| (account, Origin::Collected))
        .or_else(|| declared.map(|account| (account, Origin::Declared)))
        .or_else(|| observed().map(|account| (account, Origin::Delivery)))
}

/// The one account, where all that are given are the same.
fn only(mut accounts: impl Iterator<Item = Spanned<AccountId>>) -> Option<Spanned<AccountId>> {
    let first = accounts.next()?;
    accounts.all(|other| other.value == first.value).then_some(first)
}

fn differ(fact: &'static str, declared: Spanned<&str>, collected: Spanned<&str>, found: &mut Vec<Contradiction>) {
    if declared.value != collected.value {
        let gap = Gap::new(fact, format!("the config says `{}`, the inputs say `{}`", declared.value, collected.value));
        found.push(Contradiction { bucket: None, gap: gap.at([declared.span, collected.span]) });
    }
}

/// The members as the inputs tell them without a list.
pub(super) struct Members {
    /// The accounts, each with the place that tells it.
    pub(super) accounts: BTreeMap<AccountId, Span>,
    /// Those that CloudTrail's statements and the trails name.
    pub(super) delivering: Vec<Spanned<AccountId>>,
    /// Those that a statement or role gives just their own logs.
    pub(super) own_logs: Vec<Spanned<AccountId>>,
}

/// The members that an export or the config lists; `None` where neither does.
///
/// Both lists are held against each other; the export counts.
pub(super) fn listed(
    estate: &Estate,
    config: Option<&Config>,
    accounts_file: Option<&[Member]>,
    contradictions: &mut Vec<Contradiction>,
) -> Option<BTreeMap<AccountId, Span>> {
    let in_file = accounts_file.map(|members| members.iter().map(|member| (member.id, member.span)).collect());
    let organization = config.and_then(|config| config.organization.as_ref());
    let in_config = organization.and_then(|o| o.accounts.as_ref());
    let in_config = in_config.map(|accounts| accounts.value.iter().map(|a| (a.value, a.span)).collect());
    let declared: Option<BTreeMap<AccountId, Span>> = in_file.or(in_config);
    let exported = match &estate.organization.accounts {
        Known::Present(members, span) => Some((members, *span)),
        _ => None,
    };
    let Some((members, span)) = exported else { return declared };
    let exported: BTreeMap<AccountId, Span> = members.iter().map(|member| (member.id, member.span)).collect();
    if let Some(declared) = declared {
        lists_differ(&declared, &exported, span, contradictions);
    }
    for party in config.iter().flat_map(|config| &config.third_parties) {
        if let Some(member) = exported.get(&party.account.value) {
            let reason = format!("the config calls {} a third party, the inputs a member", party.account.value);
            let gap = Gap::new("organization.accounts", reason).at([party.account.span, *member]);
            contradictions.push(Contradiction { bucket: None, gap });
        }
    }
    Some(exported)
}

fn lists_differ(
    declared: &BTreeMap<AccountId, Span>,
    exported: &BTreeMap<AccountId, Span>,
    export: Span,
    contradictions: &mut Vec<Contradiction>,
) {
    let mut note = |accounts: Vec<(&AccountId, &Span)>, who: &str, other: &dyn Fn(&Span) -> [Span; 2]| {
        let Some((_, first)) = accounts.first() else { return };
        let listed = shown(accounts.iter().map(|(account, _)| **account));
        let gap = Gap::new("organization.accounts", format!("only {who} {listed}")).at(other(first));
        contradictions.push(Contradiction { bucket: None, gap });
    };
    let missing = declared.iter().filter(|(account, _)| !exported.contains_key(account)).collect();
    note(missing, "the config names", &|first| [*first, export]);
    let Some(list) = declared.values().copied().reduce(Span::to) else { return };
    let more = exported.iter().filter(|(account, _)| !declared.contains_key(account)).collect();
    note(more, "the inputs name", &|first| [list, *first]);
}

/// The members as the policies and trails of the inputs tell them.
pub(super) fn inferred(
    estate: &Estate,
    buckets: &[Option<BucketPolicy>],
    keys: &[Option<KeyPolicy>],
    roles: &[SharedRole<'_>],
    log_buckets: &[super::LogBucket],
) -> Members {
    let spanned = |(account, span): (&AccountId, &Span)| Spanned::new(*account, *span);
    let delivering = buckets.iter().flatten().flat_map(|policy| &policy.delivering);
    let delivering = delivering.chain(keys.iter().flatten().flat_map(|policy| &policy.delivering)).map(spanned);
    let delivering = delivering.chain(log_buckets.iter().flat_map(|bucket| &bucket.delivering).map(spanned));
    let trails = estate.trails.iter().filter_map(|trail| Some(Spanned::new(trail.account?, trail.span)));
    let mut seen = BTreeSet::new();
    let mut new = |accounts: &mut dyn Iterator<Item = Spanned<AccountId>>| -> Vec<Spanned<AccountId>> {
        let own = accounts.filter(|account| legacy_cloudtrail_account(account.value).is_none());
        let mut own: Vec<_> = own.filter(|account| seen.insert(account.value)).collect();
        own.sort_by_key(|account| account.value);
        own
    };
    let delivering = new(&mut delivering.chain(trails));
    let by_statement = buckets.iter().flatten().flat_map(|policy| &policy.own_logs).map(spanned);
    let by_role = roles.iter().filter_map(|role| {
        let account = role.own_logs_of?;
        let trusted = role.trusted.iter().find(|trusted| trusted.account == account)?;
        Some(Spanned::new(account, trusted.span))
    });
    let own_logs = new(&mut by_statement.chain(by_role));
    let accounts = delivering.iter().chain(&own_logs).map(|account| (account.value, account.span)).collect();
    Members { accounts, delivering, own_logs }
}

/// Up to five accounts, and how many more there are.
pub(super) fn shown(accounts: impl ExactSizeIterator<Item = AccountId>) -> String {
    const MOST: usize = 5;
    let count = accounts.len();
    let first: Vec<String> = accounts.take(MOST).map(|account| account.to_string()).collect();
    match count.saturating_sub(MOST) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
