use crate::aws::AccountId;
use crate::estate::{Acl, AclGrant, AclPermission, Gap, Grantee};
use crate::finding::{Draft, Finding, Level};
use crate::model::Class;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::acl::{self, Force, lets, name, of_accounts, short_canonical_id};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(known) = view.bucket.acl.get()? else { return Ok(Verdict::Pass) };
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for grant in &known.grants {
        match &grant.grantee {
            Grantee::CanonicalUser(id) => match whose(context, view, known, id) {
                Some(Whose::Own) => {}
                // The management account may read everything.
                Some(Whose::Other(Some(account))) if Some(account) == context.model.management() && reads(grant) => {}
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
        (None, None) if owner.is_some_and(|owner| context.model.has_canonical_id(owner)) => Some(Whose::Other(None)),
        (None, _) => None,
    }
}

fn reads(grant: &AclGrant) -> bool {
    matches!(grant.permission, AclPermission::Read | AclPermission::ReadAcp)
}

/// Whether the canonical IDs of all members are known, so that another ID is none of theirs.
fn canonical_ids_are_complete(context: &Context<'_>, view: &BucketView<'_>) -> bool {
    let owner = view.bucket.account.present().copied();
    let mut others = context.model.members().filter(|member| Some(*member) != owner);
    others.all(|member| context.model.has_canonical_id(member))
}

fn not_told(grantee: &str) -> Gap {
    Gap::new("bucket.acl", format!("whose grantee `{}` is can not be told", short_canonical_id(grantee)))
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
        None => format!("the account of canonical ID `{}`", short_canonical_id(id)),
    };
    let start = Finding::at(grant.span, format!("{permission} for another account"));
    let draft = match of_accounts(view) {
        Force::Counts(unless) => {
            let severe = matches!(grant.permission, AclPermission::WriteAcp | AclPermission::FullControl);
            let is_undeclared = account.is_none_or(|account| context.model.class(account) == Class::Undeclared);
            let may_be_member = is_undeclared && !context.model.members_are_complete();
            let maybe_own = may_be_member || account.is_none() && !canonical_ids_are_complete(context, view);
            let help = "take the grant out of the ACL, and share through the bucket policy or a role instead";
            let help = if maybe_own { format!("if this account is not yours, {help}") } else { help.to_owned() };
            start
                .message(format!(
                    "{who} can {} `{bucket}`: the ACL grants it {permission}{}",
                    lets(&grant.permission),
                    acl::unless(&unless),
                ))
                .level(if severe && !may_be_member { Level::Error } else { Level::Warning })
                .depends_on(unless.into_iter().map(|(fact, _)| fact))
                .help(help)
        }
        Force::Dormant(why) => start
            .message(format!("the ACL of `{bucket}` grants {permission} to {who}, which is dormant: {why}"))
            .level(Level::Note)
            .help("take the grant out of the ACL, so that no change of a setting brings it back"),
    };
    draft.about(id.to_ascii_lowercase()).about(permission)
}
