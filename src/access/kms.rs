//! What KMS adds to policies, and the Decrypt call behind the read of an encrypted object.
//!
//! Sources: KMS Developer Guide, "Key policies in AWS KMS", "Allowing users in other accounts to use a KMS key", "Grants in
//! AWS KMS", "Key states of AWS KMS keys", "AWS KMS condition keys"; S3 User Guide, "Using server-side encryption with AWS
//! KMS keys"; CloudTrail User Guide, "Encrypting CloudTrail log files with AWS KMS keys".

#[cfg(test)]
mod tests;

use compact_str::CompactString;

use crate::access::evaluate::{Evaluation, Policies, Side, StopKind};
use crate::access::principals;
use crate::access::request::{Given, Request};
use crate::aws::{AccountId, Arn, ConditionKey};
use crate::estate::{Grant, GrantConstraints, KeyManager};
use crate::finding::StepEffect;
use crate::policy::condition::{Context, KeyValue, Tri};
use crate::policy::{Policy, PolicyKind, Principal, PrincipalKind};

const CONTEXT: &str = "kms:EncryptionContext:";

/// What KMS knows of a key besides its policy.
#[derive(Debug, Clone, Copy)]
pub struct KeyFacts<'p> {
    /// Who manages it; `None` where that is not known, which is taken for a customer.
    pub manager: Option<KeyManager>,
    /// Its state, such as `Enabled`; `None` where it is not known.
    pub state: Option<&'p str>,
    /// Its grants; `None` where they are not known.
    pub grants: Option<&'p [Grant]>,
}

impl Default for KeyFacts<'_> {
    /// A customer managed key that is enabled and has no grants.
    fn default() -> Self {
        KeyFacts { manager: Some(KeyManager::Customer), state: Some("Enabled"), grants: Some(&[]) }
    }
}

impl KeyFacts<'_> {
    /// Whether it is an AWS managed key such as `aws/s3`: its own account uses it through the service, nobody else does.
    pub fn is_aws_managed(&self) -> bool {
        self.manager == Some(KeyManager::Aws)
    }
}

impl Evaluation<'_> {
    /// Whether key policy, grants and state of the key let a request for it through.
    pub(in crate::access) fn unlocked(&mut self, key: &KeyFacts<'_>) -> Tri {
        let request = self.request;
        let crosses = matches!((request.caller.account(), request.resource_account), (Some(a), Some(b)) if a != b);
        if crosses && !works_across_accounts(request.action.name()) {
            let message = format!("KMS does not support `{}` on keys of other accounts", request.action);
            self.stop(StopKind::Key, message, None, None);
            return Tri::False;
        }
        let by_policy = match self.policies.resource {
            Side::Policies(_) => self.permitted().met,
            _ if key.is_aws_managed() => self.through_s3(),
            _ => self.permitted().met,
        };
        let met = match by_policy {
            Tri::True => Tri::True,
            // AWS alone makes grants on its own keys.
            other if key.is_aws_managed() => other,
            other => other.or(self.by_grant(key)),
        };
        if met == Tri::False { met } else { met.and(self.usable(key)) }
    }

    /// What the policy of `aws/s3`, which nobody can change, says: principals of its own account, through S3.
    fn through_s3(&mut self) -> Tri {
        let own = match (self.request.caller.account(), self.request.resource_account) {
            (None, _) => Tri::False,
            (Some(_), None) => {
                self.depend("the account that owns the key");
                Tri::Unknown
            }
            (Some(caller), Some(owner)) => Tri::from(caller == owner),
        };
        let service = ConditionKey::new("kms:ViaService");
        let through = match self.request.value(&service) {
            KeyValue::One(service) => Tri::from(service.starts_with("s3.")),
            KeyValue::Unknown | KeyValue::Present => {
                self.depend_on_key("kms:ViaService");
                Tri::Unknown
            }
            KeyValue::Absent | KeyValue::Many(_) => Tri::False,
        };
        let met = own.and(through);
        let words = "its own account can use an AWS managed key through S3";
        match met {
            Tri::False => {
                let words = "only its own account can use an AWS managed key, and only through S3";
                self.stop(StopKind::Key, words.to_owned(), None, None);
            }
            Tri::Unknown => self.step(StepEffect::If, || words.to_owned(), None),
            Tri::True => self.step(StepEffect::Allows, || words.to_owned(), None),
        }
        met
    }

    /// Whether a grant gives the operation to the caller; a grant never takes anything away.
    fn by_grant(&mut self, key: &KeyFacts<'_>) -> Tri {
        let Some(grants) = key.grants else {
            self.depend("the grants of the key");
            return Tri::Unknown;
        };
        let operation = self.request.action.name();
        let mut met = Tri::False;
        let mut of_others: Option<(&Grant, usize)> = None;
        for grant in grants {
            if !grant.operations.iter().any(|granted| granted.eq_ignore_ascii_case(operation)) {
                continue;
            }
            let here = match self.is_grantee(grant) {
                Tri::False => {
                    let count = of_others.map_or(0, |(_, count)| count);
                    of_others = Some((of_others.map_or(grant, |(first, _)| first), count + 1));
                    continue;
                }
                grantee => grantee.and(self.meets(&grant.constraints)),
            };
            if here != Tri::False {
                let effect = if here == Tri::True { StepEffect::Allows } else { StepEffect::If };
                self.step(
                    effect,
                    || format!("grant `{}` allows it, by grant and not by policy", grant.id),
                    Some(grant.span),
                );
            }
            met = met.or(here);
        }
        if met == Tri::False
            && self.is_told()
            && let Some((grant, count)) = of_others
            && let Some(grantee) = &grant.grantee
        {
            let more = if count > 1 { format!(", and {} more to others", count - 1) } else { String::new() };
            let words = format!("grant `{}` allows it, but only to `{}`{more}", grant.id, grantee.value);
            self.stop(StopKind::Missing(PolicyKind::Key), words, Some(grant.span), None);
        }
        met
    }

    /// Whether a grant is made to the caller. Where it names an account, that account's own policies decide.
    fn is_grantee(&mut self, grant: &Grant) -> Tri {
        let Some(grantee) = &grant.grantee else {
            self.depend("whom a grant is made to");
            return Tri::Unknown;
        };
        let is_service = !grantee.value.starts_with("arn:") && grantee.value.contains('.');
        let kind = if is_service { PrincipalKind::Service } else { PrincipalKind::Aws };
        let named = principals::names(&Principal::parse(kind, &grantee.value), &self.request.caller, None);
        let limited = match named.role.or(named.user_session) {
            Tri::False => Tri::False,
            named => named.and(self.limits()),
        };
        let delegated = match named.account {
            Tri::False => Tri::False,
            named => named.and(self.own_account_allows()),
        };
        named.direct.or(limited).or(delegated)
    }

    fn meets(&mut self, constraints: &GrantConstraints) -> Tri {
        let request = self.request;
        let carries = |key: &str, wanted: &str| match request.value(&ConditionKey::new(key)) {
            KeyValue::One(value) => Tri::from(value == wanted),
            KeyValue::Many(_) | KeyValue::Absent => Tri::False,
            KeyValue::Unknown | KeyValue::Present => Tri::Unknown,
        };
        let all = |pairs: &[(CompactString, CompactString)]| {
            pairs.iter().fold(Tri::True, |so_far, (key, value)| so_far.and(carries(&format!("{CONTEXT}{key}"), value)))
        };
        // KMS compares the names of pairs as they are; condition keys have lost their case here.
        let nothing_else = |pairs: &[(CompactString, CompactString)]| {
            let others = request.context.iter().filter(|(key, _)| {
                let name = key.starts_with(CONTEXT).then(|| key.as_str().get(CONTEXT.len()..)).flatten();
                name.is_some_and(|name| !pairs.iter().any(|(wanted, _)| wanted.eq_ignore_ascii_case(name)))
            });
            others.fold(Tri::True, |so_far, (_, given)| {
                so_far.and(match given {
                    Given::Absent => Tri::True,
                    Given::Unknown => Tri::Unknown,
                    Given::Values(_) | Given::Present => Tri::False,
                })
            })
        };
        let subset = constraints.encryption_context_subset.as_deref().map_or(Tri::True, all);
        let equals = constraints.encryption_context_equals.as_deref();
        let equals = equals.map_or(Tri::True, |pairs| all(pairs).and(nothing_else(pairs)));
        let source = constraints.source_arn.as_deref().map_or(Tri::True, |arn| carries("aws:SourceArn", arn));
        let other = if constraints.other.is_some() { Tri::Unknown } else { Tri::True };
        let met = subset.and(equals).and(source).and(other);
        if met == Tri::Unknown {
            self.depend("the constraints of a grant");
        }
        met
    }

    /// Whether the state of the key lets it work at all, which no policy changes.
    fn usable(&mut self, key: &KeyFacts<'_>) -> Tri {
        if !is_cryptographic(self.request.action.name()) {
            return Tri::True;
        }
        match key.state {
            Some("Enabled" | "Updating") => Tri::True,
            Some(
                state @ ("Disabled"
                | "PendingDeletion"
                | "PendingReplicaDeletion"
                | "PendingImport"
                | "Unavailable"
                | "Creating"),
            ) => {
                let need = "a key that is `Enabled`".to_owned();
                let words = format!("the state of the key is `{state}`: it decrypts nothing");
                self.stop(StopKind::Key, words, None, Some(need));
                Tri::False
            }
            _ => {
                self.depend("the state of the key");
                Tri::Unknown
            }
        }
    }
}

fn is_cryptographic(operation: &str) -> bool {
    const OPERATIONS: [&str; 15] = [
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
        "GenerateMac",
        "VerifyMac",
        "Sign",
        "Verify",
        "DeriveSharedSecret",
        "ReEncrypt",
        "GenerateRandom",
    ];
    OPERATIONS.iter().any(|known| operation.eq_ignore_ascii_case(known))
}

/// Whether KMS lets other accounts do it at all (KMS Developer Guide, the operations table).
fn works_across_accounts(operation: &str) -> bool {
    const OTHERS: [&str; 7] = [
        "CreateGrant",
        "DescribeKey",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "RetireGrant",
        "RevokeGrant",
    ];
    is_cryptographic(operation) || OTHERS.iter().any(|known| operation.eq_ignore_ascii_case(known))
}

/// A key that an object is encrypted under, and what S3 tells KMS with it.
#[derive(Debug, Clone)]
pub struct ObjectKey<'p> {
    /// The key's ARN.
    pub arn: &'p str,
    /// The account of the key; that of its ARN where it is not given.
    pub account: Option<AccountId>,
    /// The trail that delivered the object, as an ARN; absent where none did.
    pub trail: Given,
    /// Whether the object is under an S3 Bucket Key, so that the context names the bucket.
    pub bucket_key: Tri,
    /// What else the encryption context holds, in the place of what S3 gives where it is the same key.
    pub encryption_context: &'p [(CompactString, CompactString)],
}

impl<'p> ObjectKey<'p> {
    /// A key in the account of its ARN, without Bucket Key or trail.
    pub fn new(arn: &'p str) -> Self {
        let account = Arn::parse(arn).and_then(|arn| arn.account_id());
        ObjectKey { arn, account, trail: Given::Absent, bucket_key: Tri::False, encryption_context: &[] }
    }

    /// The Decrypt request that S3 makes for the caller of a read.
    ///
    /// Keys that tell of the caller stay; those of the network are not known, as the call comes from S3.
    pub fn decrypt(&self, read: &Request) -> Request {
        let mut request = Request::new(read.caller.clone(), "kms:Decrypt", self.arn, self.account);
        request.otherwise = read.otherwise;
        for (key, given) in read.context.iter().filter(|(key, _)| goes_along(key.as_str())) {
            request.context.insert(key.clone(), given.clone());
        }
        let one = |text: &str| Given::Values(vec![text.into()]);
        if self.account.is_some() && self.account == read.resource_account {
            for key in ["aws:ResourceOrgID", "aws:ResourceOrgPaths"] {
                if let Some(given) = read.context.get(&ConditionKey::new(key)) {
                    request.set(key, given.clone());
                }
            }
        }
        for key in ["aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"] {
            request.set(key, Given::Unknown);
        }
        request.set("aws:ViaAWSService", one("true"));
        // KMS answers over TLS only.
        request.set("aws:SecureTransport", one("true"));
        match Arn::parse(self.arn) {
            Some(arn) if !arn.region.is_empty() => {
                let end = if arn.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
                request.set("kms:ViaService", one(&format!("s3.{}.{end}", arn.region)));
            }
            _ => request.set("kms:ViaService", Given::Present),
        }
        self.put_context(&mut request, read);
        request
    }

    fn put_context(&self, request: &mut Request, read: &Request) {
        const TRAIL: &str = "aws:cloudtrail:arn";
        const OBJECT: &str = "aws:s3:arn";
        let bucket = read.resource.split('/').next().unwrap_or(&read.resource);
        let object = match self.bucket_key {
            Tri::True => Given::Values(vec![bucket.into()]),
            Tri::False => Given::Values(vec![read.resource.clone()]),
            Tri::Unknown => Given::Present,
        };
        let mut names: Vec<CompactString> = vec![OBJECT.into()];
        request.set(&format!("{CONTEXT}{OBJECT}"), object);
        let certain = match &self.trail {
            Given::Absent => true,
            Given::Unknown => false,
            Given::Values(_) | Given::Present => {
                names.push(TRAIL.into());
                true
            }
        };
        if self.trail != Given::Absent {
            request.set(&format!("{CONTEXT}{TRAIL}"), self.trail.clone());
        }
        for (key, value) in self.encryption_context {
            request.set(&format!("{CONTEXT}{key}"), Given::Values(vec![value.clone()]));
            if !names.contains(key) {
                names.push(key.clone());
            }
        }
        let names = if certain { Given::Values(names) } else { Given::Present };
        request.set("kms:EncryptionContextKeys", names);
        request.set("kms:EncryptionAlgorithm", Given::Values(vec!["SYMMETRIC_DEFAULT".into()]));
    }
}

/// Whether a condition key of a read says of the caller what holds for the Decrypt call too.
fn goes_along(key: &str) -> bool {
    const OWN: [&str; 4] = ["aws:resource", "aws:requesttag/", "aws:tagkeys", "aws:viaawsservice"];
    key.starts_with("aws:") && !OWN.iter().any(|own| key.starts_with(own))
}

/// The policies that decide a Decrypt call: those of the reader's side, and those of the key.
pub fn decrypt_policies<'p>(
    read: &Policies<'p>,
    key_policy: Side<'p>,
    rcp: &'p [Vec<&'p Policy>],
    key: &'p KeyFacts<'p>,
) -> Policies<'p> {
    // The policy of an S3 endpoint does not see the call that S3 makes.
    Policies { resource: key_policy, rcp, endpoint: Side::None, storage: None, key: Some(key), ..*read }
}
