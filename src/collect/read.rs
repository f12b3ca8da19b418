//! From bytes to text: compression, byte order marks, other encodings, damage.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::CollectError;

/// The most bytes a compressed file may unpack to.
pub(super) const MOST_UNPACKED: u64 = 1 << 30;

/// Files up to this size are read without asking for their size.
const SMALL: usize = 64 * 1024;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Content {
    /// UTF-8 text without byte order mark.
    Text(String),
    /// No text, up to white space.
    Empty,
    /// Text of which only the beginning can be read, or that is in another encoding.
    Damaged(Damaged),
}

/// A text that is not UTF-8.
#[derive(Debug)]
pub(super) struct Damaged {
    /// What can be shown of it: what stands before the damage and a replacement character, or the text decoded.
    pub(super) text: String,
    /// The offending place in `text`.
    pub(super) place: std::ops::Range<u32>,
    /// What is wrong.
    pub(super) message: String,
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads a file that reports call `name`.
pub(super) fn file(path: &Path, name: &str) -> Result<Content, CollectError> {
    let unreadable = |cause| CollectError::Unreadable { path: name.to_owned(), cause };
    let mut file = File::open(path).map_err(unreadable)?;
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(SMALL, 0);
        let mut filled = 0;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match file.read(free) {
                Ok(0) => return decode(buffer.get(..filled).unwrap_or_default().to_vec(), name),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        let size = file.metadata().map_err(unreadable)?.len();
        if size > u64::from(u32::MAX) {
            return Err(CollectError::TooLarge { path: name.to_owned() });
        }
        let mut bytes = Vec::with_capacity(size as usize + 1);
        bytes.extend_from_slice(buffer);
        rest(&mut file, bytes, name)
    })
}

/// Reads standard input.
pub(super) fn stream(stream: &mut dyn Read, name: &str) -> Result<Content, CollectError> {
    rest(stream, Vec::new(), name)
}

fn rest(stream: &mut dyn Read, mut bytes: Vec<u8>, name: &str) -> Result<Content, CollectError> {
    let most = u64::from(u32::MAX) + 1;
    let room = most.saturating_sub(bytes.len() as u64);
    let read = stream.take(room).read_to_end(&mut bytes);
    read.map_err(|cause| CollectError::Unreadable { path: name.to_owned(), cause })?;
    if bytes.len() as u64 == most {
        return Err(CollectError::TooLarge { path: name.to_owned() });
    }
    decode(bytes, name)
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<Content, CollectError> {
    let bytes = if bytes.starts_with(&[0x1F, 0x8B]) { unpack(&bytes, MOST_UNPACKED, name)? } else { bytes };
    Ok(text(bytes))
}

fn unpack(packed: &[u8], most: u64, name: &str) -> Result<Vec<u8>, CollectError> {
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(packed).take(most + 1).read_to_end(&mut bytes);
    read.map_err(|cause| CollectError::Gzip { path: name.to_owned(), cause })?;
    if bytes.len() as u64 > most {
        return Err(CollectError::UnpacksTooLarge { path: name.to_owned() });
    }
    Ok(bytes)
}

fn text(mut bytes: Vec<u8>) -> Content {
    if let Some(little_endian) = utf16(&bytes) {
        return Content::Damaged(from_utf16(&bytes, little_endian));
    }
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|b| b.is_ascii_whitespace()) => Content::Empty,
        Ok(text) => Content::Text(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            let byte = bytes.get(valid).copied().unwrap_or_default();
            bytes.truncate(valid);
            let mut text = String::from_utf8(bytes).unwrap_or_default();
            text.push(char::REPLACEMENT_CHARACTER);
            let place = valid as u32..text.len() as u32;
            Content::Damaged(Damaged { text, place, message: format!("the byte 0x{byte:02X} here is not UTF-8") })
        }
    }
}

/// Whether a text is UTF-16, and then whether it is little-endian: by its byte order mark, or by the zero halves of its
/// first two characters.
fn utf16(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0xFF, 0xFE, ..] => Some(true),
        [0xFE, 0xFF, ..] => Some(false),
        [first, 0, _, 0, ..] if *first != 0 => Some(true),
        [0, second, 0, _, ..] if *second != 0 => Some(false),
        _ => None,
    }
}

fn from_utf16(bytes: &[u8], little_endian: bool) -> Damaged {
    let units = bytes.chunks_exact(2).map(|pair| match *pair {
        [low, high] if little_endian => u16::from_le_bytes([low, high]),
        [high, low] => u16::from_be_bytes([high, low]),
        _ => 0,
    });
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .skip_while(|&c| c == '\u{FEFF}')
        .collect();
    let first = text.chars().next().map_or(0, char::len_utf8) as u32;
    let message = "this is UTF-16 text, as `>` writes it in Windows PowerShell; JSON is UTF-8: save it with \
                   `| Set-Content -Encoding utf8` or convert it with `iconv -f UTF-16 -t UTF-8`";
    Damaged { text, place: 0..first, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8]) -> Content {
        stream(&mut &*bytes, "f.json").unwrap()
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn damaged(bytes: &[u8]) -> Damaged {
        match read(bytes) {
            Content::Damaged(damaged) => damaged,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_byte_order_mark_is_taken_off_and_white_space_is_nothing() {
        assert!(matches!(read(b"\xEF\xBB\xBF{}"), Content::Text(text) if text == "{}"));
        for empty in [&b""[..], b" \r\n\t", b"\xEF\xBB\xBF\n"] {
            assert!(matches!(read(empty), Content::Empty), "{empty:?}");
        }
    }

    #[test]
    fn the_text_before_an_invalid_byte_is_kept() {
        let damaged = damaged(b"{\"a\":\xFF\xFE\"}");
        assert_eq!((damaged.text.as_str(), damaged.place), ("{\"a\":\u{FFFD}", 5..8));
        assert_eq!(damaged.message, "the byte 0xFF here is not UTF-8");
    }

    #[test]
    fn utf_16_is_told_with_and_without_its_mark() {
        let units: Vec<u16> = "{\"é\":1}".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|u| u.to_be_bytes()).collect();
        for bytes in [[&[0xFF, 0xFE][..], &little].concat(), little, [&[0xFE, 0xFF][..], &big].concat(), big] {
            let damaged = damaged(&bytes);
            assert_eq!(damaged.text, "{\"é\":1}");
            assert!(damaged.message.contains("PowerShell"));
        }
    }

    #[test]
    fn compressed_text_is_told_by_its_first_bytes() {
        assert!(matches!(read(&gz(b"[1]")), Content::Text(text) if text == "[1]"));
        let two = [gz(b"[1,"), gz(b"2]")].concat();
        assert!(matches!(read(&two), Content::Text(text) if text == "[1,2]"));
        let mut cut = gz(b"[1, 2, 3]");
        cut.truncate(cut.len() - 6);
        let error = stream(&mut &*cut, "f.json.gz").unwrap_err();
        assert!(matches!(&error, CollectError::Gzip { path, .. } if path == "f.json.gz"), "{error}");
    }

    #[test]
    fn a_small_bomb_does_not_fill_the_memory() {
        let packed = gz(&vec![b' '; 4097]);
        assert!(matches!(unpack(&packed, 4096, "bomb.gz"), Err(CollectError::UnpacksTooLarge { .. })));
        assert_eq!(unpack(&packed, 4097, "large.gz").unwrap().len(), 4097);
    }
}
