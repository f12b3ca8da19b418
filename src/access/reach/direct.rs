//! What a reader can do by itself, without assuming a role.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ask::Case;
use super::ground::{Ground, LogOwner};
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
    let mut classes: BTreeMap<Signature, Vec<&LogOwner>> = BTreeMap::new();
    for column in told_apart(ground, &mentions).into_iter().filter(|column| is_other(column)) {
        classes.entry(mentions.signature(column.account)).or_default().push(column);
    }
    let others = ground.columns.iter().find(|column| is_other(column) && !mentions.names(column.account));
    let mut ask = |column: &LogOwner| Arc::new(seen(&mut cases, reader, column));
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
        false => mentions.accounts().filter_map(|account| ground.column(Some(account))).collect(),
    }
}

/// What a reader can do with the logs of one account.
fn seen(cases: &mut [Case<'_>], reader: &Reader<'_>, column: &LogOwner) -> Seen {
    let mut seen = Seen::default();
    let who = &reader.party.label;
    let place = |arn: &str| format!("s3://{}", arn.splitn(6, ':').nth(5).unwrap_or(arn));
    let fetches = |arn: &str| format!("{who} fetches {}", place(arn));
    for case in cases.iter_mut() {
        case.begin();
        let read = case.read(column);
        let object = read.get.as_ref().and_then(|hit| hit.found.as_ref()).map(|found| found.witness.resource.clone());
        seen.add_hit(Ability::Get, read.get, &fetches);
        let decrypts = |key: &str| match &object {
            Some(object) => format!("{who} fetches {}, and S3 has it decrypted under {key}", place(object)),
            None => fetches(key),
        };
        seen.add_hit(Ability::Decrypt, read.decrypt, &decrypts);
        seen.add_hit(Ability::List, case.list(column), &|arn| {
            let first = column.prefixes.first().map_or("", String::as_str);
            format!("{who} lists {}/{first}", place(arn))
        });
        seen.add_hit(Ability::Write, case.write(column), &|arn| format!("{who} writes {}", place(arn)));
    }
    seen
}
