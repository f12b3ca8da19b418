use super::*;
use crate::text::SourceId;

fn place() -> Place {
    Place::direct(SourceId::new(0), 0)
}

fn fails(text: &str) -> (JsonErrorKind, u32) {
    let error = Tape::new().read(text, &place()).map(|_| ()).unwrap_err();
    (error.kind, error.at)
}

/// Reads with the cursor, one level at a time, and gives what it makes of the text.
fn walk(text: &str) -> Result<String, JsonError> {
    fn item(cursor: &mut Cursor<'_>, out: &mut String) -> Result<(), JsonError> {
        let mut tape = Tape::new();
        match cursor.peek() {
            Container::Object => {
                cursor.enter()?;
                while let Some(key) = cursor.next_key(&mut tape)? {
                    out.push_str(&key.as_str().unwrap());
                    out.push(':');
                    item(cursor, out)?;
                }
            }
            Container::Array => {
                cursor.enter()?;
                while cursor.next_element()? {
                    item(cursor, out)?;
                }
            }
            Container::Scalar => out.push_str(cursor.value(&mut tape)?.raw()),
        }
        out.push(';');
        Ok(())
    }
    let place = place();
    let mut cursor = Cursor::new(text, &place);
    let mut out = String::new();
    item(&mut cursor, &mut out)?;
    cursor.finish()?;
    Ok(out)
}

#[test]
fn every_key_and_value_has_its_bytes() {
    let text = r#" {"a" : [1, true,null , "x\ny"], "b":{} } "#;
    let place = place();
    let mut tape = Tape::new();
    let json = tape.read(text, &place).unwrap();
    let members: Vec<(&str, &str)> = json.members().map(|(k, v)| (k.raw(), v.raw())).collect();
    assert_eq!(members, [("\"a\"", r#"[1, true,null , "x\ny"]"#), ("\"b\"", "{}")]);
    let elements: Vec<Kind> = json.member("a").unwrap().elements().map(Json::kind).collect();
    assert_eq!(elements, [Kind::Number, Kind::True, Kind::Null, Kind::String]);
    let last = json.member("a").unwrap().elements().last().unwrap();
    assert_eq!(last.as_str().unwrap(), "x\ny");
    assert_eq!(&text[last.span().start as usize..last.span().end as usize], r#""x\ny""#);
}

#[test]
fn mistakes_are_found_at_their_byte() {
    use JsonErrorKind::*;
    assert_eq!(fails(""), (UnexpectedEnd, 0));
    assert_eq!(fails("{\"a\":1"), (UnexpectedEnd, 6));
    assert_eq!(fails("[1 2]"), (Expected("`,` or `]`"), 3));
    assert_eq!(fails("{\"a\":1,}"), (Expected("a key in double quotes"), 7));
    assert_eq!(fails("[1,]"), (Expected("a JSON value"), 3));
    assert_eq!(fails("{'a':1}"), (Expected("a key in double quotes"), 1));
    assert_eq!(fails("{\"a\" 1}"), (Expected("`:` after a key"), 5));
    assert_eq!(fails("\"a\u{1}\""), (ControlCharacter('\u{1}'), 2));
    assert_eq!(fails("\"abc"), (UnexpectedEnd, 4));
    assert_eq!(fails("tru"), (UnexpectedEnd, 3));
    assert_eq!(fails("truf"), (Expected("a JSON value"), 0));
    assert_eq!(fails("1 1"), (TrailingText, 2));
    for number in ["01", "1. ", ".5", "1e ", "--1", "+1", "1.e3"] {
        assert!(matches!(fails(number).0, InvalidNumber | Expected(_)), "{number}");
    }
    for escape in [r#""\x""#, r#""\u12g4""#, r#""\ud800""#, r#""\ud800\u0041""#, r#""\udc00""#] {
        assert_eq!(fails(escape), (InvalidEscape, 1), "{escape}");
    }
}

#[test]
fn depth_is_limited_and_a_million_brackets_overflow_no_stack() {
    let deep = "[".repeat(1_000_000);
    assert_eq!(fails(&deep), (JsonErrorKind::TooDeep, MAX_DEPTH as u32));
    let fits = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(Tape::new().read(&fits, &place()).is_ok());
}

#[test]
fn escapes_are_decoded_and_map_back() {
    let text = r#"["a\"\u00e9\ud83d\ude00z"]"#;
    let place = place();
    let mut tape = Tape::new();
    let string = tape.read(text, &place).unwrap().elements().next().unwrap();
    let (decoded, inner) = string.decoded().unwrap();
    assert_eq!(decoded, "a\"é\u{1F600}z");
    let end = decoded.len() as u32;
    let z = inner.span(end - 1, end);
    assert_eq!(&text[z.start as usize..z.end as usize], "z");
    let quote = inner.span(1, 2);
    assert_eq!(&text[quote.start as usize..quote.end as usize], "\\\"");
}

#[test]
fn duplicate_keys_are_kept_and_found() {
    let text = r#"{"a":1,"b":{"c":1,"\u0063":2},"a":3}"#;
    let place = place();
    let mut tape = Tape::new();
    let json = tape.read(text, &place).unwrap();
    let found: Vec<(String, u32, u32)> =
        json.duplicate_keys().into_iter().map(|d| (d.key, d.first.start, d.again.start)).collect();
    assert_eq!(found, [("a".to_owned(), 1, 30), ("c".to_owned(), 12, 18)]);
    assert_eq!(json.member("a").unwrap().raw(), "3");

    let many: String = (0..40).map(|i| format!("\"k{i}\":0,")).collect();
    let text = format!("{{{many}\"k3\":1,\"k39\":1}}");
    let keys: Vec<String> = tape.read(&text, &place).unwrap().duplicate_keys().into_iter().map(|d| d.key).collect();
    assert_eq!(keys, ["k3", "k39"]);
}

#[test]
fn the_cursor_and_the_tape_accept_the_same_texts() {
    let texts = [
        "{}",
        "[]",
        "1",
        "\"x\"",
        "[[],{}]",
        r#"{"a":[1,{"b":2}],"c":"d"}"#,
        "",
        "[",
        "{\"a\"",
        "{\"a\":}",
        "[1,]",
        "[,1]",
        "{,}",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "[1]]",
        "{\"a\":1}}",
        "[1}",
        "{\"a\":1]",
        "nul",
    ];
    for text in texts {
        let whole = Tape::new().read(text, &place()).map(|_| ());
        let walked = walk(text).map(|_| ());
        assert_eq!(whole.is_ok(), walked.is_ok(), "{text}: {whole:?} {walked:?}");
    }
    assert_eq!(walk(r#"{"a":[1,{"b":2}]}"#).unwrap(), "a:1;b:2;;;;");
}

proptest::proptest! {
    #[test]
    fn it_accepts_exactly_what_serde_json_accepts(text in r#"[\[\]{},:"0-9a-f.eE+\\u \-tnlsr]{0,24}"#) {
        let ours = Tape::new().read(&text, &place()).is_ok();
        let theirs = match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(_) => true,
            // Numbers such as 1e999 are JSON; serde_json refuses them because they fit no float.
            Err(error) => error.to_string().contains("number out of range"),
        };
        proptest::prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn no_text_makes_it_panic(text in proptest::prelude::any::<String>()) {
        let _ = Tape::new().read(&text, &place()).map(|json| json.duplicate_keys());
        let _ = walk(&text);
    }
}
