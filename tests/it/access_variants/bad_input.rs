//! Input that contradicts itself, goes round in circles or is too much: a clear answer, never a crash.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::estate::{Variant, access};
use super::{cells, matrix};
use crate::support::{stderr, stdout};

const KEY: &str = "111111111111/kms/us-east-1/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Text as words, whatever its lines.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_account_can_not_be_both_member_and_third_party() {
    let folder = Variant::named("third-party").join();
    let path = folder.path().join("trailproof.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(r#"account = "999999999999""#, r#"account = "333333333333""#)).unwrap();
    let output = access(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&stdout(&output)).contains("the config is not used because of its mistakes"));
    let said = words(&stderr(&output));
    assert!(said.contains("333333333333") && said.contains("third party") && said.contains("member"), "{said}");
    assert!(said.contains("trailproof.toml:"), "{said}");
}

#[test]
fn two_policies_of_one_bucket_are_shown_with_both_places() {
    let variant = Variant::named("contradicting-bucket-policies");
    let document = matrix(&variant);
    let [gap] = &document["gaps"].as_array().unwrap()[..] else { panic!("{:#}", document["gaps"]) };
    assert_eq!(gap["fact"], "bucket.policy");
    assert!(gap["reason"].as_str().unwrap().contains("contradict"), "{gap}");
    let files: Vec<&str> =
        gap["locations"].as_array().unwrap().iter().map(|place| place["file"].as_str().unwrap()).collect();
    let policy = "111111111111/s3/central-logs/policy.json";
    assert_eq!(files, [policy, &format!("second-export/{policy}")]);
    let text = stdout(&variant.run(&variant.join(), &[]));
    assert!(text.contains(policy) && text.contains(&format!("second-export/{policy}")), "{text}");
}

#[test]
fn what_is_not_exported_is_named() {
    let variant = Variant::named("bucket-not-exported");
    let text = words(&stdout(&variant.run(&variant.join(), &[])));
    assert!(text.contains("bucket.policy: bucket `central-logs` is not in the inputs"), "{text}");
    assert!(text.contains("key.arn: it is not known what the logs are encrypted with"), "{text}");
}

/// What a member's answer hangs on, and that of the management account, which no SCP binds.
#[test]
fn an_organization_policy_that_was_refused_may_be_of_any_kind() {
    let depends_on = |folder: &tempfile::TempDir, reader: &str| {
        let output = access(folder.path(), &["--format", "json", "--why", reader, "--logs", reader]);
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        document["cells"][0]["depends_on"].to_string()
    };
    let (scp, rcp) = ("the service control policies", "the resource control policies");
    let folder = Variant::named("members").join();
    let known = depends_on(&folder, "222222222222");
    assert!(!known.contains(scp) && !known.contains(rcp), "{known}");
    let refused = folder.path().join("organization/policies/p-refused1");
    std::fs::create_dir_all(&refused).unwrap();
    std::fs::write(refused.join("policy.json"), r#"{"$unknown": "AccessDeniedException: no"}"#).unwrap();
    std::fs::write(refused.join("targets.json"), r#"{"Targets": [{"TargetId": "r-ab12", "Type": "ROOT"}]}"#).unwrap();
    for (reader, is_bound) in [("222222222222", true), ("444444444444", false)] {
        let open = depends_on(&folder, reader);
        assert_eq!(open.contains(scp), is_bound, "{reader}: {open}");
        assert!(open.contains(rcp), "{reader}: {open}");
    }
    // Members and the management account are one row: what a member hangs on is not left out.
    let output = access(folder.path(), &["--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let own = document["cells"].as_array().unwrap().iter().find(|cell| cell["logs"] == json!(["own"])).unwrap();
    assert!(own["readers"].to_string().contains("444444444444"), "{own}");
    assert!(own["depends_on"].to_string().contains(scp), "{own}");
}

#[test]
fn what_cloudtrail_writes_hangs_on_a_key_that_nobody_knows() {
    let folder = Variant::named("members").join();
    std::fs::remove_file(folder.path().join(KEY).join("policy.json")).unwrap();
    let output = access(folder.path(), &["--format", "json", "--wide"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let write = ("cloudtrail.amazonaws.com".to_owned(), "222222222222".to_owned());
    assert_eq!(cells(&document)[&write], "write ?");
}

#[test]
fn whoever_is_asked_about_is_told_of_even_if_it_reaches_nothing() {
    let folder = Variant::named("third-party").join();
    let roles = r#"{"RoleDetailList": [{"Path": "/", "RoleName": "idle", "Arn": "arn:aws:iam::111111111111:role/idle",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}, "RolePolicyList": [], "AttachedManagedPolicies": []}]}"#;
    std::fs::write(folder.path().join("more-roles.json"), roles).unwrap();
    for reader in ["arn:aws:iam::111111111111:role/idle", "565656565656"] {
        let output = access(folder.path(), &["--why", reader, "--logs", "222222222222"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = words(&stdout(&output));
        assert!(
            text.starts_with(&format!("no: {reader} can not list, read or write the logs of 222222222222")),
            "{text}"
        );
    }
    assert_eq!(access(folder.path(), &["--why", "nobody-of-that-name"]).status.code(), Some(2));
}

/// A policy that is not known may deny even what needs no Allow of it.
#[test]
fn a_read_by_a_role_hangs_on_the_bucket_policy_that_is_not_known() {
    let variant = Variant::named("bucket-not-exported");
    let folder = variant.join();
    let role = "arn:aws:iam::111111111111:role/unit-b-log-reader";
    let output = variant.run(&folder, &["--why", role, "--logs", "222222222222", "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let get = document["cells"][0]["abilities"].as_array().unwrap().iter().find(|a| a["ability"] == "get").unwrap();
    let is_named = get["depends_on"].to_string().contains("the policy of bucket `central-logs`");
    assert!(is_named, "{get}");
}

#[test]
fn roles_that_trust_each_other_or_themselves_come_to_an_end() {
    for name in ["trust-cycle", "role-trusts-itself", "role-chain"] {
        let begin = Instant::now();
        let variant = Variant::named(name);
        assert!(variant.run(&variant.join(), &["--strict"]).status.success(), "{name}");
        assert!(begin.elapsed() < Duration::from_secs(20), "{name}");
    }
}

fn with_grants(grants: &[Value]) -> tempfile::TempDir {
    let folder = Variant::named("key-without-readers").join();
    let file = folder.path().join(KEY).join("grants.json");
    std::fs::write(file, json!({ "Grants": grants }).to_string()).unwrap();
    folder
}

fn grant(number: usize, grantee: &str) -> Value {
    json!({"KeyId": "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab", "GrantId": format!("{number:064x}"),
           "GranteePrincipal": grantee, "Operations": ["Decrypt"], "IssuingAccount": "arn:aws:iam::111111111111:root"})
}

#[test]
fn thousands_of_grants_to_one_account_let_it_decrypt() {
    // A grant to an account, and grants to roles in it.
    let whole = |n: usize| match n {
        4_999 => "arn:aws:iam::222222222222:root".to_owned(),
        n => format!("arn:aws:iam::222222222222:role/reader-{n}"),
    };
    let grants: Vec<Value> = (0..5_000).map(|n| grant(n, &whole(n))).collect();
    let folder = with_grants(&grants);
    let begin = Instant::now();
    let output = access(folder.path(), &["--format", "json", "--wide"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    let cells = cells(&serde_json::from_str(&stdout(&output)).unwrap());
    let of = |reader: &str, logs: &str| cells[&(reader.to_owned(), logs.to_owned())].clone();
    assert_eq!(of("222222222222", "222222222222"), "list, get, decrypt; expected");
    assert_eq!(of("222222222222", "333333333333"), "none; expected");
    assert_eq!(of("333333333333", "333333333333"), "list, get; too-little");
}

#[test]
fn a_grant_to_each_of_thousands_of_accounts_is_a_row_of_accounts_that_are_alike() {
    let grants: Vec<Value> = (0..3_000).map(|n| grant(n, &format!("arn:aws:iam::5{n:011}:role/reader"))).collect();
    let folder = with_grants(&grants);
    let begin = Instant::now();
    let output = access(folder.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    let text = stdout(&output);
    assert!(words(&text).contains("3000 third parties like this"), "{text}");
    assert!(text.lines().count() < 80, "{text}");
}

#[test]
fn a_chain_of_many_roles_is_followed_to_its_end() {
    const LENGTH: usize = 40;
    let folder = Variant::named("roles").join();
    let role = |n: usize| format!("arn:aws:iam::111111111111:role/link-{n:02}");
    let reader = "arn:aws:iam::111111111111:role/unit-b-log-reader";
    let mut roles = String::new();
    for n in 0..=LENGTH {
        let before = if n == 0 { reader.to_owned() } else { role(n - 1) };
        let (action, resource) = match n {
            LENGTH => ("s3:GetObject", "arn:aws:s3:::central-logs/AWSLogs/333333333333/*".to_owned()),
            _ => ("sts:AssumeRole", role(n + 1)),
        };
        let detail = json!({"Path": "/", "RoleName": format!("link-{n:02}"), "Arn": role(n), "AttachedManagedPolicies": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": before}, "Action": "sts:AssumeRole"}},
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}}]});
        write!(roles, "{}{detail}", if n == 0 { "" } else { "," }).unwrap();
    }
    let file = folder.path().join("111111111111/iam/links.json");
    std::fs::write(file, format!(r#"{{"RoleDetailList":[{roles}]}}"#)).unwrap();
    let output = access(folder.path(), &["--format", "json", "--wide"]);
    let cells = cells(&serde_json::from_str(&stdout(&output)).unwrap());
    // The unit's role is named by the first link in its own account: it needs no policy to assume it.
    assert_eq!(cells[&("222222222222".to_owned(), "333333333333".to_owned())], "get; too-much");
}

/// An SCP whose text can not be read, or whose way to the account is not known, may deny.
#[test]
fn service_control_policies_that_are_not_known_are_told() {
    let variant = Variant::named("scp-deny");
    let is_told = |change: &dyn Fn(&std::path::Path)| {
        let folder = variant.join();
        change(&folder.path().join("organization"));
        let output = variant.run(&folder, &["--why", "333333333333", "--logs", "333333333333", "--format", "json"]);
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        document["cells"][0]["abilities"].to_string().contains("the service control policies of the organization")
    };
    let policy = "policies/p-nos3read01/policy.json";
    assert!(!is_told(&|_| {}));
    assert!(is_told(&|organization| std::fs::remove_file(organization.join("parents/333333333333.json")).unwrap()));
    assert!(is_told(&|organization| {
        let answer: Value = serde_json::from_slice(&std::fs::read(organization.join(policy)).unwrap()).unwrap();
        let mut cut = answer.clone();
        cut["Policy"]["Content"] = json!("{");
        assert_ne!(cut, answer);
        std::fs::write(organization.join(policy), cut.to_string()).unwrap();
    }));
}

/// More patterns of account IDs than are asked about: who they let in is not known, and nobody is told to be kept out.
#[test]
fn very_many_patterns_of_accounts_are_not_taken_for_nobody() {
    let patterns: Vec<String> = (10..60).map(|digits| format!("{digits}*")).collect();
    let spared = json!({"StringNotLike": {"aws:PrincipalAccount": "59*"}});
    let among = json!({"StringLike": {"aws:PrincipalAccount": patterns}});
    let by_bucket = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", "Condition": among},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": spared}]});
    let by_role = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": among},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": spared}]});
    let policy = json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}});
    let role = json!({"RoleDetailList": [{
        "Arn": "arn:aws:iam::111111111111:role/reader", "RoleName": "reader", "AssumeRolePolicyDocument": by_role,
        "RolePolicyList": [{"PolicyName": "read", "PolicyDocument": policy}], "AttachedManagedPolicies": []}]});
    for (bucket_policy, roles) in [(by_bucket, json!({"RoleDetailList": []})), (json!({"Statement": []}), role)] {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("111111111111/s3/logs/policy.json", json!({"Policy": bucket_policy.to_string()}).to_string());
        put("111111111111/iam/account-authorization-details.json", roles.to_string());
        put("trailproof.toml", "[[log-bucket]]\nname = \"logs\"\naccount = \"111111111111\"\n".to_owned());
        let why = ["--why", "anyone", "--logs", "any account", "--format", "json"];
        let document: Value = serde_json::from_str(&stdout(&access(folder.path(), &why))).unwrap();
        let anyone = &document["cells"][0];
        let get = anyone["abilities"].as_array().unwrap().iter().find(|a| a["ability"] == "get").unwrap();
        assert_eq!(get["certainty"], "unknown", "{anyone:#}");
        assert!(
            get["depends_on"].to_string().contains("which accounts very many patterns of account IDs let in"),
            "{get}"
        );
    }
}
