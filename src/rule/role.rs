//! A role under audit: its policies, who may assume it, whether it shares logs.

mod admission;

pub use admission::{Admission, Party, Who};

use std::sync::{Arc, OnceLock};

use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given};
use crate::access::search::{ANY_SESSION, Answer, Question};
use crate::access::sts::{ExternalId, Trust, better};
use crate::aws::{AccountId, Arn, managed};
use crate::estate::{Estate, Gap, ManagedText, NamedBy, Role};
use crate::finding::{Subject, SubjectKind};
use crate::model::Class;
use crate::policy::pattern::has_wildcard;
use crate::policy::{Policy, Principal, Statement};
use crate::rule::context::Context;
use crate::text::Span;

/// A role and all that can be known of its policies.
#[derive(Debug)]
pub struct RoleView<'a> {
    /// The role.
    pub role: &'a Role,
    /// What findings call it.
    pub subject: Arc<Subject>,
    /// Its trust policy; absent can not be.
    pub trust: Result<Arc<Policy>, Gap>,
    /// Its permissions policies, as far as they are known.
    pub policies: Vec<RolePolicy>,
    /// The permissions that are not known.
    pub missing: Vec<Gap>,
    admissions: OnceLock<Vec<Admission>>,
    admitted: OnceLock<Vec<Admitted>>,
    reads_logs: OnceLock<Option<bool>>,
    sharing: OnceLock<bool>,
}

/// One permissions policy of a role.
#[derive(Debug, Clone)]
pub struct RolePolicy {
    /// The policy; the places of one that AWS manages and no input holds mean nothing.
    pub policy: Arc<Policy>,
    /// Where it comes from.
    pub origin: Origin,
    /// Where it would be mended: the inline document, or the place that attaches it.
    pub span: Span,
}

/// Where a permissions policy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The role itself, under this name.
    Inline(Option<CompactString>),
    /// A managed policy whose text is in the inputs.
    Managed(CompactString),
    /// An AWS managed policy whose text ships with the tool.
    BuiltIn(managed::ManagedPolicy),
}

/// An account that can assume a role.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The account; `None` stands for any account there is.
    pub account: Option<AccountId>,
    /// How, with its administrators
    /// willing.
    pub answer: Answer,
}

impl<'a> RoleView<'a> {
    /// Reads a role's policies.
    pub fn new(estate: &'a Estate, role: &'a Role) -> Self {
        let mut view = RoleView::of_trust(estate, role);
        view.read_permissions(estate);
        view
    }

    /// Reads the policies of a role that [may be shared](RoleView::may_be_shared), and those of others no further than it
    /// takes to see that they are not.
    pub fn shared(estate: &'a Estate, role: &'a Role) -> Option<Self> {
        if role.trust.present().is_some_and(|document| !document.may_let_accounts_in(&estate.sources)) {
            return None;
        }
        let mut view = RoleView::of_trust(estate, role);
        if !view.may_be_shared() {
            return None;
        }
        view.read_permissions(estate);
        Some(view)
    }

    fn of_trust(estate: &'a Estate, role: &'a Role) -> Self {
        let trust = role.trust.get().and_then(|document| {
            let none = || Gap::not_collected("role.trust-policy");
            document.map(|d| d.policy(&estate.sources)).ok_or_else(none)
        });
        let trust = trust.and_then(|policy| readable("role.trust-policy", policy));
        RoleView {
            role,
            subject: role_subject(estate, role).into(),
            trust,
            policies: Vec::new(),
            missing: Vec::new(),
            admissions: OnceLock::new(),
            admitted: OnceLock::new(),
            reads_logs: OnceLock::new(),
            sharing: OnceLock::new(),
        }
    }

    fn read_permissions(&mut self, estate: &Estate) {
        let permissions = &self.role.permissions;
        let unknown = [permissions.inline.is_unknown(), permissions.attached.is_unknown()];
        self.missing.reserve_exact(unknown.into_iter().filter(|unknown| *unknown).count());
        match permissions.inline.get() {
            Ok(inline) => {
                self.policies.reserve_exact(inline.map_or(0, Vec::len));
                for one in inline.into_iter().flatten() {
                    match one.document.get() {
                        Ok(Some(document)) => {
                            match readable("role.inline-policies", document.policy(&estate.sources)) {
                                Ok(policy) => self.policies.push(RolePolicy {
                                    policy,
                                    origin: Origin::Inline(one.name.clone()),
                                    span: document.span,
                                }),
                                Err(gap) => self.missing.push(gap),
                            }
                        }
                        Ok(None) => {}
                        Err(gap) => self.missing.push(gap),
                    }
                }
            }
            Err(gap) => self.missing.push(gap),
        }
        match permissions.attached.get() {
            Ok(attached) => {
                self.policies.reserve_exact(attached.map_or(0, Vec::len));
                for arn in attached.into_iter().flatten() {
                    let text = estate.managed_text(&arn.value).map(|text| match text {
                        ManagedText::Own(policy) => (policy, Origin::Managed(arn.value.clone())),
                        ManagedText::BuiltIn(policy, built_in) => (policy, Origin::BuiltIn(built_in)),
                    });
                    match text {
                        Some((policy, origin)) => match readable("role.attached-policies", policy) {
                            Ok(policy) => self.policies.push(RolePolicy { policy, origin, span: arn.span }),
                            Err(gap) => self.missing.push(gap),
                        },
                        None => self.missing.push(
                            Gap::new(
                                "role.attached-policies",
                                format!("the text of `{}` is not in the inputs", arn.value),
                            )
                            .at([arn.span]),
                        ),
                    }
                }
            }
            Err(gap) => self.missing.push(gap),
        }
    }

    /// Its ARN, or one that stands for it where it is not known: without an account, where its own is not.
    pub fn arn(&self) -> String {
        let stand_in = || {
            let name = match self.role.named_by {
                NamedBy::Nothing => "trailproof-unnamed-role",
                _ => self.role.name.as_str(),
            };
            let account = self.role.account.map_or_else(String::new, |account| account.to_string());
            ["arn:", self.partition(), ":iam::", &account, ":role/", name].concat()
        };
        self.role.arn().unwrap_or_else(stand_in)
    }

    /// The partition of its resources: that of its ARN, or where that is not known, the first that its policies name.
    pub fn partition(&self) -> &str {
        // An ARN that was read says `aws` only where its policies do.
        if self.role.partition != "aws" {
            return &self.role.partition;
        }
        let resources =
            self.policies.iter().flat_map(|policy| policy.policy.allows()).filter_map(|s| s.resources.as_ref());
        let arns = resources.flat_map(|resources| &resources.items).filter_map(|item| Arn::parse(item.raw()));
        arns.map(|arn| arn.partition).find(|partition| !has_wildcard(partition)).unwrap_or("aws")
    }

    /// The trust policy.
    ///
    /// # Errors
    /// The gap, where it is not known.
    pub fn trust(&self) -> Result<&Policy, Gap> {
        self.trust.as_deref().map_err(Clone::clone)
    }

    /// Whether its trust policy names anyone but AWS services and its own account: a quick look that decides nothing.
    pub fn may_be_shared(&self) -> bool {
        let Ok(trust) = &self.trust else { return true };
        if trust.has_invalid_statement() {
            return true;
        }
        trust.allows().filter_map(|s| s.principals.as_ref()).any(|principals| {
            principals.negated
                || principals.entries.iter().any(|entry| match &entry.principal {
                    Principal::Service(_) | Principal::Federated(_) | Principal::UniqueId(_) => false,
                    other => other.account().is_none() || other.account() != self.role.account,
                })
        })
    }

    /// Whether a principal of this party can do `action` on this role with this external ID; an unknown trust policy
    /// lets nobody in here (its gap is for the caller to report).
    pub fn admits(
        &self,
        context: &Context<'_>,
        allowance: &Allowance,
        party: &Party,
        action: &str,
        external_id: ExternalId<'_>,
        fixed: &[(&str, Given)],
    ) -> Answer {
        self.with_trust(context, allowance, |trust| {
            trust.admits(party.account, &party.membership, action, external_id, fixed)
        })
    }

    /// Whether one of these principals of one party can assume this role, its administrators willing.
    pub fn admits_any_of(
        &self,
        context: &Context<'_>,
        allowance: &Allowance,
        party: &Party,
        callers: Vec<Caller>,
        external_id: ExternalId,
        fixed: &[(&str, Given)],
    ) -> Answer {
        self.with_trust(context, allowance, |trust| {
            trust.admits_any_of(callers, &party.membership, "sts:AssumeRole", external_id, fixed)
        })
    }

    /// Whether a service or a provider's caller can do `action` on this role.
    pub fn admits_caller(
        &self,
        context: &Context<'_>,
        allowance: &Allowance,
        caller: Caller,
        action: &str,
        fixed: &[(&str, Given)],
    ) -> Answer {
        self.with_trust(context, allowance, |trust| trust.admits_caller(caller, action, fixed))
    }

    fn with_trust(
        &self,
        context: &Context<'_>,
        allowance: &Allowance,
        ask: impl FnOnce(Trust<'_>) -> Answer,
    ) -> Answer {
        let Ok(policy) = self.trust.as_deref() else { return Answer::No };
        self.with_policy(context, allowance, policy, ask)
    }

    fn with_policy(
        &self,
        context: &Context<'_>,
        allowance: &Allowance,
        policy: &Policy,
        ask: impl FnOnce(Trust<'_>) -> Answer,
    ) -> Answer {
        let rcp = context.rcp(self.role.account);
        let rcp = [rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        let organization = context.model.organization_id().map(|organization| organization.id.as_str());
        let (role, account) = (&self.arn(), self.role.account);
        ask(Trust { role, account, policy, rcp: &rcp, scp: &[], organization, allowance })
    }

    /// The accounts other than its own that can assume it, with whatever external ID; any account there is comes first.
    pub fn admitted(&self, context: &Context<'_>) -> &[Admitted] {
        self.admitted.get_or_init(|| self.joined(context))
    }

    /// Whether it is a sharing role: another account, or anyone, can assume it, and it can read, list or decrypt logs,
    /// or what it can do is not known.
    pub fn is_sharing(&self, context: &Context<'_>) -> bool {
        *self.sharing.get_or_init(|| {
            self.may_be_shared()
                && self.reads_logs(context) != Some(false)
                && (!self.knows_trust() || !self.admissions(context).is_empty())
        })
    }

    /// Whether all of its trust policy is known.
    pub fn knows_trust(&self) -> bool {
        self.trust.as_ref().is_ok_and(|policy| !policy.has_invalid_statement())
    }

    /// Whether it can read, list or decrypt logs: by its own policies (any S3 object, where no log bucket is known), or
    /// because the policy of a log bucket or log key names it. `None` where that is not known.
    pub fn reads_logs(&self, context: &Context<'_>) -> Option<bool> {
        *self.reads_logs.get_or_init(|| {
            let buckets = context.log_bucket_arns();
            let reads = match buckets.is_empty() {
                true => self.may_read("arn:*:s3:::*"),
                false => buckets.iter().any(|arn| self.may_read(arn)),
            };
            self.or_unknown(reads || self.may_decrypt(context) || context.log_policies_name(self.role))
        })
    }

    /// Whether it can read or list a bucket, by its ARN; `None` where that is not known.
    pub fn reads_bucket(&self, arn: &str) -> Option<bool> {
        self.or_unknown(self.may_read(arn))
    }

    fn may_read(&self, arn: &str) -> bool {
        self.may("s3:GetObject", &format!("{arn}/*")) || self.may("s3:ListBucket", arn)
    }

    fn may_decrypt(&self, context: &Context<'_>) -> bool {
        let keys = context.estate.keys.iter().filter(|key| context.model.is_log_key(key).is_log_key());
        keys.filter_map(|key| key.arn.as_deref()).any(|arn| self.may("kms:Decrypt", arn))
    }

    /// What was not seen is certain only where all permissions are known.
    fn or_unknown(&self, seen: bool) -> Option<bool> {
        (seen || self.missing.is_empty()).then_some(seen)
    }

    /// Whether some Allow of its own policies covers the action on a resource that `resource` (a pattern) matches, no
    /// Deny or boundary looked at.
    fn may(&self, action: &str, resource: &str) -> bool {
        self.policies.iter().flat_map(|p| p.policy.allows()).any(|statement| {
            statement.covers_action(action)
                && statement.resources.as_ref().is_some_and(|resources| {
                    resources.negated
                        || resources.items.iter().any(|r| crate::access::pattern_set::arns_overlap(r.raw(), resource))
                })
        })
    }

    /// Whether its own policies let a session of it do this; what a caller can arrange is arranged.
    ///
    /// # Errors
    /// The first of its permissions that is not known, where that decides.
    pub fn can(&self, action: &str, resource: &str, resource_account: Option<AccountId>) -> Result<Answer, Gap> {
        let Some(account) = self.role.account.or(resource_account) else {
            return Err(Gap::not_collected("role.account"));
        };
        let policies: Vec<&Policy> = self.policies.iter().map(|p| p.policy.as_ref()).collect();
        let name = self.role.path.as_deref().unwrap_or("/").trim_start_matches('/');
        let question = Question {
            callers: vec![Caller::Session(
                account,
                format!("{name}{}", self.role.name).into(),
                Some(ANY_SESSION.into()),
            )],
            action,
            resource: resource.into(),
            resource_account: resource_account.or(Some(account)),
            policies: Policies { identity: Side::Policies(&policies), ..Policies::default() },
            fixed: Vec::new(),
        };
        let answer = better(Answer::No, question.ask(&Allowance::of_rule()));
        match (&answer, self.missing.first()) {
            (Answer::Yes(_), _) | (_, None) => Ok(answer),
            (_, Some(gap)) => Err(gap.clone()),
        }
    }

    /// The level a finding about a third party starts at: one less where the account may turn out to be a member.
    pub fn is_certain_outsider(context: &Context<'_>, account: AccountId) -> bool {
        match context.model.class(account) {
            Class::Undeclared => context.model.members_are_complete(),
            _ => true,
        }
    }
}

/// A policy, unless nothing of it can be read.
fn readable(fact: &'static str, policy: Arc<Policy>) -> Result<Arc<Policy>, Gap> {
    match policy.unreadable() {
        Some(problem) => Err(Gap::new(fact, format!("it can not be evaluated: {}", problem.kind)).at([problem.span])),
        None => Ok(policy),
    }
}

/// The roles that a statement names by themselves, account and name without path.
pub(super) fn named_roles(statement: &Statement) -> Vec<(AccountId, CompactString)> {
    let principals = statement.principals.iter().filter(|p| !p.negated).flat_map(|p| &p.entries);
    let mut named: Vec<(AccountId, &str)> = Vec::new();
    named.extend(principals.filter_map(|entry| match &entry.principal {
        Principal::Role(account, name) | Principal::Session(account, name, _) => Some((*account, name.as_str())),
        _ => None,
    }));
    let conditions = statement.conditions.iter().filter(|clause| clause.key.is("aws:PrincipalArn"));
    named.extend(conditions.flat_map(|clause| &clause.values).filter_map(|value| {
        let arn = Arn::parse(value.template.raw())?;
        Some((arn.account_id()?, arn.resource_of("role")?))
    }));
    let last = |name: &str| name.rsplit('/').next().unwrap_or(name).into();
    named.into_iter().map(|(account, name)| (account, last(name))).collect()
}

/// What findings call a role.
pub fn role_subject(estate: &Estate, role: &Role) -> Subject {
    let arn = role.arn();
    let file = arn.is_none().then(|| estate.sources.name(role.span.source).to_owned());
    let name = if role.named_by == NamedBy::Nothing { file.clone().unwrap_or_default() } else { role.name.to_string() };
    Subject { kind: SubjectKind::Role, arn, account: role.account, name, file }
}
