//! A concrete request: who, what, on what, with which context.
//!
//! Source: IAM User Guide, "AWS global condition context keys" (who carries which key).

use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;

use crate::aws::{AccountId, ActionName, Arn, ConditionKey, partition_of};
use crate::policy::condition::{Context, KeyValue};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The root user of an account.
    Root(AccountId),
    /// An IAM user; the name with its path.
    User(AccountId, CompactString),
    /// A session of a role: the role's name, with its path where it is known, and the session's name where it is.
    Session(AccountId, CompactString, Option<CompactString>),
    /// A session made with GetFederationToken.
    FederatedUser(AccountId, CompactString),
    /// An AWS service for itself.
    Service(CompactString),
    /// Someone whom a SAML or OIDC provider vouches for, calling AssumeRoleWith….
    Provider(CompactString),
    /// An unsigned request.
    Anonymous,
}

impl Caller {
    /// Reads an ARN, an account ID (its root user), a service name, or `anonymous`.
    ///
    /// A role ARN is a session of that role with a name that is not known.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "anonymous" {
            return Some(Caller::Anonymous);
        }
        if let Some(account) = AccountId::parse(text) {
            return Some(Caller::Root(account));
        }
        let Some(arn) = Arn::parse(text) else {
            let service = text.contains('.') && !text.contains(|c: char| c.is_whitespace() || c == ':' || c == '/');
            return match text {
                "accounts.google.com" | "cognito-identity.amazonaws.com" | "graph.facebook.com" | "www.amazon.com" => {
                    Some(Caller::Provider(text.into()))
                }
                _ => service.then(|| Caller::Service(text.into())),
            };
        };
        if arn.service == "iam" && (arn.resource_of("saml-provider").or(arn.resource_of("oidc-provider"))).is_some() {
            return Some(Caller::Provider(text.into()));
        }
        let account = arn.account_id()?;
        let named = |kind: &str| arn.resource_of(kind).filter(|name| !name.is_empty());
        match arn.service {
            "iam" if arn.resource == "root" => Some(Caller::Root(account)),
            "iam" => named("role")
                .map(|role| Caller::Session(account, role.into(), None))
                .or_else(|| named("user").map(|user| Caller::User(account, user.into()))),
            "sts" => match named("assumed-role").and_then(|rest| rest.split_once('/')) {
                Some((role, session)) => Some(Caller::Session(account, role.into(), Some(session.into()))),
                None => named("federated-user").map(|name| Caller::FederatedUser(account, name.into())),
            },
            _ => None,
        }
    }

    /// Its account; services, providers and unsigned requests have none.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Caller::Root(account)
            | Caller::User(account, _)
            | Caller::Session(account, _, _)
            | Caller::FederatedUser(account, _) => Some(*account),
            Caller::Service(_) | Caller::Provider(_) | Caller::Anonymous => None,
        }
    }

    /// Whether it is a session of a service-linked role, which SCPs and RCPs do not bind.
    pub fn is_service_linked(&self) -> bool {
        matches!(self, Caller::Session(_, role, _) if role.starts_with("aws-service-role/"))
    }

    /// The value of `aws:PrincipalArn` in the commercial partition; a session has the ARN of its role.
    pub fn principal_arn(&self) -> Option<String> {
        match self {
            Caller::Session(account, role, _) => Some(format!("arn:aws:iam::{account}:role/{role}")),
            Caller::Root(_) | Caller::User(..) | Caller::FederatedUser(..) => Some(self.to_string()),
            Caller::Service(_) | Caller::Provider(_) | Caller::Anonymous => None,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Root(account) => write!(f, "arn:aws:iam::{account}:root"),
            Caller::User(account, name) => write!(f, "arn:aws:iam::{account}:user/{name}"),
            Caller::Session(account, role, None) => write!(f, "arn:aws:iam::{account}:role/{role}"),
            Caller::Session(account, role, Some(session)) => {
                let name = role.rsplit('/').next().unwrap_or(role);
                write!(f, "arn:aws:sts::{account}:assumed-role/{name}/{session}")
            }
            Caller::FederatedUser(account, name) => write!(f, "arn:aws:sts::{account}:federated-user/{name}"),
            Caller::Service(name) | Caller::Provider(name) => f.write_str(name),
            Caller::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// An ARN of the commercial partition in that of a resource.
fn in_partition_of(resource: &str, arn: String) -> String {
    match (partition_of(resource), arn.strip_prefix("arn:aws:")) {
        ("aws" | "" | "*", _) | (_, None) => arn,
        (partition, Some(rest)) => format!("arn:{partition}:{rest}"),
    }
}

/// What is to be thought of keys that a request does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The context is complete: they are absent.
    Absent,
    /// What the request itself would carry is absent; what only the caller's situation decides is not known.
    Situation,
}

/// What a request has for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// These values; one is a single value.
    Values(Vec<CompactString>),
    /// It is there with a value that is not known.
    Present,
    /// It is not there.
    Absent,
    /// Whether it is there is not known.
    Unknown,
}

impl Given {
    /// What conditions compare with.
    pub fn value(&self) -> KeyValue<'_> {
        match self {
            Given::Values(values) => match values.as_slice() {
                [one] => KeyValue::One(one),
                many => KeyValue::Many(many),
            },
            Given::Present => KeyValue::Present,
            Given::Absent => KeyValue::Absent,
            Given::Unknown => KeyValue::Unknown,
        }
    }
}

/// What a request has for the keys that are given, in order of key: a list, as requests carry few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<(ConditionKey, Given)>);

impl Keys {
    /// What the request has for a key.
    pub fn get(&self, key: &ConditionKey) -> Option<&Given> {
        let at = self.0.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
        self.0.get(at).map(|(_, given)| given)
    }

    /// Gives a key, in place of what the request had for it.
    pub fn insert(&mut self, key: ConditionKey, given: Given) {
        match self.0.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = given;
                }
            }
            Err(at) => self.0.insert(at, (key, given)),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&ConditionKey, &Given)> {
        self.0.iter().map(|(key, given)| (key, given))
    }
}

/// A concrete request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// For what.
    pub action: ActionName,
    /// On what: an ARN, or `*` for actions without a resource.
    pub resource: CompactString,
    /// The account that owns the resource, where known.
    pub resource_account: Option<AccountId>,
    /// Context keys that are given; others follow from the request or from [`Request::otherwise`].
    pub context: Keys,
    /// What all other keys are.
    pub otherwise: Otherwise,
    /// Keys that follow from the request.
    derived: Arc<[(&'static str, CompactString)]>,
}

impl Request {
    /// A request with an empty context.
    pub fn new(caller: Caller, action: &str, resource: &str, resource_account: Option<AccountId>) -> Self {
        let mut request = Request {
            caller,
            action: ActionName::new(action),
            resource: resource.into(),
            resource_account,
            context: Keys::default(),
            otherwise: Otherwise::Absent,
            derived: Arc::new([]),
        };
        request.derived = request.derive().into();
        request
    }

    /// Gives a key one value.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, Given::Values(vec![value.into()]));
        self
    }

    /// Says what the request has for a key.
    pub fn set(&mut self, key: &str, given: Given) {
        self.context.insert(ConditionKey::new(key), given);
    }

    /// The ARN of the caller; principals and the resources they get at are of one partition.
    pub fn caller_arn(&self) -> String {
        in_partition_of(&self.resource, self.caller.to_string())
    }

    /// The keys that follow from caller and resource.
    fn derive(&self) -> Vec<(&'static str, CompactString)> {
        let mut keys: Vec<(&'static str, CompactString)> = Vec::with_capacity(8);
        let mut put = |key, value: &str| keys.push((key, value.into()));
        if let Some(arn) = self.caller.principal_arn() {
            put("aws:principalarn", &in_partition_of(&self.resource, arn));
        }
        if let Some(account) = self.caller.account() {
            put("aws:principalaccount", account.as_str());
            put("kms:calleraccount", account.as_str());
        }
        let (kind, is_service) = match &self.caller {
            Caller::Root(account) => {
                put("aws:userid", account.as_str());
                ("Account", "false")
            }
            Caller::User(_, name) => {
                put("aws:username", name.rsplit('/').next().unwrap_or(name));
                ("User", "false")
            }
            Caller::Session(..) => ("AssumedRole", "false"),
            Caller::FederatedUser(account, name) => {
                put("aws:userid", &format!("{account}:{name}"));
                ("FederatedUser", "false")
            }
            Caller::Service(name) => {
                put("aws:principalservicename", name);
                put("aws:principalservicenameslist", name);
                ("AWSService", "true")
            }
            Caller::Provider(_) => ("", ""),
            Caller::Anonymous => {
                put("aws:principalaccount", "anonymous");
                put("aws:userid", "anonymous");
                ("Anonymous", "")
            }
        };
        if !kind.is_empty() {
            put("aws:principaltype", kind);
        }
        if !is_service.is_empty() {
            put("aws:principalisawsservice", is_service);
        }
        if let Some(account) = self.resource_account {
            put("aws:resourceaccount", account.as_str());
            if self.action.is_of("s3") {
                put("s3:resourceaccount", account.as_str());
            }
        }
        keys
    }

    /// What an unnamed key is where the caller's situation is open.
    fn situation(&self, key: &ConditionKey) -> KeyValue<'_> {
        let name = key.as_str();
        let identity = matches!(self.caller, Caller::Root(_) | Caller::User(..) | Caller::Session(..));
        match name {
            // A service alone calls on behalf of a resource; AWS documents these keys for no one else.
            "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths"
                if !matches!(self.caller, Caller::Service(_)) =>
            {
                KeyValue::Absent
            }
            "aws:userid" if identity || matches!(self.caller, Caller::FederatedUser(..)) => KeyValue::Present,
            "aws:principalservicename" | "aws:principalservicenameslist" | "aws:username" => KeyValue::Absent,
            "aws:viaawsservice" | "aws:securetransport" => KeyValue::Unknown,
            _ if name.starts_with("aws:principal") && self.caller.account().is_none() => KeyValue::Absent,
            _ if name.starts_with("aws:multifactorauth") && !identity => KeyValue::Absent,
            _ if carried_by_request(name) => KeyValue::Absent,
            _ => KeyValue::Unknown,
        }
    }
}

/// Whether a key tells what the request itself carries, so that leaving it out means that it is absent.
pub fn carried_by_request(key: &str) -> bool {
    const CARRIED: [&str; 8] =
        ["sts:", "s3:", "kms:", "iam:", "aws:requesttag/", "aws:tagkeys", "aws:requestedregion", "cloudtrail:"];
    const SITUATION: [&str; 4] = ["s3:existingobjecttag/", "s3:buckettag/", "s3:tlsversion", "kms:resourcealiases"];
    CARRIED.iter().any(|prefix| key.starts_with(prefix)) && !SITUATION.iter().any(|prefix| key.starts_with(prefix))
}

impl Context for Request {
    fn is_open(&self) -> bool {
        self.otherwise == Otherwise::Situation
    }

    fn value(&self, key: &ConditionKey) -> KeyValue<'_> {
        if let Some(given) = self.context.get(key) {
            return given.value();
        }
        if let Some((_, value)) = self.derived.iter().find(|(name, _)| *name == key.as_str()) {
            return match key.as_str() {
                "aws:principalservicenameslist" => KeyValue::Many(std::slice::from_ref(value)),
                _ => KeyValue::One(value),
            };
        }
        match self.otherwise {
            Otherwise::Absent => KeyValue::Absent,
            Otherwise::Situation => self.situation(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_of_the_partition_of_what_it_asks_for() {
        let request = |resource: &str| {
            Request::new(
                Caller::parse("arn:aws:sts::222222222222:assumed-role/r/s").unwrap(),
                "s3:GetObject",
                resource,
                None,
            )
        };
        let key = ConditionKey::new("aws:PrincipalArn");
        for (resource, partition) in [
            ("arn:aws-us-gov:s3:::b/k", "aws-us-gov"),
            ("arn:aws-cn:s3:::b/k", "aws-cn"),
            ("arn:aws:s3:::b/k", "aws"),
            ("*", "aws"),
        ] {
            let request = request(resource);
            let KeyValue::One(arn) = request.value(&key) else { panic!("{resource}") };
            assert_eq!(arn, format!("arn:{partition}:iam::222222222222:role/r"));
            assert_eq!(request.caller_arn(), format!("arn:{partition}:sts::222222222222:assumed-role/r/s"));
        }
    }

    #[test]
    fn callers_read_from_each_form_and_print_back() {
        for text in [
            "arn:aws:iam::222222222222:root",
            "arn:aws:iam::222222222222:user/p/u",
            "arn:aws:iam::222222222222:role/p/r",
            "arn:aws:sts::222222222222:assumed-role/r/s",
            "arn:aws:sts::222222222222:federated-user/n",
            "cloudtrail.amazonaws.com",
            "arn:aws:iam::222222222222:saml-provider/x",
            "anonymous",
        ] {
            assert_eq!(Caller::parse(text).map(|c| c.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Caller::parse("222222222222"), Caller::parse("arn:aws:iam::222222222222:root"));
        for text in ["", "nobody", "arn:aws:s3:::b", "arn:aws:iam::222222222222:group/g"] {
            assert_eq!(Caller::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_open_situation_leaves_the_network_open_and_the_parameters_absent() {
        let mut request = Request::new(Caller::parse("222222222222").unwrap(), "s3:ListBucket", "arn:aws:s3:::b", None);
        request.otherwise = Otherwise::Situation;
        let value = |key: &str| request.value(&ConditionKey::new(key));
        assert_eq!(value("aws:SourceIp"), KeyValue::Unknown);
        assert_eq!(value("s3:prefix"), KeyValue::Absent);
        assert_eq!(value("aws:SourceArn"), KeyValue::Absent);
        assert_eq!(value("AWS:PrincipalAccount"), KeyValue::One("222222222222"));
    }
}
