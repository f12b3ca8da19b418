//! Puts requests of a role's session to the evaluator.

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given};
use crate::access::search::{ANY_SESSION, Answer, Question};
use crate::access::sts::{Membership, better};
use crate::aws::{AccountId, Arn};
use crate::estate::Bucket;
use crate::policy::pattern::{Case, matches};
use crate::policy::{Entries, Policy, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::rules::shared::permissions::{Limits, alone};

use super::targets::{Place, Target, account_of};

/// Asks whether one statement of a role's policies lets it do things, within its limits.
pub(super) struct Asker<'s, 'c, 'r> {
    context: &'s Context<'c>,
    pub(super) allowance: &'s Allowance,
    role: &'s RoleView<'r>,
    statement: &'s Statement,
    limits: &'s Limits,
}

impl<'s, 'c, 'r> Asker<'s, 'c, 'r> {
    pub(super) fn new(
        context: &'s Context<'c>,
        allowance: &'s Allowance,
        role: &'s RoleView<'r>,
        statement: &'s Statement,
        limits: &'s Limits,
    ) -> Self {
        Asker { context, allowance, role, statement, limits }
    }

    /// Whether a session of the role can do this.
    pub(super) fn ask(&self, action: &str, target: &Target) -> Answer {
        let policy = alone(&self.slim(action));
        let identity: Vec<&Policy> = std::iter::once(&policy).chain(&self.limits.denies).collect();
        let account = account_of(self.role);
        let bucket = self.bucket(target);
        let of_bucket = bucket.and_then(|bucket| bucket.policy.present()).map(|document| self.context.policy(document));
        let owner = bucket.and_then(|bucket| bucket.account.present()).copied();
        let is_foreign = owner.is_some_and(|owner| owner != account);
        let given = match (&of_bucket, is_foreign) {
            (Some(policy), true) => Some(Policy::clone(policy)),
            // The bucket's own Allow statements are not what this policy grants.
            (Some(policy), false) => Some(without_allows(policy)),
            (None, _) => None,
        };
        let given: Vec<&Policy> = given.iter().collect();
        let decides_itself = action.starts_with("kms:") || action.starts_with("sts:");
        let (resource, resource_account) = match (given.is_empty(), is_foreign, decides_itself) {
            // As if from another account, so that what the role's own policy says is needed, and enough.
            (_, _, true) => {
                (Side::Granted("the policy of the resource can allow it"), Some(AccountId::other_than([account])))
            }
            (true, true, _) => (Side::Granted("the policy of the bucket can allow it"), owner),
            (true, false, _) => (Side::None, Some(account)),
            (false, true, _) => (Side::Policies(&given), owner),
            (false, false, _) => (Side::Policies(&given), Some(account)),
        };
        let answer = self.limits.with_boundary(|boundary| {
            let policies = Policies { identity: Side::Policies(&identity), resource, boundary, ..Policies::default() };
            let question = Question {
                callers: vec![self.caller(account)],
                action,
                resource: target.arn.as_str().into(),
                resource_account,
                policies,
                fixed: self.fixed(account, target),
            };
            better(Answer::No, question.ask(self.allowance))
        });
        match self.role.role.account {
            Some(_) => answer,
            None => without_account(answer, account),
        }
    }

    fn caller(&self, account: AccountId) -> Caller {
        let path = self.role.role.path.as_deref().unwrap_or("/").trim_start_matches('/');
        Caller::Session(account, format!("{path}{}", self.role.role.name).into(), Some(ANY_SESSION.into()))
    }

    /// The statement with no more of its actions than cover this one: AWS's own policies list thousands.
    fn slim(&self, action: &str) -> Statement {
        let statement = self.statement;
        let actions = statement.actions.as_ref().map(|actions| {
            let covers = |raw: &str| actions.negated || matches(raw, action, Case::Insensitive);
            let items = actions.items.iter().filter(|item| covers(item.raw())).cloned().collect();
            Entries { negated: actions.negated, key_span: actions.key_span, span: actions.span, items }
        });
        Statement {
            index: statement.index,
            span: statement.span,
            sid: statement.sid.clone(),
            effect: statement.effect,
            effect_span: statement.effect_span,
            principals: statement.principals.clone(),
            actions,
            resources: statement.resources.clone(),
            conditions: statement.conditions.clone(),
            condition_span: statement.condition_span,
            standing: statement.standing,
            ambiguous: statement.ambiguous,
        }
    }

    fn bucket(&self, target: &Target) -> Option<&'s Bucket> {
        let name = Arn::parse(&target.arn)?.bucket()?;
        self.context.estate.buckets.iter().find(|bucket| bucket.name == name && bucket.arn().is_some())
    }

    /// What the request has beside what its caller chooses: the organization of the role and of what lies beside it; no
    /// encryption context of a log, where any key is tried.
    fn fixed(&self, account: AccountId, target: &Target) -> Vec<(compact_str::CompactString, Given)> {
        let membership = self.context.membership(account);
        let organization = match &membership {
            Membership::In(id) => Given::Values(vec![id.clone()]),
            _ => Given::Present,
        };
        let mut fixed = membership.keys().into_iter().next().unwrap_or_default();
        let statements = self.limits.denies.iter().flat_map(|policy| &policy.statements).chain([self.statement]);
        let asks = |name: &str| statements.clone().flat_map(|s| &s.conditions).any(|clause| clause.key.is(name));
        for (key, given) in [("aws:ResourceOrgID", organization), ("aws:ResourceOrgPaths", Given::Present)] {
            if asks(key) {
                fixed.push((key.into(), given));
            }
        }
        if target.place == Place::AnyKey {
            let keys = self.statement.conditions.iter().map(|clause| &clause.key);
            let context = keys.filter(|key| key.starts_with("kms:EncryptionContext"));
            fixed.extend(context.map(|key| (key.as_str().into(), Given::Absent)));
        }
        fixed
    }
}

/// Shows no account as the caller's where none is known.
fn without_account(mut answer: Answer, stand_in: AccountId) -> Answer {
    if let Answer::Yes(found) | Answer::If(found) = &mut answer {
        found.witness.principal = found.witness.principal.replace(stand_in.as_str(), "");
    }
    answer
}

fn without_allows(policy: &Policy) -> Policy {
    let mut denies = Policy::empty(policy.kind, policy.span);
    denies.statements = policy.denies().cloned().collect();
    denies
}
