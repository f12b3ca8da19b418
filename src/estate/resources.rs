//! Buckets, keys and trails, each with its facts.

use compact_str::CompactString;

use super::document::Document;
use super::known::Known;
use super::model::NamedBy;
use crate::aws::AccountId;
use crate::text::{Span, Spanned};

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
#[derive(Debug, Clone)]
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

    /// The bucket as one document describes it that was given for its policy.
    pub fn with_policy(&self, document: &Document) -> Bucket {
        Bucket { policy: Known::Present(document.clone(), document.span), ..self.clone() }
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
#[derive(Debug, Clone)]
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

    /// The key as one document describes it that was given for its policy.
    pub fn with_policy(&self, document: &Document) -> Key {
        Key { policy: Known::Present(document.clone(), document.span), ..self.clone() }
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
    /// What a request must carry for it to count.
    pub constraints: GrantConstraints,
    /// Where it stands.
    pub span: Span,
}

/// The constraints of a KMS grant (KMS API Reference, `GrantConstraints`).
#[derive(Debug, Clone, Default)]
pub struct GrantConstraints {
    /// `EncryptionContextEquals`: the encryption context must be these pairs and no others.
    pub encryption_context_equals: Option<Vec<(CompactString, CompactString)>>,
    /// `EncryptionContextSubset`: the encryption context must hold these pairs.
    pub encryption_context_subset: Option<Vec<(CompactString, CompactString)>>,
    /// `SourceArn`: the resource an AWS service must be asking for.
    pub source_arn: Option<CompactString>,
    /// The name of a constraint that is none of these.
    pub other: Option<CompactString>,
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
