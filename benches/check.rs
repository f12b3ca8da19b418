//! The offline audit, part by part, beside reading the same bytes with serde_json.
//!
//! `cargo bench --bench check`; the inputs are made in a temporary folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that panics has nothing to measure"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trailproof::access::evaluate::{Policies, Side, decide};
use trailproof::access::kms::{KeyFacts, ObjectKey, decrypt_policies};
use trailproof::access::read::{Encryption, Read};
use trailproof::access::request::{Caller, Given, Request};
use trailproof::access::s3::Storage;
use trailproof::audit::Audit;
use trailproof::aws::AccountId;
use trailproof::collect::{Collected, Options, collect};
use trailproof::estate::read_policy;
use trailproof::finding::Decision;
use trailproof::model::Model;
use trailproof::policy::PolicyKind;
use trailproof::policy::condition::Tri;
use trailproof::rule::Selection;
use trailproof::rules::RULES;
use trailproof::syntax::json::Tape;
use trailproof::text::SourceId;
use trailproof::text::embedded::Place;

/// The allocator of the command, for the yardstick too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A policy of about 2.4 KB; one in ten has one flaw.
///
/// Sound ones are permissions of a role. The flaws take turns: a variable in a policy of the old version, a key that stands
/// twice, a trust policy that lets a third party in from its networks and asks for no external ID.
fn policy_file(number: usize) -> (String, String) {
    let flaw = number.is_multiple_of(10).then_some(number / 10 % 3);
    let (kind, text) = match flaw {
        Some(2) => ("trust", trust_without_external_id(number)),
        Some(1) => ("access", access("2012-10-17", "\"Sid\": \"Again\",\n      ", "")),
        Some(_) => ("access", access("2008-10-17", "", "${aws:PrincipalAccount}")),
        None => ("access", access("2012-10-17", "", "")),
    };
    (format!("roles/role-{number:05}-{kind}.json"), text)
}

fn access(version: &str, extra: &str, variable: &str) -> String {
    let mut text = format!("{{\n  \"Version\": \"{version}\",\n  \"Statement\": [\n");
    for statement in 0.. {
        let (comma, extra) = if statement == 0 { ("", extra) } else { (",\n", "") };
        let account = match (statement, variable) {
            (0, variable) if !variable.is_empty() => variable.to_owned(),
            _ => (222_222_222_222_u64 + statement).to_string(),
        };
        let _ = write!(
            text,
            "{comma}    {{\n      \"Sid\": \"S{statement}\",\n      {extra}\"Effect\": \"Allow\",\n      \"Action\": [\"s3:GetObject\", \
             \"s3:ListBucket\"],\n      \"Resource\": [\"arn:aws:s3:::central-logs/AWSLogs/{account}/*\", \
             \"arn:aws:s3:::central-logs\"],\n      \"Condition\": {{\"StringEquals\": {{\"aws:PrincipalOrgID\": \
             \"o-exampleorgid\"}}}}\n    }}"
        );
        if text.len() >= 2_300 {
            break;
        }
    }
    text + "\n  ]\n}\n"
}

fn trust_without_external_id(number: usize) -> String {
    let networks: Vec<String> =
        (0..62).map(|n| format!("\n            \"203.0.{}.0/24\"", (number + n) % 256)).collect();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {{\n      \"Effect\": \"Allow\",\n      \"Principal\": \
         {{\"AWS\": \"arn:aws:iam::{:012}:root\"}},\n      \"Action\": \"sts:AssumeRole\",\n      \"Condition\": {{\n        \
         \"IpAddress\": {{\n          \"aws:SourceIp\": [{}\n          ]\n        }}\n      }}\n    }}\n  ]\n}}\n",
        900_000_000_000_u64 + number as u64,
        networks.join(",")
    )
}

/// A trust policy for eleven third parties, one of which need not show an external ID.
fn many_third_parties(number: usize) -> String {
    let statement = |party: usize| {
        let condition = match party {
            0 => format!("{{\"aws:PrincipalTag/team\": \"t{number}\"}}"),
            _ => format!("{{\"sts:ExternalId\": \"71f3c5d0-9e2b-48a6-a04d-{number:06}{party:06}\"}}"),
        };
        format!(
            "{{\"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"arn:aws:iam::{}:root\"}}, \"Action\": \"sts:AssumeRole\", \
             \"Condition\": {{\"StringEquals\": {condition}}}}}",
            900_000_000_000 + number * 11 + party
        )
    };
    let statements: Vec<String> = (0..11).map(statement).collect();
    format!("{{\"Version\": \"2012-10-17\", \"Statement\": [\n  {}\n]}}\n", statements.join(",\n  "))
}

fn policy_folder(count: usize) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("roles")).expect("a folder");
    let mut texts = Vec::new();
    for number in 0..count {
        let (name, text) = policy_file(number);
        std::fs::write(folder.path().join(name), &text).expect("a file");
        texts.push(text);
    }
    (folder, texts)
}

/// An account-authorization-details export of so many roles, about 7 KB each.
fn export(roles: usize) -> String {
    let mut out = String::from(
        "{\n  \"UserDetailList\": [], \"GroupDetailList\": [], \"Policies\": [],\n  \"RoleDetailList\": [\n",
    );
    for number in 0..roles {
        let principal = match number % 20 {
            0 => format!("{{\"AWS\": \"arn:aws:iam::{:012}:root\"}}", 222_222_222_222_u64 + (number % 7) as u64),
            _ => "{\"Service\": \"lambda.amazonaws.com\"}".to_owned(),
        };
        let mut policies = String::new();
        for policy in 0..2 {
            let mut statements = String::new();
            for statement in 0..7 {
                let comma = if statement == 0 { "" } else { ", " };
                let _ = write!(
                    statements,
                    "{comma}{{\n            \"Sid\": \"S{statement}\", \"Effect\": \"Allow\",\n            \"Action\": \
                     [\"ec2:DescribeInstances\", \"logs:PutLogEvents\", \"sqs:SendMessage\"],\n            \"Resource\": \
                     [\"arn:aws:sqs:us-east-1:111111111111:q-{number}-{policy}-{statement}\", \
                     \"arn:aws:logs:us-east-1:111111111111:log-group:/app/{number}:*\"],\n            \"Condition\": \
                     {{\"StringEquals\": {{\"aws:RequestedRegion\": [\"us-east-1\", \"eu-west-1\"]}}}}\n          }}"
                );
            }
            let comma = if policy == 0 { "" } else { ", " };
            let _ = write!(
                policies,
                "{comma}{{\"PolicyName\": \"p{policy}\", \"PolicyDocument\": {{\"Version\": \"2012-10-17\", \"Statement\": [{statements}]}}}}"
            );
        }
        let comma = if number + 1 == roles { "" } else { "," };
        let _ = writeln!(
            out,
            "    {{\n      \"Path\": \"/\", \"RoleName\": \"app-{number:06}\", \"RoleId\": \"AROAEXAMPLE{number:08}\",\n      \
             \"Arn\": \"arn:aws:iam::111111111111:role/app-{number:06}\", \"CreateDate\": \"2024-01-01T00:00:00+00:00\",\n      \
             \"AssumeRolePolicyDocument\": {{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": \
             {principal}, \"Action\": \"sts:AssumeRole\"}}]}},\n      \"InstanceProfileList\": [], \"RolePolicyList\": \
             [{policies}],\n      \"AttachedManagedPolicies\": [], \"Tags\": [{{\"Key\": \"team\", \"Value\": \"t{}\"}}]\n    }}{comma}",
            number % 50
        );
    }
    out.push_str("  ]\n}\n");
    out
}

fn read(folder: &Path, path: &str, jobs: usize) -> Collected {
    let options = Options { jobs, cwd: folder.to_path_buf(), ..Options::default() };
    collect(&[PathBuf::from(path)], &mut std::io::empty(), &options).expect("the inputs can be read")
}

/// As the command does it: what was made is left to the end of the process, and not freed.
fn audit(collected: &Collected) -> Duration {
    let start = Instant::now();
    let model = Model::new(&collected.estate, None, None);
    let selection = Selection::new(&RULES, &["all".to_owned()], &[]).expect("every rule");
    let today = time::Date::from_ordinal_date(2026, 1).expect("a day");
    let (estate, files) = (&collected.estate, collected.files);
    let report = black_box(Audit { estate, model: &model, config: None, selection: &selection, today, files }.run());
    let taken = start.elapsed();
    drop(report);
    taken
}

/// The time that `make` takes, and not what it takes to free what it made.
fn making<T>(make: impl Fn() -> T) -> impl Fn(u64) -> Duration {
    move |times| {
        let one = |_| {
            let start = Instant::now();
            let made = black_box(make());
            let taken = start.elapsed();
            drop(made);
            taken
        };
        (0..times).map(one).sum()
    }
}

fn in_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(run)
}

fn many_files(c: &mut Criterion) {
    let (folder, texts) = policy_folder(10_000);
    let mut group = c.benchmark_group("10,000 policies");
    group.sample_size(10).throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
    let value = |text: &String| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    group.bench_function("serde_json to Value, one at a time", |b| {
        b.iter(|| texts.iter().filter(|text| value(text).is_object()).count());
    });
    // As an audit keeps its policies until the last is read.
    group.bench_function("serde_json to Value, all kept", |b| {
        b.iter_custom(making(|| texts.iter().map(value).collect::<Vec<_>>()));
    });
    group.bench_function("walk and read only", |b| {
        b.iter(|| {
            let names = std::fs::read_dir(folder.path().join("roles")).expect("the folder");
            names.map(|name| std::fs::read(name.expect("a name").path()).expect("a file").len()).sum::<usize>()
        });
    });
    for threads in [1, 2] {
        group.bench_function(BenchmarkId::new("walk, read and parse", threads), |b| {
            b.iter_custom(making(|| in_threads(threads, || read(folder.path(), "roles", threads))));
        });
        let collected = read(folder.path(), "roles", threads);
        group.bench_function(BenchmarkId::new("model and all rules", threads), |b| {
            b.iter_custom(|times| in_threads(threads, || (0..times).map(|_| audit(&collected)).sum()));
        });
    }
    group.finish();
}

fn many_admissions(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("roles")).expect("a folder");
    for number in 0..1_000 {
        let name = format!("roles/role-{number:04}-trust.json");
        std::fs::write(folder.path().join(name), many_third_parties(number)).expect("a file");
    }
    let collected = read(folder.path(), "roles", 1);
    let mut group = c.benchmark_group("1,000 roles for eleven third parties each");
    group.sample_size(10);
    group.bench_function("model and all rules", |b| {
        b.iter_custom(|times| in_threads(1, || (0..times).map(|_| audit(&collected)).sum()));
    });
    group.finish();
}

/// Statements of bucket policies that leave much open, each near the limit of 20 KB.
fn hard() -> [(&'static str, Vec<String>); 4] {
    let statement =
        |effect: &str, rest: String| format!(r#"{{"Effect":"{effect}","Principal":"*","Action":"s3:*",{rest}}}"#);
    let whole = r#""Resource":["arn:aws:s3:::central-logs","arn:aws:s3:::central-logs/*"]"#;
    let tag = |number: usize, value: &str| format!(r#""aws:PrincipalTag/t{}":"{value}""#, number % 30);
    let after_all = |denies: Vec<String>| [vec![statement("Allow", whole.to_owned())], denies].concat();
    let tags = (0..80).map(|n| {
        let three = [tag(n, "a"), tag(n * 7 + 3, "b"), tag(n * 11 + 8, "c")].join(",");
        statement("Deny", format!(r#"{whole},"Condition":{{"StringNotEquals":{{{three}}}}}"#))
    });
    let stars = (0..16).map(|n| {
        let text = |place: usize| format!("{}*", char::from(b'a' + ((n * 5 + place * 7) % 26) as u8));
        let pattern = |shift: usize| {
            format!(r#""arn:aws:s3:::central-logs/{}""#, (0..14).map(|p| text(p + shift)).collect::<String>())
        };
        statement("Deny", format!(r#""NotResource":[{}]"#, (0..20).map(pattern).collect::<Vec<_>>().join(",")))
    });
    let ranges = (0..70).map(|n| {
        let number = format!(r#""NumericLessThan":{{"s3:max-keys":"{}"}}"#, n * 13 + 1);
        let all = format!(r#""ForAllValues:StringLike":{{"aws:TagKeys":["a*b*c{n}*","*d*{n}"]}}"#);
        statement("Deny", format!(r#"{whole},"Condition":{{{number},{all},"StringLike":{{{}}}}}"#, tag(n, "*x*y*")))
    });
    let variables = (0..70).map(|n| {
        let value = format!("${{aws:PrincipalTag/t{}}}*", (n * 7 + 3) % 30);
        let resource = format!(r#""Resource":"arn:aws:s3:::central-logs/*${{aws:PrincipalTag/t{}}}*""#, n % 30);
        statement("Deny", format!(r#"{resource},"Condition":{{"StringLike":{{{}}}}}"#, tag(n, &value)))
    });
    [
        ("80 Deny statements over 30 tags", after_all(tags.collect())),
        ("stars in NotResource", after_all(stars.collect())),
        ("ranges and sets", after_all(ranges.collect())),
        ("variables in patterns", after_all(variables.collect())),
    ]
}

fn hard_policies(c: &mut Criterion) {
    let mut group = c.benchmark_group("all rules on a bucket policy made to be hard");
    group.sample_size(10);
    for (name, statements) in hard() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        std::fs::write(folder.path().join("central-logs-policy.json"), text).expect("a file");
        let collected = read(folder.path(), ".", 1);
        group.bench_function(name, |b| {
            b.iter_custom(|times| in_threads(1, || (0..times).map(|_| audit(&collected)).sum()));
        });
    }
    group.finish();
}

fn large_export(c: &mut Criterion) {
    let mut group = c.benchmark_group("account-authorization-details");
    group.sample_size(10);
    for roles in [5_000, 10_000, 20_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = export(roles);
        std::fs::write(folder.path().join("export.json"), &text).expect("a file");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("serde_json to Value", roles), |b| {
            b.iter(|| serde_json::from_str::<serde_json::Value>(&text).is_ok());
        });
        group.bench_function(BenchmarkId::new("read, model and all rules", roles), |b| {
            b.iter_custom(making(|| {
                in_threads(1, || {
                    let collected = read(folder.path(), "export.json", 1);
                    audit(&collected);
                    collected
                })
            }));
        });
    }
    group.finish();
}

fn one_request(c: &mut Criterion) {
    let statement = |n: usize| {
        format!(
            r#"{{"Sid":"S{n}","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::central-logs/AWSLogs/{n:012}/*"],
            "Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"o-exampleorgid"}}}}}}"#
        )
    };
    let statements: Vec<String> = (1..=20).map(statement).collect();
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let place = Place::direct(SourceId::new(0), 0);
    let mut tape = Tape::new();
    let policy = read_policy(tape.read(&text, &place).expect("JSON"), PolicyKind::Identity).expect("a policy");
    let caller = Caller::parse("arn:aws:sts::111111111111:assumed-role/reader/s").expect("a caller");
    let key = "arn:aws:s3:::central-logs/AWSLogs/000000000020/CloudTrail/us-east-1/2026/11/01/f.json.gz";
    let request = Request::new(caller, "s3:GetObject", key, None).with("aws:PrincipalOrgID", "o-exampleorgid");
    let list = [&policy];
    let policies = Policies { identity: Side::Policies(&list), ..Policies::default() };
    c.bench_function("one request, 20 statements", |b| b.iter(|| decide(black_box(&request), black_box(&policies))));
}

/// A session of a role reads a log file under a KMS key: identity, bucket and key policy have 20 statements together.
fn whole_read(c: &mut Criterion) {
    let identity: Vec<String> = (1..=10)
        .map(|n| {
            format!(
                r#"{{"Sid":"S{n}","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","kms:Decrypt"],
                "Resource":["arn:aws:s3:::central-logs/AWSLogs/{n:012}/*","arn:aws:s3:::central-logs",
                "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
                "Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"o-exampleorgid"}}}}}}"#
            )
        })
        .collect();
    const BUCKET: &str = r#"
        {"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::central-logs","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t"}}},
        {"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::central-logs/AWSLogs/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t"}}},
        {"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::central-logs/AWSLogs/${aws:PrincipalAccount}/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}},
        {"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::central-logs","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"StringLike":{"s3:prefix":"AWSLogs/${aws:PrincipalAccount}/*"}}},
        {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::central-logs","arn:aws:s3:::central-logs/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
        {"Effect":"Deny","Principal":"*","Action":["s3:DeleteObject","s3:DeleteObjectVersion"],"Resource":"arn:aws:s3:::central-logs/*"}"#;
    const KEY: &str = r#"
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"},
        {"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:GenerateDataKey*","Resource":"*","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/t"}}},
        {"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:DescribeKey","Resource":"*"},
        {"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Decrypt","kms:ReEncryptFrom"],"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"Null":{"kms:EncryptionContext:aws:cloudtrail:arn":"false"}}}"#;
    let texts = [
        (identity.join(","), PolicyKind::Identity),
        (BUCKET.into(), PolicyKind::Bucket),
        (KEY.into(), PolicyKind::Key),
    ];
    let place = Place::direct(SourceId::new(0), 0);
    let [identity, bucket, key] = texts.map(|(statements, kind)| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let mut tape = Tape::new();
        read_policy(tape.read(&text, &place).expect("JSON"), kind).expect("a policy")
    });
    let (identity, bucket, key) = ([&identity], [&bucket], [&key]);
    let storage = Storage { restrict_public_buckets: Tri::True, ..Storage::default() };
    let facts = KeyFacts::default();
    let policies = Policies {
        identity: Side::Policies(&identity),
        resource: Side::Policies(&bucket),
        storage: Some(&storage),
        ..Policies::default()
    };
    let of_key = decrypt_policies(&policies, Side::Policies(&key), &[], &facts);
    let owner = AccountId::parse("111111111111");
    let mut group = c.benchmark_group("one whole read, 20 statements");
    for (name, caller, account) in [
        ("role of the owner", "arn:aws:sts::111111111111:assumed-role/reader/s", "000000000010"),
        ("role of a member", "arn:aws:sts::000000000010:assumed-role/reader/s", "000000000010"),
        ("role of a member, denied", "arn:aws:sts::000000000010:assumed-role/reader/s", "000000000011"),
    ] {
        let object = format!("arn:aws:s3:::central-logs/AWSLogs/{account}/CloudTrail/us-east-1/2026/11/01/f.json.gz");
        let request = Request::new(Caller::parse(caller).expect("a caller"), "s3:GetObject", &object, owner)
            .with("aws:PrincipalOrgID", "o-exampleorgid")
            .with("aws:SecureTransport", "true");
        let mut under = ObjectKey::new("arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab");
        under.trail = Given::Values(vec!["arn:aws:cloudtrail:us-east-1:111111111111:trail/t".into()]);
        let decrypt = under.decrypt(&request);
        let encryption = Encryption::Kms { request: &decrypt, policies: &of_key };
        let read = Read { request: &request, policies: &policies, encryption };
        let expected = if name.ends_with("denied") { Decision::ImplicitDeny } else { Decision::Allowed };
        assert_eq!(read.decide(), expected, "{name}");
        group.bench_function(name, |b| b.iter(|| black_box(&read).decide()));
        if expected == Decision::Allowed {
            group.bench_function(format!("{name}, the Decrypt request made too"), |b| {
                b.iter(|| {
                    let decrypt = under.decrypt(black_box(&request));
                    let encryption = Encryption::Kms { request: &decrypt, policies: &of_key };
                    Read { request: &request, policies: &policies, encryption }.decide()
                });
            });
        }
    }
    group.finish();
}

fn start(c: &mut Criterion) {
    let (folder, _) = policy_folder(1);
    let mut group = c.benchmark_group("whole process");
    group.bench_function("do nothing (true)", |b| b.iter(|| Command::new("true").status().expect("it runs")));
    let trailproof = env!("CARGO_BIN_EXE_trailproof");
    group.bench_function("--version", |b| {
        b.iter(|| Command::new(trailproof).arg("--version").output().expect("it runs"))
    });
    group.bench_function("check of one file", |b| {
        let check = || Command::new(trailproof).current_dir(folder.path()).args(["check", "roles"]).output();
        b.iter(|| check().expect("it runs"));
    });
    group.finish();
}

criterion_group!(benches, many_files, many_admissions, hard_policies, large_export, one_request, whole_read, start);
criterion_main!(benches);
