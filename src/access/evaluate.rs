//! The decision on one concrete request, in three values, with its reasons.
//!
//! Sources: IAM User Guide, "Policy evaluation logic" (requests within an account and across accounts, the effect of
//! boundaries, session policies and principals); Organizations User Guide, SCP and RCP evaluation. The S3 and KMS
//! services add layers of their own (ACLs, ownership, grants) that are not decided here.

use std::fmt;

use crate::access::principals::{self, Named};
use crate::access::request::{Caller, Request};
use crate::aws::AccountId;
use crate::finding::{Decision, Step, StepEffect};
use crate::policy::condition::{self, Context, Tri};
use crate::policy::template::Match;
use crate::policy::{Effect, Entries, Policy, Statement};

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
}

/// The decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Each statement that counts and each Allow that is missing.
    pub steps: Vec<Step>,
    /// The condition keys and facts it depends on; empty unless it is conditional.
    pub depends_on: Vec<String>,
}

/// Decides a request.
pub fn decide(request: &Request, policies: &Policies<'_>) -> Decision {
    Evaluation { request, policies, notes: None }.decide()
}

/// Decides a request and says why.
pub fn explain(request: &Request, policies: &Policies<'_>) -> Explanation {
    let mut evaluation = Evaluation { request, policies, notes: Some(Notes::default()) };
    let decision = evaluation.decide();
    let notes = evaluation.notes.unwrap_or_default();
    let mut depends_on = notes.depends_on;
    if decision != Decision::Conditional {
        depends_on.clear();
    }
    depends_on.sort_unstable();
    depends_on.dedup();
    let keep = |step: &Step| match decision {
        // Without a place it is what others can grant, not a statement that hangs on something.
        Decision::Allowed => {
            step.effect == StepEffect::Allows || (step.effect == StepEffect::If && step.span.is_none())
        }
        Decision::ExplicitDeny => step.effect == StepEffect::Denies,
        Decision::ImplicitDeny => matches!(step.effect, StepEffect::Allows | StepEffect::Missing),
        Decision::Conditional => true,
    };
    let steps = notes.steps.into_iter().filter(keep).collect();
    Explanation { decision, steps, depends_on }
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
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

#[derive(Debug, Default)]
struct Notes {
    steps: Vec<Step>,
    depends_on: Vec<String>,
}

struct Evaluation<'e> {
    request: &'e Request,
    policies: &'e Policies<'e>,
    notes: Option<Notes>,
}

impl Evaluation<'_> {
    fn decide(&mut self) -> Decision {
        let denied = self.denied();
        if denied == Tri::True {
            return Decision::ExplicitDeny;
        }
        let allowed = self.ceilings().and(self.allowed());
        match (allowed, denied) {
            (Tri::False, _) => Decision::ImplicitDeny,
            (Tri::True, Tri::False) => Decision::Allowed,
            _ => Decision::Conditional,
        }
    }

    /// The sweep for Deny statements, over every policy that applies.
    fn denied(&mut self) -> Tri {
        let Policies { identity, resource, boundary, session, endpoint, scp, rcp, .. } = *self.policies;
        let mut denied = Tri::False;
        let sides = [identity, resource, boundary, session, endpoint];
        for side in sides {
            if let Side::Policies(policies) = side {
                denied = denied.or(self.deny_by(policies));
            }
        }
        for level in if self.scp_applies() { scp } else { &[] } {
            denied = denied.or(self.deny_by(level));
        }
        for level in if self.rcp_applies() { rcp } else { &[] } {
            denied = denied.or(self.deny_by(level));
        }
        denied
    }

    fn deny_by(&mut self, policies: &[&Policy]) -> Tri {
        let mut denied = Tri::False;
        for policy in policies {
            for statement in policy.denies() {
                let here = self.deny(statement);
                if here != Tri::False {
                    self.note_deny(policy, statement, here);
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
                allowed = allowed.and(self.need(here, Authority::Scp));
            }
        }
        allowed.and(self.limit(self.policies.endpoint, Authority::Endpoint))
    }

    fn allowed(&mut self) -> Tri {
        let caller = &self.request.caller;
        let named = self.side(self.policies.resource, Authority::Resource);
        let Some(account) = caller.account() else { return self.need(named.direct, Authority::Resource) };
        let own = self.own_account_allows();
        let same = self.same_account(named, own);
        let across = named.any().and(own);
        match self.request.resource_account {
            Some(owner) if owner == account => self.need(same, self.lacking(named)),
            Some(_) => self.need(across, self.lacking(named)),
            None if same == across => same,
            None => {
                self.depend("the account that owns the resource");
                Tri::Unknown
            }
        }
    }

    /// Whether the caller's own account lets it: identity policy within boundary and session policy.
    fn own_account_allows(&mut self) -> Tri {
        if matches!(self.request.caller, Caller::Root(_)) {
            return Tri::from(!self.root_assumes());
        }
        self.side(self.policies.identity, Authority::Identity).any().and(self.limits())
    }

    /// A root user can not call AssumeRole, whoever trusts it (STS API Reference, AssumeRole).
    fn root_assumes(&self) -> bool {
        self.request.action.is("sts:AssumeRole") && matches!(self.request.caller, Caller::Root(_))
    }

    fn limits(&mut self) -> Tri {
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
        let limited = named.role.or(named.user_session).and(self.limits());
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
                self.need(met, authority)
            }
        }
    }

    fn allow_by(&mut self, policies: &[&Policy], authority: Authority) -> Named {
        let mut named = Named::NOT;
        for policy in policies {
            for statement in policy.allows() {
                let here = self.allow(statement, authority);
                if here != Named::NOT {
                    self.note_allow(policy, statement, here.any());
                }
                named = named.or(here);
            }
        }
        named
    }

    fn allow(&mut self, statement: &Statement, authority: Authority) -> Named {
        match self.names(statement, authority) {
            Named::NOT => Named::NOT,
            named => named.and(self.conditions(statement)),
        }
    }

    /// Whom an Allow statement names, whatever its conditions.
    fn names(&self, statement: &Statement, authority: Authority) -> Named {
        let body = self.body(statement);
        if body == Tri::False {
            return Named::NOT;
        }
        let named = match (&statement.principals, authority) {
            (Some(principals), Authority::Resource | Authority::Endpoint) => {
                principals::allowed_by(principals, &self.request.caller, self.policies.canonical)
            }
            _ => Named { direct: Tri::True, ..Named::NOT },
        };
        if named == Named::NOT { named } else { named.and(body) }
    }

    fn deny(&mut self, statement: &Statement) -> Tri {
        let met = self.denies(statement);
        if met == Tri::False { met } else { met.and(self.conditions(statement)) }
    }

    /// Whether a Deny statement is about the request, whatever its conditions.
    fn denies(&self, statement: &Statement) -> Tri {
        let mut met = self.body(statement);
        if met != Tri::False
            && let Some(principals) = &statement.principals
        {
            let has_boundary = match self.policies.boundary {
                Side::None => Tri::False,
                Side::Policies(_) => Tri::True,
                Side::Unknown(_) | Side::Granted(_) => Tri::Unknown,
            };
            let canonical = self.policies.canonical;
            met = met.and(principals::denied_by(principals, &self.request.caller, canonical, has_boundary));
        }
        met
    }

    /// Action and resource of a statement, and whether it counts for certain.
    fn body(&self, statement: &Statement) -> Tri {
        let certain = if statement.ambiguous.is_some() { Tri::Unknown } else { Tri::True };
        if !statement.covers_action(self.request.action.as_str()) {
            return Tri::False;
        }
        // A trust policy has no resource: it speaks of its own role.
        certain.and(statement.resources.as_ref().map_or(Tri::True, |resources| self.resource(resources)))
    }

    fn resource(&self, resources: &Entries) -> Tri {
        let mut listed = Tri::False;
        for item in &resources.items {
            match item.matches_arn(&self.request.resource, &|variable| self.request.variable(variable)) {
                Match::Yes => listed = Tri::True,
                Match::Unknown => listed = listed.or(Tri::Unknown),
                // A `NotResource` with a variable that has no value applies to nothing.
                Match::NoValue if resources.negated => return Tri::False,
                Match::No | Match::NoValue => {}
            }
        }
        if resources.negated { !listed } else { listed }
    }

    fn conditions(&mut self, statement: &Statement) -> Tri {
        let mut met = Tri::True;
        for clause in &statement.conditions {
            met = met.and(condition::holds(clause, statement.effect, self.request));
            if met == Tri::False {
                return met;
            }
        }
        if met == Tri::Unknown {
            for clause in &statement.conditions {
                if condition::holds(clause, statement.effect, self.request) == Tri::Unknown {
                    self.depend(&clause.written_key);
                }
            }
        }
        met
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
            && !self.request.caller.is_service_linked()
            && (self.request.resource_account.is_none() || self.request.resource_account != self.policies.management)
    }

    /// Which side is to blame where nothing allows.
    fn lacking(&self, named: Named) -> Authority {
        let cross = self.request.resource_account != self.request.caller.account();
        if named.any() == Tri::False && (cross || needs_resource_policy(self.request)) {
            Authority::Resource
        } else {
            Authority::Identity
        }
    }

    fn need(&mut self, met: Tri, authority: Authority) -> Tri {
        if met == Tri::False {
            let request = self.request;
            let message = || format!("no statement of the {authority} allows `{}` here", request.action);
            self.step(StepEffect::Missing, message, None);
        }
        met
    }

    fn depend(&mut self, on: &str) {
        if let Some(notes) = &mut self.notes {
            notes.depends_on.push(on.to_owned());
        }
    }

    fn step(&mut self, effect: StepEffect, message: impl FnOnce() -> String, span: Option<crate::text::Span>) {
        if let Some(notes) = &mut self.notes {
            let step = Step { effect, message: message(), span };
            if !notes.steps.contains(&step) {
                notes.steps.push(step);
            }
        }
    }

    fn note_allow(&mut self, policy: &Policy, statement: &Statement, met: Tri) {
        let effect = if met == Tri::True { StepEffect::Allows } else { StepEffect::If };
        self.step(effect, || format!("{} allows it", title(policy, statement)), Some(statement.span));
    }

    fn note_deny(&mut self, policy: &Policy, statement: &Statement, met: Tri) {
        let effect = if met == Tri::True { StepEffect::Denies } else { StepEffect::Unless };
        self.step(effect, || format!("{} denies it", title(policy, statement)), Some(statement.span));
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

/// `statement 2 (Sid) of the bucket policy`.
fn title(policy: &Policy, statement: &Statement) -> String {
    let number = statement.index + 1;
    match statement.sid_text() {
        Some(sid) => format!("statement {number} (`{sid}`) of the {}", policy.kind.title()),
        None => format!("statement {number} of the {}", policy.kind.title()),
    }
}
