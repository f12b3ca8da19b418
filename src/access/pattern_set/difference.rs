//! A text that some patterns match and others do not.

use std::collections::{HashSet, VecDeque};

use super::OTHER;
use crate::policy::pattern::{Token, tokens};

/// How many tokens the searches for one question should look at before they give up: some hundredths of a second.
pub const MAX_WORK: usize = 10_000_000;

/// What reading a pattern takes, for each of its tokens.
const READING: usize = 4;

/// What a search for a text found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// This one, among the shortest.
    Found(String),
    /// There is none.
    None,
    /// Telling would take too long.
    Undecided,
}

/// Looks for a text that every pattern of `wanted` matches and none of `unwanted`.
///
/// The patterns are read together, character by character; a character that no pattern names stands for all others, so
/// that the answer is exact. `work` is how many tokens may still be looked at, and is used up.
pub fn difference(wanted: &[&str], unwanted: &[&str], work: &mut usize) -> Text {
    // Reading them takes work too.
    let size: usize = wanted.iter().chain(unwanted).map(|text| text.len() + 1).sum();
    let Some(left) = work.checked_sub(READING * size) else {
        *work = 0;
        return Text::Undecided;
    };
    *work = left;
    let Some((prefix, machine)) = Machine::new(wanted, unwanted) else { return Text::None };
    let mut seen: HashSet<Box<[u64]>> = HashSet::new();
    // Each visited state with the one before it and the character between them.
    let mut trail: Vec<(usize, char)> = vec![(0, OTHER)];
    let mut open: VecDeque<(usize, Box<[u64]>)> = VecDeque::from([(0, machine.start())]);
    while let Some((at, state)) = open.pop_front() {
        if machine.accepts(&state) {
            return Text::Found(prefix + &machine.text(&trail, at));
        }
        for &character in machine.next_characters(&state) {
            let Some(left) = work.checked_sub(machine.size) else {
                *work = 0;
                return Text::Undecided;
            };
            *work = left;
            let Some(next) = machine.step(&state, character) else { continue };
            if seen.insert(next.clone()) {
                open.push_back((trail.len(), next));
                trail.push((at, character));
            }
        }
    }
    Text::None
}

/// Reads what every wanted text begins with off all patterns, as long as no unwanted one is open there; those that can not
/// match any more are taken out. None where wanted patterns begin differently, so that no text matches them all.
fn read_prefix(wanted: &mut [Vec<Token>], unwanted: &mut Vec<Vec<Token>>) -> Option<String> {
    let mut prefix = String::new();
    let mut at = 0;
    while let Some(Token::Char(character)) = wanted.first().and_then(|tokens| tokens.get(at)).copied() {
        let next = |tokens: &Vec<Token>| tokens.get(at).copied();
        let is_open = |tokens: &Vec<Token>| matches!(next(tokens), Some(Token::Any | Token::One));
        if wanted.iter().any(is_open) || unwanted.iter().any(is_open) {
            break;
        }
        let goes_on = |tokens: &Vec<Token>| next(tokens) == Some(Token::Char(character));
        if !wanted.iter().all(goes_on) {
            return None;
        }
        unwanted.retain(goes_on);
        prefix.push(character);
        at += 1;
    }
    wanted.iter_mut().chain(unwanted).for_each(|tokens| drop(tokens.drain(..at)));
    Some(prefix)
}

struct Pattern {
    tokens: Vec<Token>,
    /// The bit of its first place in a state; place `n` is reached where `n` tokens are read.
    first: usize,
    wanted: bool,
}

struct Machine {
    patterns: Vec<Pattern>,
    /// Every character that some pattern names, and one for all others.
    alphabet: Vec<char>,
    /// How many places all patterns have together: the bits of a state.
    size: usize,
}

impl Machine {
    /// The machine behind the characters that all texts begin with, and these; none where no text is wanted.
    fn new(wanted: &[&str], unwanted: &[&str]) -> Option<(String, Self)> {
        let all = |patterns: &[&str]| patterns.iter().map(|text| tokens(text).collect()).collect();
        let (mut wanted, mut unwanted): (Vec<Vec<Token>>, Vec<Vec<Token>>) = (all(wanted), all(unwanted));
        let prefix = read_prefix(&mut wanted, &mut unwanted)?;
        let mut first = 0;
        let all = wanted.into_iter().map(|tokens| (tokens, true));
        let all = all.chain(unwanted.into_iter().map(|tokens| (tokens, false)));
        let patterns = all
            .map(|(tokens, wanted)| {
                let pattern = Pattern { first, wanted, tokens };
                first += pattern.tokens.len() + 1;
                pattern
            })
            .collect::<Vec<_>>();
        let mut alphabet = vec![OTHER];
        for token in patterns.iter().flat_map(|pattern| &pattern.tokens) {
            if let Token::Char(c) = token
                && !alphabet.contains(c)
            {
                alphabet.push(*c);
            }
        }
        Some((prefix, Machine { patterns, alphabet, size: first }))
    }

    fn start(&self) -> Box<[u64]> {
        let mut state = vec![0; self.size.div_ceil(64)].into_boxed_slice();
        for pattern in &self.patterns {
            pattern.reach(0, &mut state);
        }
        state
    }

    fn accepts(&self, state: &[u64]) -> bool {
        self.patterns.iter().all(|pattern| pattern.is_at(pattern.tokens.len(), state) == pattern.wanted)
    }

    /// The characters worth trying: where a wanted pattern stands before nothing but named characters, no other.
    fn next_characters<'m>(&'m self, state: &[u64]) -> impl Iterator<Item = &'m char> {
        let is_bound = |pattern: &&Pattern| {
            pattern.wanted && pattern.places(state).all(|token| !matches!(token, Some(Token::Any | Token::One)))
        };
        let bound: Option<Vec<Token>> =
            self.patterns.iter().find(is_bound).map(|pattern| pattern.places(state).flatten().collect());
        self.alphabet.iter().filter(move |c| bound.as_ref().is_none_or(|bound| bound.contains(&Token::Char(**c))))
    }

    /// The state behind one more character; none where no text can be found from there.
    fn step(&self, state: &[u64], character: char) -> Option<Box<[u64]>> {
        let mut next = vec![0; self.size.div_ceil(64)].into_boxed_slice();
        for pattern in &self.patterns {
            let mut is_alive = false;
            for (place, token) in pattern.tokens.iter().enumerate() {
                if !pattern.is_at(place, state) {
                    continue;
                }
                let to = match token {
                    Token::Any => place,
                    Token::One => place + 1,
                    Token::Char(c) if *c == character => place + 1,
                    Token::Char(_) => continue,
                };
                is_alive = true;
                pattern.reach(to, &mut next);
            }
            if pattern.wanted && !is_alive {
                return None;
            }
            // Behind its last star an unwanted pattern matches whatever follows.
            let last = pattern.tokens.len().checked_sub(1);
            let is_open = |&last: &usize| pattern.tokens.get(last) == Some(&Token::Any) && pattern.is_at(last, &next);
            if !pattern.wanted && last.as_ref().is_some_and(is_open) {
                return None;
            }
        }
        Some(next)
    }

    /// The characters that led to a state.
    fn text(&self, trail: &[(usize, char)], at: usize) -> String {
        let readable = ('a'..='z').rev().chain('0'..='9').find(|c| !self.alphabet.contains(c)).unwrap_or(OTHER);
        let mut characters = Vec::new();
        let mut at = at;
        while at != 0 {
            let Some(&(before, character)) = trail.get(at) else { break };
            characters.push(if character == OTHER { readable } else { character });
            at = before;
        }
        characters.into_iter().rev().collect()
    }
}

impl Pattern {
    fn is_at(&self, place: usize, state: &[u64]) -> bool {
        let bit = self.first + place;
        state.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Marks a place and those that its stars reach without a character.
    fn reach(&self, place: usize, state: &mut [u64]) {
        let mut place = place;
        loop {
            let bit = self.first + place;
            if let Some(word) = state.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
            if self.tokens.get(place) != Some(&Token::Any) {
                return;
            }
            place += 1;
        }
    }

    /// The tokens behind the reached places; none at the end.
    fn places<'s>(&'s self, state: &'s [u64]) -> impl Iterator<Item = Option<Token>> + 's {
        (0..=self.tokens.len()).filter(|&place| self.is_at(place, state)).map(|place| self.tokens.get(place).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::pattern::{Case, matches};
    use proptest::prelude::*;

    fn is_between(text: &str, wanted: &[&str], unwanted: &[&str]) -> bool {
        let meets = |pattern: &&str| matches(pattern, text, Case::Sensitive);
        wanted.iter().all(meets) && !unwanted.iter().any(meets)
    }

    #[test]
    fn the_text_is_in_what_is_wanted_and_in_nothing_else() {
        let logs = "central-logs/AWSLogs/222222222222/*";
        for (wanted, unwanted, expected) in [
            (vec![logs], vec![], Some("central-logs/AWSLogs/222222222222/")),
            (vec![logs, "*.gz"], vec![], Some("central-logs/AWSLogs/222222222222/.gz")),
            (vec![logs], vec!["central-logs/AWSLogs/*"], None),
            (vec![logs], vec!["central-logs/AWSLogs/222222222222/"], Some("central-logs/AWSLogs/222222222222/z")),
            (vec![logs, "*/333333333333/*"], vec![], Some("central-logs/AWSLogs/222222222222/333333333333/")),
            (vec![logs, "central-logs/AWSLogs/333333333333/*"], vec![], None),
            (vec!["a?"], vec!["ab", "a?"], None),
            (vec!["a?"], vec!["az", "ay"], Some("aa")),
            (vec![], vec!["*"], None),
            (vec![], vec![""], Some("z")),
            (vec!["ab*", "ac*"], vec![], None),
            (vec!["ab*", "a"], vec![], None),
            (vec!["abc"], vec!["ab", "abd", "abcd"], Some("abc")),
            (vec!["abc"], vec!["ab", "abc"], None),
            (vec!["ab*"], vec!["a?*"], None),
        ] {
            let found = difference(&wanted, &unwanted, &mut MAX_WORK.clone());
            let expected = expected.map_or(Text::None, |text| Text::Found(text.to_owned()));
            match (&found, &expected) {
                (Text::Found(found), Text::Found(text)) => {
                    assert_eq!(found.len(), text.len(), "{wanted:?} without {unwanted:?}: {found}");
                    assert!(is_between(found, &wanted, &unwanted), "{wanted:?} without {unwanted:?}: {found}");
                }
                _ => assert_eq!(found, expected, "{wanted:?} without {unwanted:?}"),
            }
        }
    }

    #[test]
    fn a_product_that_explodes_is_given_up() {
        let wanted: Vec<String> = (0..6).map(|n| format!("*{}{}*", "a".repeat(n + 2), "?".repeat(20))).collect();
        let unwanted: Vec<String> = (0..4).map(|n| format!("*b{}c*", "?".repeat(n + 14))).collect();
        let refer = |list: &[String]| list.iter().map(|text| text.clone().leak() as &str).collect::<Vec<_>>();
        let (wanted, unwanted) = (refer(&wanted), refer(&unwanted));
        match difference(&wanted, &unwanted, &mut MAX_WORK.clone()) {
            Text::Found(text) => assert!(is_between(&text, &wanted, &unwanted)),
            other => assert_eq!(other, Text::Undecided),
        }
    }

    /// Every text of up to five characters over a small alphabet.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..5 {
            last = last.iter().flat_map(|t| ["a", "b", "z"].map(|c| format!("{t}{c}"))).collect();
            all.extend(last.clone());
        }
        all
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_all_short_texts(
            wanted in proptest::collection::vec("a{0,2}[ab*?]{0,3}", 0..3),
            unwanted in proptest::collection::vec("a{0,2}[ab*?]{0,3}", 0..4),
        ) {
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let unwanted: Vec<&str> = unwanted.iter().map(String::as_str).collect();
            let shortest = texts().iter().find(|text| is_between(text, &wanted, &unwanted)).map(String::len);
            match (difference(&wanted, &unwanted, &mut MAX_WORK.clone()), shortest) {
                (Text::Found(text), shortest) => {
                    prop_assert!(is_between(&text, &wanted, &unwanted), "{}", text);
                    // A text of more than five characters may be needed.
                    prop_assert!(shortest.is_none_or(|length| length == text.len()), "{}", text);
                    prop_assert!(shortest.is_some() || text.len() > 5, "{}", text);
                }
                (Text::None, shortest) => prop_assert_eq!(shortest, None),
                (Text::Undecided, _) => prop_assert!(false),
            }
        }
    }
}
