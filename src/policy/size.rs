//! How long a policy is, as AWS's quotas count.

/// The length of a policy document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Bytes of the document as it stands (decoded, where it stands inside other text).
    pub bytes: u32,
    /// Characters of the document as it stands.
    pub characters: u32,
    /// Bytes without white space between JSON tokens.
    pub minified_bytes: u32,
    /// Characters without white space between JSON tokens.
    pub minified_characters: u32,
}

impl Size {
    /// Measures a JSON text that was read without error.
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let characters = if text.is_ascii() { bytes.len() } else { text.chars().count() };
        let (mut space, mut at) = (0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let quote = memchr::memchr(b'"', rest).unwrap_or(rest.len());
            let tokens = rest.get(..quote).unwrap_or_default();
            space += tokens.iter().filter(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
            at += quote + 1;
            at += length_of_string(bytes.get(at..).unwrap_or_default());
        }
        Size {
            bytes: bytes.len() as u32,
            characters: characters as u32,
            minified_bytes: (bytes.len() - space) as u32,
            minified_characters: (characters - space) as u32,
        }
    }
}

/// How far the end of a string is, its closing quote included.
fn length_of_string(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        match bytes.get(at - 1) {
            Some(b'\\') => at += 1,
            _ => return at,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_counts_only_inside_strings() {
        let size = Size::of("{ \"a\\\" b\" :\n [ \"é\", 1 ] }");
        assert_eq!(size.minified_bytes as usize, "{\"a\\\" b\":[\"é\",1]}".len());
        assert_eq!(size.minified_characters + 1, size.minified_bytes);
        assert_eq!(size.characters + 1, size.bytes);
    }
}
