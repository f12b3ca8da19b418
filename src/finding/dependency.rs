//! What decisions hang on.

use std::fmt;

/// Something that a decision hangs on; in the order of the texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependency {
    text: String,
    is_fact: bool,
}

impl Dependency {
    /// Something of the request: a condition key by its name, or what is supposed of the caller.
    pub fn of_request(text: impl Into<String>) -> Self {
        Dependency { text: text.into(), is_fact: false }
    }

    /// A fact that no input tells, in words.
    pub fn fact(text: impl Into<String>) -> Self {
        Dependency { text: text.into(), is_fact: true }
    }

    /// Whether it is a fact that no input tells.
    pub fn is_fact(&self) -> bool {
        self.is_fact
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
