//! What was inferred, in sentences.

use super::bucket::LogBucketStatus;
use super::organization::{Members, Origin, shown};
use super::owner::OwnedBy;
use super::{LogBucket, Model};
use crate::aws::AccountId;
use crate::text::{Span, Spanned};

/// An account that is inferred to be a third party, and the role that tells it.
pub(super) struct Party<'e> {
    pub(super) account: AccountId,
    pub(super) span: Span,
    pub(super) role: &'e str,
}

/// One sentence for each thing that no input and no config says outright.
pub(super) fn all(
    model: &Model,
    management: Option<(Spanned<AccountId>, Origin)>,
    inferred: Option<&Members>,
    parties: &[Party<'_>],
) -> Vec<Spanned<String>> {
    let mut found: Vec<Spanned<String>> = model.log_buckets.iter().filter_map(log_bucket).collect();
    found.extend(organization(model));
    if let Some((account, Origin::Delivery)) = management {
        let text = format!("{} is taken for the management account: it owns the organization trail", account.value);
        found.push(Spanned::new(text, account.span));
    }
    found.extend(owner(model));
    if let Some(members) = inferred {
        let mut group = |accounts: &[Spanned<AccountId>], (one, more): (&str, &str)| {
            let Some(first) = accounts.first() else { return };
            let listed = shown(accounts.iter().map(|account| account.value));
            let text = match accounts.len() {
                1 => format!("{listed} is taken for a member: {one}"),
                _ => format!("{listed} are taken for members: {more}"),
            };
            found.push(Spanned::new(text, first.span));
        };
        let trails =
            ("a trail or a statement for CloudTrail names it", "trails or statements for CloudTrail name them");
        group(&members.delivering, trails);
        let own = ("a statement or role gives it just its own logs", "statements or roles give each just its own logs");
        group(&members.own_logs, own);
    }
    found.extend(parties.iter().map(|party| {
        let reason = format!("`{}` lets it in only with an external ID", party.role);
        Spanned::new(
            format!("{} is taken for a third party that may read all logs: {reason}", party.account),
            party.span,
        )
    }));
    found
}

fn log_bucket(bucket: &LogBucket) -> Option<Spanned<String>> {
    let reason = match bucket.status {
        LogBucketStatus::TrailDelivers => "a trail delivers to it",
        LogBucketStatus::PolicyNamesLogs => "its policy lets CloudTrail write or names a path under `AWSLogs/`",
        LogBucketStatus::Assumed => "its policy was given, and no input shows a log bucket",
        LogBucketStatus::Declared | LogBucketStatus::No | LogBucketStatus::NotKnown => return None,
    };
    Some(Spanned::new(format!("`{}` is taken for a log bucket: {reason}", bucket.name), bucket.span))
}

fn organization(model: &Model) -> Option<Spanned<String>> {
    let [first, others @ ..] = model.organization_ids() else { return None };
    let text = match first.origin {
        Origin::Collected | Origin::Declared => return None,
        _ if !others.is_empty() => {
            let listed: Vec<String> = model.organization_ids().iter().map(|id| format!("`{}`", id.id)).collect();
            format!("which organization this is can not be told: policies name {}", listed.join(", "))
        }
        Origin::Delivery => format!("the organization is taken to be `{}`: CloudTrail may write its logs", first.id),
        Origin::Policies => format!("the organization is taken to be `{}`: conditions of policies name it", first.id),
    };
    Some(Spanned::new(text, first.span))
}

fn owner(model: &Model) -> Option<Spanned<String>> {
    let owner = model.owners.only()?;
    let reason = match model.owned_by()? {
        OwnedBy::Bucket => return None,
        OwnedBy::Key => "the log key belongs to it",
        OwnedBy::Role => "the roles that other accounts can assume belong to it",
        OwnedBy::Trail => "its organization trail delivers to the log bucket",
    };
    Some(Spanned::new(format!("{} is taken for the owner of the logs: {reason}", owner.value), owner.span))
}
