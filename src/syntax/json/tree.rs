//! The tree view of a tape.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Node, scan};
use crate::text::Span;
use crate::text::embedded::{Decoded, OffsetMap, Place};

/// The kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, kept as it is written.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind with its article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::True | Kind::False => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// One value of a JSON text, with its place.
#[derive(Clone, Copy)]
pub struct Json<'t> {
    text: &'t str,
    nodes: &'t [Node],
    place: &'t Place,
    index: u32,
    ignores_case: bool,
}

/// A key that stands twice in one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The key, unescaped.
    pub key: String,
    /// Where it stands first.
    pub first: Span,
    /// Where it stands again.
    pub again: Span,
}

impl<'t> Json<'t> {
    pub(super) fn new(text: &'t str, nodes: &'t [Node], place: &'t Place, index: u32) -> Self {
        Json { text, nodes, place, index, ignores_case: false }
    }

    fn node(self) -> Node {
        const MISSING: Node = Node { kind: Kind::Null, escaped: false, start: 0, end: 0, next: u32::MAX };
        self.nodes.get(self.index as usize).copied().unwrap_or(MISSING)
    }

    fn at(self, index: u32) -> Json<'t> {
        Json { index, ..self }
    }

    /// The same value, whose keys and those below are found whether they are written in upper or in lower case.
    pub fn ignoring_case(self) -> Json<'t> {
        Json { ignores_case: true, ..self }
    }

    /// The same value, whose keys are found only as they are written, as they are unless the contrary was asked for.
    pub fn minding_case(self) -> Json<'t> {
        Json { ignores_case: false, ..self }
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its place in the source, quotes and brackets included.
    pub fn span(self) -> Span {
        let node = self.node();
        self.place.span(node.start, node.end)
    }

    /// Where the text it stands in lies.
    pub fn place(self) -> &'t Place {
        self.place
    }

    /// The bytes as written, in the text that was read.
    pub fn raw(self) -> &'t str {
        let node = self.node();
        self.text.get(node.start as usize..node.end as usize).unwrap_or("")
    }

    /// The offsets of [`Json::raw`] in the text that was read.
    pub fn range(self) -> std::ops::Range<u32> {
        let node = self.node();
        node.start..node.end
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    fn inside(self) -> Option<&'t str> {
        let node = self.node();
        match node.kind {
            Kind::String => self.text.get(node.start as usize + 1..(node.end as usize).saturating_sub(1)),
            _ => None,
        }
    }

    /// The string, unescaped.
    pub fn as_str(self) -> Option<Cow<'t, str>> {
        let inside = self.inside()?;
        Some(if self.node().escaped { Cow::Owned(unescape(inside, 0).text) } else { Cow::Borrowed(inside) })
    }

    /// The string unescaped, and where its text lies: for text inside text.
    pub fn decoded(self) -> Option<(String, Place)> {
        let decoded = unescape(self.inside()?, self.node().start + 1);
        Some((decoded.text, self.place.embedded(&decoded.map)))
    }

    /// The boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// A scalar's text: a string unescaped, a number or word as written; `None` for containers.
    pub fn scalar_text(self) -> Option<Cow<'t, str>> {
        match self.kind() {
            Kind::Array | Kind::Object => None,
            Kind::String => self.as_str(),
            _ => Some(Cow::Borrowed(self.raw())),
        }
    }

    /// The members of an object as key and value, duplicates included; empty for other kinds.
    pub fn members(self) -> Members<'t> {
        let node = self.node();
        let (at, end) = if node.kind == Kind::Object { (self.index + 1, node.next) } else { (0, 0) };
        Members { json: self, at, end }
    }

    /// The elements of an array; empty for other kinds.
    pub fn elements(self) -> Elements<'t> {
        let node = self.node();
        let (at, end) = if node.kind == Kind::Array { (self.index + 1, node.next) } else { (0, 0) };
        Elements { json: self, at, end }
    }

    /// The value of a key; of duplicates the last, as most readers take it.
    pub fn member(self, key: &str) -> Option<Json<'t>> {
        self.members().filter(|(k, _)| k.is_key(key)).map(|(_, value)| value).last()
    }

    /// Whether this string is `key`.
    pub fn is_key(self, key: &str) -> bool {
        const QUOTES: usize = 2;
        let node = self.node();
        let fits = |found: &str| if self.ignores_case { found.eq_ignore_ascii_case(key) } else { found == key };
        match node.escaped {
            // The keys of an object mostly differ in length.
            false => (node.end - node.start) as usize == key.len() + QUOTES && self.inside().is_some_and(fits),
            true => self.as_str().is_some_and(|found| fits(&found)),
        }
    }

    /// Every key that stands twice in one object, in this value and below.
    pub fn duplicate_keys(self) -> Vec<Duplicate> {
        let mut found = Vec::new();
        for index in self.index..self.node().next.min(self.nodes.len() as u32) {
            let json = self.at(index);
            if json.kind() == Kind::Object {
                json.duplicates_here(&mut found);
            }
        }
        found
    }

    fn duplicates_here(self, found: &mut Vec<Duplicate>) {
        const PAIRWISE: usize = 12;
        let before = found.len();
        // Each key by its index, with its length: keys that differ in it need no second look.
        let mut few = [(0, 0); PAIRWISE];
        for (count, (key, _)) in self.members().enumerate() {
            let node = key.node();
            let length = node.end - node.start;
            let same = |&&(first, other): &&(u32, u32)| other == length && self.at(first).raw() == key.raw();
            let first = few.iter().take(count).find(same).map(|(first, _)| self.at(*first));
            let Some(slot) = few.get_mut(count).filter(|_| !node.escaped) else {
                found.truncate(before);
                return self.duplicates_among_many(found);
            };
            *slot = (key.index, length);
            found.extend(first.map(|first| duplicate(first, key)));
        }
    }

    fn duplicates_among_many(self, found: &mut Vec<Duplicate>) {
        let mut seen: HashMap<Cow<'t, str>, Json<'t>> = HashMap::new();
        for (key, _) in self.members() {
            match seen.entry(key.as_str().unwrap_or_default()) {
                Entry::Occupied(first) => found.push(duplicate(*first.get(), key)),
                Entry::Vacant(entry) => {
                    entry.insert(key);
                }
            }
        }
    }
}

fn duplicate(first: Json<'_>, again: Json<'_>) -> Duplicate {
    let key = again.as_str().unwrap_or_default().into_owned();
    Duplicate { key, first: first.span(), again: again.span() }
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

/// The members of an object.
#[derive(Clone)]
pub struct Members<'t> {
    json: Json<'t>,
    at: u32,
    end: u32,
}

impl<'t> Iterator for Members<'t> {
    type Item = (Json<'t>, Json<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let key = self.json.at(self.at);
        let value = self.json.at(self.at + 1);
        self.at = value.node().next;
        Some((key, value))
    }
}

/// The elements of an array.
#[derive(Clone)]
pub struct Elements<'t> {
    json: Json<'t>,
    at: u32,
    end: u32,
}

impl<'t> Iterator for Elements<'t> {
    type Item = Json<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let element = self.json.at(self.at);
        self.at = element.node().next;
        Some(element)
    }
}

/// Takes the escapes out of the inside of a string that was read without error, which starts at byte `base`.
pub fn unescape(raw: &str, base: u32) -> Decoded {
    let bytes = raw.as_bytes();
    let mut text = String::with_capacity(raw.len());
    let mut map = OffsetMap::starting_at(base);
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        let backslash = at + found;
        text.push_str(raw.get(at..backslash).unwrap_or(""));
        let (character, end) = scan::escape(bytes, backslash).unwrap_or(('\u{FFFD}', backslash + 1));
        text.push(character);
        at = end;
        map.push(text.len() as u32, base + at as u32);
    }
    text.push_str(raw.get(at..).unwrap_or(""));
    Decoded { text, map }
}
