//! What S3 and KMS know of the resource of one request besides policies, as far as an estate tells.

use crate::access::bucket::{BucketFacts, key_facts, unknown_state};
use crate::access::evaluate::{Explanation, Policies, explain};
use crate::access::lock::Lock;
use crate::access::read::{Encryption, Read};
use crate::access::request::Request;
use crate::aws::Arn;
use crate::estate::Key;
use crate::rule::context::Context;

/// The bucket, or the key, that a request is for.
pub(super) struct Layers<'e> {
    bucket: Option<BucketFacts<'e>>,
    object: Option<String>,
    key: Option<&'e Key>,
    lock: Lock<'e>,
    unless: Vec<String>,
}

impl<'e> Layers<'e> {
    pub(super) fn of(context: &Context<'e>, request: &Request) -> Self {
        let mut layers = Layers { bucket: None, object: None, key: None, lock: Lock::None, unless: Vec::new() };
        let Some(arn) = Arn::parse(&request.resource) else { return layers };
        let estate = context.estate;
        if arn.service == "kms" {
            layers.key = estate.keys.iter().find(|key| key.arn.as_deref() == Some(&request.resource));
            layers.unless.extend(layers.key.and_then(unknown_state));
            return layers;
        }
        let Some(bucket) = arn.bucket().and_then(|name| estate.buckets.iter().find(|bucket| bucket.name == name))
        else {
            return layers;
        };
        let owner = request.resource_account;
        let facts = BucketFacts::new(estate, context.model, bucket, owner);
        layers.object = arn.resource.split_once('/').map(|(_, key)| key.to_owned());
        if let Some(object) = layers.object.as_deref().filter(|_| Read::decrypts(&request.action)) {
            layers.lock = Lock::of(estate, context.organization(), &facts, object, owner);
        }
        if let Lock::Key(key) = &layers.lock {
            layers.unless.extend(key.key.and_then(unknown_state));
        }
        layers.unless.extend(facts.unless(request));
        layers.bucket = Some(facts);
        layers
    }

    /// What was not collected and could only deny.
    pub(super) fn unless(&self) -> impl Iterator<Item = String> {
        self.unless.iter().cloned()
    }

    /// Decides the request with policies and these facts.
    pub(super) fn explain(&self, request: &Request, policies: &Policies<'_>) -> Explanation {
        let storage = self.bucket.as_ref().map(|bucket| bucket.storage(self.object.as_deref()));
        let facts = self.key.map(key_facts);
        let policies = &Policies { storage: storage.as_ref(), key: facts.as_ref(), ..*policies };
        match &self.lock {
            Lock::None => explain(request, policies),
            Lock::Unknown(what) => Read { request, policies, encryption: Encryption::Unknown(what) }.explain(),
            Lock::Key(key) => key.behind(request, policies, |decrypt, of_key| {
                let encryption = Encryption::Kms { request: decrypt, policies: of_key };
                Read { request, policies, encryption }.explain()
            }),
        }
    }
}
