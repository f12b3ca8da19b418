//! What S3 and KMS know of the resource of one request besides policies, as far as an estate tells.

use std::sync::Arc;

use crate::access::bucket::{BucketFacts, UnderKey, key_facts};
use crate::access::evaluate::{Explanation, Policies, Side, explain};
use crate::access::kms::{KeyFacts, ObjectKey, decrypt_policies};
use crate::access::read::{Encryption, Read};
use crate::access::request::{Given, Request};
use crate::aws::Arn;
use crate::estate::{Key, KeyManager};
use crate::policy::Policy;
use crate::policy::condition::Tri;
use crate::rule::context::Context;

/// The bucket, or the key, that a request is for.
pub(super) struct Layers<'e> {
    bucket: Option<BucketFacts<'e>>,
    object: Option<String>,
    key: Option<&'e Key>,
    under: Option<Under<'e>>,
    unless: Vec<String>,
}

/// The key that an object is under.
enum Under<'e> {
    /// What is not known of it.
    Unknown(&'static str),
    Key {
        arn: String,
        facts: KeyFacts<'e>,
        policy: Option<Arc<Policy>>,
        /// What is not known, where the policy is not.
        missing: String,
        rcp: Vec<Arc<Policy>>,
        trail: Given,
    },
}

impl<'e> Layers<'e> {
    pub(super) fn of(context: &Context<'e>, request: &Request) -> Self {
        let mut layers = Layers { bucket: None, object: None, key: None, under: None, unless: Vec::new() };
        let Some(arn) = Arn::parse(&request.resource) else { return layers };
        let estate = context.estate;
        if arn.service == "kms" {
            layers.key = estate.keys.iter().find(|key| key.arn.as_deref() == Some(&request.resource));
            layers.needs_state(layers.key);
            return layers;
        }
        let Some(bucket) = arn.bucket().and_then(|name| estate.buckets.iter().find(|bucket| bucket.name == name))
        else {
            return layers;
        };
        let facts = BucketFacts::new(estate, context.model, bucket, request.resource_account);
        layers.object = arn.resource.split_once('/').map(|(_, key)| key.to_owned());
        let object = layers.object.as_deref().filter(|_| Read::decrypts(&request.action));
        layers.under = match object.map_or(UnderKey::None, |object| facts.under(object)) {
            UnderKey::None => None,
            UnderKey::Unknown(what) => Some(Under::Unknown(what)),
            UnderKey::AwsManaged => {
                let region = facts.region().unwrap_or("us-east-1");
                let account = request.resource_account.map_or_else(String::new, |account| account.to_string());
                Some(Under::Key {
                    arn: format!("arn:{}:kms:{region}:{account}:alias/aws/s3", bucket.partition),
                    facts: KeyFacts { manager: Some(KeyManager::Aws), ..KeyFacts::default() },
                    policy: None,
                    missing: "the policy of the AWS managed key".to_owned(),
                    rcp: Vec::new(),
                    trail: Given::Absent,
                })
            }
            UnderKey::Key { reference, key, trail } => {
                layers.needs_state(key);
                let arn = key.and_then(|key| key.arn.as_deref()).unwrap_or(reference);
                let account = Arn::parse(arn).and_then(|arn| arn.account_id()).or(request.resource_account);
                Some(Under::Key {
                    arn: arn.to_owned(),
                    facts: key.map_or(KeyFacts { manager: None, grants: None, ..KeyFacts::default() }, key_facts),
                    policy: key.and_then(|key| key.policy.present()).map(|document| context.policy(document)),
                    missing: format!("the policy of key `{reference}`"),
                    rcp: context.rcp(account),
                    trail,
                })
            }
        };
        layers.unless.extend(facts.unless(request));
        layers.bucket = Some(facts);
        layers
    }

    fn needs_state(&mut self, key: Option<&Key>) {
        let state = key.and_then(|key| key.metadata.present()).and_then(|metadata| metadata.state.as_ref());
        if let Some(key) = key.filter(|_| state.is_none()) {
            self.unless.push(format!("the state settings of key `{}`", key.arn.as_ref().unwrap_or(&key.name)));
        }
    }

    /// What was not collected and could only deny.
    pub(super) fn unless(&self) -> impl Iterator<Item = String> {
        self.unless.iter().cloned()
    }

    /// Decides the request with policies and these facts.
    pub(super) fn explain(&self, request: &Request, policies: &Policies<'_>) -> Explanation {
        let storage = self.bucket.as_ref().map(|bucket| bucket.storage(self.object.as_deref()));
        let facts = self.key.map(key_facts);
        let policies = Policies { storage: storage.as_ref(), key: facts.as_ref(), ..*policies };
        let (arn, facts, policy, missing, rcp, trail) = match &self.under {
            None => return explain(request, &policies),
            Some(Under::Unknown(what)) => {
                return Read { request, policies: &policies, encryption: Encryption::Unknown(what) }.explain();
            }
            Some(Under::Key { arn, facts, policy, missing, rcp, trail }) => (arn, facts, policy, missing, rcp, trail),
        };
        let mut key = ObjectKey::new(arn);
        key.account = key.account.or(request.resource_account);
        key.bucket_key = self.bucket.as_ref().map_or(Tri::Unknown, BucketFacts::bucket_key);
        key.trail = trail.clone();
        let decrypt = key.decrypt(request);
        let key_policy: Vec<&Policy> = policy.iter().map(Arc::as_ref).collect();
        let rcp = [rcp.iter().map(Arc::as_ref).collect()];
        let side = if key_policy.is_empty() { Side::Unknown(missing) } else { Side::Policies(&key_policy) };
        let of_key = decrypt_policies(&policies, side, &rcp, facts);
        let encryption = Encryption::Kms { request: &decrypt, policies: &of_key };
        Read { request, policies: &policies, encryption }.explain()
    }
}
