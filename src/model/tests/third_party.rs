use super::input::{delivery, policy, trust};
use super::*;
use crate::model::external_id::is_bound;
use crate::text::SourceId;

const ID: &str = r#"{"StringEquals":{"sts:ExternalId":"d51c8e07-3b9a-4f62"}}"#;

fn bound(text: &str) -> bool {
    is_bound(&policy(text, PolicyKind::Trust, SourceId::new(0)), account(Z))
}

#[test]
fn an_external_id_binds_only_where_no_other_request_gets_in() {
    let asked = |condition: &str| bound(&trust(&[Z], condition));
    for condition in [
        r#"{"StringEquals":{"sts:ExternalId":"d51c8e07"}}"#,
        r#"{"StringEquals":{"STS:externalid":["d51c8e07","a0b1c2d3"]}}"#,
        r#"{"StringEqualsIgnoreCase":{"sts:ExternalId":"d51c8e07"}}"#,
        r#"{"StringLike":{"sts:ExternalId":"d51c8e07*"}}"#,
        r#"{"StringEquals":{"sts:ExternalId":"d51c8e07"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
        r#"{"ForAnyValue:StringEquals":{"sts:ExternalId":"d51c8e07"}}"#,
    ] {
        assert!(asked(condition), "{condition}");
    }
    for condition in [
        "",
        r#"{"StringLike":{"sts:ExternalId":"*"}}"#,
        r#"{"StringLike":{"sts:ExternalId":"?*"}}"#,
        r#"{"StringEqualsIfExists":{"sts:ExternalId":"d51c8e07"}}"#,
        r#"{"ForAllValues:StringEquals":{"sts:ExternalId":"d51c8e07"}}"#,
        r#"{"StringNotEquals":{"sts:ExternalId":"d51c8e07"}}"#,
        r#"{"Null":{"sts:ExternalId":"false"}}"#,
        r#"{"Null":{"sts:ExternalId":"true"}}"#,
        r#"{"StringEquals":{"sts:ExternalId":"${aws:PrincipalTag/id}"}}"#,
        r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
        // It lets nobody of that account in at all.
        r#"{"StringEquals":{"sts:ExternalId":"d51c8e07","aws:PrincipalAccount":"222222222222"}}"#,
    ] {
        assert!(!asked(condition), "{condition}");
    }
}

fn trust_with(second: &str) -> String {
    let first = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{Z}:role/scanner"}},"Action":"sts:AssumeRole"}}"#
    );
    format!(r#"{{"Version":"2012-10-17","Statement":[{first},{second}]}}"#)
}

#[test]
fn a_deny_binds_where_it_also_meets_a_request_without_an_external_id() {
    let deny = |principal: &str, operator: &str| {
        trust_with(&format!(
            r#"{{"Effect":"Deny","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole","Condition":{{"{operator}":{{"sts:ExternalId":"d51c8e07"}}}}}}"#
        ))
    };
    assert!(bound(&deny("*", "StringNotEquals")));
    assert!(bound(&deny("*", "StringNotEqualsIfExists")));
    assert!(bound(&deny(&format!("arn:aws:iam::{Z}:root"), "StringNotEquals")));
    assert!(bound(&deny(&format!("arn:aws:iam::{Z}:role/scanner"), "StringNotEquals")));
    assert!(!bound(&deny("*", "StringEquals")));
    assert!(!bound(&deny(&format!("arn:aws:iam::{Z}:role/other"), "StringNotEquals")));
    assert!(!bound(&deny(&format!("arn:aws:iam::{B}:root"), "StringNotEquals")));
}

#[test]
fn a_second_statement_without_an_external_id_undoes_the_first() {
    let once = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{Z}"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"d51c8e07"}}}}}}"#
    );
    assert!(!bound(&trust_with(&once)));
    let everyone = once.replace(&format!(r#"{{"AWS":"{Z}"}}"#), "\"*\"");
    assert!(bound(&format!(r#"{{"Statement":[{once},{everyone}]}}"#)));
}

#[test]
fn a_bound_account_is_a_third_party_that_may_read_all() {
    let model = Input::new().role("log-analyzer", &trust(&[Z], ID)).role("open", &trust(&[X], "")).model();
    assert_eq!(model.class(account(Z)), INFERRED_PARTY);
    assert!(model.may_read(account(Z), account(B), "any-bucket"));
    assert!(!model.should_read(account(Z), account(B), "any-bucket"));
    assert_eq!(model.class(account(X)), Class::Undeclared);
    assert!(!model.may_read(account(X), account(X), "any-bucket"));
    assert_eq!(
        sentences(&model),
        ["999999999999 is taken for a third party that may read all logs: `log-analyzer` lets it in only with an \
          external ID"]
    );
}

#[test]
fn nobody_is_taken_for_a_third_party_where_the_members_are_listed() {
    let input = || Input::new().role("log-analyzer", &trust(&[Z], ID));
    let declared = input().config("[organization]\naccounts = [\"111111111111\"]\n").model();
    assert_eq!(declared.class(account(Z)), Class::Undeclared);
    let exported = input().export("o-exampleorgid", A, &[(A, "head office")]).model();
    assert_eq!(exported.class(account(Z)), Class::Undeclared);
    let named_only = input().config("[organization]\nid = \"o-exampleorgid\"\n").model();
    assert_eq!(named_only.class(account(Z)), INFERRED_PARTY);
}

#[test]
fn what_shows_a_member_goes_before_an_external_id() {
    let path = format!("AWSLogs/{Z}/*");
    let bucket = delivery("central-logs", &[&path], None, &[]);
    let model = Input::new().bucket("central-logs", &bucket).role("r", &trust(&[Z], ID)).model();
    assert_eq!(model.class(account(Z)), Class::Member);
}

#[test]
fn a_declared_third_party_says_itself_whether_it_needs_an_external_id() {
    let config = format!("[[third-party]]\naccount = \"{Z}\"\nlogs = [\"{B}\"]\nexternal-id-required = false\n");
    let model = Input::new().config(&config).role("log-analyzer", &trust(&[Z], ID)).model();
    assert_eq!(model.class(account(Z)), Class::ThirdParty { declared: true, external_id_required: false });
    assert!(model.may_read(account(Z), account(B), "any-bucket"));
    assert!(!model.may_read(account(Z), account(C), "any-bucket"));
}
