//! Whether a statement that names everyone lets in someone whom its author did not mean: an unsigned caller, or a
//! principal of an account that no policy and no model names.
//!
//! The statement is evaluated with every Deny of its policy and without the other Allows, so that the answer is about
//! this statement. What an account can arrange (its principals' names and tags, its organization's ID being another)
//! is tried; the evaluator has the last word.

use compact_str::CompactString;

use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given, Request};
use crate::access::search::{Answer, Found, Question, STRANGER, fill, principals_of};
use crate::access::sts::named_accounts;
use crate::aws::services::{self, Applies};
use crate::aws::{AccountId, ActionName};
use crate::policy::condition::Context;
use crate::policy::pattern::{self, Case};
use crate::policy::template::{Match, Template};
use crate::policy::{Clause, Effect, Entries, Policy, Statement};

/// The ID of an organization that is nobody's here.
const OTHER_ORGANIZATION: &str = "o-stranger00";

/// The ID of the owner's organization, where it is not known.
const OWN_ORGANIZATION: &str = "o-unknownown";

/// Addresses of nobody's network, from blocks that are set aside for tests and segment routing.
const ADDRESSES: [&str; 2] = ["198.18.7.7", "5f00:7::7"];

/// The names tried first, so that a proof shows what matters most.
const FIRST: [&str; 6] =
    ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"];

/// Keys of a request that its situation fixes.
type Keys = Vec<(CompactString, Given)>;

/// Who gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outsider {
    /// Anyone, with an unsigned request.
    Anonymous,
    /// Any account, though it is in no organization.
    NoOrganization,
    /// Accounts of other organizations.
    OtherOrganization,
}

/// How an outsider gets through a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Passage {
    /// No outsider does.
    Closed,
    /// The search gave up.
    Undecided,
    /// This one does.
    Open(Outsider, Found),
    /// This one does if what it can not arrange is so.
    OpenIf(Outsider, Found),
}

/// A resource whose policy may name everyone.
#[derive(Debug, Clone, Copy)]
pub struct Guarded<'p> {
    /// Its policy.
    pub policy: &'p Policy,
    /// Its ARN: a bucket's or a key's.
    pub arn: &'p str,
    /// The account that owns it, where known.
    pub account: Option<AccountId>,
    /// The ID of the owner's organization, where known.
    pub organization: Option<&'p str>,
    /// An account that the model does not name.
    pub stranger: AccountId,
    /// The management account, which RCPs do not bind.
    pub management: Option<AccountId>,
    /// The RCPs of the owner's account, level by level; empty where there are none or they are not known.
    pub rcp: &'p [Vec<&'p Policy>],
}

impl Guarded<'_> {
    /// Whether an outsider gets through `statement`, an Allow of the policy; the most public outsider is named.
    pub fn passage(&self, statement: &Statement) -> Passage {
        let narrowed = self.narrowed_to(statement);
        let mut conditional = None;
        let mut gave_up = false;
        for (outsider, caller, fixed) in self.callers(&narrowed) {
            for (action, resource) in self.requests(&narrowed, statement, &caller) {
                match self.ask(&narrowed, caller.clone(), &action, resource, fixed.clone()) {
                    Answer::Yes(found) => return Passage::Open(outsider, found),
                    Answer::If(found) if conditional.is_none() => conditional = Some((outsider, found)),
                    Answer::Undecided => gave_up = true,
                    Answer::If(_) | Answer::No => {}
                }
            }
        }
        match conditional {
            Some((outsider, found)) => Passage::OpenIf(outsider, found),
            None if gave_up => Passage::Undecided,
            None => Passage::Closed,
        }
    }

    /// How a principal of an account in the organization `id`, which nobody else is asked about, gets through
    /// `statement`.
    pub fn passage_from(&self, id: &str, statement: &Statement) -> Passage {
        let narrowed = self.narrowed_to(statement);
        let mut best = Passage::Closed;
        let keys = self.common_keys(&narrowed);
        for caller in self.principals(&narrowed) {
            for path in organization_paths(id, &narrowed) {
                let mut fixed = keys.clone();
                fixed.extend(organization_keys(id, path));
                fixed.extend(user_id(&caller));
                for (action, resource) in self.requests(&narrowed, statement, &caller) {
                    match self.ask(&narrowed, caller.clone(), &action, resource, fixed.clone()) {
                        Answer::Yes(found) => return Passage::Open(Outsider::OtherOrganization, found),
                        Answer::If(found) => best = Passage::OpenIf(Outsider::OtherOrganization, found),
                        Answer::Undecided if best == Passage::Closed => best = Passage::Undecided,
                        Answer::Undecided | Answer::No => {}
                    }
                }
            }
        }
        best
    }

    /// The policy with every Deny and of the Allows only this one.
    fn narrowed_to(&self, statement: &Statement) -> Policy {
        let mut narrowed = Policy::empty(self.policy.kind, self.policy.span);
        narrowed.version = self.policy.version;
        narrowed.statements.push(statement.clone());
        narrowed.statements.extend(self.policy.denies().cloned());
        narrowed
    }

    fn is_key(&self) -> bool {
        crate::aws::Arn::parse(self.arn).is_some_and(|arn| arn.service == "kms")
    }

    fn ask(&self, narrowed: &Policy, caller: Caller, action: &str, resource: CompactString, mut fixed: Keys) -> Answer {
        fixed.extend(lacking(narrowed, action).into_iter().map(|key| (key.into(), Given::Absent)));
        let policies = [narrowed];
        let granted = caller
            .account()
            .map(|account| format!("administrators of {account} can allow their principals `{action}` on it"));
        let question = Question {
            callers: vec![caller],
            action,
            resource,
            resource_account: Some(self.owner()),
            policies: Policies {
                identity: granted.as_deref().map_or(Side::None, Side::Granted),
                resource: Side::Policies(&policies),
                rcp: self.rcp,
                management: self.management,
                ..Policies::default()
            },
            fixed,
        };
        question.ask()
    }

    /// Everyone worth asking about, the most public first, with the keys that its situation fixes.
    fn callers(&self, narrowed: &Policy) -> Vec<(Outsider, Caller, Keys)> {
        let common = self.common_keys(narrowed);
        let mut ways: Vec<(Outsider, Keys)> = vec![(
            Outsider::NoOrganization,
            vec![("aws:PrincipalOrgID".into(), Given::Absent), ("aws:PrincipalOrgPaths".into(), Given::Absent)],
        )];
        for id in self.other_organizations(narrowed) {
            for path in organization_paths(&id, narrowed) {
                ways.push((Outsider::OtherOrganization, organization_keys(&id, path).to_vec()));
            }
        }
        // Where an address counts, any that the policy does not mean comes first: who gets in with that one does for
        // certain.
        let addresses: Vec<Option<&str>> = match clauses(narrowed).any(|clause| clause.key.is("aws:SourceIp")) {
            true => ADDRESSES.into_iter().map(Some).chain([None]).collect(),
            false => vec![None],
        };
        let mut callers = Vec::new();
        let mut add = |outsider, caller: &Caller, keys: &[(CompactString, Given)]| {
            for address in &addresses {
                let mut fixed: Keys = common.iter().chain(keys).cloned().collect();
                if let Some(address) = address {
                    fixed.push(("aws:SourceIp".into(), Given::Values(vec![(*address).into()])));
                }
                fixed.extend(user_id(caller));
                callers.push((outsider, caller.clone(), fixed));
            }
        };
        // AWS KMS takes signed requests only.
        if !self.is_key() {
            add(Outsider::Anonymous, &Caller::Anonymous, &[]);
        }
        let principals = self.principals(narrowed);
        for (outsider, keys) in &ways {
            for caller in &principals {
                add(*outsider, caller, keys);
            }
        }
        callers
    }

    /// Principals of an account that nobody names, with the names and sessions that the policy makes worth having.
    fn principals(&self, narrowed: &Policy) -> Vec<Caller> {
        let stranger = self.unnamed_account();
        let mut callers = principals_of(stranger, &[narrowed]);
        for clause in clauses(narrowed) {
            for value in &clause.values {
                let text = value.template.raw();
                let caller = if clause.key.is("aws:PrincipalArn") && !text.contains(':') {
                    // A pattern such as `*222222222222*`: the name of a role may hold anything.
                    let name = text.trim_matches('*').replace('*', STRANGER).replace('?', "x");
                    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
                    (!name.is_empty() && name.chars().all(is_name))
                        .then(|| Caller::Session(stranger, name.into(), Some(STRANGER.into())))
                } else if clause.key.is("aws:userid") {
                    let session = text.split_once(':').map_or("", |(_, session)| session).replace('*', STRANGER);
                    (!session.is_empty())
                        .then(|| Caller::Session(stranger, STRANGER.into(), Some(session.replace('?', "x").into())))
                } else {
                    None
                };
                callers.extend(caller.filter(|caller| !callers.contains(caller)));
            }
        }
        callers
    }

    /// The stranger, or another where the policy names it.
    fn unnamed_account(&self) -> AccountId {
        let named: Vec<AccountId> = self.policy.effective().flat_map(named_accounts).chain(self.account).collect();
        if named.contains(&self.stranger) { AccountId::other_than(named) } else { self.stranger }
    }

    /// The owner's account, or one that stands for it: whatever it is, an outsider is of another.
    fn owner(&self) -> AccountId {
        self.account.unwrap_or_else(|| AccountId::other_than([self.stranger, self.unnamed_account()]))
    }

    /// Organizations other than the owner's: one that nobody names, and those that a wildcard of the policy takes in.
    fn other_organizations(&self, narrowed: &Policy) -> Vec<CompactString> {
        let mut ids: Vec<CompactString> = vec![OTHER_ORGANIZATION.into()];
        let keys = ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];
        for clause in clauses(narrowed).filter(|c| keys.iter().any(|key| c.key.is(key))) {
            for value in &clause.values {
                let id = value.template.raw().split('/').next().unwrap_or_default();
                if clause.operator.takes_wildcards() && pattern::has_wildcard(id) && !id.contains("${") {
                    let id = CompactString::from(id.replace('*', "stranger00").replace('?', "x"));
                    if id.starts_with("o-") && Some(id.as_str()) != self.organization && !ids.contains(&id) {
                        ids.push(id);
                    }
                }
            }
        }
        ids
    }

    /// The keys that say where the resource is, which are the same for every caller.
    fn common_keys(&self, narrowed: &Policy) -> Keys {
        let one = |text: &str| Given::Values(vec![text.into()]);
        let literal = |key: &str| {
            let values = clauses(narrowed).filter(|clause| clause.key.is(key)).flat_map(|clause| &clause.values);
            values.map(|value| value.template.raw()).find(|text| !text.contains(['*', '?', '$'])).map(str::to_owned)
        };
        // Where the owner's organization is not known, the policy's own word for it is taken.
        let written = self.organization.map(str::to_owned).or_else(|| literal("aws:ResourceOrgID"));
        let id = written.unwrap_or_else(|| OWN_ORGANIZATION.to_owned());
        let paths = organization_paths(&id, narrowed);
        let mut keys =
            vec![("aws:ResourceOrgID".into(), one(&id)), ("aws:ResourceOrgPaths".into(), Given::Values(paths))];
        if self.account.is_none() {
            for key in ["aws:ResourceAccount", "s3:ResourceAccount"] {
                keys.extend(literal(key).map(|account| (CompactString::new(key), one(&account))));
            }
        }
        keys
    }

    /// What to ask for: for each resource that the statement may mean, one action of each set that the policy does not
    /// tell apart.
    fn requests(&self, narrowed: &Policy, statement: &Statement, caller: &Caller) -> Vec<(String, CompactString)> {
        let base = Request::new(caller.clone(), "s3:GetObject", self.arn, Some(self.owner()));
        let mut requests = Vec::new();
        for resource in self.resources(narrowed, statement, &base) {
            let mut seen: Vec<(Vec<bool>, Vec<&str>)> = Vec::new();
            for action in self.actions(statement, &resource) {
                let denies = narrowed.denies().map(|deny| covers(deny.actions.as_ref(), &action));
                let told_apart_by = (denies.collect(), lacking(narrowed, &action));
                if !seen.contains(&told_apart_by) {
                    seen.push(told_apart_by);
                    requests.push((action, resource.clone()));
                }
            }
        }
        requests.sort_by_key(|(action, _)| rank(action));
        requests
    }

    fn resources(&self, narrowed: &Policy, statement: &Statement, base: &Request) -> Vec<CompactString> {
        if self.is_key() {
            return vec![self.arn.into()];
        }
        let bucket = self.arn;
        let mut out: Vec<CompactString> = Vec::new();
        let all = narrowed.statements.iter().filter_map(|s| s.resources.as_ref()).flat_map(|r| &r.items);
        let keys = all.flat_map(|item| ["", STRANGER].map(|any| object_key(item, any, base)));
        let objects = keys.flatten().map(|key| CompactString::from(format!("{bucket}/{key}")));
        let plain = [CompactString::from(format!("{bucket}/{STRANGER}")), bucket.into()];
        let listed = |resource: &CompactString| {
            statement.resources.as_ref().is_some_and(|resources| {
                let meets = |item: &Template| item.matches_arn(resource, &|variable| base.variable(variable));
                let mut met = resources.items.iter().map(|item| meets(item));
                met.any(|met| matches!(met, Match::Yes | Match::Unknown)) != resources.negated
            })
        };
        for resource in objects.chain(plain) {
            if !out.contains(&resource) && listed(&resource) {
                out.push(resource);
            }
        }
        out
    }

    /// The actions of the statement that work on the resource, in the order of [`rank`].
    fn actions(&self, statement: &Statement, resource: &str) -> Vec<String> {
        let Some(entries) = &statement.actions else { return Vec::new() };
        let prefix = if self.is_key() { "kms" } else { "s3" };
        let known = services::service(prefix).into_iter().flat_map(services::Service::actions);
        let mut actions: Vec<String> = known
            .filter(|action| action.applies_to(resource) != Applies::No)
            .map(ToString::to_string)
            .filter(|action| covers(Some(entries), action) && (!self.is_key() || crosses_accounts(action)))
            .collect();
        // An action that is newer than the service data.
        let unknown = |item: &&str| {
            let name = ActionName::new(item);
            !pattern::has_wildcard(item) && name.is_of(prefix) && services::action(item).is_none()
        };
        if !entries.negated && !self.is_key() {
            actions.extend(entries.items.iter().map(|item| item.raw()).filter(unknown).map(str::to_owned));
        }
        actions.sort_by_key(|action| rank(action));
        actions
    }
}

/// Every comparison of a policy's statements.
fn clauses(policy: &Policy) -> impl Iterator<Item = &Clause> {
    policy.statements.iter().flat_map(|statement| &statement.conditions)
}

fn rank(action: &str) -> usize {
    FIRST.iter().position(|first| *first == action).unwrap_or(FIRST.len())
}

/// Whether `Action` or `NotAction` covers an action.
pub fn covers(entries: Option<&Entries>, action: &str) -> bool {
    entries.is_some_and(|entries| {
        entries.items.iter().any(|item| pattern::matches(item.raw(), action, Case::Insensitive)) != entries.negated
    })
}

/// The key of an object that a `Resource` pattern takes in.
fn object_key(item: &Template, any: &str, base: &Request) -> Option<CompactString> {
    let filled = fill(item, any, "x", base);
    let (_, key) = filled.splitn(6, ':').nth(5)?.split_once('/')?;
    (!key.is_empty()).then(|| key.into())
}

/// The places in an organization that a policy's comparisons name; one that none names where there are none.
fn organization_paths(id: &str, policy: &Policy) -> Vec<CompactString> {
    let keys = ["aws:PrincipalOrgPaths", "aws:ResourceOrgPaths"];
    let mut paths: Vec<CompactString> = Vec::new();
    for value in clauses(policy).filter(|c| keys.iter().any(|key| c.key.is(key))).flat_map(|c| &c.values) {
        let (of, rest) = value.template.raw().split_once('/').unwrap_or((value.template.raw(), ""));
        if pattern::matches(of, id, Case::Sensitive) && !rest.contains("${") {
            let path = format!("{id}/{}", rest.replace('*', "stranger/").replace('?', "x").replace("//", "/"));
            paths.extend(Some(CompactString::from(path)).filter(|path| !paths.contains(path)));
        }
    }
    paths.push(format!("{id}/r-strg/ou-strg-stranger/").into());
    paths
}

/// The value of `aws:userid`: IDs are given out by AWS, so that no policy can mean an outsider's; the name of a session
/// is the caller's to choose.
fn user_id(caller: &Caller) -> Option<(CompactString, Given)> {
    let id = match caller {
        Caller::Session(_, _, session) => {
            format!("AROATRAILPROOFSTRNGR:{}", session.as_deref().unwrap_or(STRANGER)).into()
        }
        Caller::User(..) => "AIDATRAILPROOFSTRNGR".into(),
        _ => return None,
    };
    Some(("aws:userid".into(), Given::Values(vec![id])))
}

fn organization_keys(id: &str, path: CompactString) -> [(CompactString, Given); 2] {
    let one = |text: CompactString| Given::Values(vec![text]);
    [("aws:PrincipalOrgID".into(), one(id.into())), ("aws:PrincipalOrgPaths".into(), one(path))]
}

/// The keys of a policy that a request for `action` never carries.
fn lacking<'p>(policy: &'p Policy, action: &str) -> Vec<&'p str> {
    let Some(action) = services::action(action) else { return Vec::new() };
    let keys = clauses(policy).map(|clause| clause.key.as_str());
    let documented = keys.filter(|key| !services::is_global_key(key) && services::condition_key(key).is_some());
    documented.filter(|key| !action.supports_key(key)).collect()
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

/// Whether a statement is an Allow that takes in everyone before its conditions.
pub fn is_for_everyone(statement: &Statement) -> bool {
    statement.effect == Effect::Allow && crate::access::sts::names_everyone(statement)
}

#[cfg(test)]
mod tests;
