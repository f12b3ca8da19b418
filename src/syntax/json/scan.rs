//! The lexical level: white space, strings, numbers, escapes.

use super::{JsonError, JsonErrorKind, error};

/// The first byte from `at` on that is no white space.
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
        // Indentation.
        while let Some(word) = word(bytes, at) {
            let spaces = spaces(word);
            at += spaces;
            if spaces < WORD {
                break;
            }
        }
    }
    at
}

/// How many bytes are looked at together.
const WORD: usize = 8;

/// The bytes from `at` on, the first one lowest; none where fewer are left.
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD])
}

/// How many spaces `word` begins with.
fn spaces(word: u64) -> usize {
    (word ^ every(b' ')).trailing_zeros() as usize / WORD
}

/// How many of the bytes in `word` stand before the first one that ends the plain run of a string: a quote, a backslash
/// or a control character.
fn plain_bytes(word: u64) -> usize {
    // The high bit of each byte that is less than `limit`; behind the first such byte there may be false ones.
    let below = |word: u64, limit: u8| word.wrapping_sub(every(limit)) & !word & every(0x80);
    let special = below(word, 0x20) | below(word ^ every(b'"'), 1) | below(word ^ every(b'\\'), 1);
    special.trailing_zeros() as usize / WORD
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Reads the string whose quote is at `at`: the byte after its closing quote, and whether it holds an escape.
pub(super) fn string(bytes: &[u8], at: usize) -> Result<(usize, bool), JsonError> {
    let mut escaped = false;
    let mut at = at + 1;
    loop {
        while let Some(word) = word(bytes, at) {
            let plain = plain_bytes(word);
            at += plain;
            if plain < WORD {
                break;
            }
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(plain) = rest.iter().position(|&b| is_special(b)) else {
            return Err(error(JsonErrorKind::UnexpectedEnd, bytes.len()));
        };
        at += plain;
        match bytes.get(at) {
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(bytes, at)?.1;
            }
            Some(&control) => return Err(error(JsonErrorKind::ControlCharacter(control as char), at)),
            None => return Err(error(JsonErrorKind::UnexpectedEnd, at)),
        }
    }
}

/// Reads the escape whose backslash is at `at`: the character it stands for, and the byte after it.
pub(super) fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), JsonError> {
    let simple = match bytes.get(at + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(bytes, at),
        Some(_) => return Err(error(JsonErrorKind::InvalidEscape, at)),
        None => return Err(error(JsonErrorKind::UnexpectedEnd, bytes.len())),
    };
    Ok((simple, at + 2))
}

fn unicode_escape(bytes: &[u8], at: usize) -> Result<(char, usize), JsonError> {
    let first = hex4(bytes, at)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, at + 6));
    }
    if !(0xD800..0xDC00).contains(&first) {
        return Err(error(JsonErrorKind::InvalidEscape, at));
    }
    match (bytes.get(at + 6), bytes.get(at + 7)) {
        (Some(b'\\'), Some(b'u')) => {}
        (None, _) | (Some(b'\\'), None) => return Err(error(JsonErrorKind::UnexpectedEnd, bytes.len())),
        _ => return Err(error(JsonErrorKind::InvalidEscape, at)),
    }
    let low = hex4(bytes, at + 6)?.wrapping_sub(0xDC00);
    match char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low & 0x3FF)) {
        Some(character) if low < 0x400 => Ok((character, at + 12)),
        _ => Err(error(JsonErrorKind::InvalidEscape, at)),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Result<u32, JsonError> {
    let mut value = 0;
    for i in at + 2..at + 6 {
        match bytes.get(i) {
            Some(&b) => match (b as char).to_digit(16) {
                Some(digit) => value = value * 16 + digit,
                None => return Err(error(JsonErrorKind::InvalidEscape, at)),
            },
            None => return Err(error(JsonErrorKind::UnexpectedEnd, bytes.len())),
        }
    }
    Ok(value)
}

/// Reads the number at `start`: the byte after it.
pub(super) fn number(bytes: &[u8], start: usize) -> Result<usize, JsonError> {
    let digits =
        |from: usize| from + bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
    let invalid = |at: usize| {
        let kind = if at == bytes.len() { JsonErrorKind::UnexpectedEnd } else { JsonErrorKind::InvalidNumber };
        Err(error(kind, if at == bytes.len() { at } else { start }))
    };
    let first = start + usize::from(bytes.get(start) == Some(&b'-'));
    let mut at = digits(first);
    if at == first || (at > first + 1 && bytes.get(first) == Some(&b'0')) {
        return if at == first { invalid(at) } else { Err(error(JsonErrorKind::InvalidNumber, start)) };
    }
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == at + 1 {
            return invalid(fraction);
        }
        at = fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let from = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(from);
        if exponent == from {
            return invalid(exponent);
        }
        at = exponent;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_at_once_say_what_each_byte_says() {
        for one in 0..=255 {
            for other in [0, 0x1F, b' ', b'!', b'"', b'#', b'[', b'\\', b']', 0x7F, 0x80, 0xA2, 0xDC, 0xFF] {
                for (first, second) in (0..WORD).flat_map(|first| (0..WORD).map(move |second| (first, second))) {
                    let mut bytes = [b'a'; WORD];
                    bytes[first] = one;
                    bytes[second] = other;
                    let expected = bytes.iter().position(|&b| is_special(b)).unwrap_or(WORD);
                    assert_eq!(plain_bytes(u64::from_le_bytes(bytes)), expected, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn space_is_skipped_in_runs_of_any_length() {
        for length in 0..40 {
            let text = format!("\n{}\t{}x", " ".repeat(length), " ".repeat(39 - length));
            assert_eq!(skip_space(text.as_bytes(), 0), text.len() - 1);
        }
    }
}
