//! Buckets that hold logs, and the account's block public access.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{Bucket, Grant, Grantee, Owner, ServerSideEncryptionRule};
use serde_json::Value;

use super::node::{Node, object};
use super::refusal::Refusal;
use super::session::Session;
use super::shared::{Answer, Question, pages};
use super::store::component;
use super::{LiveError, Shared, call};

/// A bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    /// Its Region, where the listing tells it.
    pub(super) region: Option<String>,
}

/// A key that encrypts what is put into a bucket, as the bucket names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DefaultKey {
    /// An ARN, a key ID or an alias.
    pub(super) key: String,
    /// The Region of the bucket.
    pub(super) region: String,
}

/// The account's own block public access.
pub(super) async fn block_public_access(shared: &Shared, session: &Session) -> Result<(), LiveError> {
    let question = Question {
        account: session.account,
        call: &call::GET_ACCOUNT_PUBLIC_ACCESS_BLOCK,
        about: "",
        place: format!("{}/s3control/public-access-block.json", session.account),
    };
    let request = session.s3control().get_public_access_block().account_id(session.account.as_str());
    shared
        .answer_of(
            question,
            || request.send(),
            |answer| {
                let settings = answer.public_access_block_configuration().map(|settings| {
                    four(
                        settings.block_public_acls(),
                        settings.ignore_public_acls(),
                        settings.block_public_policy(),
                        settings.restrict_public_buckets(),
                    )
                });
                object().maybe("PublicAccessBlockConfiguration", settings)
            },
        )
        .await
        .map(drop)
}

fn four(
    block_acls: Option<bool>,
    ignore_acls: Option<bool>,
    block_policy: Option<bool>,
    restrict: Option<bool>,
) -> Node {
    object()
        .with("BlockPublicAcls", block_acls.unwrap_or(false))
        .with("IgnorePublicAcls", ignore_acls.unwrap_or(false))
        .with("BlockPublicPolicy", block_policy.unwrap_or(false))
        .with("RestrictPublicBuckets", restrict.unwrap_or(false))
}

/// The buckets of the account; `None` where they can not be listed.
pub(super) async fn list(shared: &Shared, session: &Session) -> Result<Option<Vec<Listed>>, LiveError> {
    let question = Question {
        account: session.account,
        call: &call::LIST_BUCKETS,
        about: "",
        place: format!("{}/s3/buckets.json", session.account),
    };
    let client = session.s3(&session.region);
    let answer = shared
        .answer(question, || async {
            let mut owner = None;
            let pages = pages(|marker| {
                let request = client.list_buckets().max_buckets(1000).set_continuation_token(marker);
                async {
                    let page = shared.gate.ask(&call::LIST_BUCKETS, || request.send()).await?;
                    let items: Vec<Node> = page.buckets().iter().map(bucket).collect();
                    Ok(((items, page.owner().map(owner_of)), page.continuation_token().map(str::to_owned)))
                }
            });
            let mut buckets = Vec::new();
            for (items, of) in pages.await? {
                buckets.extend(items);
                owner = owner.or(of);
            }
            Ok(object().with("Buckets", Node::List(buckets)).maybe("Owner", owner))
        })
        .await?;
    let Some(buckets) = answer.given().and_then(|value| value.get("Buckets")?.as_array()) else { return Ok(None) };
    let text = |bucket: &Value, name: &str| bucket.get(name).and_then(Value::as_str).map(str::to_owned);
    let listed = |bucket| Some(Listed { name: text(bucket, "Name")?, region: text(bucket, "BucketRegion") });
    Ok(Some(buckets.iter().filter_map(listed).collect()))
}

/// Reads a bucket that holds logs in full; of others the policy alone, which may tell that they do.
pub(super) async fn collect(
    shared: &Shared,
    session: &Session,
    bucket: &Listed,
    named: &BTreeSet<String>,
    regions: &[String],
) -> Result<Option<DefaultKey>, LiveError> {
    let is_named = shared.options.all_buckets || named.contains(&bucket.name);
    let is_elsewhere = |region: &String| !is_named && !regions.contains(region);
    if bucket.region.as_ref().is_some_and(is_elsewhere) {
        return Ok(None);
    }
    let mut region = bucket.region.clone().unwrap_or_else(|| session.region.clone());
    let question = |call, file: &str| Question {
        account: session.account,
        call,
        about: &bucket.name,
        place: format!("{}/s3/{}/{file}.json", session.account, component(&bucket.name)),
    };
    let asked = question(&call::GET_BUCKET_POLICY, "policy");
    let mut holds_logs = is_named;
    match shared.stored(&asked.place) {
        // Of buckets that are not named, only policies that speak of logs are stored.
        Some(stored) => {
            holds_logs |= matches!(stored, Answer::Given(_));
            if bucket.region.is_none() {
                match shared.stored(&question(&call::GET_BUCKET_LOCATION, "location").place) {
                    Some(stored) => region = region_of(&stored).unwrap_or(region),
                    // Asked for the Region alone, which no earlier run stored.
                    None => drop(policy(shared, session, &bucket.name, &mut region).await),
                }
            }
        }
        None => {
            let policy = policy(shared, session, &bucket.name, &mut region).await;
            // A redirect told what the listing did not.
            if is_elsewhere(&region) {
                return Ok(None);
            }
            holds_logs |= policy.as_ref().is_ok_and(|text| (shared.holds_logs)(text));
            let tells_nothing = policy.as_ref().err().is_none_or(|refusal| refusal.code == "NoSuchBucketPolicy");
            if !holds_logs && tells_nothing {
                return Ok(None);
            }
            shared.keep(asked, policy.map(|text| object().with("Policy", text)))?;
        }
    }
    if !holds_logs {
        return Ok(None);
    }
    let client = session.s3(&region);
    let name = bucket.name.as_str();
    let location = shared.answer_of(
        question(&call::GET_BUCKET_LOCATION, "location"),
        || client.get_bucket_location().bucket(name).send(),
        |answer| {
            let place = answer.location_constraint().map(|place| place.as_str()).filter(|place| !place.is_empty());
            object().with("LocationConstraint", place.map_or(Node::Null, Node::from))
        },
    );
    let status = shared.answer_of(
        question(&call::GET_BUCKET_POLICY_STATUS, "policy-status"),
        || client.get_bucket_policy_status().bucket(name).send(),
        |answer| {
            let status = answer.policy_status().map(|status| object().maybe("IsPublic", status.is_public()));
            object().maybe("PolicyStatus", status)
        },
    );
    let ownership = shared.answer_of(
        question(&call::GET_BUCKET_OWNERSHIP_CONTROLS, "ownership-controls"),
        || client.get_bucket_ownership_controls().bucket(name).send(),
        |answer| {
            let rules = answer.ownership_controls().map(|controls| controls.rules()).unwrap_or_default();
            let rules = rules.iter().map(|rule| object().with("ObjectOwnership", rule.object_ownership().as_str()));
            object().with("OwnershipControls", object().with("Rules", rules.collect::<Node>()))
        },
    );
    let acl = shared.answer_of(
        question(&call::GET_BUCKET_ACL, "acl"),
        || client.get_bucket_acl().bucket(name).send(),
        |answer| {
            object()
                .maybe("Owner", answer.owner().map(owner_of))
                .with("Grants", answer.grants().iter().map(grant).collect::<Node>())
        },
    );
    let block = shared.answer_of(
        question(&call::GET_BUCKET_PUBLIC_ACCESS_BLOCK, "public-access-block"),
        || client.get_public_access_block().bucket(name).send(),
        |answer| {
            let settings = answer.public_access_block_configuration().map(|settings| {
                four(
                    settings.block_public_acls(),
                    settings.ignore_public_acls(),
                    settings.block_public_policy(),
                    settings.restrict_public_buckets(),
                )
            });
            object().maybe("PublicAccessBlockConfiguration", settings)
        },
    );
    let versioning = shared.answer_of(
        question(&call::GET_BUCKET_VERSIONING, "versioning"),
        || client.get_bucket_versioning().bucket(name).send(),
        |answer| {
            object()
                .maybe("Status", answer.status().map(|status| status.as_str()))
                .maybe("MFADelete", answer.mfa_delete().map(|status| status.as_str()))
        },
    );
    let lock = shared.answer_of(
        question(&call::GET_OBJECT_LOCK_CONFIGURATION, "object-lock"),
        || client.get_object_lock_configuration().bucket(name).send(),
        |answer| {
            let lock = answer.object_lock_configuration().map(|lock| {
                let kept = lock.rule().and_then(|rule| rule.default_retention()).map(|kept| {
                    object()
                        .maybe("Mode", kept.mode().map(|mode| mode.as_str()))
                        .maybe("Days", kept.days())
                        .maybe("Years", kept.years())
                });
                object()
                    .maybe("ObjectLockEnabled", lock.object_lock_enabled().map(|enabled| enabled.as_str()))
                    .maybe("Rule", kept.map(|kept| object().with("DefaultRetention", kept)))
            });
            object().maybe("ObjectLockConfiguration", lock)
        },
    );
    let encryption = shared.answer_of(
        question(&call::GET_BUCKET_ENCRYPTION, "encryption"),
        || client.get_bucket_encryption().bucket(name).send(),
        |answer| {
            let rules = answer.server_side_encryption_configuration().map(|configuration| {
                object().with("Rules", configuration.rules().iter().map(encryption_rule).collect::<Node>())
            });
            object().maybe("ServerSideEncryptionConfiguration", rules)
        },
    );
    let (_, _, _, _, _, _, _, encryption) =
        tokio::try_join!(location, status, ownership, acl, block, versioning, lock, encryption)?;
    Ok(encryption.given().and_then(|value| default_key(value, region)))
}

/// The Region that a stored location stands for.
///
/// Source: S3 API Reference, GetBucketLocation: none for us-east-1, `EU` for eu-west-1.
fn region_of(location: &Answer) -> Option<String> {
    Some(match location.given()?.get("LocationConstraint")?.as_str() {
        None => "us-east-1".to_owned(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    })
}

/// The bucket's policy; where S3 sends the caller on, from the Region it names.
async fn policy(shared: &Shared, session: &Session, name: &str, region: &mut String) -> Result<String, Refusal> {
    let mut was_sent_on = false;
    loop {
        let request = session.s3(region).get_bucket_policy().bucket(name);
        match shared.gate.ask(&call::GET_BUCKET_POLICY, || request.send()).await {
            Ok(answer) => return Ok(answer.policy().unwrap_or_default().to_owned()),
            Err(refusal) => match &refusal.region {
                Some(other) if !was_sent_on && other != region => {
                    was_sent_on = true;
                    region.clone_from(other);
                }
                _ => return Err(refusal),
            },
        }
    }
}

/// The key of a bucket's encryption by default, where it is under one.
fn default_key(encryption: &Value, region: String) -> Option<DefaultKey> {
    let rules = encryption.pointer("/ServerSideEncryptionConfiguration/Rules")?.as_array()?;
    let default = rules.iter().find_map(|rule| rule.get("ApplyServerSideEncryptionByDefault"))?;
    let is_kms = default.get("SSEAlgorithm")?.as_str()?.starts_with("aws:kms");
    let key = default.get("KMSMasterKeyID").and_then(Value::as_str).unwrap_or("alias/aws/s3");
    is_kms.then(|| DefaultKey { key: key.to_owned(), region })
}

fn bucket(bucket: &Bucket) -> Node {
    object().maybe("Name", bucket.name()).maybe("BucketRegion", bucket.bucket_region())
}

fn owner_of(owner: &Owner) -> Node {
    object().maybe("ID", owner.id())
}

fn grant(grant: &Grant) -> Node {
    object()
        .maybe("Grantee", grant.grantee().map(grantee))
        .maybe("Permission", grant.permission().map(|permission| permission.as_str()))
}

fn grantee(grantee: &Grantee) -> Node {
    object()
        .with("Type", grantee.r#type().as_str())
        .maybe("ID", grantee.id())
        .maybe("URI", grantee.uri())
        .maybe("EmailAddress", grantee.email_address())
}

fn encryption_rule(rule: &ServerSideEncryptionRule) -> Node {
    let default = rule.apply_server_side_encryption_by_default().map(|default| {
        object()
            .with("SSEAlgorithm", default.sse_algorithm().as_str())
            .maybe("KMSMasterKeyID", default.kms_master_key_id())
    });
    object().maybe("ApplyServerSideEncryptionByDefault", default).maybe("BucketKeyEnabled", rule.bucket_key_enabled())
}
