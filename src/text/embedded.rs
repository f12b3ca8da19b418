//! Text inside text: a policy as an escaped JSON string, or percent-encoded, keeps its places in the outer file.

use super::{SourceId, Span};

/// Where decoded offsets lie in the outer text: a list of points after which both advance byte by byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OffsetMap {
    breaks: Vec<(u32, u32)>,
}

impl OffsetMap {
    /// A map whose first decoded byte lies at `outer`.
    pub fn starting_at(outer: u32) -> Self {
        OffsetMap { breaks: vec![(0, outer)] }
    }

    /// Says that the decoded byte at `inner` lies at `outer`; offsets must be given in rising order.
    pub fn push(&mut self, inner: u32, outer: u32) {
        if let Some(last) = self.breaks.last_mut() {
            if outer.wrapping_sub(last.1) == inner.wrapping_sub(last.0) {
                return;
            }
            if last.0 == inner {
                last.1 = outer;
                return;
            }
        }
        self.breaks.push((inner, outer));
    }

    /// The outer offset of a decoded offset.
    pub fn outer(&self, inner: u32) -> u32 {
        let after = self.breaks.partition_point(|b| b.0 <= inner);
        match after.checked_sub(1).and_then(|i| self.breaks.get(i)) {
            Some(&(from, to)) => to + (inner - from),
            None => inner,
        }
    }

    /// The place of a range of decoded text; apart from [`Place::span`], where it is the rare case.
    #[cold]
    fn span(&self, source: SourceId, start: u32, end: u32) -> Span {
        Span::new(source, self.outer(start), self.outer(end))
    }

    /// The map of a text that lies inside a text that lies inside a source: `self` first, then `outer`.
    pub fn within(&self, outer: &OffsetMap) -> OffsetMap {
        // Between two points of either map both advance byte by byte, so the points of both are enough.
        let mut points: Vec<u32> = self.breaks.iter().map(|b| b.0).collect();
        for (index, &(inner, middle)) in self.breaks.iter().enumerate() {
            let next = self.breaks.get(index + 1).map_or(u32::MAX, |b| b.0);
            let first = outer.breaks.partition_point(|b| b.0 <= middle);
            for &(at, _) in outer.breaks.iter().skip(first) {
                let point = inner.saturating_add(at - middle);
                if point >= next {
                    break;
                }
                points.push(point);
            }
        }
        points.sort_unstable();
        let mut map = OffsetMap::default();
        for point in points {
            map.push(point, outer.outer(self.outer(point)));
        }
        map
    }
}

/// Where the offsets of a text lie: directly in a source, or through an [`OffsetMap`].
#[derive(Debug, Clone)]
pub struct Place {
    source: SourceId,
    base: u32,
    map: Option<OffsetMap>,
}

impl Place {
    /// A text that is the source itself, from byte `base` on.
    pub fn direct(source: SourceId, base: u32) -> Self {
        Place { source, base, map: None }
    }

    /// A decoded text whose offsets `map` translates into offsets of the text at `self`.
    pub fn embedded(&self, map: &OffsetMap) -> Place {
        let map = match &self.map {
            None if self.base == 0 => map.clone(),
            None => map.within(&OffsetMap::starting_at(self.base)),
            Some(outer) => map.within(outer),
        };
        Place { source: self.source, base: 0, map: Some(map) }
    }

    /// The source.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// Whether offsets are the source's own.
    pub fn is_direct(&self) -> bool {
        self.map.is_none()
    }

    /// The place of a range of this text.
    #[inline]
    pub fn span(&self, start: u32, end: u32) -> Span {
        match &self.map {
            None => Span::new(self.source, self.base.saturating_add(start), self.base.saturating_add(end)),
            Some(map) => map.span(self.source, start, end),
        }
    }
}

/// A text decoded from another, with the way back.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The decoded text.
    pub text: String,
    /// Where each decoded byte lies in the text it was decoded from.
    pub map: OffsetMap,
}

/// Decodes percent-encoded text (RFC 3986; `+` stays a plus sign, as in IAM's answers) that starts at byte `base` of
/// the outer text.
///
/// # Errors
/// The offset, in `text`, of an escape that is not two hexadecimal digits or of bytes that are not UTF-8.
pub fn percent_decode(text: &str, base: u32) -> Result<Decoded, u32> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut map = OffsetMap::starting_at(base);
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'%', bytes.get(at..).unwrap_or_default()) {
        let escape = at + found;
        decoded.extend_from_slice(bytes.get(at..escape).unwrap_or_default());
        let digit = |i: usize| bytes.get(i).and_then(|&b| (b as char).to_digit(16));
        let (Some(high), Some(low)) = (digit(escape + 1), digit(escape + 2)) else { return Err(escape as u32) };
        map.push(decoded.len() as u32, base + escape as u32);
        decoded.push((high * 16 + low) as u8);
        at = escape + 3;
        map.push(decoded.len() as u32, base + at as u32);
    }
    decoded.extend_from_slice(bytes.get(at..).unwrap_or_default());
    match String::from_utf8(decoded) {
        Ok(text) => Ok(Decoded { text, map }),
        Err(error) => Err(map.outer(error.utf8_error().valid_up_to() as u32) - base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_escapes_map_back_to_their_three_bytes() {
        let decoded = percent_decode("a%7Bb+%C3%A9c", 10).unwrap();
        assert_eq!(decoded.text, "a{b+éc");
        let outer: Vec<u32> = [0, 1, 2, 3, 4, 6, 7].iter().map(|&i| decoded.map.outer(i)).collect();
        assert_eq!(outer, [10, 11, 14, 15, 16, 22, 23]);
        assert_eq!(percent_decode("ab%4", 0).unwrap_err(), 2);
        assert_eq!(percent_decode("a%FFb", 0).unwrap_err(), 1);
    }

    #[test]
    fn two_layers_compose() {
        let first = percent_decode("x%2541y%25", 5).unwrap();
        assert_eq!(first.text, "x%41y%");
        let second = percent_decode("x%41y", 0).unwrap();
        let both = second.map.within(&first.map);
        for inner in 0..4 {
            assert_eq!(both.outer(inner), first.map.outer(second.map.outer(inner)), "{inner}");
        }
    }
}
