//! Who can do what with whose logs, for a whole log bucket: the search behind the access matrix.
//!
//! Readers are enumerated by kind (anyone, accounts, roles and users of the estate, services); for each the accounts whose
//! logs no policy tells apart are asked about once; every answer is a request that the evaluator has confirmed. What roles
//! reach is handed on to whoever can assume them. Equal readers and equal accounts are folded in the end.

mod ask;
mod chain;
mod columns;
mod decrypt;
mod delivering;
mod direct;
mod door;
mod fit;
mod fold;
mod ground;
mod hit;
mod mentions;
mod reader;
mod refusal;
mod seen;
mod service;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use rayon::prelude::*;

use self::chain::Entry;
use self::ground::Ground;
use self::mentions::{Mentions, Signature};
use self::reader::{Identity, Reader};
use self::refusal::{Roads, Why};
use self::seen::{Reach, Seen};
use crate::access::evaluate::Explanation;
use crate::access::lock::Lock;
use crate::access::organization::Organization;
use crate::access::sts::{Membership, organizations};
use crate::aws::AccountId;
use crate::estate::{Estate, Gap};
use crate::finding::matrix::{Ability, Access, Certainty, Matrix, Party, ReaderKind};
use crate::model::{Class, Given, LogBucket, Model};
use crate::policy::Policy;
use crate::text::Span;

/// The access matrix of each log bucket, in the order of the model.
///
/// `by_itself` names readers and owners of logs that are asked about without their likes, so that their paths are told with
/// their own names.
pub fn matrices(estate: &Estate, model: &Model, organization: &Organization<'_>, by_itself: &[String]) -> Vec<Matrix> {
    let of = |log_bucket| matrix(estate, model, organization, log_bucket, by_itself);
    model.log_buckets().iter().map(of).collect()
}

/// The access matrix of one log bucket.
pub fn matrix(
    estate: &Estate,
    model: &Model,
    organization: &Organization<'_>,
    log_bucket: &LogBucket,
    by_itself: &[String],
) -> Matrix {
    let ground = Ground::new(estate, model, organization, log_bucket, by_itself);
    let mut gaps = ground.gaps.clone();
    let contradictions = model.contradictions().iter();
    let about = contradictions.filter(|one| one.bucket.as_ref().is_none_or(|name| *name == log_bucket.name));
    gaps.extend(about.map(|one| one.gap.clone()));
    // Whom a list leaves out may read as well.
    let unlisted = [
        "account.authorization-details",
        "account.roles",
        "account.users",
        "input.configuration-items",
        "role.configuration-item",
        "user.configuration-item",
    ];
    gaps.extend(estate.gaps.iter().filter(|gap| unlisted.contains(&gap.fact.as_ref())).cloned());
    let mut entries = everyone(&ground);
    chain::extend(&ground, &mut entries, &mut gaps);
    let is_asked_about = |entry: &Entry<'_>| ground.is_apart(&entry.reader.party) || entry.delivers(&ground);
    entries.retain(|entry| entry.reader.is_account() || is_asked_about(entry) || !entry.reach.is_empty());
    gaps.extend(entries.iter().flat_map(missing));
    gaps.extend(given_up(&ground, &entries));
    gaps.sort_by(|one, other| (&one.fact, &one.reason).cmp(&(&other.fact, &other.reason)));
    gaps.dedup_by(|one, other| one.fact == other.fact && one.reason == other.reason);
    fold::folded(&ground, entries, gaps)
}

/// Every reader, with what it reaches by itself.
fn everyone<'e>(ground: &Ground<'e>) -> Vec<Entry<'e>> {
    let mut entries = accounts(ground);
    entries.extend(identities(ground));
    entries.extend(service::services(ground));
    entries
}

/// What is not known of the policies of a role or user that may reach logs.
fn missing(entry: &Entry<'_>) -> Vec<Gap> {
    let of = |identity: &Identity| match identity {
        Identity::Policies(_, missing) => missing.clone(),
        Identity::None | Identity::Granted(_) => Vec::new(),
    };
    let mut gaps: Vec<Gap> = entry.reader.faces.iter().flat_map(|face| of(&face.identity)).collect();
    for gap in &mut gaps {
        gap.reason = format!("{}: {}", entry.reader.party.id, gap.reason).into();
    }
    gaps
}

/// What a bound left open: one gap for each bound, whoever is asked about.
fn given_up(ground: &Ground<'_>, entries: &[Entry<'_>]) -> Vec<Gap> {
    let mut readers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in entries {
        let open = entry.reach.all().filter(|access| access.certainty == Certainty::Unknown);
        for bound in open.flat_map(|access| &access.depends_on).filter(|one| one.is_bound()) {
            readers.entry(bound.text()).or_default().insert(&entry.reader.party.label);
        }
    }
    let gap = |(bound, readers): (&str, BTreeSet<&str>)| {
        let first = readers.first().copied().unwrap_or_default();
        let others = match readers.len() {
            0 | 1 => String::new(),
            2 => " and 1 other reader".to_owned(),
            count => format!(" and {} other readers", count - 1),
        };
        let gap = Gap::new("bucket.policy", format!("what {first}{others} can do is not known: {bound}"));
        gap.at(ground.policy().map(|policy| policy.span))
    };
    readers.into_iter().map(gap).collect()
}

/// Anyone, every account that model or policies name, and accounts that stand for those nobody names.
fn accounts<'e>(ground: &Ground<'e>) -> Vec<Entry<'e>> {
    let mentions = Mentions::of(ground);
    let mut accounts: BTreeSet<AccountId> = ground.model.known_accounts();
    accounts.extend(mentions.accounts());
    accounts.extend(ground.columns.iter().filter(|column| !column.stands_for_all).map(|column| column.account));
    accounts.extend(ground.estate.roles.iter().filter_map(|role| role.account));
    accounts.extend(ground.apart.iter().filter_map(|name| AccountId::parse(name)));
    // Accounts that no policy on this side tells apart are one class; the smallest is asked about.
    let mut classes: BTreeMap<_, Vec<AccountId>> = BTreeMap::new();
    for account in accounts {
        classes.entry(class(ground, &mentions.signature(account), account)).or_default().push(account);
    }
    let of_class = |members: &Vec<AccountId>| -> Vec<Entry<'e>> {
        let Some(first) = members.first() else { return Vec::new() };
        let reader = Reader::account(ground, *first);
        let mut reach = direct::reach(ground, &reader);
        if let (Some((own, _)), Some(second)) = (&reach.own, members.get(1)) {
            // The logs of the first are those of another to all others.
            let seen = Arc::clone(direct::reach(ground, &Reader::account(ground, *second)).of(*own));
            let own = *own;
            Arc::make_mut(&mut reach.named).insert(own, seen);
        }
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
        let mut reach = direct::reach(ground, &reader);
        if ground.has_more_strangers {
            reach.leave_open(ground::MORE_STRANGERS);
        }
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
    is_management: bool,
    canonical_id: Option<CompactString>,
    alone: Option<AccountId>,
}

fn class(ground: &Ground<'_>, signature: &Signature, account: AccountId) -> AccountClass {
    let levels = ground.organization.scp(account);
    let address = |policy: &Arc<Policy>| Arc::as_ptr(policy) as usize;
    let alone = ground.is_apart(&ground.party(account)) || ground.model.class(account) == Class::CloudTrail;
    AccountClass {
        signature: signature.clone(),
        membership: format!("{:?}", ground.organization.membership(account)),
        scp: levels.iter().map(|level| level.iter().map(address).collect()).collect(),
        has_logs: ground.column(Some(account)).is_some(),
        is_owner: ground.owner == Some(account),
        is_management: ground.model.management() == Some(account),
        canonical_id: ground.canonical_id_of(Some(account)),
        alone: alone.then_some(account),
    }
}

/// The organizations beside the own that policies of bucket and key compare those of callers with.
fn foreign_organizations(ground: &Ground<'_>) -> BTreeSet<String> {
    let Some(own) = ground.model.organization_id().map(|organization| organization.id.as_str()) else {
        return BTreeSet::new();
    };
    let statements = ground.all_policies().flat_map(|policy| policy.effective());
    statements.flat_map(|statement| organizations(statement, Some(own))).map(|id| id.to_string()).collect()
}

/// The roles and users of the estate; those that reach nothing by themselves too, as they may assume others.
fn identities<'e>(ground: &Ground<'e>) -> Vec<Entry<'e>> {
    let entry = |reader: Reader<'e>| {
        let reach = direct::reach(ground, &reader);
        let keep = !reach.is_empty() || chain::may_assume(&reader) || ground.is_apart(&reader.party);
        keep.then_some(Entry { reader, reach, admitted: Vec::new() })
    };
    let roles = ground.estate.roles.par_iter().filter_map(|role| entry(Reader::role(ground, role)?));
    let mut entries: Vec<Entry<'e>> = roles.collect();
    entries.extend(ground.estate.users.iter().filter_map(|user| entry(Reader::user(ground, user)?)));
    entries
}

/// What readers can do with whose logs in one log bucket, reader by reader and path by path: to judge, where a [`Matrix`]
/// is to show.
#[derive(Debug)]
pub struct LogReach {
    /// The bucket's name in the model.
    pub bucket: CompactString,
    /// Where it is described.
    pub span: Span,
    /// Its ARN.
    pub arn: String,
    /// The account that owns it, where known.
    pub owner: Option<AccountId>,
    /// Whose logs it holds; one account that stands for all where no input tells.
    pub logs_of: BTreeSet<AccountId>,
    /// Whether no input tells whose logs it holds.
    pub stands_for_all: bool,
    /// Whether the logs are under a KMS key; `None` where that is not known.
    pub is_encrypted: Option<bool>,
    /// The key, as far as it is known: its ARN, or how it is configured.
    pub key: Option<String>,
    /// The readers: those that stand for many, accounts, roles, users, services.
    pub readers: Vec<Reached>,
    /// What was not known.
    pub gaps: Vec<Gap>,
    roles: BTreeMap<String, usize>,
}

/// One reader.
#[derive(Debug)]
pub struct Reached {
    /// What it is.
    pub kind: ReaderKind,
    /// Who it is.
    pub party: Party,
    /// The account that it is or is in; `None` where it stands for accounts that nothing names.
    pub account: Option<AccountId>,
    /// What the config says it should read and it can not, with why not.
    pub refused: Vec<Refused>,
    /// Why it does not decrypt what it fetches by itself, for one account whose logs it is given: where it certainly
    /// fetches those, and certainly does not decrypt them.
    pub undeciphered: Option<Explanation>,
    alone: Reach,
    in_all: Reach,
}

/// Logs that a reader should read and can not.
#[derive(Debug)]
pub struct Refused {
    /// Whose.
    pub logs_of: AccountId,
    /// Why not: the decision that came nearest.
    pub explanation: Explanation,
    /// The ARN of the role by which it was made, where a role comes nearer than the reader by itself.
    pub role: Option<String>,
}

impl LogReach {
    /// The role of this ARN, where it reaches logs or may assume a role that does.
    pub fn role(&self, arn: &str) -> Option<&Reached> {
        self.readers.get(*self.roles.get(arn)?)
    }

    /// Anyone, accounts, and those that stand for accounts that nothing names.
    pub fn accounts(&self) -> impl Iterator<Item = &Reached> {
        self.readers
            .iter()
            .filter(|one| matches!(one.kind, ReaderKind::Anyone | ReaderKind::Account | ReaderKind::ThirdParty))
    }
}

impl Reached {
    /// What it can do with the logs of an account, or with those of all that are not [told apart](Reached::told_apart);
    /// `with_roles` counts what the roles reach that it can assume.
    pub fn access(&self, logs_of: Option<AccountId>, ability: Ability, with_roles: bool) -> Option<&Access> {
        let reach = if with_roles { &self.in_all } else { &self.alone };
        let seen = logs_of.map_or(&reach.default, |account| reach.of(account));
        seen.access(ability)
    }

    /// The accounts whose logs it can do something else with than with those of all others.
    pub fn told_apart(&self, with_roles: bool) -> BTreeSet<AccountId> {
        let reach = if with_roles { &self.in_all } else { &self.alone };
        reach.own.iter().map(|(own, _)| *own).chain(reach.named.keys().copied()).collect()
    }

    /// Whether it reaches nothing at all.
    pub fn is_empty(&self) -> bool {
        self.in_all.is_empty() && self.alone.is_empty()
    }
}

/// What readers reach in each log bucket, in the order of the model.
pub fn log_reaches(estate: &Estate, model: &Model, organization: &Organization<'_>) -> Vec<LogReach> {
    model.log_buckets().iter().map(|log_bucket| log_reach(estate, model, organization, log_bucket)).collect()
}

fn log_reach(estate: &Estate, model: &Model, organization: &Organization<'_>, log_bucket: &LogBucket) -> LogReach {
    let ground = Ground::new(estate, model, organization, log_bucket, &[]);
    let mut gaps = ground.gaps.clone();
    let mut entries = everyone(&ground);
    let alone: Vec<Reach> = entries.iter().map(|entry| entry.reach.clone()).collect();
    chain::extend(&ground, &mut entries, &mut gaps);
    let roads = Roads::new(&ground, &entries);
    let refused: Vec<_> = entries.iter().map(|entry| refused(&ground, &roads, entry)).collect();
    let of_key = entries.iter().zip(&alone).map(|(entry, alone)| undeciphered(&ground, &roads, entry, alone));
    let undeciphered: Vec<Option<Explanation>> = of_key.collect();
    let mut readers: Vec<Reached> = Vec::with_capacity(entries.len());
    let mut roles = BTreeMap::new();
    let told = refused.into_iter().zip(undeciphered);
    for (number, (entry, (refused, undeciphered))) in entries.into_iter().zip(told).enumerate() {
        let Entry { reader, reach, .. } = entry;
        if reader.role.is_some() {
            roles.insert(reader.party.id.clone(), number);
        }
        let alone = alone.get(number).cloned().unwrap_or_default();
        let (kind, party, account) = (reader.kind, reader.party, reader.account);
        readers.push(Reached { kind, party, account, refused, undeciphered, alone, in_all: reach });
    }
    LogReach {
        bucket: log_bucket.name.clone(),
        span: log_bucket.span,
        arn: ground.arn.clone(),
        owner: ground.owner,
        logs_of: ground.columns.iter().map(|column| column.account).collect(),
        stands_for_all: ground.columns.iter().any(|column| column.stands_for_all),
        is_encrypted: match &ground.lock {
            Lock::None => Some(false),
            Lock::Key(_) => Some(true),
            Lock::Unknown(_) => None,
        },
        key: match &ground.lock {
            Lock::Key(key) => Some(key.arn.clone()),
            Lock::None | Lock::Unknown(_) => None,
        },
        readers,
        gaps,
        roles,
    }
}

/// The logs that the config says an account should read and that it certainly can not, with why not.
fn refused<'e>(ground: &Ground<'e>, roads: &Roads<'_, 'e>, entry: &Entry<'e>) -> Vec<Refused> {
    let Some(account) = entry.reader.account.filter(|_| entry.reader.is_account()) else { return Vec::new() };
    let due = ground.model.logs_due(account, &ground.log_bucket.name);
    if due.is_nothing() {
        return Vec::new();
    }
    let lacks = |logs_of: AccountId| {
        let seen = entry.reach.of(logs_of);
        let needs_key = matches!(ground.lock, Lock::Key(_));
        seen.access(Ability::Get).is_none() || (needs_key && seen.access(Ability::Decrypt).is_none())
    };
    let columns = ground.columns.iter().filter(|column| !column.stands_for_all && due.includes(column.account));
    let why = |column: &columns::LogOwner| {
        let seen = entry.reach.of(column.account);
        let missing = if seen.access(Ability::Get).is_none() { Ability::Get } else { Ability::Decrypt };
        let Why { explanation, role, .. } = roads.explain(entry, column, missing);
        Refused { logs_of: column.account, explanation, role }
    };
    columns.filter(|column| lacks(column.account)).map(why).collect()
}

/// Why a reader does not decrypt what it fetches by itself, of the logs that it is given; a role has none that are its own.
fn undeciphered<'e>(
    ground: &Ground<'e>,
    roads: &Roads<'_, 'e>,
    entry: &Entry<'e>,
    alone: &Reach,
) -> Option<Explanation> {
    let Lock::Key(_) = &ground.lock else { return None };
    let lacks = |seen: &Seen| {
        let fetches = seen.access(Ability::Get).is_some_and(|get| get.certainty == Certainty::Certain);
        fetches && seen.access(Ability::Decrypt).is_none()
    };
    let given = match entry.reader.account.filter(|_| entry.reader.is_account()) {
        Some(account) => ground.model.logs_of(account, &ground.log_bucket.name),
        None if entry.reader.role.is_some() => Given::All,
        None => return None,
    };
    let own = alone.own.iter().map(|(account, seen)| (*account, seen));
    let named = alone.named.iter().map(|(account, seen)| (*account, seen));
    // Its own logs go before what others of its class may do with them.
    let told_apart: BTreeMap<AccountId, &Arc<Seen>> = named.chain(own).collect();
    let mut lacking = told_apart.iter().filter(|(account, seen)| given.includes(**account) && lacks(seen));
    let of_rest = || {
        let rest =
            |column: &&columns::LogOwner| given.includes(column.account) && !told_apart.contains_key(&column.account);
        ground.columns.iter().filter(|_| lacks(&alone.default)).find(rest)
    };
    let first = lacking.find_map(|(account, _)| ground.column(Some(*account)));
    Some(roads.key_refusal(entry, first.or_else(of_rest)?))
}
