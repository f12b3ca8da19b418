//! What messages call the policies that a caller carries: by their own names, and by whose they are.

use std::sync::Arc;

use compact_str::CompactString;

use crate::policy::Policy;

/// A policy of a role, user or group, as people find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// Whose it is: ``role `unit-b-log-reader` ``.
    pub of: CompactString,
    /// What it is to them.
    pub kind: Carried,
}

/// What a policy is to whoever carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// An inline policy of this name; a loose file may have none.
    Inline(Option<CompactString>),
    /// The managed policy of this ARN.
    Managed(CompactString),
    /// The permissions boundary, with the ARN of its managed policy where that is known.
    Boundary(Option<CompactString>),
}

impl Title {
    /// ``inline policy `read-own-logs` of role `unit-b-log-reader` ``.
    fn text(&self) -> String {
        let of = &self.of;
        match &self.kind {
            Carried::Inline(Some(name)) => format!("inline policy `{name}` of {of}"),
            Carried::Inline(None) => format!("inline policy of {of}"),
            Carried::Managed(arn) => format!("managed policy `{arn}` of {of}"),
            Carried::Boundary(Some(arn)) => format!("permissions boundary `{arn}` of {of}"),
            Carried::Boundary(None) => format!("permissions boundary of {of}"),
        }
    }
}

/// The titles of the policies on the side of one caller.
#[derive(Debug, Clone, Default)]
pub struct Titles {
    who: CompactString,
    /// By the addresses of the policies' texts.
    identity: Vec<(usize, Title)>,
    boundary: Option<Title>,
}

impl Titles {
    /// Those of a caller that messages call `who`; each policy stands with its own.
    pub fn new(who: &str, identity: &[Arc<Policy>], titles: Vec<Title>, boundary: Option<Title>) -> Self {
        let addresses = identity.iter().map(|policy| Arc::as_ptr(policy) as usize);
        Titles { who: who.into(), identity: addresses.zip(titles).collect(), boundary }
    }

    /// Whose policies they are.
    pub(super) fn who(&self) -> &str {
        &self.who
    }

    /// What an identity policy is called.
    pub(super) fn identity(&self, policy: &Policy) -> Option<String> {
        let address = std::ptr::from_ref(policy) as usize;
        self.identity.iter().find(|(known, _)| *known == address).map(|(_, title)| title.text())
    }

    /// What the permissions boundary is called.
    pub(super) fn boundary(&self) -> Option<String> {
        self.boundary.as_ref().map(Title::text)
    }
}
