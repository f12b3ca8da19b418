//! The KMS key that an object is under, with all that decides the Decrypt call behind its read.

use std::sync::Arc;

use crate::access::bucket::{BucketFacts, UnderKey, key_facts};
use crate::access::evaluate::{Policies, Side};
use crate::access::kms::{KeyFacts, ObjectKey, decrypt_policies};
use crate::access::organization::Organization;
use crate::access::request::{Given, Request};
use crate::aws::{AccountId, Arn};
use crate::estate::{Estate, Key, KeyManager};
use crate::policy::Policy;
use crate::policy::condition::Tri;

/// What an object is encrypted with.
#[derive(Debug)]
pub enum Lock<'e> {
    /// No KMS key: S3 decrypts for whoever may read.
    None,
    /// Not known; what it is that is not known.
    Unknown(&'static str),
    /// A KMS key.
    Key(Box<KeyLock<'e>>),
}

/// A KMS key and what is known of it.
#[derive(Debug)]
pub struct KeyLock<'e> {
    /// Its ARN, or what it is configured as.
    pub arn: String,
    /// Its account; the bucket owner's where nothing says otherwise.
    pub account: Option<AccountId>,
    /// The key, where the inventory has it.
    pub key: Option<&'e Key>,
    /// Its manager, state and grants.
    pub facts: KeyFacts<'e>,
    /// Its policy, where known.
    pub policy: Option<Arc<Policy>>,
    /// What is not known where the policy is not, in words.
    pub missing: String,
    /// The RCPs of its account.
    pub rcp: Vec<Arc<Policy>>,
    /// The trail that delivered the object.
    pub trail: Given,
    /// Whether the object is under an S3 Bucket Key.
    pub bucket_key: Tri,
}

impl<'e> Lock<'e> {
    /// What the object of this key (its name in the bucket) is under; `owner` is the account of the bucket.
    pub fn of(
        estate: &'e Estate,
        organization: &Organization<'_>,
        facts: &BucketFacts<'e>,
        object: &str,
        owner: Option<AccountId>,
    ) -> Self {
        match facts.under(object) {
            UnderKey::None => Lock::None,
            UnderKey::Unknown(what) => Lock::Unknown(what),
            UnderKey::AwsManaged => {
                let account = owner.map_or_else(String::new, |account| account.to_string());
                let region = facts.region().unwrap_or("us-east-1");
                Lock::Key(Box::new(KeyLock {
                    arn: format!("arn:{}:kms:{region}:{account}:alias/aws/s3", facts.partition()),
                    account: owner,
                    key: None,
                    facts: KeyFacts { manager: Some(KeyManager::Aws), ..KeyFacts::default() },
                    policy: None,
                    missing: "the policy of the AWS managed key".to_owned(),
                    rcp: Vec::new(),
                    trail: Given::Absent,
                    bucket_key: facts.bucket_key(),
                }))
            }
            UnderKey::Key { reference, key, trail } => {
                let arn = key.and_then(|key| key.arn.as_deref()).unwrap_or(reference);
                let account = Arn::parse(arn).and_then(|arn| arn.account_id()).or(owner);
                let policy = key.and_then(|key| key.policy.present()).map(|text| text.policy(&estate.sources));
                Lock::Key(Box::new(KeyLock {
                    arn: arn.to_owned(),
                    account,
                    key,
                    facts: key.map_or(KeyFacts { manager: None, grants: None, ..KeyFacts::default() }, key_facts),
                    policy,
                    missing: format!("the policy of key `{reference}`"),
                    rcp: organization.rcp(account),
                    trail,
                    bucket_key: facts.bucket_key(),
                }))
            }
        }
    }
}

impl KeyLock<'_> {
    /// The Decrypt call behind a read, and what decides it, to `ask`; `policies` are those of the read.
    pub fn behind<T>(
        &self,
        read: &Request,
        policies: &Policies<'_>,
        ask: impl FnOnce(&Request, &Policies<'_>) -> T,
    ) -> T {
        let mut key = ObjectKey::new(&self.arn);
        key.account = key.account.or(self.account);
        key.bucket_key = self.bucket_key;
        key.trail = self.trail.clone();
        let request = key.decrypt(read);
        let known: Vec<&Policy> = self.policy.iter().map(Arc::as_ref).collect();
        let rcp = [self.rcp.iter().map(Arc::as_ref).collect()];
        let side = if known.is_empty() { Side::Unknown(&self.missing) } else { Side::Policies(&known) };
        ask(&request, &decrypt_policies(policies, side, &rcp, &self.facts))
    }
}
