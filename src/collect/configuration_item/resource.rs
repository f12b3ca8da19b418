//! What an item tells of its resource, in the shapes of the estate.

use compact_str::{CompactString, format_compact};

use super::{Item, NEVER_RECORDED, Silence, Type, is_nothing};
use crate::aws::{AccountId, Arn};
use crate::collect::cloudtrail::{self, trail_settings};
use crate::collect::iam::{By, path_of, policy_name};
use crate::collect::kms;
use crate::collect::names::partition_of_region;
use crate::collect::piece::Piece;
use crate::collect::reader::{Reader, array, is_policy, object, spanned, text};
use crate::collect::s3::{read_acl_grant, read_block_public_access, read_encryption, read_ownership};
use crate::estate::{
    Account, Acl, Bucket, Document, Gap, Group, Known, ManagedPolicy, NamedBy, Permissions, Role, User,
};
use crate::policy::PolicyKind;
use crate::syntax::json::Json;
use crate::text::Spanned;

impl Item<'_> {
    fn arn(&self) -> Option<Arn<'_>> {
        self.arn.as_deref().and_then(Arn::parse)
    }

    /// The account of its ARN, else the one that recorded it.
    fn owner(&self) -> Option<AccountId> {
        self.arn().and_then(|arn| arn.account_id()).or(self.account.as_ref().map(|account| account.value))
    }

    /// The name of a role, user or group.
    fn identity(&self, kind: &str) -> Option<CompactString> {
        let of_arn = self.arn().and_then(|arn| arn.resource_of(kind)?.rsplit('/').next());
        of_arn.map(CompactString::from).or_else(|| self.name.clone()).filter(|name| !name.is_empty())
    }

    fn bucket(&self) -> Option<CompactString> {
        let of_arn = self.arn().and_then(|arn| arn.bucket()).map(CompactString::from);
        of_arn.or_else(|| self.name.clone()).or_else(|| self.id.clone())
    }
}

impl Reader<'_> {
    /// Reads what an item tells.
    pub(super) fn resource(&mut self, item: &Item<'_>) {
        let is_named = match item.kind {
            Type::Role => self.role_item(item),
            Type::User => self.user_item(item),
            Type::Group => self.group_item(item),
            Type::ManagedPolicy => self.managed_policy_item_of(item),
            Type::Bucket => self.bucket_item(item),
            Type::AccountPublicAccessBlock => self.account_item(item),
            Type::Key => self.key_item(item),
            Type::Trail => self.trail_item(item),
        };
        if is_named.is_none() {
            let gap = Gap::new(item.kind.fact(), "which resource this item is about can not be told");
            self.push(Piece::Gap(gap.at([item.span()])));
        }
    }

    fn role_item(&mut self, item: &Item<'_>) -> Option<()> {
        let span = item.span();
        let mut role = Role::new(item.identity("role")?, item.owner(), NamedBy::Input, span);
        if let Some(arn) = item.arn() {
            role.partition = arn.partition.into();
            role.path = path_of(arn, "role");
        }
        let why = self.within(item, "configuration", &mut |reader, json| reader.role_facts(&mut role, json, By::Item));
        why.explains(&mut role.trust);
        explain_permissions(&mut role.permissions, &why);
        self.push(Piece::Role(Box::new(role), true));
        Some(())
    }

    fn user_item(&mut self, item: &Item<'_>) -> Option<()> {
        let span = item.span();
        let mut user = User::new(item.identity("user")?, item.owner(), span);
        user.arn.clone_from(&item.arn);
        let why = self.within(item, "configuration", &mut |reader, json| reader.user_facts(&mut user, json, By::Item));
        why.explains(&mut user.groups);
        explain_permissions(&mut user.permissions, &why);
        self.push(Piece::User(Box::new(user), true));
        Some(())
    }

    fn group_item(&mut self, item: &Item<'_>) -> Option<()> {
        let span = item.span();
        let mut group = Group::new(item.identity("group")?, item.owner(), span);
        group.arn.clone_from(&item.arn);
        let why = self.within(item, "configuration", &mut |reader, json| reader.group_facts(&mut group, json));
        explain_permissions(&mut group.permissions, &why);
        self.push(Piece::Group(Box::new(group), true));
        Some(())
    }

    fn managed_policy_item_of(&mut self, item: &Item<'_>) -> Option<()> {
        let arn = item.arn.clone().filter(|arn| policy_name(arn).is_some())?;
        let span = item.span();
        let mut document: Known<Document> = Known::not_collected("managed-policy.document");
        let why = self.within(item, "configuration", &mut |reader, json| document = reader.default_version(json));
        why.explains(&mut document);
        let name = policy_name(&arn).map(CompactString::from).unwrap_or_default();
        self.push(Piece::ManagedPolicy(Box::new(ManagedPolicy { name, arn: Some(arn), span, document })));
        Some(())
    }

    fn bucket_item(&mut self, item: &Item<'_>) -> Option<()> {
        let span = item.span();
        let mut bucket = Bucket::new(item.bucket()?, NamedBy::Input, span);
        if let Some(arn) = item.arn() {
            bucket.partition = arn.partition.into();
        }
        if let Some(account) = &item.account {
            bucket.account = Known::Present(account.value, account.span);
        }
        if let Some(region) = &item.region {
            bucket.region = Known::Present(region.value.clone(), region.span);
        }
        let mut canonical_id = None;
        self.within(item, "configuration", &mut |_, json| {
            canonical_id = object(json, "owner").and_then(|owner| spanned(owner, "id"));
        });
        let why = self.within(item, "supplementaryConfiguration", &mut |reader, json| {
            bucket.policy =
                reader.supplement(json, "BucketPolicy", "bucket.policy", &mut |reader, json| reader.policy_text(json));
            bucket.acl = reader.supplement(json, "AccessControlList", "bucket.acl", &mut |_, json| read_acl(json));
            let fact = "bucket.ownership-controls";
            bucket.ownership = ["OwnershipControls", "BucketOwnershipControls"].iter().fold(
                Known::not_collected(fact),
                |found, key| {
                    let more = reader.supplement(json, key, fact, &mut |_, json| read_ownership(json));
                    if matches!(&found, Known::Unknown(gap) if gap.places.is_empty()) { more } else { found }
                },
            );
            let key = "ServerSideEncryptionConfiguration";
            bucket.encryption = reader.supplement(json, key, "bucket.encryption", &mut |_, json| read_encryption(json));
            let (key, fact) = ("PublicAccessBlockConfiguration", "bucket.public-access-block");
            bucket.block_public_access =
                reader.supplement(json, key, fact, &mut |_, json| read_block_public_access(json));
        });
        why.explains(&mut bucket.policy);
        why.explains(&mut bucket.acl);
        why.explains(&mut bucket.ownership);
        why.explains(&mut bucket.encryption);
        why.explains(&mut bucket.block_public_access);
        self.push(Piece::Bucket(Box::new(bucket)));
        if let (Some(account), Some(canonical_id)) = (&item.account, canonical_id) {
            let account_facts = Account { canonical_id: Some(canonical_id), ..Account::default() };
            self.push(Piece::Account(account.value, Box::new(account_facts)));
        }
        Some(())
    }

    /// The policy of a bucket as AWS Config wraps it; `null` where there is none.
    fn policy_text(&mut self, json: Json<'_>) -> Option<Known<Document>> {
        let policy = match json.member("policyText") {
            Some(text) if text.is_null() => return Some(Known::Absent(text.span())),
            Some(text) => text,
            None if is_policy(json.minding_case()) => json,
            None => return None,
        };
        Some(self.document(Some(policy), PolicyKind::Bucket, "bucket.policy"))
    }

    fn account_item(&mut self, item: &Item<'_>) -> Option<()> {
        let by_id = || item.id.as_deref().and_then(AccountId::parse);
        let account = item.account.as_ref().map(|account| account.value).or_else(by_id)?;
        let mut facts = Account::default();
        let why = self.within(item, "configuration", &mut |_, json| {
            if let Some(settings) = read_block_public_access(json) {
                facts.block_public_access = settings;
            }
        });
        why.explains(&mut facts.block_public_access);
        self.push(Piece::Account(account, Box::new(facts)));
        Some(())
    }

    fn key_item(&mut self, item: &Item<'_>) -> Option<()> {
        let span = item.span();
        let id = item.id.as_ref().or(item.name.as_ref());
        let by_id = || {
            let (id, account, region) = (id?, item.owner()?, item.region.as_ref()?);
            let partition = partition_of_region(&region.value);
            Some(format_compact!("arn:{partition}:kms:{}:{account}:key/{id}", region.value))
        };
        let name = item.arn.clone().or_else(by_id).or_else(|| id.cloned())?;
        let mut key = kms::named(&name, span);
        key.id.as_ref()?;
        key.account = key.account.or(item.owner());
        let why = self.within(item, "configuration", &mut |_, json| {
            if ["KeyManager", "KeyState"].iter().any(|key| json.member(key).is_some()) {
                key.metadata = Known::Present(kms::read_metadata(json), json.span());
            }
        });
        why.explains(&mut key.metadata);
        let why = self.within(item, "supplementaryConfiguration", &mut |reader, json| {
            let policy = json.member("Policy").filter(|policy| !is_nothing(*policy));
            key.policy = reader.document(policy, PolicyKind::Key, "key.policy");
            key.rotation =
                reader.supplement(json, "KeyRotationStatus", "key.rotation", &mut |_, json| read_rotation(json));
        });
        why.explains(&mut key.policy);
        why.explains(&mut key.rotation);
        Silence::new(NEVER_RECORDED, span).explains(&mut key.grants);
        self.push(Piece::Key(key));
        Some(())
    }

    fn trail_item(&mut self, item: &Item<'_>) -> Option<()> {
        let span = item.span();
        let arn = item.arn().filter(|arn| arn.service == "cloudtrail");
        let name = arn.and_then(|arn| arn.resource_of("trail")).map(CompactString::from);
        let mut trail = cloudtrail::nameless(span);
        trail.name = name.or_else(|| item.name.clone()).or_else(|| item.id.clone())?;
        trail.account = item.owner();
        trail.home_region =
            arn.map(|arn| arn.region.into()).or(item.region.as_ref().map(|region| region.value.clone()));
        trail.arn = arn.and(item.arn.clone());
        let why = self.within(item, "configuration", &mut |_, json| {
            trail.home_region = text(json, "homeRegion").or(trail.home_region.take());
            trail_settings(&mut trail, json, false);
        });
        why.explains(&mut trail.bucket);
        why.explains(&mut trail.prefix);
        why.explains(&mut trail.key);
        why.explains(&mut trail.is_multi_region);
        why.explains(&mut trail.is_organization);
        why.explains(&mut trail.validates_log_files);
        Silence::new(NEVER_RECORDED, span).explains(&mut trail.status);
        Silence::new(NEVER_RECORDED, span).explains(&mut trail.selectors);
        self.push(Piece::Trail(trail));
        Some(())
    }
}

fn explain_permissions(permissions: &mut Permissions, why: &Silence) {
    why.explains(&mut permissions.inline);
    why.explains(&mut permissions.attached);
    why.explains(&mut permissions.boundary);
}

/// An ACL as AWS Config shows it; with a grant that can not be read, all of it is not known.
fn read_acl(json: Json<'_>) -> Option<Known<Acl>> {
    let list = ["grantList", "grantSet", "grants"].iter().find_map(|key| array(json, key))?;
    let owner: Option<Spanned<CompactString>> = object(json, "owner").and_then(|owner| spanned(owner, "id"));
    let grants: Option<Vec<_>> = list.elements().map(read_acl_grant).collect();
    Some(Known::Present(Acl { owner, grants: grants? }, json.span()))
}

fn read_rotation(json: Json<'_>) -> Option<Known<bool>> {
    let value = json.member("keyRotationEnabled").unwrap_or(json);
    Some(Known::Present(value.as_bool()?, value.span()))
}
