//! What a search costs, in tokens of patterns.

use crate::access::evaluate::Policies;
use crate::policy::{Policy, Statement};

/// How many requests one question may put to the evaluator.
const MAX_TRIES: usize = 20_000;

/// What one comparison takes: as much as so many tokens of patterns.
pub(super) const WORK: usize = 8;

/// The work of one question, and what is left of it.
#[derive(Debug)]
pub(super) struct Meter {
    work: usize,
    tries: usize,
    is_spent: bool,
}

impl Meter {
    pub(super) fn new(work: usize) -> Self {
        Meter { work, tries: MAX_TRIES, is_spent: false }
    }

    /// Takes the work of a step that is done in any case.
    pub(super) fn charge(&mut self, work: usize) {
        self.work = self.work.saturating_sub(work);
    }

    /// Takes the work of one try; not where there is no more.
    pub(super) fn take(&mut self, work: usize) -> bool {
        match (self.work.checked_sub(work), self.tries.checked_sub(1)) {
            (Some(work), Some(tries)) if !self.is_spent => (self.work, self.tries) = (work, tries),
            _ => self.is_spent = true,
        }
        !self.is_spent
    }

    /// Whether a try was left out because there was no more.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// The work that is left.
    pub(super) fn left(&self) -> usize {
        self.work
    }
}

/// How much there is to compare in a statement.
pub(super) fn comparisons(statement: &Statement) -> usize {
    naming(statement) + in_conditions(statement)
}

/// How much there is to compare in the conditions of a statement.
pub(super) fn in_conditions(statement: &Statement) -> usize {
    let values = statement.conditions.iter().flat_map(|clause| &clause.values);
    let texts: usize = values.map(|value| comparing(value.template.raw())).sum();
    WORK * (1 + statement.conditions.len()) + texts
}

/// How much there is to compare in all that decides a request.
pub(super) fn of_all(policies: &Policies<'_>) -> usize {
    let statements = policies.all().flat_map(Policy::effective);
    let actions = |statement: &Statement| statement.actions.as_ref().map_or(0, |actions| actions.items.len());
    statements.map(|statement| actions(statement) + comparisons(statement)).sum()
}

/// How much there is to compare in what a statement is about.
pub(super) fn naming(statement: &Statement) -> usize {
    let items = statement.resources.iter().flat_map(|resources| &resources.items);
    WORK + items.map(|item| comparing(item.raw())).sum::<usize>()
}

/// What it takes to compare a text with a pattern: its wildcards, the last one left out, lead to new attempts.
fn comparing(pattern: &str) -> usize {
    let body = pattern.strip_suffix('*').unwrap_or(pattern);
    match memchr::memchr(b'*', body.as_bytes()) {
        Some(first) => WORK + 2 * (body.len() - first),
        None => WORK,
    }
}
