//! Policy variables: `${aws:PrincipalAccount}`, defaults `${key, 'text'}`, and the literals `${*}` `${?}` `${$}`.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags". A substituted value is plain text: stars in it
//! match only themselves.

mod parts;

use compact_str::CompactString;

use self::parts::{Part, match_parts, match_pieces};
use super::pattern::{self, Case};
use crate::aws::{Arn, ConditionKey};

/// A text in which AWS puts values of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Text);

/// Most texts have no variable, and are no larger for those that have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    Plain(CompactString),
    InPieces(Box<(CompactString, Vec<Piece>)>),
}

/// One part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text in which `*` and `?` keep the meaning of their place.
    Text(CompactString),
    /// A character that stands for itself: `${*}`, `${?}`, `${$}`.
    Literal(char),
    /// A value of the request.
    Variable(Variable),
}

/// A policy variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The condition key it stands for.
    pub key: ConditionKey,
    /// The text between `${` and `}` as written.
    pub written: CompactString,
    /// What stands in for a missing value.
    pub default: Option<CompactString>,
}

/// What a request has for a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// This one value.
    Value(&'a str),
    /// None, or several (a variable takes a single value).
    Absent,
    /// Not known.
    Unknown,
}

/// How a template met a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// A variable that is not known decides.
    Unknown,
    /// A variable has no value and no default.
    NoValue,
}

/// What is wrong with a variable as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableMistake {
    /// `${` without `}`.
    MissingBrace,
    /// `${}`.
    Empty,
    /// White space in the name.
    Space,
    /// A default without both single quotes.
    MissingQuote,
}

impl Template {
    /// A text whose `${…}` are variables where `substitutes` (Version 2012-10-17), else plain text.
    pub fn new(raw: &str, substitutes: bool) -> Self {
        let text = CompactString::new(raw);
        match substitutes && memchr::memchr(b'$', raw.as_bytes()).is_some() && raw.contains("${") {
            true => Template(Text::InPieces(Box::new((text, pieces(raw))))),
            false => Template(Text::Plain(text)),
        }
    }

    /// The text as written.
    pub fn raw(&self) -> &str {
        match &self.0 {
            Text::Plain(raw) => raw,
            Text::InPieces(text) => &text.0,
        }
    }

    /// Its parts, where it holds a variable or an escaped character.
    pub fn pieces(&self) -> Option<&[Piece]> {
        match &self.0 {
            Text::Plain(_) => None,
            Text::InPieces(text) => Some(&text.1),
        }
    }

    /// The variables it holds.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces().unwrap_or_default().iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            _ => None,
        })
    }

    /// Whether it holds a variable or an escaped character.
    pub fn is_plain(&self) -> bool {
        self.pieces().is_none()
    }

    /// Whether `*` or `?` stands in it outside of variables.
    pub fn has_wildcard(&self) -> bool {
        match self.pieces() {
            None => pattern::has_wildcard(self.raw()),
            Some(pieces) => pieces.iter().any(|p| matches!(p, Piece::Text(text) if pattern::has_wildcard(text))),
        }
    }

    /// Compares with a text, `*` and `?` being wildcards.
    pub fn matches_like<'v>(&self, text: &str, case: Case, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Match {
        match self.pieces() {
            None => yes_or_no(pattern::matches(self.raw(), text, case)),
            Some(pieces) => match_pieces(pieces, text, case, true, values),
        }
    }

    /// Compares with a text, `*` and `?` being themselves.
    pub fn matches_exactly<'v>(&self, text: &str, case: Case, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Match {
        match self.pieces() {
            None => yes_or_no(match case {
                Case::Sensitive => self.raw() == text,
                Case::Insensitive if self.raw().is_ascii() && text.is_ascii() => self.raw().eq_ignore_ascii_case(text),
                Case::Insensitive => self.raw().to_lowercase() == text.to_lowercase(),
            }),
            Some(pieces) => match_pieces(pieces, text, case, false, values),
        }
    }

    /// Compares with an ARN field by field; in the first five fields a wildcard does not cross a colon.
    ///
    /// `*` alone matches everything, and a text with fewer fields that ends in `*` matches as if the others were `*`:
    /// this is how `Resource` is compared.
    pub fn matches_arn<'v>(&self, arn: &str, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Match {
        if self.raw() == "*" {
            return Match::Yes;
        }
        self.match_fields(arn, self.raw().ends_with('*'), values)
    }

    /// Compares with an ARN field by field; a text without all six fields matches nothing: this is how the ARN
    /// operators compare.
    pub fn matches_whole_arn<'v>(&self, arn: &str, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Match {
        self.match_fields(arn, false, values)
    }

    fn match_fields<'v>(&self, arn: &str, padded: bool, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Match {
        let quick = match self.pieces() {
            None => match_plain(self.raw(), arn),
            Some(pieces) => match_resource(pieces, arn, values),
        };
        quick.unwrap_or_else(|| self.match_each_field(arn, padded, values))
    }

    fn match_each_field<'v>(&self, arn: &str, padded: bool, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Match {
        let Some(arn) = Arn::parse(arn) else { return Match::No };
        let wanted = ["arn", arn.partition, arn.service, arn.region, arn.account, arn.resource];
        let fields = fields(self.raw(), !self.is_plain());
        let mut result = Match::Yes;
        if !padded && fields.iter().any(Option::is_none) {
            return Match::No;
        }
        for (field, text) in fields.iter().flatten().zip(wanted) {
            let here = if self.is_plain() || !field.contains("${") {
                yes_or_no(pattern::matches(field, text, Case::Sensitive))
            } else {
                match_pieces(&pieces(field), text, Case::Sensitive, true, values)
            };
            match here {
                Match::Yes => {}
                Match::No => return Match::No,
                other if result == Match::Yes || other == Match::NoValue => result = other,
                _ => {}
            }
        }
        result
    }
}

/// Splits an ARN pattern at its first five colons, variables left whole.
fn fields(raw: &str, variables: bool) -> [Option<&str>; 6] {
    let mut out = [None; 6];
    let mut start = 0;
    let mut slot = 0;
    let bytes = raw.as_bytes();
    let mut at = 0;
    while at < bytes.len() && slot < 5 {
        if variables && bytes.get(at..at + 2) == Some(b"${") {
            at = raw.get(at..).and_then(|rest| rest.find('}')).map_or(bytes.len(), |end| at + end + 1);
            continue;
        }
        if bytes.get(at) == Some(&b':') {
            if let Some(place) = out.get_mut(slot) {
                *place = raw.get(start..at);
            }
            slot += 1;
            start = at + 1;
        }
        at += 1;
    }
    if let Some(place) = out.get_mut(slot) {
        *place = raw.get(start..);
    }
    out
}

/// Splits a text into its parts; what is no variable as AWS writes them stays text.
fn pieces(raw: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, behind)) = close(after) else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(CompactString::new(before)));
        }
        pieces.push(match inside {
            "*" => Piece::Literal('*'),
            "?" => Piece::Literal('?'),
            "$" => Piece::Literal('$'),
            _ => Piece::Variable(variable(inside)),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(CompactString::new(rest)));
    }
    pieces
}

/// Finds the brace that closes a variable; one inside a quoted default does not.
fn close(after: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in after.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Some((after.get(..at)?, after.get(at + 1..)?)),
            _ => {}
        }
    }
    after.split_once('}')
}

fn variable(inside: &str) -> Variable {
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'').and_then(|d| d.strip_suffix('\''));
            (key, default.map(CompactString::new))
        }
        None => (inside, None),
    };
    Variable { key: ConditionKey::new(key.trim()), written: CompactString::new(inside), default }
}

/// Each mistake in the variables of a text, with the byte where it stands.
pub fn mistakes(raw: &str) -> Vec<(usize, VariableMistake)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = raw.get(from..).and_then(|rest| rest.find("${")).map(|i| from + i) {
        let Some((inside, _)) = raw.get(start + 2..).and_then(close) else {
            found.push((start, VariableMistake::MissingBrace));
            break;
        };
        let (key, default) = inside.split_once(',').map_or((inside, None), |(k, d)| (k, Some(d.trim())));
        if inside.is_empty() {
            found.push((start, VariableMistake::Empty));
        } else if key.contains(char::is_whitespace) {
            found.push((start, VariableMistake::Space));
        } else if default.is_some_and(|d| d.len() < 2 || !d.starts_with('\'') || !d.ends_with('\'')) {
            found.push((start, VariableMistake::MissingQuote));
        }
        from = start + 2 + inside.len() + 1;
    }
    found
}

/// Compares a pattern without variables with an ARN; `None` where a wildcard stands before the resource.
///
/// Up to the first wildcard the text is to be the same, colons included, so fields need not be told apart.
fn match_plain(raw: &str, arn: &str) -> Option<Match> {
    let Some(wildcard) = memchr::memchr2(b'*', b'?', raw.as_bytes()) else {
        return Some(yes_or_no(raw == arn && Arn::parse(arn).is_some()));
    };
    let (head, rest) = raw.split_at(wildcard);
    let Some(behind) = arn.strip_prefix(head) else { return Some(Match::No) };
    resource_of(head)?;
    Some(yes_or_no(arn.starts_with("arn:") && pattern::matches(rest, behind, Case::Sensitive)))
}

/// Compares a pattern with an ARN where variables and wildcards stand in the resource alone; else `None`.
fn match_resource<'v>(pieces: &[Piece], arn: &str, values: &dyn Fn(&Variable) -> Lookup<'v>) -> Option<Match> {
    let (Piece::Text(head), rest) = pieces.split_first()? else { return None };
    let (fields, resource) = head.split_at(resource_of(head)?);
    if pattern::has_wildcard(fields) {
        return None;
    }
    let Some(behind) = arn.strip_prefix(fields).filter(|_| arn.starts_with("arn:")) else { return Some(Match::No) };
    Some(match_parts(Part::Pattern(resource), rest, behind, Case::Sensitive, true, values))
}

/// Where the resource begins, in an ARN or in the beginning of one.
fn resource_of(arn: &str) -> Option<usize> {
    memchr::memchr_iter(b':', arn.as_bytes()).nth(4).map(|colon| colon + 1)
}

fn yes_or_no(matches: bool) -> Match {
    if matches { Match::Yes } else { Match::No }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(variable: &Variable) -> Lookup<'static> {
        match variable.key.as_str() {
            "aws:principalaccount" => Lookup::Value("222222222222"),
            "aws:starry" => Lookup::Value("*"),
            "aws:sourceip" => Lookup::Unknown,
            _ => Lookup::Absent,
        }
    }

    fn like(raw: &str, text: &str) -> Match {
        Template::new(raw, true).matches_like(text, Case::Sensitive, &account)
    }

    #[test]
    fn variables_take_values_defaults_and_literals() {
        assert_eq!(like("x/${AWS:PrincipalAccount}/*", "x/222222222222/y"), Match::Yes);
        assert_eq!(like("x/${aws:PrincipalAccount}/*", "x/333333333333/y"), Match::No);
        assert_eq!(like("${aws:PrincipalTag/team, 'shared}x'}/*", "shared}x/y"), Match::Yes);
        assert_eq!(like("${aws:PrincipalTag/team}", ""), Match::NoValue);
        assert_eq!(like("a${*}b", "a*b"), Match::Yes);
        assert_eq!(like("a${*}b", "aXb"), Match::No);
        assert_eq!(like("a${$}{b}", "a${b}"), Match::Yes);
        assert_eq!(like("${aws:starry}", "anything"), Match::No);
    }

    #[test]
    fn an_unknown_variable_still_rules_out_what_can_not_match() {
        assert_eq!(like("a/${aws:SourceIp}/b", "a/1.2.3.4/b"), Match::Unknown);
        assert_eq!(like("a/${aws:SourceIp}/b", "z/1.2.3.4/b"), Match::No);
    }

    #[test]
    fn without_substitution_a_variable_is_its_own_text() {
        let template = Template::new("x/${aws:PrincipalAccount}", false);
        assert_eq!(template.matches_like("x/222222222222", Case::Sensitive, &account), Match::No);
        assert_eq!(template.matches_like("x/${aws:PrincipalAccount}", Case::Sensitive, &account), Match::Yes);
    }

    #[test]
    fn arn_fields_are_compared_one_by_one() {
        let arn = |raw: &str, text: &str| Template::new(raw, true).matches_arn(text, &account);
        assert_eq!(arn("arn:aws:iam::*:role/x", "arn:aws:iam::111111111111:role/x"), Match::Yes);
        assert_eq!(arn("arn:aws:*:role/x", "arn:aws:iam::111111111111:role/x"), Match::No);
        assert_eq!(arn("arn:aws:s3:::b/*", "arn:aws:s3:::b/k:with:colons/x"), Match::Yes);
        assert_eq!(arn("arn:aws:s3:::b/*", "arn:aws:s3:::b"), Match::No);
        assert_eq!(arn("arn:aws:s3:::b*", "arn:aws:s3:::b-2/k"), Match::Yes);
        assert_eq!(arn("arn:aws:s3*", "arn:aws:s3:::b"), Match::Yes);
        assert_eq!(arn("arn:aws:s3", "arn:aws:s3:::b"), Match::No);
        assert_eq!(arn("arn:aws:s3::", "arn:aws:s3:::b"), Match::No);
        assert_eq!(arn("*", "arn:aws:s3:::b"), Match::Yes);
        assert_eq!(arn("arn:aws:iam::${aws:PrincipalAccount}:role/r", "arn:aws:iam::222222222222:role/r"), Match::Yes);
        assert_eq!(arn("arn:aws:s3:::b/${aws:PrincipalTag/x}/*", "arn:aws:s3:::b/k/l"), Match::NoValue);
    }

    #[test]
    fn a_template_is_no_larger_than_its_text() {
        assert_eq!(size_of::<Template>(), size_of::<CompactString>());
    }

    #[test]
    fn each_mistake_is_found_where_it_stands() {
        assert_eq!(mistakes("a${x"), [(1, VariableMistake::MissingBrace)]);
        assert_eq!(mistakes("${}${a b}"), [(0, VariableMistake::Empty), (3, VariableMistake::Space)]);
        assert_eq!(mistakes("${a, 'b}"), [(0, VariableMistake::MissingQuote)]);
        assert_eq!(mistakes("${a, 'b'}${*}"), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_whole_comparison_agrees_with_field_by_field(
            pattern in "(arn:)?([as*?:]{0,3}:){0,5}([ab*?/:]|\\$\\{aws:(PrincipalAccount|SourceIp|x|x, 'b')\\}|\\$\\{[*]\\}){0,6}",
            arn in "(arn:)?([as]{0,2}:){3,5}[ab/:2*]{0,4}(222222222222)?[ab/]{0,2}",
            substitutes in any::<bool>(),
            padded in any::<bool>(),
        ) {
            let template = Template::new(&pattern, substitutes);
            let padded = padded && pattern.ends_with('*');
            let slowly = template.match_each_field(&arn, padded, &account);
            prop_assert_eq!(template.match_fields(&arn, padded, &account), slowly, "{} {}", pattern, arn);
        }

        #[test]
        fn parts_taken_off_the_front_agree_with_a_walk(
            pattern in "([ab*?]|\\$\\{aws:(PrincipalAccount|SourceIp|x, 'b')\\}|\\$\\{[*]\\}){0,6}",
            text in "[ab*]{0,3}(222222222222)?[ab]{0,3}",
        ) {
            let template = Template::new(&pattern, true);
            prop_assert_eq!(
                template.matches_like(&text, Case::Sensitive, &account),
                // Nothing is taken off where case does not count, and these letters have one case.
                template.matches_like(&text, Case::Insensitive, &account)
            );
        }
    }
}
