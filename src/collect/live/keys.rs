//! The keys that logs are under.

use std::collections::BTreeMap;

use aws_sdk_kms::primitives::{DateTime, DateTimeFormat};
use aws_sdk_kms::types::{GrantListEntry, KeyMetadata};

use super::node::{Node, object};
use super::s3::DefaultKey;
use super::session::Session;
use super::shared::{Question, pages};
use super::store::component;
use super::{LiveError, Shared, call};
use crate::aws::{AccountId, Arn};

/// A key as a bucket or trail names it, and where to ask for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The account that is asked.
    pub(super) account: AccountId,
    /// The Region that is asked.
    pub(super) region: String,
    /// An ARN, a key ID or an alias.
    pub(super) key: String,
}

impl Wanted {
    /// A bucket's key, which belongs to the bucket's account unless its ARN says otherwise.
    pub(super) fn of_bucket(account: AccountId, default: DefaultKey) -> Self {
        Wanted::of_trail(account, &default.key).unwrap_or(Wanted { account, region: default.region, key: default.key })
    }

    /// A trail's key, by its ARN.
    pub(super) fn of_trail(account: AccountId, key: &str) -> Option<Self> {
        let arn = Arn::parse(key)?;
        let account = arn.account_id().unwrap_or(account);
        Some(Wanted { account, region: arn.region.to_owned(), key: key.to_owned() })
    }

    /// The ID, where the key is not named by an alias.
    fn id(&self) -> Option<&str> {
        let name = self.key.rsplit_once(":key/").map_or(self.key.as_str(), |(_, id)| id);
        (!name.contains("alias/")).then_some(name)
    }
}

/// Reads a key: as `session`, which is of the key's account unless that account is not read.
pub(super) async fn collect(shared: &Shared, session: &Session, wanted: &Wanted) -> Result<(), LiveError> {
    let client = session.kms(&wanted.region);
    let folder = |id: &str| format!("{}/kms/{}/{}", wanted.account, component(&wanted.region), component(id));
    let question = |call, place: String| Question { account: session.account, call, about: &wanted.key, place };
    let (id, arn) = match wanted.id() {
        Some(id) => {
            let place = format!("{}/key.json", folder(id));
            let request = client.describe_key().key_id(&wanted.key);
            shared
                .answer_of(
                    question(&call::DESCRIBE_KEY, place),
                    || request.send(),
                    |answer| object().maybe("KeyMetadata", answer.key_metadata().map(metadata)),
                )
                .await?;
            (id.to_owned(), wanted.key.clone())
        }
        None => {
            // An alias tells the ID only when it is asked, so its answer has no place before.
            let request = client.describe_key().key_id(&wanted.key);
            let described = shared.gate.ask(&call::DESCRIBE_KEY, || request.send()).await;
            let described = described.and_then(|answer| {
                let nameless = || super::refusal::Refusal::new("UnreadableAnswer", "it names no key");
                let key = answer.key_metadata().ok_or_else(nameless)?;
                Ok((key.key_id().to_owned(), key.arn().unwrap_or(key.key_id()).to_owned(), metadata(key)))
            });
            match described {
                Ok((id, arn, key)) => {
                    let place = format!("{}/key.json", folder(&id));
                    shared.keep(question(&call::DESCRIBE_KEY, place), Ok(object().with("KeyMetadata", key)))?;
                    (id, arn)
                }
                Err(refusal) => {
                    shared.unread(&question(&call::DESCRIBE_KEY, String::new()), &refusal, false);
                    return Ok(());
                }
            }
        }
    };
    let place = |file: &str| format!("{}/{file}.json", folder(&id));
    let request = client.get_key_policy().key_id(&arn).policy_name("default");
    let policy = shared.answer_of(
        question(&call::GET_KEY_POLICY, place("policy")),
        || request.send(),
        |answer| object().maybe("Policy", answer.policy()).maybe("PolicyName", answer.policy_name()),
    );
    let request = client.get_key_rotation_status().key_id(&arn);
    let rotation = shared.answer_of(
        question(&call::GET_KEY_ROTATION_STATUS, place("rotation")),
        || request.send(),
        |answer| {
            object()
                .with("KeyRotationEnabled", answer.key_rotation_enabled())
                .maybe("KeyId", answer.key_id())
                .maybe("RotationPeriodInDays", answer.rotation_period_in_days())
        },
    );
    let grants = shared.answer(question(&call::LIST_GRANTS, place("grants")), || async {
        let pages = pages(|marker| {
            let request = client.list_grants().key_id(&arn).set_marker(marker);
            async {
                let page = shared.gate.ask(&call::LIST_GRANTS, || request.send()).await?;
                let items: Vec<Node> = page.grants().iter().map(grant).collect();
                Ok((items, page.next_marker().filter(|_| page.truncated()).map(str::to_owned)))
            }
        });
        Ok(object().with("Grants", pages.await?.into_iter().flatten().collect::<Node>()))
    });
    let aliases = shared.answer(question(&call::LIST_ALIASES, place("aliases")), || async {
        let pages = pages(|marker| {
            let request = client.list_aliases().key_id(&id).set_marker(marker);
            async {
                let page = shared.gate.ask(&call::LIST_ALIASES, || request.send()).await?;
                let items = page.aliases().iter().map(|alias| {
                    object()
                        .maybe("AliasName", alias.alias_name())
                        .maybe("AliasArn", alias.alias_arn())
                        .maybe("TargetKeyId", alias.target_key_id())
                });
                let items: Vec<Node> = items.collect();
                Ok((items, page.next_marker().filter(|_| page.truncated()).map(str::to_owned)))
            }
        });
        Ok(object().with("Aliases", pages.await?.into_iter().flatten().collect::<Node>()))
    });
    tokio::try_join!(policy, rotation, grants, aliases).map(drop)
}

fn date(date: &DateTime) -> String {
    date.fmt(DateTimeFormat::DateTime).unwrap_or_default()
}

fn metadata(key: &KeyMetadata) -> Node {
    let replicas = key.multi_region_configuration().map(|configuration| {
        let of =
            |key: &aws_sdk_kms::types::MultiRegionKey| object().maybe("Arn", key.arn()).maybe("Region", key.region());
        object()
            .maybe("MultiRegionKeyType", configuration.multi_region_key_type().map(|kind| kind.as_str()))
            .maybe("PrimaryKey", configuration.primary_key().map(of))
            .with("ReplicaKeys", configuration.replica_keys().iter().map(of).collect::<Node>())
    });
    object()
        .maybe("AWSAccountId", key.aws_account_id())
        .with("KeyId", key.key_id())
        .maybe("Arn", key.arn())
        .maybe("CreationDate", key.creation_date().map(date))
        .with("Enabled", key.enabled())
        .maybe("Description", key.description())
        .maybe("KeyUsage", key.key_usage().map(|usage| usage.as_str()))
        .maybe("KeyState", key.key_state().map(|state| state.as_str()))
        .maybe("DeletionDate", key.deletion_date().map(date))
        .maybe("Origin", key.origin().map(|origin| origin.as_str()))
        .maybe("KeyManager", key.key_manager().map(|manager| manager.as_str()))
        .maybe("KeySpec", key.key_spec().map(|spec| spec.as_str()))
        .maybe("MultiRegion", key.multi_region())
        .maybe("MultiRegionConfiguration", replicas)
        .maybe("PendingDeletionWindowInDays", key.pending_deletion_window_in_days())
}

fn grant(grant: &GrantListEntry) -> Node {
    let pairs = |pairs: &std::collections::HashMap<String, String>| {
        let ordered: BTreeMap<&String, &String> = pairs.iter().collect();
        ordered.into_iter().fold(object(), |all, (key, value)| all.with(key, value.as_str()))
    };
    let constraints = grant.constraints().map(|constraints| {
        object()
            .maybe("EncryptionContextSubset", constraints.encryption_context_subset().map(pairs))
            .maybe("EncryptionContextEquals", constraints.encryption_context_equals().map(pairs))
            .maybe("SourceArn", constraints.source_arn())
    });
    object()
        .maybe("KeyId", grant.key_id())
        .maybe("GrantId", grant.grant_id())
        .maybe("Name", grant.name())
        .maybe("CreationDate", grant.creation_date().map(date))
        .maybe("GranteePrincipal", grant.grantee_principal())
        .maybe("RetiringPrincipal", grant.retiring_principal())
        .maybe("GranteeServicePrincipal", grant.grantee_service_principal())
        .maybe("RetiringServicePrincipal", grant.retiring_service_principal())
        .maybe("IssuingAccount", grant.issuing_account())
        .with("Operations", grant.operations().iter().map(|operation| operation.as_str()).collect::<Node>())
        .maybe("Constraints", constraints)
}
