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
        let mut size = Size { bytes: text.len() as u32, ..Size::default() };
        let (mut in_string, mut escaped) = (false, false);
        for byte in text.bytes() {
            let begins_character = (byte as i8) >= -0x40;
            size.characters += u32::from(begins_character);
            let counts = in_string || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            size.minified_bytes += u32::from(counts);
            size.minified_characters += u32::from(counts && begins_character);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = in_string,
                b'"' => in_string = !in_string,
                _ => {}
            }
        }
        size
    }
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
