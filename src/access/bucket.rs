//! What an inventory tells of a bucket to the layers of S3 and KMS.
//!
//! Sources: S3 User Guide, "Blocking public access" (settings of bucket and account add up); CloudTrail User Guide,
//! "Encrypting CloudTrail log files with AWS KMS keys" (a trail's key goes before the default of the bucket).

use compact_str::CompactString;

use crate::access::kms::KeyFacts;
use crate::access::read::Read;
use crate::access::request::{Caller, Given, Request};
use crate::access::s3::{ObjectOwner, Ownership, Storage, is_public};
use crate::aws::{AccountId, Arn};
use crate::estate::{
    AclGrant, BlockPublicAccess, Bucket, Encryption, Estate, Grantee, Key, KeyManager, Known, ObjectOwnership, Trail,
};
use crate::model::Model;
use crate::policy::Policy;
use crate::policy::condition::Tri;

/// The folder CloudTrail delivers to, and other services too.
const LOGS: &str = "AWSLogs";

/// What an inventory tells of a bucket.
///
/// Facts that were not collected and could only deny are taken for what allows, and told by [`BucketFacts::unless`].
#[derive(Debug)]
pub struct BucketFacts<'e> {
    bucket: &'e Bucket,
    estate: &'e Estate,
    owner: Option<AccountId>,
    canonical_ids: Vec<(CompactString, AccountId)>,
    restrict_public_buckets: Tri,
    ignore_public_acls: Tri,
    policy_is_public: Tri,
    may_be_blocked: bool,
}

/// The KMS key an object is under.
#[derive(Debug)]
pub enum UnderKey<'e> {
    /// None: S3's own keys.
    None,
    /// The AWS managed key `aws/s3` of the account that owns the bucket.
    AwsManaged,
    /// This one.
    Key {
        /// As it is configured.
        reference: &'e str,
        /// What is known of it; `None` where the inventory has no such key.
        key: Option<&'e Key>,
        /// The trail that delivered the object, as the encryption context names it.
        trail: Given,
    },
    /// Not known; what it is that is not known.
    Unknown(&'static str),
}

impl<'e> BucketFacts<'e> {
    /// Gathers them; `owner` is the account that owns the bucket, where known.
    pub fn new(estate: &'e Estate, model: &Model, bucket: &'e Bucket, owner: Option<AccountId>) -> Self {
        let account = owner.and_then(|id| estate.accounts.get(&id)).map(|account| &account.block_public_access);
        let setting = |is_on: fn(&BlockPublicAccess) -> bool| {
            let of = |known: Option<&Known<BlockPublicAccess>>| match known.map(Known::get) {
                Some(Ok(settings)) => Tri::from(settings.is_some_and(is_on)),
                Some(Err(_)) | None => Tri::Unknown,
            };
            of(Some(&bucket.block_public_access)).or(of(account))
        };
        let mut restrict = setting(|settings| settings.restrict_public_buckets);
        let mut ignore = setting(|settings| settings.ignore_public_acls);
        let policy_is_public = match (bucket.policy_is_public.present(), bucket.policy.get()) {
            (Some(is_public), _) => Tri::from(*is_public),
            (None, Ok(Some(document))) => is_public(&document.policy(&estate.sources)),
            (None, Ok(None)) => Tri::False,
            (None, Err(_)) => Tri::Unknown,
        };
        let bucket_policy_may_be_stopped = restrict == Tri::Unknown && policy_is_public != Tri::False;
        let acl_may_be_ignored = ignore == Tri::Unknown && has_groups(bucket);
        for setting in [&mut restrict, &mut ignore] {
            if *setting == Tri::Unknown {
                *setting = Tri::False;
            }
        }
        let ids = grants(bucket).unwrap_or_default().iter().filter_map(|grant| match &grant.grantee {
            Grantee::CanonicalUser(id) => Some((id.clone(), model.account_of_canonical_id(id)?)),
            _ => None,
        });
        BucketFacts {
            bucket,
            estate,
            owner,
            canonical_ids: ids.collect(),
            restrict_public_buckets: restrict,
            ignore_public_acls: ignore,
            policy_is_public,
            may_be_blocked: bucket_policy_may_be_stopped || acl_may_be_ignored,
        }
    }

    /// What was not collected and could only deny a request, in words.
    pub fn unless(&self, request: &Request) -> Vec<String> {
        let name = &self.bucket.name;
        let is_service = matches!(request.caller, Caller::Service(_));
        let is_outside = !is_service && (self.owner.is_none() || request.caller.account() != self.owner);
        let is_object = request.resource.contains('/');
        let facts = [
            (
                self.may_be_blocked && is_outside,
                format!("the block public access settings of `{name}` and its account"),
            ),
            (self.bucket.ownership.is_unknown() && is_object, format!("the object ownership settings of `{name}`")),
            (
                self.bucket.encryption.is_unknown() && Read::decrypts(&request.action),
                format!("the encryption settings of `{name}`"),
            ),
        ];
        facts.into_iter().filter(|(open, _)| *open).map(|(_, fact)| fact).collect()
    }

    /// The facts for the S3 layer of a request for the bucket, or for the object of this key.
    pub fn storage(&self, key: Option<&str>) -> Storage<'_> {
        let delivered = key.is_some_and(is_delivered);
        Storage {
            // What was not collected could only deny.
            ownership: match Ownership::from(&self.bucket.ownership) {
                Ownership::Unknown => Ownership::Enforced,
                known => known,
            },
            object_owner: match (delivered, self.bucket.ownership.get()) {
                (false, _) => ObjectOwner::Unknown,
                // What CloudTrail writes stays its own, whatever canned ACL it comes with.
                (true, Ok(None | Some(ObjectOwnership::ObjectWriter))) => ObjectOwner::CloudTrail,
                (true, _) => ObjectOwner::Delivered,
            },
            bucket_acl: grants(self.bucket),
            object_acl: delivered.then_some(&[]),
            canonical_ids: &self.canonical_ids,
            restrict_public_buckets: self.restrict_public_buckets,
            ignore_public_acls: self.ignore_public_acls,
            policy_is_public: self.policy_is_public,
        }
    }

    /// The same where the ownership settings are not known and ACLs grant something: leaving them out would hide a reader.
    pub fn storage_with_acls(&self, key: Option<&str>) -> Option<Storage<'_>> {
        let is_open = self.bucket.ownership.is_unknown() && self.has_foreign_grants();
        is_open.then(|| Storage { ownership: Ownership::Unknown, ..self.storage(key) })
    }

    /// Whether an ACL may give what no policy gives.
    pub fn has_acls(&self) -> bool {
        match Ownership::from(&self.bucket.ownership) {
            Ownership::Enforced => false,
            Ownership::AclsCount => true,
            Ownership::Unknown => self.has_foreign_grants(),
        }
    }

    fn has_foreign_grants(&self) -> bool {
        let Some(acl) = self.bucket.acl.present() else { return false };
        let of_owner = |id: &CompactString| {
            let account = self.canonical_ids.iter().find(|(known, _)| known == id).map(|(_, account)| *account);
            acl.owner.as_ref().is_some_and(|owner| owner.value == *id) || (account.is_some() && account == self.owner)
        };
        acl.grants.iter().any(|grant| match &grant.grantee {
            Grantee::CanonicalUser(id) => !of_owner(id),
            _ => true,
        })
    }

    /// The key that the object of this key is under.
    pub fn under(&self, key: &str) -> UnderKey<'e> {
        if !is_delivered(key) {
            // Under this folder something else than a log file may be, or not.
            let unsure = key.split('/').any(|component| component == LOGS);
            return match self.default_key() {
                UnderKey::Key { reference, key, .. } if unsure => {
                    UnderKey::Key { reference, key, trail: Given::Unknown }
                }
                other => other,
            };
        }
        let delivers = |trail: &&Trail| trail.bucket.present().is_some_and(|name| *name == self.bucket.name);
        let mut trails = self.estate.trails.iter().filter(delivers);
        let first = trails.next();
        let of = |trail: &'e Trail| trail.key.get().map(|key| key.map(CompactString::as_str));
        if let Some(first) = first
            && trails.any(|other| of(other) != of(first))
        {
            return UnderKey::Unknown("which trail delivered the object");
        }
        match first.map(|trail| (trail, of(trail))) {
            Some((trail, Ok(Some(reference)))) => match self.named(reference) {
                UnderKey::Key { reference, key, .. } => {
                    let arn = trail.arn.clone().map_or(Given::Present, |arn| Given::Values(vec![arn]));
                    UnderKey::Key { reference, key, trail: arn }
                }
                other => other,
            },
            Some((_, Err(_))) => UnderKey::Unknown("the key of the trail that delivered the object"),
            // AWS's documents part on whether the default of the bucket takes hold then.
            Some((_, Ok(None))) | None => match self.default_key() {
                UnderKey::None => UnderKey::None,
                _ => UnderKey::Unknown("whether log files are under the bucket's default key"),
            },
        }
    }

    fn default_key(&self) -> UnderKey<'e> {
        let Some(encryption) = self.bucket.encryption.present() else { return UnderKey::None };
        match (&encryption.algorithm, &encryption.key) {
            (Encryption::S3 | Encryption::Other(_), _) => UnderKey::None,
            (Encryption::Kms | Encryption::KmsDualLayer, None) => UnderKey::AwsManaged,
            (Encryption::Kms | Encryption::KmsDualLayer, Some(key)) => self.named(&key.value),
        }
    }

    fn named(&self, reference: &'e str) -> UnderKey<'e> {
        let name = Arn::parse(reference).map_or(reference, |arn| arn.resource);
        if name == "alias/aws/s3" {
            return UnderKey::AwsManaged;
        }
        let id = name.strip_prefix("key/").unwrap_or(name);
        let has_alias =
            |key: &Key| key.aliases.present().is_some_and(|aliases| aliases.iter().any(|alias| alias.value == name));
        let account = Arn::parse(reference).and_then(|arn| arn.account_id()).or(self.owner);
        let in_account = |key: &Key| key.account.is_none() || account.is_none() || key.account == account;
        let key = self.estate.keys.iter().find(|key| {
            key.arn.as_deref() == Some(reference)
                || (in_account(key) && (key.id.as_deref() == Some(id) || has_alias(key)))
        });
        UnderKey::Key { reference, key, trail: Given::Absent }
    }

    /// Whether the bucket's default encryption uses an S3 Bucket Key.
    pub fn bucket_key(&self) -> Tri {
        self.bucket.encryption.present().map_or(Tri::Unknown, |encryption| match encryption.algorithm {
            // The key of a trail may come with it or not.
            Encryption::S3 => Tri::Unknown,
            _ => encryption.bucket_key.into(),
        })
    }

    /// The partition of the bucket.
    pub fn partition(&self) -> &str {
        &self.bucket.partition
    }

    /// The Region of the bucket and its keys, where known.
    pub fn region(&self) -> Option<&str> {
        self.bucket.region.present().map(CompactString::as_str)
    }
}

/// The ARN of a bucket whose name is not known: of the one that its policy names, or of one that stands for it.
pub fn arn_by_policy(policy: Option<&Policy>) -> String {
    let statements = policy.into_iter().flat_map(|policy| &policy.statements);
    let resources = statements.filter_map(|statement| statement.resources.as_ref()).flat_map(|r| &r.items);
    let mut named = resources.filter_map(|item| {
        let arn = Arn::parse(item.raw())?;
        let name = arn.bucket().filter(|name| !name.contains(['*', '?', '$']))?;
        Some(format!("arn:{}:s3:::{name}", arn.partition))
    });
    named.next().unwrap_or_else(|| "arn:aws:s3:::trailproof-unnamed-bucket".to_owned())
}

/// What an inventory tells of a key to the layer of KMS; its state where it was not collected is taken for `Enabled`.
pub fn key_facts(key: &Key) -> KeyFacts<'_> {
    let metadata = key.metadata.present();
    let aliases = key.aliases.present().map(Vec::as_slice).unwrap_or_default();
    let by_alias = aliases.iter().any(|alias| alias.value.starts_with("alias/aws/")).then_some(KeyManager::Aws);
    KeyFacts {
        manager: metadata.and_then(|metadata| metadata.manager).or(by_alias),
        state: Some(metadata.and_then(|metadata| metadata.state.as_ref()).map_or("Enabled", |state| &state.value)),
        grants: match key.grants.get() {
            Ok(grants) => Some(grants.map(Vec::as_slice).unwrap_or_default()),
            Err(_) => None,
        },
    }
}

/// The state of a key in words, where it was not collected: it could only deny.
pub fn unknown_state(key: &Key) -> Option<String> {
    let state = key.metadata.present().and_then(|metadata| metadata.state.as_ref());
    state.is_none().then(|| format!("the state settings of key `{}`", key.arn.as_ref().unwrap_or(&key.name)))
}

/// Whether an object's key is that of a file CloudTrail delivers: `…AWSLogs/…/CloudTrail…/…`.
fn is_delivered(key: &str) -> bool {
    let mut components = key.split('/').skip_while(|component| *component != LOGS);
    components.any(|component| component.starts_with("CloudTrail"))
}

fn grants(bucket: &Bucket) -> Option<&[AclGrant]> {
    match bucket.acl.get() {
        Ok(acl) => Some(acl.map(|acl| acl.grants.as_slice()).unwrap_or_default()),
        Err(_) => None,
    }
}

fn has_groups(bucket: &Bucket) -> bool {
    let is_group = |grant: &AclGrant| matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers);
    grants(bucket).unwrap_or_default().iter().any(is_group)
}
