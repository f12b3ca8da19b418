//! More about a resource that is there already.

use super::merge::{Merge, Told};
use super::{Facts, ROLE, TRUST, USER};
use crate::estate::{Bucket, Document, Gap, Key, Known, NamedBy, Permissions, Role, Trail, User};

/// A file that does not say whether it is about a role, user or group can not name the fact.
pub(super) fn of_fact<T>(fact: &'static str, known: Known<T>) -> Known<T> {
    match known {
        Known::Unknown(gap) => Known::Unknown(Gap { fact: fact.into(), ..gap }),
        told => told,
    }
}

pub(super) fn merge_role(known: &mut Role, more: Role, whole: bool, merge: &mut Merge<'_>) {
    known.path = known.path.take().or(more.path);
    known.named_by = stronger(known.named_by, more.named_by);
    known.is_listed |= more.is_listed;
    merge.known(TRUST, &mut known.trust, more.trust);
    let wholes = if whole { (true, true) } else { are_whole(&known.permissions, &more.permissions) };
    merge_permissions(&ROLE, &mut known.permissions, more.permissions, wholes, merge);
}

pub(super) fn merge_user(known: &mut User, more: User, whole: bool, merge: &mut Merge<'_>) {
    known.arn = known.arn.take().or(more.arn);
    merge.known("user.groups", &mut known.groups, more.groups);
    let wholes = if whole { (true, true) } else { are_whole(&known.permissions, &more.permissions) };
    merge_permissions(&USER, &mut known.permissions, more.permissions, wholes, merge);
}

/// Loose files never tell the attached policies, and their inline policies need not be all.
fn are_whole(one: &Permissions, other: &Permissions) -> (bool, bool) {
    (!one.attached.is_unknown(), !other.attached.is_unknown())
}

pub(super) fn merge_permissions(
    facts: &Facts,
    known: &mut Permissions,
    more: Permissions,
    wholes: (bool, bool),
    merge: &mut Merge<'_>,
) {
    merge.inline(facts.inline, &mut known.inline, wholes.0, more.inline, wholes.1);
    merge.known(facts.attached, &mut known.attached, more.attached);
    merge.known(facts.boundary, &mut known.boundary, more.boundary);
    merge_boundary(&mut known.boundary_document, more.boundary_document, merge);
}

/// A second boundary text that says something else is audited by itself, as is the first.
pub(super) fn merge_boundary(known: &mut Option<Document>, more: Option<Document>, merge: &mut Merge<'_>) {
    match (&*known, more) {
        (None, more) => *known = more,
        (Some(first), Some(more)) if !Told::same(first, &more, merge.sources) => merge.documents.push(more),
        _ => {}
    }
}

pub(super) fn merge_bucket(known: &mut Bucket, more: Bucket, merge: &mut Merge<'_>) {
    known.named_by = stronger(known.named_by, more.named_by);
    if known.partition == "aws" {
        known.partition = more.partition;
    }
    merge.known("bucket.account", &mut known.account, more.account);
    merge.known("bucket.region", &mut known.region, more.region);
    merge.known("bucket.policy", &mut known.policy, more.policy);
    merge.known("bucket.ownership-controls", &mut known.ownership, more.ownership);
    merge.known("bucket.acl", &mut known.acl, more.acl);
    merge.known("bucket.encryption", &mut known.encryption, more.encryption);
    merge.known("bucket.public-access-block", &mut known.block_public_access, more.block_public_access);
    merge.known("bucket.policy-status", &mut known.policy_is_public, more.policy_is_public);
}

pub(super) fn merge_key(known: &mut Key, more: Key, merge: &mut Merge<'_>) {
    if known.arn.is_none() && more.arn.is_some() {
        known.name.clone_from(&more.name);
    }
    known.id = known.id.take().or(more.id);
    known.arn = known.arn.take().or(more.arn);
    known.account = known.account.or(more.account);
    merge.known("key.policy", &mut known.policy, more.policy);
    merge.known("key.metadata", &mut known.metadata, more.metadata);
    merge.known("key.rotation", &mut known.rotation, more.rotation);
    extend(&mut known.aliases, more.aliases);
    extend(&mut known.grants, more.grants);
}

pub(super) fn merge_trail(known: &mut Trail, more: Trail, merge: &mut Merge<'_>) {
    known.account = known.account.or(more.account);
    known.home_region = known.home_region.take().or(more.home_region);
    merge.known("trail.bucket", &mut known.bucket, more.bucket);
    merge.known("trail.prefix", &mut known.prefix, more.prefix);
    merge.known("trail.key", &mut known.key, more.key);
    merge.known("trail.is-multi-region", &mut known.is_multi_region, more.is_multi_region);
    merge.known("trail.is-organization", &mut known.is_organization, more.is_organization);
    merge.known("trail.log-file-validation", &mut known.validates_log_files, more.validates_log_files);
    merge.known("trail.status", &mut known.status, more.status);
    merge.known("trail.event-selectors", &mut known.selectors, more.selectors);
}

/// Adds a page to a list; doubles are taken out at the end.
pub(super) fn extend<T>(known: &mut Known<Vec<T>>, more: Known<Vec<T>>) {
    match (&mut *known, more) {
        (Known::Present(items, _), Known::Present(more, _)) => items.extend(more),
        (Known::Present(..), _) => {}
        (Known::Unknown(_), Known::Unknown(gap)) if gap.places.is_empty() => {}
        (_, told @ Known::Present(..)) | (Known::Unknown(_), told) => *known = told,
        _ => {}
    }
}

fn stronger(one: NamedBy, other: NamedBy) -> NamedBy {
    match (one, other) {
        (NamedBy::Input, _) | (_, NamedBy::Input) => NamedBy::Input,
        (NamedBy::File, _) | (_, NamedBy::File) => NamedBy::File,
        _ => NamedBy::Nothing,
    }
}
