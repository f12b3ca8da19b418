//! The Deny statements that are about requests of one caller for one thing, whatever else these carry.

use super::{Authority, Evaluation, Policies, Side};
use crate::access::request::Request;
use crate::policy::condition::{self, Tri};
use crate::policy::{Policy, Statement};

/// Deny statements of which the conditions alone decide; others are left to the whole decision.
#[derive(Debug)]
pub struct Denies<'p>(Vec<&'p Statement>);

impl<'p> Denies<'p> {
    /// Those that are about a request for certain, whatever its context.
    pub fn of(request: &Request, policies: &Policies<'p>) -> Self {
        let evaluation = Evaluation { request, policies, notes: None };
        let hangs_on_context = |statement: &Statement| {
            let resources = statement.resources.iter().flat_map(|resources| &resources.items);
            resources.flat_map(|item| item.variables()).next().is_some()
        };
        let is_about =
            |statement: &&Statement| evaluation.denies(statement) == Tri::True && !hangs_on_context(statement);
        let sides = policies.sides().into_iter().map(|(side, _)| side.policies());
        let scp = if evaluation.scp_applies() { policies.scp } else { &[] };
        let rcp = if evaluation.rcp_applies() { policies.rcp } else { &[] };
        let levels = scp.iter().chain(rcp).map(Vec::as_slice);
        let all = sides.chain(levels).flatten().copied().flat_map(Policy::denies);
        Denies(all.filter(is_about).collect())
    }

    /// The statements.
    pub fn statements(&self) -> impl Iterator<Item = &'p Statement> + '_ {
        self.0.iter().copied()
    }

    /// Whether one of them denies the request for certain.
    pub fn meet(&mut self, request: &Request) -> bool {
        let holds = |statement: &&Statement| {
            let mut clauses = statement.conditions.iter();
            clauses.all(|clause| condition::holds(clause, statement.effect, request) == Tri::True)
        };
        let Some(at) = self.0.iter().position(holds) else { return false };
        // The next request, which differs little, most likely meets the same.
        if let Some(front) = self.0.get_mut(..=at) {
            front.rotate_right(1);
        }
        true
    }
}

impl<'p> Side<'p> {
    /// The policies, as far as they are known.
    pub fn policies(&self) -> &'p [&'p Policy] {
        match self {
            Side::Policies(policies) => policies,
            Side::None | Side::Unknown(_) | Side::Granted(_) => &[],
        }
    }
}

impl<'p> Policies<'p> {
    /// Each kind of policy that a request can meet on its own, with the authority it speaks for.
    pub(super) fn sides(&self) -> [(Side<'p>, Authority); 5] {
        [
            (self.identity, Authority::Identity),
            (self.resource, Authority::Resource),
            (self.boundary, Authority::Boundary),
            (self.session, Authority::Session),
            (self.endpoint, Authority::Endpoint),
        ]
    }

    /// Every policy.
    pub fn all(&self) -> impl Iterator<Item = &'p Policy> + use<'p> {
        let sides = self.sides().into_iter().map(|(side, _)| side.policies());
        sides.chain(self.scp.iter().chain(self.rcp).map(Vec::as_slice)).flatten().copied()
    }
}
