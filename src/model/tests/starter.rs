use super::input::{classes, delivery, read_statement, reads, trust};
use super::*;
use crate::text::SourceId;

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/org";
const ID: &str = r#"{"StringEquals":{"sts:ExternalId":"d51c8e07-3b9a-4f62"}}"#;

/// The text, and the model that it declares for the same inputs.
fn again(input: &Input) -> (String, Model) {
    let text = starter(&input.estate, &input.model());
    let config = match Config::parse(&text, SourceId::new(0)) {
        Ok(config) => config,
        Err(errors) => panic!("{errors:#?}\n{text}"),
    };
    let model = Model::new(&input.estate, Some(&config), None);
    (text, model)
}

#[track_caller]
fn assert_same_classes(before: &Model, after: &Model) {
    let kind = |class: Class| match class {
        Class::ThirdParty { external_id_required, .. } => Class::ThirdParty { declared: true, external_id_required },
        other => other,
    };
    let all = |model: &Model| -> BTreeMap<AccountId, Class> {
        classes(model).into_iter().map(|(account, class)| (account, kind(class))).collect()
    };
    assert_eq!(all(before), all(after));
}

#[track_caller]
fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|written| written == *line), "{line}\n{text}");
    }
}

fn full() -> Input {
    let own = "arn:aws:s3:::logs-of-all/x/AWSLogs/o-exampleorgid/333333333333/*";
    let own = read_statement("\"333333333333\"", own, "");
    let bucket = delivery("logs-of-all", &["x/AWSLogs/o-exampleorgid/*"], Some(TRAIL), &[own]);
    let own = reads("arn:aws:s3:::logs-of-all/x/AWSLogs/o-exampleorgid/222222222222/*");
    let input = Input::new().bucket("logs-of-all", &bucket).owned_by("555555555555");
    let input = input.role("logs-of-b", &trust(&[B], "")).inline(&own);
    input.role("log-analyzer", &trust(&[Z], ID)).role("former-vendor", &trust(&[X], ""))
}

#[test]
fn what_the_inputs_show_is_declared_and_reads_back_to_the_same_classes() {
    let input = full();
    let (text, after) = again(&input);
    let before = input.model();
    assert_same_classes(&before, &after);
    assert!(after.is_declared() && after.members_are_complete());
    assert_eq!(after.organization_id().unwrap().id, "o-exampleorgid");
    assert_eq!(after.own_prefixes(account(B), "logs-of-all"), before.own_prefixes(account(B), "logs-of-all"));
    assert_eq!(after.contradictions(), []);
    assert_eq!(after.class(account(X)), Class::Undeclared);
    assert_lines(
        &text,
        &[
            "id = \"o-exampleorgid\"",
            "management-account = \"111111111111\"",
            "account = \"555555555555\"",
            "prefix = \"x\"",
            "organization-trail = true",
            "# The role former-vendor lets this account in, and no list of members names it.",
            "# account = \"777777777777\"",
            "# readers = \"own-logs\"",
        ],
    );
}

#[test]
fn what_is_not_known_stands_in_comments_that_say_so() {
    let (text, after) = again(&Input::new());
    assert_eq!(after.known_accounts(), BTreeSet::new());
    assert_lines(
        &text,
        &[
            "# id = \"o-…\"   # no input names an organization",
            "# management-account = \"…\"   # no input names it",
            "# No input names a bucket that CloudTrail delivers to.",
        ],
    );
}

#[test]
fn every_commented_example_is_one_that_the_config_takes() {
    let (text, _) = again(&Input::new());
    let is_example = |line: &&str| {
        let is_key = |(key, _): (&str, &str)| !key.contains(' ');
        !line.contains('…') && (line.starts_with('[') || line.split_once(" = ").is_some_and(is_key))
    };
    let comments = text.lines().filter_map(|line| line.strip_prefix("# "));
    let examples: String = comments.filter(is_example).map(|line| format!("{line}\n")).collect();
    let config = Config::parse(&examples, SourceId::new(0));
    let config = config.unwrap_or_else(|errors| panic!("{errors:#?}\n{examples}"));
    assert_eq!((config.log_buckets.len(), config.readers.len(), config.third_parties.len()), (1, 1, 1));
    assert_eq!((config.waivers.len(), config.files.len(), config.rules.levels.len()), (1, 1, 1));
}

#[test]
fn several_organizations_or_prefixes_are_left_to_the_user() {
    let named = |id: &str| format!(r#"{{"StringEquals":{{"aws:PrincipalOrgID":"{id}"}}}}"#);
    let read = |id: &str| read_statement("\"*\"", "arn:aws:s3:::two-logs/AWSLogs/*", &named(id));
    let paths = ["a/AWSLogs/222222222222/*", "b//AWSLogs/222222222222/*"];
    let bucket = delivery("two-logs", &paths, None, &[read("o-aaaaaaaaaa"), read("o-bbbbbbbbbb")]);
    let input = Input::new().bucket("two-logs", &bucket);
    let (text, after) = again(&input);
    assert_same_classes(&input.model(), &after);
    for line in ["# id = \"o-aaaaaaaaaa\"", "# id = \"o-bbbbbbbbbb\"", "# prefix = \"a\"", "# prefix = \"b/\""] {
        assert!(text.lines().any(|written| written.starts_with(line)), "{line}\n{text}");
    }
}

#[test]
fn names_from_the_inputs_can_not_leave_their_comment() {
    let sly = "pay\nments\"\n[[allow]]\nrule = \"x\"\u{1b}[2J";
    let input = full().export("o-exampleorgid", A, &[(A, sly), (B, "plain"), (C, "\\")]);
    let (text, after) = again(&input);
    assert_same_classes(&input.model(), &after);
    assert!(!text.contains('\u{1b}'));
    assert_lines(&text, &["    \"222222222222\",   # plain"]);
}

#[test]
fn a_declared_model_is_written_as_it_was_declared() {
    let config = format!(
        r#"
[organization]
accounts = ["{A}", "{B}"]
[[log-bucket]]
name = "logs"
account = "{A}"
readers = ["{B}"]
[[log-bucket]]
name = "more-logs"
readers = "none"
[[reader]]
account = "{C}"
logs = ["{B}"]
bucket = "logs"
reason = "audits \"B\""
[[third-party]]
name = "log analyzer"
account = "{Z}"
logs = "all"
external-id-required = false
"#
    );
    let input = Input::new().config(&config);
    let (before, (_, after)) = (input.model(), again(&input));
    assert_same_classes(&before, &after);
    for reader in before.known_accounts() {
        for bucket in ["logs", "more-logs"] {
            assert_eq!(before.logs_of(reader, bucket), after.logs_of(reader, bucket), "{reader}");
            assert_eq!(before.logs_due(reader, bucket), after.logs_due(reader, bucket), "{reader}");
        }
    }
    assert_eq!(after.exceptions()[0].reason.as_deref(), Some("audits \"B\""));
}
