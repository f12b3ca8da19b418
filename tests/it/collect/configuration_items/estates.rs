//! The bundled estates, told by AWS Config as far as it records them: the same findings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{item, percent};
use crate::support::{files_below, root, stdout, trailproof};

/// The key as AWS Config writes it.
fn config_key(key: &str) -> String {
    match key {
        "KMSMasterKeyID" => "kmsMasterKeyID".to_owned(),
        "SSEAlgorithm" => "sseAlgorithm".to_owned(),
        "AWSAccountId" => "awsaccountId".to_owned(),
        _ => key[..1].to_lowercase() + &key[1..],
    }
}

/// A value of the AWS CLI as AWS Config writes it.
fn config(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| {
                let is_policy = ["AssumeRolePolicyDocument", "PolicyDocument", "Document"].contains(&key.as_str());
                let value = if is_policy { json!(percent(&value.to_string())) } else { config(value) };
                (config_key(key), value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(config).collect()),
        other => other.clone(),
    }
}

fn or_null(value: &Value, keys: &[&str]) -> Value {
    let mut value = config(value);
    let members = value.as_object_mut().unwrap();
    for key in keys {
        members.entry((*key).to_owned()).or_insert(Value::Null);
    }
    value
}

fn acl(answer: &Value) -> Value {
    let grants = answer["Grants"].as_array().unwrap().iter().map(|grant| {
        let permission: String = grant["Permission"]
            .as_str()
            .unwrap()
            .split('_')
            .map(|word| word[..1].to_owned() + &word[1..].to_lowercase())
            .collect();
        let grantee = match grant["Grantee"]["URI"].as_str() {
            Some(uri) => json!(uri.rsplit('/').next()),
            None => json!({"id": grant["Grantee"]["ID"], "displayName": null}),
        };
        json!({"grantee": grantee, "permission": permission})
    });
    let grants: Vec<Value> = grants.collect();
    json!({"grantSet": null, "grantList": grants, "owner": {"id": answer["Owner"]["ID"]}})
}

/// A snapshot directory told by AWS Config: its items, and the files that hold what it does not record.
struct Told {
    items: Vec<Value>,
    rest: Vec<(String, String)>,
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn told(export: &Path) -> Told {
    let mut told = Told { items: Vec::new(), rest: Vec::new() };
    for file in files_below(export, ".json") {
        let name = file.strip_prefix(export).unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split('/').collect();
        let answer = read(&file);
        match parts.as_slice() {
            [account, "iam", "account-authorization-details.json"] => told.identities(account, &answer),
            [account, "s3", bucket, "policy.json"] => told.bucket(account, bucket, file.parent().unwrap()),
            [
                _,
                "s3",
                _,
                "acl.json"
                | "encryption.json"
                | "public-access-block.json"
                | "ownership-controls.json"
                | "location.json",
            ] => {}
            [account, "kms", region, id, "key.json"] => told.key(account, region, id, file.parent().unwrap()),
            [_, "kms", _, _, "policy.json" | "rotation.json"] => {}
            [account, "cloudtrail", _, "trails.json"] => {
                for trail in answer["trailList"].as_array().unwrap() {
                    let (arn, region) = (&trail["TrailARN"], trail["HomeRegion"].as_str().unwrap());
                    let configuration = or_null(trail, &["s3KeyPrefix", "kmsKeyId"]);
                    let name = trail["Name"].as_str().unwrap();
                    told.add(account, "AWS::CloudTrail::Trail", arn.clone(), name, region, configuration, json!({}));
                }
            }
            [account, "s3control", "public-access-block.json"] => {
                let settings = config(&answer["PublicAccessBlockConfiguration"]);
                let kind = "AWS::S3::AccountPublicAccessBlock";
                told.add(account, kind, Value::Null, account, "us-east-1", settings, json!({}));
            }
            _ => told.rest.push((name, fs::read_to_string(&file).unwrap())),
        }
    }
    told
}

impl Told {
    #[expect(clippy::too_many_arguments, reason = "they are the parts of an item")]
    fn add(
        &mut self,
        account: &str,
        kind: &str,
        arn: Value,
        name: &str,
        region: &str,
        configuration: Value,
        more: Value,
    ) {
        let mut item = item(kind, arn, name, region, configuration, more);
        item["awsAccountId"] = json!(account);
        self.items.push(item);
    }

    fn identities(&mut self, account: &str, details: &Value) {
        let lists = [
            ("RoleDetailList", "AWS::IAM::Role", "RoleName"),
            ("UserDetailList", "AWS::IAM::User", "UserName"),
            ("GroupDetailList", "AWS::IAM::Group", "GroupName"),
            ("Policies", "AWS::IAM::Policy", "PolicyName"),
        ];
        for (list, kind, name) in lists {
            for identity in details[list].as_array().unwrap() {
                let configuration = or_null(identity, &["permissionsBoundary"]);
                let name = identity[name].as_str().unwrap();
                self.add(account, kind, identity["Arn"].clone(), name, "global", configuration, json!({}));
            }
        }
    }

    fn bucket(&mut self, account: &str, bucket: &str, folder: &Path) {
        let answer = |name: &str| read(&folder.join(name));
        let region = answer("location.json")["LocationConstraint"].as_str().unwrap_or("us-east-1").to_owned();
        let mut more = Map::new();
        let policy = answer("policy.json");
        more.insert("BucketPolicy".into(), json!({"policyText": policy.get("Policy").cloned().unwrap_or(Value::Null)}));
        let acl = acl(&answer("acl.json"));
        more.insert("AccessControlList".into(), json!(json!(acl.to_string()).to_string()));
        for (file, key) in [
            ("encryption.json", "ServerSideEncryptionConfiguration"),
            ("public-access-block.json", "PublicAccessBlockConfiguration"),
            ("ownership-controls.json", "OwnershipControls"),
        ] {
            let answer = answer(file);
            match answer.get(key) {
                Some(value) => {
                    more.insert(key.into(), config(value));
                }
                // What is not configured AWS Config leaves out, and does not say so.
                None => self.rest.push((format!("{account}/s3/{bucket}/{file}"), answer.to_string())),
            }
        }
        let configuration = json!({"name": bucket, "owner": acl["owner"]});
        let arn = json!(format!("arn:aws:s3:::{bucket}"));
        self.add(account, "AWS::S3::Bucket", arn, bucket, &region, configuration, Value::Object(more));
    }

    fn key(&mut self, account: &str, region: &str, id: &str, folder: &Path) {
        let metadata = &read(&folder.join("key.json"))["KeyMetadata"];
        let policy = &read(&folder.join("policy.json"))["Policy"];
        let rotation = &read(&folder.join("rotation.json"))["KeyRotationEnabled"];
        let more = json!({"Policy": policy, "KeyRotationStatus": rotation});
        self.add(account, "AWS::KMS::Key", metadata["Arn"].clone(), id, region, config(metadata), more);
    }
}

/// Rule, level, subject and fingerprint of each finding, and the facts of all gaps.
fn check(folder: &Path, form: &str) -> (BTreeSet<[String; 4]>, BTreeSet<String>) {
    let mut command = trailproof();
    command.current_dir(folder).env("SOURCE_DATE_EPOCH", "1795000000");
    let output = command.args(["check", form, "--format", "json", "--fail-on", "none"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter().map(|finding| {
        let subject = text(&finding["subject"]["arn"]);
        [text(&finding["rule"]), text(&finding["level"]), subject, text(&finding["fingerprint"])]
    });
    let gaps = report["gaps"].as_array().unwrap().iter().map(|gap| text(&gap["fact"]));
    (findings.collect(), gaps.collect())
}

#[test]
fn the_bundled_estates_give_the_same_findings() {
    for name in ["seed-good", "seed-flawed", "two-accounts"] {
        let scenario = root().join("fixtures/estates").join(name);
        let (expected, known) = check(&scenario, "export");
        let Told { items, rest } = told(&scenario.join("export"));
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        if scenario.join("trailproof.toml").is_file() {
            write("trailproof.toml", &fs::read_to_string(scenario.join("trailproof.toml")).unwrap());
        }
        let strings: Vec<Value> = items.iter().cloned().map(super::in_strings).collect();
        write("objects/snapshot.json", &super::snapshot(items));
        let batches = strings.chunks(5).enumerate();
        for (number, batch) in batches {
            let answer = json!({"BaseConfigurationItems": batch, "UnprocessedResourceIdentifiers": []});
            write(&format!("strings/batch-{number}.json"), &answer.to_string());
        }
        for form in ["objects", "strings"] {
            for (name, text) in &rest {
                write(&format!("{form}/{name}"), text);
            }
            let (found, gaps) = check(folder.path(), form);
            let missed: Vec<_> = expected.difference(&found).collect();
            let extra: Vec<_> = found.difference(&expected).collect();
            assert!(missed.is_empty() && extra.is_empty(), "{name} {form}\nmissed {missed:#?}\nextra {extra:#?}");
            let new: Vec<_> = gaps.difference(&known).collect();
            // Nothing says that these are all roles of the owner's account.
            assert!(new.iter().all(|fact| *fact == "account.roles"), "{name} {form} {new:?}");
        }
    }
}
