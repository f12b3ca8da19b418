use crate::aws::AccountId;
use crate::estate::{Acl, AclGrant, AclPermission, Gap, Grantee};
use crate::finding::{Draft, Finding, Level};
use crate::model::Class;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::acl::{Force, lets, name, of_accounts};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(acl) = view.bucket.acl.get()? else { return Ok(Verdict::Pass) };
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for grant in &acl.grants {
        match &grant.grantee {
            Grantee::CanonicalUser(id) => match whose(context, view, acl, id) {
                Some(Whose::Own) => {}
                Some(Whose::Other(account)) => findings.push(finding(context, view, grant, id, account)),
                None => gaps.push(not_told(id).at([grant.grantee_span])),
            },
            Grantee::Other(text) => gaps.push(not_told(text).at([grant.grantee_span])),
            // Groups are `public-acl`, or S3's own.
            Grantee::AllUsers | Grantee::AuthenticatedUsers | Grantee::LogDelivery => {}
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

enum Whose {
    /// The owner of the bucket.
    Own,
    /// Another account: this one, where it is known.
    Other(Option<AccountId>),
}

/// Whose a canonical ID is; `None` where that of the bucket's owner is not known.
fn whose(context: &Context<'_>, view: &BucketView<'_>, acl: &Acl, id: &str) -> Option<Whose> {
    let owner = view.bucket.account.present().copied();
    let account = context.model.account_of_canonical_id(id);
    let is_owner = acl.owner.as_ref().map(|owner| owner.eq_ignore_ascii_case(id));
    match (is_owner, account) {
        (Some(true), _) => Some(Whose::Own),
        (_, Some(account)) if Some(account) == owner => Some(Whose::Own),
        (Some(false), account) => Some(Whose::Other(account)),
        (None, Some(account)) if owner.is_some() => Some(Whose::Other(Some(account))),
        (None, None) if has_canonical_id(context, owner) => Some(Whose::Other(None)),
        (None, _) => None,
    }
}

/// Whether the canonical ID of an account is known.
fn has_canonical_id(context: &Context<'_>, account: Option<AccountId>) -> bool {
    account.and_then(|id| context.estate.accounts.get(&id)).is_some_and(|account| account.canonical_id.is_some())
}

fn not_told(grantee: &str) -> Gap {
    Gap::new("bucket.acl", format!("whose grantee `{}` is can not be told", short(grantee)))
}

fn finding(
    context: &Context<'_>,
    view: &BucketView<'_>,
    grant: &AclGrant,
    id: &str,
    account: Option<AccountId>,
) -> Draft {
    let bucket = &view.subject.name;
    let permission = name(&grant.permission);
    let who = match account {
        Some(account) => format!("account {}", context.model.label(account)),
        None => format!("the account of canonical ID `{}`", short(id)),
    };
    let start = Finding::at(grant.span, format!("{permission} for another account"));
    let draft = match of_accounts(view) {
        Force::Counts(unless) => {
            let severe = matches!(grant.permission, AclPermission::WriteAcp | AclPermission::FullControl);
            let is_undeclared = account.is_none_or(|account| context.model.class(account) == Class::Undeclared);
            let maybe_own = is_undeclared && !context.model.members_are_complete();
            let help = "take the grant out of the ACL, and share through the bucket policy or a role instead";
            let help = if maybe_own { format!("if this account is not yours, {help}") } else { help.to_owned() };
            start
                .message(format!(
                    "{who} can {} `{bucket}` by its ACL{}",
                    lets(&grant.permission),
                    if unless.is_empty() { "" } else { ", unless ACLs are off" },
                ))
                .level(if severe && !maybe_own { Level::Error } else { Level::Warning })
                .depends_on(unless)
                .help(help)
        }
        Force::Dormant(why) => start
            .message(format!("the ACL of `{bucket}` grants {permission} to {who}, which is dormant: {why}"))
            .level(Level::Note)
            .help("take the grant out of the ACL, so that no change of a setting brings it back"),
    };
    draft.about(id.to_ascii_lowercase()).about(permission)
}

/// The beginning of a canonical ID, which has 64 digits.
fn short(id: &str) -> String {
    match id.char_indices().nth(12) {
        Some((at, _)) => format!("{}…", id.get(..at).unwrap_or(id)),
        None => id.to_owned(),
    }
}
