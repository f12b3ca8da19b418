//! The text: that it reads well at any width, says all that is there, and prints nothing of the input raw.

use trailproof::finding::matrix::{Matrix, ReaderKind, narrowed};
use trailproof::report::{AccessFormat, AccessOptions};
use trailproof::text::SourceMap;
use unicode_width::UnicodeWidthStr;

use super::samples;

fn text(matrices: &[Matrix], sources: &SourceMap, options: AccessOptions) -> String {
    samples::rendered(AccessFormat::Text, matrices, sources, options)
}

fn columns(width: usize) -> AccessOptions {
    AccessOptions { width, ..AccessOptions::default() }
}

const SMALL: &str = r#"log bucket my-organization-bucket, owned by 111111111111 (management)
keys begin with AWSLogs/o-exampleorgid/<account>/

                            logs of
                            222222222222 (payments)  333333333333 (security)
────────────────────────────────────────────────────────────────────────────
anyone                      none ✓                   none ✓
accounts
  222222222222 (payments)   list · read+decrypt ✓    none ✓
  333333333333 (security)   read+decrypt if ▲        none ▼
third parties
  999999999999 (log         list · read+decrypt ✓    read (no decrypt) ▼
  analyzer)
    declared in
    trailproof.toml
roles
  arn:aws:iam::             list · read+decrypt ✓    read · read+decrypt ?
  111111111111:role/log-
  analyzer
services
  cloudtrail.amazonaws.com  write ✓                  write ✓

▲ too much (1):
  · 333333333333 (security) may be able to read and decrypt the logs of
    222222222222 (payments), depending on aws:SourceIp
    statement 2 (`Office`) of the bucket policy allows it
    (org/bucket-policy.json:13:7)
  `trailproof access --why 333333333333 --logs 222222222222` tells why

▼ too little (2):
  · 333333333333 (security) can not list, read or write its own logs
    no statement of the bucket policy allows it
  · 999999999999 (log analyzer) can fetch the logs of 333333333333 (security),
    but not decrypt them
    no statement of the bucket policy allows it
  `trailproof access --why 333333333333 --logs 333333333333` tells why

not known (1 fact):
  key.policy: the policy of key 1234abcd is not among the inputs

info: the log bucket was taken from trailproof.toml

list: can list the names of log files
read: can fetch log files; sees their contents where they are under no key
read (no decrypt): can fetch log files, but not use the key that they are
                   encrypted under
read+decrypt: can fetch and decrypt log files that are encrypted under a key
write: can write, overwrite or delete log files
if: it hangs on what the reader can not arrange, or on facts that no input tells
?: nobody can tell
against the model: ✓ expected, ▲ too much, ▼ too little

1 log bucket, 6 readers, logs of 2 accounts; 1 too much; 2 too little;
1 fact not known
"#;

#[test]
fn a_small_matrix_is_a_table_with_what_is_wrong_below() {
    let sources = samples::sources();
    assert_eq!(text(&[samples::small(&sources)], &sources, columns(80)), SMALL);
}

const ORGANIZATION: &str = r#"log bucket central-logs, owned by 111111111111 (management)

                            logs of
                            111111111111              500 accounts: 200000000000
                            (management)              (team 0), 200000000001
                                                      (team 1), 200000000002
                                                      (team 2), … and 497 more
────────────────────────────────────────────────────────────────────────────────
anyone                      none ✓                    none ✓
accounts
  111111111111              list · read+decrypt ✓     list · read+decrypt ✓
  (management)
  500 accounts like this:   none ✓                    own: list · read+decrypt ✓
  200000000000 (team 0),                              others: list ▲
  200000000001 (team 1),
  200000000002 (team 2), …
  and 497 more
roles
  500 roles like this:      none ✓                    own: list · read+decrypt ✓
  role/logs-200000000000,                             others: none ✓
  role/logs-200000000001,
  role/logs-200000000002,
  … and 497 more

▲ too much (1):
  · 500 accounts (200000000000 (team 0), 200000000001 (team 1), … and 498 more)
    can list each other's logs
    a session of the role fetches the logs
  `trailproof access --why 200000000000 --logs 200000000001` tells why

list: can list the names of log files
read+decrypt: can fetch and decrypt log files that are encrypted under a key
against the model: ✓ expected, ▲ too much

1 log bucket, 1002 readers, logs of 501 accounts; 1 too much
"#;

#[test]
fn five_hundred_members_are_a_few_rows() {
    assert_eq!(text(&[samples::organization(500)], &SourceMap::new(), columns(80)), ORGANIZATION);
}

const UNDECLARED: &str = r#"log bucket my-organization-bucket, owned by 111111111111 (management)
keys begin with AWSLogs/o-exampleorgid/<account>/
model: no sharing model is declared, so this is what the facts show, and nothing
       is called expected, too much or too little

                           logs of
                           222222222222 (payments)  333333333333 (security)
───────────────────────────────────────────────────────────────────────────
anyone                     none                     none
accounts
  222222222222 (payments)  list · read+decrypt      none
  333333333333 (security)  read+decrypt if          none

list: can list the names of log files
read+decrypt: can fetch and decrypt log files that are encrypted under a key
if: it hangs on what the reader can not arrange, or on facts that no input tells

1 log bucket, 3 readers, logs of 2 accounts
"#;

#[test]
fn without_a_model_nothing_is_called_expected() {
    let sources = samples::sources();
    assert_eq!(text(&[samples::undeclared(&sources)], &sources, columns(80)), UNDECLARED);
}

const WIDE: &str = r#"log bucket central-logs, owned by 111111111111 (management)
logs 1 to 3 of 4, 8 readers
                            logs of
                            111111111111      200000000000      200000000001
                            (management)      (team 0)          (team 1)
────────────────────────────────────────────────────────────────────────────────
anyone                      none ✓            none ✓            none ✓
accounts
  111111111111              list              list              list
  (management)              read+decrypt ✓    read+decrypt ✓    read+decrypt ✓
  200000000000 (team 0)     none ✓            list              list ▲
                                              read+decrypt ✓
  200000000001 (team 1)     none ✓            list ▲            list
                                                                read+decrypt ✓
  200000000002 (team 2)     none ✓            list ▲            list ▲
roles
  arn:aws:iam::             none ✓            list              none ✓
  111111111111:role/logs-                     read+decrypt ✓
  200000000000
  arn:aws:iam::             none ✓            none ✓            list
  111111111111:role/logs-                                       read+decrypt ✓
  200000000001
  arn:aws:iam::             none ✓            none ✓            none ✓
  111111111111:role/logs-
  200000000002

logs 4 of 4, 8 readers
                                                    logs of
                                                    200000000002 (team 2)
─────────────────────────────────────────────────────────────────────────
anyone                                              none ✓
accounts
  111111111111 (management)                         list · read+decrypt ✓
  200000000000 (team 0)                             list ▲
  200000000001 (team 1)                             list ▲
  200000000002 (team 2)                             list · read+decrypt ✓
roles
  arn:aws:iam::111111111111:role/logs-200000000000  none ✓
  arn:aws:iam::111111111111:role/logs-200000000001  none ✓
  arn:aws:iam::111111111111:role/logs-200000000002  list · read+decrypt ✓
"#;

#[test]
fn a_wide_matrix_has_a_row_for_each_reader_and_as_many_tables_as_the_width_asks_for() {
    let options = AccessOptions { wide: true, quiet: true, ..columns(80) };
    let shown = text(&[samples::organization(3)], &SourceMap::new(), options);
    assert_eq!(shown, WIDE);
    let shown = text(&[samples::organization(3)], &SourceMap::new(), AccessOptions { width: 200, ..options });
    assert!(!shown.contains("logs 1 to"), "{shown}");
}

#[test]
fn who_reads_in_two_buckets_counts_once() {
    let sources = samples::sources();
    let matrices = [samples::small(&sources), samples::organization(3)];
    let shown = text(&matrices, &sources, columns(80));
    // `anyone` is in both; 111111111111 owns one bucket and reads in the other.
    let last = "2 log buckets, 13 readers, logs of 6 accounts; 2 too much; 2 too little;\n1 fact not known\n";
    assert!(shown.ends_with(last), "{shown}");
}

#[test]
fn more_columns_than_there_is_room_for_are_a_list() {
    let shown = text(&[samples::unlike(30)], &SourceMap::new(), AccessOptions { quiet: true, ..columns(80) });
    let first: Vec<&str> = shown.lines().take(9).collect();
    assert_eq!(
        first,
        [
            "log bucket central-logs",
            "accounts",
            "  200000000000 (team 0)",
            "    read+decrypt ✓  its own logs",
            "    read+decrypt ▲  logs of 200000000001 (team 1)",
            "    none ✓          logs of 28 other accounts",
            "  200000000001 (team 1)",
            "    read+decrypt ✓  its own logs",
            "    read+decrypt ▲  logs of 200000000002 (team 2)",
        ]
    );
    let mut matrix = samples::unlike(30);
    let closed = matrix.rows[1].cells[0].clone();
    matrix.rows[0].cells.iter_mut().for_each(|cell| *cell = closed.clone());
    let anyone = vec![samples::party("anyone", "anyone")];
    matrix.rows.insert(0, samples::row(ReaderKind::Anyone, anyone, vec![closed; 30]));
    let shown = text(&[matrix], &SourceMap::new(), AccessOptions { quiet: true, ..columns(80) });
    assert!(shown.contains("  anyone\n    none ✓  logs of all 30 accounts\n"), "{shown}");
    assert!(
        shown.contains("  200000000000 (team 0)\n    none ✓  its own logs; logs of 29 other accounts\n"),
        "{shown}"
    );
}

#[test]
fn no_line_is_wider_than_the_terminal_but_for_words_that_are_copied() {
    let sources = samples::sources();
    let mut small = samples::small(&sources);
    small.rows[1].readers[0].label = "222222222222 (支払いと請求の部門のアカウント)".to_owned();
    for width in [60, 80, 100, 140, 200] {
        for wide in [false, true] {
            let matrices = [small.clone(), samples::organization(7), samples::unlike(12)];
            let shown = text(&matrices, &sources, AccessOptions { wide, ..columns(width) });
            for line in shown.lines() {
                let is_word = !line.trim_start().contains(' ');
                assert!(line.width() <= width || is_word, "{width}: {line}");
            }
            let table = shown.lines().filter(|line| line.contains('✓'));
            assert!(table.clone().all(|line| line.width() <= width), "{width}: {shown}");
        }
    }
}

#[test]
fn columns_stand_under_each_other_whatever_the_names_are() {
    let sources = samples::sources();
    let mut small = samples::small(&sources);
    small.rows[0].readers[0].label = "日本語の名前".to_owned();
    let shown = text(&[small], &sources, AccessOptions { quiet: true, ..columns(100) });
    let at = |needle: &str, from: &str| {
        let line = shown.lines().find(|line| line.contains(from)).unwrap();
        line[..line.rfind(needle).unwrap()].width()
    };
    assert_eq!(at("none ✓", "日本語"), at("none ✓", "222222222222 (payments)   "));
}

#[test]
fn verbose_names_everyone_and_quiet_shows_the_matrix_alone() {
    let sources = SourceMap::new();
    let all = text(&[samples::organization(30)], &sources, AccessOptions { verbose: true, ..columns(200) });
    assert!((0..30).all(|number| all.contains(&format!("(team {number})"))));
    let sources = samples::sources();
    let quiet = text(&[samples::small(&sources)], &sources, AccessOptions { quiet: true, ..columns(80) });
    assert!(quiet.ends_with("write ✓                  write ✓\n"), "{quiet}");
}

#[test]
fn narrowing_keeps_what_was_asked_for() {
    let sources = SourceMap::new();
    let names = |name: &str| vec![name.to_owned()];
    let matrices = narrowed(&[samples::organization(500)], &names("team 7"), &names("team 7")).unwrap();
    let shown = text(&matrices, &sources, AccessOptions { quiet: true, ..columns(80) });
    let lines: Vec<&str> = shown.lines().skip(3).collect();
    assert_eq!(
        lines,
        [
            "──────────────────────────────────────────────",
            "accounts",
            "  200000000007 (team 7)  list · read+decrypt ✓",
        ]
    );
}

#[test]
fn colour_changes_nothing_but_colour() {
    let sources = samples::sources();
    let colored = text(&[samples::small(&sources)], &sources, AccessOptions { color: true, ..columns(80) });
    assert!(colored.contains("\x1b[1;31mread+decrypt if ▲\x1b[0m"));
    let mut stripped = String::new();
    for (number, part) in colored.split("\x1b[").enumerate() {
        stripped.push_str(if number == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, SMALL);
}

#[test]
fn nothing_of_the_input_is_printed_raw() {
    let (matrix, sources) = samples::hostile();
    for wide in [false, true] {
        let options = AccessOptions { wide, verbose: true, ..columns(100) };
        let shown = text(std::slice::from_ref(&matrix), &sources, options);
        let raw =
            shown.chars().filter(|c| *c != '\n' && (c.is_control() || "\u{202e}\u{2066}\u{200f}\u{feff}".contains(*c)));
        assert_eq!(raw.count(), 0);
        // Narrow columns break names, so they are looked for without line ends.
        let joined: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        assert!(joined.contains("\\u{1b}[2J"));
    }
}
