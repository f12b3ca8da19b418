//! A proxy in front of a server that counts the calls and spoils those it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http::{Reply, Request, forward, serve};

/// What is done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// 400 with the code of a service that is asked too often.
    Throttled,
    /// 429 without a code.
    TooMany,
    /// 503 with S3's code for the same.
    SlowDown,
    /// 403 with a code.
    Denied,
    /// Credentials that ran out.
    Expired,
    /// The connection ends without an answer.
    Reset,
    /// No answer for longer than anybody waits.
    Stalled,
    /// Half of the true answer.
    Truncated,
    /// 500 and a page for people.
    Broken,
    /// A page whose next page is itself.
    SameMarker,
}

/// A call on its way: its operation, and how many of it came before.
pub(super) struct Seen<'a> {
    pub(super) operation: &'a str,
    pub(super) before: usize,
    /// How many calls of any kind came before.
    pub(super) all_before: usize,
}

/// A proxy that is running.
pub(super) struct Proxy {
    pub(super) url: String,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    by_operation: BTreeMap<String, usize>,
    open: usize,
    most: usize,
}

impl Proxy {
    /// Stands in front of a server; `fault` says what is done to a call.
    pub(super) fn before(
        server: &'static str,
        fault: impl Fn(&Seen<'_>) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let counts: Arc<Mutex<Counts>> = Arc::default();
        let counted = Arc::clone(&counts);
        let url = serve(move |request| {
            let operation = operation(request);
            let seen = {
                let mut counts = counted.lock().unwrap();
                let all_before = counts.by_operation.values().sum();
                let count = counts.by_operation.entry(operation.clone()).or_default();
                *count += 1;
                let before = *count - 1;
                counts.open += 1;
                counts.most = counts.most.max(counts.open);
                Seen { operation: &operation, before, all_before }
            };
            let reply = spoil(request, server, &operation, fault(&seen));
            counted.lock().unwrap().open -= 1;
            reply
        });
        Proxy { url, counts }
    }

    /// How often each operation was asked for, retries included.
    pub(super) fn calls(&self) -> BTreeMap<String, usize> {
        self.counts.lock().unwrap().by_operation.clone()
    }
}

fn spoil(request: &Request, server: &str, operation: &str, fault: Option<Fault>) -> Reply {
    let true_answer = || forward(request, server);
    match fault {
        None => true_answer().map_or(Reply::Reset, Reply::Raw),
        Some(Fault::Truncated) => true_answer().map_or(Reply::Reset, Reply::Half),
        Some(Fault::Reset) => Reply::Reset,
        Some(Fault::Stalled) => {
            std::thread::sleep(Duration::from_secs(600));
            Reply::Reset
        }
        Some(Fault::Throttled) => refusal(request, operation, 400, "ThrottlingException", "Rate exceeded"),
        Some(Fault::TooMany) => Reply::Answer(429, "text/plain", Vec::new()),
        Some(Fault::SlowDown) => refusal(request, operation, 503, "SlowDown", "Please reduce your request rate."),
        Some(Fault::Denied) => refusal(request, operation, 403, "AccessDenied", "User is not authorized"),
        Some(Fault::Expired) => refusal(request, operation, 400, "ExpiredToken", "The security token is expired"),
        Some(Fault::Broken) => Reply::Answer(500, "text/html", b"<html><h1>Internal Server Error</h1></html>".to_vec()),
        Some(Fault::SameMarker) => same_marker(operation),
    }
}

/// An error as the protocol of the service has it.
fn refusal(request: &Request, operation: &str, status: u16, code: &str, message: &str) -> Reply {
    let is_json = request.headers.contains_key("x-amz-target");
    let is_s3 = is_of_s3(operation);
    match (is_json, is_s3) {
        (true, _) => {
            let code = if code == "AccessDenied" { "AccessDeniedException" } else { code };
            let body = serde_json::json!({"__type": code, "message": message}).to_string();
            Reply::Answer(status, "application/x-amz-json-1.1", body.into_bytes())
        }
        (false, true) => {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
            Reply::Answer(status, "application/xml", body.into_bytes())
        }
        (false, false) => {
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            );
            Reply::Answer(status, "text/xml", body.into_bytes())
        }
    }
}

/// An empty page that says there is one more.
fn same_marker(operation: &str) -> Reply {
    let json = |text: &str| Reply::Answer(200, "application/x-amz-json-1.1", text.as_bytes().to_vec());
    match operation {
        "GetAccountAuthorizationDetails" => {
            let body = "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
                <GetAccountAuthorizationDetailsResult><IsTruncated>true</IsTruncated><Marker>again</Marker>\
                <UserDetailList/><GroupDetailList/><RoleDetailList/><Policies/>\
                </GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>";
            Reply::Answer(200, "text/xml", body.as_bytes().to_vec())
        }
        "ListGrants" => json("{\"Grants\": [], \"Truncated\": true, \"NextMarker\": \"again\"}"),
        "ListAliases" => json("{\"Aliases\": [], \"Truncated\": true, \"NextMarker\": \"again\"}"),
        "ListTargetsForPolicy" => json("{\"Targets\": [], \"NextToken\": \"again\"}"),
        "ListBuckets" => {
            let body = "<ListAllMyBucketsResult><Buckets/><ContinuationToken>again</ContinuationToken></ListAllMyBucketsResult>";
            Reply::Answer(200, "application/xml", body.as_bytes().to_vec())
        }
        other => panic!("{other} has no pages"),
    }
}

/// The S3 operations by what marks them in the query.
const OF_BUCKETS: [(&str, &str); 10] = [
    ("policyStatus", "GetBucketPolicyStatus"),
    ("policy", "GetBucketPolicy"),
    ("ownershipControls", "GetBucketOwnershipControls"),
    ("acl", "GetBucketAcl"),
    ("encryption", "GetBucketEncryption"),
    ("publicAccessBlock", "GetBucketPublicAccessBlock"),
    ("location", "GetBucketLocation"),
    ("versioning", "GetBucketVersioning"),
    ("object-lock", "GetObjectLockConfiguration"),
    ("x-id=ListBuckets", "ListBuckets"),
];

fn is_of_s3(operation: &str) -> bool {
    operation == "GetAccountPublicAccessBlock" || OF_BUCKETS.iter().any(|(_, name)| *name == operation)
}

/// The operation of a request. The two calls of one name, of S3 and of S3 control, are called by what they are about.
fn operation(request: &Request) -> String {
    if let Some(target) = request.headers.get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    let body = String::from_utf8_lossy(&request.body);
    if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return action.to_owned();
    }
    if request.target.contains("/configuration/publicAccessBlock") {
        return "GetAccountPublicAccessBlock".to_owned();
    }
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let is_asked = |mark: &str| query.split('&').any(|pair| pair == mark || pair.split('=').next() == Some(mark));
    let found = OF_BUCKETS.iter().find(|(mark, _)| is_asked(mark));
    found.map_or_else(|| format!("{} {}", request.method, request.target), |(_, name)| (*name).to_owned())
}
