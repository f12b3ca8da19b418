//! The accounts, callers, requests and context keys that cases are made of.

use serde_json::{Value, json};

use super::rng::Rng;

/// The account that owns the resources.
pub(crate) const OWNER: &str = "111111111111";
/// Other accounts; the last is in no organization of the others.
pub(crate) const OTHERS: [&str; 3] = ["222222222222", "333333333333", "999999999999"];

/// What a context key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Date,
    Bool,
    Address,
    Arn,
    Bytes,
}

/// A context key that a request may carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) multivalued: bool,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, multivalued: false }
}

const fn list(name: &'static str) -> Key {
    Key { name, kind: Kind::Text, multivalued: true }
}

/// Keys that any request may carry. A tag takes whatever text one writes into it.
const EVERYWHERE: [Key; 28] = [
    key("aws:PrincipalTag/team", Kind::Text),
    key("aws:PrincipalTag/Case", Kind::Text),
    key("aws:PrincipalOrgID", Kind::Text),
    key("aws:SourceVpce", Kind::Text),
    key("aws:UserAgent", Kind::Text),
    key("aws:SourceAccount", Kind::Text),
    key("aws:PrincipalTag/level", Kind::Number),
    key("aws:PrincipalTag/weight", Kind::Number),
    key("aws:MultiFactorAuthAge", Kind::Number),
    key("aws:CurrentTime", Kind::Date),
    key("aws:TokenIssueTime", Kind::Date),
    key("aws:PrincipalTag/until", Kind::Date),
    key("aws:SecureTransport", Kind::Bool),
    key("aws:MultiFactorAuthPresent", Kind::Bool),
    key("aws:ViaAWSService", Kind::Bool),
    key("aws:PrincipalTag/sealed", Kind::Bool),
    key("aws:SourceIp", Kind::Address),
    key("aws:VpcSourceIp", Kind::Address),
    key("aws:PrincipalTag/home", Kind::Address),
    key("aws:SourceArn", Kind::Arn),
    key("aws:PrincipalTag/arn", Kind::Arn),
    key("aws:PrincipalTag/blob", Kind::Bytes),
    key("aws:PrincipalTag/digest", Kind::Bytes),
    list("aws:PrincipalOrgPaths"),
    list("aws:TagKeys"),
    list("aws:CalledVia"),
    // These follow from the caller; as the keys of conditions they need no value in the context.
    key("aws:PrincipalAccount", Kind::Text),
    key("aws:PrincipalArn", Kind::Arn),
];

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    /// An action of the same service that is never asked for.
    pub(crate) other_action: &'static str,
    keys: &'static [Key],
}

impl Target {
    pub(crate) fn service(&self) -> &'static str {
        self.action.split_once(':').unwrap().0
    }

    /// Whether the resource has a policy of its own.
    pub(crate) fn has_policy(&self) -> bool {
        self.resource != "*"
    }

    /// Every key its requests may carry.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().chain(&EVERYWHERE).copied()
    }
}

const OBJECT: &str = "arn:aws:s3:::central-logs/AWSLogs/222222222222/CloudTrail/us-east-1/f.json.gz";
const ODD_OBJECT: &str = "arn:aws:s3:::central-logs/AWSLogs/O-Case/a b+c:(d)[e]/$x{y}/é?.gz";
const BUCKET: &str = "arn:aws:s3:::central-logs";
const ROLE: &str = "arn:aws:iam::111111111111:role/audit/RB";
const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111111111111:events";
const TOPIC: &str = "arn:aws:sns:us-east-1:111111111111:trail";

const ON_LIST: &[Key] =
    &[key("s3:prefix", Kind::Text), key("s3:max-keys", Kind::Number), key("s3:delimiter", Kind::Text)];
const ON_PUT: &[Key] = &[key("s3:x-amz-acl", Kind::Text), key("s3:x-amz-server-side-encryption", Kind::Text)];
const ON_GET: &[Key] = &[key("s3:TlsVersion", Kind::Number), key("s3:signatureAge", Kind::Number)];
const ON_ASSUME: &[Key] = &[
    key("sts:ExternalId", Kind::Text),
    key("sts:RoleSessionName", Kind::Text),
    key("aws:RequestTag/team", Kind::Text),
    list("sts:TransitiveTagKeys"),
];
const ON_TAG: &[Key] = &[key("aws:RequestTag/team", Kind::Text), list("sts:TransitiveTagKeys")];
const ON_KEY: &[Key] = &[
    key("kms:ViaService", Kind::Text),
    key("kms:CallerAccount", Kind::Text),
    list("kms:EncryptionContextKeys"),
    list("kms:ResourceAliases"),
];

const fn target(action: &'static str, resource: &'static str, other: &'static str, keys: &'static [Key]) -> Target {
    Target { action, resource, other_action: other, keys }
}

/// Everything that cases ask for, the frequent ones several times.
pub(crate) const TARGETS: [Target; 16] = [
    target("s3:GetObject", OBJECT, "s3:GetObjectAcl", ON_GET),
    target("s3:GetObject", OBJECT, "s3:GetBucketAcl", ON_GET),
    target("s3:GetObject", ODD_OBJECT, "s3:GetObjectVersion", ON_GET),
    target("s3:ListBucket", BUCKET, "s3:ListBucketVersions", ON_LIST),
    target("s3:PutObject", OBJECT, "s3:PutObjectAcl", ON_PUT),
    target("s3:DeleteObject", OBJECT, "s3:DeleteBucket", ON_GET),
    target("s3:GetBucketPolicy", BUCKET, "s3:PutBucketPolicy", &[]),
    target("sts:AssumeRole", ROLE, "sts:GetFederationToken", ON_ASSUME),
    target("sts:AssumeRole", ROLE, "sts:AssumeRoot", ON_ASSUME),
    target("sts:TagSession", ROLE, "sts:GetCallerIdentity", ON_TAG),
    target("kms:Decrypt", KEY, "kms:DescribeKey", ON_KEY),
    target("kms:Decrypt", KEY, "kms:Encrypt", ON_KEY),
    target("kms:GenerateDataKey", KEY, "kms:GenerateMac", ON_KEY),
    target("sqs:SendMessage", QUEUE, "sqs:ReceiveMessage", &[]),
    target("sns:Publish", TOPIC, "sns:Subscribe", &[]),
    target("cloudtrail:ListTrails", "*", "cloudtrail:ListChannels", &[]),
];

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    Root(String),
    /// Account and name with its path.
    User(String, String),
    /// Account, role with its path, session.
    Session(String, String, String),
    Federated(String, String),
    Service(String),
    Anonymous,
}

impl Who {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        let account = if rng.chance(55) { OWNER } else { rng.pick(&OTHERS) }.to_owned();
        match rng.below(100) {
            0..8 => Who::Root(account),
            8..28 => Who::User(account, rng.pick(&["alice", "team/u/alice", "Alice"]).to_owned()),
            28..68 => {
                let session = rng.pick(&["s1", "i-0abc", "a@example.com", "S1"]).to_owned();
                Who::Session(account, rng.pick(&["Reader", "team/Reader", "reader-2"]).to_owned(), session)
            }
            68..80 => Who::Federated(account, rng.pick(&["alice", "bob"]).to_owned()),
            80..90 => Who::Service(rng.pick(&["cloudtrail.amazonaws.com", "config.amazonaws.com"]).to_owned()),
            _ => Who::Anonymous,
        }
    }

    /// The caller as the request names it.
    pub(crate) fn principal(&self) -> String {
        match self {
            Who::Root(account) => format!("arn:aws:iam::{account}:root"),
            Who::User(account, name) => format!("arn:aws:iam::{account}:user/{name}"),
            Who::Session(account, role, session) => {
                format!("arn:aws:sts::{account}:assumed-role/{}/{session}", last(role))
            }
            Who::Federated(account, name) => format!("arn:aws:sts::{account}:federated-user/{name}"),
            Who::Service(name) => name.clone(),
            Who::Anonymous => "anonymous".to_owned(),
        }
    }

    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Who::Root(account) | Who::User(account, _) | Who::Session(account, ..) | Who::Federated(account, _) => {
                Some(account)
            }
            Who::Service(_) | Who::Anonymous => None,
        }
    }

    /// The role of a session, the user of a federated session.
    pub(crate) fn behind(&self) -> Option<String> {
        match self {
            Who::Session(account, role, _) => Some(format!("arn:aws:iam::{account}:role/{role}")),
            Who::Federated(account, name) => Some(format!("arn:aws:iam::{account}:user/{name}")),
            _ => None,
        }
    }

    /// An entry of a `Principal` that names it in one of AWS's ways: kind of principal and text.
    pub(crate) fn named(&self, rng: &mut Rng) -> (&'static str, String) {
        let everyone = ("AWS", "*".to_owned());
        if rng.chance(15) {
            return everyone;
        }
        match (self, self.account()) {
            (Who::Service(name), _) => ("Service", name.clone()),
            (Who::Root(account), _) => ("AWS", rng.one(&[account.clone(), self.principal()])),
            (_, Some(account)) => match (rng.below(10), self.behind()) {
                (0, _) => ("AWS", account.to_owned()),
                (1..4, _) => ("AWS", format!("arn:aws:iam::{account}:root")),
                (4..7, Some(behind)) => ("AWS", behind),
                _ => ("AWS", self.principal()),
            },
            _ => everyone,
        }
    }

    /// An entry that is nearly its name and names somebody else.
    pub(crate) fn nearly_named(&self, rng: &mut Rng) -> (&'static str, String) {
        let own = match (self.behind(), rng.chance(40)) {
            (Some(behind), true) => behind,
            _ => self.principal(),
        };
        match self {
            Who::Service(name) => {
                ("Service", rng.one(&[name.replace("amazonaws", "amazonaws.cn"), format!("x{name}")]))
            }
            Who::Anonymous => ("AWS", format!("arn:aws:iam::{OWNER}:root")),
            Who::Root(account) => ("AWS", format!("arn:aws:iam::{account}:user/root")),
            _ => {
                let account = self.account().unwrap_or(OWNER);
                let stranger = rng.pick(&["444444444444", "555555555555"]);
                let changed = match rng.below(8) {
                    0 => own.replace(account, stranger),
                    1 => format!("{own}x"),
                    2 => own.replace("/team/", "/teams/").replace("lice", "lices").replace("eader", "eaders"),
                    3 => format!("arn:aws:iam::{stranger}:root"),
                    4 => own
                        .replace("/team/u/", "/")
                        .replace(":user/alice", ":user/nobody")
                        .replace("assumed-role", "federated-user"),
                    5 => return ("Service", "cloudtrail.amazonaws.com".to_owned()),
                    // What AWS shows in place of a user or role that is gone.
                    6 => rng.pick(&["AROADBQP57FF2AEXAMPLE", "AIDACKCEVSQ6C2EXAMPLE"]).to_owned(),
                    _ => return ("Federated", format!("arn:aws:iam::{account}:saml-provider/company")),
                };
                if changed == own { ("AWS", stranger.to_owned()) } else { ("AWS", changed) }
            }
        }
    }
}

/// A `Principal` of such entries, in one of its spellings.
pub(crate) fn principals(rng: &mut Rng, entries: &[(&'static str, String)]) -> Value {
    if let [("AWS", everyone)] = entries
        && everyone == "*"
        && rng.chance(40)
    {
        return json!("*");
    }
    let mut object = serde_json::Map::new();
    for (kind, text) in entries {
        let slot = object.entry(*kind).or_insert_with(|| json!([]));
        let list = slot.as_array_mut().unwrap();
        if !list.contains(&json!(text)) {
            list.push(json!(text));
        }
    }
    for value in object.values_mut() {
        if let Some([one]) = value.as_array().map(Vec::as_slice)
            && rng.chance(60)
        {
            *value = one.clone();
        }
    }
    Value::Object(object)
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
