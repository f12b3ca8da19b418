//! What is written down while a request is decided, where somebody asks why.

use std::borrow::Cow;

use super::{Authority, Evaluation, Explanation, Side, Stop, StopKind, Titles};
use crate::aws::ActionName;
use crate::finding::{Decision, Dependency, Step, StepEffect};
use crate::policy::condition::Tri;
use crate::policy::{Policy, PolicyKind, Statement};
use crate::text::Span;

/// The steps of a decision and what it depends on, so far.
#[derive(Debug, Default)]
pub(in crate::access) struct Notes {
    steps: Vec<Step>,
    depends_on: Vec<Dependency>,
    /// What each step that stops the request would take, by its message.
    needs: Vec<(StepEffect, String)>,
    /// What stops the request, in the order of the steps.
    stops: Vec<Stop>,
    /// The sides on which an Allow is missing, and where the step and the stop that say so stand.
    lacking: Vec<(Authority, usize, usize)>,
    is_near: bool,
}

/// The steps that bear a decision out, what it depends on and what another would take.
fn told(decision: Decision, notes: Notes) -> Explanation {
    let Notes { mut steps, mut depends_on, needs, mut stops, is_near, .. } = notes;
    if decision != Decision::Conditional {
        depends_on.clear();
    }
    Dependency::settle(&mut depends_on);
    steps.retain(|step| match decision {
        // Without a place it is what others can grant, not a statement that hangs on something.
        Decision::Allowed => {
            step.effect == StepEffect::Allows || (step.effect == StepEffect::If && step.span.is_none())
        }
        Decision::ExplicitDeny => step.effect == StepEffect::Denies,
        Decision::ImplicitDeny => matches!(step.effect, StepEffect::Allows | StepEffect::Missing),
        Decision::Conditional => true,
    });
    stops.retain(|stop| match decision {
        Decision::ExplicitDeny => matches!(stop.kind, StopKind::Deny(_)),
        Decision::ImplicitDeny => !matches!(stop.kind, StopKind::Deny(_)),
        Decision::Allowed | Decision::Conditional => false,
    });
    let effect = match decision {
        Decision::ExplicitDeny => Some(StepEffect::Denies),
        Decision::ImplicitDeny => Some(StepEffect::Missing),
        Decision::Allowed | Decision::Conditional => None,
    };
    let mut would_take: Vec<String> = Vec::new();
    for (_, need) in needs.into_iter().filter(|(of, _)| Some(*of) == effect) {
        if !would_take.contains(&need) {
            would_take.push(need);
        }
    }
    let is_near = is_near && decision == Decision::ImplicitDeny;
    Explanation { decision, steps, depends_on, would_take, is_near, stops }
}

/// One explanation of two requests that were decided together.
pub(in crate::access) fn combine(decision: Decision, one: Explanation, other: Explanation) -> Explanation {
    let mut steps = one.steps;
    let new: Vec<Step> = other.steps.into_iter().filter(|step| !steps.contains(step)).collect();
    steps.extend(new);
    let depends_on = one.depends_on.into_iter().chain(other.depends_on).collect();
    let effect = if decision == Decision::ExplicitDeny { StepEffect::Denies } else { StepEffect::Missing };
    let denied = [(one.decision, one.would_take), (other.decision, other.would_take)];
    let needs = denied.into_iter().filter(|(of, _)| *of == decision).flat_map(|(_, needs)| needs);
    let needs = needs.map(|need| (effect, need)).collect();
    let stops = one.stops.into_iter().chain(other.stops).collect();
    let is_near = one.is_near || other.is_near;
    told(decision, Notes { steps, depends_on, needs, stops, lacking: Vec::new(), is_near })
}

impl Evaluation<'_> {
    /// What was written down, with the Allow that comes nearest where one is missing.
    pub(super) fn explained(mut self, decision: Decision) -> Explanation {
        let lacking = self.notes.as_ref().map(|notes| notes.lacking.clone()).unwrap_or_default();
        if decision == Decision::ImplicitDeny {
            for (authority, at, stop) in lacking {
                let Some(near) = self.nearest_of(authority) else { continue };
                let Some(notes) = &mut self.notes else { continue };
                let Some(step) = notes.steps.get_mut(at) else { continue };
                let without = need_of(&step.message);
                if let Some(stop) = notes.stops.get_mut(stop) {
                    *stop = Stop { kind: near.kind, message: near.step.message.clone(), span: near.step.span };
                }
                *step = near.step;
                notes.is_near |= !near.is_for_others;
                if let Some((_, need)) = notes.needs.iter_mut().find(|(_, need)| *need == without) {
                    *need = near.need;
                }
            }
        }
        told(decision, self.notes.unwrap_or_default())
    }

    pub(in crate::access) fn need(&mut self, met: Tri, authority: Authority) -> Tri {
        self.need_at(met, authority, None)
    }

    /// The same, with the policy that lacks the Allow, where it is one by itself.
    pub(super) fn need_at(&mut self, met: Tri, authority: Authority, place: Option<Span>) -> Tri {
        if met == Tri::False && self.is_told() {
            let message = self.missing(authority);
            let at = self.notes.as_ref().map_or(0, |notes| notes.steps.len());
            let need = need_of(&message);
            let kind = StopKind::missing(authority, &self.request.action);
            self.stop(kind, message, place, Some(need));
            if let Some(notes) = &mut self.notes
                && notes.steps.len() > at
            {
                notes.lacking.push((authority, at, notes.stops.len() - 1));
            }
        }
        met
    }

    /// That no Allow of a side is there.
    pub(super) fn missing(&self, authority: Authority) -> String {
        let action = &self.request.action;
        let on = match action.is_of("s3") {
            true => format!("`{action}` on it"),
            false => format!("`{action}`"),
        };
        match (authority, self.policies.titles) {
            (Authority::Identity, Some(titles)) => format!("no policy of {} allows {on}", titles.who()),
            (Authority::Boundary, Some(titles)) => {
                let of = titles.boundary().unwrap_or_else(|| format!("permissions boundary of {}", titles.who()));
                format!("no statement of the {of} allows {on}")
            }
            (Authority::Resource, _) => {
                format!("no statement of the {} allows {on} to this caller", self.name(authority))
            }
            _ => format!("no statement of the {} allows {on}", self.name(authority)),
        }
    }

    /// What policies of a side are called.
    fn name(&self, authority: Authority) -> String {
        const OWN: [(&str, &str); 3] = [("s3", "bucket policy"), ("kms", "key policy"), ("sts", "trust policy")];
        let of_resource =
            OWN.into_iter().find(|(service, _)| authority == Authority::Resource && self.request.action.is_of(service));
        of_resource.map_or_else(|| authority.to_string(), |(_, name)| name.to_owned())
    }

    /// Whether anybody asks why.
    pub(in crate::access) fn is_told(&self) -> bool {
        self.notes.is_some()
    }

    /// Notes a fact, in words, that the decision hangs on and that is not known.
    pub(in crate::access) fn depend(&mut self, on: &str) {
        if let Some(notes) = &mut self.notes {
            notes.depends_on.push(Dependency::fact(on));
        }
    }

    /// Notes a condition key that the decision hangs on.
    pub(in crate::access) fn depend_on_key(&mut self, key: &str) {
        if let Some(notes) = &mut self.notes {
            notes.depends_on.push(Dependency::of_request(key));
        }
    }

    pub(in crate::access) fn step(&mut self, effect: StepEffect, message: impl FnOnce() -> String, span: Option<Span>) {
        if let Some(notes) = &mut self.notes {
            let step = Step { effect, message: message(), span };
            if !notes.steps.contains(&step) {
                notes.steps.push(step);
            }
        }
    }

    /// Writes down what stops the request, and what it would take to be let through.
    pub(in crate::access) fn stop(
        &mut self,
        kind: StopKind,
        message: String,
        span: Option<Span>,
        need: Option<String>,
    ) {
        if let Some(notes) = &mut self.notes {
            notes.stops.push(Stop { kind, message: message.clone(), span });
        }
        self.step(StepEffect::Missing, || message, span);
        if let (Some(notes), Some(need)) = (&mut self.notes, need) {
            notes.needs.push((StepEffect::Missing, need));
        }
    }

    pub(in crate::access) fn note_allow(
        &mut self,
        policy: &Policy,
        statement: &Statement,
        authority: Authority,
        met: Tri,
    ) {
        // A control policy gives nothing: that it does not stand in the way is worth no word.
        if met == Tri::True && matches!(policy.kind, PolicyKind::Scp | PolicyKind::Rcp) {
            return;
        }
        if !self.is_told() {
            return;
        }
        let effect = if met == Tri::True { StepEffect::Allows } else { StepEffect::If };
        let (of_key, action) = (self.policies.key.is_some(), &self.request.action);
        let message = format!("{} allows {}", self.title(policy, statement, authority), what(of_key, action));
        self.step(effect, || message, Some(statement.span));
    }

    pub(in crate::access) fn note_deny(
        &mut self,
        policy: &Policy,
        statement: &Statement,
        authority: Authority,
        met: Tri,
    ) {
        if !self.is_told() {
            return;
        }
        let effect = if met == Tri::True { StepEffect::Denies } else { StepEffect::Unless };
        let (of_key, action) = (self.policies.key.is_some(), &self.request.action);
        let title = self.title(policy, statement, authority);
        let message = format!("{title} denies {}", what(of_key, action));
        let said = message.clone();
        self.step(effect, || message, Some(statement.span));
        if let Some(notes) = &mut self.notes {
            if effect == StepEffect::Denies {
                notes.stops.push(Stop { kind: StopKind::Deny(policy.kind), message: said, span: Some(statement.span) });
            }
            notes.needs.push((effect, format!("an exception in {title}")));
        }
    }

    /// `statement 2 (Sid) of the bucket policy`.
    pub(in crate::access) fn title(&self, policy: &Policy, statement: &Statement, authority: Authority) -> String {
        let number = statement.index + 1;
        let titles = self.policies.titles;
        let of = match authority {
            Authority::Identity => titles.and_then(|titles| titles.identity(policy)),
            Authority::Boundary => titles.and_then(Titles::boundary),
            _ => None,
        };
        let of: Cow<'_, str> = match (of, authority) {
            (Some(of), _) => of.into(),
            (None, Authority::Boundary) => PolicyKind::Boundary.title().into(),
            (None, _) => policy.kind.title().into(),
        };
        match statement.sid_text() {
            Some(sid) => format!("statement {number} (`{sid}`) of the {of}"),
            None => format!("statement {number} of the {of}"),
        }
    }

    /// The policies of a side, where they are known.
    pub(super) fn of_side(&self, authority: Authority) -> Vec<&Policy> {
        let side = match authority {
            Authority::Identity => self.policies.identity,
            Authority::Resource => self.policies.resource,
            Authority::Boundary => self.policies.boundary,
            Authority::Session => self.policies.session,
            Authority::Endpoint => self.policies.endpoint,
            Authority::Scp => return self.policies.scp.iter().flatten().copied().collect(),
        };
        match side {
            Side::Policies(policies) => policies.to_vec(),
            Side::None | Side::Unknown(_) | Side::Granted(_) => Vec::new(),
        }
    }
}

/// The other side of `no statement of … allows …`.
fn need_of(message: &str) -> String {
    let rest = message.strip_prefix("no ").unwrap_or(message);
    format!("a {}", rest.replacen(" allows ", " that allows ", 1))
}

/// What a statement is about: two requests may be told of together, and one is for the key.
pub(super) fn what(of_key: bool, action: &ActionName) -> Cow<'_, str> {
    if of_key { format!("`{action}`").into() } else { "it".into() }
}
