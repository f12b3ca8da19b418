//! Which accounts the texts of policies tell apart.
//!
//! Two accounts that no text tells apart get the same answers, so that one of them is asked about for all. A text tells an
//! account apart from others only by digits: by its whole ID, or by some digits beside a wildcard.

use std::collections::BTreeMap;

use super::ground::Ground;
use crate::access::lock::Lock;
use crate::aws::{AccountId, Arn};
use crate::estate::Grantee;
use crate::policy::Statement;

/// What texts say of accounts.
#[derive(Debug, Default, Clone)]
pub(super) struct Mentions {
    /// The texts that name an account by its whole ID: where they stand, and what they say with the ID left out.
    named: BTreeMap<AccountId, Vec<(usize, String)>>,
    /// Digits beside a wildcard: accounts are told apart by where these stand in their IDs.
    fragments: Vec<Fragment>,
}

/// Some digits of an account ID.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fragment {
    digits: String,
    /// Whether the ID begins with them, as a separator stands before.
    begins: bool,
    /// Whether the ID ends with them.
    ends: bool,
}

/// What tells an account apart: accounts with the same answers have the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Signature {
    named: Vec<(usize, String)>,
    places: Vec<u16>,
}

impl Mentions {
    /// All that the policies of bucket and key, those of the organization, ACLs and grants say of accounts.
    pub(super) fn of(ground: &Ground<'_>) -> Self {
        let mut mentions = Mentions::default();
        let mut place = 0;
        let policies = ground.all_policies().chain(ground.organization.all_scp());
        for statement in policies.flat_map(|policy| policy.effective()) {
            mentions.read_whole(place, statement);
            place += 2 + statement.conditions.len() + 1;
        }
        for grant in ground.acl() {
            if let Grantee::CanonicalUser(id) = &grant.grantee
                && let Some(account) = ground.model.account_of_canonical_id(id)
            {
                mentions.name(place, account);
            }
            place += 1;
        }
        if let Lock::Key(key) = &ground.lock {
            for grant in key.facts.grants.iter().copied().flatten() {
                let grantee = grant.grantee.as_ref().and_then(|grantee| Arn::parse(&grantee.value));
                if let Some(account) = grantee.and_then(|arn| arn.account_id()) {
                    mentions.name(place, account);
                }
                place += 1;
            }
            if let Some(account) = key.account {
                mentions.name(place, account);
            }
        }
        mentions
    }

    /// Reads one text; texts with the same `place` are of one list, whose order means nothing.
    pub(super) fn read(&mut self, place: usize, text: &str) {
        for run in runs(text) {
            let open = |end: Option<char>| matches!(end, None | Some('*' | '?'));
            let (left, right) = (run.before, run.behind);
            let bound = |end: Option<char>| open(end) || matches!(end, Some('/' | ':' | '"'));
            match run.digits.len() {
                12 if bound(left) && bound(right) => {
                    if let Some(account) = AccountId::parse(run.digits) {
                        let rest = format!("{}#{}", run.head, run.tail);
                        self.named.entry(account).or_default().push((place, rest));
                    }
                }
                1..12 if bound(left) && bound(right) && (open(left) || open(right)) => {
                    let (begins, ends) = (left.is_some() && !open(left), right.is_some() && !open(right));
                    let fragment = Fragment { digits: run.digits.to_owned(), begins, ends };
                    if !self.fragments.contains(&fragment) {
                        self.fragments.push(fragment);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads what a statement says of resources, and of the keys of S3 and KMS that hold paths.
    pub(super) fn read_objects(&mut self, place: usize, statement: &Statement) {
        for item in statement.resources.iter().flat_map(|resources| &resources.items) {
            self.read(place, item.raw());
        }
        for clause in &statement.conditions {
            if ["s3:", "kms:encryptioncontext"].iter().any(|start| clause.key.starts_with(start)) {
                clause.values.iter().for_each(|value| self.read(place, value.template.raw()));
            }
        }
    }

    /// Reads all that a statement says: of its principals too.
    pub(super) fn read_whole(&mut self, place: usize, statement: &Statement) {
        for entry in statement.principals.iter().flat_map(|principals| &principals.entries) {
            self.read(place, &entry.principal.normal_form());
        }
        for item in statement.resources.iter().flat_map(|resources| &resources.items) {
            self.read(place + 1, item.raw());
        }
        for (number, clause) in statement.conditions.iter().enumerate() {
            clause.values.iter().for_each(|value| self.read(place + 2 + number, value.template.raw()));
        }
    }

    /// Names an account in a place.
    pub(super) fn name(&mut self, place: usize, account: AccountId) {
        self.named.entry(account).or_default().push((place, String::new()));
    }

    /// The accounts that are named by their whole ID.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.named.keys().copied()
    }

    /// Whether any account may be told apart by some of its digits.
    pub(super) fn names_by_parts(&self) -> bool {
        !self.fragments.is_empty()
    }

    /// Whether an account may be told apart from those that nothing names.
    pub(super) fn names(&self, account: AccountId) -> bool {
        !self.fragments.is_empty() || self.named.contains_key(&account)
    }

    /// What tells an account apart.
    pub(super) fn signature(&self, account: AccountId) -> Signature {
        let mut named = self.named.get(&account).cloned().unwrap_or_default();
        named.sort_unstable();
        named.dedup();
        let id = account.as_str();
        let places = |fragment: &Fragment| {
            let at = |start: usize| {
                id.get(start..).is_some_and(|rest| rest.starts_with(&fragment.digits))
                    && (!fragment.begins || start == 0)
                    && (!fragment.ends || start + fragment.digits.len() == 12)
            };
            (0..12).filter(|start| at(*start)).fold(0u16, |bits, start| bits | 1 << start)
        };
        Signature { named, places: self.fragments.iter().map(places).collect() }
    }
}

/// A run of digits in a text.
struct Run<'t> {
    head: &'t str,
    digits: &'t str,
    tail: &'t str,
    before: Option<char>,
    behind: Option<char>,
}

/// The runs of digits of a text; a variable counts as a wildcard.
fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let start = from + rest.find(|c: char| c.is_ascii_digit())?;
        let length = text.get(start..)?.find(|c: char| !c.is_ascii_digit());
        let end = length.map_or(text.len(), |length| start + length);
        from = end;
        let (head, tail) = (text.get(..start)?, text.get(end..)?);
        let before = head.chars().next_back().map(|c| if c == '}' { '*' } else { c });
        let behind = tail.chars().next().map(|c| if c == '$' { '*' } else { c });
        Some(Run { head, digits: text.get(start..end)?, tail, before, behind })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str) -> AccountId {
        AccountId::parse(id).unwrap()
    }

    fn tells_apart(texts: &[&str], one: &str, other: &str) -> bool {
        let mut mentions = Mentions::default();
        for (place, text) in texts.iter().enumerate() {
            mentions.read(place, text);
        }
        mentions.signature(account(one)) != mentions.signature(account(other))
    }

    #[test]
    fn whole_ids_and_digits_beside_wildcards_tell_accounts_apart() {
        let (one, other) = ("222222222222", "233333333333");
        for text in [
            "arn:aws:s3:::logs/AWSLogs/222222222222/*",
            "arn:aws:s3:::logs/AWSLogs/*222222222222*",
            "arn:aws:s3:::logs/AWSLogs/22*",
            "arn:aws:s3:::logs/AWSLogs/*2/*",
            "arn:aws:s3:::logs/AWSLogs/?2??????????/*",
            "AWSLogs/22",
        ] {
            assert!(tells_apart(&[text], one, other), "{text}");
        }
        for text in [
            "arn:aws:s3:::logs/AWSLogs/*",
            "arn:aws:s3:::logs-2/AWSLogs/o-2exampleorg/*",
            "arn:aws:s3:::logs/AWSLogs/*/CloudTrail/us-east-1/2022/*",
            "arn:aws:s3:::logs-222222222222-x/*",
            "arn:aws:s3:::logs/AWSLogs/${aws:PrincipalAccount}/*",
            "arn:aws:s3:::logs/AWSLogs/2*",
        ] {
            assert!(!tells_apart(&[text], one, other), "{text}");
        }
    }

    #[test]
    fn accounts_of_one_list_are_alike_and_those_of_two_are_not() {
        let mut mentions = Mentions::default();
        mentions.read(0, "arn:aws:iam::222222222222:root");
        mentions.read(0, "arn:aws:iam::333333333333:root");
        mentions.read(1, "arn:aws:iam::444444444444:root");
        let signature = |id| mentions.signature(account(id));
        assert_eq!(signature("222222222222"), signature("333333333333"));
        assert_ne!(signature("222222222222"), signature("444444444444"));
        assert!(mentions.names(account("222222222222")) && !mentions.names(account("555555555555")));
    }
}
