use super::*;
use crate::text::{Source, Span};
use time::macros::date;

mod collisions;
mod schema;
mod syntax;

const EXAMPLE: &str = include_str!("tests/example.toml");

fn read(text: &str) -> Config {
    match Config::parse(text, SourceId::new(0)) {
        Ok(config) => config,
        Err(errors) => panic!("{:#?}", shown(text, &errors)),
    }
}

/// The mistakes in a text, each as `from-to message; help | place: what stands there`.
fn mistakes(text: &str) -> Vec<String> {
    shown(text, &Config::parse(text, SourceId::new(0)).expect_err(text))
}

fn shown(text: &str, errors: &[ConfigError]) -> Vec<String> {
    let source = Source::new("trailproof.toml", text);
    let place = |span: Span| format!("{}-{}", source.position(span.start), source.position(span.end));
    let show = |error: &ConfigError| {
        let help = error.help.iter().map(|help| format!("; {help}"));
        let related = error.related.iter().map(|r| format!(" | {}: {}", place(r.span), r.value));
        format!("{} {error}{}", place(error.span), help.chain(related).collect::<String>())
    };
    errors.iter().map(show).collect()
}

/// The text under a span of the example.
fn under(span: Span) -> &'static str {
    EXAMPLE.get(span.start as usize..span.end as usize).unwrap()
}

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn values<T: Copy>(list: &[Spanned<T>]) -> Vec<T> {
    list.iter().map(|element| element.value).collect()
}

#[test]
fn the_sharing_model_is_read() {
    let config = read(EXAMPLE);
    let organization = config.organization.unwrap();
    assert_eq!(organization.id.as_ref().unwrap().value, "o-a1b2c3d4e5");
    assert_eq!(organization.management_account.unwrap().value, account("111111111111"));
    assert_eq!(organization.accounts.as_ref().unwrap().len(), 3);
    assert_eq!(organization.known_accounts().count(), 4);
    let [(canonical, owner)] = organization.canonical_ids.as_slice() else { panic!() };
    assert_eq!((canonical.len(), owner.value), (64, account("222222222222")));

    let [first, second] = config.log_buckets.as_slice() else { panic!() };
    assert_eq!(first.name.value, "acme-trail-logs");
    assert_eq!(first.account.unwrap().value, account("111111111111"));
    assert_eq!(first.prefix.as_ref().unwrap().value, "");
    assert!(first.organization_trail.unwrap().value);
    assert_eq!(first.trails[0].value, "arn:aws:cloudtrail:eu-central-1:111111111111:trail/acme");
    assert_eq!(first.readers.as_ref().unwrap().value, MemberReaders::OwnLogs);
    assert_eq!((second.account, second.organization_trail), (None, None));
    let MemberReaders::Accounts(readers) = &second.readers.as_ref().unwrap().value else { panic!() };
    assert_eq!(values(readers), [account("222222222222")]);

    let [first, second] = config.readers.as_slice() else { panic!() };
    assert_eq!((first.account.value, &first.logs.as_ref().unwrap().value), (account("333333333333"), &Logs::All));
    assert_eq!((first.bucket.as_ref(), first.reason.as_ref().unwrap().as_str()), (None, "security tooling"));
    let Logs::Accounts(logs) = &second.logs.as_ref().unwrap().value else { panic!() };
    assert_eq!(values(logs), [account("333333333333"), account("222222222222")]);
    assert_eq!(second.bucket.as_ref().unwrap().value, "acme-old-logs");

    let [party] = config.third_parties.as_slice() else { panic!() };
    assert_eq!(party.name.as_ref().unwrap().value, "log analyzer");
    assert!(!party.needs_external_id());
}

#[test]
fn rules_waivers_limits_and_files_are_read() {
    let config = read(EXAMPLE);
    let select: Vec<&str> = config.rules.select.iter().flat_map(|s| &s.value).map(|s| s.as_str()).collect();
    assert_eq!(select, ["default", "missing-mfa"]);
    assert_eq!(config.rules.ignore[0].value, "limits");
    let levels: Vec<_> = config.rules.levels.iter().map(|(rule, level)| (rule.as_str(), level.as_str())).collect();
    assert_eq!(levels, [("missing-secure-transport", "error"), ("acls-in-use", "note")], "in the order of the file");
    assert_eq!(config.limits.warn_at, 0.75);

    let [waiver] = config.waivers.as_slice() else { panic!() };
    assert_eq!((waiver.rule.as_str(), waiver.reason.as_str()), ("cross-account-log-read", "reviewed in SEC-7"));
    assert!(waiver.subject.matches("arn:aws:s3:::acme-trail-logs"));
    assert_eq!(waiver.statement.as_ref().unwrap().value, "SecurityTooling");
    assert_eq!(waiver.until.unwrap().value, date!(2027 - 06 - 30));

    let [one, glob] = config.files.as_slice() else { panic!() };
    assert_eq!((one.path.as_str(), one.kind.value), ("policies/analyzer-trust.json", DocumentKind::TrustPolicy));
    assert_eq!(one.subject.as_ref().unwrap().value, "arn:aws:iam::111111111111:role/analyzer");
    assert!(glob.path.is_glob() && glob.subject.is_none());
}

#[test]
fn every_value_keeps_its_place() {
    let config = read(EXAMPLE);
    let organization = config.organization.as_ref().unwrap();
    assert_eq!(under(organization.id.as_ref().unwrap().span), "\"o-a1b2c3d4e5\"");
    assert_eq!(under(organization.accounts.as_ref().unwrap()[1].span), "\"222222222222\"");
    assert_eq!(under(organization.canonical_ids[0].0.span).len(), 64);
    assert_eq!(under(config.log_buckets[0].organization_trail.unwrap().span), "true");
    assert_eq!(under(config.log_buckets[1].readers.as_ref().unwrap().span), "[\"222222222222\"]");
    assert_eq!(under(config.rules.levels[1].0.span), "\"acls-in-use\"");
    assert_eq!(under(config.waivers[0].until.unwrap().span), "2027-06-30");
    assert_eq!(under(config.files[1].path.span), "\"policies/*-trust.json\"");
    let source = Source::new("trailproof.toml", EXAMPLE);
    let subject = source.position(config.waivers[0].subject.span.start);
    assert_eq!(subject.to_string(), "46:11");
}

#[test]
fn the_span_of_a_table_runs_from_its_header_to_its_last_value() {
    let config = read(EXAMPLE);
    let waiver = under(config.waivers[0].span);
    assert!(waiver.starts_with("[[allow]]\nrule") && waiver.ends_with("until = 2027-06-30"), "{waiver}");
    let organization = under(config.organization.as_ref().unwrap().span);
    assert!(
        organization.starts_with("[organization]") && organization.ends_with("\"222222222222\" }"),
        "{organization}"
    );
    let inline = read("reader = [ { account = \"111111111111\" } ]");
    assert_eq!((inline.readers[0].span.start, inline.readers[0].span.end), (11, 39));
}

#[test]
fn an_empty_file_leaves_everything_to_the_facts() {
    let config = read("# nothing yet\n");
    assert_eq!(config.organization, None);
    assert!(config.log_buckets.is_empty() && config.readers.is_empty() && config.third_parties.is_empty());
    assert!(config.waivers.is_empty() && config.files.is_empty());
    assert_eq!((config.rules, config.limits.warn_at), (RuleSelection::default(), 0.8));
}

#[test]
fn what_is_left_out_is_not_made_up() {
    let config = read(
        "[organization]\n[[log-bucket]]\nname = \"logs\"\n[[reader]]\naccount = \"111111111111\"\n\
         [[third-party]]\naccount = \"999999999999\"\n[rules]\n",
    );
    let organization = config.organization.as_ref().unwrap();
    assert_eq!((&organization.id, &organization.accounts, &organization.accounts_file), (&None, &None, &None));
    assert_eq!((&config.log_buckets[0].readers, &config.log_buckets[0].prefix), (&None, &None));
    assert_eq!((&config.readers[0].logs, &config.third_parties[0].logs), (&None, &None));
    assert!(config.third_parties[0].needs_external_id());
    assert_eq!(config.rules.select, None);
    assert!(read("[rules]\nselect = []").rules.select.unwrap().is_empty(), "nothing is another wish than no wish");
}

#[test]
fn an_unknown_key_is_a_mistake_with_the_nearest_name() {
    let text = "[organisation]\n[[log_bucket]]\n[[reader]]\nacount = \"1\"\nlog = \"all\"\n[[third-party]]\n\
                external-id = true\n[limits]\nid = \"o-x\"\nowner = 1\n";
    assert_eq!(
        mistakes(text),
        [
            "1:2-1:14 unknown key `organisation`; did you mean `organization`?",
            "2:3-2:13 unknown key `log_bucket`; did you mean `log-bucket`?",
            "3:1-3:11 this `[[reader]]` has no `account`",
            "4:1-4:7 unknown key `acount` in `[[reader]]`; did you mean `account`?",
            "5:1-5:4 unknown key `log` in `[[reader]]`; did you mean `logs`?",
            "6:1-6:16 this `[[third-party]]` has no `account`",
            "7:1-7:12 unknown key `external-id` in `[[third-party]]`; did you mean `external-id-required`?",
            "9:1-9:3 unknown key `id` in `[limits]`; `id` belongs to `[organization]`",
            "10:1-10:6 unknown key `owner` in `[limits]`; known here: `warn-at`",
        ]
    );
}

#[test]
fn a_key_that_must_be_there_is_missed_at_its_table() {
    let text = "[[log-bucket]]\nprefix = \"a\"\n\n[[allow]]\nstatement = \"A\"\n[[file]]\nsubject = \"x\"\n";
    assert_eq!(
        mistakes(text),
        [
            "1:1-1:15 this `[[log-bucket]]` has no `name`",
            "4:1-4:10 this `[[allow]]` has no `rule`",
            "4:1-4:10 this `[[allow]]` has no `subject`",
            "4:1-4:10 this `[[allow]]` has no `reason`",
            "6:1-6:9 this `[[file]]` has no `path`",
            "6:1-6:9 this `[[file]]` has no `kind`",
        ]
    );
}

#[test]
fn an_account_without_quotes_is_told_about_leading_zeros() {
    let text = "[organization]\nmanagement-account = 111111111111\naccounts = [012345678901, 42]\n\
                [[reader]]\naccount = 1_111_111\nlogs = \"222222222222\"\n";
    assert_eq!(
        mistakes(text),
        [
            "2:22-2:34 `management-account` must be a string, not an integer; \
             write an account ID in quotes, `\"111111111111\"`: a number has no leading zeros",
            "3:13-3:25 each element of `accounts` must be a string, not an integer; \
             write an account ID in quotes, `\"012345678901\"`: a number has no leading zeros",
            "3:27-3:29 each element of `accounts` must be a string, not an integer; write it in quotes",
            "5:11-5:20 `account` must be a string, not an integer; write it in quotes",
            "6:8-6:22 `222222222222` stands outside an array; write `[\"222222222222\"]`",
        ]
    );
}

#[test]
fn a_table_is_told_from_an_array_of_tables() {
    let text = "limits = 3\nfile = [1]\n[[organization]]\n[reader]\naccount = \"111111111111\"\n";
    assert_eq!(
        mistakes(text),
        [
            "1:10-1:11 `limits` must be a table, not an integer; write it as `[limits]`",
            "2:9-2:10 each element of `file` must be a table, not an integer; write it as `[[file]]`",
            "3:1-3:17 `organization` must be a table, not an array; write it as `[organization]`",
            "4:1-4:9 `reader` must be an array of tables, not a table; write it as `[[reader]]`",
        ]
    );
}

#[test]
fn values_are_checked_for_what_they_must_look_like() {
    let cases = [
        (
            "[organization]\nid = \"ou-abcd-12345678\"",
            "`ou-abcd-12345678` is not an organization ID; this is the ID of an organizational unit; the organization's begins with `o-`",
        ),
        (
            "[organization]\nid = \"r-abcd\"",
            "`r-abcd` is not an organization ID; this is the ID of a root; the organization's begins with `o-`",
        ),
        (
            "[organization]\nid = \"O-A\"",
            "`O-A` is not an organization ID; an organization ID is `o-` and 10 to 32 lower-case letters or digits",
        ),
        (
            "[organization]\nmanagement-account = \"1111-2222-3333\"",
            "`1111-2222-3333` is not an account ID; write `111122223333`",
        ),
        (
            "[organization]\nmanagement-account = \"arn:aws:iam::111111111111:root\"",
            "`arn:aws:iam::111111111111:root` is not an account ID; write `111111111111`",
        ),
        ("[organization]\nmanagement-account = \"main\"", "`main` is not an account ID; an account ID has 12 digits"),
        ("[organization]\naccounts-file = \" \"", "this must not be empty"),
        (
            "[[log-bucket]]\nname = \"arn:aws:s3:::logs\"",
            "`arn:aws:s3:::logs` is not a bucket name; write the name alone: `logs`",
        ),
        (
            "[[log-bucket]]\nname = \"s3://logs/AWSLogs\"",
            "`s3://logs/AWSLogs` is not a bucket name; write the name alone: `logs`",
        ),
        (
            "[[log-bucket]]\nname = \"logs-*\"",
            "`logs-*` is not a bucket name; a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
        (
            "[[log-bucket]]\nname = \"logs\"\nprefix = \"a/\"",
            "`a/` is not a trail's key prefix; write `a`: the `/` before `AWSLogs/` does not belong to it",
        ),
        (
            "[[log-bucket]]\nname = \"logs\"\nprefix = \"a/AWSLogs\"",
            "`a/AWSLogs` is not a trail's key prefix; the prefix is what stands before `/AWSLogs/` in the keys",
        ),
        (
            "[[log-bucket]]\nname = \"logs\"\ntrails = [\"arn:aws:s3:::logs\"]",
            "`arn:aws:s3:::logs` is not the ARN of a trail; it looks like `arn:aws:cloudtrail:us-east-1:111111111111:trail/name`",
        ),
        (
            "[[log-bucket]]\nname = \"logs\"\nreaders = \"own-log\"",
            "`own-log` is none of `own-logs` and `none`; did you mean `own-logs`?",
        ),
        (
            "[[log-bucket]]\nname = \"logs\"\nreaders = true",
            "`readers` must be the string `own-logs` or `none`, or an array of account IDs, not a boolean",
        ),
        ("[[reader]]\naccount = \"111111111111\"\nlogs = \"some\"", "`some` is none of `own` and `all`"),
        ("[limits]\nwarn-at = 80", "`warn-at` must be above 0 and at most 1; write 80 % as 0.8"),
        ("[limits]\nwarn-at = 1.8", "`warn-at` must be above 0 and at most 1; write 1.8 % as 0.018"),
        ("[limits]\nwarn-at = nan", "`warn-at` must be above 0 and at most 1; write 80 % as 0.8"),
        ("[limits]\nwarn-at = 99999999999999999999", "`warn-at` must be above 0 and at most 1; write 80 % as 0.8"),
        ("[limits]\nwarn-at = \"80%\"", "`warn-at` must be a number, not a string"),
        (
            "[rules.level]\nmissing-mfa = \"off\"",
            "`off` is none of `error`, `warning` and `note`; to switch a rule off, name it in `ignore`",
        ),
        (
            "[rules.level]\nmissing-mfa = \"warn\"",
            "`warn` is none of `error`, `warning` and `note`; did you mean `warning`?",
        ),
        (
            "[[file]]\npath = \"a.json\"\nkind = \"trust\"",
            "`trust` is none of `bucket-policy`, `trust-policy`, `identity-policy`, `key-policy`, `permissions-boundary`, `scp` and `rcp`; did you mean `trust-policy`?",
        ),
        ("[[file]]\nkind = \"scp\"\npath = \"a\\\\b.json\"", "`a\\b.json` holds a backslash; write `a/b.json`"),
    ];
    for (text, expected) in cases {
        let found = mistakes(text);
        let [found] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!(found.split_once(' ').unwrap().1, expected);
        let line = text.lines().count();
        let value = text.lines().last().unwrap().split_once(" = ").unwrap().0.len() + 4;
        let value = if text.contains("trails") { value + 1 } else { value };
        assert!(found.starts_with(&format!("{line}:{value}-{line}:")), "{found}");
    }
}

#[test]
fn a_canonical_id_is_the_key_and_its_account_the_value() {
    let text = "[organization.canonical-ids]\n\"222222222222\" = \"4f1e2d3c\"\nabc = 222222222222\n";
    assert_eq!(
        mistakes(text),
        [
            "2:1-2:15 `222222222222` is not a canonical user ID; write `\"CANONICAL ID\" = \"ACCOUNT ID\"`; \
             `aws s3api list-buckets` shows the canonical ID as `Owner.ID`",
            "2:18-2:28 `4f1e2d3c` is not an account ID; an account ID has 12 digits",
            "3:7-3:19 `abc` must be a string, not an integer; \
             write an account ID in quotes, `\"222222222222\"`: a number has no leading zeros",
        ]
    );
}

#[test]
fn a_waiver_ends_on_a_day_and_holds_on_that_day() {
    let config = read(EXAMPLE);
    assert!(!config.waivers[0].is_expired_on(date!(2027 - 06 - 30)));
    assert!(config.waivers[0].is_expired_on(date!(2027 - 07 - 01)));
    let text = |until: &str| format!("[[allow]]\nrule = \"a\"\nsubject = \"*\"\nreason = \"r\"\nuntil = {until}\n");
    assert!(!read(&text("9999-12-31")).waivers[0].is_expired_on(date!(2500 - 01 - 01)));
    let cases = [
        (
            "2027-06-30T12:00:00Z",
            "5:9-5:29 `until` must be a date, not a date with a time; write the last day: `2027-06-30`",
        ),
        ("12:00:00", "5:9-5:17 `until` must be a date, not a time; a date is written as `2026-12-31`"),
        ("\"2027-06-30\"", "5:9-5:21 `until` must be a date, not a string; write it without quotes: `2027-06-30`"),
        (
            "\"soon\"",
            "5:9-5:15 `until` must be a date, not a string; a date is written as `2026-12-31`, without quotes",
        ),
        ("2027", "5:9-5:13 `until` must be a date, not an integer"),
        ("2027-02-29", "5:9-5:19 invalid date, expected day between 01 and 28"),
    ];
    for (until, expected) in cases {
        assert_eq!(mistakes(&text(until)), [expected]);
    }
}

#[test]
fn a_subject_must_be_what_its_kind_is_attached_to() {
    let good = [
        ("bucket-policy", "arn:aws-cn:s3:::logs"),
        ("trust-policy", "arn:aws:iam::111111111111:role/path/name"),
        ("identity-policy", "arn:aws:iam::111111111111:group/readers"),
        ("identity-policy", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("key-policy", "arn:aws:kms:eu-central-1:111111111111:key/1234abcd"),
        ("permissions-boundary", "arn:aws:iam::111111111111:policy/limit"),
        ("scp", "111111111111"),
        ("scp", "ou-ab12-34567890"),
        ("rcp", "r-ab12"),
    ];
    for (kind, subject) in good {
        assert!(kind.parse::<DocumentKind>().unwrap().takes_subject(subject), "{kind} {subject}");
    }
    let bad = [
        ("bucket-policy", "arn:aws:s3:::logs/AWSLogs/*"),
        ("bucket-policy", "logs"),
        ("trust-policy", "arn:aws:iam::111111111111:user/name"),
        ("trust-policy", "arn:aws:iam::111111111111:role/"),
        ("permissions-boundary", "arn:aws:iam::111111111111:group/readers"),
        ("key-policy", "arn:aws:kms:eu-central-1:111111111111:alias/logs"),
        ("scp", "arn:aws:organizations::111111111111:ou/o-a1b2c3d4e5/ou-ab12-34567890"),
        ("rcp", "ou-"),
    ];
    for (kind, subject) in bad {
        assert!(!kind.parse::<DocumentKind>().unwrap().takes_subject(subject), "{kind} {subject}");
    }
    assert_eq!(
        mistakes("[[file]]\npath = \"a.json\"\nkind = \"key-policy\"\nsubject = \"arn:aws:s3:::logs\"\n"),
        [
            "4:11-4:30 `arn:aws:s3:::logs` is not what a document of the kind `key-policy` is attached to; it takes the ARN of a key"
        ]
    );
    assert!("policy".parse::<DocumentKind>().is_err());
}

#[test]
fn a_path_of_its_own_goes_before_a_glob() {
    let config = read(
        "[[file]]\npath = \"p/*.json\"\nkind = \"scp\"\n[[file]]\npath = \"p/**\"\nkind = \"rcp\"\n\
         [[file]]\npath = \"./p/a.json\"\nkind = \"trust-policy\"\n",
    );
    let kind = |path: &str| config.file_entry(path).map(|entry| entry.kind.value);
    assert_eq!(kind("p/a.json"), Some(DocumentKind::TrustPolicy));
    assert_eq!(kind("p/b.json"), Some(DocumentKind::Scp));
    assert_eq!(kind("p/x/b.json"), Some(DocumentKind::Rcp));
    assert_eq!(kind("b.json"), None);
}

#[test]
fn names_that_are_no_rule_are_told_with_the_nearest_one() {
    let text = "[rules]\nselect = [\"default\", \"missing-mfas\"]\nignore = [\"trust\", \"xyz\"]\n\
                level = { trust = \"note\", acl-in-use = \"note\" }\n[[allow]]\nrule = \"all\"\nsubject = \"*\"\nreason = \"r\"\n\
                [[allow]]\nrule = \"missing-mfa\"\nsubject = \"*\"\nreason = \"r\"\n\
                [[allow]]\nrule = \"later\"\nsubject = \"*\"\nreason = \"r\"\n";
    let errors = read(text).check_rule_names(&["missing-mfa", "acls-in-use"], &["later"], &["trust", "default", "all"]);
    assert_eq!(
        shown(text, &errors),
        [
            "2:22-2:36 there is no rule or group `missing-mfas`; did you mean `missing-mfa`?",
            "3:20-3:25 there is no rule or group `xyz`; `trailproof rules` lists them",
            "4:11-4:16 `trust` is not one rule; name each rule by its id",
            "4:27-4:37 there is no rule `acl-in-use`; did you mean `acls-in-use`?",
            "6:8-6:13 `all` is not one rule; name each rule by its id",
        ]
    );
}

#[test]
fn the_nearest_name_is_near() {
    let names = ["log-bucket", "reader", "third-party", "allow"];
    for (word, expected) in [
        ("LOG_BUCKET", Some("log-bucket")),
        ("readers", Some("reader")),
        ("thrid-party", Some("third-party")),
        ("third", Some("third-party")),
        ("alow", Some("allow")),
        ("deny", None),
        ("", None),
    ] {
        assert_eq!(closest(word, &names), expected, "{word}");
    }
    assert_eq!(closest("bucket", &["bucket-one", "bucket-two"]), None, "two continue it");
    assert_eq!(closest(&"a".repeat(1_000_000), &names), None);
}
