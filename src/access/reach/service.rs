//! AWS services that a bucket policy lets in.

use std::collections::BTreeSet;

use compact_str::CompactString;

use super::chain::Entry;
use super::delivering::{DataKey, data_key};
use super::ground::Ground;
use super::reader::{Face, Identity, Reader};
use crate::access::actor::Boundary;
use crate::access::lock::Lock;
use crate::access::request::{Caller, Given};
use crate::access::sts::{Membership, Way};
use crate::aws::{AccountId, Arn, CLOUDTRAIL, is_cloudtrail};
use crate::finding::matrix::{Ability, Party, ReaderKind};
use crate::policy::{Principal, Statement};

/// The services that Allow statements of the bucket policy name, each with what it reaches.
pub(super) fn services<'e>(ground: &Ground<'e>) -> Vec<Entry<'e>> {
    let mut named: BTreeSet<CompactString> = BTreeSet::new();
    if ground.is_policy_unknown() || !ground.log_bucket.trails.is_empty() {
        named.insert(CLOUDTRAIL.into());
    }
    let statements = || ground.policy().into_iter().flat_map(|policy| policy.effective());
    let allows = ground.policy().into_iter().flat_map(|policy| policy.allows());
    for principals in allows.filter_map(|statement| statement.principals.as_ref()).filter(|p| !p.negated) {
        named.extend(principals.entries.iter().filter_map(|entry| match &entry.principal {
            Principal::Service(name) => Some(name.clone()),
            _ => None,
        }));
    }
    let entry = |name: CompactString| {
        let face = Face {
            ways: ways(ground, &name, statements()),
            callers: vec![Caller::Service(name.clone())],
            grantees: Vec::new(),
            identity: Identity::None,
            boundary: Boundary::None,
            titles: None,
            scp: Vec::new(),
            unless: Vec::new(),
        };
        let party = Party { id: name.to_string(), label: name.to_string(), own: None };
        let reader = Reader::whole(ReaderKind::Service, party, vec![face]);
        let mut reach = super::direct::reach(ground, &reader);
        if ground.is_policy_unknown() {
            // It delivers and asks for nothing else, so that a policy nobody knows is about nothing else.
            reach.retain(|ability| ability == Ability::Write);
        }
        if is_cloudtrail(&name) {
            match data_key(ground) {
                DataKey::Given => {}
                DataKey::Open(depends_on) => reach.hang(Ability::Write, &depends_on),
                DataKey::Refused(_) => reach.retain(|ability| ability != Ability::Write),
            }
        }
        Entry { reader, reach, admitted: Vec::new() }
    };
    named.into_iter().map(entry).collect()
}

/// For whom the service may call: the trails that deliver to the bucket and the sources that the policy names, else the
/// account that owns the bucket.
fn ways<'p>(ground: &Ground<'_>, service: &str, statements: impl Iterator<Item = &'p Statement>) -> Vec<Way> {
    let mut sources: Vec<(Option<CompactString>, AccountId)> = Vec::new();
    let mut add = |arn: Option<&str>, account: Option<AccountId>| {
        let Some(account) = account else { return };
        let source = (arn.map(CompactString::new), account);
        if !sources.contains(&source) {
            sources.push(source);
        }
    };
    if is_cloudtrail(service) {
        for trail in &ground.log_bucket.trails {
            add(Some(&trail.value), Arn::parse(&trail.value).and_then(|arn| arn.account_id()));
        }
    }
    let clauses = statements.flat_map(|statement| &statement.conditions);
    for value in clauses.filter(|clause| clause.key.starts_with("aws:source")).flat_map(|clause| &clause.values) {
        let text = value.template.raw();
        add(None, AccountId::parse(text).or_else(|| Arn::parse(text)?.account_id()));
    }
    add(None, ground.owner);
    add(None, ground.model.management());
    let one = |text: &str| Given::Values(vec![text.into()]);
    // CloudTrail, and others that deliver there, hand objects over to the owner of the bucket; encrypted ones say so.
    let mut headers: Vec<(CompactString, Given)> = vec![("s3:x-amz-acl".into(), one("bucket-owner-full-control"))];
    match &ground.lock {
        Lock::Key(key) => {
            headers.push(("s3:x-amz-server-side-encryption".into(), one("aws:kms")));
            headers.push(("s3:x-amz-server-side-encryption-aws-kms-key-id".into(), one(&key.arn)));
        }
        Lock::None => {}
        Lock::Unknown(_) => {
            headers.push(("s3:x-amz-server-side-encryption".into(), Given::Unknown));
            headers.push(("s3:x-amz-server-side-encryption-aws-kms-key-id".into(), Given::Unknown));
        }
    }
    let way = |(arn, account): (Option<CompactString>, AccountId)| {
        let mut keys = headers.clone();
        keys.push(("aws:SourceAccount".into(), one(account.as_str())));
        keys.extend(arn.map(|arn| ("aws:SourceArn".into(), one(&arn))));
        match ground.organization.membership(account) {
            Membership::In(id) => keys.push(("aws:SourceOrgID".into(), one(&id))),
            Membership::InUnknown => keys.push(("aws:SourceOrgID".into(), Given::Present)),
            Membership::Outside => {}
        }
        // Services call over the network of AWS, encrypted.
        keys.push(("aws:SecureTransport".into(), one("true")));
        for network in ["aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce"] {
            keys.push((network.into(), Given::Absent));
        }
        Way::with(keys)
    };
    sources.into_iter().map(way).collect()
}
