//! The policies of roles that findings advise.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{stderr, stdout, trailproof};

const MODEL: &str = r#"[organization]
accounts = ["111111111111", "222222222222", "333333333333"]

[[log-bucket]]
name = "central-logs"
account = "111111111111"
readers = "own-logs"

[[third-party]]
account = "999999999999"
logs = "all"
"#;

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
}

fn findings(folder: &Path, select: &str) -> Vec<Value> {
    let args = ["check", ".", "--select", select, "--format", "json", "--fail-on", "none"];
    let output = trailproof().current_dir(folder).args(args).output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    report["findings"].as_array().unwrap().clone()
}

#[test]
fn the_policy_offered_for_a_broad_one_names_the_logs_of_every_reader_and_no_more() {
    let members = ["222222222222", "333333333333"];
    for (model, readers, expected) in [
        (Some(MODEL), &members[..1], &["central-logs/AWSLogs/222222222222/*"][..]),
        (Some(MODEL), &members, &["central-logs/AWSLogs/222222222222/*", "central-logs/AWSLogs/333333333333/*"]),
        (Some(MODEL), &["999999999999"], &["central-logs/AWSLogs/*"]),
        (None, &members, &["your-log-bucket/AWSLogs/222222222222/*", "your-log-bucket/AWSLogs/333333333333/*"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        if let Some(model) = model {
            write(folder, "trailproof.toml", model);
        }
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": readers}, "Action": "sts:AssumeRole"});
        let trust = json!({"Version": "2012-10-17", "Statement": [statement]});
        write(folder, "roles/reader-trust.json", &trust.to_string());
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let access = json!({"Version": "2012-10-17", "Statement": [all]});
        write(folder, "roles/reader-access.json", &access.to_string());
        let found = findings(folder, "broad-managed-policy,broad-role-access");
        let [only] = found.as_slice() else { panic!("{found:?}") };
        let help = only["help"].as_str().unwrap();
        let (_, offered) = help.split_once("instead: ").unwrap();
        let policy: Value = serde_json::from_str(offered).unwrap();
        let resources = match &policy["Statement"][0]["Resource"] {
            Value::Array(many) => many.clone(),
            one => vec![one.clone()],
        };
        let wanted: Vec<Value> = expected.iter().map(|path| json!(format!("arn:aws:s3:::{path}"))).collect();
        assert!(wanted.iter().all(|path| resources.contains(path)), "{resources:?}");
        write(folder, "roles/reader-access.json", offered);
        assert_eq!(findings(folder, "broad-managed-policy,broad-role-access"), Vec::<Value>::new(), "{offered}");
    }
}
