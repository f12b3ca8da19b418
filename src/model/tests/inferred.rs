use super::input::{delivery, read_statement, reads, statements, trail_key, trust};
use super::*;
use crate::estate::{Document, Known};

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/org";
const LOGS: &str = "my-organization-bucket";

/// The delivery statement of the seed article, and more.
fn seed(more: &[String]) -> Input {
    let paths = ["AWSLogs/111111111111/*", "AWSLogs/o-exampleorgid/*"];
    Input::new().bucket(LOGS, &delivery(LOGS, &paths, None, more))
}

#[test]
fn the_paths_of_an_organization_trail_tell_organization_and_management_account() {
    let model = seed(&[]).model();
    let id = model.organization_id().unwrap();
    assert_eq!((id.id.as_str(), id.origin), ("o-exampleorgid", Origin::Delivery));
    assert_eq!(model.management(), Some(account(A)));
    assert_eq!(members(&model), [A]);
    assert!(!model.members_are_complete() && !model.is_declared());
    assert_eq!(model.own_prefixes(account(B), LOGS), ["AWSLogs/o-exampleorgid/222222222222/"]);
    assert_eq!(
        sentences(&model),
        [
            "`my-organization-bucket` is taken for a log bucket: its policy lets CloudTrail write or names a path under \
             `AWSLogs/`",
            "the organization is taken to be `o-exampleorgid`: CloudTrail may write its logs",
            "111111111111 is taken for the management account: it owns the organization trail",
            "111111111111 is taken for the owner of the logs: its organization trail delivers to the log bucket",
            "111111111111 is taken for a member: a trail or a statement for CloudTrail names it",
        ]
    );
}

#[test]
fn the_source_arn_tells_the_management_account_whatever_paths_stand_beside_it() {
    let paths = ["AWSLogs/222222222222/*", "AWSLogs/333333333333/*", "AWSLogs/o-exampleorgid/*"];
    let model = Input::new().bucket(LOGS, &delivery(LOGS, &paths, Some(TRAIL), &[])).model();
    assert_eq!(model.management(), Some(account(A)));
    assert_eq!(members(&model), [A, B, C]);
    let log_bucket = model.log_bucket(LOGS).unwrap();
    assert_eq!(log_bucket.is_organization(), None);
    assert_eq!(log_bucket.trails.iter().map(|trail| trail.value.as_str()).collect::<Vec<_>>(), [TRAIL]);
}

#[test]
fn accounts_of_paths_trails_and_key_policies_are_members() {
    let bucket = delivery("central-logs", &["x/AWSLogs/222222222222/*"], None, &[]);
    let input = Input::new().bucket("central-logs", &bucket).owned_by(A).key("k", Some(A), &trail_key(A, C));
    let model = input.trail("arn:aws:cloudtrail:us-east-1:444444444444:trail/t", "central-logs", "", false).model();
    assert_eq!(members(&model), [B, C, "444444444444"]);
    assert_eq!(model.class(account(A)), Class::Owner);
    assert_eq!(model.class(account(B)), Class::Member);
    assert_eq!(model.log_bucket("central-logs").unwrap().prefixes().collect::<Vec<_>>(), ["", "x"]);
    assert_eq!(model.own_prefixes(account(B), "central-logs"), ["AWSLogs/222222222222/", "x/AWSLogs/222222222222/"]);
}

#[test]
fn an_account_that_a_statement_gives_just_its_own_logs_is_a_member() {
    let own = |id: &str| format!("arn:aws:s3:::{LOGS}/AWSLogs/o-exampleorgid/{id}/*");
    let root = |id: &str| format!("\"arn:aws:iam::{id}:root\"");
    let any = format!("arn:aws:s3:::{LOGS}/AWSLogs/o-exampleorgid/${{aws:PrincipalAccount}}/*");
    let fixed = format!(r#"{{"StringEquals":{{"aws:PrincipalAccount":["{C}"]}}}}"#);
    let loose = format!(r#"{{"StringEqualsIfExists":{{"aws:PrincipalAccount":["{X}"]}}}}"#);
    let both = format!("[\"{B}\",\"{C}\"]");
    let cases = [
        (read_statement(&root(B), &own(B), ""), vec![A, B]),
        (read_statement(&format!("\"arn:aws:iam::{B}:role/p/r\""), &own(B), ""), vec![A, B]),
        (read_statement("\"*\"", &any, &fixed), vec![A, C]),
        (read_statement(&both, &any, ""), vec![A, B, C]),
        (read_statement("\"*\"", &any, &loose), vec![A]),
        (read_statement(&root(B), &own(C), ""), vec![A]),
        (read_statement(&both, &own(B), ""), vec![A]),
        (read_statement(&root(B), &format!("arn:aws:s3:::{LOGS}/AWSLogs/*"), ""), vec![A]),
        (read_statement(&root(B), &format!("arn:aws:s3:::{LOGS}"), ""), vec![A]),
    ];
    for (statement, expected) in cases {
        let model = seed(std::slice::from_ref(&statement)).model();
        assert_eq!(members(&model), expected, "{statement}");
    }
}

#[test]
fn an_account_whose_role_reads_just_its_own_logs_is_a_member() {
    let own = reads(&format!("arn:aws:s3:::{LOGS}/AWSLogs/o-exampleorgid/{B}/*"));
    let role = || Input::new().role("logs-of-b", &trust(&[B], "")).inline(&own);
    let model = role().model();
    assert_eq!(members(&model), [B]);
    assert_eq!(
        sentences(&model),
        ["222222222222 is taken for a member: a statement or role gives it just its own logs"]
    );
    assert!(model.may_read(account(B), account(B), LOGS) && !model.may_read(account(B), account(C), LOGS));
    assert_eq!(model.owner(), None);

    let wider = role().inline(&reads("arn:aws:s3:::finance/*")).model();
    assert_eq!(members(&wider), [""; 0]);
    let managed = role().attached("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess").model();
    assert_eq!(members(&managed), [""; 0]);
    let harmless = role().attached("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").model();
    assert_eq!(members(&harmless), [B]);
    let caller = reads(&format!("arn:aws:s3:::{LOGS}/AWSLogs/${{aws:PrincipalAccount}}/*"));
    assert_eq!(members(&role().inline(&caller).model()), [""; 0]);
    let shared = Input::new().role("units", &trust(&[B, C], "")).inline(&own).model();
    assert_eq!(members(&shared), [""; 0]);
    let own_account_too = Input::new().role("logs-of-b", &trust(&[A, B], "")).inline(&own).in_account(A).model();
    assert_eq!(members(&own_account_too), [B]);
    let of_the_owner = seed(&[]).owned_by(A).role("logs-of-b", &trust(&[A, B], "")).inline(&own).model();
    assert_eq!(members(&of_the_owner), [A, B]);
}

#[test]
fn the_old_accounts_of_cloudtrail_are_nobody_elses() {
    let legacy = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::086441151436:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::my-organization-bucket/AWSLogs/222222222222/*"}"#;
    let bucket = delivery(LOGS, &["AWSLogs/086441151436/*"], None, &[legacy.to_owned()]);
    let model = Input::new().bucket(LOGS, &bucket).model();
    assert_eq!(model.class(account("086441151436")), Class::CloudTrail);
    assert_eq!(members(&model), [B]);
    assert!(!model.may_read(account("086441151436"), account("086441151436"), LOGS));
}

#[test]
fn several_organizations_are_none() {
    let named = |id: &str| format!(r#"{{"StringEquals":{{"aws:PrincipalOrgID":"{id}"}}}}"#);
    let read = |id: &str| read_statement("\"*\"", "arn:aws:s3:::plain-logs/AWSLogs/*", &named(id));
    let two = statements(&[read("o-aaaaaaaaaa"), read("o-bbbbbbbbbb")]);
    let model = Input::new().bucket("plain-logs", &two).model();
    assert_eq!((model.organization_id(), model.organization_ids().len()), (None, 2));
    // Where CloudTrail writes tells more than whom a condition names.
    let model = seed(&[read("o-bbbbbbbbbb")]).model();
    assert_eq!(model.organization_id().unwrap().id, "o-exampleorgid");
}

#[test]
fn an_export_lists_all_members_and_names_them() {
    let model = seed(&[]).owned_by(A).export("o-other00000", B, &[(B, "payments"), (C, " ")]).model();
    assert!(model.members_are_complete());
    assert_eq!(members(&model), [B, C]);
    assert_eq!(model.organization_id().unwrap().id, "o-other00000");
    assert_eq!(model.class(account(B)), Class::Management);
    assert_eq!(model.label(account(B)), "222222222222 (payments)");
    assert_eq!(model.label(account(C)), C);
    assert_eq!((model.named("payments"), model.named("nobody")), (Some(account(B)), None));
}

#[test]
fn the_owner_is_told_by_bucket_then_key_then_role_then_trail() {
    let owner = |input: Input| {
        let model = input.model();
        (model.owner().unwrap().to_string(), model.owned_by().unwrap())
    };
    let roles = |input: Input| input.role("r", &trust(&[B], "")).in_account("444444444444");
    let keys = |input: Input| input.key("k", Some("555555555555"), &trail_key("555555555555", B));
    assert_eq!(owner(seed(&[])), (A.to_owned(), OwnedBy::Trail));
    assert_eq!(owner(roles(seed(&[]))), ("444444444444".to_owned(), OwnedBy::Role));
    assert_eq!(owner(keys(roles(seed(&[])))), ("555555555555".to_owned(), OwnedBy::Key));
    let by_bucket = keys(roles(seed(&[]).owned_by("666666666666")));
    assert_eq!(by_bucket.model().class(account("666666666666")), Class::Owner);
    assert_eq!(owner(by_bucket), ("666666666666".to_owned(), OwnedBy::Bucket));
}

#[test]
fn roles_in_several_accounts_tell_no_owner() {
    let role = |input: Input, name: &str, id: &str| input.role(name, &trust(&[B], "")).in_account(id);
    let model = role(role(Input::new(), "r", A), "s", C).model();
    assert_eq!((model.owner(), model.owners().count()), (None, 0));
    let one_reads = role(Input::new(), "r", A).inline(&reads(&format!("arn:aws:s3:::b/AWSLogs/{B}/*")));
    assert_eq!(role(one_reads, "s", C).model().owner(), Some(account(A)));
}

#[test]
fn a_bucket_for_a_members_own_logs_makes_it_no_owner_of_the_others() {
    let own = delivery("b-logs", &["AWSLogs/222222222222/*"], None, &[]);
    let model = seed(&[]).owned_by(A).bucket("b-logs", &own).owned_by(B).model();
    assert_eq!(model.owners().collect::<Vec<_>>(), [account(A)]);
    assert_eq!(model.class(account(B)), Class::Member);
    assert!(!model.may_read(account(B), account(A), LOGS));
    assert!(model.may_read(account(B), account(A), "b-logs"));
    assert!(model.may_read(account(A), account(B), "b-logs"));
}

const ID: &str = r#"{"StringEquals":{"sts:ExternalId":"d51c8e07-3b9a"}}"#;

#[test]
fn a_deferred_trust_policy_tells_the_same_in_every_encoding() {
    let text = trust(&[Z], ID);
    let plainly = |b: u8| char::from(b).to_string();
    let partly = |b: u8| if b.is_ascii_alphanumeric() { plainly(b) } else { format!("%{b:02X}") };
    let wholly = |b: u8| format!("%{b:02x}");
    let percent = |encode: &dyn Fn(u8) -> String| format!("\"{}\"", text.bytes().map(encode).collect::<String>());
    let escaped = |b: u8| if b == b'A' { "\\u0041".to_owned() } else { plainly(b) };
    let escaped = text.bytes().map(escaped).collect::<String>();
    for encoded in [text.clone(), percent(&partly), percent(&wholly), escaped] {
        let mut input = Input::new().role("log-analyzer", &text);
        let span = input.file("export.json", &encoded);
        let document = Document::deferred(PolicyKind::Trust, span);
        input.estate.roles.last_mut().unwrap().trust = Known::Present(document, span);
        assert_eq!(input.model().class(account(Z)), INFERRED_PARTY, "{encoded}");
    }
}

#[test]
fn a_role_that_only_services_assume_tells_nothing() {
    let service = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let model = Input::new().role("f", service).in_account(A).model();
    assert_eq!((model.owner(), model.known_accounts()), (None, BTreeSet::new()));
}
