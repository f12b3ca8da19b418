//! What AWS says about its services: which actions there are, which resources each works on, and which condition keys it
//! puts into the request.
//!
//! The facts are the Service Authorization Reference, embedded as text and read at the first question. Only the services
//! that bear on CloudTrail logs are loaded; of the others the prefix alone is known. AWS adds actions every month: what is
//! not found here is *not known here*, never proven not to exist.

mod key;
mod resource;
mod table;

pub use key::{KeyInfo, KeyType, condition_key, is_global_key};
pub use resource::{Applies, ResourceType};

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

const SERVICES: &str = include_str!("tables/services.txt");
const PREFIXES: &str = include_str!("tables/prefixes.txt");

/// The month of the service data, as `2026-10`; reports carry it as `data_version`.
pub const DATA_VERSION: &str = month(SERVICES);

/// The table begins with `data YYYY-MM-DD`.
const fn month(table: &'static str) -> &'static str {
    table.split_at("data ".len()).1.split_at("YYYY-MM".len()).0
}

/// A loaded AWS service.
#[derive(Debug)]
pub struct Service {
    prefix: &'static str,
    keys: &'static [KeyInfo],
    resource_types: &'static [ResourceType],
    /// Ordered by name without regard to case.
    actions: Vec<Action>,
}

impl Service {
    /// The prefix of its actions and keys, as `s3`.
    #[must_use]
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// All actions, in alphabetical order.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The action of that name (without the prefix), in any case.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        let place = self.actions.binary_search_by(|action| order_ignoring_case(action.name, name)).ok()?;
        self.actions.get(place)
    }

    /// All types of resource that its actions take, among them those of other services (`sts:AssumeRole` takes an IAM role).
    #[must_use]
    pub fn resource_types(&self) -> &'static [ResourceType] {
        self.resource_types
    }

    /// The condition keys that the service puts into requests, without the global `aws:` keys.
    #[must_use]
    pub fn condition_keys(&self) -> &'static [KeyInfo] {
        self.keys
    }
}

/// An action of a loaded service. `Display` writes it as policies do: `s3:GetObject`.
#[derive(Debug)]
pub struct Action {
    /// The name without the prefix, in the case that AWS writes.
    pub name: &'static str,
    /// What AWS says the action does.
    pub access: Access,
    /// The types of resource it works on; empty for an action that only `*` can name.
    pub resource_types: Vec<ResourceUse>,
    service: &'static str,
    /// The words of the table's line: `:key`, `-:key` (a common key that this action lacks) and resource types.
    words: &'static str,
    /// The words of the keys that most actions of the service support.
    common: &'static str,
}

impl Action {
    /// The prefix of the service, as `s3`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Whether the action works on resources that a policy can name; if not, only `"Resource": "*"` covers it.
    #[must_use]
    pub fn takes_resource(&self) -> bool {
        !self.resource_types.is_empty()
    }

    /// Whether the action may work on any resource that `pattern`, an entry of a policy's `Resource`, covers.
    ///
    /// Wildcards count as IAM counts them (`*` also runs over `/`, neither jumps one of the first five colons), a policy
    /// variable `${…}` as any text. The account and Region of the pattern are not held against real ones.
    #[must_use]
    pub fn applies_to(&self, pattern: &str) -> Applies {
        if self.takes_resource() {
            resource::any_matches(self.resource_types.iter().map(|u| u.resource_type), pattern)
        } else {
            resource::none_matches(self.service, pattern)
        }
    }

    /// The condition keys that AWS documents for the action or for a resource type that it takes, each once, by name; global
    /// keys are among them only where AWS lists them (`aws:RequestTag/${TagKey}`).
    #[must_use]
    pub fn condition_keys(&self) -> Vec<&'static KeyInfo> {
        let mut keys: Vec<_> = self.key_words().filter_map(|word| key::of_word(self.service, word)).collect();
        keys.sort_unstable_by_key(|k| k.name);
        keys.dedup_by_key(|k| k.name);
        keys
    }

    /// Whether AWS documents the key, in any case, for the action or for a resource type that it takes.
    ///
    /// Global keys that AWS does not list with the action answer `false`: ask [`is_global_key`] first.
    #[must_use]
    pub fn supports_key(&self, key: &str) -> bool {
        self.key_words().any(|word| key::word_fits(self.service, word, key))
            || (self.name == "AssumeRoleWithWebIdentity" && key::is_oidc_claim(key))
    }

    fn key_words(&self) -> impl Iterator<Item = &'static str> {
        let own = self.words.split(' ').filter(|word| word.contains(':'));
        let lacks = own.clone().filter_map(|word| word.strip_prefix('-'));
        let common = self.common.split(' ').filter(move |word| !word.is_empty() && !lacks.clone().any(|l| l == *word));
        let of_types = self.resource_types.iter().flat_map(|used| used.resource_type.key_words());
        common.chain(own.filter(|word| !word.starts_with('-'))).chain(of_types)
    }

    /// `prefix:Name`, byte by byte.
    fn bytes(&self) -> impl Iterator<Item = u8> + Clone + use<> {
        self.service.bytes().chain(std::iter::once(b':')).chain(self.name.bytes())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

/// A type of resource that an action takes.
#[derive(Debug, Clone, Copy)]
pub struct ResourceUse {
    /// The type.
    pub resource_type: &'static ResourceType,
    /// Whether each request names a resource of the type (marked `*` by AWS), or of this or another type.
    pub required: bool,
}

/// What an action does, by the access levels of the Service Authorization Reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Lists resources, without their contents.
    List,
    /// Reads contents or attributes.
    Read,
    /// Changes tags only.
    Tagging,
    /// Creates, changes or deletes; cryptographic operations as `kms:Decrypt` are here too.
    Write,
    /// Grants or changes permissions.
    PermissionsManagement,
}

/// All loaded services, in alphabetical order.
#[must_use]
pub fn services() -> &'static [Service] {
    static TABLE: OnceLock<Vec<Service>> = OnceLock::new();
    TABLE.get_or_init(|| table::parse(SERVICES))
}

/// The loaded service of that prefix, in any case.
#[must_use]
pub fn service(prefix: &str) -> Option<&'static Service> {
    services().iter().find(|service| service.prefix.eq_ignore_ascii_case(prefix))
}

/// The loaded action of that full name, as `s3:GetObject`, in any case.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    let (prefix, name) = name.split_once(':')?;
    service(prefix)?.action(name)
}

/// Whether the prefix, in any case, is one of an AWS service, loaded or not.
#[must_use]
pub fn is_known_prefix(prefix: &str) -> bool {
    prefixes().binary_search_by(|known| order_ignoring_case(known, prefix)).is_ok()
}

/// The actions of loaded services that an entry of a policy's `Action` covers, by service and name.
///
/// `*` and `?` may stand anywhere and case does not count. Ask [`coverage`] whether these are all.
pub fn expand(pattern: &str) -> impl Iterator<Item = &'static Action> {
    let exact = !pattern.contains(['*', '?']);
    let prefix = pattern.split_once(':').map(|(prefix, _)| prefix).filter(|prefix| !prefix.contains(['*', '?']));
    let in_question = move |s: &&Service| !exact && prefix.is_none_or(|prefix| s.prefix.eq_ignore_ascii_case(prefix));
    let covered = move |a: &&Action| wildcard_matches(pattern, a.bytes());
    let one = if exact { action(pattern) } else { None };
    one.into_iter().chain(services().iter().filter(in_question).flat_map(|s| &s.actions).filter(covered))
}

/// How much of what an action pattern covers is in the loaded table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Every service it can name is loaded.
    Full,
    /// Some services it can name are loaded, others are not.
    Partial,
    /// It names AWS services, none of them loaded.
    NotLoaded,
    /// It names no service that AWS had at the time of the data.
    UnknownService,
}

/// Tells whether [`expand`] can give a full answer for the pattern.
#[must_use]
pub fn coverage(pattern: &str) -> Coverage {
    let prefix = match (pattern.split_once(':'), pattern.split_inclusive('*').next()) {
        (Some((prefix, _)), _) => prefix,
        (None, Some(beginning)) if beginning.ends_with('*') => beginning,
        (None, _) => return Coverage::UnknownService,
    };
    let mut named = prefixes().iter().filter(|known| wildcard_matches(prefix, known.bytes())).peekable();
    if named.peek().is_none() {
        return Coverage::UnknownService;
    }
    let (mut loaded, mut not_loaded) = (false, false);
    for known in named {
        match service(known) {
            Some(_) => loaded = true,
            None => not_loaded = true,
        }
    }
    match (loaded, not_loaded) {
        (true, false) => Coverage::Full,
        (true, true) => Coverage::Partial,
        (false, _) => Coverage::NotLoaded,
    }
}

fn prefixes() -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<&str>> = OnceLock::new();
    TABLE.get_or_init(|| PREFIXES.lines().filter(|line| !line.starts_with('#')).collect())
}

fn order_ignoring_case(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Whether the pattern (`*` any run, `?` one byte) covers the text, without regard to case.
fn wildcard_matches(pattern: &str, mut text: impl Iterator<Item = u8> + Clone) -> bool {
    let mut pattern = pattern.bytes();
    // Where to go on when the text after the last `*` did not fit: one byte further.
    let mut retry = None;
    loop {
        let mut rest = (pattern.clone(), text.clone());
        match (rest.0.next(), rest.1.next()) {
            (Some(b'*'), _) => {
                retry = Some((rest.0.clone(), text.clone()));
                pattern = rest.0;
                continue;
            }
            (Some(p), Some(t)) if p == b'?' || p.eq_ignore_ascii_case(&t) => {
                (pattern, text) = rest;
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((after_star, skipped)) = &mut retry else { return false };
        if skipped.next().is_none() {
            return false;
        }
        (pattern, text) = (after_star.clone(), skipped.clone());
    }
}

#[cfg(test)]
mod tests;
