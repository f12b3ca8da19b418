//! Estates from a seed: small, and odd in as many ways as real ones.

use serde_json::{Map, Value, json};

use super::statements::{self, World};
use crate::differential::rng::Rng;

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const MEMBERS: [&str; 3] = ["222222222222", "333333333333", "222233334444"];
pub(crate) const OUTSIDE: [&str; 2] = ["999999999999", "888888888888"];
pub(crate) const ORGANIZATION: &str = "o-exampleorgid";
pub(crate) const OTHER_ORGANIZATION: &str = "o-partnerorgid";
pub(crate) const BUCKET: &str = "logs-bucket";
pub(crate) const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const CANONICAL: [&str; 3] = [
    "1111111111111111111111111111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222222222222222222222222222",
    "9999999999999999999999999999999999999999999999999999999999999999",
];

/// The files of one estate, by their paths, and the blocks of its config.
pub(crate) fn estate(seed: u64, number: u64) -> Value {
    let mut rng = Rng::of(seed, number);
    let world = World::new(&mut rng);
    let mut files = Map::new();
    organization(&world, &mut files, &mut rng);
    trails(&world, &mut files, &mut rng);
    bucket(&world, &mut files, &mut rng);
    key(&world, &mut files, &mut rng);
    identities(&world, &mut files, &mut rng);
    limits(&world, &mut files, &mut rng);
    let config = config(&world, &mut rng);
    json!({"files": files, "config": config})
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn unknown() -> Value {
    json!({"$unknown": "AccessDenied: not allowed"})
}

fn absent(code: &str) -> Value {
    json!({"$absent": code})
}

fn organization(world: &World, files: &mut Map<String, Value>, rng: &mut Rng) {
    if !world.has_organization {
        return;
    }
    if rng.chance(60) {
        let management = if rng.chance(70) { OWNER } else { world.members[0] };
        files.insert(
            "organization/organization.json".to_owned(),
            json!({"Organization": {
                "Id": ORGANIZATION,
                "Arn": format!("arn:aws:organizations::{management}:organization/{ORGANIZATION}"),
                "FeatureSet": "ALL",
                "MasterAccountId": management,
            }}),
        );
        let mut members = vec![OWNER];
        members.extend(&world.members);
        let account = |id: &&str| json!({"Id": id, "Name": format!("team-{}", &id[..4]), "Status": "ACTIVE"});
        if rng.chance(85) {
            let accounts: Vec<Value> = members.iter().map(account).collect();
            files.insert("organization/accounts.json".to_owned(), json!({"Accounts": accounts}));
        }
    }
}

fn trails(world: &World, files: &mut Map<String, Value>, rng: &mut Rng) {
    let mut trail = |account: &str, name: &str, is_organization: bool, rng: &mut Rng| {
        let mut trail = json!({
            "Name": name,
            "S3BucketName": BUCKET,
            "HomeRegion": "us-east-1",
            "IsMultiRegionTrail": true,
            "TrailARN": format!("arn:aws:cloudtrail:us-east-1:{account}:trail/{name}"),
            "LogFileValidationEnabled": true,
            "IsOrganizationTrail": is_organization,
        });
        if let Some(prefix) = world.prefix {
            trail["S3KeyPrefix"] = json!(prefix);
        }
        if world.trail_key && rng.chance(95) {
            trail["KmsKeyId"] = json!(world.key);
        }
        files.insert(format!("{account}/cloudtrail/us-east-1/trails.json"), json!({"trailList": [trail]}));
    };
    if world.is_organization_trail {
        if rng.chance(85) {
            trail(OWNER, "org", true, rng);
        }
        return;
    }
    for account in [OWNER].iter().chain(&world.members) {
        if rng.chance(60) {
            trail(account, "own", false, rng);
        }
    }
}

fn bucket(world: &World, files: &mut Map<String, Value>, rng: &mut Rng) {
    let mut put = |name: &str, value: Value| {
        files.insert(format!("{OWNER}/s3/{BUCKET}/{name}.json"), value);
    };
    match rng.below(100) {
        0..3 => put("policy", unknown()),
        3..6 => put("policy", absent("NoSuchBucketPolicy")),
        _ => {
            let mut statements = Vec::new();
            if world.has_delivery {
                statements.extend(statements::delivery(world));
            }
            for _ in 0..rng.one(&[0, 1, 1, 1, 2, 2, 3, 4]) {
                statements.push(statements::bucket(world, rng));
            }
            if statements.is_empty() {
                statements.push(statements::bucket(world, rng));
            }
            put("policy", policy(statements));
        }
    }
    match rng.below(10) {
        0 => put("ownership-controls", absent("OwnershipControlsNotFoundError")),
        1 => {}
        2 => put("ownership-controls", ownership("ObjectWriter")),
        3 => put("ownership-controls", ownership("BucketOwnerPreferred")),
        _ => put("ownership-controls", ownership("BucketOwnerEnforced")),
    }
    match rng.below(10) {
        0 => {}
        1..4 => put("acl", json!({"Owner": {"ID": CANONICAL[0]}, "Grants": grants(rng)})),
        _ => put("acl", json!({"Owner": {"ID": CANONICAL[0]}, "Grants": [acl_grant(0, "FULL_CONTROL")]})),
    }
    let block = |ignore: bool, restrict: bool| {
        json!({"PublicAccessBlockConfiguration": {
            "BlockPublicAcls": ignore, "IgnorePublicAcls": ignore,
            "BlockPublicPolicy": restrict, "RestrictPublicBuckets": restrict,
        }})
    };
    match rng.below(10) {
        0 => {}
        1 | 2 => put("public-access-block", block(true, true)),
        3 => put("public-access-block", block(rng.chance(50), rng.chance(50))),
        4 => put("public-access-block", absent("NoSuchPublicAccessBlockConfiguration")),
        _ => put("public-access-block", block(false, false)),
    }
    let default = |algorithm: &str, key: Option<&str>, bucket_key: bool| {
        let mut default = json!({"SSEAlgorithm": algorithm});
        if let Some(key) = key {
            default["KMSMasterKeyID"] = json!(key);
        }
        json!({"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
        ]}})
    };
    match rng.below(20) {
        0 => {}
        1 => put("encryption", default("aws:kms", None, rng.chance(50))),
        2 | 3 => put("encryption", default("aws:kms", Some(&world.key), rng.chance(50))),
        _ => put("encryption", default("AES256", None, false)),
    }
    put("location", json!({"LocationConstraint": null}));
    if rng.chance(60) {
        let block = block(rng.chance(20), rng.chance(20));
        files.insert(format!("{OWNER}/s3control/public-access-block.json"), block);
    }
}

fn ownership(setting: &str) -> Value {
    json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": setting}]}})
}

fn acl_grant(canonical: usize, permission: &str) -> Value {
    json!({"Grantee": {"ID": CANONICAL[canonical], "Type": "CanonicalUser"}, "Permission": permission})
}

fn grants(rng: &mut Rng) -> Vec<Value> {
    let mut grants = vec![acl_grant(0, "FULL_CONTROL")];
    for _ in 0..rng.one(&[1, 1, 2]) {
        let permission = rng.pick(&["READ", "WRITE", "FULL_CONTROL", "READ_ACP"]);
        grants.push(match rng.below(5) {
            0 => acl_grant(1, permission),
            1 => acl_grant(2, permission),
            number => {
                let group = ["AllUsers", "AuthenticatedUsers"][number % 2];
                let uri = format!("http://acs.amazonaws.com/groups/global/{group}");
                json!({"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission})
            }
        });
    }
    grants
}

fn key(world: &World, files: &mut Map<String, Value>, rng: &mut Rng) {
    if !world.has_key {
        return;
    }
    let account = world.key_account;
    let mut put = |name: &str, value: Value| {
        files.insert(format!("{account}/kms/us-east-1/{KEY_ID}/{name}.json"), value);
    };
    let state = rng.pick(&["Enabled", "Enabled", "Enabled", "Enabled", "Disabled", "PendingDeletion"]);
    if rng.chance(92) {
        put(
            "key",
            json!({"KeyMetadata": {
                "AWSAccountId": account, "KeyId": KEY_ID, "Arn": world.key,
                "KeyState": state, "Enabled": state == "Enabled", "KeyManager": "CUSTOMER", "Origin": "AWS_KMS",
            }}),
        );
    }
    match rng.below(12) {
        0 => {}
        1 => put("policy", unknown()),
        _ => {
            let mut statements = Vec::new();
            if rng.chance(75) {
                statements
                    .push(json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
                    "Action": "kms:*", "Resource": "*"}));
            }
            for _ in 0..rng.one(&[0, 1, 1, 2, 2]) {
                statements.push(statements::key(world, rng));
            }
            if statements.is_empty() {
                statements.push(statements::key(world, rng));
            }
            put("policy", policy(statements));
        }
    }
    match rng.below(6) {
        0 => {}
        1 => {
            let grantee =
                format!("arn:aws:iam::{}:{}", world.account(rng), rng.pick(&["root", "role/reader", "user/alice"]));
            let operations = if rng.chance(80) { json!(["Decrypt"]) } else { json!(["Encrypt"]) };
            let mut grant = json!({"KeyId": world.key, "GrantId": "ab".repeat(32), "GranteePrincipal": grantee, "Operations": operations,
                "IssuingAccount": format!("arn:aws:iam::{account}:root")});
            if rng.chance(30) {
                let context = format!("arn:aws:s3:::{BUCKET}");
                grant["Constraints"] = json!({"EncryptionContextSubset": {"aws:s3:arn": context}});
            }
            put("grants", json!({"Grants": [grant]}));
        }
        _ => put("grants", json!({"Grants": []})),
    }
}

fn identities(world: &World, files: &mut Map<String, Value>, rng: &mut Rng) {
    let mut accounts = vec![OWNER];
    accounts.extend(&world.members);
    accounts.extend(&world.outside);
    for account in accounts {
        let count = if world.has_identities { rng.one(&[0, 0, 1, 1, 2, 3]) } else { 0 };
        if count == 0 {
            continue;
        }
        let names = ["reader", "ops", "auditor", "ci"];
        let mut roles = Vec::new();
        let mut users = Vec::new();
        for name in names.iter().take(count) {
            let path = rng.pick(&["/", "/", "/", "/team/"]);
            let mut role = json!({
                "Path": path,
                "RoleName": name,
                "Arn": format!("arn:aws:iam::{account}:role{path}{name}"),
                "AssumeRolePolicyDocument": policy((0..rng.one(&[1, 1, 1, 2])).map(|_| statements::trust(world, account, rng)).collect()),
            });
            permissions(world, account, &mut role, "RolePolicyList", rng);
            roles.push(role);
        }
        if rng.chance(25) {
            let mut user = json!({
                "Path": "/", "UserName": "alice", "Arn": format!("arn:aws:iam::{account}:user/alice"), "GroupList": [],
            });
            permissions(world, account, &mut user, "UserPolicyList", rng);
            users.push(user);
        }
        let boundaries = policy(vec![statements::identity(world, rng)]);
        let managed = json!([
            {"PolicyName": "managed", "Arn": format!("arn:aws:iam::{account}:policy/managed"), "DefaultVersionId": "v1",
             "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true,
                "Document": policy(vec![statements::identity(world, rng)])}]},
            {"PolicyName": "boundary", "Arn": format!("arn:aws:iam::{account}:policy/boundary"), "DefaultVersionId": "v1",
             "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": boundaries}]},
        ]);
        files.insert(
            format!("{account}/iam/account-authorization-details.json"),
            json!({"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": roles, "Policies": managed}),
        );
    }
}

fn permissions(world: &World, account: &str, of: &mut Value, inline: &str, rng: &mut Rng) {
    let count = rng.one(&[0, 1, 1, 1, 2]);
    let statements = (0..count).map(|_| statements::identity(world, rng)).collect::<Vec<_>>();
    of[inline] = match statements.is_empty() {
        true => json!([]),
        false => json!([{"PolicyName": "inline", "PolicyDocument": policy(statements)}]),
    };
    of["AttachedManagedPolicies"] = match rng.below(12) {
        0 => json!([{"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]),
        1 => json!([{"PolicyName": "lost", "PolicyArn": format!("arn:aws:iam::{account}:policy/lost")}]),
        2 | 3 => json!([{"PolicyName": "managed", "PolicyArn": format!("arn:aws:iam::{account}:policy/managed")}]),
        _ => json!([]),
    };
    match rng.below(12) {
        0 => {
            of["PermissionsBoundary"] = json!({"PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": format!("arn:aws:iam::{account}:policy/boundary")});
        }
        1 if rng.chance(30) => {
            of["PermissionsBoundary"] = json!({"PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": format!("arn:aws:iam::{account}:policy/lost-boundary")});
        }
        _ => {}
    }
}

fn limits(world: &World, files: &mut Map<String, Value>, rng: &mut Rng) {
    if !world.has_organization || !rng.chance(20) {
        return;
    }
    for account in [OWNER].iter().chain(&world.members) {
        files.insert(
            format!("organization/parents/{account}.json"),
            json!({"Parents": [{"Id": "r-exam", "Type": "ROOT"}]}),
        );
    }
    let mut put = |id: &str, kind: &str, statements: Vec<Value>, target: &str| {
        let of = format!("organization/policies/{id}");
        files.insert(
            format!("{of}/policy.json"),
            json!({"Policy": {"PolicySummary": {"Id": id, "Name": id, "Type": kind,
                "Arn": format!("arn:aws:organizations::{OWNER}:policy/{ORGANIZATION}/x/{id}")}, "Content": policy(statements)}}),
        );
        let kind = match target {
            "r-exam" => "ROOT",
            _ => "ACCOUNT",
        };
        files.insert(
            format!("{of}/targets.json"),
            json!({"Targets": [{"TargetId": target, "Type": kind, "Name": "x"}]}),
        );
    };
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    if rng.chance(70) {
        put("p-full", "SERVICE_CONTROL_POLICY", vec![all], "r-exam");
        let target = if rng.chance(50) { "r-exam" } else { world.members[0] };
        put("p-scp1", "SERVICE_CONTROL_POLICY", vec![statements::scp(world, rng)], target);
    }
    if rng.chance(40) {
        let target = if rng.chance(70) { "r-exam" } else { OWNER };
        put("p-rcp1", "RESOURCE_CONTROL_POLICY", vec![statements::rcp(world, rng)], target);
    }
}

fn config(world: &World, rng: &mut Rng) -> Value {
    if !world.has_config {
        return Value::Null;
    }
    let mut blocks = Vec::new();
    if world.has_organization && rng.chance(80) {
        let mut lines = vec!["[organization]".to_owned(), format!("id = {ORGANIZATION:?}")];
        if rng.chance(80) {
            let mut members = vec![OWNER];
            members.extend(&world.members);
            lines.push(format!("accounts = {members:?}"));
        }
        lines.push(format!(
            "canonical-ids = {{ {:?} = {OWNER:?}, {:?} = {:?} }}",
            CANONICAL[0], CANONICAL[1], world.members[0]
        ));
        blocks.push(lines.join("\n"));
    }
    let mut lines = vec!["[[log-bucket]]".to_owned(), format!("name = {BUCKET:?}"), format!("account = {OWNER:?}")];
    lines.push(format!("prefix = {:?}", world.prefix.unwrap_or_default()));
    lines.push(format!("organization-trail = {}", world.is_organization_trail));
    lines.push(format!("readers = {:?}", rng.pick(&["own-logs", "none"])));
    blocks.push(lines.join("\n"));
    for account in &world.outside {
        if rng.chance(50) {
            blocks.push(format!("[[third-party]]\nname = \"p{account}\"\naccount = {account:?}\nlogs = \"all\""));
        }
    }
    json!(blocks)
}
