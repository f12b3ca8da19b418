//! How strongly a statement's principals name a caller.
//!
//! Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "…: NotPrincipal".

use crate::access::request::Caller;
use crate::policy::Principal;
use crate::policy::Principals;
use crate::policy::condition::Tri;

/// How a statement names a caller, for each strength whether it does.
///
/// The strength decides what else may limit the caller: a boundary limits one named by its role, not one named by its
/// session or by `*`; one named by its account alone needs an Allow of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// By itself, or as part of everyone.
    pub direct: Tri,
    /// By the role of its session.
    pub role: Tri,
    /// By the user behind its session.
    pub user_session: Tri,
    /// By its account.
    pub account: Tri,
}

impl Named {
    /// Not at all.
    pub const NOT: Named =
        Named { direct: Tri::False, role: Tri::False, user_session: Tri::False, account: Tri::False };

    /// In whatever way.
    pub fn any(self) -> Tri {
        self.direct.or(self.role).or(self.user_session).or(self.account)
    }

    /// The stronger of the two, way by way.
    pub fn or(self, other: Named) -> Named {
        Named {
            direct: self.direct.or(other.direct),
            role: self.role.or(other.role),
            user_session: self.user_session.or(other.user_session),
            account: self.account.or(other.account),
        }
    }

    /// Limits every way by a condition.
    pub fn and(self, condition: Tri) -> Named {
        Named {
            direct: self.direct.and(condition),
            role: self.role.and(condition),
            user_session: self.user_session.and(condition),
            account: self.account.and(condition),
        }
    }
}

/// How one principal names a caller; `canonical` is the canonical ID of the caller's account, where known.
pub fn names(principal: &Principal, caller: &Caller, canonical: Option<&str>) -> Named {
    let direct = |met: Tri| Named { direct: met, ..Named::NOT };
    match (principal, caller) {
        (Principal::Everyone, _) => direct(Tri::True),
        (Principal::Account(named), Caller::Root(account)) => direct((named == account).into()),
        (Principal::Account(named), _) => Named { account: (caller.account() == Some(*named)).into(), ..Named::NOT },
        (Principal::Role(named, name), Caller::Session(account, role, _)) => {
            Named { role: (named == account && last(name) == last(role)).into(), ..Named::NOT }
        }
        (Principal::User(named, name), Caller::User(account, user)) => {
            direct((named == account && name == user).into())
        }
        (Principal::User(named, name), Caller::FederatedUser(account, user)) => {
            Named { user_session: (named == account && last(name) == user).into(), ..Named::NOT }
        }
        (Principal::Session(named, name, wanted), Caller::Session(account, role, session)) => {
            let same_role = named == account && last(name) == last(role);
            direct(match session {
                _ if !same_role => Tri::False,
                Some(session) => (session == wanted).into(),
                None => Tri::Unknown,
            })
        }
        (Principal::FederatedUser(named, name), Caller::FederatedUser(account, user)) => {
            direct((named == account && name == user).into())
        }
        (Principal::Federated(named), Caller::Provider(provider)) => direct((named == provider).into()),
        (Principal::Service(named), Caller::Service(service)) => direct((named == service).into()),
        (Principal::CanonicalUser(named), _) if caller.account().is_some() => Named {
            account: canonical.map_or(Tri::Unknown, |own| own.eq_ignore_ascii_case(named).into()),
            ..Named::NOT
        },
        _ => Named::NOT,
    }
}

/// How a whole `Principal` names a caller.
pub fn allowed_by(principals: &Principals, caller: &Caller, canonical: Option<&str>) -> Named {
    let listed =
        principals.entries.iter().fold(Named::NOT, |so_far, e| so_far.or(names(&e.principal, caller, canonical)));
    match principals.negated {
        false => listed,
        // An Allow to all but these: whoever is listed in any way is not meant.
        true => Named { direct: !listed.any(), ..Named::NOT },
    }
}

/// Whether a Deny means a caller.
///
/// A Deny with `NotPrincipal` spares only who is listed with every level of its identity (account, role, session), and
/// never a principal that has a permissions boundary; a list of some of the levels is AWS's "might".
pub fn denied_by(principals: &Principals, caller: &Caller, canonical: Option<&str>, has_boundary: Tri) -> Tri {
    if !principals.negated {
        return allowed_by(principals, caller, canonical).any();
    }
    let listed = |wanted: &dyn Fn(&Principal) -> Tri| {
        principals.entries.iter().fold(Tri::False, |so_far, entry| so_far.or(wanted(&entry.principal)))
    };
    if listed(&|p| (*p == Principal::Everyone).into()) == Tri::True {
        return has_boundary;
    }
    let account = listed(&|p| match p {
        Principal::Account(named) => (caller.account() == Some(*named)).into(),
        Principal::CanonicalUser(_) => names(p, caller, canonical).account,
        _ => Tri::False,
    });
    let is =
        |of: fn(&Principal) -> bool| listed(&|p| if of(p) { names(p, caller, canonical).any() } else { Tri::False });
    let same = |level| (level, level);
    // A session has two levels of itself; everyone else has one.
    let (one, other) = match caller {
        Caller::Root(_) => (account, account),
        Caller::User(..) => same(is(|p| matches!(p, Principal::User(..)))),
        Caller::Session(..) => (is(|p| matches!(p, Principal::Role(..))), is(|p| matches!(p, Principal::Session(..)))),
        Caller::FederatedUser(..) => same(is(|p| matches!(p, Principal::FederatedUser(..)))),
        Caller::Service(_) => same(is(|p| matches!(p, Principal::Service(_)))),
        Caller::Provider(_) => same(is(|p| matches!(p, Principal::Federated(_)))),
        Caller::Anonymous => (Tri::False, Tri::False),
    };
    let (every, some) = (one.and(other), one.or(other));
    let every = if caller.account().is_some() { every.and(account) } else { every };
    match (every, some) {
        (Tri::True, _) => has_boundary,
        (_, Tri::False) => Tri::True,
        _ if has_boundary == Tri::True => Tri::True,
        _ => Tri::Unknown,
    }
}

/// The name of a role without its path: session ARNs drop it, and names are unique in an account.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
