use super::*;
use crate::access::allowance::Allowance;
use crate::policy::pattern::{Case, matches};
use crate::policy::{PolicyKind, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

const OWN: &str = "o-exampleorgid";
const STRONG: &str = "3f9c1d7e-7a55-4d0e-9a53-0c2b6f1f8a21";

fn trust_of(version: &str, statements: &str) -> Policy {
    policy_of(version, statements, PolicyKind::Trust)
}

fn policy_of(version: &str, statements: &str, kind: PolicyKind) -> Policy {
    let text = format!(r#"{{"Version":"{version}","Statement":[{statements}]}}"#);
    let place = Place::direct(SourceId::new(0), 0);
    parse(Tape::new().read(&text, &place).unwrap(), kind)
}

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn ask(policy: &Policy, who: &str, membership: &Membership, id: ExternalId<'_>, fixed: &[(&str, Given)]) -> Answer {
    let trust = Trust {
        role: "arn:aws:iam::111111111111:role/RB",
        account: Some(account("111111111111")),
        policy,
        rcp: &[],
        scp: &[],
        organization: Some(OWN),
        allowance: &Allowance::endless(),
    };
    trust.admits(account(who), membership, "sts:AssumeRole", id, fixed)
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Yes(_) => "yes",
        Answer::If(_) => "if",
        Answer::No => "no",
        Answer::Undecided => "undecided",
    }
}

/// How the third party gets in: without an external ID, with one that nobody agreed on, with the strong one.
fn third_party(policy: &Policy) -> [&'static str; 3] {
    [ExternalId::Absent, ExternalId::Guessed, ExternalId::Exactly(STRONG)]
        .map(|id| word(&ask(policy, "999999999999", &Membership::Outside, id, &[])))
}

fn allow(condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::999999999999:root"}},"Action":"sts:AssumeRole","Condition":{condition}}}"#
    )
}

fn deny(condition: &str) -> String {
    allow(condition).replace("Allow", "Deny")
}

#[test]
fn each_way_to_ask_for_an_external_id_is_enforced_or_not() {
    let id = |operator: &str, value: &str| format!(r#"{{"{operator}":{{"sts:ExternalId":{value}}}}}"#);
    let strong = format!("\"{STRONG}\"");
    let rows: Vec<(String, [&str; 3])> = vec![
        (allow(&id("StringEquals", &strong)), ["no", "no", "yes"]),
        (allow(&id("StringEquals", &format!("[{strong},\"other-01\"]"))), ["no", "no", "yes"]),
        (allow(&id("StringEqualsIgnoreCase", &strong.to_uppercase())), ["no", "no", "yes"]),
        (allow(&id("StringLike", &strong)), ["no", "no", "yes"]),
        (allow(&id("StringLike", "\"3f9c*\"")), ["no", "no", "yes"]),
        (allow(&id("StringLike", "\"*-*\"")), ["no", "no", "yes"]),
        (allow(&id("StringLike", "\"t*\"")), ["no", "no", "no"]),
        (allow(&id("StringLike", "\"?*\"")), ["no", "yes", "yes"]),
        (allow(&id("StringLike", "\"????????\"")), ["no", "yes", "no"]),
        (allow(&id("StringLike", "\"*\"")), ["no", "yes", "yes"]),
        (allow(&id("StringLike", "\"**\"")), ["no", "yes", "yes"]),
        (allow(&id("StringEquals", "\"*\"")), ["no", "no", "no"]),
        (allow(&id("StringEqualsIfExists", &strong)), ["yes", "no", "yes"]),
        (allow(&id("StringLikeIfExists", &strong)), ["yes", "no", "yes"]),
        (allow(&id("ForAllValues:StringEquals", &strong)), ["yes", "no", "yes"]),
        (allow(&id("ForAnyValue:StringEquals", &strong)), ["no", "no", "yes"]),
        (allow(&id("StringNotEquals", "\"x\"")), ["yes", "yes", "yes"]),
        (allow(&id("StringNotLike", "\"x*\"")), ["yes", "yes", "yes"]),
        (allow(&id("Null", "\"false\"")), ["no", "yes", "yes"]),
        (allow(&id("Null", "\"true\"")), ["yes", "no", "no"]),
        (allow(&id("StringEquals", "\"${aws:PrincipalTag/x}\"")), ["no", "yes", "yes"]),
        (allow(&id("StringEquals", "\"tenant-${aws:PrincipalTag/x}\"")), ["no", "yes", "no"]),
        (allow(&id("StringEquals", "\"${aws:PrincipalAccount}\"")), ["no", "yes", "no"]),
        (allow(&id("StringLike", "\"${aws:userid}\"")), ["no", "yes", "if"]),
        (format!("{},{}", allow(&id("StringEquals", &strong)), allow("{}")), ["yes", "yes", "yes"]),
        (format!("{},{}", allow("{}"), deny(&id("StringNotEquals", &strong))), ["no", "no", "yes"]),
        (format!("{},{}", allow("{}"), deny(&id("StringNotEqualsIfExists", &strong))), ["no", "no", "yes"]),
        (format!("{},{}", allow("{}"), deny(&id("Null", "\"true\""))), ["no", "yes", "yes"]),
        (format!("{},{}", allow("{}"), deny(&id("StringEquals", &strong))), ["yes", "yes", "no"]),
        (
            format!("{},{}", allow("{}"), deny(&id("StringNotEquals", "\"${aws:PrincipalTag/x}\""))),
            ["no", "yes", "yes"],
        ),
        (allow(&format!(r#"{{"StringEquals":{{"STS:externalid":{strong}}}}}"#)), ["no", "no", "yes"]),
        (allow(&id("StringEquals", "\"\"")), ["no", "no", "no"]),
    ];
    for (statements, expected) in rows {
        assert_eq!(third_party(&trust_of("2012-10-17", &statements)), expected, "{statements}");
    }
    // No variable is involved, so the Version does not matter; where one is, it is plain text that nobody sends.
    let plain = allow(&id("StringEquals", &strong));
    assert_eq!(third_party(&trust_of("2008-10-17", &plain)), ["no", "no", "yes"]);
    let variable = allow(&id("StringEquals", "\"${aws:PrincipalTag/x}\""));
    assert_eq!(third_party(&trust_of("2008-10-17", &variable)), ["no", "no", "no"]);
}

#[test]
fn the_worked_cases_of_trust_policies_hold() {
    let b = Membership::In(OWN.into());
    let root = |who: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{who}:root"}},"Action":"sts:AssumeRole","Condition":{condition}}}"#
        )
    };
    let policy = |statements: &str| trust_of("2012-10-17", statements);
    let member = |statements: &str, fixed: &[(&str, Given)]| {
        word(&ask(&policy(statements), "222222222222", &b, ExternalId::Absent, fixed))
    };
    let mfa = |value: &str| [("aws:MultiFactorAuthPresent", Given::Values(vec![value.into()]))];
    let key = [("aws:MultiFactorAuthPresent", Given::Absent)];
    // Root B; a user of B by its ARN: both need an Allow at home, which B's administrators can give.
    assert_eq!(member(&root("222222222222", "{}"), &[]), "yes");
    let user = root("222222222222", "{}").replace(":root", ":user/b");
    assert_eq!(member(&user, &[]), "yes");
    assert_eq!(word(&ask(&policy(&user), "333333333333", &b, ExternalId::Absent, &[])), "no");
    let bool_mfa = root("222222222222", r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    assert_eq!((member(&bool_mfa, &key), member(&bool_mfa, &mfa("true"))), ("no", "yes"));
    let if_exists = root("222222222222", r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#);
    assert_eq!((member(&if_exists, &key), member(&if_exists, &mfa("false"))), ("yes", "no"));
    let stale = r#"{"Effect":"Allow","Principal":{"AWS":"AROAEXAMPLEEXAMPLE"},"Action":"sts:AssumeRole"}"#;
    assert_eq!(member(stale, &[]), "no");
    // An RCP of the role's account keeps outsiders out, whatever its trust policy says.
    let rcp = policy_of(
        "2012-10-17",
        r#"{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}}"#,
        PolicyKind::Rcp,
    );
    let both = policy(&format!("{},{}", root("222222222222", "{}"), root("999999999999", "{}")));
    let levels = [vec![&rcp]];
    let trust = Trust {
        role: "arn:aws:iam::111111111111:role/RB",
        account: Some(account("111111111111")),
        policy: &both,
        rcp: &levels,
        scp: &[],
        organization: Some(OWN),
        allowance: &Allowance::endless(),
    };
    let any =
        |who: &str, of: &Membership| word(&trust.admits(account(who), of, "sts:AssumeRole", ExternalId::Any, &[]));
    assert_eq!((any("222222222222", &b), any("999999999999", &Membership::Outside)), ("yes", "no"));
}

#[test]
fn organization_conditions_bind_only_as_they_are_written() {
    let outside = |condition: &str| {
        let statement = allow(condition);
        word(&ask(&trust_of("2012-10-17", &statement), "999999999999", &Membership::Outside, ExternalId::Any, &[]))
    };
    let path = |operator: &str| format!(r#"{{"{operator}":{{"aws:PrincipalOrgPaths":"o-exampleorgid/r-1/ou-1/*"}}}}"#);
    assert_eq!(outside(&path("ForAnyValue:StringLike")), "no");
    assert_eq!(outside(&path("ForAllValues:StringLike")), "yes");
    assert_eq!(outside(r#"{"StringLike":{"aws:PrincipalOrgID":"*"}}"#), "yes");
    assert_eq!(outside(r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#), "no");
    assert_eq!(outside(r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#), "yes");
}

#[test]
fn a_named_account_may_be_in_the_other_organization_that_the_policy_names() {
    let condition = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-vendororg1"}}"#;
    let policy = trust_of("2012-10-17", &allow(condition));
    let answer = ask(&policy, "999999999999", &Membership::Outside, ExternalId::Absent, &[]);
    let Answer::If(found) = &answer else { panic!("{answer:?}") };
    assert_eq!(found.explanation.depends_on, ["999999999999 being in organization o-vendororg1"]);
    assert_eq!(word(&ask(&policy, "888888888888", &Membership::Outside, ExternalId::Absent, &[])), "no");
}

#[test]
fn strangers_stand_for_everyone_and_for_each_pattern_of_accounts() {
    let policy = trust_of(
        "2012-10-17",
        r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::7777777777??:role/x","arn:aws:iam::*:role/y"]},"StringLike":{"aws:PrincipalAccount":["22*","222222222222"]}}}"#,
    );
    let statement = policy.allows().next().unwrap();
    let taken = [account("777777777799"), account("229999999999")];
    let found: Vec<(Option<String>, String)> = strangers(statement, &taken)
        .into_iter()
        .map(|(pattern, account)| (pattern.map(|p| p.to_string()), account.to_string()))
        .collect();
    let expected = [(None, "987654321098"), (Some("7777777777??"), "777777777788"), (Some("22*"), "228888888888")];
    assert_eq!(found, expected.map(|(pattern, account)| (pattern.map(str::to_owned), account.to_owned())));
}

#[test]
fn a_pattern_of_accounts_stands_for_one_that_nobody_names() {
    let text = r#"{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{
        "StringLike":{"aws:SourceAccount":["1111*","*","222222222222","${aws:ResourceAccount}"]},
        "ArnLike":{"aws:SourceArn":["arn:aws:states:*:????????????:*","arn:aws:states:*:3333?333*:*"]}}}"#;
    let policy = trust_of("2012-10-17", text);
    let values = policy.effective().flat_map(|s| &s.conditions).flat_map(|c| &c.values).map(|value| &value.template);
    let taken = [account("999999999999"), account("333393339999")];
    let found = accounts_like(values, &taken);
    let patterns: Vec<&str> = found.iter().map(|(pattern, _)| pattern.as_str()).collect();
    assert_eq!(patterns, ["1111*", "????????????", "3333?333*"]);
    for (pattern, account) in &found {
        assert!(!taken.contains(account), "{pattern}");
        assert!(matches(pattern, account.as_str(), Case::Sensitive));
    }
}
