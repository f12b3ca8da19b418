//! The `settings` of a case: what S3 and KMS know besides policies.

use compact_str::CompactString;

use super::{levels, list};
use crate::access::evaluate::Side;
use crate::access::kms::{KeyFacts, ObjectKey};
use crate::access::request::Request;
use crate::access::s3::{ObjectOwner, Ownership, Storage, is_public};
use crate::aws::{AccountId, Arn};
use crate::collect::{read_acl_grant, read_grant};
use crate::estate::{AclGrant, AclPermission, Grant, KeyManager};
use crate::policy::condition::Tri;
use crate::policy::{Policy, PolicyKind};
use crate::syntax::json::{Json, Kind};

/// The settings of a case, owned.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The account to which SCPs and RCPs do not apply.
    pub(super) management: Option<AccountId>,
    /// What S3 knows; `None` where no setting speaks of it.
    storage: Option<StorageSettings>,
    canonical_ids: Vec<(CompactString, AccountId)>,
    /// The key that the object is under, or that is asked for.
    pub(super) key: Option<KeySettings>,
}

#[derive(Debug, Default)]
struct StorageSettings {
    restrict_public_buckets: bool,
    ignore_public_acls: bool,
    acls_count: bool,
    owner: Option<ObjectOwner>,
    bucket_acl: Vec<AclGrant>,
    object_acl: Vec<AclGrant>,
}

/// A KMS key.
#[derive(Debug)]
pub(super) struct KeySettings {
    arn: Option<CompactString>,
    /// Its policy.
    pub(super) policy: Vec<Policy>,
    grants: Vec<Grant>,
    state: CompactString,
    manager: KeyManager,
    encryption_context: Vec<(CompactString, CompactString)>,
    bucket_key: bool,
    /// The RCPs above its account, where they are others than those above the bucket's.
    pub(super) rcp: Option<Vec<Vec<Policy>>>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// A setting that is not known, or a value that it does not take, in words.
    pub(super) fn read(json: Option<Json<'_>>, request: &Request) -> Result<Self, String> {
        let mut settings = Settings::default();
        let Some(json) = json else { return Ok(settings) };
        object(json, "settings")?;
        for (name, value) in json.members() {
            let name = name.as_str().unwrap_or_default();
            let wrong = || format!("the setting `{name}` can not be `{}`", value.raw());
            match name.as_ref() {
                "management_account" => settings.management = Some(account(value).ok_or_else(wrong)?),
                "canonical_ids" => {
                    object(value, "settings.canonical_ids")?;
                    for (id, of) in value.members() {
                        let id = id.as_str().unwrap_or_default();
                        settings.canonical_ids.push((CompactString::new(&id), account(of).ok_or_else(wrong)?));
                    }
                }
                "kms_key" => settings.key = Some(KeySettings::read(value, request)?),
                _ => {
                    let storage = settings.storage.get_or_insert_default();
                    if !storage.set(&name, value).ok_or_else(wrong)? {
                        return Err(format!("there is no setting `{name}`"));
                    }
                }
            }
        }
        Ok(settings)
    }

    /// The canonical ID of the caller's account.
    pub(super) fn canonical(&self, request: &Request) -> Option<&str> {
        let account = request.caller.account()?;
        self.canonical_ids.iter().find(|(_, of)| *of == account).map(|(id, _)| id.as_str())
    }

    /// What S3 knows, beside the bucket policy.
    pub(super) fn storage(&self, bucket_policy: Side<'_>) -> Option<Storage<'_>> {
        let given = self.storage.as_ref()?;
        let policies = match bucket_policy {
            Side::Policies(policies) => policies,
            _ => &[],
        };
        let unsettled = if given.acls_count { ObjectOwner::Unknown } else { ObjectOwner::Bucket };
        Some(Storage {
            ownership: if given.acls_count { Ownership::AclsCount } else { Ownership::Enforced },
            object_owner: given.owner.unwrap_or(unsettled),
            bucket_acl: Some(&given.bucket_acl),
            object_acl: Some(&given.object_acl),
            canonical_ids: &self.canonical_ids,
            restrict_public_buckets: given.restrict_public_buckets.into(),
            ignore_public_acls: given.ignore_public_acls.into(),
            policy_is_public: policies.iter().fold(Tri::False, |so_far, policy| so_far.or(is_public(policy))),
        })
    }

    /// What KMS knows, beside the key policy.
    pub(super) fn key_facts(&self) -> Option<KeyFacts<'_>> {
        self.key.as_ref().map(|key| KeyFacts {
            manager: Some(key.manager),
            state: Some(&key.state),
            grants: Some(&key.grants),
        })
    }

    /// The policy of the key that the object is under.
    pub(super) fn key_policy(&self) -> impl Iterator<Item = &Policy> {
        self.key.iter().flat_map(|key| key.policy.iter().chain(key.rcp.iter().flatten().flatten()))
    }
}

impl StorageSettings {
    /// Takes one setting; whether there is such a one. `None` where the value is none that it takes.
    fn set(&mut self, name: &str, value: Json<'_>) -> Option<bool> {
        match name {
            "s3_restrict_public_buckets" => self.restrict_public_buckets = value.as_bool()?,
            "s3_ignore_public_acls" => self.ignore_public_acls = value.as_bool()?,
            "s3_object_ownership" => {
                self.acls_count = match value.as_str()?.as_ref() {
                    "BucketOwnerEnforced" => false,
                    "BucketOwnerPreferred" | "ObjectWriter" => true,
                    _ => return None,
                }
            }
            "s3_object_owner" => {
                self.owner = Some(match value.scalar_text()?.as_ref() {
                    "cloudtrail" => ObjectOwner::CloudTrail,
                    "unknown" => ObjectOwner::Unknown,
                    _ => ObjectOwner::Account(account(value)?),
                })
            }
            "s3_bucket_acl" => self.bucket_acl = acl(value)?,
            "s3_object_acl" => self.object_acl = acl(value)?,
            _ => return Some(false),
        }
        Some(true)
    }
}

impl KeySettings {
    fn read(json: Json<'_>, request: &Request) -> Result<Self, String> {
        object(json, "settings.kms_key")?;
        let mut key = KeySettings {
            arn: None,
            policy: Vec::new(),
            grants: Vec::new(),
            state: "Enabled".into(),
            manager: KeyManager::Customer,
            encryption_context: Vec::new(),
            bucket_key: false,
            rcp: None,
        };
        for (name, value) in json.members() {
            let name = name.as_str().unwrap_or_default();
            let wrong = || format!("the setting `kms_key.{name}` can not be `{}`", value.raw());
            match name.as_ref() {
                "arn" => {
                    let text = value.as_str().filter(|text| Arn::parse(text).is_some_and(|arn| arn.service == "kms"));
                    key.arn = Some(text.ok_or_else(wrong)?.into());
                }
                "policy" => key.policy = list(value, PolicyKind::Key)?,
                "grants" if value.kind() == Kind::Array => key.grants = value.elements().map(read_grant).collect(),
                "state" => key.state = value.as_str().ok_or_else(wrong)?.into(),
                "manager" => {
                    key.manager = match value.as_str().as_deref() {
                        Some("AWS") => KeyManager::Aws,
                        Some("CUSTOMER") => KeyManager::Customer,
                        _ => return Err(wrong()),
                    }
                }
                "encryption_context" => {
                    object(value, "settings.kms_key.encryption_context")?;
                    for (name, value) in value.members() {
                        let name = name.as_str().unwrap_or_default();
                        key.encryption_context.push((name.into(), value.as_str().ok_or_else(wrong)?.into()));
                    }
                }
                "bucket_key" => key.bucket_key = value.as_bool().ok_or_else(wrong)?,
                "rcp" => key.rcp = Some(levels(value, PolicyKind::Rcp)?),
                "grants" => return Err(wrong()),
                _ => return Err(format!("there is no setting `kms_key.{name}`")),
            }
        }
        match key.arn {
            None if request.action.is_of("s3") => Err("the setting `kms_key.arn` is missing".to_owned()),
            _ if request.action.is_of("kms") && !key.policy.is_empty() => {
                Err("the policy of a key that is asked for is `policies.resource`, not `kms_key.policy`".to_owned())
            }
            _ => Ok(key),
        }
    }

    /// The key as one that the object is under.
    pub(super) fn object_key(&self) -> Option<ObjectKey<'_>> {
        let arn = self.arn.as_deref()?;
        let (bucket_key, encryption_context) = (self.bucket_key.into(), self.encryption_context.as_slice());
        Some(ObjectKey { bucket_key, encryption_context, ..ObjectKey::new(arn) })
    }
}

fn object(json: Json<'_>, name: &str) -> Result<(), String> {
    match json.kind() {
        Kind::Object => Ok(()),
        _ => Err(format!("`{name}` is no object")),
    }
}

fn account(json: Json<'_>) -> Option<AccountId> {
    AccountId::parse(&json.scalar_text()?)
}

/// Grants as `s3api get-bucket-acl` shows them.
fn acl(json: Json<'_>) -> Option<Vec<AclGrant>> {
    let known = |grant: &AclGrant| !matches!(grant.permission, AclPermission::Other(_));
    match json.kind() {
        Kind::Array => json.elements().map(|grant| read_acl_grant(grant).filter(known)).collect(),
        _ => None,
    }
}
