//! Several items of one resource: the one that was captured last counts.

use std::collections::HashMap;
use std::ops::Range;

use compact_str::{CompactString, format_compact};

use super::Item;
use crate::collect::piece::Told;
use crate::policy::instant;
use crate::syntax::json::Json;

/// When an item was captured, and what of all that a file tells is from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) struct Capture {
    /// What tells the resource from all others.
    resource: CompactString,
    /// Microseconds since 1970.
    time: i64,
    pieces: Range<u32>,
    broken: Range<u32>,
}

impl Capture {
    /// The capture of an item that has a time, and of which pieces and broken texts from `before` to `after` are.
    pub(super) fn new(item: &Item<'_>, before: (usize, usize), after: (usize, usize)) -> Option<Self> {
        let time = item.json.member("configurationItemCaptureTime").and_then(micros)?;
        let name = item.arn.as_ref().or(item.name.as_ref()).or(item.id.as_ref())?;
        // What one account and Region has of a trail, others have as well, and each of them loses it by itself.
        let account = item.account.as_ref().map_or("", |account| account.value.as_str());
        let region = item.region.as_ref().map_or("", |region| region.value.as_str());
        let resource = format_compact!("{:?} {account} {region} {name}", item.kind);
        let range = |from: usize, to: usize| from as u32..to as u32;
        Some(Capture { resource, time, pieces: range(before.0, after.0), broken: range(before.1, after.1) })
    }
}

/// A time as ISO 8601 text or as seconds since 1970.
fn micros(json: Json<'_>) -> Option<i64> {
    let text = json.scalar_text()?;
    if let Some(nanos) = instant(&text) {
        return i64::try_from(nanos / 1000).ok();
    }
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.abs() < 1e12)?;
    Some((seconds * 1e6).round() as i64)
}

/// Whether each of at least two items is at least as late as the one before it, and the last later than the first.
pub(super) fn are_ascending(captures: &[Capture]) -> bool {
    let ends = captures.first().zip(captures.last());
    ends.is_some_and(|(first, last)| first.time < last.time) && captures.is_sorted_by_key(|capture| capture.time)
}

/// Takes out what items tell of resources of which a later item is there; where two are equally late, both stay.
pub(in crate::collect) fn pass_over_outdated<'t>(files: impl Iterator<Item = &'t mut Told>) {
    let mut files: Vec<&mut Told> = files.filter(|told| !told.captures.is_empty()).collect();
    let mut latest: HashMap<CompactString, i64> = HashMap::new();
    for capture in files.iter().flat_map(|told| &told.captures) {
        match latest.get_mut(&capture.resource) {
            Some(time) => *time = capture.time.max(*time),
            None => {
                latest.insert(capture.resource.clone(), capture.time);
            }
        }
    }
    for told in &mut files {
        let captures = std::mem::take(&mut told.captures);
        let is_outdated = |capture: &&Capture| latest.get(&capture.resource).is_some_and(|time| capture.time < *time);
        let outdated: Vec<&Capture> = captures.iter().filter(is_outdated).collect();
        if !outdated.is_empty() {
            take_out(&mut told.pieces, outdated.iter().map(|capture| &capture.pieces));
            take_out(&mut told.broken, outdated.iter().map(|capture| &capture.broken));
        }
    }
}

/// Takes ranges out of a list; they come in order.
fn take_out<'r, T>(list: &mut Vec<T>, ranges: impl Iterator<Item = &'r Range<u32>>) {
    let mut ranges = ranges.peekable();
    let mut number = 0;
    list.retain(|_| {
        let here = number;
        number += 1;
        while ranges.next_if(|range| range.end <= here).is_some() {}
        !ranges.peek().is_some_and(|range| range.contains(&here))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json::Tape;
    use crate::text::SourceId;
    use crate::text::embedded::Place;

    #[test]
    fn times_are_read_in_every_form_that_aws_writes() {
        let read = |text: &str| {
            let (place, mut tape) = (Place::direct(SourceId::new(0), 0), Tape::new());
            micros(tape.read(text, &place).unwrap())
        };
        let expected = read(r#""2026-08-01T12:00:00.250Z""#);
        assert_eq!(expected, Some(1_785_585_600_250_000));
        for text in [r#""2026-08-01T14:00:00.250+02:00""#, "1785585600.25", "1.78558560025E9"] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in [r#""""#, r#""yesterday""#, "null", "true", "[]", "1e300", "{}"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_are_taken_out_and_the_rest_stays_in_order() {
        let mut list: Vec<u32> = (0..10).collect();
        take_out(&mut list, [0..2, 3..3, 4..5, 8..10].iter());
        assert_eq!(list, [2, 3, 5, 6, 7]);
    }
}
