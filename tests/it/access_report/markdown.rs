//! Markdown: what a reviewer sees, and that names stay names.

use trailproof::report::{AccessFormat, AccessOptions};
use trailproof::text::SourceMap;

use super::samples;

fn text(matrices: &[trailproof::finding::matrix::Matrix], sources: &SourceMap) -> String {
    samples::rendered(AccessFormat::Markdown, matrices, sources, AccessOptions::default())
}

const EXAMPLE: &str = r##"### Who can read the logs in `my-organization-bucket`

Owned by `111111111111 (management)`. Keys begin with <code>AWSLogs&#47;o&#45;exampleorgid&#47;&#60;account&#62;&#47;</code>. Held against the declared sharing model.

| readers | logs of `222222222222 (payments)` | logs of `333333333333 (security)` |
|---|---|---|
| `anyone` | none ✓ | none ✓ |
| `222222222222 (payments)` | list · read+decrypt ✓ | none ✓ |
| `333333333333 (security)` | **read+decrypt if** ▲ too much | **none** ▼ too little |
| `999999999999 (log analyzer)`<br>declared in trailproof&#46;toml | list · read+decrypt ✓ | **read (no decrypt)** ▼ too little |
| `arn:aws:iam::111111111111:role/log-analyzer` | list · read+decrypt ✓ | read · read+decrypt ? |
| `cloudtrail.amazonaws.com` | write ✓ | write ✓ |

**▲ too much** (1)

- 333333333333 (security) may be able to read and decrypt the logs of 222222222222 (payments), depending on aws&#58;SourceIp: statement 2 (`Office`) of the bucket policy allows it (`org/bucket-policy.json:13:7`)

**▼ too little** (2)

- 333333333333 (security) can not list, read or write its own logs: no statement of the bucket policy allows it
- 999999999999 (log analyzer) can fetch the logs of 333333333333 (security), but not decrypt them: no statement of the bucket policy allows it

**not known** (1)

- `key.policy`: the policy of key 1234abcd is not among the inputs

**notes** (1)

- the log bucket was taken from trailproof&#46;toml

<sub>6 readers, logs of 2 accounts; *list*: can list the names of log files; *read*: can fetch log files; sees their contents where they are under no key; *read (no decrypt)*: can fetch log files, but not use the key that they are encrypted under; *read+decrypt*: can fetch and decrypt log files that are encrypted under a key; *write*: can write, overwrite or delete log files; *if*: depends on conditions or on facts that no input tells; *?*: nobody can tell; ✓: expected</sub>
"##;

#[test]
fn a_reviewer_sees_a_table_and_what_is_wrong() {
    let sources = samples::sources();
    assert_eq!(text(&[samples::small(&sources)], &sources), EXAMPLE);
}

/// The cells of a table's line, as GitHub's Markdown parts them.
fn cells(line: &str) -> usize {
    let bytes = line.as_bytes();
    (0..bytes.len()).filter(|&at| bytes[at] == b'|' && (at == 0 || bytes[at - 1] != b'\\')).count()
}

#[test]
fn tables_keep_their_shape_whatever_names_say() {
    let (matrix, sources) = samples::hostile();
    for wide in [false, true] {
        let options = AccessOptions { wide, ..AccessOptions::default() };
        let text = samples::rendered(AccessFormat::Markdown, std::slice::from_ref(&matrix), &sources, options);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert!(rows.len() > 12);
        assert!(rows.iter().all(|row| cells(row) == cells(rows[0])), "{rows:#?}");
    }
}

#[test]
fn nothing_of_a_name_becomes_markup() {
    let (matrix, sources) = samples::hostile();
    let text = text(&[matrix], &sources);
    for harm in
        ["<script", "<img", "</style", "![", "](", "**bold", "*bold*", "~~x", "@octocat", "https://", "<!--<!", " #1 "]
    {
        assert!(!text.contains(harm), "{harm}");
    }
    let tags = text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    for tag in tags {
        assert!(["code", "/code", "br", "sub", "/sub", "!-- --"].contains(&tag), "<{tag}>");
    }
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn many_columns_become_a_list() {
    let text = text(&[samples::unlike(20)], &SourceMap::new());
    assert!(text.contains("\n| readers | can | logs of |\n"));
    // What can be done comes first.
    assert!(text.contains("\n| `200000000003 (team 3)` | read+decrypt ✓ | `200000000003 (team 3)` |\n"));
    assert!(text.lines().all(|line| line.len() < 1_500));
}
