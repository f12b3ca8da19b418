//! Questions about all the texts that patterns match: do two share one, does one hold all of another.
//!
//! A pattern tells apart only the characters it names, so one character that no pattern names stands for all others and
//! the answers are exact.

mod difference;

use std::borrow::Cow;
use std::collections::HashSet;

pub use difference::{MAX_WORK, Text, difference};

use crate::policy::pattern::{Case, Token, has_wildcard, matches, tokens};

/// A character that stands for all that no pattern names.
const OTHER: char = '\u{10FFFF}';

/// How many states [`covers`] may visit before it gives up.
const MAX_STATES: usize = 20_000;

/// Whether some text is matched by both patterns.
pub fn overlap(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if !has_wildcard(one) {
        return matches(other, one, Case::Sensitive);
    }
    if !has_wildcard(other) {
        return matches(one, other, Case::Sensitive);
    }
    let (head, start) = (literal_head(one), literal_head(other));
    if !head.starts_with(start) && !start.starts_with(head) {
        return false;
    }
    // What the shorter head leaves begins with a wildcard; a lone star takes whatever the other leaves.
    if [one, other].iter().any(|pattern| pattern.get(head.len().min(start.len())..) == Some("*")) {
        return true;
    }
    // One text of the one, its stars empty, is often one of the other.
    let shortest = |pattern: &str| pattern.replace('*', "").replace('?', OTHER.encode_utf8(&mut [0; 4]));
    if matches(other, &shortest(one), Case::Sensitive) || matches(one, &shortest(other), Case::Sensitive) {
        return true;
    }
    let (one, other): (Vec<Token>, Vec<Token>) = (tokens(one).collect(), tokens(other).collect());
    // here[j]: whether the rest of `one` from i and the rest of `other` from j share a text; built from the end.
    let mut next: Vec<bool> = vec![false; other.len() + 1];
    let mut here = next.clone();
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            let at = |row: &[bool], j: usize| row.get(j).copied().unwrap_or(false);
            let met = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(Token::Any), _) => at(&next, j) || (j < other.len() && at(&here, j + 1)),
                (_, Some(Token::Any)) => at(&here, j + 1) || (i < one.len() && at(&next, j)),
                (Some(a), Some(b)) => {
                    let same = match (a, b) {
                        (Token::Char(a), Token::Char(b)) => a == b,
                        _ => true,
                    };
                    same && at(&next, j + 1)
                }
                _ => false,
            };
            if let Some(slot) = here.get_mut(j) {
                *slot = met;
            }
        }
        std::mem::swap(&mut next, &mut here);
    }
    next.first().copied().unwrap_or(false)
}

/// A pattern up to its first wildcard.
fn literal_head(pattern: &str) -> &str {
    pattern.split(['*', '?']).next().unwrap_or_default()
}

/// Whether `wide` matches every text that `narrow` matches; `None` where telling would take too long.
pub fn covers(wide: &str, narrow: &str) -> Option<bool> {
    if !has_wildcard(narrow) {
        return Some(matches(wide, narrow, Case::Sensitive));
    }
    if !has_wildcard(wide) {
        return Some(false);
    }
    // One of the texts of `narrow`. Where `wide` has no `?`, only a `*` can match what stands for its wildcards, and that
    // matches any other text in their place too.
    let text = narrow.replace(['*', '?'], OTHER.encode_utf8(&mut [0; 4]));
    let is_matched = matches(wide, &text, Case::Sensitive);
    if !is_matched || !wide.contains(['?', OTHER]) {
        return Some(is_matched);
    }
    let (wide, narrow): (Vec<Token>, Vec<Token>) = (tokens(wide).collect(), tokens(narrow).collect());
    let mut alphabet: Vec<char> = vec![OTHER];
    for token in wide.iter().chain(&narrow) {
        if let Token::Char(c) = token
            && !alphabet.contains(c)
        {
            alphabet.push(*c);
        }
    }
    let mut seen: HashSet<(usize, Vec<bool>)> = HashSet::new();
    let mut open = vec![(0, closure(&wide, std::iter::once(0)))];
    while let Some((at, places)) = open.pop() {
        if seen.len() > MAX_STATES {
            return None;
        }
        if !seen.insert((at, places.clone())) {
            continue;
        }
        match narrow.get(at) {
            None => {
                if !places.last().copied().unwrap_or(false) {
                    return Some(false);
                }
            }
            Some(Token::Char(c)) => open.push((at + 1, step(&wide, &places, *c))),
            Some(Token::One) => open.extend(alphabet.iter().map(|c| (at + 1, step(&wide, &places, *c)))),
            Some(Token::Any) => {
                open.extend(alphabet.iter().map(|c| (at, step(&wide, &places, *c))));
                open.push((at + 1, places));
            }
        }
    }
    Some(true)
}

/// The places of a pattern that are reached with no further character.
fn closure(pattern: &[Token], places: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut reached = vec![false; pattern.len() + 1];
    for place in places {
        let mut place = place;
        loop {
            if let Some(slot) = reached.get_mut(place) {
                *slot = true;
            }
            if pattern.get(place) != Some(&Token::Any) {
                break;
            }
            place += 1;
        }
    }
    reached
}

fn step(pattern: &[Token], places: &[bool], c: char) -> Vec<bool> {
    let next =
        places.iter().enumerate().filter(|(_, held)| **held).filter_map(|(place, _)| match pattern.get(place)? {
            Token::Any => Some(place),
            Token::One => Some(place + 1),
            Token::Char(wanted) => (*wanted == c).then_some(place + 1),
        });
    closure(pattern, next)
}

/// Whether some ARN is matched by both `Resource` patterns, field by field; a policy variable is taken for any text.
pub fn arns_overlap(one: &str, other: &str) -> bool {
    let (one, other) = (without_variables(one), without_variables(other));
    match (fields(&one), fields(&other)) {
        (Some(one), Some(other)) => one.iter().zip(&other).all(|(a, b)| overlap(a, b)),
        _ => false,
    }
}

/// Whether a `Resource` pattern matches every ARN that another matches; `None` where that can not be told, as with
/// policy variables.
pub fn arn_covers(wide: &str, narrow: &str) -> Option<bool> {
    if wide == "*" {
        return Some(true);
    }
    if wide.contains("${") || narrow.contains("${") {
        return None;
    }
    let (Some(wide), Some(narrow)) = (fields(wide), fields(narrow)) else { return Some(false) };
    let mut result = Some(true);
    for (wide, narrow) in wide.iter().zip(&narrow) {
        match covers(wide, narrow) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// The six fields of a `Resource` pattern; missing ones are any where it ends in `*`.
fn fields(pattern: &str) -> Option<[&str; 6]> {
    if pattern == "*" {
        return Some(["*"; 6]);
    }
    let mut fields = ["*"; 6];
    let [first @ .., last] = &mut fields;
    let mut rest = pattern;
    for slot in first {
        let Some(colon) = rest.bytes().position(|byte| byte == b':') else {
            *slot = rest;
            return pattern.ends_with('*').then_some(fields);
        };
        *slot = rest.get(..colon)?;
        rest = rest.get(colon + 1..)?;
    }
    *last = rest;
    Some(fields)
}

fn without_variables(pattern: &str) -> Cow<'_, str> {
    if memchr::memchr(b'$', pattern.as_bytes()).is_none() || !pattern.contains("${") {
        return Cow::Borrowed(pattern);
    }
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    Cow::Owned(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every text of up to seven characters over a small alphabet: six tell `*a??` and `aaa*` apart.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..7 {
            last = last.iter().flat_map(|t| ["a", "b", "z"].map(|c| format!("{t}{c}"))).collect();
            all.extend(last.clone());
        }
        all
    }

    proptest! {
        #[test]
        fn both_answers_agree_with_trying_all_short_texts(one in "[ab*?]{0,4}", other in "[ab*?]{0,4}") {
            let texts = texts();
            let both = |t: &&String| matches(&one, t, Case::Sensitive) && matches(&other, t, Case::Sensitive);
            prop_assert_eq!(overlap(&one, &other), texts.iter().any(|t| both(&t)));
            let all = texts.iter().all(|t| !matches(&other, t, Case::Sensitive) || matches(&one, t, Case::Sensitive));
            prop_assert_eq!(covers(&one, &other), Some(all));
        }
    }

    #[test]
    fn arns_are_compared_field_by_field() {
        assert!(arns_overlap("arn:aws:s3:::b/AWSLogs/*", "arn:aws:s3:::b/*"));
        assert!(arns_overlap("*", "arn:aws:s3:::b/*"));
        assert!(arns_overlap("arn:aws:s3*", "arn:aws:s3:::b/*"));
        assert!(!arns_overlap("arn:aws:s3:::c/*", "arn:aws:s3:::b/*"));
        assert!(!arns_overlap("arn:aws:*:b/k", "arn:aws:s3:::b/k"));
        assert!(arns_overlap("arn:aws:s3:::b/${aws:PrincipalAccount}/*", "arn:aws:s3:::b/222222222222/*"));
        assert_eq!(arn_covers("arn:aws:s3:::b/*", "arn:aws:s3:::b/AWSLogs/*"), Some(true));
        assert_eq!(arn_covers("arn:aws:s3:::b/AWSLogs/*", "arn:aws:s3:::b/*"), Some(false));
        assert_eq!(arn_covers("arn:aws:s3:::b/${x}/*", "arn:aws:s3:::b/*"), None);
    }

    #[test]
    fn an_explosive_pair_ends() {
        let wide = "*a".repeat(60);
        let narrow = "?*".repeat(60);
        let _ = covers(&wide, &narrow);
        assert!(overlap(&wide, &narrow));
    }
}
