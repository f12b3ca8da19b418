//! Which external IDs to try on a trust policy.

use compact_str::CompactString;

use super::{ExternalId, Trust};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::search::{STRANGER, can_arrange, fill};
use crate::aws::ConditionKey;
use crate::policy::condition::{Context, KeyValue};
use crate::policy::{Clause, Policy};

/// Callers, and the keys that their requests carry.
type Scenario = (Vec<Caller>, Vec<(CompactString, Given)>);

impl Trust<'_> {
    /// The requests to ask about for an external ID: callers with the keys that are fixed for them.
    pub(super) fn scenarios(
        &self,
        external_id: ExternalId<'_>,
        callers: &[Caller],
        keys: Vec<(CompactString, Given)>,
    ) -> Vec<Scenario> {
        let with = |given: Given| {
            let mut keys = keys.clone();
            keys.push(("sts:ExternalId".into(), given));
            (callers.to_vec(), keys)
        };
        match external_id {
            ExternalId::Any => vec![(callers.to_vec(), keys)],
            ExternalId::Absent => vec![with(Given::Absent)],
            ExternalId::Exactly(id) => vec![with(value(id))],
            ExternalId::Guessed => {
                let mut scenarios: Vec<Scenario> = guesses(self.policy).map(|id| with(value(&id))).collect();
                let variable = |clause: &&Clause| clause.values.iter().any(|v| v.template.variables().next().is_some());
                for clause in clauses(self.policy).filter(variable) {
                    scenarios.extend(callers.iter().flat_map(|caller| self.made_right(clause, caller, &keys)));
                }
                scenarios
            }
        }
    }

    /// Requests whose external ID is what the policy's own variables make of their caller: one that tells nothing about
    /// whom the caller acts for.
    fn made_right(&self, clause: &Clause, caller: &Caller, keys: &[(CompactString, Given)]) -> Vec<Scenario> {
        let filler = filler(self.policy).unwrap_or(STRANGER.into());
        let mut scenarios = Vec::new();
        for template in clause.values.iter().map(|value| &value.template) {
            let mut request = Request::new(caller.clone(), "sts:AssumeRole", self.role, self.account);
            request.otherwise = Otherwise::Situation;
            keys.iter().for_each(|(key, given)| request.set(key, given.clone()));
            let mut keys = keys.to_vec();
            let mut variables = template.variables().peekable();
            if variables.peek().is_none() {
                continue;
            }
            let resolved = variables.all(|variable| match request.value(&variable.key) {
                KeyValue::One(_) => true,
                KeyValue::Absent if !can_arrange(&variable.key) => false,
                KeyValue::Many(_) => false,
                KeyValue::Absent | KeyValue::Present | KeyValue::Unknown => {
                    keys.push((variable.key.as_str().into(), value(&filler)));
                    true
                }
            });
            if resolved {
                keys.iter().for_each(|(key, given)| request.set(key, given.clone()));
                keys.push(("sts:ExternalId".into(), value(&fill(template, "", "x", &request))));
                scenarios.push((vec![caller.clone()], keys));
            }
        }
        scenarios
    }
}

fn value(text: &str) -> Given {
    Given::Values(vec![text.into()])
}

/// The comparisons on `sts:ExternalId` in a policy.
fn clauses(policy: &Policy) -> impl Iterator<Item = &Clause> {
    let key = ConditionKey::new("sts:ExternalId");
    policy.effective().flat_map(|statement| &statement.conditions).filter(move |clause| clause.key == key)
}

/// External IDs that share no character with any that the policy names: only a pattern that names none lets them in.
fn guesses(policy: &Policy) -> impl Iterator<Item = CompactString> {
    let one: CompactString = match odd_character(policy) {
        Some(odd) => odd.into(),
        None => return vec![STRANGER.into()].into_iter(),
    };
    let mut lengths = vec![24];
    for raw in clauses(policy).flat_map(|clause| &clause.values).map(|value| value.template.raw()) {
        if raw.len() >= 2 && raw.bytes().all(|b| b == b'?') && !lengths.contains(&raw.len()) {
            lengths.push(raw.len());
        }
    }
    lengths.into_iter().map(|length| one.repeat(length).into()).collect::<Vec<_>>().into_iter()
}

fn filler(policy: &Policy) -> Option<CompactString> {
    odd_character(policy).map(|odd| odd.repeat(24).into())
}

/// A character that AWS takes in an external ID and that no external ID of the policy holds.
fn odd_character(policy: &Policy) -> Option<&'static str> {
    const CHARACTERS: [&str; 10] = ["=", "+", "@", ",", ":", "/", ".", "_", "-", "q"];
    let named: Vec<&str> =
        clauses(policy).flat_map(|clause| &clause.values).map(|value| value.template.raw()).collect();
    CHARACTERS.into_iter().find(|odd| !named.iter().any(|text| text.contains(odd)))
}
