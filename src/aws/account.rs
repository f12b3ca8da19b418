//! Account and organization IDs.

use std::fmt;
use std::str::FromStr;

/// A 12-digit AWS account ID; leading zeros belong to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// Reads 12 ASCII digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(AccountId(digits))
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// An account ID that is none of `taken`: stands for "any other account" in a question.
    pub fn other_than(taken: impl IntoIterator<Item = AccountId>) -> Self {
        let taken: std::collections::BTreeSet<AccountId> = taken.into_iter().collect();
        let mut number: u64 = 987_654_321_098;
        loop {
            let text = format!("{number:012}");
            match AccountId::parse(&text) {
                Some(id) if !taken.contains(&id) => return id,
                _ => number = number.wrapping_sub(1) % 1_000_000_000_000,
            }
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no account ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a 12-digit account ID")]
pub struct NotAnAccountId;

impl FromStr for AccountId {
    type Err = NotAnAccountId;

    fn from_str(text: &str) -> Result<Self, NotAnAccountId> {
        AccountId::parse(text).ok_or(NotAnAccountId)
    }
}

/// Whether a text is an organization ID: `o-` and 10 to 32 lower-case letters or digits (Organizations API reference).
///
/// AWS's own examples use shorter ones such as `o-example`, so any length from 4 on is taken.
pub fn is_organization_id(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|id| {
        (4..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_are_an_account_and_nothing_else_is() {
        assert_eq!(AccountId::parse("012345678901").unwrap().to_string(), "012345678901");
        for text in ["", "12345678901", "1234567890123", "12345678901x", "１２３４"] {
            assert_eq!(AccountId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn another_account_is_none_of_the_taken() {
        let first = AccountId::other_than([]);
        assert_ne!(AccountId::other_than([first]), first);
    }
}
