//! What is asked for: actions and resources of a statement, as few as its policy tells apart.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use compact_str::CompactString;

use super::{Requests, Scene};
use crate::access::request::{Caller, Request};
use crate::access::search::{STRANGER, fill};
use crate::aws::ActionName;
use crate::aws::services::{self, Applies};
use crate::policy::condition::Context;
use crate::policy::pattern::{self};
use crate::policy::template::{Match, Template};
use crate::policy::{Clause, Effect, Entries, Statement};

/// How many resources are not worth telling apart.
const FEW: usize = 4;

/// The names tried first, so that a proof shows what matters most.
const FIRST: [&str; 6] =
    ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"];

impl Scene<'_> {
    /// For each resource that the statement may mean, one action of each set that the policies do not tell apart.
    pub(super) fn requests(&self, caller: &Caller) -> Requests {
        let base = Request::new(caller.clone(), "s3:GetObject", self.guarded.arn, Some(self.owner));
        let (of_bucket, of_objects) = (OnceCell::new(), OnceCell::new());
        let mut requests = Vec::new();
        for resource in self.resources(&base) {
            // Which actions work on a resource hangs on its kind.
            let known = if resource.contains('/') { &of_objects } else { &of_bucket };
            let actions: &Vec<String> = known.get_or_init(|| self.actions_told_apart(&resource));
            requests.extend(actions.iter().map(|action| (action.clone(), resource.clone())));
        }
        requests.sort_by_key(|(action, _)| rank(action));
        requests
    }

    /// One of each set of actions of the statement on the resource that the policies do not tell apart.
    fn actions_told_apart(&self, resource: &str) -> Vec<String> {
        let mut seen: Vec<(Vec<bool>, Vec<&str>)> = Vec::new();
        let mut actions = self.actions(resource);
        actions.retain(|action| {
            let denies = self.statements().filter(|statement| statement.effect == Effect::Deny);
            let denied = denies.map(|deny| deny.covers_action(action)).collect();
            let told_apart_by = (denied, lacking(&self.keys, action));
            let is_new = !seen.contains(&told_apart_by);
            if is_new {
                seen.push(told_apart_by);
            }
            is_new
        });
        actions
    }

    /// Resources that the statement takes in.
    fn resources(&self, base: &Request) -> Vec<CompactString> {
        if self.is_key() {
            return vec![self.guarded.arn.into()];
        }
        let mut resources = resources(self.statements(), self.guarded.arn, base);
        resources.retain(|resource| self.takes_in(resource, base));
        told_apart(resources, || self.statements(), base)
    }

    fn takes_in(&self, resource: &str, base: &Request) -> bool {
        self.statement.resources.as_ref().is_some_and(|resources| {
            let meets = |item: &Template| item.matches_arn(resource, &|variable| base.variable(variable));
            let mut met = resources.items.iter().map(|item| meets(item));
            met.any(|met| matches!(met, Match::Yes | Match::Unknown)) != resources.negated
        })
    }

    /// The actions of the statement that work on the resource, in the order of [`rank`].
    fn actions(&self, resource: &str) -> Vec<String> {
        let Some(entries) = &self.statement.actions else { return Vec::new() };
        let prefix = if self.is_key() { "kms" } else { "s3" };
        let known = services::service(prefix).into_iter().flat_map(services::Service::actions);
        let mut actions: Vec<String> = known
            // The ARN of a key whose account is not known is none of a key.
            .filter(|action| self.is_key() || action.applies_to(resource) != Applies::No)
            .map(ToString::to_string)
            .filter(|action| entries.covers_action(action) && (!self.is_key() || crosses_accounts(action)))
            .collect();
        // An action that is newer than the service data.
        let unknown = |item: &&str| {
            !pattern::has_wildcard(item) && ActionName::new(item).is_of(prefix) && services::action(item).is_none()
        };
        if !entries.negated && !self.is_key() {
            actions.extend(entries.items.iter().map(|item| item.raw()).filter(unknown).map(str::to_owned));
        }
        actions.sort_by_key(|action| rank(action));
        actions
    }
}

/// The bucket, and objects in it: one or two of each pattern in the statements, and one that none names.
///
/// `base` is a request of the caller that variables are filled for.
pub fn resources<'p>(
    statements: impl Iterator<Item = &'p Statement>,
    bucket: &str,
    base: &Request,
) -> Vec<CompactString> {
    let items = statements.filter_map(|s| s.resources.as_ref()).flat_map(|r| &r.items);
    let keys = items.flat_map(|item| [STRANGER, ""].map(|any| object_key(item, any, base)));
    let objects = keys.flatten().map(|key| CompactString::from(format!("{bucket}/{key}")));
    let mut out: Vec<CompactString> = Vec::new();
    for resource in objects.chain([CompactString::from(format!("{bucket}/{STRANGER}")), bucket.into()]) {
        if !out.contains(&resource) {
            out.push(resource);
        }
    }
    out
}

/// Of resources that no statement tells apart the first; all of them where that hangs on what the caller chooses.
pub fn told_apart<'p, I: Iterator<Item = &'p Statement>>(
    mut resources: Vec<CompactString>,
    statements: impl Fn() -> I,
    base: &Request,
) -> Vec<CompactString> {
    let elements: Vec<&Entries> = statements().filter_map(|statement| statement.resources.as_ref()).collect();
    let mut variables = elements.iter().flat_map(|entries| &entries.items).flat_map(|item| item.variables());
    if resources.len() <= FEW || variables.any(|variable| !variable.key.is("aws:PrincipalAccount")) {
        return resources;
    }
    let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
    resources.retain(|resource| {
        let meets = |item: &Template| item.matches_arn(resource, &|variable| base.variable(variable)) == Match::Yes;
        let met = elements.iter().map(|entries| entries.items.iter().any(|item| meets(item)));
        seen.insert(met.chain([resource.contains('/')]).collect())
    });
    resources
}

fn rank(action: &str) -> usize {
    FIRST.iter().position(|first| *first == action).unwrap_or(FIRST.len())
}

/// The keys of these comparisons that actions support or not, each once.
pub(super) fn keys_of_services<'p>(clauses: impl Iterator<Item = &'p Clause>) -> Vec<CompactString> {
    let keys: BTreeSet<&str> = clauses.map(|clause| clause.key.as_str()).collect();
    let documented = keys.into_iter().filter(|key| !services::is_global_key(key));
    documented.filter(|key| services::condition_key(key).is_some()).map(CompactString::from).collect()
}

/// Those among such keys that a request for `action` never carries.
pub(super) fn lacking<'p>(keys: &'p [CompactString], action: &str) -> Vec<&'p str> {
    let Some(action) = services::action(action) else { return Vec::new() };
    keys.iter().map(CompactString::as_str).filter(|key| !action.supports_key(key)).collect()
}

/// The key of an object that a `Resource` pattern takes in.
fn object_key(item: &Template, any: &str, base: &Request) -> Option<CompactString> {
    let filled = fill(item, any, "x", base);
    let (_, key) = filled.splitn(6, ':').nth(5)?.split_once('/')?;
    (!key.is_empty()).then(|| key.into())
}

/// Whether principals of another account can use an action on a key at all.
///
/// Source: KMS Developer Guide, "Allowing users in other accounts to use a KMS key".
fn crosses_accounts(action: &str) -> bool {
    const NAMES: [&str; 20] = [
        "CreateGrant",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    ];
    let name = ActionName::new(action);
    NAMES.iter().any(|known| name.name().eq_ignore_ascii_case(known))
}
