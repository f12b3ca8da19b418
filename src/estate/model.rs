//! The resources of an estate, each with its facts.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::document::{Broken, Document};
use super::known::Known;
use crate::aws::AccountId;
use crate::policy::PolicyKind;
use crate::syntax::json::Duplicate;
use crate::text::{SourceMap, Span, Spanned};

/// All that was read in one run.
#[derive(Debug, Default)]
pub struct Estate {
    /// The texts.
    pub sources: SourceMap,
    /// The organization.
    pub organization: Organization,
    /// Facts about accounts, by ID.
    pub accounts: BTreeMap<AccountId, Account>,
    /// IAM roles, in order of account, name, place.
    pub roles: Vec<Role>,
    /// IAM users.
    pub users: Vec<User>,
    /// IAM groups.
    pub groups: Vec<Group>,
    /// Managed policies whose text or description was read.
    pub managed_policies: Vec<ManagedPolicy>,
    /// S3 buckets.
    pub buckets: Vec<Bucket>,
    /// KMS keys.
    pub keys: Vec<Key>,
    /// CloudTrail trails, each once.
    pub trails: Vec<Trail>,
    /// Policy documents that join nothing else: of a kind that can not be told, or attached to what is not known.
    pub documents: Vec<Document>,
    /// Texts that are not JSON though they should be.
    pub broken: Vec<Broken>,
    /// Keys that stand twice outside of policy documents.
    pub duplicates: Vec<Duplicate>,
    /// What was concluded from names of files and folders, one sentence each.
    pub named: Vec<Spanned<String>>,
    /// Facts that were told twice in two ways, and answers that no subject could be found for.
    pub gaps: Vec<super::known::Gap>,
    pub(super) managed_by_arn: std::sync::OnceLock<std::collections::HashMap<CompactString, usize>>,
}

impl Estate {
    /// The managed policy with this ARN, where one was read; the policies must not change afterwards.
    pub fn managed_policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        let index = self.managed_by_arn.get_or_init(|| {
            let arns = self.managed_policies.iter().enumerate();
            arns.filter_map(|(index, policy)| Some((policy.arn.clone()?, index))).collect()
        });
        index.get(arn).and_then(|index| self.managed_policies.get(*index))
    }

    /// Gives every policy document to `each`.
    pub fn each_document(&self, each: &mut dyn FnMut(&Document)) {
        let of = |permissions: &Permissions, each: &mut dyn FnMut(&Document)| {
            let inline = permissions.inline.present().into_iter().flatten();
            inline.filter_map(|policy| policy.document.present()).for_each(&mut *each);
            permissions.boundary_document.iter().for_each(each);
        };
        for role in &self.roles {
            role.trust.present().into_iter().for_each(&mut *each);
            of(&role.permissions, each);
        }
        self.users.iter().for_each(|user| of(&user.permissions, each));
        self.groups.iter().for_each(|group| of(&group.permissions, each));
        let managed = self.managed_policies.iter().map(|policy| &policy.document);
        let buckets = self.buckets.iter().map(|bucket| &bucket.policy);
        let keys = self.keys.iter().map(|key| &key.policy);
        let organization = self.organization.policies.iter().map(|policy| &policy.document);
        let known = managed.chain(buckets).chain(keys).chain(organization);
        known.filter_map(Known::present).chain(&self.documents).for_each(each);
    }
}

/// How the name of a resource became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// An input, the config or the command line says it.
    Input,
    /// The name of its file or folder.
    File,
    /// Nothing: the resource is called after its file.
    Nothing,
}

/// Facts about the organization.
#[derive(Debug)]
pub struct Organization {
    /// Its ID, `o-…`.
    pub id: Known<CompactString>,
    /// Its management account.
    pub management: Known<AccountId>,
    /// Its accounts.
    pub accounts: Known<Vec<Member>>,
    /// Its SCPs and RCPs.
    pub policies: Vec<OrganizationPolicy>,
    /// The parent (root or OU ID) of an account or OU.
    pub parents: BTreeMap<CompactString, Spanned<CompactString>>,
}

impl Default for Organization {
    fn default() -> Self {
        Organization {
            id: Known::not_collected("organization.id"),
            management: Known::not_collected("organization.management-account"),
            accounts: Known::not_collected("organization.accounts"),
            policies: Vec::new(),
            parents: BTreeMap::new(),
        }
    }
}

/// An account of the organization.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its ID.
    pub id: AccountId,
    /// Its name.
    pub name: Option<CompactString>,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of organization policies that decide access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrganizationPolicyKind {
    /// Service control policy.
    Scp,
    /// Resource control policy.
    Rcp,
}

/// A service or resource control policy.
#[derive(Debug, Clone)]
pub struct OrganizationPolicy {
    /// Its ID, `p-…`; empty where not known.
    pub id: CompactString,
    /// Its name, or its file's.
    pub name: CompactString,
    /// SCP or RCP.
    pub kind: OrganizationPolicyKind,
    /// Its text.
    pub document: Known<Document>,
    /// What it is attached to.
    pub targets: Known<Vec<Target>>,
    /// Where it is described.
    pub span: Span,
}

/// The root, OU or account a policy is attached to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its ID.
    pub id: CompactString,
    /// Where this stands.
    pub span: Span,
}

/// Facts about one account.
#[derive(Debug)]
pub struct Account {
    /// Its name.
    pub name: Option<CompactString>,
    /// Block public access for all its buckets.
    pub block_public_access: Known<BlockPublicAccess>,
    /// Its S3 canonical ID.
    pub canonical_id: Option<Spanned<CompactString>>,
}

impl Default for Account {
    fn default() -> Self {
        Account {
            name: None,
            block_public_access: Known::not_collected("account.public-access-block"),
            canonical_id: None,
        }
    }
}

/// What an IAM identity may do by its own policies.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// Its inline policies; loose policy files count as such.
    pub inline: Known<Vec<InlinePolicy>>,
    /// The ARNs of its managed policies.
    pub attached: Known<Vec<Spanned<CompactString>>>,
    /// The ARN of its permissions boundary.
    pub boundary: Known<CompactString>,
    /// The boundary's text, where it was given as a loose file.
    pub boundary_document: Option<Document>,
}

impl Permissions {
    /// Permissions of which nothing is known; `kind` is `role`, `user` or `group`.
    pub fn unknown(kind: &str) -> Self {
        Permissions {
            inline: Known::not_collected(format!("{kind}.inline-policies")),
            attached: Known::not_collected(format!("{kind}.attached-policies")),
            boundary: Known::not_collected(format!("{kind}.permissions-boundary")),
            boundary_document: None,
        }
    }
}

/// An inline policy.
#[derive(Debug, Clone)]
pub struct InlinePolicy {
    /// Its name, where it has one.
    pub name: Option<CompactString>,
    /// Its text.
    pub document: Known<Document>,
}

/// An IAM role.
#[derive(Debug)]
pub struct Role {
    /// Its name without path; the file's name where [`Role::named_by`] is [`NamedBy::Nothing`].
    pub name: CompactString,
    /// Its path, `/` or `/a/b/`; `None` where not known, which is taken for `/`.
    pub path: Option<CompactString>,
    /// Its account.
    pub account: Option<AccountId>,
    /// The partition of its ARN, `aws` where not known.
    pub partition: CompactString,
    /// How its name became known.
    pub named_by: NamedBy,
    /// Where it is described: its object in an export, or its first document.
    pub span: Span,
    /// Who may assume it.
    pub trust: Known<Document>,
    /// What it may do.
    pub permissions: Permissions,
}

impl Role {
    /// Its ARN, where name and account are known.
    pub fn arn(&self) -> Option<String> {
        if self.named_by == NamedBy::Nothing {
            return None;
        }
        let path = self.path.as_deref().unwrap_or("/");
        Some(format!("arn:{}:iam::{}:role{path}{}", self.partition, self.account?, self.name))
    }

    /// The role as one of the trust policies that contradict each other describes it; `None` where the document is none
    /// of them.
    pub fn with_trust(&self, document: &Document) -> Option<Role> {
        let Known::Unknown(gap) = &self.trust else { return None };
        if document.kind != PolicyKind::Trust || !gap.places.iter().any(|place| place.contains(document.span)) {
            return None;
        }
        Some(Role {
            name: self.name.clone(),
            path: self.path.clone(),
            account: self.account,
            partition: self.partition.clone(),
            named_by: self.named_by,
            span: document.span,
            trust: Known::Present(document.clone(), document.span),
            permissions: self.permissions.clone(),
        })
    }
}

/// An IAM user.
#[derive(Debug)]
pub struct User {
    /// Its name without path.
    pub name: CompactString,
    /// Its ARN.
    pub arn: Option<CompactString>,
    /// Its account.
    pub account: Option<AccountId>,
    /// Where it is described.
    pub span: Span,
    /// The names of its groups.
    pub groups: Known<Vec<CompactString>>,
    /// What it may do by policies of its own.
    pub permissions: Permissions,
}

/// An IAM group.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: CompactString,
    /// Its ARN.
    pub arn: Option<CompactString>,
    /// Its account.
    pub account: Option<AccountId>,
    /// Where it is described.
    pub span: Span,
    /// What its members may do by it.
    pub permissions: Permissions,
}

/// A managed policy.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// Its name, or its file's.
    pub name: CompactString,
    /// Its ARN.
    pub arn: Option<CompactString>,
    /// Where it is described.
    pub span: Span,
    /// The text of its default version.
    pub document: Known<Document>,
}

/// Who owns objects that another account writes (S3 User Guide, "Controlling ownership of objects").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectOwnership {
    /// `BucketOwnerEnforced`: ACLs are off, the bucket owner owns everything.
    BucketOwnerEnforced,
    /// `BucketOwnerPreferred`: the bucket owner owns what is written with `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// `ObjectWriter`: the writer owns its objects.
    ObjectWriter,
}

/// An S3 bucket.
#[derive(Debug)]
pub struct Bucket {
    /// Its name; the file's name where [`Bucket::named_by`] is [`NamedBy::Nothing`].
    pub name: CompactString,
    /// How its name became known.
    pub named_by: NamedBy,
    /// The account that owns it.
    pub account: Known<AccountId>,
    /// The partition of its ARN, `aws` where not known.
    pub partition: CompactString,
    /// Where it is first described.
    pub span: Span,
    /// Its Region.
    pub region: Known<CompactString>,
    /// Its policy.
    pub policy: Known<Document>,
    /// Who owns its objects; absent where it has no ownership controls, which works as [`ObjectOwnership::ObjectWriter`].
    pub ownership: Known<ObjectOwnership>,
    /// Its ACL.
    pub acl: Known<Acl>,
    /// Its default encryption; absent where it has none, which means SSE-S3 since 2023.
    pub encryption: Known<BucketEncryption>,
    /// Its own block public access settings; absent means all four off.
    pub block_public_access: Known<BlockPublicAccess>,
    /// Whether S3 says its policy is public.
    pub policy_is_public: Known<bool>,
}

impl Bucket {
    /// A bucket of which only the name is known.
    pub fn new(name: CompactString, named_by: NamedBy, span: Span) -> Self {
        Bucket {
            name,
            named_by,
            account: Known::not_collected("bucket.account"),
            partition: "aws".into(),
            span,
            region: Known::not_collected("bucket.region"),
            policy: Known::not_collected("bucket.policy"),
            ownership: Known::not_collected("bucket.ownership-controls"),
            acl: Known::not_collected("bucket.acl"),
            encryption: Known::not_collected("bucket.encryption"),
            block_public_access: Known::not_collected("bucket.public-access-block"),
            policy_is_public: Known::not_collected("bucket.policy-status"),
        }
    }

    /// Its ARN, where its name is known.
    pub fn arn(&self) -> Option<String> {
        (self.named_by != NamedBy::Nothing).then(|| format!("arn:{}:s3:::{}", self.partition, self.name))
    }
}

/// An access control list as AWS shows it: the grants in effect.
#[derive(Debug, Clone)]
pub struct Acl {
    /// The canonical ID of the owner.
    pub owner: Option<Spanned<CompactString>>,
    /// The grants.
    pub grants: Vec<AclGrant>,
}

/// One grant of an ACL.
#[derive(Debug, Clone)]
pub struct AclGrant {
    /// To whom.
    pub grantee: Grantee,
    /// What.
    pub permission: AclPermission,
    /// The grant's object.
    pub span: Span,
    /// The grantee's own place.
    pub grantee_span: Span,
}

/// The grantee of an ACL grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// An account, by its canonical ID.
    CanonicalUser(CompactString),
    /// Anyone, signed or not.
    AllUsers,
    /// Any AWS account.
    AuthenticatedUsers,
    /// S3's own log delivery group.
    LogDelivery,
    /// Anything else, as written.
    Other(CompactString),
}

/// What an ACL grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclPermission {
    /// `READ`
    Read,
    /// `WRITE`
    Write,
    /// `READ_ACP`
    ReadAcp,
    /// `WRITE_ACP`
    WriteAcp,
    /// `FULL_CONTROL`
    FullControl,
    /// Anything else, as written.
    Other(CompactString),
}

/// The four settings of block public access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockPublicAccess {
    /// New public ACLs are refused.
    pub block_public_acls: bool,
    /// Public ACLs are ignored.
    pub ignore_public_acls: bool,
    /// New public policies are refused.
    pub block_public_policy: bool,
    /// A public policy gives access to the owner's account and AWS services only.
    pub restrict_public_buckets: bool,
}

/// The default encryption of a bucket.
#[derive(Debug, Clone)]
pub struct BucketEncryption {
    /// The algorithm.
    pub algorithm: Encryption,
    /// Where the algorithm stands.
    pub algorithm_span: Span,
    /// The key: ID, ARN, alias name or alias ARN, as configured.
    pub key: Option<Spanned<CompactString>>,
    /// Whether an S3 Bucket Key is used.
    pub bucket_key: bool,
}

/// How S3 encrypts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// `AES256`: SSE-S3.
    S3,
    /// `aws:kms`: SSE-KMS.
    Kms,
    /// `aws:kms:dsse`: two layers with a KMS key.
    KmsDualLayer,
    /// Anything else, as written.
    Other(CompactString),
}

/// A KMS key.
#[derive(Debug)]
pub struct Key {
    /// Its ID, where known.
    pub id: Option<CompactString>,
    /// Its ARN, where known.
    pub arn: Option<CompactString>,
    /// Its account, where known.
    pub account: Option<AccountId>,
    /// What it is called where neither ID nor ARN is known: its file's name.
    pub name: CompactString,
    /// Where it is first described.
    pub span: Span,
    /// Its policy.
    pub policy: Known<Document>,
    /// Its description.
    pub metadata: Known<KeyMetadata>,
    /// Whether it rotates by itself; absent where the kind of key can not.
    pub rotation: Known<bool>,
    /// The names that point to it, `alias/…`.
    pub aliases: Known<Vec<Spanned<CompactString>>>,
    /// Its grants.
    pub grants: Known<Vec<Grant>>,
}

impl Key {
    /// A key of which nothing is known but a name for messages.
    pub fn new(name: CompactString, span: Span) -> Self {
        Key {
            id: None,
            arn: None,
            account: None,
            name,
            span,
            policy: Known::not_collected("key.policy"),
            metadata: Known::not_collected("key.metadata"),
            rotation: Known::not_collected("key.rotation"),
            aliases: Known::not_collected("key.aliases"),
            grants: Known::not_collected("key.grants"),
        }
    }
}

/// Who manages a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyManager {
    /// An AWS managed key, such as `aws/s3`: its policy can not be changed.
    Aws,
    /// A customer managed key.
    Customer,
}

/// What `kms describe-key` says.
#[derive(Debug, Clone)]
pub struct KeyMetadata {
    /// Who manages it.
    pub manager: Option<KeyManager>,
    /// `Enabled`, `Disabled`, `PendingDeletion`, …
    pub state: Option<Spanned<CompactString>>,
    /// `ENCRYPT_DECRYPT`, …
    pub usage: Option<Spanned<CompactString>>,
    /// `SYMMETRIC_DEFAULT`, …
    pub spec: Option<Spanned<CompactString>>,
    /// `AWS_KMS`, `EXTERNAL`, …
    pub origin: Option<Spanned<CompactString>>,
}

/// A KMS grant.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its ID.
    pub id: CompactString,
    /// Who may use it: an ARN, a service, or the ID of a deleted principal.
    pub grantee: Option<Spanned<CompactString>>,
    /// The operations, such as `Decrypt`.
    pub operations: Vec<CompactString>,
    /// Where it stands.
    pub span: Span,
}

/// A CloudTrail trail.
#[derive(Debug)]
pub struct Trail {
    /// Its name.
    pub name: CompactString,
    /// Its ARN, in its home Region and owner account.
    pub arn: Option<CompactString>,
    /// The account that owns it.
    pub account: Option<AccountId>,
    /// Its home Region.
    pub home_region: Option<CompactString>,
    /// Where it is described.
    pub span: Span,
    /// The bucket it delivers to.
    pub bucket: Known<CompactString>,
    /// The S3 key prefix; absent means none.
    pub prefix: Known<CompactString>,
    /// The KMS key its files are encrypted under; absent means none of its own.
    pub key: Known<CompactString>,
    /// Whether it logs all Regions.
    pub is_multi_region: Known<bool>,
    /// Whether it logs all accounts of the organization.
    pub is_organization: Known<bool>,
    /// Whether it writes digest files.
    pub validates_log_files: Known<bool>,
    /// How it fares.
    pub status: Known<TrailStatus>,
    /// What it logs.
    pub selectors: Known<EventSelectors>,
}

/// What `cloudtrail get-trail-status` says.
#[derive(Debug, Clone)]
pub struct TrailStatus {
    /// Whether it is logging.
    pub is_logging: Option<Spanned<bool>>,
    /// The error of the last delivery.
    pub delivery_error: Option<Spanned<CompactString>>,
}

/// What `cloudtrail get-event-selectors` says, as far as it matters here.
#[derive(Debug, Clone)]
pub struct EventSelectors {
    /// Whether management events are logged, as far as basic selectors tell.
    pub management_events: Option<bool>,
}
