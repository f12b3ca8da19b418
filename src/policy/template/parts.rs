//! A template with the values of a request in it, compared with a text.

use super::{Lookup, Match, Piece, Variable};
use crate::policy::pattern::{self, Case, Token};

/// A part of a template, variables filled in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'s> {
    /// Text with wildcards.
    Pattern(&'s str),
    /// Text as it is.
    Plain(&'s str),
    /// One character as it is.
    Char(char),
    /// Any text: a value that is not known.
    Any,
}

impl<'s> Part<'s> {
    fn tokens(&self) -> PartTokens<'s> {
        let (text, wildcards, one) = match *self {
            Part::Pattern(text) => (text, true, None),
            Part::Plain(text) => (text, false, None),
            Part::Char(c) => ("", false, Some(Token::Char(c))),
            Part::Any => ("", false, Some(Token::Any)),
        };
        PartTokens { chars: text.chars(), wildcards, one }
    }
}

#[derive(Clone)]
struct PartTokens<'s> {
    chars: std::str::Chars<'s>,
    wildcards: bool,
    one: Option<Token>,
}

impl Iterator for PartTokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.one.take().or_else(|| {
            Some(match self.chars.next()? {
                '*' if self.wildcards => Token::Any,
                '?' if self.wildcards => Token::One,
                other => Token::Char(other),
            })
        })
    }
}

/// Compares pieces with a text.
pub(super) fn match_pieces<'v>(
    pieces: &[Piece],
    text: &str,
    case: Case,
    wildcards: bool,
    values: &dyn Fn(&Variable) -> Lookup<'v>,
) -> Match {
    match_parts(Part::Plain(""), pieces, text, case, wildcards, values)
}

/// Compares a first part and the pieces behind it with a text.
pub(super) fn match_parts<'v>(
    first: Part<'_>,
    pieces: &[Piece],
    text: &str,
    case: Case,
    wildcards: bool,
    values: &dyn Fn(&Variable) -> Lookup<'v>,
) -> Match {
    const FEW: usize = 8;
    let (mut few, mut many) = ([Part::Any; FEW], Vec::new());
    let parts: &mut [Part<'_>] = match few.get_mut(..=pieces.len()) {
        Some(parts) => parts,
        None => {
            many.resize(pieces.len() + 1, Part::Any);
            &mut many
        }
    };
    let mut unknown = false;
    for (at, part) in parts.iter_mut().enumerate() {
        let Some(piece) = at.checked_sub(1).and_then(|at| pieces.get(at)) else {
            *part = first;
            continue;
        };
        *part = match piece {
            Piece::Text(text) if wildcards => Part::Pattern(text),
            Piece::Text(text) => Part::Plain(text),
            Piece::Literal(c) => Part::Char(*c),
            Piece::Variable(variable) => match (values(variable), &variable.default) {
                (Lookup::Value(value), _) => Part::Plain(value),
                (Lookup::Absent, Some(default)) => Part::Plain(default),
                (Lookup::Absent, None) => return Match::NoValue,
                // Any value might stand there: what does not match now never will.
                (Lookup::Unknown, _) => {
                    unknown = true;
                    Part::Any
                }
            },
        };
    }
    match matches_parts(parts, text, case) {
        true if unknown => Match::Unknown,
        true => Match::Yes,
        false => Match::No,
    }
}

fn matches_parts(mut parts: &[Part<'_>], mut text: &str, case: Case) -> bool {
    // What is text as it is comes off the front as a whole.
    while case == Case::Sensitive
        && let Some((first, rest)) = parts.split_first()
    {
        let (head, open) = match first {
            Part::Plain(plain) => (*plain, ""),
            Part::Pattern(pattern) => {
                pattern.split_at(memchr::memchr2(b'*', b'?', pattern.as_bytes()).unwrap_or(pattern.len()))
            }
            Part::Char(_) | Part::Any => break,
        };
        let Some(behind) = text.strip_prefix(head) else { return false };
        if !open.is_empty() {
            if rest.is_empty() {
                return pattern::matches(open, behind, case);
            }
            break;
        }
        (text, parts) = (behind, rest);
    }
    pattern::matches_tokens(parts.iter().flat_map(Part::tokens), text, case)
}
