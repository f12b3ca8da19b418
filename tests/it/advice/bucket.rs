//! The policies of buckets that findings advise: the rules of the bucket have nothing to say against them.

use serde_json::{Value, json};

use crate::support::{stdout, trailproof};

const CONFIG: &str = r#"
[organization]
id = "o-exampleorgid"
accounts = ["111111111111", "222222222222", "333333333333", "444444444444"]

[[log-bucket]]
name = "central-logs"
account = "111111111111"
organization-trail = true
"#;

/// Audits one bucket policy with all rules of its group; gives the findings as rule, level and help.
fn audit(statements: &[Value]) -> Vec<[String; 3]> {
    let folder = tempfile::tempdir().unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    std::fs::write(folder.path().join("bucket-policy.json"), policy.to_string()).unwrap();
    std::fs::write(folder.path().join("trailproof.toml"), CONFIG).unwrap();
    let mut command = trailproof();
    command.current_dir(folder.path());
    command.args(["check", "bucket-policy.json", "--select", "bucket,undeclared-account", "--format", "json"]);
    let output = command.args(["--fail-on", "none"]).output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|f| ["rule", "level", "help"].map(|part| f[part].as_str().unwrap().to_owned())).collect()
}

fn statement(principal: Value, action: Value, resource: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition})
}

/// The statements that the help of `enumerated-members` writes out.
fn rewrite(statements: &[Value]) -> Vec<Value> {
    let found = audit(statements);
    let [_, _, help] = found.iter().find(|f| f[0] == "enumerated-members").expect("members are named one by one");
    let start = help.find(": {").unwrap() + 2;
    serde_json::from_str(&format!("[{}]", &help[start..])).expect("the help ends with statements")
}

#[test]
fn the_rewrite_for_enumerated_members_is_a_policy_that_no_rule_objects_to() {
    let members = ["222222222222", "333333333333", "444444444444"];
    let objects = |path: &str| json!(format!("arn:aws:s3:::central-logs/{path}"));
    let bucket = json!("arn:aws:s3:::central-logs");
    let own = |member: &&str| objects(&format!("AWSLogs/o-exampleorgid/{member}/*"));
    let own_prefix = |member: &&str| json!({"StringLike": {"s3:prefix": format!("AWSLogs/o-exampleorgid/{member}/*")}});
    let role = |member: &&str| json!({"AWS": format!("arn:aws:iam::{member}:role/LogAccessRole")});
    let none = || json!({});
    let pairs = |member: &&str| {
        let reads = statement(json!({"AWS": member}), json!("s3:GetObject"), own(member), none());
        [reads, statement(json!({"AWS": member}), json!("s3:ListBucket"), bucket.clone(), own_prefix(member))]
    };
    let roles = members.iter().map(|m| statement(role(m), json!("s3:Get*"), own(m), none())).collect();
    let listed = json!(["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]);
    let network = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    let list = vec![statement(json!({"AWS": members}), listed, json!([bucket, objects("*")]), network)];
    let named = members.map(|member| format!("arn:aws:iam::{member}:role/LogAccessRole"));
    let compared = json!({"ArnLike": {"aws:PrincipalArn": named}});
    let conditions = vec![statement(json!("*"), json!("s3:GetObject"), objects("AWSLogs/*"), compared)];
    let cases: [(Vec<Value>, usize); 4] =
        [(members.iter().flat_map(pairs).collect(), 2), (roles, 1), (list, 3), (conditions, 1)];
    for (statements, count) in cases {
        let rewritten = rewrite(&statements);
        assert_eq!(rewritten.len(), count, "{rewritten:?}");
        let said: Vec<_> =
            audit(&rewritten).into_iter().filter(|[rule, ..]| rule != "missing-secure-transport").collect();
        assert!(said.is_empty(), "{rewritten:?}\n{said:?}");
        let text = format!("{rewritten:?}");
        for part in ["role/LogAccessRole", "203.0.113.0/24", "s3:GetBucketLocation"] {
            assert_eq!(text.contains(part), format!("{statements:?}").contains(part), "{part} in {text}");
        }
        let paths = rewritten.iter().flat_map(|one| [&one["Resource"], &one["Condition"]["StringLike"]["s3:prefix"]]);
        for path in paths.map(Value::to_string).filter(|path| path.contains("AWSLogs")) {
            assert!(path.contains("AWSLogs/o-exampleorgid/${aws:PrincipalAccount}/*"), "{path}");
        }
    }
}
