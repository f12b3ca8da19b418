//! Entries that can not both be meant.

use std::collections::BTreeMap;

use super::Config;
use super::error::{ConfigError, quoted};
use super::fields::Mistakes;
use super::sharing::ThirdParty;
use super::suggestion::closest;
use crate::aws::AccountId;
use crate::text::{Span, Spanned};

/// Notes every collision in a file whose values are sound by themselves.
pub(super) fn check(config: &Config, mistakes: &Mistakes<'_>) {
    // An entry with a mistake is left out, so a bucket that seems not to be declared may be one of those.
    if mistakes.is_empty() {
        undeclared_buckets(config, mistakes);
    }
    log_buckets(config, mistakes);
    readers(config, mistakes);
    third_parties(config, mistakes);
    files(config, mistakes);
    let members: Vec<_> = config.organization.iter().flat_map(|o| o.known_accounts()).collect();
    third_parties_among(&config.third_parties, &members).into_iter().for_each(|error| mistakes.add(error));
}

pub(super) fn third_parties_among(parties: &[ThirdParty], members: &[Spanned<AccountId>]) -> Vec<ConfigError> {
    let mut places: BTreeMap<AccountId, Span> = BTreeMap::new();
    for member in members {
        places.entry(member.value).or_insert(member.span);
    }
    let both = parties.iter().filter_map(|party| Some((party.account, *places.get(&party.account.value)?)));
    both.map(|(account, member)| {
        let message = format!("{} is both a member and a third party", quoted(account.as_str()));
        ConfigError::at(account.span, message)
            .with_related(member, "a member of the organization by this")
            .with_help("a member that may read more than its own logs is a `[[reader]]`")
    })
    .collect()
}

fn log_buckets(config: &Config, mistakes: &Mistakes<'_>) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    for bucket in &config.log_buckets {
        twice(&mut names, &bucket.name.value, bucket.name.span, mistakes, || {
            format!("log bucket {} is declared twice", quoted(&bucket.name))
        });
    }
}

fn readers(config: &Config, mistakes: &Mistakes<'_>) {
    let mut scopes = BTreeMap::new();
    for reader in &config.readers {
        let scope = (reader.account.value, reader.bucket.as_ref().map(|b| b.value.as_str()));
        twice(&mut scopes, scope, reader.account.span, mistakes, || declared_twice("reader", scope));
    }
}

fn third_parties(config: &Config, mistakes: &Mistakes<'_>) {
    let readers: BTreeMap<AccountId, Span> = config.readers.iter().map(|r| (r.account.value, r.account.span)).collect();
    let mut scopes = BTreeMap::new();
    let mut parties: BTreeMap<AccountId, &ThirdParty> = BTreeMap::new();
    for party in &config.third_parties {
        let account = party.account;
        let scope = (account.value, party.bucket.as_ref().map(|b| b.value.as_str()));
        twice(&mut scopes, scope, account.span, mistakes, || declared_twice("third party", scope));
        if let Some(reader) = readers.get(&account.value) {
            let (first, second) = in_order(*reader, account.span);
            let message = format!("{} is both a reader and a third party", quoted(account.as_str()));
            let error = ConfigError::at(second, message).with_related(first, "first declared here");
            mistakes.add(
                error.with_help("a member is a `[[reader]]`, an account outside the organization a `[[third-party]]`"),
            );
        }
        let first = *parties.entry(account.value).or_insert(party);
        if first.needs_external_id() != party.needs_external_id() {
            let place = |party: &ThirdParty| party.external_id_required.map_or(party.account.span, |e| e.span);
            let message = format!("{} is said both to need an external ID and to need none", quoted(account.as_str()));
            let error = ConfigError::at(place(party), message).with_related(place(first), "first said here");
            mistakes.add(
                error.with_help("`external-id-required` is true where it is left out; say the same in each entry"),
            );
        }
    }
}

fn files(config: &Config, mistakes: &Mistakes<'_>) {
    let mut paths = BTreeMap::new();
    for entry in &config.files {
        let path = &entry.path;
        twice(&mut paths, path.components(), path.span, mistakes, || {
            format!("{} is described twice", quoted(path.as_str()))
        });
    }
}

/// Buckets that an entry is about and that the file does not declare, once it declares any.
fn undeclared_buckets(config: &Config, mistakes: &Mistakes<'_>) {
    let declared: Vec<&str> = config.log_buckets.iter().map(|b| b.name.value.as_str()).collect();
    if declared.is_empty() {
        return;
    }
    let readers = config.readers.iter().filter_map(|r| r.bucket.as_ref());
    let parties = config.third_parties.iter().filter_map(|p| p.bucket.as_ref());
    for bucket in readers.chain(parties).filter(|bucket| !declared.contains(&bucket.value.as_str())) {
        let error = ConfigError::at(bucket.span, format!("no `[[log-bucket]]` is called {}", quoted(bucket)));
        mistakes.add(match closest(bucket, &declared) {
            Some(near) => error.with_help(format!("did you mean {}?", quoted(near))),
            None => error.with_help("declare it, or leave `bucket` out for every log bucket"),
        });
    }
}

fn declared_twice(what: &str, (account, bucket): (AccountId, Option<&str>)) -> String {
    let account = quoted(account.as_str());
    match bucket {
        Some(bucket) => format!("{what} {account} is declared twice for bucket {}", quoted(bucket)),
        None => format!("{what} {account} is declared twice for all buckets"),
    }
}

fn twice<K: Ord>(
    seen: &mut BTreeMap<K, Span>,
    key: K,
    at: Span,
    mistakes: &Mistakes<'_>,
    message: impl Fn() -> String,
) {
    match seen.get(&key) {
        Some(first) => mistakes.add(ConfigError::at(at, message()).with_related(*first, "first given here")),
        None => {
            seen.insert(key, at);
        }
    }
}

fn in_order(one: Span, other: Span) -> (Span, Span) {
    if one.start <= other.start { (one, other) } else { (other, one) }
}
