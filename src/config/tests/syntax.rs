//! Mistakes in the TOML itself, and what is still read around them.

use proptest::prelude::*;

use super::*;

#[test]
fn a_broken_structure_is_reported_alone() {
    let text = "[limits]\nwarn-at = 7\n[organization]\naccounts = [\"1\"\n\n[[reader]]\nacount = 1\n";
    assert_eq!(mistakes(text), ["6:1-6:1 missing comma between array elements, expected `,`"]);
}

#[test]
fn a_broken_value_hides_no_other_mistake() {
    let text = "[organization]\nid = o-a1b2c3d4e5\n[[third-party]]\nacount = \"1\"\nlogs = alll\n";
    assert_eq!(
        mistakes(text),
        [
            "2:6-2:18 string values must be quoted, expected literal string",
            "3:1-3:16 this `[[third-party]]` has no `account`",
            "4:1-4:7 unknown key `acount` in `[[third-party]]`; did you mean `account`?",
            "5:8-5:12 string values must be quoted, expected literal string",
        ]
    );
}

#[test]
fn a_key_given_twice_shows_both_places() {
    let text = "[[log-bucket]]\nname = \"one\"\n[[log-bucket]]\nname = \"two\"\nname = \"six\"\n[limits]\n[limits]\nwarn-at = 2\n";
    assert_eq!(
        mistakes(text),
        [
            "5:1-5:5 `name` is given twice | 4:1-4:5: first given here",
            "7:2-7:8 `limits` is given twice",
            "8:11-8:12 `warn-at` must be above 0 and at most 1; write 2 % as 0.02",
        ]
    );
}

#[test]
fn a_single_pair_of_brackets_given_twice_is_told_to_be_doubled() {
    let text = "[reader]\naccount = \"111111111111\"\n[reader]\naccount = \"222222222222\"\n";
    let found = mistakes(text);
    assert!(found.iter().any(|m| m.ends_with("not a table; write it as `[[reader]]`")), "{found:?}");
}

#[test]
fn a_key_nested_too_deeply_is_a_mistake_at_its_line() {
    let deep = "a.".repeat(100_000);
    let text = format!("[limits]\nwarn-at = 0.5\n{deep}a = 1\n");
    let found = mistakes(&text);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("3:1-3:"), "{found:?}");
    assert_eq!(mistakes(&format!("limits = {}", "[".repeat(100_000))).len(), 1);
}

#[test]
fn columns_count_characters_whatever_the_line_ends() {
    let text = "# ä\r\n[[third-party]]\r\nname = \"Prüfer \u{1F50D}\"; x\r\n";
    assert_eq!(mistakes(text), ["3:18-3:18 unexpected key or value, expected newline, `#`"]);
    let text = "[[third-party]]\r\nname = \"Prüfer\"\r\naccount = \"９９９\"\r\n\"a\\u001b[31m\" = 1\r\n";
    assert_eq!(
        mistakes(text),
        [
            "3:11-3:16 `９９９` is not an account ID; an account ID has 12 digits",
            "4:1-4:14 unknown key `a\\u{1b}[31m` in `[[third-party]]`; \
             known here: `name`, `account`, `logs`, `bucket`, `external-id-required` and `reason`",
        ]
    );
}

proptest! {
    #[test]
    fn no_cut_and_no_insertion_breaks_the_reader(at in 0..EXAMPLE.len(), cut in 0..40_usize, piece in "[\\PC\n]{0,12}") {
        let (before, after) = (EXAMPLE.split_at(at).0, EXAMPLE.split_at((at + cut).min(EXAMPLE.len())).1);
        let text = format!("{before}{piece}{after}");
        for error in Config::parse(&text, SourceId::new(0)).err().iter().flatten() {
            let places = [Some(error.span), error.related.as_ref().map(|r| r.span)];
            for span in places.into_iter().flatten() {
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{error:?}");
            }
            prop_assert!(!error.message.ends_with('.') && !error.message.starts_with(char::is_uppercase), "{}", error.message);
        }
    }
}
