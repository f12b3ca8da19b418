//! Which key the logs of a bucket are under, and whether AWS manages it.

use crate::aws::Arn;
use crate::estate::{Encryption, Estate, Gap, Key, KeyManager, Known, Trail};
use crate::policy::pattern::{Case, matches};
use crate::rule::context::{BucketView, Context};
use crate::text::Span;

/// A key that logs are under.
#[derive(Debug, Clone)]
pub(in crate::rules) struct LogKey {
    /// As configured; `None` where a bucket asks for SSE-KMS and names no key, which means `aws/s3`.
    pub(in crate::rules) reference: Option<String>,
    /// Where it is configured.
    pub(in crate::rules) span: Span,
}

/// The default key of a bucket; `None` where its default is SSE-S3.
///
/// # Errors
/// The gap, where the default encryption is not known.
pub(in crate::rules) fn default_key(view: &BucketView<'_>) -> Result<Option<LogKey>, Gap> {
    let Some(encryption) = view.bucket.encryption.get()? else { return Ok(None) };
    Ok(match encryption.algorithm {
        Encryption::S3 | Encryption::Other(_) => None,
        Encryption::Kms | Encryption::KmsDualLayer => Some(LogKey {
            reference: encryption.key.as_ref().map(|key| key.value.to_string()),
            span: encryption.key.as_ref().map_or(encryption.algorithm_span, |key| key.span),
        }),
    })
}

/// The trails that deliver to a bucket, as far as they are known.
pub(in crate::rules) fn trails<'c>(context: &'c Context<'_>, view: &BucketView<'_>) -> Vec<&'c Trail> {
    let delivers = |trail: &&Trail| trail.bucket.present().is_some_and(|name| *name == view.bucket.name);
    context.estate.trails.iter().filter(delivers).collect()
}

/// Whether a trail delivers to the bucket that the inputs do not describe, by what config and policies name.
pub(in crate::rules) fn has_unseen_trail(context: &Context<'_>, view: &BucketView<'_>) -> bool {
    let named = context.model.log_bucket(&view.bucket.name).map(|bucket| bucket.trails.as_slice()).unwrap_or_default();
    let known = trails(context, view);
    known.is_empty() || named.iter().any(|arn| !known.iter().any(|trail| trail.arn.as_deref() == Some(arn.as_str())))
}

/// Whether AWS manages a key, so that nobody outside of its account can use it.
///
/// # Errors
/// The gap of the key's description, where nothing tells.
pub(in crate::rules) fn is_aws_managed(context: &Context<'_>, key: &LogKey) -> Result<bool, Gap> {
    let Some(reference) = key.reference.as_deref() else { return Ok(true) };
    let name = Arn::parse(reference).map_or(reference, |arn| arn.resource);
    if let Some(alias) = name.strip_prefix("alias/") {
        return Ok(alias.starts_with("aws/"));
    }
    let id = name.strip_prefix("key/").unwrap_or(name);
    let is_it = |key: &&Key| key.arn.as_deref() == Some(reference) || key.id.as_deref() == Some(id);
    let not_told = || Gap::new("key.metadata", format!("key `{reference}` is not in the inputs"));
    let found = context.estate.keys.iter().find(is_it).ok_or_else(not_told)?;
    let manager = found.metadata.present().and_then(|metadata| metadata.manager);
    let aliases = || found.aliases.present().map(Vec::as_slice).unwrap_or_default();
    if manager == Some(KeyManager::Aws) || aliases().iter().any(|alias| alias.value.starts_with("alias/aws/")) {
        return Ok(true);
    }
    if manager == Some(KeyManager::Customer) || has_own_policy(context.estate, found) {
        return Ok(false);
    }
    Err(found
        .metadata
        .gap()
        .cloned()
        .unwrap_or_else(|| Gap::new("key.metadata", "it does not say who manages the key")))
}

/// Whether somebody can change the key's policy: never so with a key that AWS manages.
fn has_own_policy(estate: &Estate, key: &Key) -> bool {
    let Known::Present(document, _) = &key.policy else { return false };
    document.policy(&estate.sources).allows().any(|statement| {
        let actions = statement.actions.iter().filter(|actions| !actions.negated).flat_map(|actions| &actions.items);
        let mut actions = actions.map(|action| action.raw());
        actions.any(|action| matches(action, "kms:PutKeyPolicy", Case::Insensitive))
    })
}
