//! Patterns with `*` (any run of characters, also none) and `?` (exactly one character).
//!
//! Matching is iterative with one point of return, so its cost is at most the product of the two lengths.
//! Source: IAM User Guide, "IAM JSON policy elements: Resource" and "…: Action".

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters.
    Any,
}

/// How characters are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As they are.
    Sensitive,
    /// ASCII letters without regard to case.
    Insensitive,
}

impl Case {
    fn same(self, a: char, b: char) -> bool {
        match self {
            Case::Sensitive => a == b,
            Case::Insensitive => a.eq_ignore_ascii_case(&b),
        }
    }
}

/// The tokens of a pattern text.
pub fn tokens(pattern: &str) -> impl Iterator<Item = Token> + Clone + '_ {
    pattern.chars().map(|c| match c {
        '*' => Token::Any,
        '?' => Token::One,
        other => Token::Char(other),
    })
}

/// How many characters of a pattern are looked at before all of it: `s3:` and `sts:` differ in the second.
const QUICK: usize = 2;

/// Whether a pattern text matches a text.
pub fn matches(pattern: &str, text: &str, case: Case) -> bool {
    let same = |one: &[u8], other: &[u8]| match case {
        Case::Sensitive => one == other,
        Case::Insensitive => one.eq_ignore_ascii_case(other),
    };
    // Most patterns of a long list part from the text at its first characters.
    for (one, other) in pattern.bytes().zip(text.bytes()).take(QUICK) {
        match one {
            b'*' | b'?' => break,
            one if same(&[one], &[other]) => {}
            _ => return false,
        }
    }
    let Some(literal) = memchr::memchr2(b'*', b'?', pattern.as_bytes()) else {
        return same(pattern.as_bytes(), text.as_bytes());
    };
    let (head, rest) = pattern.split_at(literal);
    if !text.as_bytes().get(..literal).is_some_and(|start| same(head.as_bytes(), start)) {
        return false;
    }
    // Where the head is the same, it ends between two characters of the text too.
    rest == "*" || text.get(literal..).is_some_and(|end| matches_tokens(tokens(rest), end, case))
}

/// Whether a pattern given as tokens matches a text.
pub fn matches_tokens(pattern: impl Iterator<Item = Token> + Clone, text: &str, case: Case) -> bool {
    let mut pattern = pattern;
    let mut text = text.chars();
    // Where to go on when a character does not fit: behind the last `*`, one character later than before.
    let mut retry: Option<_> = None;
    loop {
        let mut ahead = pattern.clone();
        match ahead.next() {
            Some(Token::Any) => {
                pattern = ahead;
                retry = Some((pattern.clone(), text.clone()));
                continue;
            }
            Some(token) => {
                let mut rest = text.clone();
                let fits = match (token, rest.next()) {
                    (_, None) => return false,
                    (Token::Char(wanted), Some(found)) => case.same(wanted, found),
                    (_, Some(_)) => true,
                };
                if fits {
                    (pattern, text) = (ahead, rest);
                    continue;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after_star, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        text = from.clone();
    }
}

/// Whether a text holds `*` or `?`.
pub fn has_wildcard(text: &str) -> bool {
    memchr::memchr2(b'*', b'?', text.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn obvious(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|i| obvious(rest, &text[i..])),
            Some((&c, rest)) => text.split_first().is_some_and(|(&t, ts)| (c == '?' || c == t) && obvious(rest, ts)),
        }
    }

    #[test]
    fn a_star_crosses_slashes_and_may_be_empty() {
        assert!(matches("a/*/c", "a/b/b/c", Case::Sensitive));
        assert!(!matches("a/*/c", "a/c", Case::Sensitive));
        assert!(matches("ab*", "ab", Case::Sensitive));
        assert!(matches("s3:get*", "S3:GetObject", Case::Insensitive));
        assert!(!matches("s3:get*", "S3:GetObject", Case::Sensitive));
        assert!(matches("?", "é", Case::Sensitive));
    }

    #[test]
    fn many_stars_stay_quick() {
        let pattern = "*a".repeat(2_000);
        let text = "a".repeat(1_999) + "b";
        assert!(!matches(&pattern, &text, Case::Sensitive));
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_every_split(pattern in "[ab*?é]{0,7}", text in "[abé]{0,7}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text, Case::Sensitive), obvious(&p, &t));
        }
    }
}
