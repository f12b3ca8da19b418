//! What S3 adds to policies: who owns an object, access control lists, block public access.
//!
//! Sources: S3 User Guide, "How Amazon S3 authorizes a request" (for a bucket and for an object operation), "Access
//! control list (ACL) overview", "Controlling ownership of objects" and "Blocking public access to your Amazon S3 storage".

mod public;
#[cfg(test)]
mod tests;

use compact_str::CompactString;

pub use self::public::{is_public, statement_is_public};
use crate::access::evaluate::{Authority, Evaluation, Permitted, Side, StopKind};
use crate::access::request::Caller;
use crate::aws::AccountId;
use crate::estate::{AclGrant, AclPermission, Grantee, Known, ObjectOwnership};
use crate::finding::StepEffect;
use crate::policy::condition::Tri;

const OWNER: &str = "who owns the object";
const OBJECT_ACL: &str = "the ACL of the object";
const BUCKET_ACL: &str = "the ACL of the bucket";

/// What object ownership makes of ACLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// `BucketOwnerEnforced`: the bucket owner owns every object and no ACL counts.
    Enforced,
    /// Any other setting, or none: ACLs count, and writers may own their objects.
    AclsCount,
    /// Not known.
    Unknown,
}

impl From<&Known<ObjectOwnership>> for Ownership {
    fn from(known: &Known<ObjectOwnership>) -> Self {
        match known {
            Known::Present(ObjectOwnership::BucketOwnerEnforced, _) => Ownership::Enforced,
            Known::Present(..) | Known::Absent(_) => Ownership::AclsCount,
            Known::Unknown(_) => Ownership::Unknown,
        }
    }
}

/// Who owns an object, where object ownership does not settle it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectOwner {
    /// The account that owns the bucket.
    Bucket,
    /// This account.
    Account(AccountId),
    /// The account CloudTrail delivers from; its ACL gives the bucket owner full control and nobody else anything.
    CloudTrail,
    /// CloudTrail delivered it, and it belongs to [`ObjectOwner::Bucket`] or to [`ObjectOwner::CloudTrail`].
    Delivered,
    /// Not known.
    Unknown,
}

/// What S3 knows of a bucket, or of an object in it, besides policies.
#[derive(Debug, Clone, Copy)]
pub struct Storage<'p> {
    /// Whether ACLs count.
    pub ownership: Ownership,
    /// Who owns the object that a request is for.
    pub object_owner: ObjectOwner,
    /// The grants of the bucket's ACL; `None` where they are not known.
    pub bucket_acl: Option<&'p [AclGrant]>,
    /// The grants of the object's ACL; `None` where they are not known.
    pub object_acl: Option<&'p [AclGrant]>,
    /// The accounts of canonical IDs, as far as they are known.
    pub canonical_ids: &'p [(CompactString, AccountId)],
    /// `RestrictPublicBuckets`, of the bucket or of its account.
    pub restrict_public_buckets: Tri,
    /// `IgnorePublicAcls`, of the bucket or of its account.
    pub ignore_public_acls: Tri,
    /// Whether the bucket policy is public, as [`is_public`] tells.
    pub policy_is_public: Tri,
}

impl Default for Storage<'_> {
    /// A bucket that enforces its owner's ownership, without block public access.
    fn default() -> Self {
        Storage {
            ownership: Ownership::Enforced,
            object_owner: ObjectOwner::Bucket,
            bucket_acl: Some(&[]),
            object_acl: Some(&[]),
            canonical_ids: &[],
            restrict_public_buckets: Tri::False,
            ignore_public_acls: Tri::False,
            policy_is_public: Tri::False,
        }
    }
}

/// The permission that an operation of the S3 API asks for: `s3:HeadObject` is allowed by `s3:GetObject`.
///
/// Source: S3 API Reference, the permissions of HeadObject, HeadBucket, ListObjects and ListObjectsV2.
pub fn permission_for(operation: &str) -> &str {
    const NAMES: [(&str, &str); 4] = [
        ("s3:HeadObject", "s3:GetObject"),
        ("s3:HeadBucket", "s3:ListBucket"),
        ("s3:ListObjects", "s3:ListBucket"),
        ("s3:ListObjectsV2", "s3:ListBucket"),
    ];
    NAMES.into_iter().find(|(name, _)| operation.eq_ignore_ascii_case(name)).map_or(operation, |(_, action)| action)
}

/// What decides an action, besides policies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// The bucket's ACL with this permission.
    Bucket(AclPermission),
    /// The object's owner and ACL with this permission.
    Object(AclPermission),
    /// The object's owner; no ACL gives it.
    ObjectOnly,
    /// Nothing.
    Neither,
}

impl Subject {
    fn of(action: &str) -> Self {
        use AclPermission::{Read, ReadAcp, Write, WriteAcp};
        const TABLE: [(&str, Subject); 14] = [
            ("GetObject", Subject::Object(Read)),
            ("ListBucket", Subject::Bucket(Read)),
            ("GetObjectVersion", Subject::Object(Read)),
            ("GetObjectTorrent", Subject::Object(Read)),
            ("GetObjectVersionTorrent", Subject::Object(Read)),
            ("GetObjectAcl", Subject::Object(ReadAcp)),
            ("GetObjectVersionAcl", Subject::Object(ReadAcp)),
            ("PutObjectAcl", Subject::Object(WriteAcp)),
            ("PutObjectVersionAcl", Subject::Object(WriteAcp)),
            ("ListBucketVersions", Subject::Bucket(Read)),
            ("ListBucketMultipartUploads", Subject::Bucket(Read)),
            // It makes an object, so there is no owner yet who could object.
            ("PutObject", Subject::Bucket(Write)),
            ("GetBucketAcl", Subject::Bucket(ReadAcp)),
            ("PutBucketAcl", Subject::Bucket(WriteAcp)),
        ];
        let name = action.split_once(':').map_or("", |(_, name)| name);
        if let Some((_, subject)) = TABLE.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
            return subject.clone();
        }
        let begins = |start: &str| name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        match ["GetObject", "PutObject", "RestoreObject"].into_iter().any(begins) {
            true => Subject::ObjectOnly,
            false => Subject::Neither,
        }
    }
}

/// What policies say of a request, with block public access.
#[derive(Debug, Clone, Copy)]
struct Given {
    /// By the policies, block public access asked.
    by_policy: Tri,
    /// Whether the caller's own account allows it.
    by_caller: Tri,
    /// Whether block public access stops the caller.
    stopped: Tri,
}

impl Evaluation<'_> {
    /// Whether policies, ACLs and block public access let a request for a bucket or object through.
    pub(in crate::access) fn stored(&mut self, storage: &Storage<'_>) -> Tri {
        let Permitted { met, by_caller } = self.permitted();
        let stopped = if met == Tri::False { self.may_be_stopped(storage) } else { self.stopped(storage) };
        let given = Given { by_policy: met.and(!stopped), by_caller, stopped };
        match Subject::of(self.request.action.as_str()) {
            Subject::Bucket(wanted) => {
                let acls = !Tri::from(storage.ownership == Ownership::Enforced);
                let acls = if storage.ownership == Ownership::Unknown { Tri::Unknown } else { acls };
                let (grants, what) = (storage.bucket_acl, BUCKET_ACL);
                let open = self.owned(given, storage, &Acl { counts: acls, grants, what, wanted: &wanted });
                if open == Tri::Unknown && acls == Tri::Unknown && given.by_policy == Tri::False {
                    self.depend("the object ownership of the bucket");
                }
                open
            }
            Subject::Object(wanted) => self.object(given, storage, Some(&wanted)),
            Subject::ObjectOnly => self.object(given, storage, None),
            Subject::Neither => given.by_policy,
        }
    }

    /// An operation on an object that is there, whoever owns it.
    fn object(&mut self, given: Given, storage: &Storage<'_>, wanted: Option<&AclPermission>) -> Tri {
        if storage.ownership == Ownership::Enforced {
            return given.by_policy;
        }
        let own = |evaluation: &mut Self| match wanted {
            Some(wanted) => {
                let known = storage.object_owner == ObjectOwner::Delivered;
                let grants = storage.object_acl.or(known.then_some(&[]));
                evaluation.owned(given, storage, &Acl { counts: Tri::True, grants, what: OBJECT_ACL, wanted })
            }
            None => given.by_policy,
        };
        let open = match storage.object_owner {
            ObjectOwner::Bucket => own(self),
            ObjectOwner::Account(owner) if Some(owner) == self.request.resource_account => own(self),
            owner @ (ObjectOwner::Account(_) | ObjectOwner::CloudTrail) => self.foreign(given, storage, wanted, owner),
            owner @ (ObjectOwner::Delivered | ObjectOwner::Unknown) => {
                let mine = own(self);
                let theirs = self.foreign(given, storage, wanted, owner);
                self.agreed(mine, theirs, OWNER)
            }
        };
        match storage.ownership {
            Ownership::Unknown => self.agreed(given.by_policy, open, "the object ownership of the bucket"),
            _ => open,
        }
    }

    /// An answer that does not hang on which of two is so, or none.
    fn agreed(&mut self, one: Tri, other: Tri, on: &str) -> Tri {
        if one != other {
            self.depend(on);
            return Tri::Unknown;
        }
        one
    }

    /// Something that the bucket owner owns: by policy, or by the ACL where it counts.
    fn owned(&mut self, given: Given, storage: &Storage<'_>, acl: &Acl<'_>) -> Tri {
        // Inside of the owner's account an ACL adds nothing.
        let own =
            self.request.resource_account.is_some() && self.request.caller.account() == self.request.resource_account;
        if own || given.by_policy == Tri::True || acl.counts == Tri::False {
            return given.by_policy;
        }
        let granted = self.granted(storage, acl);
        if granted != Tri::False {
            self.need(given.by_caller, Authority::Identity);
        }
        let by_acl = acl.counts.and(granted).and(given.by_caller);
        given.by_policy.or(self.unless_stopped(by_acl, given.stopped))
    }

    /// An object that another account owns: bucket policies do not reach it, its own ACL does.
    fn foreign(
        &mut self,
        given: Given,
        storage: &Storage<'_>,
        wanted: Option<&AclPermission>,
        owner: ObjectOwner,
    ) -> Tri {
        if self.need(given.by_caller, Authority::Identity) == Tri::False {
            return Tri::False;
        }
        let caller = self.request.caller.account();
        let is_bucket_owner = match (caller, self.request.resource_account) {
            (None, _) => Tri::False,
            (Some(_), None) => Tri::Unknown,
            (Some(caller), Some(owner)) => Tri::from(caller == owner),
        };
        let by_cloudtrail = matches!(owner, ObjectOwner::CloudTrail | ObjectOwner::Delivered);
        let by_owner = match owner {
            ObjectOwner::Account(owner) => Tri::from(caller == Some(owner)),
            ObjectOwner::CloudTrail | ObjectOwner::Delivered => is_bucket_owner,
            // Any account but the bucket owner's, so it may be the caller's.
            ObjectOwner::Unknown if caller.is_some() && is_bucket_owner != Tri::True => Tri::Unknown,
            ObjectOwner::Bucket | ObjectOwner::Unknown => Tri::False,
        };
        let granted = match wanted {
            _ if by_owner == Tri::True => Tri::True,
            // CloudTrail's own ACL names nobody but the bucket owner.
            Some(_) if by_cloudtrail && storage.object_acl.is_none() => by_owner,
            Some(wanted) => {
                let acl = Acl { counts: Tri::True, grants: storage.object_acl, what: OBJECT_ACL, wanted };
                by_owner.or(self.granted(storage, &acl))
            }
            // What no ACL gives is left to the object's owner; whether the bucket owner may too is not documented.
            None if given.by_policy == Tri::False => by_owner,
            None => {
                self.depend(OWNER);
                Tri::Unknown
            }
        };
        if granted == Tri::False {
            let words = match owner {
                ObjectOwner::CloudTrail | ObjectOwner::Delivered => {
                    "the object belongs to another account, that which CloudTrail delivers from: bucket policies do not \
                     reach it, and its ACL grants this caller nothing"
                }
                _ => {
                    "the object belongs to another account: bucket policies do not reach it, and its ACL grants this \
                     caller nothing"
                }
            };
            let need = "objects that the bucket's owner owns (object ownership `BucketOwnerEnforced`)";
            self.stop(StopKind::ObjectOwner, words.to_owned(), None, Some(need.to_owned()));
        }
        self.unless_stopped(granted.and(given.by_caller), given.stopped)
    }

    /// Access that an ACL gives, where block public access may stop it: S3's text says so in one sentence and takes it
    /// back in the next.
    fn unless_stopped(&mut self, by_acl: Tri, stopped: Tri) -> Tri {
        if stopped == Tri::False || by_acl == Tri::False {
            return by_acl;
        }
        self.depend("whether `RestrictPublicBuckets` stops access by an ACL too");
        Tri::Unknown
    }

    /// Whether block public access stops the caller from what a policy allows; says so.
    fn stopped(&mut self, storage: &Storage<'_>) -> Tri {
        let stopped = self.may_be_stopped(storage);
        if stopped == Tri::True {
            let words = "block public access (`RestrictPublicBuckets`) stops it: the bucket policy is public, so that \
                         other accounts can not use it";
            self.stop(StopKind::PublicPolicy, words.to_owned(), None, None);
            self.make_public();
        }
        if stopped == Tri::Unknown {
            if storage.policy_is_public == Tri::Unknown {
                self.depend("whether the bucket policy is public");
            }
            if storage.restrict_public_buckets == Tri::Unknown {
                self.depend("block public access (`RestrictPublicBuckets`)");
            }
        }
        stopped
    }

    /// Which statements make the bucket policy public.
    fn make_public(&mut self) {
        let Side::Policies(policies) = self.policies.resource else { return };
        for policy in policies.iter().filter(|_| self.is_told()).collect::<Vec<_>>() {
            for statement in policy.allows().filter(|statement| statement_is_public(statement) == Tri::True) {
                let title = self.title(policy, statement, Authority::Resource);
                let words = format!(
                    "{title} makes it public: it is for everyone, and no condition holds it to callers whom it names"
                );
                let need = format!("a condition such as one on `aws:PrincipalOrgID` in {title}");
                self.stop(StopKind::PublicPolicy, words, Some(statement.span), Some(need));
            }
        }
    }

    fn may_be_stopped(&self, storage: &Storage<'_>) -> Tri {
        let caller = &self.request.caller;
        let outside = match (caller, self.request.resource_account) {
            (Caller::Service(_), _) => Tri::False,
            (_, Some(owner)) => Tri::from(caller.account() != Some(owner)),
            (_, None) if caller.account().is_none() => Tri::True,
            (_, None) => Tri::Unknown,
        };
        outside.and(storage.restrict_public_buckets).and(storage.policy_is_public)
    }

    /// Whether an ACL grants a permission to the caller's account, or to a group it is in.
    fn granted(&mut self, storage: &Storage<'_>, acl: &Acl<'_>) -> Tri {
        let Some(grants) = acl.grants else {
            self.depend(acl.what);
            return Tri::Unknown;
        };
        let mut met = Tri::False;
        for grant in grants {
            if grant.permission != *acl.wanted && grant.permission != AclPermission::FullControl {
                continue;
            }
            let here = self.means_caller(&grant.grantee, storage);
            if here != Tri::False {
                let effect = if here == Tri::True { StepEffect::Allows } else { StepEffect::If };
                self.step(effect, || format!("{} grants it", acl.what), Some(grant.span));
            }
            let is_group = |grant: &AclGrant| matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers);
            if here == Tri::True && storage.ignore_public_acls != Tri::False && grants.iter().any(is_group) {
                let words = "a grant to an account still counts in an ACL that is public where public ACLs are ignored";
                self.step(StepEffect::If, || words.to_owned(), None);
            }
            met = met.or(here);
        }
        met
    }

    fn means_caller(&mut self, grantee: &Grantee, storage: &Storage<'_>) -> Tri {
        let account = self.request.caller.account();
        match (grantee, account) {
            (Grantee::AuthenticatedUsers, None) => Tri::False,
            (Grantee::AllUsers | Grantee::AuthenticatedUsers, _) => {
                if storage.ignore_public_acls == Tri::Unknown {
                    self.depend("block public access (`IgnorePublicAcls`)");
                }
                !storage.ignore_public_acls
            }
            (Grantee::LogDelivery, _) => {
                Tri::from(matches!(&self.request.caller, Caller::Service(name) if name == "logging.s3.amazonaws.com"))
            }
            (Grantee::CanonicalUser(_) | Grantee::Other(_), None) => Tri::False,
            (Grantee::CanonicalUser(id), Some(account)) => {
                let ids = storage.canonical_ids;
                let own = ids.iter().find(|(_, known)| *known == account).map(|(id, _)| id.as_str());
                match ids.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)) {
                    Some((_, known)) => Tri::from(*known == account),
                    None => match self.policies.canonical.or(own) {
                        Some(own) => Tri::from(own.eq_ignore_ascii_case(id)),
                        None => {
                            self.depend("the account of a canonical ID in an ACL");
                            Tri::Unknown
                        }
                    },
                }
            }
            (Grantee::Other(_), Some(_)) => {
                self.depend("whom a grant of an ACL means");
                Tri::Unknown
            }
        }
    }
}

/// An ACL that may give a permission.
struct Acl<'a> {
    /// Whether it counts at all.
    counts: Tri,
    grants: Option<&'a [AclGrant]>,
    what: &'static str,
    wanted: &'a AclPermission,
}
