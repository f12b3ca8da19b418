//! What a cell's abilities have in common, so that each way and each cause is told once.

use super::words::{could_deny, is_fetch, joined, verb};
use crate::finding::matrix::{Ability, Access, Cell, Certainty, Hop};
use crate::finding::{Dependency, Step, StepEffect};

/// From what matters most to what matters least.
const ORDER: [Ability; 4] = [Ability::Decrypt, Ability::Get, Ability::Write, Ability::List];

/// Abilities that come about by the same path and are as certain; never none.
#[derive(Debug, Clone)]
pub(super) struct Way<'m> {
    pub(super) path: &'m [Hop],
    pub(super) certainty: Certainty,
    /// The ability that matters most comes first.
    pub(super) accesses: Vec<&'m Access>,
    /// Objects are fetched only: what is in them may be unreadable.
    is_fetch: bool,
}

/// Abilities that are missing for the same reason; never none.
#[derive(Debug, Clone)]
pub(super) struct Cause<'m> {
    pub(super) cause: &'m str,
    pub(super) abilities: Vec<Ability>,
    /// The steps of all, each once.
    pub(super) steps: Vec<&'m Step>,
    /// What it would take, each once.
    pub(super) would_take: Vec<&'m str>,
}

/// The ways to what can be done.
pub(super) fn ways(cell: &Cell) -> Vec<Way<'_>> {
    let mut ways: Vec<Way<'_>> = Vec::new();
    for access in ORDER.into_iter().filter_map(|ability| cell.access(ability)) {
        let same = |way: &&mut Way<'_>| way.certainty == access.certainty && way.path == access.path;
        match ways.iter_mut().find(same) {
            Some(way) => way.accesses.push(access),
            None => ways.push(Way {
                path: &access.path,
                certainty: access.certainty,
                accesses: vec![access],
                is_fetch: is_fetch(cell),
            }),
        }
    }
    // What is certain comes first; the sort is stable.
    ways.sort_by_key(|way| way.certainty);
    ways
}

/// The causes of what can not be done.
pub(super) fn causes(cell: &Cell) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for ability in [Ability::Get, Ability::Decrypt, Ability::List, Ability::Write] {
        let Some(refusal) = cell.can_not.iter().find(|refusal| refusal.ability == ability) else { continue };
        let at = causes.iter().position(|cause| cause.cause == refusal.cause).unwrap_or_else(|| {
            let (abilities, steps, would_take) = (Vec::new(), Vec::new(), Vec::new());
            causes.push(Cause { cause: &refusal.cause, abilities, steps, would_take });
            causes.len() - 1
        });
        let Some(cause) = causes.get_mut(at) else { continue };
        cause.abilities.push(ability);
        for step in &refusal.steps {
            if !cause.steps.contains(&step) {
                cause.steps.push(step);
            }
        }
        for need in &refusal.would_take {
            if !cause.would_take.contains(&need.as_str()) {
                cause.would_take.push(need);
            }
        }
    }
    causes
}

impl<'m> Way<'m> {
    /// `list, read and decrypt`.
    pub(super) fn verbs(&self) -> String {
        let last = if self.certainty == Certainty::Unknown { "or" } else { "and" };
        let said = verbs(self.accesses.iter().map(|access| access.ability), last);
        if self.is_fetch { said.replace("read", "fetch") } else { said }
    }

    /// `can list and read, because`, `can read, if what follows holds`, `whether … is not known`, without its colon.
    pub(super) fn heading(&self) -> String {
        let verbs = self.verbs();
        match self.certainty {
            Certainty::Certain => format!("can {verbs}, because"),
            Certainty::Conditional => format!("can {verbs}, if what follows holds"),
            Certainty::Unknown => format!("not known whether it can {verbs}"),
        }
    }

    /// What any of them hangs on, each once.
    pub(super) fn depends_on(&self) -> Vec<&'m str> {
        self.facts(|certainty, fact| certainty == Certainty::Unknown || !could_deny(certainty, fact))
    }

    /// What was not collected and could deny any of them, each once.
    pub(super) fn unless(&self) -> Vec<&'m str> {
        self.facts(could_deny)
    }

    fn facts(&self, is_wanted: impl Fn(Certainty, &Dependency) -> bool) -> Vec<&'m str> {
        let mut found: Vec<&str> = Vec::new();
        for access in &self.accesses {
            for fact in access.depends_on.iter().filter(|fact| is_wanted(access.certainty, fact)) {
                if !found.contains(&fact.text()) {
                    found.push(fact.text());
                }
            }
        }
        found
    }
}

impl Cause<'_> {
    /// `list, read or decrypt`.
    pub(super) fn verbs(&self) -> String {
        verbs(self.abilities.iter().copied(), "or")
    }
}

fn verbs(abilities: impl Iterator<Item = Ability>, last: &str) -> String {
    let mut abilities: Vec<Ability> = abilities.collect();
    abilities.sort_unstable();
    let verbs: Vec<&str> = abilities.into_iter().map(verb).collect();
    joined(&verbs, last)
}

/// The word before a step: what an Allow lacks is said at its place.
pub(super) fn word(step: &Step) -> &'static str {
    match (step.effect, step.span) {
        (StepEffect::Missing, Some(_)) => "why",
        // What others can grant is no doubt about what a policy says.
        (StepEffect::If, None) => "and",
        (effect, _) => effect.name(),
    }
}
