//! What a single statement says about accounts, CloudTrail and organizations.

use std::collections::BTreeSet;

use compact_str::CompactString;

use super::path::{Generator, LogPath};
use crate::aws::{AccountId, Arn, is_cloudtrail, is_organization_id, legacy_cloudtrail_account};
use crate::policy::operator::Family;
use crate::policy::{Clause, Principal, Statement};
use crate::text::Spanned;

/// Whether a statement is made for CloudTrail: the service, or one of its old accounts.
pub(super) fn is_for_cloudtrail(statement: &Statement) -> bool {
    names(statement, |principal| match principal {
        Principal::Service(service) => is_cloudtrail(service),
        Principal::Account(account) => legacy_cloudtrail_account(*account).is_some(),
        _ => false,
    })
}

/// Whether a `Principal` holds an entry that passes a test.
pub(super) fn names(statement: &Statement, test: impl Fn(&Principal) -> bool) -> bool {
    statement.principals.as_ref().is_some_and(|p| !p.negated && p.entries.iter().any(|entry| test(&entry.principal)))
}

/// The accounts a statement is bound to: those of its principals, or for everyone those that a condition fixes.
///
/// `None` where others may meet it too.
pub(super) fn bound_accounts(statement: &Statement) -> Option<BTreeSet<AccountId>> {
    let principals = statement.principals.as_ref().filter(|principals| !principals.negated)?;
    if !principals.entries.iter().any(|entry| entry.principal == Principal::Everyone) {
        return principals.entries.iter().map(|entry| entry.principal.account()).collect();
    }
    statement.conditions.iter().find_map(fixed_accounts)
}

/// The accounts that a condition fixes for the caller.
pub(super) fn fixed_accounts(clause: &Clause) -> Option<BTreeSet<AccountId>> {
    let operator = clause.operator;
    let text = matches!(operator.family, Family::String | Family::StringIgnoreCase | Family::StringLike);
    if operator.negated || operator.if_exists || operator.set.is_some() || clause.values.is_empty() {
        return None;
    }
    let values = clause.values.iter().map(|value| value.template.raw());
    if clause.key.is("aws:PrincipalAccount") && text {
        return values.map(AccountId::parse).collect();
    }
    if clause.key.is("aws:PrincipalArn") && (text || operator.family == Family::Arn) {
        return values.map(|value| Arn::parse(value)?.account_id()).collect();
    }
    None
}

/// The accounts to which a statement gives the logs of nobody but themselves; `None` where it gives anything else to read.
///
/// `accounts` are those that can use it. Resources that are no objects give nothing to read and are passed over.
pub(super) fn given_own_logs(statement: &Statement, accounts: &BTreeSet<AccountId>) -> Option<BTreeSet<AccountId>> {
    let resources = statement.resources.as_ref().filter(|resources| !resources.negated)?;
    let mut given = BTreeSet::new();
    for resource in &resources.items {
        let is_no_object = |arn: Arn<'_>| match arn.service {
            "s3" => !arn.resource.contains(['/', '*', '?']),
            service => !service.contains(['*', '?']),
        };
        if Arn::parse(resource.raw()).is_some_and(is_no_object) {
            continue;
        }
        let path = LogPath::of_resource(resource).filter(LogPath::has_fixed_prefix)?;
        match path.account {
            Generator::Caller => given.extend(accounts),
            Generator::One(account) if accounts.len() == 1 && accounts.contains(&account) => {
                given.insert(account);
            }
            Generator::One(_) | Generator::Open => return None,
        }
    }
    Some(given)
}

/// Whether any resource or `s3:prefix` of a statement lies in an `AWSLogs` folder.
pub(super) fn names_log_path(statement: &Statement) -> bool {
    let mut resources = statement.resources.iter().flat_map(|resources| &resources.items);
    let prefixes = statement.conditions.iter().filter(|clause| clause.key.is("s3:prefix"));
    let mut prefixes = prefixes.flat_map(|clause| &clause.values);
    resources.any(|resource| LogPath::of_resource(resource).is_some())
        || prefixes.any(|value| LogPath::of_key(value.template.raw(), !value.template.is_plain()).is_some())
}

/// The ARNs of trails in the conditions of a statement, patterns included.
pub(super) fn trail_arns(statement: &Statement) -> impl Iterator<Item = Spanned<&str>> {
    let sources =
        |clause: &&Clause| clause.key.is("aws:SourceArn") || clause.key.is("kms:EncryptionContext:aws:cloudtrail:arn");
    let clauses = statement.conditions.iter().filter(|clause| !clause.operator.negated).filter(sources);
    clauses.flat_map(|clause| &clause.values).filter_map(|value| {
        let raw = value.template.raw();
        let arn = Arn::parse(raw).filter(|arn| arn.service == "cloudtrail");
        arn.map(|_| Spanned::new(raw, value.span))
    })
}

/// The accounts whose trails a statement for CloudTrail is bound to.
pub(super) fn source_accounts(statement: &Statement) -> impl Iterator<Item = Spanned<AccountId>> {
    let of_arns = trail_arns(statement).filter_map(|arn| {
        let account = Arn::parse(arn.value)?.account_id()?;
        Some(Spanned::new(account, arn.span))
    });
    let clauses = statement.conditions.iter().filter(|c| c.key.is("aws:SourceAccount") && !c.operator.negated);
    let plain = clauses.flat_map(|clause| &clause.values).filter_map(|value| {
        let account = AccountId::parse(value.template.raw())?;
        Some(Spanned::new(account, value.span))
    });
    of_arns.chain(plain)
}

/// The organizations that the conditions of a statement name.
pub(super) fn organizations(statement: &Statement) -> impl Iterator<Item = Spanned<CompactString>> {
    const KEYS: [&str; 4] = ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceOrgID", "aws:SourceOrgPaths"];
    let clauses = statement.conditions.iter().filter(|clause| KEYS.iter().any(|key| clause.key.is(key)));
    clauses.flat_map(|clause| &clause.values).filter_map(|value| {
        let id = value.template.raw().split('/').next().filter(|id| is_organization_id(id))?;
        Some(Spanned::new(id.into(), value.span))
    })
}
