use super::input::{delivery, trail_key};
use super::*;
use crate::estate::{BucketEncryption, Encryption, Known};

const PLAIN: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#;
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:222222222222:trail/t";

fn statuses(input: &Input) -> Vec<LogKeyStatus> {
    let model = input.model();
    input.estate.keys.iter().map(|key| model.is_log_key(key)).collect()
}

#[test]
fn a_key_policy_that_names_cloudtrail_or_its_context_is_of_a_log_key() {
    let decrypt = |condition: &str| {
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"kms:Decrypt","Resource":"*","Condition":{condition}}}]}}"#
        )
    };
    for policy in [
        trail_key(A, B),
        decrypt(r#"{"Null":{"kms:EncryptionContext:aws:cloudtrail:arn":"false"}}"#),
        decrypt(r#"{"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"aws:cloudtrail:arn"}}"#),
        decrypt(r#"{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:222222222222:trail/t"}}"#),
    ] {
        let input = Input::new().key("log", Some(A), &policy).key("other", Some(A), PLAIN);
        assert_eq!(statuses(&input), [LogKeyStatus::PolicyNamesCloudTrail, LogKeyStatus::No], "{policy}");
    }
    assert_eq!(statuses(&Input::new().key("other", Some(A), PLAIN)), [LogKeyStatus::Assumed]);
}

#[test]
fn a_trail_names_its_key_by_arn_id_or_alias() {
    for (reference, is_it) in [
        ("arn:aws:kms:us-east-1:111111111111:key/log", true),
        ("log", true),
        ("alias/logs", true),
        ("arn:aws:kms:us-east-1:111111111111:alias/logs", true),
        ("arn:aws:kms:us-east-1:222222222222:alias/logs", false),
        ("arn:aws:kms:eu-west-1:111111111111:alias/logs", false),
        ("arn:aws:kms:us-east-1:111111111111:key/other", false),
        ("alias/other", false),
    ] {
        let mut input = Input::new().key("log", Some(A), PLAIN).trail(TRAIL, "logs", "", false);
        let span = input.estate.trails[0].span;
        input.estate.trails[0].key = Known::Present(reference.into(), span);
        input.estate.keys[0].aliases = Known::Present(vec![Spanned::new("alias/logs".into(), span)], span);
        let expected = if is_it { LogKeyStatus::OfTrail } else { LogKeyStatus::Assumed };
        assert_eq!(statuses(&input), [expected], "{reference}");
    }
}

#[test]
fn the_default_key_of_a_log_bucket_is_a_log_key_and_its_account_owns_logs() {
    let mut input = Input::new().bucket("logs", &delivery("logs", &["AWSLogs/222222222222/*"], None, &[])).owned_by(A);
    let span = input.estate.buckets[0].span;
    let key = Spanned::new(format!("arn:aws:kms:us-east-1:{C}:key/log").into(), span);
    let encryption =
        BucketEncryption { algorithm: Encryption::Kms, algorithm_span: span, key: Some(key), bucket_key: false };
    input.estate.buckets[0].encryption = Known::Present(encryption, span);
    let input = input.key("log", Some(C), PLAIN);
    assert_eq!(statuses(&input), [LogKeyStatus::OfBucket]);
    let model = input.model();
    assert_eq!(model.class(account(C)), Class::Owner);
    assert_eq!((model.owner(), model.owners().count()), (Some(account(A)), 2));
}

#[test]
fn a_key_without_a_known_policy_is_neither_a_log_key_nor_not() {
    let mut input = Input::new().key("log", Some(A), PLAIN);
    input.estate.keys[0].policy = Known::not_collected("key.policy");
    assert_eq!(statuses(&input), [LogKeyStatus::NotKnown]);
}
