//! What decisions hang on.

use std::fmt;

/// Something that a decision hangs on; in the order of the texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependency {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Request,
    Fact,
    Bound,
}

impl Dependency {
    /// Something of the request: a condition key by its name, or what is supposed of the caller.
    pub fn of_request(text: impl Into<String>) -> Self {
        Dependency { text: text.into(), kind: Kind::Request }
    }

    /// A fact that no input tells, in words.
    pub fn fact(text: impl Into<String>) -> Self {
        Dependency { text: text.into(), kind: Kind::Fact }
    }

    /// What was left open because there is too much to try, in words.
    pub fn bound(text: impl Into<String>) -> Self {
        Dependency { text: text.into(), kind: Kind::Bound }
    }

    /// Whether it is a fact that no input tells, or that was not found out.
    pub fn is_fact(&self) -> bool {
        self.kind != Kind::Request
    }

    /// Whether more could have been found out by trying more.
    pub fn is_bound(&self) -> bool {
        self.kind == Kind::Bound
    }

    /// Leaves each once, in order.
    pub fn settle(all: &mut Vec<Dependency>) {
        all.sort_unstable();
        all.dedup();
    }

    /// As reports tell it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Dependency> for String {
    fn from(dependency: Dependency) -> Self {
        dependency.text
    }
}

impl PartialEq<&str> for Dependency {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}
