//! Roles that are assumed on the way to the logs: who can assume which, and what is reached that way.
//!
//! Source: IAM User Guide, "Methods to assume a role" (role chaining); STS API Reference, AssumeRole.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map};
use std::sync::Arc;

use compact_str::CompactString;

use super::door::{ASSUME, Door};
use super::ground::{Ground, MORE_STRANGERS, MOST_STRANGERS};
use super::mentions::{Mentions, Signature};
use super::reader::{Face, Identity, Reader, sessions_of};
use super::seen::{Onward, Reach};
use crate::access::actor::allowing_all;
use crate::access::evaluate::{Policies, Side};
use crate::access::pattern_set::arns_overlap;
use crate::access::request::{Caller, Given};
use crate::access::search::Question;
use crate::access::sts::{self, Membership, names_everyone};
use crate::aws::{AccountId, is_cloudtrail};
use crate::estate::{Gap, Role};
use crate::finding::Dependency;
use crate::finding::matrix::{Certainty, ReaderKind};
use crate::policy::{Policy, Principal};

/// How many pairs of roles are asked about.
const MAX_PAIRS: usize = 20_000;

/// A reader and what it reaches.
#[derive(Debug)]
pub(super) struct Entry<'e> {
    pub(super) reader: Reader<'e>,
    pub(super) reach: Reach,
    /// The accounts other than its own that can assume it, where it is a role; `None` for any account there is.
    pub(super) admitted: Vec<Option<AccountId>>,
}

impl Entry<'_> {
    /// Whether it is CloudTrail, and a trail delivers to the bucket.
    pub(super) fn delivers(&self, ground: &Ground<'_>) -> bool {
        let is_service = self.reader.kind == ReaderKind::Service && is_cloudtrail(&self.reader.party.id);
        is_service && !ground.log_bucket.trails.is_empty()
    }
}

/// What accounts have in common that a trust policy lets in alike.
#[derive(Debug, PartialEq, Eq)]
struct Like {
    membership: Membership,
    signature: Signature,
    scp: Vec<usize>,
    is_management: bool,
}

/// A quick look: whether a role or user may assume roles at all.
///
/// Those that a trust policy of their own account names can too; they are looked for by that ([`add_named`]).
pub(super) fn may_assume(reader: &Reader<'_>) -> bool {
    reader.faces.iter().any(|face| match &face.identity {
        Identity::Policies(policies, missing) => {
            !missing.is_empty() || policies.iter().flat_map(|policy| policy.allows()).any(|s| s.covers_action(ASSUME))
        }
        Identity::None | Identity::Granted(_) => false,
    })
}

/// Readers that assume roles, sorted so that those for one role are found at once.
struct Assumers {
    /// By account: the entry, the last part of its name, and the patterns of roles that its policies let it assume.
    by_account: BTreeMap<AccountId, Vec<Assumer>>,
}

struct Assumer {
    entry: usize,
    name: CompactString,
    targets: Vec<String>,
    /// Whether it may be let do anything, as not all of its policies are known.
    is_open: bool,
}

impl Assumers {
    fn of(entries: &[Entry<'_>]) -> Self {
        let mut by_account: BTreeMap<AccountId, Vec<Assumer>> = BTreeMap::new();
        for (number, entry) in entries.iter().enumerate() {
            let [face] = entry.reader.faces.as_slice() else { continue };
            let (Identity::Policies(policies, missing), Some(account)) = (&face.identity, face.account()) else {
                continue;
            };
            let allows = policies.iter().flat_map(|policy| policy.allows()).filter(|s| s.covers_action(ASSUME));
            let mut targets: Vec<String> = Vec::new();
            for resources in allows.filter_map(|statement| statement.resources.as_ref()) {
                match resources.negated {
                    true => targets.push("*".to_owned()),
                    false => targets
                        .extend(resources.items.iter().map(|item| super::targets::opened(item, None).to_string())),
                }
            }
            let name = entry.reader.party.id.rsplit('/').next().unwrap_or_default().into();
            let assumer = Assumer { entry: number, name, targets, is_open: !missing.is_empty() };
            by_account.entry(account).or_default().push(assumer);
        }
        Assumers { by_account }
    }

    /// Those that may be able to assume a role: a quick look.
    fn for_door<'s>(&'s self, door: &'s Door) -> impl Iterator<Item = usize> + 's {
        let near: Vec<(&AccountId, &Vec<Assumer>)> = match door.accounts() {
            Some(accounts) => accounts.iter().filter_map(|account| self.by_account.get_key_value(account)).collect(),
            None => self.by_account.iter().collect(),
        };
        near.into_iter()
            .flat_map(move |(account, assumers)| {
                assumers.iter().filter(move |assumer| {
                    let named = || Some(*account) == door.account && door.names_in_account(&assumer.name);
                    let allowed = |target: &String| target == "*" || arns_overlap(target, &door.arn);
                    assumer.is_open || assumer.targets.iter().any(allowed) || named()
                })
            })
            .map(|assumer| assumer.entry)
    }
}

/// Lets roles and users have what the roles reach that they can assume, and then accounts; whatever is not known is added
/// to `gaps`.
///
/// Each role is looked at again only when it has won something, and what is reached only ever grows, so that cycles end.
pub(super) fn extend<'e>(ground: &Ground<'e>, entries: &mut Vec<Entry<'e>>, gaps: &mut Vec<Gap>) {
    add_named(ground, entries);
    let assumers = Assumers::of(entries);
    let mut doors: BTreeMap<usize, Option<Door>> = BTreeMap::new();
    let is_reached = |entry: &Entry<'_>| entry.reader.role.is_some() && !entry.reach.is_empty();
    let mut open: VecDeque<usize> =
        entries.iter().enumerate().filter(|(_, entry)| is_reached(entry)).map(|(number, _)| number).collect();
    let mut steps: BTreeMap<(usize, usize), Option<Onward>> = BTreeMap::new();
    let mut pairs = MAX_PAIRS;
    while let Some(target) = open.pop_front() {
        let Some(role) = entries.get(target).and_then(|entry| entry.reader.role) else { continue };
        let door = doors.entry(target).or_insert_with(|| Door::of(ground, role, gaps));
        let Some(door) = door else { continue };
        let near: Vec<usize> = assumers.for_door(door).filter(|source| *source != target).collect();
        for source in near {
            let (Some(from), Some(to)) = (entries.get(source), entries.get(target)) else { continue };
            if from.reach.covers(&to.reach) {
                continue;
            }
            let step = match steps.get(&(source, target)) {
                Some(known) => known.clone(),
                None if pairs == 0 => continue,
                None => {
                    pairs -= 1;
                    if pairs == 0 {
                        let reason = format!("more than {MAX_PAIRS} pairs of roles may assume each other");
                        gaps.push(Gap::new("role.chains", reason));
                    }
                    let step =
                        from.reader.faces.first().and_then(|face| assume(ground, face, door, &from.reader.party.label));
                    steps.insert((source, target), step.clone());
                    step
                }
            };
            let Some(step) = step else { continue };
            let reached = to.reach.clone();
            if let Some(from) = entries.get_mut(source)
                && from.reach.add(&step, &reached)
                && from.reader.role.is_some()
                && !open.contains(&source)
            {
                open.push_back(source);
            }
        }
    }
    admit(ground, entries, doors, gaps);
}

/// Adds the roles and users of the estate that the trust policy of a role in their own account names: they need no policy
/// of their own to assume it (IAM User Guide, "Policy evaluation for requests within a single account").
fn add_named<'e>(ground: &Ground<'e>, entries: &mut Vec<Entry<'e>>) {
    let mut known: BTreeSet<String> = entries.iter().map(|entry| entry.reader.party.id.clone()).collect();
    let mut open: VecDeque<&'e Role> = entries.iter().filter_map(|entry| entry.reader.role).collect();
    while let Some(role) = open.pop_front() {
        let Some(document) = role.trust.present() else { continue };
        let policy = document.policy(&ground.estate.sources);
        let mut found: Vec<Option<Reader<'e>>> = Vec::new();
        if policy.allows().any(names_everyone) {
            let roles = ground.estate.roles.iter().filter(|other| other.account == role.account);
            found.extend(roles.map(|role| Reader::role(ground, role)));
            let users = ground.estate.users.iter().filter(|user| user.account == role.account);
            found.extend(users.map(|user| Reader::user(ground, user)));
        }
        let principals = policy.allows().filter_map(|statement| statement.principals.as_ref()).filter(|p| !p.negated);
        for entry in principals.flat_map(|principals| &principals.entries) {
            match &entry.principal {
                Principal::Role(account, name) | Principal::Session(account, name, _) => {
                    let role = ground.role(*account, name.rsplit('/').next().unwrap_or(name));
                    found.push(role.and_then(|role| Reader::role(ground, role)));
                }
                Principal::User(account, name) => {
                    let name = name.rsplit('/').next().unwrap_or(name);
                    let mut users = ground.estate.users.iter();
                    let user = users.find(|user| user.account == Some(*account) && user.name == name);
                    found.push(user.and_then(|user| Reader::user(ground, user)));
                }
                _ => {}
            }
        }
        for reader in found.into_iter().flatten() {
            if known.insert(reader.party.id.clone()) {
                open.extend(reader.role);
                let own = ground.column(reader.own_logs()).map(|own| own.account);
                entries.push(Entry { reader, reach: Reach::nothing(own), admitted: Vec::new() });
            }
        }
    }
}

/// Whether a role or user of the estate can assume a role by the policies of both.
fn assume(ground: &Ground<'_>, face: &Face, door: &Door, who: &str) -> Option<Onward> {
    let Identity::Policies(policies, missing) = &face.identity else { return None };
    let identity: Vec<&Policy> = policies.iter().map(Arc::as_ref).collect();
    let trust = [door.policy.as_ref()];
    let rcp = [door.rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
    let scp: Vec<Vec<&Policy>> = face.scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
    let mut work = ground.allowance;
    let mut ways = Vec::new();
    let mut callers = face.callers.clone();
    if let Some(account) = face.account() {
        let own = ground.model.organization_id().map(|organization| organization.id.as_str());
        ways = sts::ways(account, &ground.organization.membership(account), door.all_policies(), own);
        if let Some(Caller::Session(_, role, _)) = face.callers.first() {
            callers.extend(door.all_policies().flat_map(|policy| sessions_of(account, role, policy)));
        }
    }
    let mut put = |identity: Side<'_>| {
        face.boundary.side(|boundary| {
            let policies = Policies {
                identity,
                resource: Side::Policies(&trust),
                boundary,
                scp: &scp,
                rcp: &rcp,
                management: ground.model.management(),
                titles: face.titles.as_ref(),
                ..Policies::default()
            };
            let ask = |keys: Vec<(CompactString, Given)>| Question {
                callers: callers.clone(),
                action: ASSUME,
                resource: door.arn.as_str().into(),
                resource_account: door.account,
                policies,
                fixed: keys,
            };
            super::hit::best_on(&ways, |way| ask(way.keys.clone()).ask_within(&mut work))
        })
    };
    let known = put(if identity.is_empty() { Side::None } else { Side::Policies(&identity) });
    let hit = match (known, missing.first()) {
        (None, Some(gap)) => {
            let mut at_most = identity.clone();
            at_most.push(allowing_all());
            put(Side::Policies(&at_most)).map(|mut hit| {
                hit.certainty = Certainty::Unknown;
                hit.depends_on.push(Dependency::fact(gap.to_string()));
                hit
            })
        }
        (known, _) => known,
    };
    let mut onward = door.onward(hit?, who);
    onward.depends_on.extend(face.unless.iter().map(Dependency::fact));
    Some(onward)
}

/// Lets accounts have what the roles reach that they can assume.
fn admit<'e>(
    ground: &Ground<'e>,
    entries: &mut Vec<Entry<'e>>,
    mut doors: BTreeMap<usize, Option<Door>>,
    gaps: &mut Vec<Gap>,
) {
    let mut at: BTreeMap<AccountId, usize> = BTreeMap::new();
    let mut others: Vec<usize> = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        match (entry.reader.is_account(), entry.reader.account) {
            (true, Some(account)) => {
                at.insert(account, number);
            }
            (true, None) => others.push(number),
            (false, _) => {}
        }
    }
    // Whoever some trust policy names is there before any of them is asked about.
    for target in 0..entries.len() {
        let reached = entries.get(target).filter(|entry| !entry.reach.is_empty());
        let Some(role) = reached.and_then(|entry| entry.reader.role) else { continue };
        let door = doors.entry(target).or_insert_with(|| Door::of(ground, role, gaps));
        for account in door.iter().flat_map(Door::meant) {
            if let btree_map::Entry::Vacant(place) = at.entry(account) {
                let reader = Reader::account(ground, account);
                let reach = super::direct::reach(ground, &reader);
                place.insert(entries.len());
                entries.push(Entry { reader, reach, admitted: Vec::new() });
            }
        }
    }
    for target in 0..entries.len() {
        let Some(role) =
            entries.get(target).filter(|entry| !entry.reach.is_empty()).and_then(|entry| entry.reader.role)
        else {
            continue;
        };
        let door = doors.entry(target).or_insert_with(|| Door::of(ground, role, gaps));
        let Some(door) = door else { continue };
        let named = door.accounts();
        let everyone = named.is_none();
        // Who is named is asked about by itself, and of all others one of each kind.
        let mut candidates: BTreeSet<AccountId> =
            named.unwrap_or_else(|| door.meant().into_iter().chain(at.keys().copied()).collect());
        candidates.retain(|account| Some(*account) != door.account);
        let Some(reached) = entries.get(target).map(|entry| entry.reach.clone()) else { continue };
        let mut admitted = Vec::new();
        let mut mentions = Mentions::default();
        let policies = door.all_policies().chain(ground.organization.all_scp());
        for (number, statement) in policies.flat_map(|policy| policy.effective()).enumerate() {
            mentions.read_whole(number * 64, statement);
        }
        // Accounts that the trust policy does not tell apart are let in as one of them is.
        let mut likes: Vec<(Like, AccountId, Option<Onward>)> = Vec::new();
        for account in candidates {
            let Some(number) = at.get(&account).copied() else { continue };
            let membership = ground.organization.membership(account);
            let Some(entry) = entries.get_mut(number) else { continue };
            let label = &entry.reader.party.label;
            let levels = ground.organization.scp(account);
            let like = Like {
                membership,
                signature: mentions.signature(account),
                scp: levels.iter().flatten().map(|policy| Arc::as_ptr(policy) as usize).collect(),
                is_management: ground.model.management() == Some(account),
            };
            let step = match likes.iter().find(|(known, ..)| *known == like) {
                Some((_, first, step)) => {
                    step.as_ref().map(|step| step.said_of((&ground.model.label(*first), *first), (label, account)))
                }
                None => {
                    let step = door.admits(ground, account, &like.membership, label);
                    likes.push((like, account, step.clone()));
                    step
                }
            };
            if let Some(step) = step {
                admitted.push(Some(account));
                if !entry.reach.covers(&reached) {
                    entry.reach.add(&step, &reached);
                }
            }
        }
        for number in others.iter().copied().filter(|_| everyone) {
            let Some(entry) = entries.get_mut(number) else { continue };
            let mut best: Option<Onward> = None;
            let mut own = door.strangers(ground);
            let has_more = own.len() > MOST_STRANGERS;
            own.truncate(MOST_STRANGERS);
            let of_door = entry
                .reader
                .membership
                .iter()
                .flat_map(|membership| own.iter().map(move |account| (*account, membership.clone())));
            for (account, membership) in entry.reader.stand_ins(ground).into_iter().chain(of_door) {
                if let Some(mut step) = door.admits(ground, account, &membership, &entry.reader.party.label)
                    && best.as_ref().is_none_or(|known| step.certainty < known.certainty)
                {
                    let of_any = |text: &str| text.replace(account.as_str(), "that account");
                    step.hop.steps.iter_mut().for_each(|one| one.message = of_any(&one.message));
                    best = Some(step);
                }
            }
            if has_more && best.is_none() {
                let depends_on = vec![Dependency::bound(MORE_STRANGERS)];
                let hop = door.hop(&entry.reader.party.label, None, Vec::new());
                best = Some(Onward { hop, certainty: Certainty::Unknown, depends_on });
            }
            if let Some(step) = best {
                admitted.push(None);
                entry.reach.add(&step, &reached);
            }
        }
        if let Some(entry) = entries.get_mut(target) {
            entry.admitted = admitted;
        }
    }
}
