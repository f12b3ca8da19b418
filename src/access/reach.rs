//! Who can do what with whose logs, for a whole log bucket: the search behind the access matrix.
//!
//! Readers are enumerated by kind (anyone, accounts, roles and users of the estate, services); for each the accounts whose
//! logs no policy tells apart are asked about once; every answer is a request that the evaluator has confirmed. What roles
//! reach is handed on to whoever can assume them. Equal readers and equal accounts are folded in the end.

mod ask;
mod chain;
mod decrypt;
mod direct;
mod fit;
mod fold;
mod ground;
mod hit;
mod mentions;
mod reader;
mod seen;
mod service;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use self::chain::Entry;
use self::ground::{Ground, told};
use self::mentions::Signature;
use self::reader::{Identity, Reader};
use crate::access::organization::Organization;
use crate::access::sts::{Membership, organizations};
use crate::aws::AccountId;
use crate::estate::Estate;
use crate::finding::matrix::{Matrix, MatrixGap, ReaderKind};
use crate::model::{Class, LogBucket, Model};
use crate::policy::Policy;

/// The access matrix of each log bucket, in the order of the model.
///
/// `by_itself` names readers that are asked about without their likes, so that their paths are told with their own names.
pub fn matrices(
    estate: &Estate,
    model: &Model,
    organization: &Organization<'_>,
    by_itself: &[AccountId],
) -> Vec<Matrix> {
    let of = |log_bucket| matrix(estate, model, organization, log_bucket, by_itself);
    model.log_buckets().iter().map(of).collect()
}

/// The access matrix of one log bucket.
pub fn matrix(
    estate: &Estate,
    model: &Model,
    organization: &Organization<'_>,
    log_bucket: &LogBucket,
    by_itself: &[AccountId],
) -> Matrix {
    let ground = Ground::new(estate, model, organization, log_bucket);
    let mut gaps: Vec<MatrixGap> = ground.gaps.clone();
    let contradictions = model.contradictions().iter();
    let about = contradictions.filter(|one| one.bucket.as_ref().is_none_or(|name| *name == log_bucket.name));
    gaps.extend(about.map(|one| told(&one.gap)));
    let mut entries = accounts(&ground, by_itself);
    entries.extend(identities(&ground));
    entries.extend(service::services(&ground));
    chain::extend(&ground, &mut entries, &mut gaps);
    entries.retain(|entry| entry.reader.is_account() || !entry.reach.is_empty());
    gaps.extend(entries.iter().flat_map(missing));
    gaps.sort_by(|one, other| (&one.fact, &one.reason).cmp(&(&other.fact, &other.reason)));
    gaps.dedup_by(|one, other| one.fact == other.fact && one.reason == other.reason);
    fold::folded(&ground, entries, gaps)
}

/// What is not known of the policies of a role or user that may reach logs.
fn missing(entry: &Entry<'_>) -> Vec<MatrixGap> {
    let of = |identity: &Identity| match identity {
        Identity::Policies(_, missing) => missing.iter().map(told).collect::<Vec<_>>(),
        Identity::None | Identity::Granted(_) => Vec::new(),
    };
    let mut gaps: Vec<MatrixGap> = entry.reader.faces.iter().flat_map(|face| of(&face.identity)).collect();
    for gap in &mut gaps {
        gap.reason = format!("{}: {}", entry.reader.party.id, gap.reason);
    }
    gaps
}

/// Anyone, every account that model or policies name, and accounts that stand for those nobody names.
fn accounts<'e>(ground: &Ground<'e>, by_itself: &[AccountId]) -> Vec<Entry<'e>> {
    let mentions = ground.mentions();
    let mut accounts: BTreeSet<AccountId> = ground.model.known_accounts();
    accounts.extend(mentions.accounts());
    accounts.extend(ground.columns.iter().filter(|column| !column.stands_for_all).map(|column| column.account));
    accounts.extend(ground.estate.roles.iter().filter_map(|role| role.account));
    // Accounts that no policy on this side tells apart are one class; the smallest is asked about.
    let mut classes: BTreeMap<_, Vec<AccountId>> = BTreeMap::new();
    for account in accounts {
        classes.entry(class(ground, &mentions.signature(account), account, by_itself)).or_default().push(account);
    }
    let of_class = |members: &Vec<AccountId>| -> Vec<Entry<'e>> {
        let Some(first) = members.first() else { return Vec::new() };
        let reader = Reader::account(ground, *first);
        let reach = direct::reach(ground, &reader);
        let like = |account: &AccountId| {
            let reader = if account == first { None } else { Some(Reader::account(ground, *account)) };
            let own = ground.column(Some(*account)).is_some();
            let mut reach = reach.clone();
            reach.own = reach.own.filter(|_| own).map(|(_, seen)| (*account, seen));
            (reader, reach)
        };
        let mut entries: Vec<Entry<'e>> = Vec::with_capacity(members.len());
        for account in members.iter().skip(1) {
            if let (Some(reader), reach) = like(account) {
                entries.push(Entry { reader, reach, admitted: Vec::new() });
            }
        }
        entries.insert(0, Entry { reader, reach, admitted: Vec::new() });
        entries
    };
    let classes: Vec<Vec<AccountId>> = classes.into_values().collect();
    let mut entries: Vec<Entry<'e>> = classes.par_iter().flat_map_iter(of_class).collect();
    let mut whole = vec![Reader::anyone(ground)];
    let has_organization = || !ground.model.organization_ids().is_empty() || ground.asks_for_an_organization();
    if !ground.model.members_are_complete() && has_organization() {
        let membership =
            ground.model.organization_id().map_or(Membership::InUnknown, |id| Membership::In(id.id.clone()));
        whole.push(Reader::member_of(
            ground,
            &membership,
            "any other account of the organization",
            ReaderKind::Account,
        ));
    }
    for id in foreign_organizations(ground) {
        let label = format!("any account of organization {id}");
        whole.push(Reader::member_of(ground, &Membership::In(id.into()), &label, ReaderKind::ThirdParty));
    }
    entries.extend(whole.into_iter().map(|reader| {
        let reach = direct::reach(ground, &reader);
        Entry { reader, reach, admitted: Vec::new() }
    }));
    entries
}

/// What accounts have in common that get the same answers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AccountClass {
    signature: Signature,
    membership: String,
    /// The SCPs of the account, by the addresses of their texts.
    scp: Vec<Vec<usize>>,
    has_logs: bool,
    is_owner: bool,
    alone: Option<AccountId>,
}

fn class(ground: &Ground<'_>, signature: &Signature, account: AccountId, by_itself: &[AccountId]) -> AccountClass {
    let levels = ground.organization.scp(account);
    let address = |policy: &Arc<Policy>| Arc::as_ptr(policy) as usize;
    let alone = by_itself.contains(&account) || ground.model.class(account) == Class::CloudTrail;
    AccountClass {
        signature: signature.clone(),
        membership: format!("{:?}", ground.organization.membership(account)),
        scp: levels.iter().map(|level| level.iter().map(address).collect()).collect(),
        has_logs: ground.column(Some(account)).is_some(),
        is_owner: ground.owner == Some(account) || ground.model.management() == Some(account),
        alone: alone.then_some(account),
    }
}

/// The organizations beside the own that policies of bucket and key ask callers to be in.
fn foreign_organizations(ground: &Ground<'_>) -> BTreeSet<String> {
    let Some(own) = ground.model.organization_id().map(|organization| organization.id.as_str()) else {
        return BTreeSet::new();
    };
    let allows = ground.resource_policies().into_iter().flat_map(|policy| policy.allows());
    allows.flat_map(|statement| organizations(statement, Some(own))).map(|id| id.to_string()).collect()
}

/// The roles and users of the estate; those that reach nothing by themselves too, as they may assume others.
fn identities<'e>(ground: &Ground<'e>) -> Vec<Entry<'e>> {
    let entry = |reader: Reader<'e>| {
        let reach = direct::reach(ground, &reader);
        let keep = !reach.is_empty() || chain::may_assume(&reader);
        keep.then_some(Entry { reader, reach, admitted: Vec::new() })
    };
    let roles = ground.estate.roles.par_iter().filter_map(|role| entry(Reader::role(ground, role)?));
    let mut entries: Vec<Entry<'e>> = roles.collect();
    entries.extend(ground.estate.users.iter().filter_map(|user| entry(Reader::user(ground, user)?)));
    entries
}
