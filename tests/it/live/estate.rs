//! The estate that the tests put into a server: the flawed one of the fixtures, with what a live organization has more.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{files_below, root};

/// The accounts in the order they are made, that of the organization's management first.
pub(super) const ACCOUNTS: [&str; 6] =
    ["111111111111", "222222222222", "333333333333", "444444444444", "555555555555", "666666666666"];

/// Writes the estate into a folder, as a snapshot directory.
pub(super) fn write(folder: &Path) {
    let from = root().join("fixtures/estates/seed-flawed/export");
    for path in files_below(&from, ".json") {
        let to = folder.join(path.strip_prefix(&from).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
    }
    let mut accounts = read(&folder.join("organization/accounts.json"));
    // The server calls it that.
    accounts["Accounts"][0]["Name"] = "master".into();
    let list = accounts["Accounts"].as_array_mut().unwrap();
    for (account, name) in [(ACCOUNTS[4], "unit-east"), (ACCOUNTS[5], "unit-west")] {
        let arn = format!("arn:aws:organizations::{}:account/o-exampleorgid/{account}", ACCOUNTS[0]);
        list.push(json!({"Id": account, "Arn": arn, "Name": name, "Email": format!("{name}@example.com"), "Status": "ACTIVE"}));
    }
    store(&folder.join("organization/accounts.json"), &accounts);
    for account in ACCOUNTS {
        let none = json!({"$absent": "NoSuchPublicAccessBlockConfiguration"});
        store(&folder.join(account).join("s3control/public-access-block.json"), &none);
        let nobody = json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []});
        let details = folder.join(account).join("iam/account-authorization-details.json");
        if !details.exists() {
            store(&details, &nobody);
        }
        let trails = folder.join(account).join("cloudtrail/us-east-1/trails.json");
        if !trails.exists() {
            store(&trails, &json!({"trailList": []}));
        }
    }
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let keep = json!({"Sid": "KeepTrails", "Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"});
    for (id, by_aws, statement) in [("p-FullAWSAccess", true, all), ("p-keeptrails", false, keep)] {
        let content = json!({"Version": "2012-10-17", "Statement": [statement]});
        let arn = format!("arn:aws:organizations::111111111111:policy/o-exampleorgid/service_control_policy/{id}");
        let summary =
            json!({"Id": id, "Arn": arn, "Name": &id[2..], "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": by_aws});
        let policy = folder.join("organization/policies").join(id);
        store(
            &policy.join("policy.json"),
            &json!({"Policy": {"PolicySummary": summary, "Content": content.to_string()}}),
        );
        let root = json!({"TargetId": "r-1234", "Name": "Root", "Type": "ROOT"});
        let accounts = ACCOUNTS.map(|account| json!({"TargetId": account, "Type": "ACCOUNT"}));
        let targets: Vec<Value> = [root].into_iter().chain(accounts.into_iter().filter(|_| by_aws)).collect();
        store(&policy.join("targets.json"), &json!({"Targets": targets}));
    }
}

/// The declared model of the estate.
pub(super) fn config(folder: &Path) -> std::path::PathBuf {
    let text = std::fs::read_to_string(root().join("fixtures/estates/seed-flawed/trailproof.toml")).unwrap();
    let four = r#""333333333333", "444444444444"]"#;
    assert!(text.contains(four));
    let text = text.replace(four, r#""333333333333", "444444444444", "555555555555", "666666666666"]"#);
    let path = folder.join("trailproof.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn store(path: &Path, value: &Value) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, value.to_string()).unwrap();
}
