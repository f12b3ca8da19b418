//! Entries that can not both be meant.

use super::*;

#[test]
fn a_member_is_no_third_party() {
    let text = "[organization]\nmanagement-account = \"111111111111\"\naccounts = [\"222222222222\"]\n\
                [[third-party]]\naccount = \"222222222222\"\n[[third-party]]\naccount = \"111111111111\"\n\
                [[third-party]]\naccount = \"999999999999\"\n";
    let help = "a member that may read more than its own logs is a `[[reader]]`";
    assert_eq!(
        mistakes(text),
        [
            format!(
                "5:11-5:25 `222222222222` is both a member and a third party; {help} | 3:13-3:27: a member of the organization by this"
            ),
            format!(
                "7:11-7:25 `111111111111` is both a member and a third party; {help} | 2:22-2:36: a member of the organization by this"
            ),
        ]
    );
}

#[test]
fn members_from_another_file_are_asked_about_too() {
    let config = read(EXAMPLE);
    let elsewhere = Span::new(SourceId::new(7), 20, 34);
    let members = ["222222222222", "999999999999"].map(|id| Spanned::new(account(id), elsewhere));
    let errors = config.third_parties_among(&members);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(error.span, config.third_parties[0].account.span);
    assert_eq!(error.related.as_ref().unwrap().span, elsewhere);
    assert!(config.third_parties_among(&members[..1]).is_empty());
}

#[test]
fn accounts_are_listed_or_in_a_file() {
    assert_eq!(
        mistakes("[organization]\naccounts-file = \"accounts.json\"\naccounts = [\"111111111111\"]\n"),
        [
            "3:12-3:28 both `accounts` and `accounts-file` are given; keep the one that is right | 2:17-2:32: first given here"
        ]
    );
}

#[test]
fn a_log_bucket_is_declared_once() {
    assert_eq!(
        mistakes("[[log-bucket]]\nname = \"logs\"\n[[log-bucket]]\nname = \"more\"\n[[log-bucket]]\nname = \"logs\"\n"),
        ["6:8-6:14 log bucket `logs` is declared twice | 2:8-2:14: first given here"]
    );
}

#[test]
fn a_reader_has_one_entry_for_all_buckets_and_one_for_each() {
    let reader = |bucket: &str| format!("[[reader]]\naccount = \"111111111111\"\n{bucket}\n");
    read(&[reader(""), reader("bucket = \"one\""), reader("bucket = \"two\"")].concat());
    assert_eq!(
        mistakes(&[reader("bucket = \"one\""), reader(""), reader("bucket = \"one\""), reader("")].concat()),
        [
            "8:11-8:25 reader `111111111111` is declared twice for bucket `one` | 2:11-2:25: first given here",
            "11:11-11:25 reader `111111111111` is declared twice for all buckets | 5:11-5:25: first given here",
        ]
    );
}

#[test]
fn third_party_entries_of_one_account_must_agree() {
    let party = |more: &str| format!("[[third-party]]\naccount = \"999999999999\"\n{more}\n");
    read(&[party("bucket = \"one\""), party("bucket = \"two\"\nexternal-id-required = true")].concat());
    assert_eq!(
        mistakes(&[party("bucket = \"one\""), party("external-id-required = false")].concat()),
        ["6:24-6:29 `999999999999` is said both to need an external ID and to need none; \
             `external-id-required` is true where it is left out; say the same in each entry | 2:11-2:25: first said here"]
    );
    assert_eq!(
        mistakes(&[party(""), party("")].concat()),
        ["5:11-5:25 third party `999999999999` is declared twice for all buckets | 2:11-2:25: first given here"]
    );
}

#[test]
fn an_account_is_a_reader_or_a_third_party() {
    let text = "[[third-party]]\naccount = \"999999999999\"\n[[reader]]\naccount = \"999999999999\"\n";
    assert_eq!(
        mistakes(text),
        ["4:11-4:25 `999999999999` is both a reader and a third party; a member is a `[[reader]]`, \
             an account outside the organization a `[[third-party]]` | 2:11-2:25: first declared here"]
    );
}

#[test]
fn an_entry_is_about_a_declared_bucket_once_any_is_declared() {
    let reader = "[[reader]]\naccount = \"111111111111\"\nbucket = \"acme-log\"\n";
    read(reader);
    let text = format!("[[log-bucket]]\nname = \"acme-logs\"\n{reader}");
    assert_eq!(mistakes(&text), ["5:10-5:20 no `[[log-bucket]]` is called `acme-log`; did you mean `acme-logs`?"]);
    let broken = text.replace("\"acme-logs\"", "\"acme logs\"");
    assert_eq!(mistakes(&broken).len(), 1, "the bucket may be the one that could not be read");
}

#[test]
fn a_document_is_described_once() {
    let text = "[[file]]\npath = \"a/b.json\"\nkind = \"scp\"\n[[file]]\npath = \"./a/b.json\"\nkind = \"rcp\"\n";
    assert_eq!(mistakes(text), ["5:8-5:20 `./a/b.json` is described twice | 2:8-2:18: first given here"]);
}

#[test]
fn a_glob_has_no_subject() {
    let text =
        "[[file]]\npath = \"roles/*.json\"\nkind = \"trust-policy\"\nsubject = \"arn:aws:iam::111111111111:role/a\"\n";
    assert_eq!(
        mistakes(text),
        ["4:11-4:45 a glob stands for several documents, so it can have no `subject`; \
             give each document its own `[[file]]` | 2:8-2:22: the glob"]
    );
}
