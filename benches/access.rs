//! The access matrix of an organization: reading apart from searching, at several sizes, and policies made to be hard.
//!
//! `cargo bench --bench access`; the inputs are made in a temporary folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a benchmark that panics has nothing to measure"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use trailproof::access::organization::Organization;
use trailproof::access::reach;
use trailproof::collect::{Collected, Options, collect};
use trailproof::config::Config;
use trailproof::model::Model;
use trailproof::text::SourceId;

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const OWNER: &str = "111111111111";
const ORGANIZATION: &str = "o-exampleorgid";
const BUCKET: &str = "arn:aws:s3:::central-logs";
const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/org";

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn role(account: &str, name: &str, trusted: Value, inline: Option<Value>, managed: Option<&str>) -> Value {
    let inline: Vec<Value> =
        inline.map(|policy| json!({"PolicyName": "access", "PolicyDocument": policy})).into_iter().collect();
    let managed: Vec<Value> = managed
        .map(|name| json!({"PolicyName": name, "PolicyArn": format!("arn:aws:iam::aws:policy/{name}")}))
        .into_iter()
        .collect();
    let trust = json!({"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"});
    json!({"Path": "/", "RoleName": name, "Arn": format!("arn:aws:iam::{account}:role/{name}"),
        "AssumeRolePolicyDocument": policy(&[trust]), "RolePolicyList": inline, "AttachedManagedPolicies": managed})
}

fn write(folder: &Path, name: &str, value: &Value) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, serde_json::to_vec(value).unwrap()).unwrap();
}

/// An organization of so many members beside the owner, ten roles each: one in the owner's account for its logs, and nine
/// of its own, of which four can reach logs.
fn organization(folder: &Path, members: usize) {
    let ids: Vec<String> = (0..members).map(|number| format!("{:012}", 200_000_000_000_u64 + number as u64)).collect();
    let details = |roles: Vec<Value>| json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": []});
    let root = |account: &str| json!({"AWS": format!("arn:aws:iam::{account}:root")});
    let mut shared = Vec::new();
    for id in &ids {
        let mut list = allow(json!("s3:ListBucket"), BUCKET);
        list["Condition"] = json!({"StringLike": {"s3:prefix": format!("AWSLogs/{ORGANIZATION}/{id}/*")}});
        let get = allow(json!("s3:GetObject"), &format!("{BUCKET}/AWSLogs/{ORGANIZATION}/{id}/*"));
        let access = policy(&[get, list, allow(json!("kms:Decrypt"), KEY)]);
        shared.push(role(OWNER, &format!("cloudtrail-logs-{id}"), root(id), Some(access), None));
        let mut own = vec![
            role(
                id,
                "auditor",
                root(id),
                Some(policy(&[allow(
                    json!("sts:AssumeRole"),
                    &format!("arn:aws:iam::{OWNER}:role/cloudtrail-logs-{id}"),
                )])),
                None,
            ),
            role(
                id,
                "log-reader",
                root(id),
                Some(policy(&[allow(json!(["s3:GetObject", "s3:ListBucket"]), "*"), allow(json!("kms:Decrypt"), "*")])),
                None,
            ),
            role(id, "admin", root(id), None, Some("AdministratorAccess")),
            role(id, "readonly", root(id), None, Some("ReadOnlyAccess")),
        ];
        own.extend((0..5).map(|number| {
            let access = policy(&[
                allow(json!(["dynamodb:*", "sqs:SendMessage"]), "*"),
                allow(json!(["s3:GetObject", "s3:PutObject"]), &format!("arn:aws:s3:::app-{number}-{id}/*")),
            ]);
            role(id, &format!("app-{number}"), json!({"Service": "lambda.amazonaws.com"}), Some(access), None)
        }));
        write(folder, &format!("iam/{id}.json"), &details(own));
    }
    write(folder, &format!("iam/{OWNER}.json"), &details(shared));
    let statement = |principal: Value, action: &str, resource: &str, condition: Value| json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition});
    let cloudtrail = || json!({"Service": "cloudtrail.amazonaws.com"});
    let by_trail = || json!({"StringEquals": {"aws:SourceArn": TRAIL}});
    let own_folder = format!("{BUCKET}/AWSLogs/{ORGANIZATION}/${{aws:PrincipalAccount}}/*");
    let own_prefix = format!("AWSLogs/{ORGANIZATION}/${{aws:PrincipalAccount}}/*");
    let members_only = json!({"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}});
    let bucket = policy(&[
        statement(cloudtrail(), "s3:GetBucketAcl", BUCKET, by_trail()),
        statement(cloudtrail(), "s3:PutObject", &format!("{BUCKET}/AWSLogs/*"), by_trail()),
        statement(json!("*"), "s3:GetObject", &own_folder, members_only.clone()),
        statement(
            json!("*"),
            "s3:ListBucket",
            BUCKET,
            json!({"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}, "StringLike": {"s3:prefix": own_prefix}}),
        ),
    ]);
    let at = format!("{OWNER}/s3/central-logs");
    write(folder, &format!("{at}/policy.json"), &json!({"Policy": bucket.to_string()}));
    let ownership = json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}});
    write(folder, &format!("{at}/ownership-controls.json"), &ownership);
    let encryption = json!({"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault":
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]}});
    write(folder, &format!("{at}/encryption.json"), &encryption);
    let key = policy(&[
        json!({"Effect": "Allow", "Principal": root(OWNER), "Action": "kms:*", "Resource": "*"}),
        statement(cloudtrail(), "kms:GenerateDataKey*", "*", by_trail()),
        statement(json!("*"), "kms:Decrypt", "*", members_only),
    ]);
    write(
        folder,
        &format!("{OWNER}/kms/us-east-1/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json"),
        &json!({"Policy": key.to_string()}),
    );
    let trail = json!({"trailList": [{"Name": "org", "TrailARN": TRAIL, "S3BucketName": "central-logs", "KmsKeyId": KEY,
        "IsOrganizationTrail": true, "IsMultiRegionTrail": true, "HomeRegion": "us-east-1"}]});
    write(folder, &format!("{OWNER}/cloudtrail/us-east-1/trails.json"), &trail);
    let accounts: Vec<Value> = [OWNER.to_owned()]
        .iter()
        .chain(&ids)
        .map(|id| json!({"Id": id, "Arn": format!("arn:aws:organizations::{OWNER}:account/{ORGANIZATION}/{id}"), "Name": format!("team {id}"), "Status": "ACTIVE"}))
        .collect();
    write(folder, "organization/accounts.json", &json!({"Accounts": accounts}));
}

fn read(folder: &Path) -> Collected {
    let options = Options { cwd: folder.to_owned(), ..Options::default() };
    collect(&[PathBuf::from(folder)], &mut std::io::empty(), &options).expect("the inputs are there")
}

fn declared(members: &str) -> Config {
    let text = format!(
        "[organization]\nid = \"{ORGANIZATION}\"\nmanagement-account = \"{OWNER}\"\n{members}[[log-bucket]]\nname = \
         \"central-logs\"\naccount = \"{OWNER}\"\norganization-trail = true\nreaders = \"own-logs\"\n"
    );
    Config::parse(&text, SourceId::new(0)).expect("the config is sound")
}

fn matrices(c: &mut Criterion) {
    let mut group = c.benchmark_group("matrix of one log bucket, ten roles for each account");
    group.sample_size(10);
    for members in [100, 1_000, 5_000] {
        let folder = tempfile::tempdir().unwrap();
        organization(folder.path(), members);
        let collected = read(folder.path());
        let model = Model::new(&collected.estate, Some(&declared("")), None);
        let search = || {
            let organization = Organization::new(&collected.estate, &model);
            reach::matrices(&collected.estate, &model, &organization, &[])
        };
        let found = search();
        assert!(found.iter().any(|matrix| matrix.rows.len() > 3), "nobody reads");
        // One thread, so that time is CPU time.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        group
            .bench_function(BenchmarkId::new("accounts", members), |b| b.iter(|| pool.install(|| black_box(search()))));
    }
    group.finish();
}

/// Statements of bucket policies that leave much open, each near the limit of 20 KB.
fn hard() -> Vec<(&'static str, Vec<Value>)> {
    let everyone = |effect: &str, action: &str, resources: Vec<String>, condition: Value| json!({"Effect": effect, "Principal": "*", "Action": action, "Resource": resources, "Condition": condition});
    let stars = |seed: usize| {
        let mut text = format!("{BUCKET}/");
        for place in 0..40 {
            let _ = write!(text, "{}*", char::from(b'a' + ((seed * 7 + place * 11) % 26) as u8));
        }
        text
    };
    let whole = || vec![format!("{BUCKET}/*")];
    let tags = |prefix: &str, keys: usize, values: usize| -> serde_json::Map<String, Value> {
        let list = |key: usize| (0..values).map(|value| format!("v{key}-{value}")).collect::<Vec<_>>();
        (0..keys).map(|key| (format!("{prefix}/t{key}"), json!(list(key)))).collect()
    };
    let letters = || "abcdefghijklmnopqrstuvwxyz0123456789".chars();
    vec![
        (
            "stars in resources",
            vec![
                everyone("Allow", "s3:GetObject", (0..90).map(stars).collect(), json!({})),
                everyone("Deny", "s3:GetObject", (90..180).map(stars).collect(), json!({})),
            ],
        ),
        (
            "a Deny for each letter",
            std::iter::once(everyone("Allow", "s3:*", whole(), json!({})))
                .chain(letters().map(|c| everyone("Deny", "s3:GetObject", vec![format!("{BUCKET}/*{c}*")], json!({}))))
                .collect(),
        ),
        (
            "many values of many tags",
            vec![
                everyone("Allow", "s3:GetObject", whole(), json!({"StringEquals": tags("aws:PrincipalTag", 25, 12)})),
                everyone("Deny", "s3:GetObject", whole(), json!({"StringNotEquals": tags("aws:RequestTag", 20, 12)})),
            ],
        ),
        (
            "patterns of accounts",
            (0..60)
                .map(|number| {
                    let like: Vec<String> = (0..6).map(|digit| format!("*{number:02}*{digit}?")).collect();
                    let folder = format!("{BUCKET}/AWSLogs/{ORGANIZATION}/*{number:02}*");
                    everyone(
                        "Allow",
                        "s3:GetObject",
                        vec![folder],
                        json!({"StringLike": {"aws:PrincipalAccount": like}}),
                    )
                })
                .collect(),
        ),
    ]
}

fn hard_policies(c: &mut Criterion) {
    let mut group = c.benchmark_group("matrix of a bucket policy made to be hard");
    group.sample_size(10);
    for (name, statements) in hard() {
        let folder = tempfile::tempdir().unwrap();
        let at = format!("{OWNER}/s3/central-logs/policy.json");
        write(folder.path(), &at, &json!({"Policy": policy(&statements).to_string()}));
        let collected = read(folder.path());
        let members = format!("accounts = [\"{OWNER}\", \"222222222222\", \"333333333333\"]\n");
        let model = Model::new(&collected.estate, Some(&declared(&members)), None);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        group.bench_function(name, |b| {
            b.iter(|| {
                let organization = Organization::new(&collected.estate, &model);
                pool.install(|| black_box(reach::matrices(&collected.estate, &model, &organization, &[])))
            })
        });
    }
    group.finish();
}

criterion_group!(benches, matrices, hard_policies);
criterion_main!(benches);
