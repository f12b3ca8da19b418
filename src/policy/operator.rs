//! Condition operators, split into set operator, comparison and `IfExists`.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators".

use std::fmt;

/// How several values are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetOperator {
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// The kinds of values an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Text, exactly.
    String,
    /// Text, exactly, without regard to case.
    StringIgnoreCase,
    /// Text with wildcards.
    StringLike,
    /// Numbers.
    Numeric,
    /// Points in time.
    Date,
    /// `true` or `false`.
    Bool,
    /// Base64-encoded bytes.
    Binary,
    /// Address ranges.
    Ip,
    /// ARNs, field by field, with wildcards.
    Arn,
    /// Whether the key is there.
    Null,
}

/// The order an operator asks for; all but the numeric and date ones ask for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// The same.
    Equal,
    /// The request's value is less.
    Less,
    /// Less or the same.
    LessOrEqual,
    /// More.
    Greater,
    /// More or the same.
    GreaterOrEqual,
}

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// The set operator before it.
    pub set: Option<SetOperator>,
    /// What it compares.
    pub family: Family,
    /// The order it asks for.
    pub order: Order,
    /// Whether it is one of the `…Not…` operators.
    pub negated: bool,
    /// Whether `IfExists` ends it.
    pub if_exists: bool,
    /// Which of [`BASES`] it is: tells apart those that compare alike.
    base: u8,
}

const BASES: [(&str, Family, Order, bool); 27] = {
    use Family::*;
    use Order::*;
    [
        ("StringEquals", String, Equal, false),
        ("StringNotEquals", String, Equal, true),
        ("StringEqualsIgnoreCase", StringIgnoreCase, Equal, false),
        ("StringNotEqualsIgnoreCase", StringIgnoreCase, Equal, true),
        ("StringLike", StringLike, Equal, false),
        ("StringNotLike", StringLike, Equal, true),
        ("NumericEquals", Numeric, Equal, false),
        ("NumericNotEquals", Numeric, Equal, true),
        ("NumericLessThan", Numeric, Less, false),
        ("NumericLessThanEquals", Numeric, LessOrEqual, false),
        ("NumericGreaterThan", Numeric, Greater, false),
        ("NumericGreaterThanEquals", Numeric, GreaterOrEqual, false),
        ("DateEquals", Date, Equal, false),
        ("DateNotEquals", Date, Equal, true),
        ("DateLessThan", Date, Less, false),
        ("DateLessThanEquals", Date, LessOrEqual, false),
        ("DateGreaterThan", Date, Greater, false),
        ("DateGreaterThanEquals", Date, GreaterOrEqual, false),
        ("Bool", Bool, Equal, false),
        ("BinaryEquals", Binary, Equal, false),
        ("IpAddress", Ip, Equal, false),
        ("NotIpAddress", Ip, Equal, true),
        ("ArnEquals", Arn, Equal, false),
        ("ArnNotEquals", Arn, Equal, true),
        ("ArnLike", Arn, Equal, false),
        ("ArnNotLike", Arn, Equal, true),
        ("Null", Null, Equal, false),
    ]
};

impl Operator {
    /// Reads an operator; AWS's spelling in any case. `None` for what is no operator, `NullIfExists` included.
    pub fn parse(text: &str) -> Option<Self> {
        // As AWS spells it and without affixes: what most policies write.
        if let Some(operator) = Operator::find(|base| base == text) {
            return Some(operator);
        }
        let colon = text.bytes().position(|byte| byte == b':');
        let (set, rest) = match colon.and_then(|colon| text.split_at_checked(colon)) {
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Some(SetOperator::ForAllValues), rest.get(1..)?)
            }
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(SetOperator::ForAnyValue), rest.get(1..)?)
            }
            Some(_) => return None,
            None => (None, text),
        };
        let cut = rest.len().saturating_sub("IfExists".len());
        let (name, if_exists) = match rest.get(cut..) {
            Some(end) if cut > 0 && end.eq_ignore_ascii_case("IfExists") => (rest.get(..cut)?, true),
            _ => (rest, false),
        };
        let operator = Operator::find(|base| base.eq_ignore_ascii_case(name))?;
        if operator.family == Family::Null && if_exists {
            return None;
        }
        Some(Operator { set, if_exists, ..operator })
    }

    /// The operator without affixes whose name is the one wanted.
    fn find(is_wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let mut all = (0..).zip(&BASES);
        let (base, &(_, family, order, negated)) = all.find(|(_, known)| is_wanted(known.0))?;
        Some(Operator { set: None, family, order, negated, if_exists: false, base })
    }

    /// The name without set operator and `IfExists`.
    pub fn base(&self) -> &'static str {
        BASES.get(usize::from(self.base)).map_or("", |known| known.0)
    }

    /// Whether policy variables are substituted in its values (string and ARN operators).
    pub fn takes_variables(&self) -> bool {
        matches!(self.family, Family::String | Family::StringIgnoreCase | Family::StringLike | Family::Arn)
    }

    /// Whether `*` and `?` are wildcards in its values.
    pub fn takes_wildcards(&self) -> bool {
        matches!(self.family, Family::StringLike | Family::Arn)
    }

    /// Every operator name without set operator and `IfExists`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BASES.iter().map(|b| b.0)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.set {
            Some(SetOperator::ForAllValues) => "ForAllValues:",
            Some(SetOperator::ForAnyValue) => "ForAnyValue:",
            None => "",
        })?;
        f.write_str(self.base())?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_reads_back_as_written_with_each_affix() {
        for name in Operator::names() {
            for set in ["", "ForAllValues:", "ForAnyValue:"] {
                for end in ["", "IfExists"] {
                    let text = format!("{set}{name}{end}");
                    let read = Operator::parse(&text).map(|o| o.to_string());
                    assert_eq!(read, (text != format!("{set}NullIfExists")).then_some(text));
                }
            }
        }
        for text in ["", "Equals", "IfExists", "StringEqual", "ForSome:StringEquals", "ForAllValues:"] {
            assert_eq!(Operator::parse(text), None, "{text}");
        }
    }
}
