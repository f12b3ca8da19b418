use super::*;
use crate::policy::{PolicyKind, parse};
use crate::syntax::json::Tape;
use crate::text::SourceId;
use crate::text::embedded::Place;

fn bucket(statements: &str) -> Policy {
    read(statements, PolicyKind::Bucket)
}

fn read(statements: &str, kind: PolicyKind) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let place = Place::direct(SourceId::new(0), 0);
    parse(Tape::new().read(&text, &place).unwrap(), kind)
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

const OWN: &str = "111111111111";
const OBJECT: &str = "arn:aws:s3:::b/AWSLogs/111111111111/x";
const TLS: &str = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;

fn write(condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/AWSLogs/111111111111/*","Condition":{condition}}},{TLS}"#
    )
}

fn foreign_write(policy: &Policy) -> Answer {
    let delivery = Delivery::through(policy, &policy.statements[0], "aws").unwrap();
    let is_ours = |id: AccountId| id == account(OWN);
    let sources = delivery.foreign_sources(account("987654321098"), &is_ours);
    let acl = CannedAcl::BucketOwnerFullControl;
    sources.iter().fold(Answer::No, |best, source| better(best, delivery.put(OBJECT, source, acl)))
}

fn own_write(policy: &Policy, acl: CannedAcl) -> Answer {
    let delivery = Delivery::through(policy, &policy.statements[0], "aws").unwrap();
    let sources = delivery.named_sources(account(OWN));
    sources.iter().fold(Answer::No, |best, source| better(best, delivery.put(OBJECT, source, acl)))
}

#[test]
fn a_condition_that_binds_keeps_every_foreign_trail_out_and_ours_in() {
    for condition in [
        r#"{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/org"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111111111111:trail/*"}}"#,
        r#"{"StringLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111111111111:*"}}"#,
        r#"{"StringEquals":{"AWS:sourceaccount":["111111111111","222222222222"]}}"#,
        r#"{"StringEqualsIfExists":{"aws:SourceAccount":"111111111111"}}"#,
        r#"{"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}"#,
        r#"{"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-exampleorgid/r-ab12/*"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:*:trail/*"},"StringEquals":{"aws:SourceAccount":"111111111111"}}"#,
    ] {
        let policy = bucket(&write(condition));
        assert_eq!(foreign_write(&policy), Answer::No, "{condition}");
        assert!(own_write(&policy, CannedAcl::BucketOwnerFullControl).is_yes(), "{condition}");
    }
}

#[test]
fn a_condition_that_does_not_bind_lets_a_foreign_trail_in() {
    for condition in [
        "{}",
        r#"{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}"#,
        r#"{"StringLike":{"aws:SourceArn":"*"}}"#,
        r#"{"StringLike":{"aws:SourceArn":"arn:aws:cloudtrail:*"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:*:trail/org-*"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:11111111111?:trail/*"}}"#,
        r#"{"StringLike":{"aws:SourceAccount":"1111*"}}"#,
        r#"{"StringLike":{"aws:SourceOrgID":"o-*"}}"#,
        r#"{"StringNotEquals":{"aws:SourceAccount":"333333333333"}}"#,
        r#"{"Null":{"aws:SourceArn":"false"}}"#,
        r#"{"StringEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}"#,
    ] {
        assert!(foreign_write(&bucket(&write(condition))).is_yes(), "{condition}");
    }
}

#[test]
fn a_deny_may_be_the_guard() {
    let deny = r#"{"Effect":"Deny","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceAccount":"111111111111"}}}"#;
    let policy = bucket(&format!("{},{deny}", write("{}")));
    assert_eq!(foreign_write(&policy), Answer::No);
}

#[test]
fn a_write_without_the_canned_acl_is_refused_only_where_it_is_asked_for() {
    for (condition, asked) in [
        (r#"{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}"#, true),
        (r#"{"StringEqualsIfExists":{"s3:x-amz-acl":"bucket-owner-full-control"}}"#, false),
        (r#"{"Null":{"s3:x-amz-acl":"false"}}"#, false),
        ("{}", false),
    ] {
        let policy = bucket(&write(condition));
        assert_eq!(own_write(&policy, CannedAcl::Other) == Answer::No, asked, "{condition}");
    }
}

#[test]
fn who_is_no_organization_principal_meets_no_condition_on_one() {
    let policy = bucket(&write(r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#));
    assert_eq!(foreign_write(&policy), Answer::No);
    assert_eq!(own_write(&policy, CannedAcl::BucketOwnerFullControl), Answer::No);
}

#[test]
fn only_statements_that_name_cloudtrail_are_its() {
    let through = |principal: &str| {
        let policy = bucket(&format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}}"#
        ));
        Delivery::through(&policy, &policy.statements[0], "aws").map(|delivery| delivery.is_of_service())
    };
    assert_eq!(through(r#"{"Service":["config.amazonaws.com","cloudtrail.amazonaws.com"]}"#), Some(true));
    assert_eq!(through(r#"{"AWS":"arn:aws:iam::086441151436:root"}"#), Some(false));
    assert_eq!(through(r#""*""#), None);
    assert_eq!(through(r#"{"Service":"config.amazonaws.com"}"#), None);
}

#[test]
fn the_two_guards_of_a_key_are_told_apart() {
    const ARN: &str = r#""aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/org""#;
    const CONTEXT: &str = r#""kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:111111111111:trail/*""#;
    let open = |condition: String| {
        let policy = read(
            &format!(
                r#"{{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},"Action":"kms:GenerateDataKey*","Resource":"*","Condition":{condition}}}"#
            ),
            PolicyKind::Key,
        );
        let delivery = Delivery::through(&policy, &policy.statements[0], "aws").unwrap();
        let is_ours = |id: AccountId| id == account(OWN);
        let foreign = delivery.foreign_sources(account("987654321098"), &is_ours);
        let key = "arn:aws:kms:us-east-1:111111111111:key/k";
        let by_source = foreign.iter().any(|source| {
            delivery.contexts(source).iter().any(|context| delivery.encrypt(key, source, context).is_yes())
        });
        let own = delivery.named_sources(account(OWN));
        let by_context =
            own.iter().any(|source| foreign.iter().any(|other| delivery.encrypt(key, source, &other.trail).is_yes()));
        (by_source, by_context)
    };
    assert_eq!(open(format!(r#"{{"StringEquals":{{{ARN}}},"StringLike":{{{CONTEXT}}}}}"#)), (false, false));
    assert_eq!(open(format!(r#"{{"StringLike":{{{CONTEXT}}}}}"#)), (true, false));
    assert_eq!(open(format!(r#"{{"StringEquals":{{{ARN}}}}}"#)), (false, true));
    assert_eq!(open("{}".to_owned()), (true, true));
    assert_eq!(
        open(format!(r#"{{"StringEquals":{{"aws:SourceAccount":"{OWN}"}},"StringLike":{{{CONTEXT}}}}}"#)),
        (false, false)
    );
}

#[test]
fn an_account_is_found_for_a_pattern_unless_all_are_ours() {
    let none = |_: AccountId| false;
    for pattern in ["*", "11111111111?", "1111*", "????????????", "1*1"] {
        let found = account_like(pattern, &none).unwrap();
        assert!(crate::policy::pattern::matches(pattern, found.as_str(), crate::policy::pattern::Case::Sensitive));
    }
    assert_eq!(account_like("111111111111", &|id| id == account(OWN)), None);
    assert_eq!(account_like("11111111111?", &|id| id == account(OWN)).unwrap().as_str().len(), 12);
    assert_eq!(account_like("x*", &none), None);
    assert_eq!(account_like("1234567890123", &none), None);
}
