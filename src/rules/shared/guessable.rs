//! External IDs that do little: easy to guess, or impossible to send.
//!
//! Source: STS API Reference, "AssumeRole" (2 to 1,224 characters, `[\w+=,.@:/-]`).

use crate::aws::AccountId;
use crate::policy::operator::Family;
use crate::rule::context::Context;
use crate::rules::shared::external_id::Accepted;

/// From how many characters on an external ID counts as long enough.
const LONG_ENOUGH: usize = 6;

/// Words of which placeholders are made: a text of nothing else is taken for one.
const STOCK_WORDS: &str = "a abc abcd abcdef account an any asdf assigned aws bar baz by change changeme client company corp \
    customer default demo dummy example ext external fill fixme foo from generated guid here id identifier in \
    insert it key me my new none null our pass password placeholder put qwerty random replace role sample \
    secret some string tbd test the this to todo unique uuid value your";

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
    /// It is a pattern.
    Pattern,
    /// It is compared without regard to case.
    IgnoresCase,
}

impl Weakness {
    /// One word for fingerprints; stable.
    pub(in crate::rules) fn name(&self) -> &'static str {
        match self {
            Weakness::Refused(_) | Weakness::Length(_) => "refused",
            Weakness::Account(_) => "account",
            Weakness::Placeholder => "placeholder",
            Weakness::Name(_) => "name",
            Weakness::Short(_) => "short",
            Weakness::Pattern => "pattern",
            Weakness::IgnoresCase => "case",
        }
    }

    /// What is to be said of an external ID of a role.
    pub(in crate::rules) fn message(&self, id: &str, role: &str) -> String {
        match self {
            Weakness::Refused(c) => format!("external ID `{id}` of `{role}` holds `{c}`, which AWS refuses"),
            Weakness::Length(0) => format!("external ID of `{role}` is empty"),
            Weakness::Length(1) => format!("external ID of `{role}` has 1 character, fewer than AWS takes"),
            Weakness::Length(length) => {
                format!("external ID of `{role}` has {length} characters, and AWS takes 2 to 1,224")
            }
            Weakness::Account(account) => format!("external ID of `{role}` is an account ID, {account}"),
            Weakness::Placeholder => format!("external ID `{id}` of `{role}` is a placeholder"),
            Weakness::Name(of) => format!("external ID `{id}` of `{role}` is the name of the {of}"),
            Weakness::Short(length) => format!("external ID of `{role}` has only {length} characters"),
            Weakness::Pattern => format!("external ID `{id}` of `{role}` is a pattern that many IDs match"),
            Weakness::IgnoresCase => format!("external ID of `{role}` is compared without regard to case"),
        }
    }

    /// Why it matters, for the place.
    pub(in crate::rules) fn label(&self) -> &'static str {
        match self {
            Weakness::Refused(_) | Weakness::Length(_) => "nobody can send it",
            Weakness::Account(_) => "account IDs are no secret and name no customer relation",
            Weakness::Placeholder => "others use it too",
            Weakness::Name(_) => "whoever knows the role can guess it",
            Weakness::Short(_) => "all IDs of this length can be tried",
            Weakness::Pattern => "the ID of another customer may match it",
            Weakness::IgnoresCase => "the same ID in another case gets in too",
        }
    }
}

/// What is wrong with an external ID that a role accepts from an account.
pub(in crate::rules) fn weakness(
    context: &Context<'_>,
    role: &str,
    account: AccountId,
    one: &Accepted<'_>,
) -> Option<Weakness> {
    if one.is_pattern() {
        return Some(Weakness::Pattern);
    }
    let id = one.id();
    if let Some(weakness) = unsendable(&id) {
        return Some(weakness);
    }
    if let Some(account) = account_id(&id) {
        return Some(Weakness::Account(account));
    }
    let plain = letters_and_digits(&id);
    if is_placeholder(&plain) {
        return Some(Weakness::Placeholder);
    }
    let named = context.model.name(account).is_some_and(|name| letters_and_digits(name) == plain);
    if named || letters_and_digits(role) == plain {
        return Some(Weakness::Name(if named { "third party" } else { "role" }));
    }
    if id.len() < LONG_ENOUGH {
        return Some(Weakness::Short(id.len()));
    }
    let ignores_case = one.clause.operator.family == Family::StringIgnoreCase;
    (ignores_case && id.bytes().any(|b| b.is_ascii_alphabetic())).then_some(Weakness::IgnoresCase)
}

/// Why no request can carry an external ID.
pub(in crate::rules) fn unsendable(id: &str) -> Option<Weakness> {
    let length = id.chars().count();
    if let Some(refused) = id.chars().find(|c| !c.is_ascii_alphanumeric() && !"_+=,.@:/-".contains(*c)) {
        return Some(Weakness::Refused(refused));
    }
    (!(2..=1_224).contains(&length)).then_some(Weakness::Length(length))
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
    if is_repeated(plain) {
        return true;
    }
    let mut rest = plain;
    while let Some(first) = rest.chars().next() {
        let same_kind = |c: char| c.is_ascii_digit() == first.is_ascii_digit();
        let end = rest.find(|c| !same_kind(c)).unwrap_or(rest.len());
        let Some((run, behind)) = rest.split_at_checked(end) else { return false };
        let fits = if first.is_ascii_digit() { is_repeated(run) || counts(run) } else { is_stock(run) };
        if !fits {
            return false;
        }
        rest = behind;
    }
    true
}

fn is_repeated(text: &str) -> bool {
    let first = text.chars().next();
    text.chars().all(|c| Some(c) == first)
}

/// Whether a text is stock words put together.
fn is_stock(text: &str) -> bool {
    // made[i]: whether the first i bytes are.
    let mut made = vec![true];
    for end in 1..=text.len() {
        let is_word =
            |start: &usize| text.get(*start..end).is_some_and(|word| STOCK_WORDS.split(' ').any(|stock| stock == word));
        let fits = made.iter().enumerate().filter(|(_, made)| **made).any(|(start, _)| is_word(&start));
        made.push(fits);
    }
    made.last() == Some(&true)
}

/// Whether digits count upwards or downwards: `1`, `1234`, `567890`, `321`.
fn counts(digits: &str) -> bool {
    let steps = |up: u8| {
        let next = |(a, b): (u8, u8)| b == b'0' + (a - b'0' + up) % 10;
        digits.bytes().zip(digits.bytes().skip(1)).all(next)
    };
    steps(1) || steps(9)
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
            "73518264",
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
