//! The command line as people and scripts use it: exit codes, outputs, bad input.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{stderr, stdout, trailproof};

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}"#;
const BOUND: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"1c9d7c52-77be-4b52-9c39-0b7e5d6d9f31"}}}]}"#;
const MODEL: &str = "[[log-bucket]]\nname = \"central-logs\"\naccount = \"111111111111\"\n\n[[third-party]]\naccount = \"999999999999\"\nlogs = \"all\"\n";

/// A folder with these files, and a run in it.
pub(crate) fn run(files: &[(&str, &[u8])], args: &[&str]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let output = trailproof().current_dir(folder.path()).args(args).output().unwrap();
    (output, folder)
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|e| panic!("{e}: {}{}", stdout(output), stderr(output)))
}

fn rules(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn exit_codes_follow_the_contract() {
    let files: [(&str, &[u8]); 2] = [("roles/a-trust.json", TRUST.as_bytes()), ("trailproof.toml", MODEL.as_bytes())];
    let code = |args: &[&str]| run(&files, args).0.status.code();
    assert_eq!(code(&["check"]), Some(1));
    assert_eq!(code(&["check", "--fail-on", "none"]), Some(0));
    assert_eq!(code(&["check", "--fail-on", "error"]), Some(1));
    assert_eq!(code(&["check", "--no-config", "--fail-on", "error"]), Some(0), "an undeclared account is a warning");
    assert_eq!(code(&["check", "--ignore", "trust"]), Some(0));
    assert_eq!(code(&["check", "no-such-file.json"]), Some(2));
    assert_eq!(code(&["check", "--select", "no-such-rule"]), Some(2));
    assert_eq!(code(&["check", "--format", "xml"]), Some(2));
    assert_eq!(code(&["no-such-command"]), Some(2));
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["--version"]), Some(0));
    assert_eq!(code(&["check", "no-such-file.json", "roles"]), Some(2), "2 wins over 1");
    let good: [(&str, &[u8]); 2] = [("roles/a-trust.json", BOUND.as_bytes()), ("trailproof.toml", MODEL.as_bytes())];
    let only = ["check", "--select", "missing-external-id"];
    assert_eq!(run(&good, &only).0.status.code(), Some(0));
    let strict = |file: (&'static str, &'static [u8])| {
        run(&[good[0], good[1], file], &["check", "--select", "missing-external-id", "--strict"]).0.status.code()
    };
    let of_nobody = b"{\"Parents\":[{\"Id\":\"r-ab12\",\"Type\":\"ROOT\"}]}";
    assert_eq!(strict(("list-parents.json", of_nobody)), Some(0), "no rule needs it");
    assert_eq!(strict(("list-roles.json", b"{\"Roles\":[],\"IsTruncated\":true}")), Some(3), "more roles are there");
    let access = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let half: [(&str, &[u8]); 1] = [("roles/a-access.json", access.as_bytes())];
    assert_eq!(run(&half, &["check", "--select", "missing-external-id"]).0.status.code(), Some(0));
    assert_eq!(run(&half, &["check", "--select", "missing-external-id", "--strict"]).0.status.code(), Some(3));
}

#[test]
fn the_matrix_says_that_more_roles_may_read_than_were_listed() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
        "Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111111111111/*"}]}"#;
    let gaps = |list: &[u8]| {
        let files = [("policy.json", policy.as_bytes()), ("list-roles.json", list)];
        let (output, _folder) = run(&files, &["access", "--format", "json", "--no-config"]);
        let matrix: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let gaps = matrix.pointer("/gaps").or(matrix.pointer("/0/gaps")).unwrap().as_array().unwrap().clone();
        gaps.into_iter().filter(|gap| gap["fact"] == "account.roles").count()
    };
    assert_eq!((gaps(b"{\"Roles\":[],\"IsTruncated\":true}"), gaps(b"{\"Roles\":[]}")), (1, 0));
}

#[test]
fn nothing_to_audit_is_never_success() {
    let (output, _folder) = run(&[("notes.txt", b"x"), ("package.json", b"{\"name\": \"x\"}")], &["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nothing to audit"), "{}", stderr(&output));
    let (output, _folder) = run(&[("package.json", b"{\"name\": \"x\"}")], &["check", "package.json"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn several_reports_are_written_in_one_run() {
    let files: [(&str, &[u8]); 2] = [("a-trust.json", TRUST.as_bytes()), ("trailproof.toml", MODEL.as_bytes())];
    let args =
        ["check", "--format", "sarif", "-o", "out.sarif", "--format", "json", "-o", "out.json", "--format", "text"];
    let (output, folder) = run(&files, &args);
    assert_eq!(output.status.code(), Some(1));
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.path().join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("out.sarif")["version"], "2.1.0");
    assert_eq!(read("out.json")["schema_version"], "1");
    assert!(stdout(&output).contains("missing-external-id"));
    let (output, _folder) = run(&files, &["check", "--format", "json", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(2), "two reports on one standard output");
    let (output, _folder) = run(&files, &["check", "--format", "json", "-o", "no/such/folder/out.json"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn bad_input_is_named_with_its_place_and_the_rest_is_audited() {
    let deep = "[".repeat(1_000_000);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("truncated.json", br#"{"RoleDetailList": [{"RoleName": "x""#.to_vec(), "ends inside a value"),
        ("deep.json", format!("{{\"Statement\": {deep}").into_bytes(), "nested deeper"),
        ("latin1.json", b"{\"Statement\": \"\xe9\"}".to_vec(), "UTF-8"),
        ("number.json", br#"{"RoleName": "n", "AssumeRolePolicyDocument": 7}"#.to_vec(), "a number"),
        ("control.json", b"{\"Statement\": [{\"Sid\": \"a\x1b[31m\x00\"}]}".to_vec(), "control character"),
        ("broken-policy.json", br#"{"Policy": "{\"Statement\": [}"}"#.to_vec(), "expected a JSON value"),
    ];
    for (name, bytes, wanted) in cases {
        let files: [(&str, &[u8]); 3] =
            [(name, &bytes), ("a-trust.json", TRUST.as_bytes()), ("trailproof.toml", MODEL.as_bytes())];
        let (output, _folder) = run(&files, &["check", ".", name, "--format", "json"]);
        let report = json(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", stderr(&output));
        assert!(rules(&report).contains(&"missing-external-id"), "{name} kept the other file from being audited");
        let finding = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "invalid-json");
        let finding = finding.unwrap_or_else(|| panic!("{name}: {report:#}"));
        assert!(finding["message"].as_str().unwrap().contains(wanted), "{name}: {finding:#}");
        assert_eq!(finding["location"]["file"], name);
        assert!(finding["location"]["line"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn a_report_for_machines_says_what_could_not_be_done() {
    let files: [(&str, &[u8]); 2] = [("a-trust.json", BOUND.as_bytes()), ("trailproof.toml", b"[organisation]\n")];
    for (args, failure) in [
        (["gone.json", "a-trust.json", "--no-config"].as_slice(), "can not read `gone.json`"),
        (&["a-trust.json"], "the config has mistakes"),
    ] {
        let with = |format| run(&files, &[&["check", "--format", format], args].concat()).0;
        let sarif = json(&with("sarif"));
        let invocation = &sarif["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false, "{invocation:#}");
        let said = &invocation["toolExecutionNotifications"][0];
        assert_eq!((&said["level"], &said["descriptor"]["id"]), (&"error".into(), &"run-failure".into()), "{said:#}");
        assert!(said["message"]["text"].as_str().unwrap().contains(failure), "{said:#}");
        assert!(json(&with("json"))["remarks"][0].as_str().unwrap().contains(failure));
    }
}

#[test]
fn a_policy_that_may_be_of_several_kinds_is_a_gap() {
    let any = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"*","Resource":"*"}]}"#;
    let (output, _folder) = run(&[("any.json", any.as_bytes())], &["check", "--format", "json", "--strict"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert_eq!(json(&output)["gaps"][0]["fact"], "policy.kind");
    let queue = any.replace("\"*\",\"Resource", "\"sqs:*\",\"Resource");
    let (output, _folder) = run(&[("queue.json", queue.as_bytes())], &["check", "--format", "json", "--strict"]);
    assert_eq!(json(&output)["gaps"].as_array().unwrap().len(), 0, "{}", stdout(&output));
}

#[test]
fn terminal_escapes_of_an_input_are_shown_and_not_obeyed() {
    let sid = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a\u001b]0;owned\u0007\u0000","Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}]}"#;
    for format in ["text", "json", "sarif"] {
        let (output, _folder) = run(&[("a\u{1b}[31m-trust.json", sid.as_bytes())], &["check", ".", "--format", format]);
        let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        assert!(!all.iter().any(|b| matches!(b, 0 | 7 | 0x1b)), "{format} prints a control character");
    }
}

#[test]
fn a_config_with_a_typo_is_named_with_its_place_and_the_inputs_are_audited() {
    let config = MODEL.replace("logs =", "log =");
    let files: [(&str, &[u8]); 2] = [("a-trust.json", TRUST.as_bytes()), ("trailproof.toml", config.as_bytes())];
    let (output, _folder) = run(&files, &["check"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("trailproof.toml:7:1") && said.contains("did you mean `logs`"), "{said}");
    assert!(stdout(&output).contains("missing-external-id"));
}

#[cfg(unix)]
#[test]
fn a_directory_without_permission_is_an_error_and_the_rest_is_audited() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("locked")).unwrap();
    std::fs::write(folder.path().join("a-trust.json"), TRUST).unwrap();
    let permit = |mode| std::fs::set_permissions(folder.path().join("locked"), std::fs::Permissions::from_mode(mode));
    permit(0o000).unwrap();
    let readable = std::fs::read_dir(folder.path().join("locked")).is_ok();
    let output = trailproof().current_dir(folder.path()).args(["check", "."]).output().unwrap();
    permit(0o755).unwrap();
    if readable {
        // The super-user may read everything, so there is nothing to see.
        assert_eq!(output.status.code(), Some(1));
        return;
    }
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("locked"));
    assert!(stdout(&output).contains("missing-external-id"));
}

#[test]
fn standard_input_is_a_document_like_any_other() {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = trailproof()
        .args(["check", "-", "--no-config", "--subject", "arn:aws:iam::111111111111:role/analyzer", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(TRUST.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let report = json(&output);
    let finding = &report["findings"][0];
    assert_eq!(finding["location"]["file"], "-");
    assert_eq!(finding["subject"]["arn"], "arn:aws:iam::111111111111:role/analyzer");
    let (output, _folder) = run(
        &[("a.json", TRUST.as_bytes()), ("b.json", BOUND.as_bytes())],
        &["check", "a.json", "b.json", "--subject", "arn:aws:iam::111111111111:role/analyzer"],
    );
    assert_eq!(output.status.code(), Some(2), "one subject for two documents");
}

#[test]
fn init_writes_a_config_that_check_reads() {
    let estate = crate::support::root().join("fixtures/estates/seed-good/export");
    let folder = tempfile::tempdir().unwrap();
    let init = |more: &[&str]| {
        trailproof().current_dir(folder.path()).arg("init").arg(&estate).arg("--no-config").args(more).output().unwrap()
    };
    assert_eq!(init(&[]).status.code(), Some(0));
    assert_eq!(init(&[]).status.code(), Some(2), "an existing file is not overwritten");
    assert_eq!(init(&["--force"]).status.code(), Some(0));
    let text = std::fs::read_to_string(folder.path().join("trailproof.toml")).unwrap();
    assert!(text.contains("o-exampleorgid") && text.contains("my-organization-bucket"), "{text}");
    let config = folder.path().join("trailproof.toml");
    // The third party is for a person to declare: `init` only proposes it, so that what it reads is still too much.
    let args = ["--format", "json"];
    let output = trailproof().arg("check").arg(&estate).arg("--config").arg(&config).args(args).output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let found: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert_eq!(found, ["foreign-log-read"], "{}", stdout(&output));
}

#[test]
fn every_rule_can_be_explained() {
    for rule in &trailproof::rules::RULES {
        let output = trailproof().args(["explain", rule.id]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains(&rule.card().summary));
    }
    let output = trailproof().args(["explain", "missing-external-idd"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `missing-external-id`"));
}

#[test]
fn help_lists_the_commands_that_work_and_no_others() {
    let output = trailproof().arg("--help").output().unwrap();
    let text = stdout(&output);
    for command in ["check", "audit", "collect", "access", "explain", "rules", "init", "simulate", "completions", "man"]
    {
        assert!(text.lines().any(|line| line.trim_start().starts_with(command)), "{command} is not in the help");
    }
    for later in ["fix", "diff", "generate", "lsp", "test-rules"] {
        assert!(!text.lines().any(|line| line.trim_start().starts_with(later)), "{later} is in the help");
    }
    assert!(stdout(&trailproof().arg("man").output().unwrap()).starts_with(".ie"));
    assert!(stdout(&trailproof().args(["completions", "bash"]).output().unwrap()).contains("trailproof"));
}

#[test]
fn a_single_request_is_answered_from_an_estate() {
    let estate = Path::new("fixtures/estates/seed-good/export");
    let ask = |principal: &str, key: &str| {
        let resource = format!("arn:aws:s3:::my-organization-bucket/{key}");
        let args = ["--action", "s3:GetObject", "--format", "json", "--resource", &resource, "--principal", principal];
        let output = trailproof().arg("simulate").arg(estate).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        json(&output)["decision"].as_str().unwrap().to_owned()
    };
    assert_eq!(ask("anonymous", "AWSLogs/o-exampleorgid/222222222222/x"), "implicit-deny");
    assert_ne!(
        ask("arn:aws:iam::222222222222:role/LogAccessRole", "AWSLogs/o-exampleorgid/222222222222/x"),
        "implicit-deny"
    );
    assert_eq!(
        ask("arn:aws:iam::222222222222:role/LogAccessRole", "AWSLogs/o-exampleorgid/333333333333/x"),
        "implicit-deny"
    );
}

#[test]
fn a_single_request_is_answered_with_what_the_estate_tells_of_bucket_and_key() {
    const BUCKET: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}PUBLIC]}"#;
    const PUBLIC: &str =
        r#",{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/public/*"}"#;
    const BLOCK: &str = r#"{"PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true,"RestrictPublicBuckets":true}}"#;
    const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/9f8e7d6c-5b4a-4039-8817-a6b5c4d3e2f1";
    let ownership = |value: &str| format!(r#"{{"OwnershipControls":{{"Rules":[{{"ObjectOwnership":"{value}"}}]}}}}"#);
    let encryption = |key: &str| {
        format!(
            r#"{{"ServerSideEncryptionConfiguration":{{"Rules":[{{"ApplyServerSideEncryptionByDefault":{{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"{key}"}}}}]}}}}"#
        )
    };
    let key_policy = r#"{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111111111111\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}]}","PolicyName":"default"}"#;
    let ask = |files: &[(&str, String)], principal: &str, key: &str| {
        let files: Vec<(String, String)> =
            files.iter().map(|(name, text)| (format!("111111111111/{name}"), text.clone())).collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        let resource = format!("arn:aws:s3:::b/{key}");
        let args = ["simulate", "--principal", principal, "--action", "s3:GetObject", "--resource", &resource];
        let (output, _folder) = run(&files, &[&args[..], &["--format", "json", "111111111111"]].concat());
        json(&output)
    };
    let decision = |answer: &Value| answer["decision"].as_str().unwrap().to_owned();
    let says = |answer: &Value, words: &str| answer.to_string().contains(words);
    const LOG: &str = "AWSLogs/222222222222/CloudTrail/us-east-1/2026/11/01/f.json.gz";
    // The root user of an account needs nothing of its own account.
    let policy = ("s3/b/policy.json", BUCKET.replace("PUBLIC", ""));
    let plain = ask(std::slice::from_ref(&policy), "222222222222", LOG);
    assert_eq!(decision(&plain), "allowed", "{plain}");
    assert!(says(&plain, "the object ownership settings of `b`") && says(&plain, "the encryption settings of `b`"));

    let enforced = ("s3/b/ownership-controls.json", ownership("BucketOwnerEnforced"));
    let told = ask(&[policy.clone(), enforced.clone()], "222222222222", LOG);
    assert!(decision(&told) == "allowed" && !says(&told, "ownership settings"), "{told}");

    let writer = ("s3/b/ownership-controls.json", ownership("ObjectWriter"));
    let told = ask(&[policy.clone(), writer.clone()], "222222222222", LOG);
    assert!(decision(&told) == "implicit-deny" && says(&told, "belongs to another account"), "{told}");
    assert_eq!(decision(&ask(&[policy.clone(), writer], "111111111111", LOG)), "allowed");

    let public = ("s3/b/policy.json", BUCKET.replace("PUBLIC", PUBLIC));
    let block = ("s3/b/public-access-block.json", BLOCK.to_owned());
    let told = ask(&[public.clone(), enforced.clone(), block.clone()], "222222222222", LOG);
    assert!(decision(&told) == "implicit-deny" && says(&told, "RestrictPublicBuckets"), "{told}");
    let told = ask(&[public, enforced.clone()], "222222222222", LOG);
    assert!(decision(&told) == "allowed" && says(&told, "block public access settings"), "{told}");
    assert_eq!(decision(&ask(&[policy.clone(), enforced.clone(), block], "222222222222", LOG)), "allowed");

    let managed = ("s3/b/encryption.json", encryption("alias/aws/s3"));
    let told = ask(&[policy.clone(), enforced.clone(), managed], "222222222222", "reports/x");
    assert!(decision(&told) == "implicit-deny" && says(&told, "AWS managed key"), "{told}");

    let folder = "kms/us-east-1/9f8e7d6c-5b4a-4039-8817-a6b5c4d3e2f1";
    let own = ("s3/b/encryption.json", encryption(KEY));
    let of_key = (format!("{folder}/policy.json"), format!("{folder}/grants.json"));
    let files = [policy, enforced, own, (of_key.0.as_str(), key_policy.to_owned())];
    let told = ask(&files, "222222222222", "reports/x");
    assert!(decision(&told) == "conditional" && says(&told, "the grants of the key"), "{told}");
    let [policy, enforced, own, key] = files;
    let files = [policy, enforced, own, key, (of_key.1.as_str(), r#"{"Grants":[]}"#.to_owned())];
    let told = ask(&files, "222222222222", "reports/x");
    assert!(decision(&told) == "implicit-deny" && says(&told, "kms:Decrypt"), "{told}");
    assert_eq!(decision(&ask(&files, "111111111111", "reports/x")), "allowed");
    let told = ask(&files, "222222222222", LOG);
    assert!(decision(&told) == "conditional" && says(&told, "whether log files are under"), "{told}");
}

#[test]
fn a_run_that_reads_nothing_claims_nothing() {
    let (output, _folder) = run(&[], &["check", "no-such-file.json"]);
    assert_eq!((output.status.code(), stdout(&output).trim_end()), (Some(2), "nothing was audited"));
    let (output, folder) = run(&[], &["init", "no-such-folder"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path().join("trailproof.toml").exists(), "a model of nothing");
    let simulate = "simulate --principal anonymous --action s3:GetObject --resource arn:aws:s3:::b/k nowhere";
    let (output, _folder) = run(&[], &simulate.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
}

#[test]
fn a_file_of_accounts_is_the_configs_and_no_input() {
    let accounts = r#"{"Accounts":[{"Id":"222222222222","Arn":"arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222","Name":"b"}]}"#;
    let config = "[organization]\nid = \"o-exampleorgid\"\naccounts-file = \"a.json\"\n";
    let run = |accounts: &str, args: &[&str]| {
        let files: [(&str, &[u8]); 4] = [
            ("p/one.json", TRUST.as_bytes()),
            ("a.json", accounts.as_bytes()),
            ("package.json", b"{}"),
            ("trailproof.toml", config.as_bytes()),
        ];
        run(&files, args).0
    };
    let role = "arn:aws:iam::111111111111:role/r";
    let only = ["check", "p/one.json", "--select", "missing-external-id", "--subject", role, "--format", "json"];
    let report = json(&run(accounts, &only));
    assert_eq!(
        (&report["summary"]["files"], report["findings"][0]["subject"]["arn"].as_str()),
        (&1.into(), Some(role))
    );
    let help = report["findings"][0]["help"].as_str().unwrap();
    assert!(!help.contains("if this account is not yours"), "the members are known: {help}");
    assert_eq!(run(accounts, &["check", "package.json"]).status.code(), Some(2), "nothing of the user's was read");
    for (accounts, said) in [
        ("{}", "trailproof.toml:3:17: `a.json` is not an answer of `organizations list-accounts`"),
        ("{", "trailproof.toml:3:17: `a.json` is not an answer of `organizations list-accounts`"),
    ] {
        let output = run(accounts, &["check", "p"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(stdout(&output).contains("missing-external-id"), "the inputs are audited all the same");
    }
    let (output, _folder) =
        self::run(&[("one.json", TRUST.as_bytes()), ("trailproof.toml", config.as_bytes())], &["check", "one.json"]);
    let said = "trailproof.toml:3:17: can not read `a.json`: no such file or directory";
    assert!(output.status.code() == Some(2) && stderr(&output).contains(said), "{}", stderr(&output));
}

#[test]
fn a_config_may_name_rules_to_come_and_files_that_are_gone() {
    let config = "[rules]\nlevel = { \"blocked-delivery\" = \"note\" }\n[[allow]]\nrule = \"duplicate-sid\"\nsubject = \"*\"\nreason = \"r\"\n\
                  [[file]]\npath = \"gone.json\"\nkind = \"scp\"\n";
    let files: [(&str, &[u8]); 2] = [("a-trust.json", TRUST.as_bytes()), ("trailproof.toml", config.as_bytes())];
    let (output, _folder) = run(&files, &["check", "--select", "missing-external-id"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
    let text = stdout(&output);
    assert!(text.contains("the waiver for `duplicate-sid` waits for a rule"), "{text}");
    assert!(text.contains("`gone.json`, which a `[[file]]` describes, does not exist"), "{text}");
}

#[test]
fn a_named_file_that_tells_nothing_is_named() {
    let files: [(&str, &[u8]); 3] =
        [("a-trust.json", TRUST.as_bytes()), ("package.json", b"{\"name\": 1}"), ("x/package.json", b"{\"name\": 1}")];
    let (output, _folder) = run(&files, &["check", "a-trust.json", "package.json", "."]);
    let text = stdout(&output);
    assert!(text.contains("skipped `package.json`"), "{text}");
    assert!(text.contains("1 file skipped") && !text.contains("x/package.json"), "{text}");
}

#[test]
fn options_that_can_not_be_met_are_usage_errors() {
    let files: [(&str, &[u8]); 2] = [("p/a-trust.json", TRUST.as_bytes()), ("p/b-trust.json", BOUND.as_bytes())];
    let refused = |args: &[&str]| {
        let (output, _folder) = run(&files, args);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{args:?}");
        stderr(&output).lines().next().unwrap_or_default().to_owned()
    };
    let kind = "error: `--kind` is for documents given by name or on standard input, and none is given";
    assert_eq!(refused(&["check", "p", "--kind", "scp"]), kind);
    let role = "arn:aws:iam::111111111111:role/r";
    let subject = "error: `--subject` is for one document given by name or on standard input, and none is given";
    assert_eq!(refused(&["check", "p", "--subject", role]), subject);
    let (output, _folder) = run(&files, &["check", "p/c-trust.json", "--subject", role]);
    assert!(
        stderr(&output).contains("can not read `p/c-trust.json`: no such file or directory"),
        "{}",
        stderr(&output)
    );
    let message = refused(&["check", "p", "--format", "json", "-o", "no/such/folder"]);
    assert_eq!(message, "error: can not write `no/such/folder`: no such file or directory");
    let simulate =
        ["simulate", "--principal", "anonymous", "--action", "s3:Get*", "--resource", "arn:aws:s3:::b/k", "p"];
    assert_eq!(refused(&simulate), "error: `s3:Get*` is no action: write one as `service:Action`");
    let simulate = ["simulate", "--principal", "anonymous", "--action", "s3:GetObject", "--resource", "b/k", "p"];
    assert!(refused(&simulate).starts_with("error: `b/k` is no resource"));
}

#[test]
fn whoever_runs_it_sees_how_it_ended_also_where_reports_go_to_files() {
    let files: [(&str, &[u8]); 1] = [("a-trust.json", TRUST.as_bytes())];
    let ends = |args: &[&str]| {
        let (output, _folder) = run(&files, args);
        stderr(&output).trim_end().to_owned()
    };
    let summary = "1 warning in 1 file (1 subject audited)";
    let select = ["check", "--select", "missing-external-id"];
    assert_eq!(ends(&[&select[..], &["--format", "json"]].concat()), summary);
    assert_eq!(ends(&[&select[..], &["--format", "json", "-o", "x.json"]].concat()), summary);
    assert_eq!(ends(&[&select[..], &["--format", "json", "-o", "x.json", "--format", "text"]].concat()), "");
    assert_eq!(ends(&[&select[..], &["--format", "json", "-q"]].concat()), "");
}

#[test]
fn a_gap_is_one_subject_and_one_fact() {
    let broken = r#"{"Statement":[{"Effect":"allow","Principal":7}]}"#;
    let files: [(&str, &[u8]); 1] = [("s3/central-logs/policy.json", broken.as_bytes())];
    let (output, _folder) = run(&files, &["check", "--select", "unguarded-delivery,duplicate-key", "--format", "json"]);
    let report = json(&output);
    let gaps: Vec<(&str, &str)> = report["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| (gap["fact"].as_str().unwrap(), gap["reason"].as_str().unwrap()))
        .collect();
    let of_one = "statement 1 of the bucket policy can not be evaluated";
    let reason = format!(
        "{of_one}: `Action` is missing; {of_one}: `Effect` is `allow`, not `Allow` or `Deny`; \
         {of_one}: `Principal` is a number, not `*` or an object; and for 1 more reason"
    );
    assert_eq!(gaps, [("bucket.policy", reason.as_str())]);
    // What two files tell of one role in two ways is told of the role, and not once more of a file.
    let role = |trust: &str| {
        format!(
            r#"{{"Role":{{"RoleName":"r","Arn":"arn:aws:iam::111111111111:role/r","AssumeRolePolicyDocument":{trust}}}}}"#
        )
    };
    let other = TRUST.replace("999999999999", "888888888888");
    let (one, two) = (role(TRUST), role(&other));
    let files: [(&str, &[u8]); 2] = [("a.json", one.as_bytes()), ("b.json", two.as_bytes())];
    let (output, _folder) = run(&files, &["check", "--select", "missing-external-id", "--format", "json"]);
    assert_eq!(json(&output)["summary"]["gaps"], 1, "{}", stdout(&output));
}

#[test]
fn the_manual_page_tells_of_every_command_and_option() {
    let (output, _folder) = run(&[], &["man"]);
    let page = stdout(&output);
    for wanted in [
        "TRAILPROOF CHECK",
        "TRAILPROOF SIMULATE",
        "\\-o, \\-\\-output",
        "\\-\\-fail\\-on",
        "note, warning, error",
        "Exit codes",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains("trailproof\\-check(1)"), "a page that does not exist");
}
