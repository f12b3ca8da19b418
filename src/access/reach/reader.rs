//! Who may read: the callers that stand for a reader, and the policies on their side.

use std::sync::Arc;

use super::ground::Ground;
use crate::access::actor::{Actor, Boundary};
use crate::access::evaluate::Titles;
use crate::access::request::Caller;
use crate::access::search::{ANY_SESSION, principals_of};
use crate::access::sts::{Membership, Way, ways};
use crate::aws::AccountId;
use crate::estate::{Gap, OrganizationPolicyKind, Role, User};
use crate::finding::matrix::{Party, ReaderKind};
use crate::model::Class;
use crate::policy::{Policy, Principal};

/// A reader of logs.
#[derive(Debug)]
pub(super) struct Reader<'e> {
    /// What it is.
    pub(super) kind: ReaderKind,
    /// Who it is.
    pub(super) party: Party,
    /// The account that it is in or stands for, where there is one.
    pub(super) account: Option<AccountId>,
    /// The role that it is.
    pub(super) role: Option<&'e Role>,
    /// The organizations that accounts nobody names are asked about for, where it stands for such.
    pub(super) membership: Option<Membership>,
    /// What it can ask as: who gets in as one of these gets in.
    pub(super) faces: Vec<Face>,
}

/// Callers with one set of policies of their own.
#[derive(Debug)]
pub(super) struct Face {
    /// Who asks, in order of preference.
    pub(super) callers: Vec<Caller>,
    /// Principals that only grants of the key name: as readers they may do more than the others.
    pub(super) grantees: Vec<Caller>,
    /// What allows on their side.
    pub(super) identity: Identity,
    /// Their permissions boundary.
    pub(super) boundary: Boundary,
    /// What messages call their policies, where they are known.
    pub(super) titles: Option<Titles>,
    /// The SCPs that bind them, level by level.
    pub(super) scp: Vec<Vec<Arc<Policy>>>,
    /// The organization keys that their requests may carry.
    pub(super) ways: Vec<Way>,
    /// What was not collected on their side and could only deny, in words.
    pub(super) unless: Vec<String>,
}

/// What allows on the caller's side.
#[derive(Debug)]
pub(super) enum Identity {
    /// Nothing is needed, and nothing is there.
    None,
    /// The administrators of the account, who can allow it; in words.
    Granted(String),
    /// These policies, and some that are not known.
    Policies(Vec<Arc<Policy>>, Vec<Gap>),
}

impl Face {
    /// The account of the callers.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.callers.first().and_then(Caller::account)
    }
}

impl<'e> Reader<'e> {
    /// The account whose logs are its own.
    pub(super) fn own_logs(&self) -> Option<AccountId> {
        self.account
    }

    /// A reader that is no account and in none.
    pub(super) fn whole(kind: ReaderKind, party: Party, faces: Vec<Face>) -> Self {
        Reader { kind, party, account: None, role: None, membership: None, faces }
    }

    /// Whether it is an account, or stands for accounts, and not a role or user in one.
    pub(super) fn is_account(&self) -> bool {
        matches!(self.kind, ReaderKind::Anyone | ReaderKind::Account | ReaderKind::ThirdParty)
            || (self.kind == ReaderKind::Service && self.account.is_some())
    }

    /// The accounts that stand for it, where it is no account by itself.
    pub(super) fn stand_ins(&self, ground: &Ground<'_>) -> Vec<(AccountId, Membership)> {
        match &self.membership {
            None => Vec::new(),
            Some(Membership::Outside) => {
                ground.strangers.iter().map(|account| (*account, Membership::Outside)).collect()
            }
            Some(membership) => ground.of_nobody().map(|account| (account, membership.clone())).collect(),
        }
    }

    /// Unsigned callers, and any AWS account that nobody names.
    pub(super) fn anyone(ground: &Ground<'e>) -> Self {
        let unsigned = Face {
            callers: vec![Caller::Anonymous],
            grantees: Vec::new(),
            identity: Identity::None,
            boundary: Boundary::None,
            titles: None,
            scp: Vec::new(),
            ways: vec![Way::with(Vec::new())],
            unless: Vec::new(),
        };
        let strangers = ground.strangers.iter().map(|account| ground.administered(*account, &Membership::Outside));
        Reader {
            kind: ReaderKind::Anyone,
            party: Party { id: "anyone".to_owned(), label: "anyone".to_owned(), own: None },
            account: None,
            role: None,
            membership: Some(Membership::Outside),
            faces: std::iter::once(unsigned).chain(strangers).collect(),
        }
    }

    /// An account, by whatever its administrators let its principals do.
    pub(super) fn account(ground: &Ground<'e>, account: AccountId) -> Self {
        let membership = ground.organization.membership(account);
        let kind = match (ground.model.class(account), &membership) {
            (Class::CloudTrail, _) => ReaderKind::Service,
            (_, Membership::Outside) => ReaderKind::ThirdParty,
            _ => ReaderKind::Account,
        };
        Reader {
            kind,
            party: ground.party(account),
            account: Some(account),
            role: None,
            membership: None,
            faces: vec![ground.administered(account, &membership)],
        }
    }

    /// Any account of an organization that nobody names.
    pub(super) fn member_of(ground: &Ground<'e>, membership: &Membership, label: &str, kind: ReaderKind) -> Self {
        Reader {
            kind,
            party: Party { id: label.to_owned(), label: label.to_owned(), own: None },
            account: None,
            role: None,
            membership: Some(membership.clone()),
            faces: ground.of_nobody().map(|account| ground.administered(account, membership)).collect(),
        }
    }

    /// A role of the estate; `None` where its account or name is not known.
    pub(super) fn role(ground: &Ground<'e>, role: &'e Role) -> Option<Self> {
        let (arn, account) = (role.arn()?, role.account?);
        let path = role.path.as_deref().unwrap_or("/").trim_start_matches('/');
        let caller = Caller::Session(account, format!("{path}{}", role.name).into(), Some(ANY_SESSION.into()));
        let mut face = ground.acting(caller, account, Actor::role(ground.estate, role));
        // Whoever assumes it chooses the name of the session.
        for policy in ground.resource_policies() {
            face.callers.extend(sessions_of(account, &role.name, policy));
        }
        Some(Reader {
            kind: ReaderKind::Role,
            party: Party { id: arn.clone(), label: arn, own: None },
            account: Some(account),
            role: Some(role),
            membership: None,
            faces: vec![face],
        })
    }

    /// A user of the estate; `None` where its account is not known.
    pub(super) fn user(ground: &Ground<'e>, user: &'e User) -> Option<Self> {
        let account = user.account?;
        let arn = user.arn.as_ref().map(ToString::to_string);
        let arn = arn.unwrap_or_else(|| format!("arn:aws:iam::{account}:user/{}", user.name));
        let caller = Caller::parse(&arn)?;
        let face = ground.acting(caller, account, Actor::user(ground.estate, user));
        Some(Reader {
            kind: ReaderKind::User,
            party: Party { id: arn.clone(), label: arn, own: None },
            account: Some(account),
            role: None,
            membership: None,
            faces: vec![face],
        })
    }
}

/// The sessions of a role that a policy names.
pub(super) fn sessions_of(account: AccountId, role: &str, policy: &Policy) -> Vec<Caller> {
    let principals = policy.effective().filter_map(|statement| statement.principals.as_ref());
    let entries = principals.flat_map(|principals| &principals.entries);
    let named = entries.filter_map(|entry| match &entry.principal {
        Principal::Session(of, name, session) if *of == account && name.rsplit('/').next() == Some(role) => {
            Some(Caller::Session(account, name.clone(), Some(session.clone())))
        }
        _ => None,
    });
    named.collect()
}

impl<'e> Ground<'e> {
    /// All principals of an account, its administrators willing.
    fn administered(&self, account: AccountId, membership: &Membership) -> Face {
        let scp = self.organization.scp(account);
        let mut callers = principals_of(account, self.all_policies().chain(scp.iter().flatten().map(Arc::as_ref)));
        let of_account =
            self.grantees().filter(|caller| caller.account() == Some(account) && !callers.contains(caller));
        let grantees: Vec<Caller> = of_account.collect();
        callers.push(Caller::Root(account));
        Face {
            callers,
            grantees,
            identity: Identity::Granted(format!(
                "administrators of {} decide which of their users and roles may",
                // An account that is made up has no name.
                if self.of_nobody().any(|one| one == account) {
                    "that account".to_owned()
                } else {
                    self.model.label(account)
                }
            )),
            boundary: Boundary::None,
            titles: None,
            scp,
            ways: self.ways(account, membership),
            unless: self.scp_unless(account),
        }
    }

    /// One principal of the estate with the policies that it has.
    fn acting(&self, caller: Caller, account: AccountId, actor: Actor) -> Face {
        let mut unless = self.scp_unless(account);
        unless.extend(actor.boundary.unknown().map(|what| format!("the {what}").replace("the the ", "the ")));
        let identity: Vec<Arc<Policy>> = actor.identity.iter().map(|policy| self.slim(policy)).collect();
        Face {
            callers: vec![caller],
            grantees: Vec::new(),
            titles: Some(actor.titles(&identity)),
            identity: Identity::Policies(identity, actor.missing),
            boundary: actor.boundary,
            scp: self.organization.scp(account),
            ways: self.ways(account, &self.organization.membership(account)),
            unless,
        }
    }

    fn ways(&self, account: AccountId, membership: &Membership) -> Vec<Way> {
        let own = self.model.organization_id().map(|organization| organization.id.as_str());
        ways(account, membership, self.all_policies(), own)
    }

    pub(super) fn scp_unless(&self, account: AccountId) -> Vec<String> {
        let is_bound = !matches!(self.organization.membership(account), Membership::Outside)
            && self.model.management() != Some(account);
        let open = is_bound && !self.organization.knows(OrganizationPolicyKind::Scp, account);
        open.then(|| self.of_organization("service control policies")).into_iter().collect()
    }
}
