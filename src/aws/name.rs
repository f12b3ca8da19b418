//! Names that AWS compares without regard to case.

use std::fmt;

use compact_str::CompactString;

/// An action as a request carries it, `s3:GetObject`; compared without regard to case.
#[derive(Clone)]
pub struct ActionName(CompactString);

impl ActionName {
    /// Takes `service:Action` as it is written.
    pub fn new(text: &str) -> Self {
        ActionName(CompactString::new(text))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service prefix, as written.
    pub fn service(&self) -> &str {
        self.0.split(':').next().unwrap_or("")
    }

    /// The part after the colon; empty where there is none.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }

    /// Whether it is that action, whatever the case.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether it belongs to that service, whatever the case.
    pub fn is_of(&self, service: &str) -> bool {
        self.service().eq_ignore_ascii_case(service)
    }
}

impl fmt::Debug for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for ActionName {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for ActionName {}

/// The name of a condition key, tag part included; AWS compares all of it without regard to case
/// (IAM User Guide, "IAM JSON policy elements: Condition").
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionKey(CompactString);

impl ConditionKey {
    /// Takes a key as it is written.
    pub fn new(text: &str) -> Self {
        let mut key = CompactString::from(text);
        key.make_ascii_lowercase();
        ConditionKey(key)
    }

    /// The key in lower case: its normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that key, whatever the case.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether it is `prefix/…` for a key with a tag, such as `aws:PrincipalTag`.
    pub fn is_tag_of(&self, prefix: &str) -> bool {
        self.0.split_once('/').is_some_and(|(key, _)| key.eq_ignore_ascii_case(prefix))
    }

    /// Whether it begins with `prefix`, whatever the case.
    pub fn starts_with(&self, prefix: &str) -> bool {
        self.0.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }
}

impl fmt::Debug for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
