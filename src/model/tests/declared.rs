use super::input::{delivery, trust};
use super::*;

const LOGS: &str = "my-organization-bucket";
const ARCHIVE: &str = "555555555555";

fn config(readers: &str, more: &str) -> String {
    format!(
        r#"
[organization]
id = "o-exampleorgid"
management-account = "{A}"
accounts = ["{A}", "{B}", "{C}", "444444444444"]
canonical-ids = {{ "79a59df9" = "{B}" }}

[[log-bucket]]
name = "{LOGS}"
account = "{ARCHIVE}"
prefix = "trails"
organization-trail = true
{readers}

{more}
"#
    )
}

fn model(readers: &str, more: &str) -> Model {
    Input::new().config(&config(readers, more)).model()
}

/// What an account may and should read of the bucket.
fn given(model: &Model, id: &str) -> (Given, Given) {
    (model.logs_of(account(id), LOGS), model.logs_due(account(id), LOGS))
}

fn of(ids: &[&str]) -> Given {
    Given::Of(ids.iter().map(|id| account(id)).collect())
}

#[test]
fn each_account_is_what_the_config_says() {
    let more = format!(
        "[[reader]]\naccount = \"{X}\"\nlogs = \"all\"\n\
         [[third-party]]\nname = \"log analyzer\"\naccount = \"{Z}\"\nlogs = \"all\"\n"
    );
    let model = model("readers = \"own-logs\"", &more);
    assert!(model.is_declared() && model.members_are_complete());
    assert_eq!(model.class(account(ARCHIVE)), Class::Owner);
    assert_eq!(model.class(account(A)), Class::Management);
    assert_eq!(model.class(account(B)), Class::Member);
    assert_eq!(model.class(account(X)), Class::Reader);
    assert_eq!(model.class(account(Z)), Class::ThirdParty { declared: true, external_id_required: true });
    assert_eq!(model.class(account("888888888888")), Class::Undeclared);
    assert_eq!(model.known_accounts().len(), 7);
    assert_eq!(model.label(account(Z)), "999999999999 (log analyzer)");
    assert_eq!(model.account_of_canonical_id("79A59DF9"), Some(account(B)));
    assert_eq!(model.organization_id().unwrap().origin, Origin::Declared);
    assert_eq!(model.own_prefixes(account(B), LOGS), ["trails/AWSLogs/o-exampleorgid/222222222222/"]);
    assert_eq!((model.owner(), model.inferences().len()), (Some(account(ARCHIVE)), 0));
}

#[test]
fn owner_and_management_account_may_read_everything() {
    let model = model("readers = \"own-logs\"", "");
    assert_eq!(given(&model, ARCHIVE), (Given::All, Given::nothing()));
    assert_eq!(given(&model, A), (Given::All, of(&[A])));
}

#[test]
fn readers_of_a_bucket_say_what_members_may_and_should_read() {
    assert_eq!(given(&model("readers = \"own-logs\"", ""), B), (of(&[B]), of(&[B])));
    assert_eq!(given(&model("", ""), B), (of(&[B]), Given::nothing()));
    assert_eq!(given(&model("readers = \"none\"", ""), B), (Given::nothing(), Given::nothing()));
    let one = model(&format!("readers = [\"{B}\"]"), "");
    assert_eq!(given(&one, B), (of(&[B]), of(&[B])));
    assert_eq!(given(&one, C), (Given::nothing(), Given::nothing()));
    let outside = model(&format!("readers = [\"{X}\"]"), "");
    assert_eq!((outside.class(account(X)), given(&outside, X)), (Class::Reader, (of(&[X]), of(&[X]))));
}

#[test]
fn an_exception_adds_to_what_a_member_may_read() {
    let reader = |logs: &str| format!("[[reader]]\naccount = \"{C}\"\n{logs}\n");
    let none = "readers = \"none\"";
    assert_eq!(given(&model(none, &reader("logs = \"all\"")), C), (Given::All, Given::All));
    assert_eq!(given(&model(none, &reader("logs = \"own\"")), C), (of(&[C]), of(&[C])));
    assert_eq!(given(&model(none, &reader("")), C), (Given::nothing(), Given::nothing()));
    let listed = model("readers = \"own-logs\"", &reader(&format!("logs = [\"{B}\"]\nbucket = \"{LOGS}\"")));
    assert_eq!(given(&listed, C), (of(&[B, C]), of(&[B, C])));
    assert_eq!(listed.logs_of(account(C), "another-bucket"), of(&[C]));
}

#[test]
fn a_third_party_reads_what_its_entry_says_and_no_more() {
    let party = |logs: &str| format!("[[third-party]]\naccount = \"{Z}\"\n{logs}\n");
    assert_eq!(given(&model("", &party("logs = \"all\"")), Z), (Given::All, Given::All));
    assert_eq!(given(&model("", &party(&format!("logs = [\"{B}\"]"))), Z), (of(&[B]), of(&[B])));
    assert_eq!(given(&model("", &party("")), Z), (Given::nothing(), Given::nothing()));
    assert_eq!(given(&model("", ""), Z), (Given::nothing(), Given::nothing()));
}

#[test]
fn own_logs_are_due_to_nobody_where_the_members_are_inferred() {
    let text = format!("[[log-bucket]]\nname = \"{LOGS}\"\nreaders = \"own-logs\"\n");
    let bucket = delivery(LOGS, &["AWSLogs/222222222222/*"], None, &[]);
    let model = Input::new().config(&text).bucket(LOGS, &bucket).model();
    assert!(model.is_declared() && !model.members_are_complete());
    assert_eq!(given(&model, B), (of(&[B]), Given::nothing()));
}

#[test]
fn a_config_of_rules_alone_declares_no_model() {
    assert!(!Input::new().config("[rules]\nselect = [\"default\"]\n").model().is_declared());
}

#[test]
fn an_accounts_file_lists_the_members() {
    const TEXT: &str = "[organization]\naccounts-file = \"accounts.json\"\n";
    let mut input = Input::new().role("r", &trust(&[B], ""));
    let span = input.file("trailproof.toml", TEXT);
    let config = Config::parse(TEXT, span.source).unwrap();
    let listed = [Member { id: account(B), name: Some("payments".into()), span }];
    let model = Model::new(&input.estate, Some(&config), Some(&listed));
    assert!(model.members_are_complete());
    assert_eq!(model.class(account(B)), Class::Member);
    assert_eq!(model.label(account(B)), "222222222222 (payments)");
}

#[test]
fn the_accounts_of_declared_buckets_own_before_those_of_others() {
    let other = delivery("other-logs", &["AWSLogs/o-exampleorgid/*"], None, &[]);
    let model = Input::new().config(&config("", "")).bucket("other-logs", &other).owned_by(X).model();
    assert_eq!(model.owner(), Some(account(ARCHIVE)));
    assert_eq!(model.class(account(X)), Class::Undeclared);
    assert!(model.may_read(account(X), account(B), "other-logs"));
    assert!(!model.may_read(account(X), account(B), LOGS));
}
