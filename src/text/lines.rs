//! Where lines begin, and how many characters stand before a byte.

use super::Position;

/// Bytes between two character counts of a text that is not ASCII.
const STRIDE: usize = 1024;

/// The line starts of one text, made once per text that is reported on.
#[derive(Debug)]
pub(super) struct LineIndex {
    starts: Vec<u32>,
    /// Characters before byte `i * STRIDE`, to the last character boundary; `None` for ASCII text.
    characters: Option<Vec<u32>>,
}

impl LineIndex {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|i| i as u32 + 1)).collect();
        let characters = (!text.is_ascii()).then(|| {
            let mut counts = Vec::with_capacity(bytes.len() / STRIDE + 1);
            let mut seen = 0;
            for chunk in bytes.chunks(STRIDE) {
                counts.push(seen);
                seen += count_characters(chunk);
            }
            counts
        });
        LineIndex { starts, characters }
    }

    pub(super) fn position(&self, text: &str, offset: u32) -> Position {
        let offset = (offset as usize).min(text.len()) as u32;
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = line.checked_sub(1).and_then(|i| self.starts.get(i)).copied().unwrap_or(0);
        let column = self.characters_before(text, offset) - self.characters_before(text, start) + 1;
        Position { line: line as u32, column }
    }

    pub(super) fn line_range(&self, text: &str, line: u32) -> Option<std::ops::Range<usize>> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.starts.get(index)? as usize;
        let end = self.starts.get(index + 1).map_or(text.len(), |&next| next as usize - 1);
        let line = text.get(start..end)?;
        Some(start..start + line.strip_suffix('\r').unwrap_or(line).len())
    }

    fn characters_before(&self, text: &str, offset: u32) -> u32 {
        let Some(counts) = &self.characters else { return offset };
        let offset = offset as usize;
        let chunk = (offset / STRIDE).min(counts.len().saturating_sub(1));
        let known = counts.get(chunk).copied().unwrap_or(0);
        known + text.as_bytes().get(chunk * STRIDE..offset).map_or(0, count_characters)
    }
}

/// Counts the bytes that begin a character.
fn count_characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&b| (b as i8) >= -0x40).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(text: &str, offset: usize) -> Position {
        let before = &text[..offset];
        let line = before.matches('\n').count() as u32 + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        Position { line, column: before[start..].chars().count() as u32 + 1 }
    }

    #[test]
    fn positions_agree_with_counting_characters_one_by_one() {
        let long = format!("é{}\r\nx\u{1F600}y\n{}", "a".repeat(STRIDE + 3), "ß".repeat(STRIDE));
        for text in ["", "a", "\n", "a\nb", "ä\r\nöü\n\n€x", long.as_str()] {
            let index = LineIndex::new(text);
            for (offset, _) in text.char_indices().step_by(if text.len() > 99 { 61 } else { 1 }) {
                assert_eq!(index.position(text, offset as u32), naive(text, offset), "{offset}");
            }
            assert_eq!(index.position(text, text.len() as u32), naive(text, text.len()));
        }
    }

    #[test]
    fn a_line_is_given_without_its_end() {
        let text = "one\r\ntwo\n\nlast";
        let index = LineIndex::new(text);
        let line = |n| index.line_range(text, n).map(|r| &text[r]);
        assert_eq!([line(1), line(2), line(3), line(4)], [Some("one"), Some("two"), Some(""), Some("last")]);
        assert_eq!((line(0), line(5)), (None, None));
    }
}
