//! Who asks: the callers that stand for a reader, and what decides on their side.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;

use super::universe::{STRANGER, fillings, organization_ids};
use super::{Level, Oracle};
use crate::access::actor::{Actor, Boundary};
use crate::access::evaluate::Side;
use crate::access::lock::Lock;
use crate::access::request::{Caller, Given};
use crate::access::sts::{Membership, caller_conditions, meant_accounts, named_accounts};
use crate::aws::{AccountId, Arn};
use crate::estate::{Estate, Role, User};
use crate::policy::{Policy, Principal, Statement};

/// A reader, as the matrix has it.
#[derive(Debug, Clone)]
pub enum Who<'e> {
    /// Unsigned requests, and any account that nobody names.
    Anyone,
    /// All principals of an account, whatever its administrators let them do.
    Account(AccountId),
    /// The same of any account with this membership that nobody names.
    AnyOf(Membership),
    /// A role of the estate.
    Role(&'e Role),
    /// A user of the estate.
    User(&'e User),
}

impl<'e> Who<'e> {
    /// The reader of this ID in a matrix; `None` for services, and for what the estate does not hold.
    pub fn named(estate: &'e Estate, id: &str, own: Option<&str>) -> Option<Self> {
        if id == "anyone" {
            return Some(Who::Anyone);
        }
        if let Some(account) = AccountId::parse(id) {
            return Some(Who::Account(account));
        }
        if let Some(id) = id.strip_prefix("any account of organization ") {
            return Some(Who::AnyOf(Membership::In(id.into())));
        }
        if id == "any other account of the organization" {
            let own = own.map_or(Membership::InUnknown, |id| Membership::In(id.into()));
            return Some(Who::AnyOf(own));
        }
        let role = estate.roles.iter().find(|role| role.arn().as_deref() == Some(id)).map(Who::Role);
        role.or_else(|| estate.users.iter().find(|user| user_arn(user).as_deref() == Some(id)).map(Who::User))
    }
}

/// The ARN of a user whose account is known.
pub fn user_arn(user: &User) -> Option<String> {
    let arn = || Some(format!("arn:aws:iam::{}:user/{}", user.account?, user.name));
    user.arn.as_ref().map(ToString::to_string).or_else(arn)
}

/// Takes identity policies, boundary, SCPs, and how far an answer can go with them.
type Visit<'v> = dyn FnMut(Side<'_>, Side<'_>, &[Vec<&Policy>], Level) + 'v;

/// Callers with the same policies.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) callers: Vec<Caller>,
    /// The organization keys that their requests may carry, and how far an answer with them can go.
    pub(super) organizations: Vec<(Vec<(CompactString, Given)>, Level)>,
    identity: Identity,
    boundary: Boundary,
    scp: Vec<Vec<Arc<Policy>>>,
}

/// What allows on the side of the callers.
#[derive(Debug)]
pub(super) enum Identity {
    /// Nothing.
    None,
    /// Whatever is wanted.
    Granted,
    /// These policies, and whether some are not known.
    Policies(Vec<Arc<Policy>>, bool),
}

impl Asker {
    /// All statements on their side.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        let identity: &[Arc<Policy>] = match &self.identity {
            Identity::Policies(known, _) => known,
            Identity::None | Identity::Granted => &[],
        };
        let boundary = match &self.boundary {
            Boundary::Is(policy) => Some(policy),
            Boundary::None | Boundary::Unread(_) | Boundary::Unknown(_) => None,
        };
        identity.iter().chain(boundary).chain(self.scp.iter().flatten()).flat_map(|policy| policy.effective())
    }

    /// Each thing that their policies may be (identity policies, boundary, SCPs), with how far an answer can go then.
    pub(super) fn each_identity(&self, all: &Policy, visit: &mut Visit<'_>) {
        let scp: Vec<Vec<&Policy>> = self.scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
        self.boundary.side(|boundary| match &self.identity {
            Identity::None => visit(Side::None, boundary, &scp, Level::Yes),
            Identity::Granted => visit(Side::Granted("its administrators"), boundary, &scp, Level::Yes),
            Identity::Policies(known, some_are_missing) => {
                let mut policies: Vec<&Policy> = known.iter().map(Arc::as_ref).collect();
                visit(Side::Policies(&policies), boundary, &scp, Level::Yes);
                if *some_are_missing {
                    policies.push(all);
                    visit(Side::Policies(&policies), boundary, &scp, Level::Maybe);
                }
            }
        });
    }
}

impl<'e> Oracle<'e> {
    /// The callers of a reader, as far as these policies of resources can tell them apart.
    pub(super) fn askers(&self, who: &Who<'e>, policies: &[&Policy]) -> Vec<Asker> {
        match who {
            Who::Anyone => {
                let unsigned = Asker {
                    callers: vec![Caller::Anonymous],
                    organizations: vec![(Vec::new(), Level::Yes)],
                    identity: Identity::None,
                    boundary: Boundary::None,
                    scp: Vec::new(),
                };
                let strangers = self.strangers(policies).into_iter();
                std::iter::once(unsigned)
                    .chain(strangers.map(|account| self.account(account, &Membership::Outside, policies)))
                    .collect()
            }
            Who::Account(account) => vec![self.account(*account, &self.organization.membership(*account), policies)],
            Who::AnyOf(membership) => {
                let strangers = self.strangers(policies);
                strangers.into_iter().map(|account| self.account(account, membership, policies)).collect()
            }
            Who::Role(role) => {
                let Some(account) = role.account else { return Vec::new() };
                let path = role.path.as_deref().unwrap_or("/").trim_start_matches('/');
                let name: CompactString = format!("{path}{}", role.name).into();
                let session = |session: &str| Caller::Session(account, name.clone(), Some(session.into()));
                let mut callers = vec![session(STRANGER)];
                for principal in principals(policies) {
                    if let Principal::Session(in_account, of, named) = principal
                        && *in_account == account
                        && of.as_str() == role.name
                    {
                        callers.push(session(named));
                    }
                }
                vec![self.acting(callers, account, Actor::role(self.estate, role), policies)]
            }
            Who::User(user) => {
                let caller = user_arn(user).and_then(|arn| Caller::parse(&arn));
                let (Some(caller), Some(account)) = (caller, user.account) else { return Vec::new() };
                vec![self.acting(vec![caller], account, Actor::user(self.estate, user), policies)]
            }
        }
    }

    fn account(&self, account: AccountId, membership: &Membership, policies: &[&Policy]) -> Asker {
        Asker {
            callers: self.callers(account, policies),
            organizations: self.organizations(account, membership, policies),
            identity: Identity::Granted,
            boundary: Boundary::None,
            scp: self.organization.scp(account),
        }
    }

    fn acting(&self, callers: Vec<Caller>, account: AccountId, actor: Actor, policies: &[&Policy]) -> Asker {
        Asker {
            callers,
            organizations: self.organizations(account, &self.organization.membership(account), policies),
            identity: Identity::Policies(actor.identity, !actor.missing.is_empty()),
            boundary: actor.boundary,
            scp: self.organization.scp(account),
        }
    }

    /// Principals of an account: its root, some role and user that nobody names, those of the estate and those that the
    /// policies name.
    fn callers(&self, account: AccountId, policies: &[&Policy]) -> Vec<Caller> {
        let session = |role: &str| Caller::Session(account, role.into(), Some(STRANGER.into()));
        let mut callers = vec![session(STRANGER), Caller::User(account, STRANGER.into()), Caller::Root(account)];
        for principal in principals(policies) {
            match principal {
                Principal::Role(a, name) if *a == account => callers.push(session(name)),
                Principal::User(a, name) if *a == account => callers.push(Caller::User(account, name.clone())),
                Principal::Session(a, role, name) if *a == account => {
                    callers.push(Caller::Session(account, role.clone(), Some(name.clone())));
                }
                Principal::FederatedUser(a, name) if *a == account => {
                    callers.push(Caller::FederatedUser(account, name.clone()));
                }
                _ => {}
            }
        }
        let scp = self.organization.scp(account);
        let all = policies.iter().copied().chain(scp.iter().flatten().map(Arc::as_ref));
        for clause in all.flat_map(|policy| policy.effective()).flat_map(|statement| &statement.conditions) {
            let values = clause.values.iter().map(|value| value.template.raw());
            if clause.key.is("aws:PrincipalArn") {
                let names = values.flat_map(|arn| fillings(arn.rsplit(':').next().unwrap_or(arn), &["", "x"]));
                let arns = names.flat_map(|name| [format!("arn:aws:iam::{account}:{name}")]);
                callers.extend(arns.filter_map(|arn| Caller::parse(&arn)));
            } else if clause.key.is("aws:username") {
                let names = values.flat_map(|name| fillings(name, &["", "x"]));
                callers.extend(names.map(|name| Caller::User(account, name.into())));
            }
        }
        let in_account = |role: &&Role| role.account == Some(account);
        callers.extend(self.estate.roles.iter().filter(in_account).map(|role| session(&role.name)));
        let users = self.estate.users.iter().filter(|user| user.account == Some(account));
        callers.extend(users.map(|user| Caller::User(account, user.name.clone())));
        if let Lock::Key(key) = &self.lock {
            let grantees = key.facts.grants.iter().copied().flatten().filter_map(|grant| grant.grantee.as_ref());
            let named = grantees.filter_map(|grantee| Caller::parse(&grantee.value));
            callers.extend(named.filter(|caller| caller.account() == Some(account)).map(|caller| match caller {
                Caller::Session(account, role, None) => Caller::Session(account, role, Some(STRANGER.into())),
                other => other,
            }));
        }
        let mut seen = BTreeSet::new();
        callers.retain(|caller| seen.insert(format!("{caller:?}")));
        callers
    }

    /// The organization keys that requests from an account may carry.
    fn organizations(
        &self,
        account: AccountId,
        membership: &Membership,
        policies: &[&Policy],
    ) -> Vec<(Vec<(CompactString, Given)>, Level)> {
        let keys = |id: Given, paths: Given, most: Level| {
            (vec![("aws:PrincipalOrgID".into(), id), ("aws:PrincipalOrgPaths".into(), paths)], most)
        };
        let one = |id: &str| Given::Values(vec![id.into()]);
        match membership {
            Membership::In(id) => vec![keys(one(id), Given::Present, Level::Yes)],
            Membership::InUnknown => vec![keys(Given::Present, Given::Present, Level::Yes)],
            Membership::Outside => {
                let mut ways = vec![
                    keys(Given::Absent, Given::Absent, Level::Yes),
                    keys(one("o-foreigner0"), one("o-foreigner0/r-frgn/ou-frgn-foreigner/"), Level::Yes),
                ];
                // Whom a policy names beside an organization may be in it.
                let own = self.model.organization_id().map(|organization| organization.id.as_str());
                let mut named = false;
                for policy in policies {
                    named |= policy.allows().any(|s| meant_accounts(policy, s).contains(&account));
                }
                let statements = policies.iter().flat_map(|policy| policy.effective());
                let ids = statements.flat_map(|statement| organization_ids(statement, own));
                ways.extend(ids.filter(|_| named).map(|id| keys(one(&id), Given::Present, Level::Maybe)));
                ways
            }
        }
    }

    /// Accounts that nobody names: one, and one for each pattern of account IDs.
    fn strangers(&self, policies: &[&Policy]) -> Vec<AccountId> {
        let mut known: BTreeSet<AccountId> = self.model.known_accounts();
        known.extend(self.estate.accounts.keys());
        known.extend(self.estate.roles.iter().filter_map(|role| role.account));
        let statements = || policies.iter().flat_map(|policy| policy.effective());
        known.extend(statements().flat_map(named_accounts));
        known.insert(super::owner_for_all(self.model));
        let resources = statements().filter_map(|statement| statement.resources.as_ref());
        let parts = resources.flat_map(|resources| &resources.items).flat_map(|item| item.raw().split('/'));
        known.extend(parts.filter_map(AccountId::parse));
        if let Lock::Key(key) = &self.lock {
            let grantees = key.facts.grants.iter().copied().flatten().filter_map(|grant| grant.grantee.as_ref());
            known.extend(grantees.filter_map(|grantee| Arn::parse(&grantee.value)?.account_id()));
        }
        let mut found = vec![AccountId::other_than(known.iter().copied())];
        for clause in statements().flat_map(caller_conditions) {
            for raw in clause.values.iter().map(|value| value.template.raw()) {
                let field = Arn::parse(raw).map_or(raw, |arn| arn.account);
                if field.bytes().all(|byte| byte == b'*') {
                    continue;
                }
                let fixed = field.bytes().filter(|byte| *byte != b'*').count();
                for digit in ["0", "5", "7", "9"] {
                    let text = field.replacen('*', &digit.repeat(12usize.saturating_sub(fixed)), 1);
                    let text = text.replace('*', "").replace('?', digit);
                    found.extend(AccountId::parse(&text).filter(|account| !known.contains(account)));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

pub(super) fn principals<'p>(policies: &[&'p Policy]) -> impl Iterator<Item = &'p Principal> {
    let statements: Vec<&Statement> = policies.iter().flat_map(|policy| policy.effective()).collect();
    let principals = statements.into_iter().filter_map(|statement| statement.principals.as_ref());
    principals.flat_map(|principals| &principals.entries).map(|entry| &entry.principal)
}
