//! What limits the identity policies of a role, user or group: Deny statements beside them, boundary, SCPs.

use std::sync::Arc;

use crate::access::actor::{Boundary, boundary};
use crate::access::evaluate::Side;
use crate::aws::AccountId;
use crate::estate::{Document, Estate, OrganizationPolicyKind, Permissions};
use crate::model::Class;
use crate::policy::{Policy, PolicyKind, Statement};
use crate::rule::context::Context;
use crate::text::Span;

/// What is known of the limits of one holder of policies.
#[derive(Debug)]
pub(in crate::rules) struct Limits {
    /// Deny statements of all its identity policies and of the SCPs of its account, as policies.
    pub(in crate::rules) denies: Vec<Policy>,
    boundary: Boundary,
    /// What is not known and could take permissions away.
    pub(in crate::rules) unknown: Vec<String>,
}

impl Limits {
    /// The limits of somebody of whom nothing is known but one policy.
    pub(in crate::rules) fn of_policy(policy: &Policy) -> Self {
        Limits { denies: denying([policy]), boundary: Boundary::None, unknown: Vec::new() }
    }

    /// The limits of a holder that carries these policies.
    pub(in crate::rules) fn of<'p>(
        context: &Context<'_>,
        name: &str,
        account: Option<AccountId>,
        permissions: &Permissions,
        policies: impl IntoIterator<Item = &'p Policy>,
    ) -> Self {
        let mut limits = Limits { denies: denying(policies), boundary: Boundary::None, unknown: Vec::new() };
        limits.boundary = boundary(context.estate, permissions, name);
        limits.unknown.extend(limits.boundary.unknown().map(str::to_owned));
        limits.add_scps(context, account);
        limits
    }

    fn add_scps(&mut self, context: &Context<'_>, account: Option<AccountId>) {
        if account.is_some_and(|account| context.model.class(account) == Class::Management) {
            return;
        }
        let levels = account.map(|account| context.scp(account)).unwrap_or_default();
        let policies: Vec<Arc<Policy>> = levels.into_iter().flatten().collect();
        self.denies.extend(denying(policies.iter().map(Arc::as_ref)));
        let known = context.estate.organization.policies.iter().any(|p| p.kind == OrganizationPolicyKind::Scp);
        if !known {
            let of = account.map_or_else(String::new, |account| format!(" of {account}"));
            self.unknown.push(format!("service control policies{of}"));
        }
    }

    /// Its permissions boundary, as far as it is known.
    pub(in crate::rules) fn with_boundary<T>(&self, ask: impl FnOnce(Side<'_>) -> T) -> T {
        self.boundary.side(ask)
    }
}

/// The policies without their Allow statements; those that deny nothing are left out.
fn denying<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Vec<Policy> {
    let all = policies.into_iter().filter(|policy| policy.denies().next().is_some());
    all.map(|policy| {
        let mut denies = Policy::empty(policy.kind, policy.span);
        denies.statements = policy.denies().cloned().collect();
        denies
    })
    .collect()
}

/// A policy of one statement.
pub(in crate::rules) fn alone(statement: &Statement) -> Policy {
    let mut policy = Policy::empty(PolicyKind::Identity, statement.span);
    policy.statements.push(statement.clone());
    policy
}

/// Whoever carries an inline policy, and every policy that binds it.
#[derive(Debug)]
pub(in crate::rules) struct Holder<'e> {
    /// Its own permissions.
    pub(in crate::rules) permissions: &'e Permissions,
    /// The texts of its policies and, of a user, of its groups', as far as they are known.
    pub(in crate::rules) policies: Vec<Arc<Policy>>,
}

/// The role, user or group that carries an inline policy.
///
/// Goes through the whole estate: to be asked only about a policy that would give a finding.
pub(in crate::rules) fn holder<'e>(estate: &'e Estate, document: &Document) -> Option<Holder<'e>> {
    let carries = |permissions: &&Permissions| holds(permissions, document.span);
    if let Some(user) = estate.users.iter().find(|user| carries(&&user.permissions)) {
        let mut policies = texts(estate, &user.permissions);
        let names = user.groups.present().into_iter().flatten();
        for name in names {
            let group = estate.groups.iter().find(|group| group.name == *name && group.account == user.account);
            policies.extend(group.into_iter().flat_map(|group| texts(estate, &group.permissions)));
        }
        return Some(Holder { permissions: &user.permissions, policies });
    }
    let roles = estate.roles.iter().map(|role| &role.permissions);
    let permissions = roles.chain(estate.groups.iter().map(|group| &group.permissions)).find(carries)?;
    Some(Holder { permissions, policies: texts(estate, permissions) })
}

fn holds(permissions: &Permissions, place: Span) -> bool {
    let inline = permissions.inline.present().into_iter().flatten();
    inline.filter_map(|policy| policy.document.present()).any(|document| document.span == place)
}

fn texts(estate: &Estate, permissions: &Permissions) -> Vec<Arc<Policy>> {
    let inline = permissions.inline.present().into_iter().flatten().filter_map(|policy| policy.document.present());
    let inline = inline.map(|document| document.policy(&estate.sources));
    let attached = permissions.attached.present().into_iter().flatten();
    inline.chain(attached.filter_map(|arn| Some(estate.managed_text(&arn.value)?.policy()))).collect()
}
