//! The Decrypt call behind a fetch, by the same caller.

use compact_str::CompactString;

use super::ask::Case;
use super::hit::{Hit, judged};
use super::reader::Identity;
use crate::access::evaluate::Side;
use crate::access::lock::{KeyLock, Lock};
use crate::access::request::Given;
use crate::access::search::{Found, Question};
use crate::finding::matrix::Certainty;
use crate::finding::{Dependency, Step};
use crate::policy::Policy;

const DECRYPT: &str = "kms:Decrypt";

impl Case<'_> {
    /// A quick look: how certain a Decrypt call of the callers can be at the best, whatever they arrange and whichever object
    /// it is for; `None` where all are refused, or none is made.
    pub(super) fn decrypt_at_best(&self) -> Option<Certainty> {
        let key = match &self.ground.lock {
            Lock::None => return None,
            Lock::Unknown(_) => return Some(Certainty::Unknown),
            Lock::Key(key) => key,
        };
        let covers = |policy: &Policy| policy.allows().any(|statement| statement.covers_action(DECRYPT));
        let by_identity = match &self.face.identity {
            Identity::None => false,
            Identity::Granted(_) => true,
            Identity::Policies(known, missing) => !missing.is_empty() || known.iter().any(|policy| covers(policy)),
        };
        let by_key = key.policy.as_ref().is_none_or(|policy| covers(policy));
        let crosses = matches!((self.face.account(), key.account), (Some(caller), Some(owner)) if caller != owner);
        let by_policies = match (self.face.account(), crosses) {
            (None, _) => by_key,
            (_, true) => by_key && by_identity,
            (_, false) => by_key || by_identity,
        };
        let is_known = key.policy.is_some() || key.facts.is_aws_managed();
        match key.facts.grants {
            Some([]) | None if by_policies && is_known => Some(Certainty::Certain),
            Some([]) if by_policies => Some(Certainty::Unknown),
            Some([]) => None,
            Some(_) => Some(Certainty::Certain),
            None => Some(Certainty::Unknown),
        }
    }

    /// The Decrypt call behind a fetch that gets through; `None` where the object is under no key or the call is refused.
    pub(super) fn decrypt(&mut self, fetched: &Hit, action: &str, object: &str) -> Option<Hit> {
        let ground = self.ground;
        let key = match &ground.lock {
            Lock::None => return None,
            Lock::Unknown(what) => {
                let mut hit = Hit { certainty: Certainty::Unknown, ..fetched.clone() };
                hit.depends_on.push(Dependency::fact(*what));
                return Some(hit);
            }
            Lock::Key(key) => key,
        };
        self.best_decrypt?;
        let Some(found) = &fetched.found else { return Some(fetched.clone()) };
        let is_open = self.missing.is_some() && fetched.certainty == Certainty::Unknown;
        let mut hit = self.unlock(key, found, is_open, false);
        if !hit.as_ref().is_some_and(Hit::is_certain)
            && let Some(other) = self.unlock(key, found, is_open, true)
        {
            hit = self.with_both(found, action, object, hit, other);
        }
        if let Some(missing) = self.missing.clone().filter(|_| hit.is_none()) {
            hit = self.unlock(key, found, true, false).map(|hit| {
                let mut hit = Hit { certainty: Certainty::Unknown, ..hit };
                hit.depends_on.push(Dependency::fact(missing));
                hit
            });
        }
        let mut hit = hit?;
        hit.certainty = hit.certainty.max(fetched.certainty);
        hit.depends_on.extend(fetched.depends_on.iter().cloned());
        Dependency::settle(&mut hit.depends_on);
        if let Some(decrypted) = &mut hit.found {
            let before = &found.explanation.steps;
            let new = decrypted.explanation.steps.iter().filter(|step| !before.contains(step));
            decrypted.explanation.steps = before.iter().chain(new).cloned().collect::<Vec<Step>>();
        }
        Some(hit)
    }

    /// The Decrypt call behind a fetch, with what the caller arranged for that, or (`free`) with what it could arrange in
    /// its place; `is_open` takes policies that are not known for ones that allow all.
    fn unlock(&mut self, key: &KeyLock<'_>, fetched: &Found, is_open: bool, free: bool) -> Option<Hit> {
        let own = if is_open { self.most_side() } else { self.own_side() };
        let of_reader = self.policies(own, Side::None, None);
        let mut work = self.work;
        let hit = key.behind(&fetched.request, &of_reader, |request, policies| {
            let fixed = request.context.iter().filter(|(key, _)| !free || !is_arranged(key.as_str()));
            let question = Question {
                callers: vec![request.caller.clone()],
                action: DECRYPT,
                resource: request.resource.clone(),
                resource_account: request.resource_account,
                policies: *policies,
                fixed: fixed.map(|(key, given)| (CompactString::new(key.as_str()), given.clone())).collect(),
            };
            judged(question.ask_within(&mut work))
        });
        self.work = work;
        hit
    }

    /// A Decrypt call that needs the caller to have arranged something else than it did for the fetch: whether the fetch
    /// gets through with that too.
    fn with_both(
        &mut self,
        fetched: &Found,
        action: &str,
        object: &str,
        known: Option<Hit>,
        other: Hit,
    ) -> Option<Hit> {
        let Some(with) = &other.found else { return known.or(Some(other)) };
        let is_same = |key: &str| is_arranged(key) || key.starts_with("aws:principalorg");
        let arranged = with.request.context.iter().filter(|(key, _)| is_same(key.as_str()));
        let arranged: Vec<(CompactString, Given)> =
            arranged.map(|(key, given)| (CompactString::new(key.as_str()), given.clone())).collect();
        let caller = fetched.request.caller.clone();
        match (self.ask(std::slice::from_ref(&caller), action, object, &arranged), known) {
            (Some(again), known) => {
                let certainty = other.certainty.max(again.certainty);
                match known {
                    Some(known) if known.certainty <= certainty => Some(known),
                    _ => Some(Hit { certainty, ..other }),
                }
            }
            (None, Some(known)) => Some(known),
            // Each can be had alone, and whether both can at once was not found out.
            (None, None) => Some(Hit::unknown("whether one request can meet both bucket policy and key policy")),
        }
    }
}

/// Keys of a request that say of the caller what it arranges for all its calls.
fn is_arranged(key: &str) -> bool {
    ["aws:principaltag/", "aws:multifactorauth", "aws:sourceidentity", "aws:tokenissuetime"]
        .iter()
        .any(|start| key.starts_with(start))
}
