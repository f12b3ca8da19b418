//! The pointers of places in a file of hundreds of megabytes: the outer containers are walked, and one item at a time is
//! in memory.

use std::borrow::Cow;

use super::{descend, push_step, sorted};
use crate::syntax::json::{Container, Cursor, JsonError, Tape};
use crate::text::Span;
use crate::text::embedded::Place;

/// How many levels of containers are walked: an export is an object of lists of roles, so a role is an item.
const WALKED: usize = 2;

/// As [`super::pointers`], in memory that depends on the largest item and not on the file.
pub(super) fn pointers(text: &str, spans: &[Span]) -> Vec<String> {
    let Some(source) = spans.first().map(|s| s.source) else { return Vec::new() };
    let place = Place::direct(source, 0);
    let wanted = sorted(spans);
    let mut walk = Walk {
        cursor: Cursor::new(text, &place),
        wanted: &wanted,
        next: 0,
        path: String::new(),
        found: vec![String::new(); spans.len()],
        key: Tape::new(),
        item: Tape::new(),
    };
    match walk.value(0).and_then(|_| walk.cursor.finish()) {
        Ok(()) => walk.found,
        Err(_) => vec![String::new(); spans.len()],
    }
}

struct Walk<'t, 'w> {
    cursor: Cursor<'t>,
    /// Sorted by start.
    wanted: &'w [(Span, usize)],
    /// The first of `wanted` that has no pointer yet.
    next: usize,
    /// The pointer of the container the cursor is in.
    path: String,
    found: Vec<String>,
    key: Tape,
    item: Tape,
}

impl Walk<'_, '_> {
    /// Reads the value at the cursor, which begins an item of the pointer `self.path`; gives the byte after it.
    fn value(&mut self, depth: usize) -> Result<u32, JsonError> {
        match self.cursor.peek() {
            Container::Object if depth < WALKED => self.object(depth)?,
            Container::Array if depth < WALKED => self.array(depth)?,
            _ => return self.whole(),
        }
        let end = self.cursor.offset() as u32;
        self.settle_before(end);
        Ok(end)
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        self.cursor.enter()?;
        let mut tape = std::mem::take(&mut self.key);
        while let Some(key) = self.cursor.next_key(&mut tape)? {
            let text = key.as_str().unwrap_or(Cow::Borrowed(""));
            self.item(key.range().start, Some(&text), 0, depth)?;
        }
        self.key = tape;
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        self.cursor.enter()?;
        let mut number = 0;
        while self.cursor.next_element()? {
            self.item(self.cursor.offset() as u32, None, number, depth)?;
            number += 1;
        }
        Ok(())
    }

    /// Reads one item of a container; what begins in it and ends behind it belongs to the container.
    fn item(&mut self, start: u32, key: Option<&str>, number: usize, depth: usize) -> Result<(), JsonError> {
        self.settle_before(start);
        let first = self.next;
        let length = self.path.len();
        push_step(&mut self.path, key, number);
        let end = self.value(depth + 1)?;
        self.path.truncate(length);
        for (span, index) in self.wanted.get(first..self.next).unwrap_or_default() {
            if span.end > end
                && let Some(slot) = self.found.get_mut(*index)
            {
                slot.clone_from(&self.path);
            }
        }
        Ok(())
    }

    /// Reads an item that is not walked.
    fn whole(&mut self) -> Result<u32, JsonError> {
        let json = self.cursor.value(&mut self.item)?;
        let end = json.range().end;
        let rest = self.wanted.get(self.next..).unwrap_or_default();
        let count = rest.partition_point(|(span, _)| span.start < end);
        let here = rest.get(..count).unwrap_or_default();
        if here.iter().all(|(span, _)| span.end <= end) {
            descend(json, here, &mut self.path, &mut self.found, 0);
        } else {
            let here: Vec<(Span, usize)> = here.iter().filter(|(span, _)| span.end <= end).copied().collect();
            descend(json, &here, &mut self.path, &mut self.found, 0);
        }
        self.next += count;
        Ok(end)
    }

    /// Gives the current pointer to what begins before `offset` and has none yet.
    fn settle_before(&mut self, offset: u32) {
        while let Some((_, index)) = self.wanted.get(self.next).filter(|(span, _)| span.start < offset) {
            if let Some(slot) = self.found.get_mut(*index) {
                slot.clone_from(&self.path);
            }
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::syntax::pointer::pointers_at_once;
    use crate::text::SourceId;

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("1".to_owned()),
            Just("null".to_owned()),
            Just("\"s\"".to_owned()),
            Just("\"{\\\"k\\\":[1]}\"".to_owned())
        ];
        let key = prop_oneof![Just("a"), Just("b/c"), Just("\\u0061"), Just("!")];
        leaf.prop_recursive(6, 60, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[ {}]", items.join(" ,"))),
                prop::collection::vec((key.clone(), inner), 0..5).prop_map(|items| {
                    let items: Vec<String> = items.iter().map(|(k, v)| format!("\"{k}\" : {v}")).collect();
                    format!("{{{}\n}}", items.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn walking_gives_the_pointers_that_reading_at_once_gives(
            text in json(),
            cut in proptest::option::weighted(0.1, 0usize..200),
            ranges in prop::collection::vec((0u32..300, 0u32..40), 0..20),
        ) {
            let text = format!(" {text} ");
            let text = text.get(..cut.unwrap_or(text.len())).unwrap_or(&text);
            let spans: Vec<Span> =
                ranges.iter().map(|(start, len)| Span::new(SourceId::new(0), *start, start + len)).collect();
            prop_assert_eq!(pointers(text, &spans), pointers_at_once(text, &spans));
        }
    }

    #[test]
    fn every_range_of_an_export_gets_the_same_pointer_either_way() {
        let text = r#"{"RoleDetailList":[{"RoleName":"a","Doc":{"Statement":[{"Sid":"x"}]},"P":"{\"k\":1}"},{}],"More":false}"#;
        let spans: Vec<Span> = (0..text.len() as u32)
            .flat_map(|start| (start..=text.len() as u32).map(move |end| Span::new(SourceId::new(0), start, end)))
            .collect();
        assert_eq!(pointers(text, &spans), pointers_at_once(text, &spans));
    }
}
