//! What a reader can do by itself, without assuming a role.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ask::Case;
use super::columns::LogOwner;
use super::ground::Ground;
use super::mentions::{Mentions, Signature};
use super::reader::Reader;
use super::seen::{Reach, Seen};
use crate::access::lock::Lock;
use crate::aws::AccountId;
use crate::finding::matrix::Ability;

/// What a reader can do by itself with the logs of each account.
///
/// Accounts that no statement which can matter to this reader tells apart are asked about once.
pub(super) fn reach(ground: &Ground<'_>, reader: &Reader<'_>) -> Reach {
    let own = ground.column(reader.own_logs());
    let mut cases: Vec<Case<'_>> = reader.faces.iter().map(|face| Case::new(ground, face)).collect();
    if !cases.iter().any(Case::may_do_anything) {
        return Reach::nothing(own.map(|own| own.account));
    }
    let mut mentions = Mentions::default();
    for (place, statement) in cases.iter().flat_map(Case::statements).enumerate() {
        mentions.read_objects(place, statement);
    }
    if let Lock::Key(key) = &ground.lock {
        let policies = key.policy.iter().chain(&key.rcp);
        for (place, statement) in policies.flat_map(|policy| policy.effective()).enumerate() {
            mentions.read_objects(usize::MAX / 2 + place, statement);
        }
    }
    let is_other = |column: &LogOwner| own.is_none_or(|own| own.account != column.account);
    let mut classes: BTreeMap<(Signature, Option<AccountId>), Vec<&LogOwner>> = BTreeMap::new();
    for column in told_apart(ground, &mentions).into_iter().filter(|column| is_other(column)) {
        let alone = ground.is_apart(&ground.party(column.account)).then_some(column.account);
        classes.entry((mentions.signature(column.account), alone)).or_default().push(column);
    }
    let others = ground.columns.iter().find(|column| is_other(column) && !mentions.names(column.account));
    let mut work = ground.allowance;
    let mut ask = |column: &LogOwner| Arc::new(seen(ground, &mut cases, reader, column, &mut work));
    let mut named: BTreeMap<AccountId, Arc<Seen>> = BTreeMap::new();
    for columns in classes.into_values() {
        if let Some(first) = columns.first() {
            let answer = ask(first);
            named.extend(columns.iter().map(|column| (column.account, Arc::clone(&answer))));
        }
    }
    Reach {
        own: own.map(|own| (own.account, ask(own))),
        named: Arc::new(named),
        default: others.map(ask).unwrap_or_default(),
    }
}

/// The columns of the accounts that texts may tell apart from those that nothing names.
fn told_apart<'g>(ground: &'g Ground<'_>, mentions: &Mentions) -> Vec<&'g LogOwner> {
    match mentions.names_by_parts() {
        true => ground.columns.iter().collect(),
        false => {
            let mut accounts: BTreeSet<AccountId> = mentions.accounts().collect();
            accounts.extend(ground.apart());
            accounts.into_iter().filter_map(|account| ground.column(Some(account))).collect()
        }
    }
}

/// What a reader can do with the logs of one account.
fn seen(ground: &Ground<'_>, cases: &mut [Case<'_>], reader: &Reader<'_>, column: &LogOwner, work: &mut usize) -> Seen {
    let mut seen = Seen::default();
    let who = &reader.party.label;
    let of = match column.stands_for_all {
        true => String::new(),
        false => format!(" of {}", ground.party(column.account).label),
    };
    let fetches = format!("{who} fetches a log file{of}");
    for case in cases.iter_mut() {
        case.work = *work;
        let read = case.read(column);
        let object = read.get.as_ref().and_then(|hit| hit.found.as_ref()).map(|found| found.witness.resource.clone());
        let key = read.decrypt.as_ref().and_then(|hit| hit.found.as_ref()).map(|found| found.witness.resource.as_str());
        let decrypts = match key.filter(|key| key.contains(":kms:")) {
            Some(key) => format!("{fetches}, which S3 decrypts with {key} for whoever may use it"),
            None => fetches.clone(),
        };
        seen.add_hit(Ability::Get, read.get, &fetches, None);
        seen.add_hit(Ability::Decrypt, read.decrypt, &decrypts, object.as_deref());
        seen.add_hit(Ability::List, case.list(column), &format!("{who} lists the log files{of}"), None);
        seen.add_hit(Ability::Write, case.write(column), &format!("{who} writes a log file{of}"), None);
        *work = case.work;
    }
    seen
}
