//! Facts that may be there, not be there, or not be known.

use std::borrow::Cow;
use std::fmt;

use crate::text::Span;

/// Something that was needed and is not known: not collected, not readable, contradictory, not decidable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The fact, as `kind.name`: `bucket.encryption`.
    pub fact: Cow<'static, str>,
    /// Why it is not known.
    pub reason: Cow<'static, str>,
    /// Where this can be seen: both places of a contradiction, the recorded refusal, …
    pub places: Vec<Span>,
}

impl Gap {
    /// A gap without a place.
    pub fn new(fact: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Gap { fact: fact.into(), reason: reason.into(), places: Vec::new() }
    }

    /// A fact that no input told.
    pub fn not_collected(fact: impl Into<Cow<'static, str>>) -> Self {
        Gap::new(fact, "not in the inputs")
    }

    /// The same gap, seen at these places.
    pub fn at(mut self, places: impl IntoIterator<Item = Span>) -> Self {
        self.places.extend(places);
        self
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fact, self.reason)
    }
}

/// A collected fact.
///
/// Reading one goes through [`Known::get`], so that "not collected" can not be taken for "not there".
#[derive(Debug, Clone)]
pub enum Known<T> {
    /// It is there; the place it was read from.
    Present(T, Span),
    /// It is certainly not there; the place that says so.
    Absent(Span),
    /// It is not known.
    Unknown(Gap),
}

impl<T> Known<T> {
    /// A fact that no input told.
    pub fn not_collected(fact: impl Into<Cow<'static, str>>) -> Self {
        Known::Unknown(Gap::not_collected(fact))
    }

    /// The fact, `None` where it is certainly not there.
    ///
    /// # Errors
    /// The gap, where it is not known; checks hand it on with `?`.
    pub fn get(&self) -> Result<Option<&T>, Gap> {
        match self {
            Known::Present(value, _) => Ok(Some(value)),
            Known::Absent(_) => Ok(None),
            Known::Unknown(gap) => Err(gap.clone()),
        }
    }

    /// The fact, where it is known to be there: for questions in which absent and unknown are the same.
    pub fn present(&self) -> Option<&T> {
        match self {
            Known::Present(value, _) => Some(value),
            _ => None,
        }
    }

    /// Where the fact, or its absence, was read.
    pub fn span(&self) -> Option<Span> {
        match self {
            Known::Present(_, span) | Known::Absent(span) => Some(*span),
            Known::Unknown(_) => None,
        }
    }

    /// The gap, where the fact is not known.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Known::Unknown(gap) => Some(gap),
            _ => None,
        }
    }

    /// Whether the fact is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Known::Unknown(_))
    }

    /// Changes the fact, where it is there.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Known::Present(value, span) => Known::Present(change(value), span),
            Known::Absent(span) => Known::Absent(span),
            Known::Unknown(gap) => Known::Unknown(gap),
        }
    }
}
