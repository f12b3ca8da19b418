use super::*;
use crate::policy::{PolicyKind, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

const GET: &str = r#""Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/AWSLogs/*""#;

fn policy(statements: &str, kind: PolicyKind) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let place = Place::direct(SourceId::new(0), 0);
    parse(Tape::new().read(&text, &place).unwrap(), kind)
}

fn guarded<'p>(policy: &'p Policy, arn: &'p str, allowance: &'p Allowance) -> Guarded<'p> {
    Guarded {
        policy,
        arn,
        account: AccountId::parse("111111111111"),
        organization: Some("o-exampleorgid"),
        stranger: AccountId::parse("987654321098").unwrap(),
        known: &[],
        management: None,
        rcp: &[],
        allowance,
    }
}

/// How an outsider gets through the first statement of a bucket policy: who, and whether for certain.
fn bucket(statements: &str) -> Option<(Outsider, bool)> {
    let policy = policy(statements, PolicyKind::Bucket);
    who(guarded(&policy, "arn:aws:s3:::b", &Allowance::endless()).passage(&policy.statements[0]))
}

fn key(statements: &str) -> Option<(Outsider, bool)> {
    let policy = policy(statements, PolicyKind::Key);
    who(guarded(&policy, "arn:aws:kms:us-east-1:111111111111:key/k", &Allowance::endless())
        .passage(&policy.statements[0]))
}

fn who(passage: Passage) -> Option<(Outsider, bool)> {
    match passage {
        Passage::Closed => None,
        Passage::Open(outsider, _) => Some((outsider, true)),
        Passage::OpenIf(outsider, _) => Some((outsider, false)),
        Passage::Undecided => panic!("undecided"),
    }
}

fn get(condition: &str) -> Option<(Outsider, bool)> {
    bucket(&format!(r#"{{{GET},"Condition":{condition}}}"#))
}

#[test]
fn what_binds_the_caller_lets_no_outsider_in() {
    for condition in [
        r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#,
        r#"{"StringEquals":{"aws:PrincipalOrgID":["o-exampleorgid","o-formerparent1"]}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":["222222222222","987654321098"]}}"#,
        r#"{"StringLike":{"aws:PrincipalAccount":"222222222222*"}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":"22222222222?"}}"#,
        r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-ab12/*"}}"#,
        r#"{"ForAnyValue:StringLikeIfExists":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/*"}}"#,
        r#"{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}"#,
        r#"{"StringLike":{"aws:userid":"AROAEXAMPLEID:*"}}"#,
        r#"{"StringEquals":{"s3:DataAccessPointAccount":"111111111111"}}"#,
        r#"{"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}"#,
        r#"{"StringLike":{"s3:prefix":"AWSLogs/*"}}"#,
    ] {
        assert_eq!(get(condition), None, "{condition}");
    }
}

#[test]
fn what_does_not_bind_lets_the_most_public_outsider_in() {
    use Outsider::{Anonymous, NoOrganization, OfPattern, OtherOrganization};
    for (condition, outsider) in [
        ("{}", Anonymous),
        (r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, Anonymous),
        (r#"{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"}}"#, Anonymous),
        (r#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, Anonymous),
        (r#"{"StringEquals":{"aws:ResourceOrgID":"o-exampleorgid"}}"#, Anonymous),
        (r#"{"StringLike":{"aws:PrincipalAccount":"*"}}"#, Anonymous),
        (r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, Anonymous),
        (r#"{"StringLike":{"aws:PrincipalOrgID":"o-*"}}"#, OtherOrganization),
        (r#"{"StringLike":{"aws:PrincipalOrgID":"o-example*"}}"#, OtherOrganization),
        (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-ab12/*"}}"#, OtherOrganization),
        (r#"{"Null":{"aws:PrincipalOrgID":"false"}}"#, OtherOrganization),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"audit"}}"#, NoOrganization),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/LogAccessRole"}}"#, NoOrganization),
        (r#"{"StringLike":{"aws:PrincipalArn":"*222222222222*"}}"#, NoOrganization),
        (r#"{"StringLike":{"aws:userid":"*:auditor"}}"#, NoOrganization),
        (r#"{"StringEquals":{"aws:PrincipalType":"Account"}}"#, NoOrganization),
        (r#"{"StringLike":{"aws:PrincipalAccount":"1*"}}"#, OfPattern),
        (r#"{"StringLike":{"aws:PrincipalAccount":["222222222222","33333333333?"]}}"#, OfPattern),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::2222*:role/*"}}"#, OfPattern),
    ] {
        assert_eq!(get(condition), Some((outsider, true)), "{condition}");
    }
}

#[test]
fn a_network_is_what_an_outsider_can_not_arrange() {
    assert_eq!(get(r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#), Some((Outsider::Anonymous, false)));
    assert_eq!(get(r#"{"StringEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}"#), Some((Outsider::Anonymous, false)));
}

#[test]
fn every_deny_of_the_policy_counts_and_no_other_allow() {
    let deny = |rest: &str| format!(r#"{{{GET}}},{{"Effect":"Deny","Principal":"*",{rest}}}"#);
    let everything = r#""Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]"#;
    let not_ours = r#""StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}"#;
    assert_eq!(bucket(&deny(&format!(r#"{everything},"Condition":{{{not_ours}}}"#))), None);
    let spares_unsigned =
        format!(r#"{everything},"Condition":{{{not_ours},"Bool":{{"aws:PrincipalIsAWSService":"false"}}}}"#);
    assert_eq!(bucket(&deny(&spares_unsigned)), Some((Outsider::Anonymous, true)));
    let other_action = format!(r#""Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{{{not_ours}}}"#);
    assert_eq!(bucket(&deny(&other_action)), Some((Outsider::Anonymous, true)));
    let one_folder =
        format!(r#""Action":"s3:*","Resource":"arn:aws:s3:::b/AWSLogs/222222222222/*","Condition":{{{not_ours}}}"#);
    assert_eq!(bucket(&deny(&one_folder)), Some((Outsider::Anonymous, true)));
    let open =
        format!(r#"{{{GET},"Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"o-exampleorgid"}}}}}},{{{GET}}}"#);
    assert_eq!(bucket(&open), None);
}

#[test]
fn each_action_of_a_statement_is_asked_about_where_a_deny_tells_them_apart() {
    let statements = r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]},
        {"Effect":"Deny","Principal":"*","NotAction":"s3:GetBucketTagging","Resource":"*"}"#;
    let policy = policy(statements, PolicyKind::Bucket);
    let passage = guarded(&policy, "arn:aws:s3:::b", &Allowance::endless()).passage(&policy.statements[0]);
    let Passage::Open(_, found) = passage else { panic!("{passage:?}") };
    assert_eq!((&*found.witness.action, &*found.witness.resource), ("s3:GetBucketTagging", "arn:aws:s3:::b"));
}

#[test]
fn a_statement_about_another_bucket_opens_nothing() {
    assert_eq!(bucket(&format!("{{{}}}", GET.replace(":b/", ":c/"))), None);
    assert!(bucket(&format!("{{{}}}", GET.replace("arn:aws:s3:::b/AWSLogs/*", "*"))).is_some());
    assert!(bucket(&format!("{{{}}}", GET.replace("arn:aws:s3:::b/", "arn:aws:s3:::?/"))).is_some());
}

#[test]
fn a_key_is_open_to_accounts_and_never_to_unsigned_callers() {
    let decrypt = |condition: &str| {
        key(&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{condition}}}"#
        ))
    };
    for condition in [
        "{}",
        r#"{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:111111111111:trail/*"}}"#,
        r#"{"Null":{"kms:EncryptionContext:aws:cloudtrail:arn":"false"}}"#,
        r#"{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}"#,
        r#"{"StringLike":{"kms:CallerAccount":"*"}}"#,
        r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#,
    ] {
        assert_eq!(decrypt(condition), Some((Outsider::NoOrganization, true)), "{condition}");
    }
    for condition in [
        r#"{"StringEquals":{"kms:CallerAccount":"111111111111"}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":"222222222222"}}"#,
        r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#,
    ] {
        assert_eq!(decrypt(condition), None, "{condition}");
    }
    let administer = r#"{"Effect":"Allow","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*"}"#;
    assert_eq!(key(administer), None, "no other account can use that action");
}

#[test]
fn callers_of_one_organization_are_asked_about_by_its_id() {
    let statement = format!(r#"{{{GET},"Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"o-formerparent1"}}}}}}"#);
    let policy = policy(&statement, PolicyKind::Bucket);
    let allowance = Allowance::endless();
    let guarded = guarded(&policy, "arn:aws:s3:::b", &allowance);
    assert_eq!(guarded.passage(&policy.statements[0]), Passage::Closed);
    assert!(matches!(guarded.passage_from("o-formerparent1", &policy.statements[0]), Passage::Open(..)));
    assert_eq!(guarded.passage_from("o-another0000", &policy.statements[0]), Passage::Closed);
}

#[test]
fn an_owner_that_is_not_known_is_still_another_than_the_outsider() {
    for (condition, is_open) in [
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#, false),
        (r#"{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}"#, false),
        (r#"{"StringEquals":{"aws:ResourceAccount":"111111111111"}}"#, true),
    ] {
        let policy = policy(&format!(r#"{{{GET},"Condition":{condition}}}"#), PolicyKind::Bucket);
        let allowance = Allowance::endless();
        let guarded = Guarded { account: None, organization: None, ..guarded(&policy, "arn:aws:s3:::b", &allowance) };
        let passage = guarded.passage(&policy.statements[0]);
        assert_eq!(matches!(passage, Passage::Open(..)), is_open, "{condition}: {passage:?}");
    }
}
