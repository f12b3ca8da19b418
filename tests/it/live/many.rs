//! An organization of very many accounts: how long, how much memory, how many calls at once.

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{Reply, Request, serve};
use super::{command, manifest};
use crate::support::files_below;

const ACCOUNTS: u64 = 200;
const ROLES: usize = 50;
/// Accounts are told in pages, as roles are.
const PAGE: usize = 20;
/// What each answer takes at least, as one of AWS does.
const TAKES: Duration = Duration::from_millis(10);
const AT_ONCE: usize = 24;

pub(super) fn id(number: u64) -> String {
    (100_000_000_000 + number).to_string()
}

/// How many calls are open, and how many were at most.
#[derive(Default)]
struct Load {
    open: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

#[test]
fn two_hundred_accounts_are_read_within_the_bound_on_calls_at_once() {
    let load: Arc<Load> = Arc::default();
    let counted = Arc::clone(&load);
    let url = serve(move |request| {
        let open = counted.open.fetch_add(1, Ordering::SeqCst) + 1;
        counted.most.fetch_max(open, Ordering::SeqCst);
        counted.all.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(TAKES);
        let reply = answer(request);
        counted.open.fetch_sub(1, Ordering::SeqCst);
        reply
    });
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("s");
    let mut collect = command(&url);
    collect.args(["collect", "--no-config", "--assume-role", "Audit", "--regions", "us-east-1", "-q"]);
    collect.args(["--concurrency", &AT_ONCE.to_string(), "-o"]).arg(&snapshot);
    let began = Instant::now();
    let mut child = collect.stderr(Stdio::piped()).spawn().unwrap();
    let status_of = format!("/proc/{}/status", child.id());
    let mut memory = None;
    let status = loop {
        memory = most_memory(&status_of).or(memory);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let took = began.elapsed();
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    let (most, all) = (load.most.load(Ordering::SeqCst), load.all.load(Ordering::SeqCst));
    let memory = memory.map_or_else(|| "memory not known here".to_owned(), |kb| format!("{} MB", kb / 1024));
    println!("{ACCOUNTS} accounts x {ROLES} roles: {all} calls, at most {most} at once, {took:.1?}, {memory}");
    assert!((2..=AT_ONCE).contains(&most), "{most} calls at once");
    let manifest = manifest(&snapshot);
    let unread = manifest["Unread"].as_array().unwrap();
    assert!(unread.is_empty(), "{} answers could not be had, as {}", unread.len(), unread[0]);
    assert_eq!(manifest["Accounts"].as_array().unwrap().len(), ACCOUNTS as usize);
    let details = files_below(&snapshot, "account-authorization-details.json");
    assert_eq!(details.len(), ACCOUNTS as usize);
    let text = std::fs::read_to_string(snapshot.join(id(7)).join("iam/account-authorization-details.json")).unwrap();
    assert_eq!(text.matches("\"RoleName\"").count(), ROLES);
    assert!(!text.contains(&id(8)));
    // Documents are decoded, as the AWS CLI prints them.
    let details: Value = serde_json::from_str(&text).unwrap();
    let trust = &details["RoleDetailList"][0]["AssumeRolePolicyDocument"];
    assert_eq!(trust["Statement"][0]["Principal"]["AWS"], format!("arn:aws:iam::{}:root", id(7)));
}

/// The most memory that a process had, in KB.
fn most_memory(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// What AWS would say to whoever has the credentials of the request: their access key ends with the account.
pub(super) fn answer(request: &Request) -> Reply {
    let authorization = request.headers.get("authorization").map_or("", String::as_str);
    let key = authorization.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let account = key.strip_prefix("ASIA").map_or_else(|| id(0), str::to_owned);
    let body = String::from_utf8_lossy(&request.body);
    let field =
        |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    let target = request.headers.get("x-amz-target").and_then(|target| target.rsplit('.').next());
    match (target, field("Action").as_deref()) {
        (Some(target), _) => json_answer(target, &body),
        (_, Some("GetCallerIdentity")) => {
            let arn = match key.starts_with("ASIA") {
                true => format!("arn:aws:sts::{account}:assumed-role/Audit/trailproof"),
                false => format!("arn:aws:iam::{account}:user/auditor"),
            };
            xml("GetCallerIdentity", &format!("<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{account}</Account>"))
        }
        (_, Some("AssumeRole")) => {
            let arn = field("RoleArn").unwrap().replace("%3A", ":").replace("%2F", "/");
            let account = arn.split(':').nth(4).unwrap();
            let session = format!("arn:aws:sts::{account}:assumed-role/Audit/trailproof");
            xml(
                "AssumeRole",
                &format!(
                    "<Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                     <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
                     <AssumedRoleUser><Arn>{session}</Arn><AssumedRoleId>AROA:t</AssumedRoleId></AssumedRoleUser>"
                ),
            )
        }
        (_, Some("GetAccountAuthorizationDetails")) => {
            let from: usize = field("Marker").map_or(0, |marker| marker.parse().unwrap());
            roles(&account, from)
        }
        (_, Some(other)) => panic!("{other} is not expected"),
        _ if request.target.contains("publicAccessBlock") => Reply::Answer(
            404,
            "application/xml",
            b"<ErrorResponse><Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message></Error></ErrorResponse>"
                .to_vec(),
        ),
        _ if request.target.contains("x-id=ListBuckets") => {
            let body = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>";
            Reply::Answer(200, "application/xml", body.to_vec())
        }
        _ => panic!("{} {} is not expected", request.method, request.target),
    }
}

/// A policy as IAM gives it: percent-encoded (RFC 3986).
fn encoded(policy: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    policy.bytes().map(one).collect()
}

fn xml(action: &str, result: &str) -> Reply {
    let body = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    Reply::Answer(200, "text/xml", body.into_bytes())
}

/// A page of the roles of an account, each with two policies.
fn roles(account: &str, from: usize) -> Reply {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let inline = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::app-*"}]}"#;
    let (trust, inline) = (encoded(&trust), encoded(inline));
    let mut members = String::new();
    for number in (from..ROLES).take(PAGE) {
        members.push_str(&format!(
            "<member><Path>/</Path><RoleName>role-{number}</RoleName><RoleId>AROA{number:016}</RoleId>\
             <Arn>arn:aws:iam::{account}:role/role-{number}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
             <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><InstanceProfileList/>\
             <RolePolicyList><member><PolicyName>access</PolicyName><PolicyDocument>{inline}</PolicyDocument></member></RolePolicyList>\
             <AttachedManagedPolicies><member><PolicyName>ReadOnlyAccess</PolicyName>\
             <PolicyArn>arn:aws:iam::aws:policy/ReadOnlyAccess</PolicyArn></member></AttachedManagedPolicies></member>"
        ));
    }
    let next = from + PAGE;
    let more = match next < ROLES {
        true => format!("<IsTruncated>true</IsTruncated><Marker>{next}</Marker>"),
        false => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    xml(
        "GetAccountAuthorizationDetails",
        &format!("{more}<UserDetailList/><GroupDetailList/><RoleDetailList>{members}</RoleDetailList><Policies/>"),
    )
}

fn json_answer(operation: &str, body: &str) -> Reply {
    let given: Value = serde_json::from_str(body).unwrap();
    let own = id(0);
    let answer = match operation {
        "DescribeOrganization" => json!({"Organization": {"Id": "o-exampleorgid", "MasterAccountId": own,
            "Arn": format!("arn:aws:organizations::{own}:organization/o-exampleorgid"), "FeatureSet": "ALL"}}),
        "ListAccounts" => {
            let from: u64 = given["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
            let page = from..ACCOUNTS.min(from + PAGE as u64);
            let accounts = page.map(|number| {
                let account = id(number);
                json!({"Id": account, "Name": format!("team {number}"), "Status": "ACTIVE",
                    "Arn": format!("arn:aws:organizations::{own}:account/o-exampleorgid/{account}")})
            });
            let mut answer = json!({"Accounts": accounts.collect::<Vec<_>>()});
            if from + (PAGE as u64) < ACCOUNTS {
                answer["NextToken"] = (from + PAGE as u64).to_string().into();
            }
            answer
        }
        "ListRoots" => json!({"Roots": [{"Id": "r-1234", "Name": "Root",
            "Arn": format!("arn:aws:organizations::{own}:root/o-exampleorgid/r-1234"), "PolicyTypes": []}]}),
        "ListParents" => json!({"Parents": [{"Id": "r-1234", "Type": "ROOT"}]}),
        "ListPolicies" => json!({"Policies": []}),
        "DescribeTrails" => json!({"trailList": []}),
        other => panic!("{other} is not expected"),
    };
    Reply::Answer(200, "application/x-amz-json-1.1", answer.to_string().into_bytes())
}

/// The bound is one of calls, and not of connections that wait.
#[test]
fn one_call_at_once_is_one() {
    let open = Arc::new(Mutex::new((0_usize, 0_usize)));
    let counted = Arc::clone(&open);
    let url = serve(move |request| {
        {
            let mut open = counted.lock().unwrap();
            open.0 += 1;
            open.1 = open.1.max(open.0);
        }
        std::thread::sleep(Duration::from_millis(2));
        let reply = answer(request);
        counted.lock().unwrap().0 -= 1;
        reply
    });
    let folder = tempfile::tempdir().unwrap();
    let mut collect = command(&url);
    collect.args(["collect", "--no-config", "--assume-role", "Audit", "--accounts"]);
    collect.arg(format!("{},{}", id(1), id(2))).args(["--regions", "us-east-1", "--concurrency", "1", "-q", "-o"]);
    let output = collect.arg(folder.path().join("s")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", crate::support::stderr(&output));
    assert_eq!(open.lock().unwrap().1, 1);
}
