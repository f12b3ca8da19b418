//! Statements whose actions apply to none of their resources.

use crate::aws::services::{self, Applies, Coverage};
use crate::policy::template::Template;
use crate::policy::{Entries, Statement};
use crate::text::Spanned;

/// The lists of a statement that has neither `NotAction` nor `NotResource`.
pub(in crate::rules) fn listed(statement: &Statement) -> Option<(&Entries, &Entries)> {
    let (actions, resources) = (statement.actions.as_ref()?, statement.resources.as_ref()?);
    (!actions.negated && !resources.negated).then_some((actions, resources))
}

/// The actions that apply to none of the resources.
pub(in crate::rules) fn actions<'s>(actions: &'s Entries, resources: &Entries) -> Vec<&'s Spanned<Template>> {
    actions.items.iter().filter(|action| applies(action.raw(), resources) == Applies::No).collect()
}

/// Whether a statement does nothing at all for that.
pub(in crate::rules) fn does_nothing(statement: &Statement) -> bool {
    listed(statement).is_some_and(|(all, resources)| actions(all, resources).len() == all.items.len())
}

/// Whether an entry of `Action` works on any of the resources; what is not in the service data is not decided.
fn applies(pattern: &str, resources: &Entries) -> Applies {
    let mut best = match services::coverage(pattern) {
        Coverage::Full if services::expand(pattern).next().is_some() => Applies::No,
        _ => Applies::Unknown,
    };
    for action in services::expand(pattern) {
        for resource in &resources.items {
            match action.applies_to(resource.raw()) {
                Applies::Yes => return Applies::Yes,
                Applies::Unknown => best = Applies::Unknown,
                Applies::No => {}
            }
        }
    }
    best
}
