//! A log bucket whose Region nothing tells: S3 sends whoever asks in another one on.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::http::{Reply, Request, serve};
use super::{command, manifest, many};
use crate::support::stderr;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::central-logs/*"}]}"#;

/// Answers for the bucket `central-logs` in eu-west-1, and for all else as [`many::answer`]; notes what was asked for
/// about the bucket.
fn bucket(request: &Request, asked: &Mutex<Vec<String>>) -> Reply {
    let Some((_, query)) = request.target.strip_prefix("/central-logs").map(|rest| rest.split_once('?').unwrap())
    else {
        return many::answer(request);
    };
    if !request.headers["authorization"].contains("/eu-west-1/s3/") {
        asked.lock().unwrap().push("sent on".to_owned());
        let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
        let head = "HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1\r\nContent-Type: application/xml";
        return Reply::Raw(
            format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into(),
        );
    }
    let what = query.split(['&', '=']).next().unwrap();
    asked.lock().unwrap().push(what.to_owned());
    let none = |code: &str| (404, format!("<Error><Code>{code}</Code><Message>none</Message></Error>"));
    let (status, body) = match what {
        "policy" => return Reply::Answer(200, "application/json", POLICY.into()),
        "location" => (200, "<LocationConstraint>eu-west-1</LocationConstraint>".to_owned()),
        "policyStatus" => (200, "<PolicyStatus><IsPublic>false</IsPublic></PolicyStatus>".to_owned()),
        "versioning" => (200, "<VersioningConfiguration/>".to_owned()),
        "acl" => {
            (200, "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList/></AccessControlPolicy>".to_owned())
        }
        "ownershipControls" => none("OwnershipControlsNotFoundError"),
        "encryption" => none("ServerSideEncryptionConfigurationNotFoundError"),
        "publicAccessBlock" => none("NoSuchPublicAccessBlockConfiguration"),
        "object-lock" => none("ObjectLockConfigurationNotFoundError"),
        other => panic!("{other} is not expected"),
    };
    Reply::Answer(status, "application/xml", body.into())
}

#[test]
fn a_bucket_in_another_region_is_followed_there_also_on_resume() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let url = serve(move |request| bucket(request, &noted));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("trailproof.toml");
    std::fs::write(&config, format!("[[log-bucket]]\nname = \"central-logs\"\naccount = \"{}\"\n", many::id(0)))
        .unwrap();
    let snapshot = folder.path().join("s");
    let collect = |more: &[&str]| {
        let mut collect = command(&url);
        collect
            .args(["collect", "--regions", "us-east-1", "--config"])
            .arg(&config)
            .arg("-o")
            .arg(&snapshot)
            .args(more);
        let output = collect.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let unread = manifest(&snapshot)["Unread"].as_array().unwrap().clone();
        assert!(unread.is_empty(), "{unread:?}");
        let mut asked: Vec<String> = std::mem::take(&mut asked.lock().unwrap());
        asked.sort();
        asked
    };
    let file = |name: &str| snapshot.join(many::id(0)).join("s3/central-logs").join(name);
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let first = collect(&[]);
    assert_eq!(first.iter().filter(|what| *what == "sent on").count(), 1, "{first:?}");
    assert_eq!(first.len(), 10, "{first:?}");
    assert!(text(&file("policy.json")).contains("cloudtrail.amazonaws.com"));
    let acl = text(&file("acl.json"));

    // Ended behind the policy, or in the middle: what is missing is asked for where the bucket is.
    std::fs::remove_file(file("acl.json")).unwrap();
    assert_eq!(collect(&["--resume"]), ["acl"]);
    assert_eq!(text(&file("acl.json")), acl);
    for name in ["acl.json", "location.json"] {
        std::fs::remove_file(file(name)).unwrap();
    }
    assert_eq!(collect(&["--resume"]), ["acl", "location", "policy", "sent on"]);
    assert_eq!(text(&file("acl.json")), acl);
    assert_eq!(collect(&["--resume"]), Vec::<String>::new());
}
