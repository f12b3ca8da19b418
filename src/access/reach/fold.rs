//! Equal readers to one row, equal accounts to one column.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::chain::Entry;
use super::columns::LogOwner;
use super::fit::Share;
use super::ground::Ground;
use super::refusal::Roads;
use super::seen::{Reach, Seen};
use crate::access::lock::Lock;
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::matrix::{Ability, Cell, Certainty, Column, Fit, Matrix, MatrixGap, Party, ReaderKind, Row, Scope};

/// What tells cells apart.
type Look = ([Option<Certainty>; 4], Option<Fit>);

/// What tells rows apart: kind, own logs, logs of those told apart, logs of all others, and who is asked about by itself.
type RowLook = (ReaderKind, Option<Look>, Vec<(AccountId, Look)>, Look, Option<String>);

/// Readers with the same cells.
struct Group<'r, 'e> {
    entries: Vec<&'r Entry<'e>>,
    own: Option<Look>,
    named: BTreeMap<AccountId, Look>,
    default: Look,
    owns: BTreeSet<AccountId>,
}

/// The matrix of a bucket.
pub(super) fn folded(ground: &Ground<'_>, mut entries: Vec<Entry<'_>>, gaps: Vec<Gap>) -> Matrix {
    entries.iter_mut().for_each(|entry| lend(ground, entry));
    entries.sort_by(|one, other| {
        (one.reader.kind, &one.reader.party.id).cmp(&(other.reader.kind, &other.reader.party.id))
    });
    let groups = groups(ground, &entries);
    let columns = columns(ground, &groups);
    let told = |gap: Gap| MatrixGap { fact: gap.fact.into(), reason: gap.reason.into(), places: gap.places };
    let roads = Roads::new(ground, &entries);
    let rows = groups.iter().map(|group| row(ground, &roads, group, &columns)).collect();
    Matrix {
        bucket: ground.log_bucket.name.to_string(),
        owner: ground.owner.map(|owner| ground.party(owner)),
        is_declared: ground.model.is_declared(),
        columns: columns.iter().map(|members| column(ground, members)).collect(),
        rows,
        gaps: gaps.into_iter().map(told).collect(),
        notes: notes(ground),
    }
}

/// A role that one account with logs can assume is for that account: those logs count as its own.
fn lend(ground: &Ground<'_>, entry: &mut Entry<'_>) {
    let [Some(account)] = entry.admitted.as_slice() else { return };
    let account = *account;
    if entry.reader.role.is_some() && ground.column(Some(account)).is_some() {
        entry.reader.party.own = Some(account.to_string());
        entry.reach = std::mem::take(&mut entry.reach).owned_by(account);
    }
}

fn groups<'r, 'e>(ground: &Ground<'_>, entries: &'r [Entry<'e>]) -> Vec<Group<'r, 'e>> {
    let mut at: HashMap<RowLook, usize> = HashMap::new();
    // Readers of one class share what they reach, and mostly what they are given.
    let mut groups: Vec<Group<'r, 'e>> = Vec::new();
    for entry in entries {
        let share = Share::of(ground, entry);
        let Reach { own, named, default } = &entry.reach;
        // The model says nothing of an account that stands for all.
        let look = |seen: &Seen, account: Option<AccountId>| {
            let known = account.filter(|account| ground.column(Some(*account)).is_some());
            (seen.levels(), share.fit(ground, seen, known))
        };
        let default = look(default, None);
        let own = own.as_ref().map(|(account, seen)| (*account, look(seen, Some(*account))));
        let of_model = share.accounts();
        let told_apart = named.keys().copied().chain(of_model).collect::<BTreeSet<_>>();
        let named: BTreeMap<AccountId, Look> = told_apart
            .into_iter()
            .filter(|account| own.is_none_or(|(own, _)| own != *account))
            .map(|account| (account, look(entry.reach.of(account), Some(account))))
            .filter(|(account, look)| *look != default && ground.has_column(*account))
            .collect();
        let key = (
            entry.reader.kind,
            own.map(|(_, look)| look),
            named.iter().map(|(account, look)| (*account, *look)).collect(),
            default,
            ground.is_apart(&entry.reader.party).then(|| entry.reader.party.id.clone()),
        );
        let number = *at.entry(key).or_insert_with(|| {
            groups.push(Group {
                entries: Vec::new(),
                own: own.map(|(_, look)| look),
                named,
                default,
                owns: BTreeSet::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(number) {
            group.entries.push(entry);
            group.owns.extend(own.map(|(account, _)| account));
        }
    }
    groups
}

/// The accounts of each column: those whose cells are the same in every row.
fn columns<'g>(ground: &'g Ground<'_>, groups: &[Group<'_, '_>]) -> Vec<Vec<&'g LogOwner>> {
    let mut looks: BTreeMap<AccountId, Vec<(usize, Option<Look>)>> = BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        for (account, look) in &group.named {
            looks.entry(*account).or_default().push((number, Some(*look)));
        }
        // Where own logs are as those of all others, nothing is told apart.
        if group.own.is_some_and(|own| own != group.default) {
            for account in &group.owns {
                looks.entry(*account).or_default().push((number, None));
            }
        }
    }
    let apart: BTreeSet<AccountId> = ground.apart().collect();
    let mut classes: BTreeMap<_, Vec<&LogOwner>> = BTreeMap::new();
    for column in &ground.columns {
        let look = looks.remove(&column.account).unwrap_or_default();
        let alone = apart.get(&column.account);
        classes.entry((look, alone)).or_default().push(column);
    }
    let mut columns: Vec<Vec<&LogOwner>> = classes.into_values().collect();
    columns.sort_by_key(|members| members.first().map(|first| first.account));
    columns
}

fn column(ground: &Ground<'_>, members: &[&LogOwner]) -> Column {
    let mut prefixes: Vec<String> = Vec::new();
    for member in members {
        for prefix in &member.prefixes {
            let shown = match members {
                [one] if !one.stands_for_all => prefix.clone(),
                _ => prefix.replace(member.account.as_str(), "<account>"),
            };
            if !prefixes.contains(&shown) {
                prefixes.push(shown);
            }
        }
    }
    let party = |member: &&LogOwner| match member.stands_for_all {
        true => Party { id: "any account".to_owned(), label: "any account".to_owned(), own: None },
        false => ground.party(member.account),
    };
    Column { owners: members.iter().map(party).collect(), prefixes }
}

fn row<'e>(ground: &Ground<'e>, roads: &Roads<'_, 'e>, group: &Group<'_, 'e>, columns: &[Vec<&LogOwner>]) -> Row {
    Row {
        kind: group.entries.first().map_or(ReaderKind::Account, |entry| entry.reader.kind),
        readers: group.entries.iter().map(|entry| entry.reader.party.clone()).collect(),
        note: note(ground, group),
        cells: columns.iter().map(|members| cells(ground, roads, group, members)).collect(),
    }
}

/// One cell, or two where readers of the row own logs of the column.
fn cells<'e>(ground: &Ground<'e>, roads: &Roads<'_, 'e>, group: &Group<'_, 'e>, members: &[&LogOwner]) -> Vec<Cell> {
    let own_of = |entry: &Entry<'_>| entry.reach.own.as_ref().map(|(account, _)| *account);
    let mine = shown(group.entries.iter().filter_map(|entry| {
        let own = own_of(entry)?;
        members.iter().find(|member| member.account == own).map(|member| (*entry, *member))
    }));
    let theirs = shown(group.entries.iter().filter_map(|entry| {
        let own = own_of(entry);
        members.iter().find(|member| Some(member.account) != own).map(|member| (*entry, *member))
    }));
    let is_same = |(entry, member): (&Entry<'_>, &LogOwner)| {
        group.own.is_none_or(|own| own == group.named.get(&member.account).copied().unwrap_or(group.default))
            || own_of(entry).is_none()
    };
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if !is_same(theirs) => {
            vec![cell(ground, roads, mine, Scope::Own), cell(ground, roads, theirs, Scope::Others)]
        }
        (_, Some(one)) | (Some(one), None) => vec![cell(ground, roads, one, Scope::All)],
        (None, None) => Vec::new(),
    }
}

/// The reader that is shown for all: the first of those whose answers hang on the most, as what could take away the access of
/// one (of a member, and not of the management account) must not go unsaid for the others.
fn shown<'r, 'e, 'g>(
    all: impl Iterator<Item = (&'r Entry<'e>, &'g LogOwner)>,
) -> Option<(&'r Entry<'e>, &'g LogOwner)> {
    all.min_by_key(|(entry, member)| {
        let hangs_on = entry.reach.of(member.account).all().map(|access| access.depends_on.len());
        std::cmp::Reverse(hangs_on.sum::<usize>())
    })
}

/// What one reader can do with the logs of one account, with what stops the rest.
fn cell<'e>(
    ground: &Ground<'e>,
    roads: &Roads<'_, 'e>,
    (entry, column): (&Entry<'e>, &LogOwner),
    scope: Scope,
) -> Cell {
    let seen: &Arc<Seen> = entry.reach.of(column.account);
    let share = Share::of(ground, entry);
    let known = (!column.stands_for_all).then_some(column.account);
    let is_encrypted = match &ground.lock {
        Lock::None => Some(false),
        Lock::Key(_) => Some(true),
        Lock::Unknown(_) => None,
    };
    let mut abilities: Vec<Ability> = Ability::ALL.to_vec();
    if is_encrypted == Some(false) {
        abilities.retain(|ability| *ability != Ability::Decrypt);
    }
    if entry.delivers(ground) {
        // It never asks for anything else.
        abilities.retain(|ability| *ability == Ability::Write);
    }
    let refused = abilities.into_iter().filter(|ability| seen.access(*ability).is_none());
    let can_not = refused.map(|ability| roads.refusal(entry, column, ability)).collect();
    Cell { scope, can: seen.all().cloned().collect(), can_not, is_encrypted, fit: share.fit(ground, seen, known) }
}

/// Who can assume a role that stands alone in its row.
fn note(ground: &Ground<'_>, group: &Group<'_, '_>) -> Option<String> {
    let [entry] = group.entries.as_slice() else { return None };
    if entry.admitted.is_empty() {
        return None;
    }
    let named: Vec<String> = entry
        .admitted
        .iter()
        .map(|account| account.map_or_else(|| "any account".to_owned(), |account| ground.model.label(account)))
        .collect();
    let (first, more) = (named.iter().take(3).cloned().collect::<Vec<_>>().join(", "), named.len().saturating_sub(3));
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Some(format!("can be assumed from {first}{more}"))
}

/// What people should know of how the matrix came about.
fn notes(ground: &Ground<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if ground.columns.iter().any(|column| column.stands_for_all) {
        notes.push("no input tells whose logs the bucket holds: one column stands for all".to_owned());
    }
    notes
}
