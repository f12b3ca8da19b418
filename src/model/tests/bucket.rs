use super::input::{delivery, read_statement, statements};
use super::*;
use crate::estate::{Document, Known, NamedBy};

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:222222222222:trail/t";
const TLS: &str = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::plain","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;

fn plain() -> String {
    statements(&[TLS.to_owned()])
}

fn status(input: &Input, index: usize) -> LogBucketStatus {
    input.model().is_log_bucket(&input.estate.buckets[index])
}

#[test]
fn a_log_bucket_is_declared_or_delivered_to_or_its_policy_says_so() {
    let reads = read_statement("\"222222222222\"", "arn:aws:s3:::b/x/AWSLogs/222222222222/*", "");
    let lists = r#"{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":"AWSLogs/222222222222/*"}}}"#;
    let cases = [
        (delivery("b", &["*"], None, &[]), LogBucketStatus::PolicyNamesLogs),
        (statements(&[reads]), LogBucketStatus::PolicyNamesLogs),
        (statements(&[lists.to_owned()]), LogBucketStatus::PolicyNamesLogs),
        (plain(), LogBucketStatus::Assumed),
    ];
    for (policy, expected) in cases {
        assert_eq!(status(&Input::new().bucket("a-bucket", &policy), 0), expected, "{policy}");
    }
    let declared = Input::new().bucket("a-bucket", &plain()).config("[[log-bucket]]\nname = \"a-bucket\"\n");
    assert_eq!(status(&declared, 0), LogBucketStatus::Declared);
    let delivered = Input::new().bucket("a-bucket", &plain()).trail(TRAIL, "a-bucket", "", false);
    assert_eq!(status(&delivered, 0), LogBucketStatus::TrailDelivers);
}

#[test]
fn any_loose_policy_counts_where_the_inputs_hold_no_log_bucket() {
    let alone = Input::new().bucket("one", &plain()).bucket("two", &plain());
    assert_eq!(status(&alone, 1), LogBucketStatus::Assumed);
    assert_eq!(alone.model().log_buckets().len(), 2);
    let beside = Input::new().bucket("one", &plain()).bucket("two", &delivery("two", &["AWSLogs/*"], None, &[]));
    assert_eq!(status(&beside, 0), LogBucketStatus::No);
    assert_eq!(beside.model().log_buckets().len(), 1);
}

#[test]
fn a_policy_out_of_a_snapshot_does_not_count_as_loose() {
    let mut input = Input::new().bucket("one", &plain());
    let text = format!("{{\"Policy\": {}}}", plain());
    let file = input.file("snapshot/111111111111/s3/one/policy.json", &text);
    let span = Span::new(file.source, 11, file.end - 1);
    input.estate.buckets[0].policy = Known::Present(Document::deferred(PolicyKind::Bucket, span), span);
    assert_eq!(status(&input, 0), LogBucketStatus::No);
}

#[test]
fn without_a_policy_nothing_is_known() {
    let mut input = Input::new().bucket("one", &plain());
    input.estate.buckets[0].policy = Known::not_collected("bucket.policy");
    assert_eq!(status(&input, 0), LogBucketStatus::NotKnown);
    let span = input.estate.buckets[0].span;
    input.estate.buckets[0].policy = Known::Absent(span);
    assert_eq!(status(&input, 0), LogBucketStatus::No);
}

#[test]
fn two_policies_for_one_bucket_are_read_both() {
    let policy = |account: &str| delivery("logs", &[&format!("AWSLogs/{account}/*")], None, &[]);
    let mut input = Input::new().bucket("logs", &policy(B));
    let older = input.document("older.json", &policy(C), PolicyKind::Bucket);
    let bucket = &mut input.estate.buckets[0];
    let newer = std::mem::replace(&mut bucket.policy, Known::not_collected("bucket.policy"));
    let gap = Gap::new("bucket.policy", "the inputs contradict each other");
    bucket.policy = Known::Unknown(gap.at([newer.span().unwrap(), older.span().unwrap()]));
    input.estate.documents = [newer, older].iter().map(|known| known.present().unwrap().clone()).collect();
    assert_eq!(status(&input, 0), LogBucketStatus::PolicyNamesLogs);
    assert_eq!(members(&input.model()), [B, C]);
}

#[test]
fn a_bucket_without_a_name_joins_neither_trail_nor_config() {
    let mut input = Input::new().bucket("policy", &plain()).config("[[log-bucket]]\nname = \"policy\"\n");
    input.estate.buckets[0].named_by = NamedBy::Nothing;
    let input = input.trail(TRAIL, "policy", "", false);
    assert_eq!(status(&input, 0), LogBucketStatus::Assumed);
    let model = input.model();
    let [declared, assumed] = model.log_buckets() else { panic!() };
    assert_eq!((declared.bucket, declared.trails.len()), (None, 1));
    assert_eq!((assumed.bucket, assumed.trails.len(), assumed.is_named), (Some(0), 0, false));
}

#[test]
fn a_bucket_that_only_a_trail_names_is_a_log_bucket() {
    let model = Input::new().trail(TRAIL, "far-away", "x", false).model();
    let [bucket] = model.log_buckets() else { panic!() };
    assert_eq!((bucket.name.as_str(), bucket.bucket, bucket.owner), ("far-away", None, None));
    assert_eq!(model.own_prefixes(account(C), "far-away"), ["x/AWSLogs/333333333333/"]);
}

#[test]
fn collected_trails_say_how_keys_begin_and_the_config_for_those_not_collected() {
    let arn = |name: &str| format!("arn:aws:cloudtrail:us-east-1:222222222222:trail/{name}");
    let prefixes = |trails: &str| {
        let config = format!(
            "[organization]\nid = \"o-exampleorgid\"\n[[log-bucket]]\nname = \"logs\"\nprefix = \"said\"\n\
             organization-trail = true\ntrails = [{trails}]\n"
        );
        let model = Input::new().config(&config).trail(&arn("one"), "logs", "seen", false).model();
        (model.own_prefixes(account(B), "logs"), model.contradictions().len())
    };
    let seen = "seen/AWSLogs/222222222222/".to_owned();
    assert_eq!(prefixes(&format!("\"{}\"", arn("one"))), (vec![seen.clone()], 2));
    let said = "said/AWSLogs/o-exampleorgid/222222222222/".to_owned();
    assert_eq!(prefixes(&format!("\"{}\", \"{}\"", arn("one"), arn("two"))), (vec![said, seen], 0));
}

#[test]
fn where_nothing_tells_the_layout_both_forms_may_be() {
    let text = "[organization]\nid = \"o-exampleorgid\"\n[[log-bucket]]\nname = \"logs\"\n";
    let both = ["AWSLogs/o-exampleorgid/222222222222/", "AWSLogs/222222222222/"];
    let model = Input::new().config(text).model();
    assert_eq!(model.own_prefixes(account(B), "logs"), both);
    assert_eq!(model.own_prefixes(account(B), "not-a-log-bucket"), both);
    let open = delivery("logs", &["AWSLogs/*"], None, &[]);
    let model = Input::new().config(text).bucket("logs", &open).model();
    assert_eq!(model.own_prefixes(account(B), "logs"), both);
    let unknown = Input::new().config("[[log-bucket]]\nname = \"logs\"\norganization-trail = true\n").model();
    assert_eq!(unknown.own_prefixes(account(B), "logs"), [""; 0]);
}
