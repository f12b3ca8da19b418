//! What a search comes to, and how certain that is.

use crate::access::search::{Answer, Found};
use crate::access::sts::Way;
use crate::finding::Dependency;
use crate::finding::matrix::Certainty;

/// A request that gets through, or may.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) certainty: Certainty,
    /// What it hangs on, and what was not collected and could take it away.
    pub(super) depends_on: Vec<Dependency>,
    pub(super) found: Option<Found>,
}

/// The best answer on several ways.
pub(super) fn best_on(ways: &[Way], mut ask: impl FnMut(&Way) -> Answer) -> Option<Hit> {
    let mut best = None;
    for way in ways {
        let answer = way.weigh(ask(way));
        if better(&mut best, judged(answer)) {
            break;
        }
    }
    best
}

/// What an answer of a search comes to.
pub(super) fn judged(answer: Answer) -> Option<Hit> {
    match answer {
        Answer::No => None,
        Answer::Undecided => Some(Hit {
            certainty: Certainty::Unknown,
            depends_on: vec![Dependency::bound("a search that was given up because the policies leave too much open")],
            found: None,
        }),
        Answer::Yes(found) => Some(Hit { certainty: Certainty::Certain, depends_on: Vec::new(), found: Some(found) }),
        Answer::If(found) => {
            let depends_on = found.explanation.depends_on.clone();
            let certainty =
                if depends_on.iter().any(Dependency::is_fact) { Certainty::Unknown } else { Certainty::Conditional };
            Some(Hit { certainty, depends_on, found: Some(found) })
        }
    }
}

/// Keeps the better of two, and of two that nobody can tell also what a bound left open; whether it can not be bettered.
pub(super) fn better(best: &mut Option<Hit>, hit: Option<Hit>) -> bool {
    match (&mut *best, hit) {
        (Some(known), Some(hit)) if hit.certainty >= known.certainty => {
            if known.certainty == Certainty::Unknown {
                known.depends_on.extend(hit.depends_on.into_iter().filter(Dependency::is_bound));
                Dependency::settle(&mut known.depends_on);
            }
        }
        (_, Some(hit)) => *best = Some(hit),
        (_, None) => {}
    }
    best.as_ref().is_some_and(|best| best.certainty == Certainty::Certain)
}

impl Hit {
    /// Something that was not found out, and what.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Hit { certainty: Certainty::Unknown, depends_on: vec![Dependency::bound(why)], found: None }
    }

    /// Whether it is for certain.
    pub(super) fn is_certain(&self) -> bool {
        self.certainty == Certainty::Certain
    }
}
