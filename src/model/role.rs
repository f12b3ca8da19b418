//! What trust policies, and the permissions of roles that other accounts can assume, tell of accounts.
//!
//! An export may hold 100,000 roles whose documents are read again each time: each trust policy is read once at most, one
//! that names no account not at all, and permissions only where another account is let in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use compact_str::CompactString;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::external_id::{self, ASSUME_ROLE};
use super::statement::{bound_accounts, fixed_accounts, given_own_logs, names, names_log_path, organizations};
use crate::aws::{AccountId, Arn, managed};
use crate::estate::{Document, Estate, Role, read_policy};
use crate::policy::{Policy, PolicyKind, Principal, Statement};
use crate::syntax::json::Tape;
use crate::text::embedded::Place;
use crate::text::{SourceId, Span, Spanned};

/// A role that other accounts can assume.
#[derive(Debug)]
pub(super) struct SharedRole<'e> {
    pub(super) role: &'e Role,
    /// The accounts that the trust policy names, the role's own left out, each with its first place.
    pub(super) trusted: Vec<Trusted>,
    /// The one account that it gives just its own logs to.
    pub(super) own_logs_of: Option<AccountId>,
    /// Whether its permissions name an `AWSLogs` folder or a log bucket.
    pub(super) reads_logs: bool,
    /// The organizations that the trust policy names.
    pub(super) organizations: Vec<Spanned<CompactString>>,
}

/// An account that a trust policy names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trusted {
    pub(super) account: AccountId,
    pub(super) span: Span,
    /// Whether it can get in only with the external ID that is asked for.
    pub(super) is_bound: bool,
}

/// Every role that other accounts can assume, in the order of the estate.
///
/// A role whose account is not known is taken for one of `owner`.
pub(super) fn shared_roles<'e>(
    estate: &'e Estate,
    log_buckets: &BTreeSet<CompactString>,
    owner: Option<AccountId>,
) -> Vec<SharedRole<'e>> {
    let policies = Policies::new(estate);
    let read = |role: &'e Role| shared_role(estate, role, &policies, log_buckets, owner);
    estate.roles.par_iter().filter_map(read).collect()
}

fn shared_role<'e>(
    estate: &'e Estate,
    role: &'e Role,
    policies: &Policies<'e>,
    log_buckets: &BTreeSet<CompactString>,
    owner: Option<AccountId>,
) -> Option<SharedRole<'e>> {
    let trust = role.trust.present()?;
    if !trust.may_let_accounts_in(&estate.sources) {
        return None;
    }
    let trust = trust.policy(&estate.sources);
    let mut places: BTreeMap<AccountId, Span> = BTreeMap::new();
    let mut everyone = false;
    for statement in trust.allows().filter(|statement| statement.covers_action(ASSUME_ROLE)) {
        let open = names(statement, |principal| *principal == Principal::Everyone);
        everyone |= open && bound_accounts(statement).is_none();
        for (account, span) in accounts_of(statement) {
            places.entry(account).or_insert(span);
        }
    }
    if let Some(own) = role.account.or(owner) {
        places.remove(&own);
    }
    let organizations: Vec<_> = trust.effective().flat_map(organizations).collect();
    if places.is_empty() && !everyone {
        return None;
    }
    let trusted: Vec<Trusted> = places
        .into_iter()
        .map(|(account, span)| Trusted { account, span, is_bound: external_id::is_bound(&trust, account) })
        .collect();
    let permissions = policies.of_role(estate, role);
    let own_logs_of = match trusted.as_slice() {
        [one] if !everyone => gives_own_logs(&permissions, one.account).then_some(one.account),
        _ => None,
    };
    let statements = || permissions.iter().flat_map(|policy| policy.allows());
    let reads_logs = statements().any(|statement| names_log_path(statement) || names_bucket(statement, log_buckets));
    Some(SharedRole { role, trusted, own_logs_of, reads_logs, organizations })
}

/// The accounts that a statement names as its callers, with their places.
fn accounts_of(statement: &Statement) -> Vec<(AccountId, Span)> {
    let entries = statement.principals.iter().filter(|principals| !principals.negated).flat_map(|p| &p.entries);
    let mut found: Vec<_> = entries.filter_map(|entry| Some((entry.principal.account()?, entry.span))).collect();
    if names(statement, |principal| *principal == Principal::Everyone) {
        for clause in &statement.conditions {
            found.extend(fixed_accounts(clause).into_iter().flatten().map(|account| (account, clause.span)));
        }
    }
    found
}

fn gives_own_logs(permissions: &[Arc<Policy>], account: AccountId) -> bool {
    let mut any = false;
    let accounts = BTreeSet::from([account]);
    let statements = permissions.iter().flat_map(|policy| policy.allows());
    for statement in statements.filter(|statement| statement.covers_action("s3:GetObject")) {
        // A variable stands for the account of the role, not for the one that assumes it.
        let has_variable = statement.resources.iter().flat_map(|r| &r.items).any(|resource| !resource.is_plain());
        match given_own_logs(statement, &accounts) {
            Some(given) if !has_variable => any |= given.contains(&account),
            _ => return false,
        }
    }
    any
}

fn names_bucket(statement: &Statement, buckets: &BTreeSet<CompactString>) -> bool {
    let resources = statement.resources.iter().flat_map(|resources| &resources.items);
    resources.filter_map(|resource| Arn::parse(resource.raw())?.bucket()).any(|bucket| buckets.contains(bucket))
}

/// The texts of managed policies, by ARN.
struct Policies<'e> {
    own: BTreeMap<&'e str, &'e Document>,
    /// AWS's own, by name; read when the first is asked for.
    aws: OnceLock<BTreeMap<&'static str, Arc<Policy>>>,
}

impl<'e> Policies<'e> {
    fn new(estate: &'e Estate) -> Self {
        let own = estate.managed_policies.iter();
        let own = own.filter_map(|policy| Some((policy.arn.as_deref()?, policy.document.present()?))).collect();
        Policies { own, aws: OnceLock::new() }
    }

    fn of_aws(&self, arn: &str) -> Option<Arc<Policy>> {
        let texts = self.aws.get_or_init(|| {
            // These texts are no input: no place in them is ever shown.
            let place = Place::direct(SourceId::new(u32::MAX), 0);
            let read = |policy: &managed::ManagedPolicy| {
                let mut tape = Tape::new();
                let json = tape.read(policy.document, &place).ok()?;
                Some((policy.name, Arc::new(read_policy(json, PolicyKind::Identity).ok()?)))
            };
            managed::all().iter().filter_map(read).collect()
        });
        texts.get(managed::managed_policy(arn)?.name).cloned()
    }

    /// The permissions of a role, as far as they are known.
    fn of_role(&self, estate: &Estate, role: &Role) -> Vec<Arc<Policy>> {
        let inline = role.permissions.inline.present().into_iter().flatten();
        let inline = inline.filter_map(|policy| Some(policy.document.present()?.policy(&estate.sources)));
        let attached = role.permissions.attached.present().into_iter().flatten();
        let attached = attached.filter_map(|arn| match self.own.get(arn.as_str()) {
            Some(document) => Some(document.policy(&estate.sources)),
            None => self.of_aws(arn),
        });
        inline.chain(attached).collect()
    }
}
