//! How much a search may look at before it gives up.
//!
//! Work is counted in tokens of patterns and not in time, so that the same input gives the same answer on every machine
//! and with any number of threads.

use std::cell::Cell;

/// How much one rule may look at for one subject: some hundredths of a second.
const OF_RULE: usize = 12_000_000;

/// Which part of what is left one question may take, so that a hard one leaves something for those behind it.
const SHARE: usize = 4;

/// What the gap of a rule says where a search was given up.
pub const GIVEN_UP: &str =
    "it hangs on a search that was given up: the conditions have more combinations than are tried";

/// The work that the questions of one rule about one subject share, in tokens of patterns.
///
/// Each rule has one of its own for each subject, so that no answer hangs on which other rules run.
#[derive(Debug)]
pub struct Allowance(Cell<usize>);

impl Allowance {
    /// That of one rule for one subject.
    pub fn of_rule() -> Self {
        Allowance::part_of_rule(1)
    }

    /// An equal part of it, for one of so many answers that several rules read and none has asked for by itself.
    pub fn part_of_rule(parts: usize) -> Self {
        Allowance::of(OF_RULE / parts.max(1))
    }

    /// So much.
    pub(in crate::access) fn of(work: usize) -> Self {
        Allowance(Cell::new(work))
    }

    /// One without an end, for single questions.
    pub fn endless() -> Self {
        Allowance::of(usize::MAX)
    }

    /// Whether nothing is left of it that is worth a question.
    pub fn is_spent(&self) -> bool {
        self.share() == 0
    }

    /// What one question may take of it.
    pub(in crate::access) fn share(&self) -> usize {
        self.0.get() / SHARE
    }

    /// Takes work from what is left.
    pub(in crate::access) fn spend(&self, work: usize) {
        self.0.set(self.0.get().saturating_sub(work));
    }
}
