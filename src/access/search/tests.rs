use super::*;
use crate::finding::Decision;
use crate::policy::{PolicyKind, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

fn trust(statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let place = Place::direct(SourceId::new(0), 0);
    parse(Tape::new().read(&text, &place).unwrap(), PolicyKind::Trust)
}

fn ask(statements: &str, account: &str, fixed: &[(&str, Given)]) -> Answer {
    let policy = trust(statements);
    let policies = [&policy];
    let account = AccountId::parse(account).unwrap();
    let question = Question {
        callers: principals_of(account, policies),
        action: "sts:AssumeRole",
        resource: "arn:aws:iam::111111111111:role/r".into(),
        resource_account: AccountId::parse("111111111111"),
        policies: Policies {
            identity: Side::Granted("administrators of the account can grant this"),
            resource: Side::Policies(&policies),
            ..Policies::default()
        },
        fixed: fixed.iter().map(|(k, g)| ((*k).into(), g.clone())).collect(),
    };
    question.ask(&Allowance::endless())
}

const ROOT: &str = r#"{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole""#;

#[test]
fn what_a_caller_can_arrange_is_arranged() {
    for condition in [
        r#"{"StringLike":{"sts:RoleSessionName":"audit-*"}}"#,
        r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}"#,
        r#"{"StringEquals":{"aws:PrincipalTag/team":"x","aws:PrincipalAccount":"222222222222"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Log*"}}"#,
        r#"{"StringEquals":{"sts:ExternalId":"abc"}}"#,
        r#"{"StringEquals":{"aws:username":"alice"}}"#,
        r#"{"StringLike":{"aws:username":"alice-?*"}}"#,
        r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#,
    ] {
        let answer = ask(&format!(r#"{ROOT},"Condition":{condition}}}"#), "222222222222", &[]);
        assert!(answer.is_yes(), "{condition}: {answer:?}");
    }
}

#[test]
fn whether_a_lone_star_takes_in_every_arn_is_not_known() {
    for (operator, value, expected) in [("ArnLike", "*", true), ("ArnEquals", "*", true), ("ArnLike", "arn:*", false)] {
        let condition = format!(r#"{{"{operator}":{{"aws:PrincipalArn":"{value}"}}}}"#);
        let answer = ask(&format!(r#"{ROOT},"Condition":{condition}}}"#), "222222222222", &[]);
        let is_open = matches!(&answer, Answer::If(f) if f.explanation.depends_on == ["aws:PrincipalArn"]);
        assert_eq!(is_open, expected, "{condition}: {answer:?}");
    }
    let deny =
        r#"{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"*"}}}"#;
    let answer = ask(&format!("{ROOT}}},{deny}"), "222222222222", &[]);
    assert!(matches!(answer, Answer::If(_)), "{answer:?}");
}

#[test]
fn what_it_can_not_arrange_is_a_condition_or_a_no() {
    let network = format!(r#"{ROOT},"Condition":{{"IpAddress":{{"aws:SourceIp":"203.0.113.0/24"}}}}}}"#);
    let answer = ask(&network, "222222222222", &[]);
    assert!(matches!(&answer, Answer::If(f) if f.explanation.depends_on == ["aws:SourceIp"]), "{answer:?}");
    assert_eq!(ask(&format!("{ROOT}}}"), "333333333333", &[]), Answer::No);
    let other =
        format!(r#"{ROOT},"Condition":{{"ArnEquals":{{"aws:PrincipalArn":"arn:aws:iam::333333333333:role/x"}}}}}}"#);
    assert_eq!(ask(&other, "222222222222", &[]), Answer::No);
}

#[test]
fn a_deny_is_dodged_where_its_keys_can_be_chosen() {
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{"StringNotEquals":{"sts:ExternalId":"abc"}}}"#;
    let both = format!("{ROOT}}},{deny}");
    assert!(ask(&both, "222222222222", &[]).is_yes());
    assert_eq!(ask(&both, "222222222222", &[("sts:ExternalId", Given::Absent)]), Answer::No);
}

#[test]
fn the_witness_is_what_the_evaluator_allowed() {
    let answer =
        ask(&format!(r#"{ROOT},"Condition":{{"StringEquals":{{"sts:ExternalId":"abc"}}}}}}"#), "222222222222", &[]);
    let found = answer.found().unwrap();
    assert_eq!(found.witness.context["sts:ExternalId"], ["abc"]);
    assert_eq!(found.witness.decision, Decision::Allowed);
    assert_eq!(found.explanation.steps.len(), 2);
}

#[test]
fn a_source_pattern_that_leaves_the_account_open_lets_a_foreign_resource_in() {
    let ask = |condition: &str| {
        let policy = trust(&format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"states.amazonaws.com"}},"Action":"sts:AssumeRole","Condition":{condition}}}"#
        ));
        let policies = [&policy];
        let question = Question {
            callers: vec![Caller::Service("states.amazonaws.com".into())],
            action: "sts:AssumeRole",
            resource: "arn:aws:iam::111111111111:role/r".into(),
            resource_account: AccountId::parse("111111111111"),
            policies: Policies { resource: Side::Policies(&policies), ..Policies::default() },
            fixed: vec![("aws:SourceAccount".into(), Given::Values(vec!["999999999999".into()]))],
        };
        question.ask(&Allowance::endless())
    };
    for open in [
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:states:*:*:stateMachine:*"}}"#,
        r#"{"StringLike":{"aws:SourceArn":"arn:aws:states:*"}}"#,
        r#"{"StringLike":{"aws:SourceArn":"arn:aws:st*"}}"#,
        r#"{"StringLike":{"aws:SourceArn":"*"}}"#,
        r#"{"Null":{"aws:SourceArn":"false"}}"#,
    ] {
        assert!(ask(open).is_yes(), "{open}");
    }
    for bound in [
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:states:*:111111111111:stateMachine:*"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:states:*"}}"#,
        r#"{"StringEquals":{"aws:SourceAccount":"111111111111"}}"#,
    ] {
        assert_eq!(ask(bound), Answer::No, "{bound}");
    }
}
