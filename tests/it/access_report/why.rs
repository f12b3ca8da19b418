//! `--why`: explanations as a person would give them.

use trailproof::finding::matrix::{Fit, Matrix, NotInMatrix, Scope};
use trailproof::finding::{Step, StepEffect};
use trailproof::report::AccessOptions;
use trailproof::report::access::why::{Verdict, answers, write};
use trailproof::text::SourceMap;

use super::samples;

fn why(matrices: &[Matrix], sources: &SourceMap, reader: &str, logs: &str) -> String {
    let found = answers(matrices, reader, &[logs.to_owned()]).unwrap();
    let mut out = Vec::new();
    write(&mut out, &found, sources, &AccessOptions { width: 80, ..AccessOptions::default() }).unwrap();
    String::from_utf8(out).unwrap()
}

const THROUGH_A_ROLE: &str = r#"yes: 999999999999 (log analyzer) can list, read and decrypt the logs of
     222222222222 (payments) in my-organization-bucket, through
     arn:aws:iam::111111111111:role/log-analyzer.
✓ expected: this is what the sharing model says.
note: declared in trailproof.toml

can list, read and decrypt, because:
  1. 999999999999 assumes arn:aws:iam::111111111111:role/log-analyzer
     allows: statement 1 of the trust policy allows it
        ╭─[org/log-analyzer-trust.json:4:25]
      3 │   "Statement": [
      4 │ …Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "…
        ·          ──────────────────────────────────────────────────────
      5 │   ]
        ╰────
     unless: an SCP or RCP, which are not among the inputs, denies it
  2. that session fetches a log file of 222222222222
     allows: the managed policy `AmazonS3ReadOnlyAccess` allows it
  proved by: arn:aws:iam::222222222222:role/AuditReader calls kms:Decrypt on
             arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/222222222222/x
             with aws:PrincipalOrgID = o-exampleorgid: allowed

can not write: no statement of the bucket policy allows it
"#;

#[test]
fn a_yes_is_told_hop_by_hop() {
    let sources = samples::sources();
    assert_eq!(why(&[samples::small(&sources)], &sources, "log analyzer", "payments"), THROUGH_A_ROLE);
}

const IT_DEPENDS: &str = r#"it depends: 333333333333 (security) may be able to read and decrypt the logs of
            222222222222 (payments) in my-organization-bucket, depending on
            aws:SourceIp.
▲ too much: this is more than the sharing model gives.

can read and decrypt, if what follows holds:
  · 333333333333 fetches the logs of 222222222222
     allows: statement 2 (`Office`) of the bucket policy allows it
         ╭─[org/bucket-policy.json:13:7]
      12 │     {
      13 │       "Sid": "Office",
         ·       ───────────────
      14 │       "Effect": "Allow",
         ╰────
     if: the request comes from 192.0.2.0/24
         ╭─[org/bucket-policy.json:18:21]
      17 │       "Resource": "arn:aws:s3:::my-organization-bucket/*",
      18 │ …     "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
         ·                     ─────────────────────────────────────────────
      19 │     }
         ╰────
  proved by: arn:aws:iam::222222222222:role/AuditReader calls kms:Decrypt on
             arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/222222222222/x
             with aws:PrincipalOrgID = o-exampleorgid: conditional, depending on
             aws:SourceIp
  depends on: aws:SourceIp

can not list or write: no statement of the bucket policy allows it
"#;

#[test]
fn an_if_names_what_it_hangs_on() {
    let sources = samples::sources();
    assert_eq!(why(&[samples::small(&sources)], &sources, "333333333333", "222222222222"), IT_DEPENDS);
}

const NOBODY: &str = r#"no: the public can not list, read or write the logs of 222222222222 (payments)
    in my-organization-bucket: no statement of the bucket policy allows it.
✓ expected: this is what the sharing model says.

can not list, read, decrypt or write, because:
     missing: no statement of the bucket policy allows `s3:GetObject` on it to
              this caller
     missing: no statement of the bucket policy allows `s3:ListBucket` on it to
              this caller
  it would take: a statement of the bucket policy that allows `s3:GetObject` on
                 it to this caller and a statement of the bucket policy that
                 allows `s3:ListBucket` on it to this caller
"#;

#[test]
fn a_no_begins_with_its_cause_and_ends_with_what_it_would_take() {
    let sources = samples::sources();
    assert_eq!(why(&[samples::small(&sources)], &sources, "anyone", "222222222222"), NOBODY);
}

const HALF: &str = r#"partly: 999999999999 (log analyzer) can not list or decrypt the logs of
        333333333333 (security) in my-organization-bucket: no statement of the
        bucket policy allows it. It can fetch them.
▼ too little: this is less than the sharing model gives.
note: declared in trailproof.toml

can not list, decrypt or write, because:
     missing: no statement of the bucket policy allows `s3:GetObject` on it to
              this caller
     missing: no statement of the bucket policy allows `s3:ListBucket` on it to
              this caller
  it would take: a statement of the bucket policy that allows `s3:GetObject` on
                 it to this caller and a statement of the bucket policy that
                 allows `s3:ListBucket` on it to this caller

can fetch, because:
  1. 999999999999 assumes arn:aws:iam::111111111111:role/log-analyzer
     allows: statement 1 of the trust policy allows it
        ╭─[org/log-analyzer-trust.json:4:25]
      3 │   "Statement": [
      4 │ …Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "…
        ·          ──────────────────────────────────────────────────────
      5 │   ]
        ╰────
     unless: an SCP or RCP, which are not among the inputs, denies it
  2. that session fetches a log file of 222222222222
     allows: the managed policy `AmazonS3ReadOnlyAccess` allows it
  proved by: arn:aws:iam::222222222222:role/AuditReader calls s3:GetObject on
             arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/222222222222/x
             with aws:PrincipalOrgID = o-exampleorgid: allowed
"#;

#[test]
fn what_can_be_fetched_and_not_decrypted_is_half_a_yes() {
    let sources = samples::sources();
    assert_eq!(why(&[samples::small(&sources)], &sources, "log analyzer", "security"), HALF);
}

#[test]
fn a_deny_is_shown_where_it_stands() {
    let sources = samples::sources();
    let mut matrix = samples::small(&sources);
    let cell = &mut matrix.rows[2].cells[1][0];
    for refusal in &mut cell.can_not {
        refusal.cause = "statement 2 (`Office`) of the bucket policy denies it".to_owned();
        refusal.steps = vec![Step {
            effect: StepEffect::Denies,
            message: "statement 2 (`Office`) of the bucket policy denies it".to_owned(),
            span: Some(samples::span(&sources, 0, r#""Sid": "Office""#)),
        }];
        refusal.would_take = vec!["an exception in statement 2 (`Office`) of the bucket policy".to_owned()];
    }
    let shown = why(&[matrix], &sources, "security", "security");
    assert!(shown.starts_with("no: 333333333333 (security) can not list, read or write its own logs in\n"), "{shown}");
    // The cause is said once, and then shown.
    assert!(shown.contains("can not list, read, decrypt or write, because of this:\n         ╭─[org/"), "{shown}");
    let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(said.matches("denies it").count(), 1, "{shown}");
    assert!(shown.contains("13 │       \"Sid\": \"Office\",\n"), "{shown}");
    assert!(shown.contains("it would take: an exception in statement 2 (`Office`) of the bucket policy\n"), "{shown}");
}

#[test]
fn a_member_of_a_class_is_told_of_its_own_part() {
    let sources = SourceMap::new();
    let matrices = [samples::organization(500)];
    let why = |reader, logs| why(&matrices, &sources, reader, logs).split_whitespace().collect::<Vec<_>>().join(" ");
    let own = why("team 3", "team 3");
    assert!(
        own.starts_with("yes: 200000000003 (team 3) can list, read and decrypt its own logs in central-logs. "),
        "{own}"
    );
    let other = why("team 3", "team 4");
    assert!(
        other.starts_with(
            "partly: 200000000003 (team 3) can not read the logs of 200000000004 (team 4) in central-logs: no statement \
             of the bucket policy allows it. It can list them. "
        ),
        "{other}"
    );
    assert!(other.contains(" ▲ too much: this is more than the sharing model gives. "), "{other}");
    let role = why("logs-200000000003", "team 3");
    assert!(role.contains("the logs of 200000000003 (team 3), which it is for"), "{role}");
    // Without an account: the logs of all, once for those that are alike.
    let sentences = |reader: &str| -> Vec<String> {
        answers(&matrices, reader, &[]).unwrap().iter().map(|answer| answer.sentence()).collect()
    };
    let nothing = "200000000003 (team 3) can not list, read or write the logs of 111111111111 (management) in \
                   central-logs: no statement of the bucket policy allows it";
    let own = "200000000003 (team 3) can list, read and decrypt its own logs in central-logs";
    let others = "200000000003 (team 3) can not read the logs of the 499 others in central-logs: no statement of the \
                  bucket policy allows it. It can list them";
    assert_eq!(sentences("team 3"), [nothing, own, others]);
    assert_eq!(sentences("anyone").len(), 2);
    assert_eq!(matrices[0].rows[2].cells[1][1].scope, Scope::Others);
}

#[test]
fn a_name_that_is_not_there_is_an_error() {
    let sources = samples::sources();
    let matrices = [samples::small(&sources)];
    assert_eq!(answers(&matrices, "nobody", &[]).unwrap_err(), NotInMatrix::Reader("nobody".to_owned()));
    let logs = answers(&matrices, "anyone", &["x".to_owned()]).unwrap_err();
    assert_eq!(logs.to_string(), "no account whose logs are kept here is called `x`");
}

#[test]
fn verdicts_are_about_the_contents() {
    let sources = samples::sources();
    let matrices = [samples::small(&sources)];
    let of = |reader: &str, logs: &str| answers(&matrices, reader, &[logs.to_owned()]).unwrap()[0].verdict();
    assert_eq!(of("payments", "payments"), Verdict::Yes);
    assert_eq!(of("security", "payments"), Verdict::Conditional);
    assert_eq!(of("anyone", "payments"), Verdict::No);
    assert_eq!(of("log analyzer", "security"), Verdict::Partly);
    assert_eq!(of(samples::ANALYZER, "security"), Verdict::Unknown);
    assert_eq!(matrices[0].rows[2].cells[1][0].fit, Some(Fit::TooLittle));
}

const HALF_KNOWN: &str = r#"not known: arn:aws:iam::111111111111:role/log-analyzer can fetch the logs of
           333333333333 (security) in my-organization-bucket; whether it can
           decrypt them is not known.
model: whether this fits the sharing model is not known either.

can fetch, because:
  · that session fetches a log file of 222222222222
     allows: the managed policy `AmazonS3ReadOnlyAccess` allows it
  proved by: arn:aws:iam::222222222222:role/AuditReader calls s3:GetObject on
             arn:aws:s3:::my-organization-bucket/AWSLogs/o-exampleorgid/222222222222/x
             with aws:PrincipalOrgID = o-exampleorgid: allowed

not known whether it can decrypt:
  · that session fetches a log file of 222222222222 (as above)
  depends on: key.policy

can not list or write: no statement of the bucket policy allows it
"#;

#[test]
fn what_is_known_comes_before_what_nobody_can_tell() {
    let sources = samples::sources();
    assert_eq!(why(&[samples::small(&sources)], &sources, samples::ANALYZER, "security"), HALF_KNOWN);
}

#[test]
fn where_nobody_knows_of_a_key_the_answer_does_not_say_that_contents_are_read() {
    let sources = samples::sources();
    let mut matrix = samples::small(&sources);
    let cell = &mut matrix.rows[1].cells[0][0];
    cell.can.retain(|access| access.ability != samples::Decrypt);
    cell.is_encrypted = None;
    let matrices = [matrix];
    let answer = answers(&matrices, "payments", &["payments".to_owned()]).unwrap()[0];
    assert_eq!(answer.verdict(), Verdict::Unknown);
    assert_eq!(
        answer.sentence(),
        "222222222222 (payments) can list and fetch its own logs in my-organization-bucket; whether they are under a \
         key is not known"
    );
}

#[test]
fn nothing_of_the_input_is_printed_raw() {
    let (matrix, sources) = samples::hostile();
    let matrices = [matrix];
    for harm in samples::HOSTILE {
        let found = answers(&matrices, harm, &[]).unwrap();
        let mut out = Vec::new();
        let options = AccessOptions { verbose: true, ..AccessOptions::default() };
        write(&mut out, &found, &sources, &options).unwrap();
        let shown = String::from_utf8(out).unwrap();
        let raw =
            shown.chars().filter(|c| *c != '\n' && (c.is_control() || "\u{202e}\u{2066}\u{200f}\u{feff}".contains(*c)));
        assert_eq!(raw.count(), 0, "{shown}");
    }
}
