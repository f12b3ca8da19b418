//! Answers of S3 and S3 Control.
//!
//! Source: Amazon S3 API Reference. None of these answers but `list-buckets` names a bucket.

use compact_str::CompactString;

use super::names::Layout;
use super::operation::Operation;
use super::piece::{ListedBucket, Piece};
use super::reader::{Reader, array, begins_with, flag, goes_on, is_policy, object, spanned, text};
use crate::estate::{
    Acl, AclGrant, AclPermission, BlockPublicAccess, Bucket, BucketEncryption, Encryption, Gap, Grantee, Known,
    NamedBy, ObjectOwnership, unwrap,
};
use crate::policy::{PolicyKind, kind_of};
use crate::syntax::json::{Json, Kind};
use crate::text::{Span, Spanned};

/// A bucket that the file does not name.
pub(super) fn nameless(span: Span) -> Box<Bucket> {
    Box::new(Bucket::new(CompactString::default(), NamedBy::Nothing, span))
}

impl Reader<'_> {
    /// Reads an answer of S3; whether it is one.
    pub(super) fn s3(&mut self, json: Json<'_>) -> bool {
        self.ownership(json)
            || self.acl(json)
            || self.encryption(json)
            || self.block_public_access(json)
            || self.location(json)
            || self.policy_status(json)
            || self.buckets(json)
            || self.of_no_use(json)
    }

    fn ownership(&mut self, json: Json<'_>) -> bool {
        let Some(ownership) = read_ownership(json) else { return false };
        let mut bucket = nameless(json.span());
        bucket.ownership = ownership;
        self.push(Piece::Bucket(bucket));
        true
    }

    fn acl(&mut self, json: Json<'_>) -> bool {
        let grants = match json.kind() {
            Kind::Object => array(json, "Grants")
                .filter(|list| json.member("Owner").is_some() || begins_with(*list, &["Grantee", "Permission"])),
            _ => None,
        };
        let Some(grants) = grants else { return false };
        let owner = json.member("Owner").and_then(|owner| spanned(owner, "ID"));
        self.grants_of_acl(json.span(), owner, grants);
        true
    }

    /// The grants of an ACL, with or without the answer around them.
    pub(super) fn grants_of_acl(&mut self, span: Span, owner: Option<Spanned<CompactString>>, grants: Json<'_>) {
        let grants = grants.elements().filter_map(read_acl_grant);
        let mut bucket = nameless(span);
        bucket.acl = Known::Present(Acl { owner, grants: grants.collect() }, span);
        self.push(Piece::Bucket(bucket));
    }

    fn encryption(&mut self, json: Json<'_>) -> bool {
        let Some(encryption) = read_encryption(json) else { return false };
        let mut bucket = nameless(json.span());
        bucket.encryption = encryption;
        self.push(Piece::Bucket(bucket));
        true
    }

    fn block_public_access(&mut self, json: Json<'_>) -> bool {
        let Some(settings) = read_block_public_access(json) else { return false };
        self.push(Piece::BlockPublicAccess(settings, json.span()));
        true
    }

    fn location(&mut self, json: Json<'_>) -> bool {
        json.member("LocationConstraint").is_some_and(|location| self.region_of_bucket(json, location))
    }

    /// Reads the Region of a bucket, with or without the answer around it.
    pub(super) fn region_of_bucket(&mut self, json: Json<'_>, location: Json<'_>) -> bool {
        if !matches!(location.kind(), Kind::Null | Kind::String) {
            return false;
        }
        // S3 API Reference, GetBucketLocation: null is us-east-1, EU is eu-west-1.
        let region = match location.as_str().as_deref() {
            None | Some("") => "us-east-1".into(),
            Some("EU") => "eu-west-1".into(),
            Some(region) => CompactString::from(region),
        };
        let mut bucket = nameless(json.span());
        bucket.region = Known::Present(region, location.span());
        self.push(Piece::Bucket(bucket));
        true
    }

    fn policy_status(&mut self, json: Json<'_>) -> bool {
        let wrapped = object(json, "PolicyStatus");
        let status = wrapped.unwrap_or(json);
        if wrapped.is_none() && json.members().count() != 1 {
            return false;
        }
        let Some(value) = status.member("IsPublic").filter(|value| value.as_bool().is_some()) else { return false };
        let mut bucket = nameless(json.span());
        bucket.policy_is_public = Known::Present(value.as_bool().unwrap_or(false), value.span());
        self.push(Piece::Bucket(bucket));
        true
    }

    fn buckets(&mut self, json: Json<'_>) -> bool {
        let Some(list) = array(json, "Buckets") else { return false };
        if list.elements().next().is_some() && !begins_with(list, &["Name"]) {
            return false;
        }
        self.bucket_list(list, json.member("Owner").and_then(|owner| spanned(owner, "ID")));
        self.page("account.buckets", None, goes_on(json), list.span());
        true
    }

    /// Buckets by their names, with or without the answer around them.
    pub(super) fn bucket_list(&mut self, list: Json<'_>, owner: Option<Spanned<CompactString>>) {
        let buckets = list.elements().filter_map(|bucket| {
            let region = spanned(bucket, "BucketRegion");
            Some(ListedBucket { name: text(bucket, "Name")?, region, span: bucket.span() })
        });
        self.push(Piece::Buckets(buckets.collect(), owner));
    }

    /// Answers that no rule asks for.
    fn of_no_use(&mut self, json: Json<'_>) -> bool {
        const KEYS: [&str; 5] =
            ["ObjectLockConfiguration", "LoggingEnabled", "TagSet", "AbacStatus", "AccessPointList"];
        let versioning = matches!(text(json, "Status").as_deref(), Some("Enabled" | "Suspended"))
            && json.members().all(|(key, _)| key.is_key("Status") || key.is_key("MFADelete"));
        // Of a bucket that never had versions the answer holds nothing.
        let never = self.names.operation == Some(Operation::GetBucketVersioning)
            && json.kind() == Kind::Object
            && json.members().next().is_none();
        // What a snapshot says of itself tells nothing of AWS.
        let manifest = ["SchemaVersion", "Tool", "Caller"].iter().all(|key| json.member(key).is_some());
        let found = versioning || never || manifest || KEYS.iter().any(|key| json.member(key).is_some());
        self.told.recognised |= found;
        found
    }

    /// `{"Policy": …}`: a bucket's or a key's policy, or what else AWS answers so.
    pub(super) fn policy_of_resource(&mut self, json: Json<'_>) -> bool {
        let Some(policy) = json.member("Policy").filter(|policy| !policy.is_null()) else { return false };
        let is_answer = matches!(self.names.operation, Some(Operation::GetBucketPolicy | Operation::GetKeyPolicy));
        if policy.kind() != Kind::String && !is_policy(policy) && !is_answer {
            return false;
        }
        let by_name = match (&self.names.folder.layout, self.names.operation) {
            (Layout::Bucket(..), _) | (_, Some(Operation::GetBucketPolicy)) => Some(PolicyKind::Bucket),
            (Layout::Key { .. }, _) | (_, Some(Operation::GetKeyPolicy)) => Some(PolicyKind::Key),
            _ => None,
        };
        let by_answer = json.member("PolicyName").map(|_| PolicyKind::Key);
        let by_content = || unwrap(policy, 0, &mut kind_of).ok().flatten();
        let kind = self.kind.or(by_answer).or(by_name).or_else(by_content).unwrap_or(PolicyKind::Resource);
        self.told.recognised = true;
        if let Err(gap) = self.policy(policy, kind, false) {
            match kind {
                PolicyKind::Bucket => {
                    let mut bucket = nameless(json.span());
                    bucket.policy = Known::Unknown(Gap { fact: "bucket.policy".into(), ..gap });
                    self.push(Piece::Bucket(bucket));
                }
                PolicyKind::Key => {
                    let mut key = super::kms::nameless(json.span());
                    key.policy = Known::Unknown(Gap { fact: "key.policy".into(), ..gap });
                    self.push(Piece::Key(key));
                }
                _ => self.push(Piece::Gap(gap)),
            }
        }
        true
    }
}

/// The ownership controls of a bucket, with or without the answer around them; `None` where it is none.
pub(super) fn read_ownership(json: Json<'_>) -> Option<Known<ObjectOwnership>> {
    let fact = "bucket.ownership-controls";
    let controls = object(json, "OwnershipControls").unwrap_or(json);
    let rules = array(controls, "Rules").filter(|rules| begins_with(*rules, &["ObjectOwnership"]))?;
    let value = rules.elements().next().and_then(|rule| rule.member("ObjectOwnership"));
    let Some((value, text)) = value.and_then(|value| Some((value, value.as_str()?))) else {
        return Some(Known::not_collected(fact));
    };
    let ownership = match text.as_ref() {
        "BucketOwnerEnforced" => Some(ObjectOwnership::BucketOwnerEnforced),
        "BucketOwnerPreferred" => Some(ObjectOwnership::BucketOwnerPreferred),
        "ObjectWriter" => Some(ObjectOwnership::ObjectWriter),
        _ => None,
    };
    // S3 takes one rule; of two it can not be told which counts.
    let ownership = ownership.filter(|_| rules.elements().count() == 1);
    Some(or_not_understood(ownership, fact, value.span()))
}

/// The default encryption of a bucket, with or without the answer around it; `None` where it is none.
pub(super) fn read_encryption(json: Json<'_>) -> Option<Known<BucketEncryption>> {
    let configuration = object(json, "ServerSideEncryptionConfiguration").unwrap_or(json);
    let rules = array(configuration, "Rules");
    let rule = rules.filter(|rules| begins_with(*rules, &["ApplyServerSideEncryptionByDefault"]))?.elements().next()?;
    let default = rule.member("ApplyServerSideEncryptionByDefault")?;
    let encryption = spanned(default, "SSEAlgorithm").map(|algorithm| BucketEncryption {
        algorithm_span: algorithm.span,
        algorithm: match algorithm.value.as_str() {
            "AES256" => Encryption::S3,
            "aws:kms" => Encryption::Kms,
            "aws:kms:dsse" => Encryption::KmsDualLayer,
            _ => Encryption::Other(algorithm.value),
        },
        key: spanned(default, "KMSMasterKeyID").filter(|key| !key.value.is_empty()),
        bucket_key: flag(rule, "BucketKeyEnabled").unwrap_or(false),
    });
    Some(or_not_understood(encryption, "bucket.encryption", default.span()))
}

/// Block public access settings, with or without the answer around them, which may leave out what is off; `None` where
/// it is none.
pub(super) fn read_block_public_access(json: Json<'_>) -> Option<Known<BlockPublicAccess>> {
    const SETTINGS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    let wrapped = object(json, "PublicAccessBlockConfiguration");
    let settings = wrapped.unwrap_or(json);
    if wrapped.is_none() && !SETTINGS.iter().all(|key| flag(settings, key).is_some()) {
        return None;
    }
    let on = |key| flag(settings, key).unwrap_or(false);
    let found = BlockPublicAccess {
        block_public_acls: on("BlockPublicAcls"),
        ignore_public_acls: on("IgnorePublicAcls"),
        block_public_policy: on("BlockPublicPolicy"),
        restrict_public_buckets: on("RestrictPublicBuckets"),
    };
    Some(Known::Present(found, settings.span()))
}

/// A value that is there but is none we know is not known.
fn or_not_understood<T>(value: Option<T>, fact: &'static str, span: Span) -> Known<T> {
    match value {
        Some(value) => Known::Present(value, span),
        None => Known::Unknown(Gap::new(fact, "the value is none that is known").at([span])),
    }
}

/// One grant of an ACL, as `s3api get-bucket-acl` or AWS Config shows it.
pub(crate) fn read_acl_grant(json: Json<'_>) -> Option<AclGrant> {
    let grantee = json.member("Grantee")?;
    Some(AclGrant {
        grantee: read_grantee(grantee),
        permission: permission(text(json, "Permission")?),
        span: json.span(),
        grantee_span: grantee.span(),
    })
}

/// A grantee; AWS Config has groups by their bare names or as `identifier`, where it may also have canonical IDs.
fn read_grantee(json: Json<'_>) -> Grantee {
    let group = text(json, "URI").or_else(|| json.as_str().map(CompactString::from));
    let identifier = text(json, "ID").or_else(|| text(json, "Identifier"));
    let is_group = |id: &CompactString| id.contains("/groups/");
    if let Some(uri) = group.or_else(|| identifier.clone().filter(is_group)) {
        return match uri.rsplit('/').next() {
            Some("AllUsers") => Grantee::AllUsers,
            Some("AuthenticatedUsers") => Grantee::AuthenticatedUsers,
            Some("LogDelivery") => Grantee::LogDelivery,
            _ => Grantee::Other(uri),
        };
    }
    match identifier {
        Some(id) => Grantee::CanonicalUser(id),
        None => Grantee::Other(text(json, "EmailAddress").unwrap_or_else(|| CompactString::from(json.raw()))),
    }
}

/// A permission, as `FULL_CONTROL` or, in AWS Config, `FullControl`.
fn permission(text: CompactString) -> AclPermission {
    let plain: String = text.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    match plain.as_str() {
        "read" => AclPermission::Read,
        "write" => AclPermission::Write,
        "readacp" => AclPermission::ReadAcp,
        "writeacp" => AclPermission::WriteAcp,
        "fullcontrol" => AclPermission::FullControl,
        _ => AclPermission::Other(text),
    }
}
