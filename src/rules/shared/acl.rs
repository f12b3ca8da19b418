//! What grants of a bucket ACL do, and whether they count.

use crate::estate::{AclPermission, BlockPublicAccess, Known, ObjectOwnership};
use crate::rule::context::{BucketView, Context};

const OFF: &str = "ACLs are off";
const IGNORED: &str = "public ACLs are ignored";

/// Whether the grants of a bucket ACL count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Force {
    /// They do, unless one of these facts, which are not known, says otherwise: each with what it would say.
    Counts(Vec<(String, &'static str)>),
    /// They do not, because of this.
    Dormant(&'static str),
}

/// Whether grants to single accounts count: not where object ownership turns ACLs off.
pub(in crate::rules) fn of_accounts(view: &BucketView<'_>) -> Force {
    match &view.bucket.ownership {
        Known::Present(ObjectOwnership::BucketOwnerEnforced, _) => {
            Force::Dormant("`BucketOwnerEnforced` turns ACLs off")
        }
        Known::Present(..) | Known::Absent(_) => Force::Counts(Vec::new()),
        Known::Unknown(_) => Force::Counts(vec![(format!("object ownership of `{}`", view.subject.name), OFF)]),
    }
}

/// Whether grants to everyone count: not where ACLs are off, nor where the bucket or its account ignores public ACLs.
pub(in crate::rules) fn of_groups(context: &Context<'_>, view: &BucketView<'_>) -> Force {
    let mut unless = match of_accounts(view) {
        Force::Counts(unless) => unless,
        dormant => return dormant,
    };
    let account = view.bucket.account.present().and_then(|id| context.estate.accounts.get(id));
    let account = account.map(|account| &account.block_public_access);
    let ignores =
        |known: &Known<BlockPublicAccess>| known.present().is_some_and(|settings| settings.ignore_public_acls);
    if ignores(&view.bucket.block_public_access) {
        return Force::Dormant("`IgnorePublicAcls` of the bucket puts it out of force");
    }
    if account.is_some_and(ignores) {
        return Force::Dormant("`IgnorePublicAcls` of the account puts it out of force");
    }
    let name = &view.subject.name;
    if view.bucket.block_public_access.is_unknown() {
        unless.push((format!("block public access of `{name}`"), IGNORED));
    }
    if account.is_none_or(Known::is_unknown) {
        unless.push((format!("block public access of the account that owns `{name}`"), IGNORED));
    }
    Force::Counts(unless)
}

/// The end of a message that facts which are not known may prove wrong.
pub(in crate::rules) fn unless(facts: &[(String, &'static str)]) -> String {
    let mut words: Vec<&str> = facts.iter().map(|(_, says)| *says).collect();
    words.dedup();
    if words.is_empty() { String::new() } else { format!(", unless {}", words.join(" or ")) }
}

/// `READ`, …
pub(in crate::rules) fn name(permission: &AclPermission) -> &str {
    match permission {
        AclPermission::Read => "READ",
        AclPermission::Write => "WRITE",
        AclPermission::ReadAcp => "READ_ACP",
        AclPermission::WriteAcp => "WRITE_ACP",
        AclPermission::FullControl => "FULL_CONTROL",
        AclPermission::Other(text) => text,
    }
}

/// What a permission lets its grantee do with a bucket.
pub(in crate::rules) fn lets(permission: &AclPermission) -> &'static str {
    match permission {
        AclPermission::Read => "list",
        AclPermission::Write => "write and delete objects of",
        AclPermission::ReadAcp => "read the ACL of",
        AclPermission::WriteAcp => "change the ACL of",
        AclPermission::FullControl => "list, write to and change the ACL of",
        AclPermission::Other(_) => "use",
    }
}

/// The beginning of a canonical ID, which has 64 digits.
pub(in crate::rules) fn short_canonical_id(id: &str) -> String {
    match id.char_indices().nth(12) {
        Some((at, _)) => format!("{}…", id.get(..at).unwrap_or(id)),
        None => id.to_owned(),
    }
}
