//! The statements of generated estates.

use serde_json::{Map, Value, json};

use super::generate::{BUCKET, CANONICAL, KEY_ID, MEMBERS, ORGANIZATION, OTHER_ORGANIZATION, OUTSIDE, OWNER};
use crate::differential::rng::Rng;

/// What all parts of an estate agree on.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) has_organization: bool,
    pub(crate) members: Vec<&'static str>,
    pub(crate) outside: Vec<&'static str>,
    pub(crate) is_organization_trail: bool,
    pub(crate) prefix: Option<&'static str>,
    pub(crate) has_delivery: bool,
    pub(crate) has_key: bool,
    pub(crate) trail_key: bool,
    pub(crate) key_account: &'static str,
    pub(crate) key: String,
    pub(crate) has_identities: bool,
    pub(crate) has_config: bool,
}

impl World {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let has_organization = rng.chance(75);
        let key_account = if rng.chance(85) { OWNER } else { MEMBERS[0] };
        let has_key = rng.chance(45);
        let members = MEMBERS[..rng.one(&[1, 1, 2, 2, 3])].to_vec();
        World {
            has_organization,
            members,
            outside: OUTSIDE[..rng.one(&[0, 1, 1, 2])].to_vec(),
            is_organization_trail: has_organization && rng.chance(65),
            prefix: rng.chance(12).then_some("logs/all"),
            has_delivery: rng.chance(50),
            has_key,
            trail_key: has_key && rng.chance(80),
            key_account,
            key: format!("arn:aws:kms:us-east-1:{key_account}:key/{KEY_ID}"),
            has_identities: rng.chance(60),
            has_config: rng.chance(50),
        }
    }

    /// Some account.
    pub(crate) fn account(&self, rng: &mut Rng) -> &'static str {
        let mut all = vec![OWNER, OUTSIDE[0]];
        all.extend(&self.members);
        all.extend(&self.members);
        all.extend(&self.outside);
        rng.pick(&all)
    }

    /// The folder of logs of all accounts.
    fn logs(&self) -> String {
        let prefix = self.prefix.map_or(String::new(), |prefix| format!("{prefix}/"));
        match self.is_organization_trail {
            true => format!("{prefix}AWSLogs/{ORGANIZATION}"),
            false => format!("{prefix}AWSLogs"),
        }
    }

    fn folder(&self, rng: &mut Rng) -> String {
        format!("{}/{}", self.logs(), self.account(rng))
    }
}

/// What CloudTrail needs to deliver.
pub(crate) fn delivery(world: &World) -> Vec<Value> {
    let service = json!({"Service": "cloudtrail.amazonaws.com"});
    let mut statements = vec![json!({"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
        "Resource": format!("arn:aws:s3:::{BUCKET}")})];
    let resource = format!("arn:aws:s3:::{BUCKET}/{}/*", world.logs());
    statements.push(json!({"Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": resource,
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}));
    statements
}

pub(crate) fn bucket(world: &World, rng: &mut Rng) -> Value {
    let allows = rng.chance(72);
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!(if allows { "Allow" } else { "Deny" }));
    principals(world, allows, &mut statement, rng);
    actions(&mut statement, allows, rng);
    resources(world, &mut statement, rng);
    conditions(world, allows, true, &mut statement, rng);
    Value::Object(statement)
}

fn principals(world: &World, allows: bool, statement: &mut Map<String, Value>, rng: &mut Rng) {
    let one = |rng: &mut Rng| {
        let account = world.account(rng);
        match rng.below(10) {
            0..3 => format!("arn:aws:iam::{account}:root"),
            3 => account.to_owned(),
            4..7 => format!(
                "arn:aws:iam::{account}:role/{}",
                rng.pick(&["reader", "ops", "auditor", "team/reader", "ghost"])
            ),
            7 => format!("arn:aws:iam::{account}:user/{}", rng.pick(&["alice", "ghost"])),
            8 => format!(
                "arn:aws:sts::{account}:assumed-role/{}/{}",
                rng.pick(&["reader", "ops"]),
                rng.pick(&["bob", "eve"])
            ),
            _ => format!("arn:aws:sts::{account}:federated-user/fred"),
        }
    };
    let (name, value) = match rng.below(100) {
        0..36 => ("Principal", json!("*")),
        36..40 => ("Principal", json!({"AWS": "*"})),
        40..44 => ("Principal", json!({"CanonicalUser": CANONICAL[rng.below(3)]})),
        44..50 if allows => ("Principal", json!({"AWS": [one(rng), one(rng)]})),
        44..58 => {
            let account = world.account(rng);
            let mut names = vec![format!("arn:aws:iam::{account}:root")];
            if rng.chance(60) {
                names.push(format!("arn:aws:iam::{account}:role/reader"));
            }
            if rng.chance(30) {
                names.push(format!("arn:aws:sts::{account}:assumed-role/reader/bob"));
            }
            ("NotPrincipal", json!({"AWS": names}))
        }
        _ => ("Principal", json!({"AWS": one(rng)})),
    };
    statement.insert(name.to_owned(), value);
}

fn actions(statement: &mut Map<String, Value>, allows: bool, rng: &mut Rng) {
    let (name, value) = match rng.below(100) {
        0..28 => ("Action", json!("s3:GetObject")),
        28..38 => ("Action", json!("s3:ListBucket")),
        38..52 => ("Action", json!(["s3:GetObject", "s3:ListBucket"])),
        52..66 => ("Action", json!("s3:*")),
        66..72 => ("Action", json!(["s3:Get*", "s3:List*"])),
        72..76 => ("Action", json!("s3:GetObjectVersion")),
        76..81 => ("Action", json!("s3:PutObject")),
        81..83 => ("Action", json!("s3:DeleteObject*")),
        83 => ("Action", json!("s3:Replicate*")),
        84..87 => ("Action", json!("s3:PutObject*")),
        87..90 => ("Action", json!("*")),
        90..92 => ("Action", json!("s3:ListBucketVersions")),
        92..94 => ("Action", json!("s3:?etObject")),
        94..96 if !allows => ("NotAction", json!(["s3:PutObject", "s3:GetBucketAcl"])),
        94..97 => ("NotAction", json!("s3:Delete*")),
        _ => ("NotAction", json!("s3:GetObject")),
    };
    statement.insert(name.to_owned(), value);
}

/// A pattern of objects.
fn objects(world: &World, rng: &mut Rng) -> String {
    let (logs, folder) = (world.logs(), world.folder(rng));
    let account = world.account(rng);
    let key = match rng.below(24) {
        0..4 => "*".to_owned(),
        4..7 => format!("{folder}/*"),
        7 => format!("{folder}*"),
        8 => folder,
        9 => format!("{folder}/CloudTrail/us-west-2/*"),
        10 => format!("{folder}/CloudTrail-Digest/*"),
        11 => format!("*/{account}/*"),
        12 => format!("{logs}/{}*", &account[..rng.one(&[1, 3, 4])]),
        13 => format!("{logs}/{}????????/*", &account[..4]),
        14 | 15 => format!("{logs}/${{aws:PrincipalAccount}}/*"),
        16 => format!("{logs}/*"),
        17 => format!("AWSLogs/*/{account}/*"),
        18 => format!("*{}/*", &account[8..]),
        19 => "*.json.gz".to_owned(),
        20 => format!("{logs}/*/CloudTrail/*"),
        21 => format!("{logs}/${{aws:PrincipalTag/account}}/*"),
        22 => format!("{logs}/{account}/*/2026/*"),
        _ => format!("{logs}/???333333333/*"),
    };
    format!("arn:aws:s3:::{BUCKET}/{key}")
}

fn resources(world: &World, statement: &mut Map<String, Value>, rng: &mut Rng) {
    let whole = format!("arn:aws:s3:::{BUCKET}");
    let (name, value) = match rng.below(20) {
        0..4 => ("Resource", json!([whole, format!("{whole}/*")])),
        4 => ("Resource", json!("*")),
        5 => ("Resource", json!(format!("{whole}*"))),
        6 => ("Resource", json!("arn:aws:s3:::other-bucket/*")),
        7 => ("Resource", json!("arn:aws:s3:::logs-*")),
        8 => ("NotResource", json!(objects(world, rng))),
        9 => ("NotResource", json!([whole, objects(world, rng)])),
        10..16 => ("Resource", json!([whole, objects(world, rng)])),
        16 => ("Resource", json!([objects(world, rng), objects(world, rng)])),
        _ => ("Resource", json!(objects(world, rng))),
    };
    statement.insert(name.to_owned(), value);
}

/// Up to two conditions, on caller, prefix or surroundings.
fn conditions(world: &World, allows: bool, of_bucket: bool, statement: &mut Map<String, Value>, rng: &mut Rng) {
    let mut block: Map<String, Value> = Map::new();
    for _ in 0..rng.one(&[0, 0, 1, 1, 2]) {
        let (operator, key, value) = condition(world, allows, of_bucket, rng);
        let entry = block.entry(operator).or_insert_with(|| json!({}));
        entry[key] = value;
    }
    if !block.is_empty() {
        statement.insert("Condition".to_owned(), Value::Object(block));
    }
}

fn condition(world: &World, allows: bool, of_bucket: bool, rng: &mut Rng) -> (String, String, Value) {
    let negate = |operator: &str| operator.replace("String", "StringNot").replace("Arn", "ArnNot");
    let if_exists = |operator: &str, rng: &mut Rng| {
        if rng.chance(25) { format!("{operator}IfExists") } else { operator.to_owned() }
    };
    let flip = |operator: &str, rng: &mut Rng| {
        if rng.chance(if allows { 20 } else { 70 }) { negate(operator) } else { operator.to_owned() }
    };
    let account = world.account(rng);
    let folder = world.folder(rng);
    let logs = world.logs();
    let (operator, key, value) = match rng.below(if of_bucket { 22 } else { 16 }) {
        0..3 => {
            let id = rng.pick(&[ORGANIZATION, ORGANIZATION, ORGANIZATION, OTHER_ORGANIZATION]);
            (flip("StringEquals", rng), "aws:PrincipalOrgID", json!(id))
        }
        3 => (flip("StringEquals", rng), "aws:PrincipalAccount", json!(account)),
        4 => (flip("StringLike", rng), "aws:PrincipalAccount", json!(format!("{}*", &account[..4]))),
        5 | 6 => {
            let name = rng.pick(&["role/reader", "role/*", "user/*", "role/team/*", "root", "*"]);
            let operator = rng.pick(&["ArnLike", "ArnEquals", "StringLike"]);
            (flip(operator, rng), "aws:PrincipalArn", json!(format!("arn:aws:iam::{account}:{name}")))
        }
        7 => (
            flip("ArnLike", rng),
            "aws:PrincipalArn",
            json!(format!("arn:aws:iam::*:role/{}", rng.pick(&["reader", "ops*"]))),
        ),
        8 => ("Bool".to_owned(), "aws:SecureTransport", json!(if allows { "true" } else { "false" })),
        9 => {
            let operator = rng.pick(&["IpAddress", "NotIpAddress"]);
            (operator.to_owned(), "aws:SourceIp", json!("203.0.113.0/24"))
        }
        10 | 11 => (
            flip("StringEquals", rng),
            "aws:PrincipalTag/team",
            json!(rng.pick(&["sec", "ops", "${aws:PrincipalAccount}"])),
        ),
        12 => {
            let operator = rng.pick(&["Bool", "BoolIfExists"]);
            return (operator.to_owned(), "aws:MultiFactorAuthPresent".to_owned(), json!(rng.pick(&["true", "false"])));
        }
        13 => {
            let key = rng.pick(&[
                "aws:PrincipalTag/team",
                "aws:PrincipalOrgID",
                "aws:MultiFactorAuthPresent",
                "aws:SourceVpce",
                "s3:prefix",
            ]);
            return ("Null".to_owned(), key.to_owned(), json!(rng.pick(&["true", "false"])));
        }
        14 => (flip("StringEquals", rng), "aws:SourceVpce", json!("vpce-1234")),
        15 => (flip("StringLike", rng), "aws:PrincipalOrgPaths", json!(format!("{ORGANIZATION}/*"))),
        16 | 17 => (
            flip("StringEquals", rng),
            "s3:prefix",
            json!(rng.one(&[format!("{folder}/"), String::new(), folder, format!("{logs}/")])),
        ),
        18 | 19 => {
            let like = [
                format!("{folder}/*"),
                format!("{folder}*"),
                format!("{logs}/${{aws:PrincipalAccount}}/*"),
                format!("{logs}/*"),
                "*CloudTrail*".to_owned(),
            ];
            (flip("StringLike", rng), "s3:prefix", json!(rng.one(&like)))
        }
        20 => return ("StringEquals".to_owned(), "s3:x-amz-acl".to_owned(), json!("bucket-owner-full-control")),
        _ => return ("NumericLessThanEquals".to_owned(), "s3:max-keys".to_owned(), json!("10")),
    };
    if key == "aws:PrincipalOrgPaths" {
        let set = if operator.contains("Not") { "ForAllValues" } else { "ForAnyValue" };
        return (format!("{set}:{operator}"), key.to_owned(), value);
    }
    (if_exists(&operator, rng), key.to_owned(), value)
}

pub(crate) fn key(world: &World, rng: &mut Rng) -> Value {
    let allows = rng.chance(78);
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!(if allows { "Allow" } else { "Deny" }));
    principals(world, allows, &mut statement, rng);
    let action = rng.pick(&["kms:Decrypt", "kms:Decrypt", "kms:*", "kms:D*", "kms:Encrypt", "kms:GenerateDataKey*"]);
    statement.insert("Action".to_owned(), json!(action));
    statement.insert("Resource".to_owned(), json!("*"));
    match rng.below(10) {
        0 | 1 => {
            let service = rng.pick(&["s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "s3.*.amazonaws.com"]);
            let operator = if service.contains('*') { "StringLike" } else { "StringEquals" };
            let block = json!({operator: {"kms:ViaService": service}});
            statement.insert("Condition".to_owned(), block);
        }
        2 => {
            let context = format!("arn:aws:s3:::{BUCKET}/{}/*", world.folder(rng));
            let block = json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": context}});
            statement.insert("Condition".to_owned(), block);
        }
        3 => {
            let context = format!("arn:aws:cloudtrail:*:{}:trail/*", world.account(rng));
            let block = json!({"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": context}});
            statement.insert("Condition".to_owned(), block);
        }
        4 => {
            statement
                .insert("Condition".to_owned(), json!({"StringEquals": {"kms:CallerAccount": world.account(rng)}}));
        }
        5 | 6 => conditions(world, allows, false, &mut statement, rng),
        _ => {}
    }
    Value::Object(statement)
}

pub(crate) fn identity(world: &World, rng: &mut Rng) -> Value {
    let allows = rng.chance(88);
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!(if allows { "Allow" } else { "Deny" }));
    match rng.below(10) {
        0 => {
            statement.insert("Action".to_owned(), json!("*"));
            statement.insert("Resource".to_owned(), json!("*"));
        }
        1 | 2 => {
            statement.insert("Action".to_owned(), json!(rng.pick(&["sts:AssumeRole", "sts:*"])));
            let account = world.account(rng);
            let role = rng.pick(&["*", "reader", "ops", "a*", "team/*"]);
            let resource = if rng.chance(30) { "*".to_owned() } else { format!("arn:aws:iam::{account}:role/{role}") };
            statement.insert("Resource".to_owned(), json!(resource));
        }
        3 => {
            statement.insert("Action".to_owned(), json!(["s3:Get*", "s3:List*", "kms:Decrypt", "sts:AssumeRole"]));
            statement.insert("Resource".to_owned(), json!("*"));
        }
        4 => {
            statement.insert("Action".to_owned(), json!(rng.pick(&["kms:Decrypt", "kms:*"])));
            statement.insert("Resource".to_owned(), json!(if rng.chance(60) { world.key.as_str() } else { "*" }));
        }
        _ => {
            actions(&mut statement, allows, rng);
            resources(world, &mut statement, rng);
        }
    }
    if rng.chance(35) {
        conditions(world, allows, true, &mut statement, rng);
    }
    Value::Object(statement)
}

pub(crate) fn trust(world: &World, account: &str, rng: &mut Rng) -> Value {
    let allows = rng.chance(92);
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!(if allows { "Allow" } else { "Deny" }));
    let other = world.account(rng);
    let principal = match rng.below(12) {
        0 | 1 => json!("*"),
        2..5 => json!({"AWS": format!("arn:aws:iam::{other}:root")}),
        5..8 => {
            json!({"AWS": format!("arn:aws:iam::{other}:role/{}", rng.pick(&["reader", "ops", "auditor", "ghost"]))})
        }
        8 => {
            json!({"AWS": [format!("arn:aws:iam::{account}:role/reader"), format!("arn:aws:iam::{account}:role/ops")]})
        }
        9 => json!({"AWS": format!("arn:aws:iam::{other}:user/alice")}),
        10 => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
        _ => json!({"Service": "ec2.amazonaws.com"}),
    };
    statement.insert("Principal".to_owned(), principal);
    statement
        .insert("Action".to_owned(), json!(rng.pick(&["sts:AssumeRole", "sts:AssumeRole", "sts:*", "sts:TagSession"])));
    match rng.below(8) {
        0 => {
            statement.insert("Condition".to_owned(), json!({"StringEquals": {"sts:ExternalId": "ticket-7"}}));
        }
        1 => {
            statement.insert(
                "Condition".to_owned(),
                json!({"StringEquals": {"aws:PrincipalOrgID": rng.pick(&[ORGANIZATION, OTHER_ORGANIZATION])}}),
            );
        }
        2 | 3 => conditions(world, allows, false, &mut statement, rng),
        _ => {}
    }
    Value::Object(statement)
}

pub(crate) fn scp(world: &World, rng: &mut Rng) -> Value {
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Deny"));
    actions(&mut statement, false, rng);
    statement.insert("Resource".to_owned(), json!(if rng.chance(50) { "*".to_owned() } else { objects(world, rng) }));
    if rng.chance(60) {
        conditions(world, false, true, &mut statement, rng);
    }
    Value::Object(statement)
}

pub(crate) fn rcp(world: &World, rng: &mut Rng) -> Value {
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Deny"));
    statement.insert("Principal".to_owned(), json!("*"));
    let action = rng.pick(&["s3:*", "s3:GetObject", "sts:AssumeRole", "kms:Decrypt", "s3:ListBucket"]);
    statement.insert("Action".to_owned(), json!(action));
    statement.insert("Resource".to_owned(), json!("*"));
    conditions(world, false, false, &mut statement, rng);
    if rng.chance(50) {
        let block = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}});
        statement.insert("Condition".to_owned(), block);
    }
    Value::Object(statement)
}
