//! Exports of hundreds of megabytes: the items of IAM's lists and of AWS Config are read one at a time, and the tape is used again.
//!
//! Policy documents are not kept parsed: an estate of a hundred thousand roles must not take more memory than its text.

use std::collections::HashMap;

use super::configuration_item::{self, Member};
use super::iam::List;
use super::reader::{Reader, says_more};
use crate::syntax::json::{Container, Cursor, Duplicate, Json, JsonError, Tape};
use crate::text::Span;
use crate::text::embedded::Place;

/// What a large text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Large {
    /// Lists whose items were read.
    Read,
    /// One answer that is not read by items; the caller may read it whole.
    Whole,
    /// One policy document, which AWS would never take.
    Policy,
    /// Nothing of ours.
    Nothing,
}

/// Reads a text that may be several values, one behind the other.
///
/// # Errors
/// The first mistake in the JSON, with its byte in `text`.
pub(super) fn read(reader: &mut Reader<'_>, text: &str) -> Result<Large, JsonError> {
    reader.deferred = true;
    let mut tape = Tape::new();
    let mut at = 0;
    let mut found = Large::Nothing;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let place = Place::direct(reader.source, at as u32);
        let mut cursor = Cursor::new(rest, &place);
        let read = one(reader, &mut cursor, &mut tape)
            .map_err(|error| JsonError { at: error.at.saturating_add(at as u32), ..error })?;
        found = if found == Large::Nothing { read } else { found };
        at += cursor.offset();
        if text.get(at..).is_none_or(|rest| rest.trim_ascii_start().is_empty()) {
            return Ok(found);
        }
    }
}

fn one(reader: &mut Reader<'_>, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<Large, JsonError> {
    match cursor.peek() {
        Container::Object => object(reader, cursor, tape),
        Container::Array => array(reader, cursor, tape),
        Container::Scalar => {
            cursor.value(tape)?;
            Ok(Large::Whole)
        }
    }
}

/// An answer: its lists are read, the rest is passed over.
fn object(reader: &mut Reader<'_>, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<Large, JsonError> {
    let mut keys: HashMap<String, Span> = HashMap::new();
    let mut found = Large::Nothing;
    let first = reader.told.pieces.len();
    let (mut page, mut goes_on): (Option<(List, Span)>, bool) = (None, false);
    let mut rows = None;
    cursor.enter()?;
    while let Some(key) = cursor.next_key(tape)? {
        let (name, span) = (key.as_str().unwrap_or_default().into_owned(), key.span());
        let is_list = cursor.peek() == Container::Array;
        let configuration = Member::of_key(&name).filter(|member| is_list && member.is_list());
        if let Some(member) = configuration {
            // Other tools have lists of results as well.
            reader.told.recognised |= member != Member::Rows;
            if member == Member::Rows {
                rows = Some(span);
            }
            found = Large::Read;
            elements(cursor, tape, reader, &|reader, item| reader.configuration_element(member, item))?;
        } else if let Some(list) = List::of_key(&name).filter(|_| is_list) {
            elements(cursor, tape, reader, &|reader, item| {
                reader.iam_item(list, item);
            })?;
            reader.told.recognised = true;
            found = Large::Read;
            if page.is_none_or(|(known, _)| known == List::Policies) {
                page = Some((list, span));
            }
        } else if cursor.peek() == Container::Scalar {
            goes_on |= says_more(&name, cursor.value(tape)?);
        } else {
            skip(cursor, tape)?;
            if found == Large::Nothing {
                found = if name == "Statement" { Large::Policy } else { Large::Nothing };
            }
        }
        match keys.get(&name) {
            Some(&first) => reader.told.duplicates.push(Duplicate { key: name, first, again: span }),
            None => {
                keys.insert(name, span);
            }
        }
    }
    if let Some((list, span)) = page {
        reader.page(list.fact(), reader.account_since(first), goes_on, span);
    }
    if let Some(span) = rows.filter(|_| reader.told.recognised) {
        reader.page(configuration_item::ITEMS, None, goes_on, span);
    }
    let whole = ["Grants", "Aliases", "Accounts", "Buckets", "trailList", "Trails", "Policy", "Targets"];
    if found == Large::Nothing && whole.iter().any(|key| keys.contains_key(*key)) {
        return Ok(Large::Whole);
    }
    Ok(found)
}

fn elements(
    cursor: &mut Cursor<'_>,
    tape: &mut Tape,
    reader: &mut Reader<'_>,
    read: &dyn Fn(&mut Reader<'_>, Json<'_>),
) -> Result<(), JsonError> {
    cursor.enter()?;
    while cursor.next_element()? {
        let item = cursor.value(tape)?;
        read(reader, item);
        reader.duplicates(item);
    }
    Ok(())
}

/// A list without the answer around it, or pages.
fn array(reader: &mut Reader<'_>, cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<Large, JsonError> {
    let mut found = Large::Nothing;
    cursor.enter()?;
    while cursor.next_element()? {
        if cursor.peek() != Container::Object {
            skip(cursor, tape)?;
            continue;
        }
        let item: Json<'_> = cursor.value(tape)?;
        if reader.value(item) {
            found = Large::Read;
        }
        reader.duplicates(item);
    }
    Ok(found)
}

/// Passes over a value without keeping it.
fn skip(cursor: &mut Cursor<'_>, tape: &mut Tape) -> Result<(), JsonError> {
    let mut open = Vec::new();
    loop {
        match cursor.peek() {
            Container::Scalar => {
                cursor.value(tape)?;
            }
            container => {
                cursor.enter()?;
                open.push(container);
            }
        }
        loop {
            let more = match open.last() {
                None => return Ok(()),
                Some(Container::Object) => cursor.next_key(tape)?.is_some(),
                Some(_) => cursor.next_element()?,
            };
            if more {
                break;
            }
            open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::collect::names::Names;
    use crate::collect::piece::{Piece, Told};
    use crate::text::SourceId;

    fn names() -> Names {
        Names::alone("x/details.json", Path::new("/w/x/details.json"))
    }

    fn by_items(text: &str) -> (Result<Large, JsonError>, Told) {
        let names = names();
        let mut reader = Reader::new(SourceId::new(0), &names, None);
        let read = read(&mut reader, text);
        (read, reader.told)
    }

    fn whole(text: &str) -> Told {
        let (names, place) = (names(), Place::direct(SourceId::new(0), 0));
        let mut reader = Reader::new(SourceId::new(0), &names, None);
        let mut tape = Tape::new();
        let json = tape.read(text, &place).unwrap();
        assert!(reader.value(json));
        reader.duplicates(json);
        reader.told
    }

    /// What pieces say but for the texts of policies, which the one way keeps and the other does not.
    fn shown(told: &Told) -> String {
        let mut shown = String::new();
        for piece in &told.pieces {
            let (span, name) = match piece {
                Piece::Role(role, _) => (role.trust.span(), &role.name),
                Piece::User(user, _) => (Some(user.span), &user.name),
                Piece::Group(group, _) => (Some(group.span), &group.name),
                Piece::ManagedPolicy(policy) => (policy.document.span(), &policy.name),
                other => panic!("{other:?}"),
            };
            shown.push_str(&format!("{name} {span:?}\n"));
        }
        // The estate sorts them.
        let mut duplicates = told.duplicates.clone();
        duplicates.sort_by_key(|duplicate| duplicate.again.start);
        format!("{shown}{:?}{duplicates:?}", told.broken)
    }

    const DETAILS: &str = r#" {"UserDetailList": [{"UserName": "u", "UserId": "A", "UserId": "B", "Arn": "arn:aws:iam::111111111111:user/u"}],
        "Extra": {"deep": [[1, {"a": "]}"}], []], "n": null},
        "RoleDetailList": [
            {"RoleName": "r", "RoleId": "A", "AssumeRolePolicyDocument": {"Statement": [], "Sid": 1, "Sid": 2}},
            {"RoleName": "s", "RoleId": "A", "AssumeRolePolicyDocument": "{\"Statement\":"},
            {"RoleName": "t", "RoleId": "A", "AssumeRolePolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D"}],
        "GroupDetailList": [], "Policies": [{"Arn": "arn:aws:iam::111111111111:policy/p", "PolicyVersionList": []}]}
    "#;

    #[test]
    fn items_one_by_one_tell_the_same_as_the_whole() {
        for text in [DETAILS.to_owned(), format!("[{DETAILS}, 7, [8]]")] {
            let (read, told) = by_items(&text);
            assert_eq!(read, Ok(Large::Read));
            assert_eq!(shown(&told), shown(&whole(&text)));
            assert_eq!((told.pieces.len(), told.broken.len(), told.duplicates.len()), (5, 1, 1));
        }
        let (read, told) = by_items(&format!("{DETAILS}{DETAILS}"));
        assert_eq!((read, told.pieces.len()), (Ok(Large::Read), 10));
        let (Some(Piece::User(first, _)), Some(Piece::User(second, _))) = (told.pieces.first(), told.pieces.get(5))
        else {
            panic!()
        };
        assert_eq!((second.span.start - first.span.start) as usize, DETAILS.len(), "places count from the beginning");
    }

    #[test]
    fn configuration_items_one_by_one_tell_the_same_as_the_whole() {
        let role = r#"{"resourceType":"AWS::IAM::Role","accountId":"111111111111","resourceName":"r","configurationItemStatus":"OK","configuration":{"rolePolicyList":[],"assumeRolePolicyDocument":"%7B%22Statement%22%3A%5B%5D%7D","a":1,"a":2}}"#;
        let string = |text: &str| serde_json::to_string(text).unwrap();
        let broken = string(r#"{"assumeRolePolicyDocument":"%7B"}"#);
        let user = format!(
            r#"{{"resourceType":"AWS::IAM::User","accountId":"111111111111","resourceName":"u","configurationItemStatus":"OK","configuration":{}}}"#,
            string(r#"{"userPolicyList":null,"groupList":["g"],"b":[],"b":[]}"#)
        );
        let other = format!(
            r#"{{"resourceType":"AWS::IAM::Role","accountId":"111111111111","resourceName":"s","configurationItemStatus":"OK","configuration":{broken}}}"#
        );
        for text in [
            format!(
                r#"{{"fileVersion":"1.0","configurationItems":[{role},{user},{other},{{"resourceType":"A::B::C"}}]}}"#
            ),
            format!(r#"{{"QueryInfo":{{}},"Results":[{},{},{}]}}"#, string(role), string(&user), string(&other)),
            format!("[{role},{user},{other}]"),
        ] {
            let (read, told) = by_items(&text);
            assert_eq!(read, Ok(Large::Read));
            assert_eq!(shown(&told), shown(&whole(&text)), "{text}");
            assert_eq!((told.pieces.len(), told.broken.len(), told.duplicates.len()), (3, 1, 2), "{text}");
        }
        let of_others = by_items(r#"{"Results": [{"a": 1}, "b", 3]}"#).1;
        assert!(!of_others.recognised && of_others.pages.is_empty());
    }

    #[test]
    fn the_text_is_validated_to_its_end() {
        for end in 1..DETAILS.trim_end().len() {
            let cut = DETAILS.get(..end).unwrap();
            let error = by_items(cut).0.unwrap_err();
            let place = Place::direct(SourceId::new(0), 0);
            assert_eq!(Tape::new().read(cut, &place).err(), Some(error), "{cut}");
        }
    }

    #[test]
    fn large_texts_that_are_no_list_are_told_apart() {
        let cases = [
            (r#"{"Statement": [{}]}"#, Large::Policy),
            (r#"{"Grants": [{}], "Truncated": false}"#, Large::Whole),
            (r#"{"data": [1, 2]}"#, Large::Nothing),
            ("[1, [2], {}]", Large::Nothing),
            ("\"text\"", Large::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(by_items(text).0, Ok(expected), "{text}");
        }
        let twice = by_items(r#"{"RoleDetailList": [], "RoleDetailList": []}"#).1;
        assert_eq!(twice.duplicates.len(), 1);
    }
}
