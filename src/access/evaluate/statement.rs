//! Whether one statement meets a request.

use super::{Authority, Evaluation, Side};
use crate::access::principals::{self, Named};
use crate::policy::condition::{self, Context, KeyValue, Tri};
use crate::policy::template::Match;
use crate::policy::{Effect, Entries, Statement};

impl Evaluation<'_> {
    pub(super) fn allow(&mut self, statement: &Statement, authority: Authority) -> Named {
        match self.names(statement, authority) {
            Named::NOT => Named::NOT,
            named => {
                self.doubt(statement);
                named.and(self.conditions(statement))
            }
        }
    }

    /// Writes down what an unsure answer hangs on, where neither a condition nor a principal of an Allow says so.
    fn doubt(&mut self, statement: &Statement) {
        if !self.is_told() {
            return;
        }
        if statement.ambiguous {
            self.depend("which of two elements of one name in a statement counts");
        }
        for item in statement.resources.iter().flat_map(|resources| &resources.items) {
            let met = item.matches_arn(&self.request.resource, &|variable| self.request.variable(variable));
            if met == Match::Unknown {
                for variable in item.variables() {
                    if matches!(self.request.value(&variable.key), KeyValue::Unknown | KeyValue::Present) {
                        self.depend(&format!("what `${{{}}}` stands for", variable.key));
                    }
                }
            }
        }
        if statement.effect == Effect::Deny
            && let Some(principals) = statement.principals.as_ref().filter(|principals| principals.negated)
            && principals::denied_by(principals, &self.request.caller, self.policies.canonical, Tri::False)
                == Tri::Unknown
        {
            self.depend("whom the `NotPrincipal` of a Deny statement spares");
        }
    }

    /// Whom an Allow statement names, whatever its conditions.
    pub(super) fn names(&self, statement: &Statement, authority: Authority) -> Named {
        let body = self.body(statement);
        if body == Tri::False {
            return Named::NOT;
        }
        let named = match (&statement.principals, authority) {
            (Some(principals), Authority::Resource | Authority::Endpoint) => {
                principals::allowed_by(principals, &self.request.caller, self.policies.canonical)
            }
            _ => Named { direct: Tri::True, ..Named::NOT },
        };
        if named == Named::NOT { named } else { named.and(body) }
    }

    pub(super) fn deny(&mut self, statement: &Statement) -> Tri {
        let met = self.denies(statement);
        if met == Tri::False {
            return met;
        }
        if met == Tri::Unknown {
            self.doubt(statement);
        }
        met.and(self.conditions(statement))
    }

    /// Whether a Deny statement is about the request, whatever its conditions.
    pub(super) fn denies(&self, statement: &Statement) -> Tri {
        let mut met = self.body(statement);
        if met != Tri::False
            && let Some(principals) = &statement.principals
        {
            let has_boundary = match self.policies.boundary {
                Side::None => Tri::False,
                Side::Policies(_) => Tri::True,
                Side::Unknown(_) | Side::Granted(_) => Tri::Unknown,
            };
            let canonical = self.policies.canonical;
            met = met.and(principals::denied_by(principals, &self.request.caller, canonical, has_boundary));
        }
        met
    }

    /// Action and resource of a statement, and whether it counts for certain.
    fn body(&self, statement: &Statement) -> Tri {
        let certain = if statement.ambiguous { Tri::Unknown } else { Tri::True };
        if !statement.covers_action(self.request.action.as_str()) {
            return Tri::False;
        }
        // A trust policy has no resource: it speaks of its own role.
        certain.and(statement.resources.as_ref().map_or(Tri::True, |resources| self.resource(resources)))
    }

    pub(super) fn resource(&self, resources: &Entries) -> Tri {
        let mut listed = Tri::False;
        for item in &resources.items {
            match item.matches_arn(&self.request.resource, &|variable| self.request.variable(variable)) {
                Match::Yes => listed = Tri::True,
                Match::Unknown => listed = listed.or(Tri::Unknown),
                // A `NotResource` with a variable that has no value applies to nothing.
                Match::NoValue if resources.negated => return Tri::False,
                Match::No | Match::NoValue => {}
            }
        }
        if resources.negated { !listed } else { listed }
    }

    fn conditions(&mut self, statement: &Statement) -> Tri {
        let mut met = Tri::True;
        for clause in &statement.conditions {
            met = met.and(condition::holds(clause, statement.effect, self.request));
            if met == Tri::False {
                return met;
            }
        }
        if met == Tri::Unknown {
            for clause in &statement.conditions {
                if condition::holds(clause, statement.effect, self.request) == Tri::Unknown {
                    self.depend_on_key(&clause.written_key);
                }
            }
        }
        met
    }
}
