//! A decision takes no memory: it is made some hundred thousand times for one estate.

use trailproof::access::evaluate::{Policies, Side};
use trailproof::access::kms::{KeyFacts, ObjectKey, decrypt_policies};
use trailproof::access::read::{Encryption, Read};
use trailproof::access::request::{Caller, Given, Request};
use trailproof::access::s3::Storage;
use trailproof::aws::AccountId;
use trailproof::estate::read_policy;
use trailproof::finding::Decision;
use trailproof::policy::condition::Tri;
use trailproof::policy::{Policy, PolicyKind};
use trailproof::syntax::json::Tape;
use trailproof::text::SourceId;
use trailproof::text::embedded::Place;

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/t";
const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn policy(kind: PolicyKind, statements: &str) -> Policy {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let place = Place::direct(SourceId::new(0), 0);
    read_policy(Tape::new().read(&text, &place).unwrap(), kind).unwrap()
}

#[test]
fn a_read_of_an_encrypted_log_is_decided_without_memory() {
    const ORGANIZATION: &str = r#"{"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}"#;
    let own = |n: usize| {
        format!(
            r#"{{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "kms:Decrypt"], "Condition": {ORGANIZATION},
            "Resource": ["arn:aws:s3:::central-logs/AWSLogs/{n:012}/*", "arn:aws:s3:::central-logs", "{KEY}"]}}"#
        )
    };
    let identity = policy(PolicyKind::Identity, &(1..=12).map(own).collect::<Vec<_>>().join(","));
    let bucket = format!(
        r#"{{"Effect": "Allow", "Principal": {{"Service": "cloudtrail.amazonaws.com"}}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::central-logs/AWSLogs/*", "Condition": {{"StringEquals": {{"aws:SourceArn": "{TRAIL}"}}}}}},
        {{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Condition": {ORGANIZATION},
            "Resource": "arn:aws:s3:::central-logs/AWSLogs/${{aws:PrincipalAccount}}/*"}},
        {{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::central-logs/*",
            "Condition": {{"Bool": {{"aws:SecureTransport": "false"}}}}}}"#
    );
    let key = format!(
        r#"{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::111111111111:root"}}, "Action": "kms:*", "Resource": "*"}},
        {{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": {ORGANIZATION}}}"#
    );
    let (bucket, key) = (policy(PolicyKind::Bucket, &bucket), policy(PolicyKind::Key, &key));
    let (identity, bucket, key) = ([&identity], [&bucket], [&key]);
    let storage = Storage { restrict_public_buckets: Tri::True, ..Storage::default() };
    let facts = KeyFacts::default();
    let (identity, resource) = (Side::Policies(&identity), Side::Policies(&bucket));
    let policies = Policies { identity, resource, storage: Some(&storage), ..Policies::default() };
    let of_key = decrypt_policies(&policies, Side::Policies(&key), &[], &facts);
    let owner = AccountId::parse("111111111111");
    for (account, logs, expected) in [
        ("111111111111", "000000000010", Decision::Allowed),
        ("000000000010", "000000000010", Decision::Allowed),
        ("000000000010", "000000000011", Decision::ImplicitDeny),
    ] {
        let caller = Caller::parse(&format!("arn:aws:sts::{account}:assumed-role/reader/s")).unwrap();
        let object = format!("arn:aws:s3:::central-logs/AWSLogs/{logs}/CloudTrail/us-east-1/2026/11/01/f.json.gz");
        let request = Request::new(caller, "s3:GetObject", &object, owner)
            .with("aws:PrincipalOrgID", "o-exampleorgid")
            .with("aws:SecureTransport", "true");
        let mut under = ObjectKey::new(KEY);
        under.trail = Given::Values(vec![TRAIL.into()]);
        let decrypt = under.decrypt(&request);
        let encryption = Encryption::Kms { request: &decrypt, policies: &of_key };
        let read = Read { request: &request, policies: &policies, encryption };
        // What is made once for the process is made here.
        assert_eq!(read.decide(), expected, "{account} {logs}");
        let taken = allocation_counter::measure(|| assert_eq!(read.decide(), expected));
        assert_eq!(taken.count_total, 0, "{account} {logs}: {} bytes", taken.bytes_total);
    }
}
