//! Whether a reader can read logs, by what the access engine found: known facts let it through, or it hangs on something.

use crate::access::reach::{LogReach, Reached};
use crate::access::search::can_arrange;
use crate::aws::{AccountId, ConditionKey};
use crate::estate::Gap;
use crate::finding::matrix::{Ability, Access, Certainty};
use crate::finding::{Dependency, Step, StepEffect};
use crate::text::Span;

/// How a reader stands to logs.
#[derive(Debug, Clone)]
pub(in crate::rules) enum Standing<'c> {
    /// It is refused.
    Refused,
    /// Facts that no input tells could let it through.
    Open(Vec<&'c str>),
    /// It gets through.
    Through(Through<'c>),
}

/// A request that gets through.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Through<'c> {
    /// How.
    pub(in crate::rules) access: &'c Access,
    /// How the request to S3 gets through, where a Decrypt call is behind it.
    pub(in crate::rules) first: &'c Access,
    /// Keys that the caller can not arrange and that it hangs on; none where it is certain.
    pub(in crate::rules) only_if: Vec<String>,
    /// Facts that were not collected and could only take it away.
    pub(in crate::rules) unless: Vec<String>,
}

impl Through<'_> {
    /// Whether the known facts let it through.
    pub(in crate::rules) fn is_certain(&self) -> bool {
        self.only_if.is_empty()
    }

    /// What to say behind the message of a finding.
    pub(in crate::rules) fn condition(&self) -> String {
        let keys: Vec<String> = self.only_if.iter().map(|key| format!("`{key}`")).collect();
        let fit = if keys.len() == 1 { "fits" } else { "fit" };
        match keys.is_empty() {
            true => String::new(),
            false => format!(" if {} {fit}", super::words::list(&keys, keys.len())),
        }
    }

    /// All that it hangs on.
    pub(in crate::rules) fn depends_on(&self) -> impl Iterator<Item = String> + '_ {
        self.only_if.iter().chain(&self.unless).cloned()
    }
}

/// How a reader stands to reading the logs of an account, contents and all; `None` for those not told apart.
pub(in crate::rules) fn reads<'c>(
    reach: &LogReach,
    reader: &'c Reached,
    logs_of: Option<AccountId>,
    with_roles: bool,
) -> Standing<'c> {
    let is_own = reader.account.is_some() && reader.account == reach.owner;
    let get = standing(reader.access(logs_of, Ability::Get, with_roles), is_own);
    let Standing::Through(fetches) = &get else { return get };
    if reach.is_encrypted == Some(false) {
        return get;
    }
    match standing(reader.access(logs_of, Ability::Decrypt, with_roles), is_own) {
        // Nothing says that there is a key at all.
        Standing::Refused if reach.is_encrypted.is_none() => get,
        Standing::Through(mut decrypts) => {
            decrypts.first = fetches.access;
            decrypts.unless.extend(fetches.unless.iter().cloned());
            decrypts.only_if.extend(fetches.only_if.iter().cloned());
            for list in [&mut decrypts.unless, &mut decrypts.only_if] {
                list.sort_unstable();
                list.dedup();
            }
            Standing::Through(decrypts)
        }
        other => other,
    }
}

/// How a reader stands to another ability on the logs of an account; `None` for those not told apart.
pub(in crate::rules) fn has<'c>(
    reach: &LogReach,
    reader: &'c Reached,
    logs_of: Option<AccountId>,
    ability: Ability,
    with_roles: bool,
) -> Standing<'c> {
    let is_own = reader.account.is_some() && reader.account == reach.owner;
    standing(reader.access(logs_of, ability, with_roles), is_own)
}

/// What an answer of the engine comes to; `is_own` says that reader and bucket are of one account.
pub(in crate::rules) fn standing(access: Option<&Access>, is_own: bool) -> Standing<'_> {
    let Some(access) = access else { return Standing::Refused };
    let (facts, keys): (Vec<&Dependency>, Vec<&Dependency>) = access.depends_on.iter().partition(|on| on.is_fact());
    let texts = |of: &[&Dependency]| of.iter().map(|on| on.to_string()).collect::<Vec<_>>();
    if access.certainty == Certainty::Unknown {
        // Where the reader's own policies are enough the bucket policy could only deny.
        let allows = |step: &Step| step.effect == StepEffect::Allows && step.span.is_some();
        let is_enough = is_own && access.path.last().is_some_and(|hop| hop.steps.iter().any(allows));
        let is_spare = |fact: &&str| is_enough && fact.starts_with("the policy of bucket ");
        let open = facts.iter().map(|fact| fact.text()).filter(|fact| may_allow(fact) && !is_spare(fact));
        let open: Vec<&str> = open.collect();
        if !open.is_empty() {
            return Standing::Open(open);
        }
    }
    let only_if: Vec<String> = match access.certainty {
        Certainty::Certain => Vec::new(),
        _ => texts(&keys),
    };
    // What callers arrange would have been arranged.
    if only_if.iter().any(|key| can_arrange(&ConditionKey::new(key))) {
        return Standing::Open(vec!["a condition that can not be decided"]);
    }
    if access.certainty == Certainty::Conditional && only_if.is_empty() {
        return Standing::Open(vec!["what a policy variable stands for"]);
    }
    Standing::Through(Through { access, first: access, only_if, unless: texts(&facts) })
}

/// Whether a fact that no input tells could let somebody through; the others could only take access away.
fn may_allow(fact: &str) -> bool {
    const TAKE_AWAY: [&str; 19] = [
        "the policy of key ",
        "the policy of the AWS managed key",
        "what the logs are encrypted with",
        "which trail delivered the object",
        "the key of the trail that delivered the object",
        "whether log files are under the bucket's default key",
        "who owns the object",
        "the object ownership ",
        "whether the bucket policy is public",
        "whether `RestrictPublicBuckets`",
        "block public access ",
        "the block public access settings ",
        "the encryption settings ",
        "the state ",
        "the service control policies ",
        "the resource control policies ",
        "the permissions boundary",
        "permissions boundary of ",
        "the text of permissions boundary ",
    ];
    !TAKE_AWAY.iter().any(|start| fact.starts_with(start))
}

/// The gap that a fact leaves which could let somebody through.
pub(in crate::rules) fn gap(fact: &str, place: Span) -> Gap {
    const NAMES: [(&str, &str); 8] = [
        ("the policy of bucket ", "bucket.policy"),
        ("the account that owns the resource", "bucket.account"),
        ("the account that owns the key", "key.account"),
        ("the grants of the key", "key.grants"),
        ("whom a grant is made to", "key.grants"),
        ("the constraints of a grant", "key.grants"),
        ("the account of a canonical ID", "bucket.acl"),
        ("the ACL of ", "bucket.acl"),
    ];
    if let Some((name, reason)) = fact.split_once(": ").filter(|(name, _)| name.contains('.') && !name.contains(' ')) {
        return Gap::new(name.to_owned(), reason.to_owned()).at([place]);
    }
    let known = NAMES.iter().find(|(start, _)| fact.starts_with(start));
    match known {
        Some((_, name)) => Gap::new(*name, format!("not known, and it could let someone in: {fact}")).at([place]),
        None => Gap::new("bucket.policy", format!("access hangs on {fact}")).at([place]),
    }
}
