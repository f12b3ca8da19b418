//! Tries combinations of values, and leaves out those that a Deny meets whatever else is chosen.

use super::cost::{self, Meter, WORK};
use crate::access::evaluate::{Denies, Policies, decide};
use crate::access::request::{Given, Request};
use crate::aws::ConditionKey;
use crate::finding::Decision;

/// A key that the caller chooses, and the values worth trying.
pub(super) struct Choice {
    pub(super) key: ConditionKey,
    pub(super) values: Vec<Given>,
}

/// Requests of one caller that differ in what it chooses.
pub(super) struct Combinations<'c> {
    policies: &'c Policies<'c>,
    base: &'c Request,
    /// Known once a first try has failed, as most do not.
    known: Option<Known<'c>>,
}

struct Known<'c> {
    denies: Denies<'c>,
    /// What it takes to look through them.
    cost: usize,
    /// What a whole decision takes.
    whole: usize,
}

impl<'c> Combinations<'c> {
    pub(super) fn new(policies: &'c Policies<'c>, base: &'c Request) -> Self {
        Combinations { policies, base, known: None }
    }

    /// The first combination that is allowed for certain; `conditional` takes the first that hangs on something.
    pub(super) fn first_allowed(
        &mut self,
        choices: &[Choice],
        meter: &mut Meter,
        conditional: &mut Option<Request>,
    ) -> Option<Request> {
        let mut request = self.base.clone();
        for choice in choices {
            request.context.insert(choice.key.clone(), Given::Unknown);
        }
        let mut search = Search { all: self, meter, conditional, request };
        search.below(choices, true).then_some(search.request)
    }
}

struct Search<'s, 'c> {
    all: &'s mut Combinations<'c>,
    meter: &'s mut Meter,
    conditional: &'s mut Option<Request>,
    /// The request with the choices made so far; the others are not known.
    request: Request,
}

impl Search<'_, '_> {
    /// Whether some values of the choices that are left, the last of them chosen first, let the request through, which has
    /// them then; `is_first` on the way to the first combination of all.
    fn below(&mut self, choices: &[Choice], is_first: bool) -> bool {
        let Some((choice, rest)) = choices.split_last() else { return self.is_allowed() };
        let checked_at = usize::from(is_first);
        for (number, value) in choice.values.iter().enumerate() {
            if number == checked_at && choice.values.len() > 1 {
                self.request.context.insert(choice.key.clone(), Given::Unknown);
                if self.is_denied() {
                    return false;
                }
            }
            self.request.context.insert(choice.key.clone(), value.clone());
            if self.below(rest, is_first && number == 0) {
                return true;
            }
            if self.meter.is_spent() {
                break;
            }
        }
        self.request.context.insert(choice.key.clone(), Given::Unknown);
        false
    }

    /// Whether a Deny meets the request whatever is chosen for what is left.
    fn is_denied(&mut self) -> bool {
        let known = self.all.known();
        // A subtree that is not looked at is no try.
        self.meter.take(known.cost) && known.denies.meet(&self.request)
    }

    fn is_allowed(&mut self) -> bool {
        if let Some(known) = &mut self.all.known {
            if !self.meter.take(known.cost) {
                return false;
            }
            if known.denies.meet(&self.request) {
                return false;
            }
            self.meter.charge(known.whole);
        } else if !self.meter.take(WORK) {
            return false;
        }
        match decide(&self.request, self.all.policies) {
            Decision::Allowed => return true,
            Decision::Conditional if self.conditional.is_none() => *self.conditional = Some(self.request.clone()),
            _ => {}
        }
        self.meter.charge(self.all.known().whole);
        false
    }
}

impl<'c> Combinations<'c> {
    fn known(&mut self) -> &mut Known<'c> {
        let (policies, base) = (self.policies, self.base);
        self.known.get_or_insert_with(|| {
            let denies = Denies::of(base, policies);
            let cost = WORK + denies.statements().map(cost::in_conditions).sum::<usize>();
            Known { denies, cost, whole: WORK + cost::of_all(policies) }
        })
    }
}
