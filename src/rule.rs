//! What a rule is: a card that explains it and a check that decides.
//!
//! A check is synchronous and pure. It reads facts through views that are made once per subject, and ends in a
//! [`Verdict`]; a fact that is not known leaves it as a [`Gap`] by `?`.

mod card;
pub mod context;
pub mod role;
mod selection;
mod tags;

pub use card::{Card, CardError, Example, Expectation, Status};
pub use selection::{Selection, UnknownName};

use std::sync::OnceLock;

use crate::estate::Gap;
use crate::finding::{Draft, StatementId};
use crate::policy::Statement;

/// How a check ended for one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The question does not arise here.
    NotApplicable,
    /// All is well, as far as this rule goes.
    Pass,
    /// Deviations, and what could not be decided beside them.
    Fail(Vec<Draft>, Vec<Gap>),
}

/// A verdict, or the fact whose absence prevents one.
pub type Outcome = Result<Verdict, Gap>;

impl Verdict {
    /// [`Verdict::Fail`] where there is a finding, else [`Verdict::Pass`].
    pub fn of(findings: Vec<Draft>) -> Self {
        Verdict::with_gaps(findings, Vec::new())
    }

    /// Findings and gaps; [`Verdict::Pass`] where there is neither.
    pub fn with_gaps(findings: Vec<Draft>, gaps: Vec<Gap>) -> Self {
        if findings.is_empty() && gaps.is_empty() { Verdict::Pass } else { Verdict::Fail(findings, gaps) }
    }

    /// The same; [`Verdict::NotApplicable`] where there is neither and the question did not arise.
    pub fn if_asked(is_asked: bool, findings: Vec<Draft>, gaps: Vec<Gap>) -> Self {
        match Verdict::with_gaps(findings, gaps) {
            Verdict::Pass if !is_asked => Verdict::NotApplicable,
            verdict => verdict,
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule<C: 'static> {
    /// Its ID: kebab-case, names the bad state.
    pub id: &'static str,
    /// Its group: the folder of its card.
    pub group: &'static str,
    /// The text of its card.
    pub text: &'static str,
    /// What it looks at, and how.
    pub check: C,
    card: OnceLock<Card>,
}

impl<C> Rule<C> {
    /// A rule with the text of its card.
    pub const fn new(id: &'static str, group: &'static str, text: &'static str, check: C) -> Self {
        Rule { id, group, text, check, card: OnceLock::new() }
    }

    /// Its card, read when it is first needed.
    ///
    /// A test reads every card; one that does not parse shows its error as its summary.
    pub fn card(&self) -> &Card {
        self.card.get_or_init(|| Card::parse(self.text).unwrap_or_else(Card::unreadable))
    }

    /// Whether it asks what policies do; a rule on their language or length has its verdict where nobody can tell that.
    pub fn asks_what_policies_do(&self) -> bool {
        !matches!(self.group, "validity" | "limits")
    }

    /// Whether it runs unless it is selected or ignored by name.
    pub fn is_default(&self) -> bool {
        !self.text.contains("\ndefault = false\n")
    }
}

/// Something that a card explains, which is read when it is first asked for.
pub trait Explained: std::fmt::Debug + Sync {
    /// The card.
    fn card(&self) -> &Card;
}

impl<C: std::fmt::Debug + Sync> Explained for Rule<C> {
    fn card(&self) -> &Card {
        Rule::card(self)
    }
}

impl Explained for Card {
    fn card(&self) -> &Card {
        self
    }
}

impl From<&Statement> for StatementId {
    fn from(statement: &Statement) -> Self {
        StatementId { sid: statement.sid_text().map(str::to_owned), normal_form: statement.normal_form() }
    }
}
