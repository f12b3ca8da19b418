//! Conditions, in three values: a key whose value is not known makes a clause neither true nor false.
//!
//! Source: IAM User Guide, "Conditions with multiple context keys or values", "Single-valued vs. multivalued context
//! keys" and the IAM Access Analyzer policy check reference (empty lists).

use compact_str::CompactString;

use super::ast::{Clause, Effect};
use super::operator::{Family, Operator, SetOperator};
use super::pattern::Case;
use super::template::{Lookup, Match, Template, Variable};
use super::values;
use crate::aws::ConditionKey;

/// True, false, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tri {
    /// Certainly not.
    False,
    /// Not decided by what is known.
    Unknown,
    /// Certainly.
    True,
}

impl Tri {
    /// The lesser of the two: both must hold.
    pub fn and(self, other: Tri) -> Tri {
        self.min(other)
    }

    /// The greater of the two: one must hold.
    pub fn or(self, other: Tri) -> Tri {
        self.max(other)
    }
}

impl std::ops::Not for Tri {
    type Output = Tri;

    fn not(self) -> Tri {
        match self {
            Tri::False => Tri::True,
            Tri::Unknown => Tri::Unknown,
            Tri::True => Tri::False,
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Tri::True } else { Tri::False }
    }
}

/// What a request has for a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyValue<'c> {
    /// The request does not carry the key.
    Absent,
    /// Whether it carries the key is not known.
    Unknown,
    /// It carries the key, with a value that is not known.
    Present,
    /// One value.
    One(&'c str),
    /// A list of values.
    Many(&'c [CompactString]),
}

/// The context of a request: a value for every key.
pub trait Context {
    /// What the request has for `key`.
    fn value(&self, key: &ConditionKey) -> KeyValue<'_>;

    /// Whether what AWS's documents leave open is not known, rather than what most hold it to be.
    ///
    /// That is so where requests are looked for, and not where one is given whole.
    fn is_open(&self) -> bool {
        false
    }

    /// What a policy variable takes from the request; several values are none.
    fn variable(&self, variable: &Variable) -> Lookup<'_> {
        match self.value(&variable.key) {
            KeyValue::One(_) if is_multivalued(&variable.key) => Lookup::Absent,
            KeyValue::One(value) => Lookup::Value(value),
            KeyValue::Unknown | KeyValue::Present => Lookup::Unknown,
            KeyValue::Absent | KeyValue::Many(_) => Lookup::Absent,
        }
    }
}

/// Whether AWS defines a key as a list of values.
///
/// Source: IAM User Guide, "AWS global condition context keys", and the Service Authorization Reference.
pub fn is_multivalued(key: &ConditionKey) -> bool {
    const MULTIVALUED: [&str; 14] = [
        "aws:principalorgpaths",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:vpceorgpaths",
        "aws:tagkeys",
        "aws:calledvia",
        "aws:principalservicenameslist",
        "kms:encryptioncontextkeys",
        "kms:grantoperations",
        "kms:resourcealiases",
        "sts:transitivetagkeys",
        "sts:requestcontextproviders",
        "s3:requestobjecttagkeys",
        "s3:inventoryaccessibleoptionalfields",
    ];
    MULTIVALUED.contains(&key.as_str())
}

/// Whether a clause of a statement with this effect holds for a request.
///
/// The effect matters only where a value list is empty: AWS's text contradicts itself there, so an Allow does not hold
/// and a Deny does.
pub fn holds(clause: &Clause, effect: Effect, context: &dyn Context) -> Tri {
    let operator = clause.operator;
    let value = context.value(&clause.key);
    if clause.values.is_empty() {
        return with_no_values(operator, effect, value);
    }
    if operator.family == Family::Null {
        return null(clause, operator, value);
    }
    match value {
        KeyValue::Absent => absent(operator),
        KeyValue::Present => when_present(clause),
        KeyValue::Unknown => {
            let (absent, present) = (absent(operator), when_present(clause));
            if absent == present { absent } else { Tri::Unknown }
        }
        KeyValue::One(one) => match operator.set {
            None if is_multivalued(&clause.key) => Tri::Unknown,
            // An empty text counts as no value there.
            Some(SetOperator::ForAllValues) if one.is_empty() => Tri::True,
            _ => meets(clause, one, context),
        },
        KeyValue::Many(many) => match operator.set {
            Some(SetOperator::ForAllValues) => {
                let values = many.iter().filter(|one| !one.is_empty());
                values.fold(Tri::True, |so_far, one| so_far.and(meets(clause, one, context)))
            }
            Some(SetOperator::ForAnyValue) => {
                many.iter().fold(Tri::False, |so_far, one| so_far.or(meets(clause, one, context)))
            }
            None if many.is_empty() => absent(operator),
            None => match many {
                [one] if !is_multivalued(&clause.key) => meets(clause, one, context),
                _ => Tri::Unknown,
            },
        },
    }
}

/// A clause with `[]` for its values.
fn with_no_values(operator: Operator, effect: Effect, value: KeyValue<'_>) -> Tri {
    let missing = match value {
        KeyValue::Absent => Tri::True,
        KeyValue::Unknown => Tri::Unknown,
        KeyValue::Many([]) => Tri::True,
        _ => Tri::False,
    };
    match operator.set {
        Some(SetOperator::ForAnyValue) => Tri::False,
        Some(SetOperator::ForAllValues) => missing,
        None if operator.if_exists => missing,
        None => Tri::from(effect == Effect::Deny),
    }
}

fn null(clause: &Clause, operator: Operator, value: KeyValue<'_>) -> Tri {
    let missing = match (operator.set, value) {
        (Some(SetOperator::ForAllValues), _) => return Tri::True,
        (Some(SetOperator::ForAnyValue), _) => return Tri::False,
        (None, KeyValue::Absent) => Tri::True,
        (None, KeyValue::Unknown) => Tri::Unknown,
        (None, _) => Tri::False,
    };
    clause.values.iter().fold(Tri::False, |so_far, wanted| {
        so_far.or(match wanted.template.raw() {
            text if text.eq_ignore_ascii_case("true") => missing,
            text if text.eq_ignore_ascii_case("false") => !missing,
            _ => Tri::False,
        })
    })
}

/// What an operator makes of a key that is not there.
pub fn absent(operator: Operator) -> Tri {
    Tri::from(match operator.set {
        Some(SetOperator::ForAllValues) => true,
        Some(SetOperator::ForAnyValue) => false,
        None => operator.if_exists || operator.negated,
    })
}

/// What a clause makes of a key that is there with a value that is not known.
fn when_present(clause: &Clause) -> Tri {
    let everything = clause.operator.family == Family::StringLike
        && clause.values.iter().any(|v| !v.template.raw().is_empty() && v.template.raw().bytes().all(|b| b == b'*'));
    match everything && !is_multivalued(&clause.key) {
        true => Tri::from(!clause.operator.negated),
        false => Tri::Unknown,
    }
}

/// Whether one request value meets the clause's list of values.
fn meets(clause: &Clause, request: &str, context: &dyn Context) -> Tri {
    let mut found = Tri::False;
    for wanted in &clause.values {
        match compare(clause.operator, request, &wanted.template, context) {
            Some(this) => found = found.or(this),
            // A value of the wrong type matches nothing, under the negated operator neither.
            None if clause.operator.negated => return Tri::False,
            None => {}
        }
    }
    if clause.operator.negated { !found } else { found }
}

/// Compares one request value with one policy value, not negated; `None` where a type does not fit.
fn compare(operator: Operator, request: &str, wanted: &Template, context: &dyn Context) -> Option<Tri> {
    let look_up = |variable: &Variable| context.variable(variable);
    let met = match operator.family {
        Family::String => wanted.matches_exactly(request, Case::Sensitive, &look_up),
        Family::StringIgnoreCase => wanted.matches_exactly(request, Case::Insensitive, &look_up),
        Family::StringLike => wanted.matches_like(request, Case::Sensitive, &look_up),
        // A lone star has not the six fields of an ARN; whether AWS takes it for all ARNs is not documented.
        Family::Arn if context.is_open() && wanted.raw().bytes().all(|b| b == b'*') => Match::Unknown,
        Family::Arn => wanted.matches_whole_arn(request, &look_up),
        Family::Numeric => return values::number(request, wanted.raw(), operator.order).map(Tri::from),
        Family::Date => return values::date(request, wanted.raw(), operator.order).map(Tri::from),
        Family::Bool => return values::boolean(request, wanted.raw()).map(Tri::from),
        Family::Binary => return values::binary(request, wanted.raw()).map(Tri::from),
        Family::Ip => return values::address(request, wanted.raw()).map(Tri::from),
        Family::Null => return None,
    };
    Some(match met {
        Match::Yes => Tri::True,
        Match::Unknown => Tri::Unknown,
        Match::No | Match::NoValue => Tri::False,
    })
}
