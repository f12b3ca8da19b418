//! External IDs that do little: easy to guess, or impossible to send.
//!
//! Source: STS API Reference, "AssumeRole" (2 to 1,224 characters, `[\w+=,.@:/-]`).

use crate::aws::AccountId;
use crate::rule::context::Context;

/// From how many characters on an external ID counts as long enough.
pub(in crate::rules) const LONG_ENOUGH: usize = 6;

/// Words of which placeholders are made; other texts made of nothing else are taken for placeholders too.
const STOCK_WORDS: [&str; 66] = [
    "a",
    "abc",
    "abcd",
    "abcdef",
    "account",
    "an",
    "any",
    "asdf",
    "assigned",
    "aws",
    "bar",
    "baz",
    "by",
    "change",
    "changeme",
    "client",
    "company",
    "corp",
    "customer",
    "default",
    "demo",
    "dummy",
    "example",
    "ext",
    "external",
    "fill",
    "fixme",
    "foo",
    "from",
    "generated",
    "guid",
    "here",
    "id",
    "identifier",
    "in",
    "insert",
    "it",
    "key",
    "me",
    "my",
    "new",
    "none",
    "null",
    "our",
    "pass",
    "password",
    "placeholder",
    "put",
    "qwerty",
    "random",
    "replace",
    "role",
    "sample",
    "secret",
    "some",
    "string",
    "tbd",
    "test",
    "the",
    "this",
    "to",
    "todo",
    "unique",
    "uuid",
    "value",
    "your",
];

/// What is wrong with an external ID as such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Weakness {
    /// A character in it that AWS refuses.
    Refused(char),
    /// It has this many characters, and AWS takes no such length.
    Length(usize),
    /// It is an account ID; the account, written with 12 digits.
    Account(AccountId),
    /// It is what people write before they have one.
    Placeholder,
    /// It is the name of this.
    Name(&'static str),
    /// It has only this many characters.
    Short(usize),
}

/// What is wrong with an external ID that stands in a trust policy of a role for an account.
pub(in crate::rules) fn weakness(context: &Context<'_>, role: &str, account: AccountId, id: &str) -> Option<Weakness> {
    let length = id.chars().count();
    if let Some(refused) = id.chars().find(|c| !c.is_ascii_alphanumeric() && !"_+=,.@:/-".contains(*c)) {
        return Some(Weakness::Refused(refused));
    }
    if !(2..=1_224).contains(&length) {
        return Some(Weakness::Length(length));
    }
    if let Some(account) = account_id(id) {
        return Some(Weakness::Account(account));
    }
    let plain = letters_and_digits(id);
    if is_placeholder(&plain) {
        return Some(Weakness::Placeholder);
    }
    let third_parties = context.config.into_iter().flat_map(|config| &config.third_parties);
    let mut names =
        third_parties.filter(|party| party.account.value == account).filter_map(|party| party.name.as_ref());
    if names.any(|name| letters_and_digits(&name.value) == plain) {
        return Some(Weakness::Name("the third party"));
    }
    if letters_and_digits(role) == plain {
        return Some(Weakness::Name("the role"));
    }
    (length < LONG_ENOUGH).then_some(Weakness::Short(length))
}

/// Reads an account ID, also as the console groups it: `1111-2222-3333`.
fn account_id(text: &str) -> Option<AccountId> {
    let grouped = text.len() == 14 && text.match_indices('-').map(|(at, _)| at).eq([4, 9]);
    AccountId::parse(&if grouped { text.replace('-', "") } else { text.to_owned() })
}

fn letters_and_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether lower-case letters and digits are one character again and again, or stock words and counted digits only.
fn is_placeholder(plain: &str) -> bool {
    let mut characters = plain.chars();
    let first = characters.next();
    if first.is_none() || characters.all(|c| Some(c) == first) {
        return true;
    }
    // made[i]: whether the first i bytes are made of stock words.
    let mut made = vec![false; plain.len() + 1];
    if let Some(start) = made.first_mut() {
        *start = true;
    }
    for end in 1..=plain.len() {
        let fits = (0..end).any(|start| {
            made.get(start) == Some(&true)
                && plain.get(start..end).is_some_and(|word| STOCK_WORDS.contains(&word) || counts(word))
        });
        if let Some(slot) = made.get_mut(end) {
            *slot = fits;
        }
    }
    made.last() == Some(&true)
}

/// Whether a text is digits in counting order, upwards or downwards: `1`, `1234`, `567890`, `321`.
fn counts(text: &str) -> bool {
    let steps = |up: u8| {
        let next = |(a, b): (u8, u8)| b == b'0' + (a - b'0' + up) % 10;
        text.bytes().zip(text.bytes().skip(1)).all(next)
    };
    text.bytes().all(|b| b.is_ascii_digit()) && (steps(1) || steps(9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_ids() {
        for text in [
            "changeme",
            "change-me",
            "CHANGE_ME",
            "12345",
            "1234567890",
            "87654321",
            "000000",
            "xxxxxxxx",
            "ExternalId",
            "my-external-id",
            "your-external-id-here",
            "Unique-ID-Assigned-by-Example-Corp",
            "test123",
            "example-12345",
            "00000000-0000-0000-0000-000000000000",
            "--------",
            "abc123",
            "replace.this:value",
        ] {
            assert!(is_placeholder(&letters_and_digits(text)), "{text}");
        }
        for text in [
            "3f9c1d7e-7a55-4d0e-9a53-0c2b6f1f8a21",
            "7b1e3c52",
            "analyzer-7381",
            "tenant-0042",
            "Kq7-zz81",
            "acme-prod",
            "01HZX3",
            "20261101",
        ] {
            assert!(!is_placeholder(&letters_and_digits(text)), "{text}");
        }
    }

    #[test]
    fn account_ids_are_read_with_and_without_groups() {
        let id = AccountId::parse("111122223333");
        assert_eq!(account_id("111122223333"), id);
        assert_eq!(account_id("1111-2222-3333"), id);
        for text in ["11112222333", "1111-22223333", "1111-2222-333x", "11-1122223333-"] {
            assert_eq!(account_id(text), None, "{text}");
        }
    }
}
