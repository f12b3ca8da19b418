//! What is written down while a request is decided, where somebody asks why.

use std::borrow::Cow;

use super::{Authority, Evaluation, Explanation};
use crate::aws::ActionName;
use crate::finding::{Decision, Step, StepEffect};
use crate::policy::condition::Tri;
use crate::policy::{Policy, PolicyKind, Statement};
use crate::text::Span;

/// The steps of a decision and what it depends on, so far.
#[derive(Debug, Default)]
pub(in crate::access) struct Notes {
    steps: Vec<Step>,
    depends_on: Vec<String>,
}

impl Notes {
    /// What of them says why it was decided so.
    pub(super) fn told(self, decision: Decision) -> (Vec<Step>, Vec<String>) {
        told(decision, self.steps, self.depends_on)
    }
}

/// The steps that bear a decision out, and what it depends on.
fn told(decision: Decision, mut steps: Vec<Step>, mut depends_on: Vec<String>) -> (Vec<Step>, Vec<String>) {
    if decision != Decision::Conditional {
        depends_on.clear();
    }
    depends_on.sort_unstable();
    depends_on.dedup();
    steps.retain(|step| match decision {
        // Without a place it is what others can grant, not a statement that hangs on something.
        Decision::Allowed => {
            step.effect == StepEffect::Allows || (step.effect == StepEffect::If && step.span.is_none())
        }
        Decision::ExplicitDeny => step.effect == StepEffect::Denies,
        Decision::ImplicitDeny => matches!(step.effect, StepEffect::Allows | StepEffect::Missing),
        Decision::Conditional => true,
    });
    (steps, depends_on)
}

/// One explanation of two requests that were decided together.
pub(in crate::access) fn combine(decision: Decision, one: Explanation, other: Explanation) -> Explanation {
    let mut steps = one.steps;
    let new: Vec<Step> = other.steps.into_iter().filter(|step| !steps.contains(step)).collect();
    steps.extend(new);
    let depends_on = one.depends_on.into_iter().chain(other.depends_on).collect();
    let (steps, depends_on) = told(decision, steps, depends_on);
    Explanation { decision, steps, depends_on }
}

impl Evaluation<'_> {
    pub(in crate::access) fn need(&mut self, met: Tri, authority: Authority) -> Tri {
        if met == Tri::False {
            let request = self.request;
            const OWN: [(&str, &str); 3] = [("s3", "bucket policy"), ("kms", "key policy"), ("sts", "trust policy")];
            let of_resource =
                OWN.into_iter().find(|(service, _)| authority == Authority::Resource && request.action.is_of(service));
            let what = of_resource.map_or_else(|| authority.to_string(), |(_, name)| name.to_owned());
            let message = || format!("no statement of the {what} allows `{}` here", request.action);
            self.step(StepEffect::Missing, message, None);
        }
        met
    }

    /// Whether anybody asks why.
    pub(in crate::access) fn is_told(&self) -> bool {
        self.notes.is_some()
    }

    pub(in crate::access) fn depend(&mut self, on: &str) {
        if let Some(notes) = &mut self.notes {
            notes.depends_on.push(on.to_owned());
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

    pub(in crate::access) fn note_allow(&mut self, policy: &Policy, statement: &Statement, met: Tri) {
        // A control policy gives nothing: that it does not stand in the way is worth no word.
        if met == Tri::True && matches!(policy.kind, PolicyKind::Scp | PolicyKind::Rcp) {
            return;
        }
        let effect = if met == Tri::True { StepEffect::Allows } else { StepEffect::If };
        let (of_key, action) = (self.policies.key.is_some(), &self.request.action);
        let message = || format!("{} allows {}", title(policy, statement), what(of_key, action));
        self.step(effect, message, Some(statement.span));
    }

    pub(in crate::access) fn note_deny(&mut self, policy: &Policy, statement: &Statement, met: Tri) {
        let effect = if met == Tri::True { StepEffect::Denies } else { StepEffect::Unless };
        let (of_key, action) = (self.policies.key.is_some(), &self.request.action);
        let message = || format!("{} denies {}", title(policy, statement), what(of_key, action));
        self.step(effect, message, Some(statement.span));
    }
}

/// `statement 2 (Sid) of the bucket policy`.
fn title(policy: &Policy, statement: &Statement) -> String {
    let number = statement.index + 1;
    match statement.sid_text() {
        Some(sid) => format!("statement {number} (`{sid}`) of the {}", policy.kind.title()),
        None => format!("statement {number} of the {}", policy.kind.title()),
    }
}

/// What a statement is about: two requests may be told of together, and one is for the key.
fn what(of_key: bool, action: &ActionName) -> Cow<'_, str> {
    if of_key { format!("`{action}`").into() } else { "it".into() }
}
