//! The decision on one concrete request, in three values, with its reasons.
//!
//! Sources: IAM User Guide, "Policy evaluation logic" (requests within an account and across accounts, the effect of
//! boundaries, session policies and principals); Organizations User Guide, SCP and RCP evaluation. What S3 and KMS add to
//! policies (ownership, ACLs, block public access, grants, the state of a key) is decided in [`crate::access::s3`] and
//! [`crate::access::kms`], and only where [`Policies`] has the facts for it.

mod denies;
mod near;
mod notes;
mod statement;
mod stop;
mod titles;

use std::fmt;

pub use self::denies::Denies;
use self::notes::Notes;
pub(in crate::access) use self::notes::combine;
pub use self::stop::{Stop, StopKind};
pub use self::titles::{Carried, Title, Titles};
use crate::access::kms::KeyFacts;
use crate::access::principals::Named;
use crate::access::request::{Caller, Request};
use crate::access::s3::Storage;
use crate::aws::AccountId;
use crate::finding::{Decision, Dependency, Step, StepEffect};
use crate::policy::condition::Tri;
use crate::policy::{Effect, Policy, Statement};

/// The policies of one kind.
#[derive(Debug, Clone, Copy, Default)]
pub enum Side<'p> {
    /// No policy of this kind exists.
    #[default]
    None,
    /// These.
    Policies(&'p [&'p Policy]),
    /// They are not known; what they are, for the explanation.
    Unknown(&'p str),
    /// They are not known and taken to allow: whoever writes them can.
    Granted(&'p str),
}

/// Everything that may decide a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'p> {
    /// Identity-based policies of the caller.
    pub identity: Side<'p>,
    /// The policy of the resource: bucket, key or trust policy.
    pub resource: Side<'p>,
    /// The caller's permissions boundary.
    pub boundary: Side<'p>,
    /// The session policies of the caller's session.
    pub session: Side<'p>,
    /// The SCPs of the caller's account, level by level from the root down.
    pub scp: &'p [Vec<&'p Policy>],
    /// The RCPs of the resource's account, level by level.
    pub rcp: &'p [Vec<&'p Policy>],
    /// The policy of the VPC endpoint the request comes through.
    pub endpoint: Side<'p>,
    /// The management account, to which SCPs and RCPs do not apply.
    pub management: Option<AccountId>,
    /// The canonical ID of the caller's account.
    pub canonical: Option<&'p str>,
    /// What S3 adds where the request is for a bucket or an object; without it policies alone decide.
    pub storage: Option<&'p Storage<'p>>,
    /// What KMS adds where the request is for a key; without it policies alone decide.
    pub key: Option<&'p KeyFacts<'p>>,
    /// What messages call the policies of the caller; without it they are called by their kind.
    pub titles: Option<&'p Titles>,
}

/// The decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Each statement that counts and each Allow that is missing.
    pub steps: Vec<Step>,
    /// The condition keys and facts it depends on; empty unless it is conditional.
    pub depends_on: Vec<Dependency>,
    /// What it would take to be let through; empty unless it is denied.
    pub would_take: Vec<String>,
    /// Whether it is denied because of one element of a statement that is not for others.
    pub is_near: bool,
    /// What stops it, the first being the cause; empty unless it is denied.
    pub stops: Vec<Stop>,
}

impl Explanation {
    /// A request that nobody makes: denied, and nothing to say of it.
    pub fn nothing() -> Self {
        Explanation {
            decision: Decision::ImplicitDeny,
            steps: Vec::new(),
            depends_on: Vec::new(),
            would_take: Vec::new(),
            is_near: false,
            stops: Vec::new(),
        }
    }
}

/// Decides a request.
pub fn decide(request: &Request, policies: &Policies<'_>) -> Decision {
    Evaluation { request, policies, notes: None }.decide()
}

/// Decides a request and says why.
pub fn explain(request: &Request, policies: &Policies<'_>) -> Explanation {
    let mut evaluation = Evaluation { request, policies, notes: Some(Notes::default()) };
    let decision = evaluation.decide();
    evaluation.explained(decision)
}

/// Whether one statement meets a request, all of it taken together.
pub fn statement_meets(statement: &Statement, request: &Request, policies: &Policies<'_>) -> Tri {
    let mut evaluation = Evaluation { request, policies, notes: None };
    match statement.effect {
        Effect::Allow => evaluation.allow(statement, Authority::Resource).any(),
        Effect::Deny => evaluation.deny(statement),
    }
}

/// Whether one statement may meet a request that differs from this one in its context alone: its action, resource and
/// principal do.
pub fn statement_may_meet(statement: &Statement, request: &Request, policies: &Policies<'_>) -> bool {
    let evaluation = Evaluation { request, policies, notes: None };
    let met = match statement.effect {
        Effect::Allow => evaluation.names(statement, Authority::Resource).any(),
        Effect::Deny => evaluation.denies(statement),
    };
    met != Tri::False
}

/// What speaks for or against a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::access) enum Authority {
    Identity,
    Resource,
    Boundary,
    Session,
    Scp,
    Endpoint,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Authority::Identity => "identity policy",
            Authority::Resource => "resource policy",
            Authority::Boundary => "permissions boundary",
            Authority::Session => "session policy",
            Authority::Scp => "service control policy",
            Authority::Endpoint => "VPC endpoint policy",
        })
    }
}

/// One request, being decided.
pub(in crate::access) struct Evaluation<'e> {
    /// The request.
    pub(in crate::access) request: &'e Request,
    /// What decides it.
    pub(in crate::access) policies: &'e Policies<'e>,
    notes: Option<Notes>,
}

/// What policies say of a request, Deny statements and organizations left out.
#[derive(Debug, Clone, Copy)]
pub(in crate::access) struct Permitted {
    /// Whether they allow it.
    pub(in crate::access) met: Tri,
    /// Whether the caller's own account allows it; an unsigned caller has none that could object.
    pub(in crate::access) by_caller: Tri,
}

impl Evaluation<'_> {
    fn decide(&mut self) -> Decision {
        let denied = self.denied();
        if denied == Tri::True {
            return Decision::ExplicitDeny;
        }
        if self.lacks_a_signature() {
            let service = self.request.action.service().to_ascii_uppercase();
            self.stop(StopKind::Protocol, format!("{service} takes no unsigned requests"), None, None);
            return Decision::ImplicitDeny;
        }
        let ceilings = self.ceilings();
        let allowed = match *self.policies {
            Policies { storage: Some(storage), .. } if self.request.action.is_of("s3") => self.stored(storage),
            Policies { key: Some(key), .. } if self.request.action.is_of("kms") => self.unlocked(key),
            _ => self.permitted().met,
        };
        match (ceilings.and(allowed), denied) {
            (Tri::False, _) => Decision::ImplicitDeny,
            (Tri::True, Tri::False) => Decision::Allowed,
            _ => Decision::Conditional,
        }
    }

    /// Whether a request is unsigned and goes to a service that takes no such.
    ///
    /// Source: IAM User Guide, "AWS Signature Version 4 for API requests"; S3 is the one service of these with anonymous
    /// requests.
    fn lacks_a_signature(&self) -> bool {
        let action = &self.request.action;
        self.request.caller == Caller::Anonymous && (action.is_of("kms") || action.is_of("sts"))
    }

    /// The sweep for Deny statements, over every policy that applies.
    fn denied(&mut self) -> Tri {
        let Policies { scp, rcp, .. } = *self.policies;
        let mut denied = Tri::False;
        for (side, authority) in self.policies.sides() {
            denied = denied.or(self.deny_by(side.policies(), authority));
        }
        for level in if self.scp_applies() { scp } else { &[] } {
            denied = denied.or(self.deny_by(level, Authority::Scp));
        }
        for level in if self.rcp_applies() { rcp } else { &[] } {
            denied = denied.or(self.deny_by(level, Authority::Resource));
        }
        denied
    }

    fn deny_by(&mut self, policies: &[&Policy], authority: Authority) -> Tri {
        let mut denied = Tri::False;
        for policy in policies {
            for statement in policy.denies() {
                let here = self.deny(statement);
                if here != Tri::False {
                    self.note_deny(policy, statement, authority, here);
                }
                denied = denied.or(here);
            }
        }
        denied
    }

    /// What organizations and endpoints put above everything else.
    ///
    /// An RCP can only deny: AWS keeps its own `RCPFullAWSAccess` attached everywhere.
    fn ceilings(&mut self) -> Tri {
        let mut allowed = Tri::True;
        if self.scp_applies() {
            for level in self.policies.scp {
                let here = self.allow_by(level, Authority::Scp).any();
                allowed = allowed.and(self.need_at(here, Authority::Scp, level.first().map(|policy| policy.span)));
            }
        }
        allowed.and(self.limit(self.policies.endpoint, Authority::Endpoint))
    }

    /// What identity and resource policies say, each within its limits.
    pub(in crate::access) fn permitted(&mut self) -> Permitted {
        let named = self.side(self.policies.resource, Authority::Resource);
        let Some(account) = self.request.caller.account() else {
            return Permitted { met: self.need(named.direct, Authority::Resource), by_caller: Tri::True };
        };
        let (by_identity, own) = self.own_account();
        let same = self.same_account(named, own);
        let across = named.any().and(own);
        let lacking = self.lacking(named, by_identity);
        let (met, by_caller) = match self.request.resource_account {
            Some(owner) if owner == account => (self.need_of(same, lacking), same),
            Some(_) => (self.need_of(across, lacking), own),
            None if same == across => (same, if same == own { own } else { Tri::Unknown }),
            None => {
                self.depend("the account that owns the resource");
                (Tri::Unknown, Tri::Unknown)
            }
        };
        Permitted { met, by_caller }
    }

    /// Whether the caller's own account lets it: identity policy within boundary and session policy.
    pub(in crate::access) fn own_account_allows(&mut self) -> Tri {
        self.own_account().1
    }

    /// What identity policies say, and what they say within boundary and session policy.
    fn own_account(&mut self) -> (Tri, Tri) {
        if matches!(self.request.caller, Caller::Root(_)) {
            let met = Tri::from(!self.root_assumes());
            return (met, met);
        }
        let by_identity = self.side(self.policies.identity, Authority::Identity).any();
        (by_identity, by_identity.and(self.limits()))
    }

    /// A root user can not call AssumeRole, whoever trusts it (STS API Reference, AssumeRole).
    fn root_assumes(&self) -> bool {
        self.request.action.is("sts:AssumeRole") && matches!(self.request.caller, Caller::Root(_))
    }

    /// Whether boundary and session policy leave room for what names the caller by its role.
    pub(in crate::access) fn limits(&mut self) -> Tri {
        if matches!(self.request.caller, Caller::Root(_)) {
            return Tri::True;
        }
        let boundary = self.limit(self.policies.boundary, Authority::Boundary);
        // A GetFederationToken session without session policy has no permissions of its own.
        let session = match (self.policies.session, &self.request.caller) {
            (Side::None, Caller::FederatedUser(..)) => Tri::False,
            (session, _) => self.limit(session, Authority::Session),
        };
        boundary.and(session)
    }

    fn same_account(&mut self, named: Named, own: Tri) -> Tri {
        let request = self.request;
        if self.root_assumes() {
            return Tri::False;
        }
        let limited = match named.role.or(named.user_session) {
            Tri::False => Tri::False,
            named => named.and(self.limits()),
        };
        // A role and a key admit nobody whom their own policy does not name; elsewhere the account's policies are enough.
        let delegated = match needs_resource_policy(request) {
            true => named.any(),
            false => Tri::True,
        };
        named.direct.or(limited).or(delegated.and(own))
    }

    fn side(&mut self, side: Side<'_>, authority: Authority) -> Named {
        let everyone = |met| Named { direct: met, ..Named::NOT };
        match side {
            Side::None => Named::NOT,
            Side::Policies(policies) => self.allow_by(policies, authority),
            Side::Unknown(what) => {
                self.depend(what);
                everyone(Tri::Unknown)
            }
            Side::Granted(what) => {
                self.step(StepEffect::If, || what.to_owned(), None);
                everyone(Tri::True)
            }
        }
    }

    fn limit(&mut self, side: Side<'_>, authority: Authority) -> Tri {
        match side {
            Side::None => Tri::True,
            other => {
                let met = self.side(other, authority).any();
                let first = if let Side::Policies([first, ..]) = other { Some(first.span) } else { None };
                self.need_at(met, authority, first)
            }
        }
    }

    fn allow_by(&mut self, policies: &[&Policy], authority: Authority) -> Named {
        let mut named = Named::NOT;
        for policy in policies {
            for statement in policy.allows() {
                let here = self.allow(statement, authority);
                if here != Named::NOT {
                    self.note_allow(policy, statement, authority, here.any());
                }
                named = named.or(here);
                // Nothing is stronger; only an explanation wants the others too.
                if named.direct == Tri::True && self.notes.is_none() {
                    return named;
                }
            }
        }
        named
    }

    fn scp_applies(&self) -> bool {
        let caller = &self.request.caller;
        caller.account().is_some_and(|account| Some(account) != self.policies.management) && !caller.is_service_linked()
    }

    fn rcp_applies(&self) -> bool {
        let action = &self.request.action;
        const SERVICES: [&str; 6] = ["s3", "sts", "kms", "sqs", "secretsmanager", "ecr"];
        SERVICES.iter().any(|service| action.is_of(service))
            && !action.is("kms:RetireGrant")
            && !self.policies.key.is_some_and(KeyFacts::is_aws_managed)
            && !self.request.caller.is_service_linked()
            && (self.request.resource_account.is_none() || self.request.resource_account != self.policies.management)
    }

    /// Which side is to blame where nothing allows; none where a limit stands in the way, which has said so itself.
    fn lacking(&self, named: Named, by_identity: Tri) -> Option<Authority> {
        let cross = self.request.resource_account != self.request.caller.account();
        if named.any() == Tri::False && (cross || needs_resource_policy(self.request)) {
            return Some(Authority::Resource);
        }
        (by_identity == Tri::False).then_some(Authority::Identity)
    }

    fn need_of(&mut self, met: Tri, lacking: Option<Authority>) -> Tri {
        lacking.map_or(met, |lacking| self.need(met, lacking))
    }
}

/// Whether the resource's own policy must allow: roles and KMS keys.
fn needs_resource_policy(request: &Request) -> bool {
    const ON_ROLES: [&str; 6] = [
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
        "sts:SetSourceIdentity",
        "sts:SetContext",
    ];
    request.action.is_of("kms") || ON_ROLES.iter().any(|action| request.action.is(action))
}
