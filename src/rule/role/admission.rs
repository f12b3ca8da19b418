//! Whom each Allow statement of a trust policy lets in.
//!
//! Statements of one effect add up, so each is asked about alone, beside all Deny statements: a finding can then name the
//! statement that has to be mended, and a second one behind it is not overlooked.

use std::fmt;
use std::sync::{Arc, OnceLock};

use compact_str::CompactString;

use super::RoleView;
use crate::access::allowance::Allowance;
use crate::access::search::Answer;
use crate::access::sts::{
    ExternalId, Membership, meant_accounts, named_accounts, names_everyone, organizations, strangers,
};
use crate::aws::AccountId;
use crate::policy::{Effect, Policy, Statement};
use crate::rule::context::Context;

/// Whom a statement lets in; never the role's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Any account there is.
    Anyone,
    /// Any account whose ID this pattern matches.
    AnyoneLike(CompactString),
    /// Any account of the estate's organization.
    AnyMember,
    /// Any account of this other organization.
    AnyOf(CompactString),
    /// This account.
    Account(AccountId),
}

impl Who {
    /// The account that is meant by itself.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Who::Account(account) => Some(*account),
            _ => None,
        }
    }

    /// Whether accounts are meant that nobody chose.
    pub fn is_public(&self) -> bool {
        matches!(self, Who::Anyone | Who::AnyoneLike(_))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Anyone => f.write_str("*"),
            Who::AnyoneLike(text) | Who::AnyOf(text) => f.write_str(text),
            Who::AnyMember => f.write_str("organization"),
            Who::Account(account) => account.fmt(f),
        }
    }
}

/// One Allow statement of a trust policy and someone it lets assume the role.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The statement.
    pub statement: Arc<Statement>,
    /// Whom it lets in.
    pub who: Who,
    /// How, with whatever external ID lets them in.
    pub answer: Answer,
    /// The statement and all Deny statements of its policy.
    pub policy: Arc<Policy>,
    /// The account that was asked about: itself, or one that stands for all that are meant.
    account: AccountId,
    membership: Membership,
    without: OnceLock<Answer>,
    guessed: OnceLock<Answer>,
}

impl Admission {
    /// The account that is meant by itself.
    pub fn account(&self) -> Option<AccountId> {
        self.who.account()
    }
}

/// An account, or one that stands for all that are meant, and what is known of its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Who is meant.
    pub who: Who,
    /// The account to ask about.
    pub account: AccountId,
    /// Its organization.
    pub membership: Membership,
}

impl Party {
    /// An account that is meant by itself.
    pub fn account(context: &Context<'_>, account: AccountId) -> Self {
        Party { who: Who::Account(account), account, membership: context.membership(account) }
    }
}

impl RoleView<'_> {
    /// Everyone outside its own account whom some statement of its trust policy lets in, each once.
    pub fn parties(&self, context: &Context<'_>) -> Vec<Party> {
        let mut parties: Vec<Party> = Vec::new();
        for one in self.admissions(context) {
            if !parties.iter().any(|party| party.who == one.who) {
                let (who, membership) = (one.who.clone(), one.membership.clone());
                parties.push(Party { who, account: one.account, membership });
            }
        }
        parties
    }

    /// Everyone outside its own account whom an Allow statement of its trust policy lets assume it, with whatever
    /// external ID; statement by statement.
    ///
    /// Asked for are the accounts that a statement names, and where it takes in everyone, the members of the
    /// organization, one account of each organization that it names and one that nobody names.
    pub fn admissions(&self, context: &Context<'_>) -> &[Admission] {
        self.admissions.get_or_init(|| {
            let Ok(trust) = &self.trust else { return Vec::new() };
            let allowance = Allowance::of_rule();
            let mut admissions = Vec::new();
            for statement in trust.allows() {
                let candidates = self.candidates(context, trust, statement);
                if candidates.is_empty() {
                    continue;
                }
                let policy = alone(trust, statement);
                let statement = Arc::new(statement.clone());
                for (who, account, membership) in candidates {
                    let admission = Admission {
                        statement: Arc::clone(&statement),
                        who,
                        answer: Answer::No,
                        policy: Arc::clone(&policy),
                        account,
                        membership,
                        without: OnceLock::new(),
                        guessed: OnceLock::new(),
                    };
                    let answer = self.with_external_id(context, &allowance, &admission, ExternalId::Any);
                    if answer != Answer::No {
                        admissions.push(Admission { answer, ..admission });
                    }
                }
            }
            admissions
        })
    }

    /// Whom to ask about for one statement.
    fn candidates(
        &self,
        context: &Context<'_>,
        trust: &Policy,
        statement: &Statement,
    ) -> Vec<(Who, AccountId, Membership)> {
        let mut accounts = meant_accounts(trust, statement);
        let mut candidates = Vec::new();
        if names_everyone(statement) {
            let mut taken: Vec<AccountId> = trust.effective().flat_map(named_accounts).collect();
            taken.extend(context.model.known_accounts().into_iter().chain(self.role.account));
            accounts.extend(context.model.members());
            accounts.sort_unstable();
            accounts.dedup();
            // A Deny may spare whom no Allow names.
            let of_denies = trust.denies().flat_map(|deny| strangers(deny, &taken)).filter(|(like, _)| like.is_some());
            for (pattern, account) in strangers(statement, &taken).into_iter().chain(of_denies) {
                let who = pattern.map_or(Who::Anyone, Who::AnyoneLike);
                candidates.push((who, account, Membership::Outside));
            }
            let other = AccountId::other_than(taken);
            let own = context.model.organization_id().map(|organization| &organization.id);
            let member = own.map_or(Membership::InUnknown, |id| Membership::In(id.clone()));
            candidates.push((Who::AnyMember, other, member));
            // Where the own organization is not known, one that is named may well be it.
            let named = own.map_or_else(Vec::new, |own| {
                trust.denies().chain([statement]).flat_map(|one| organizations(one, Some(own))).collect()
            });
            candidates.extend(named.into_iter().map(|id| (Who::AnyOf(id.clone()), other, Membership::In(id))));
        }
        accounts.retain(|account| Some(*account) != self.role.account);
        candidates.extend(accounts.into_iter().map(|a| (Who::Account(a), a, context.membership(a))));
        candidates
    }

    /// Whether an admission stands with this external ID.
    pub fn with_external_id(
        &self,
        context: &Context<'_>,
        allowance: &Allowance,
        one: &Admission,
        id: ExternalId<'_>,
    ) -> Answer {
        self.with_policy(context, allowance, &one.policy, |trust| {
            trust.admits(one.account, &one.membership, "sts:AssumeRole", id, &[])
        })
    }

    /// Whether an admission stands without any external ID.
    pub fn without_external_id<'v>(&self, context: &Context<'_>, one: &'v Admission) -> &'v Answer {
        if self.minds_no_external_id(context, one) {
            return &one.answer;
        }
        one.without.get_or_init(|| self.shared_answer(context, one, ExternalId::Absent))
    }

    /// Whether an admission stands with an external ID that nobody agreed on.
    pub fn with_guessed_external_id<'v>(&self, context: &Context<'_>, one: &'v Admission) -> &'v Answer {
        if self.minds_no_external_id(context, one) {
            return &one.answer;
        }
        one.guessed.get_or_init(|| self.shared_answer(context, one, ExternalId::Guessed))
    }

    /// An answer that is kept, whichever rule asks first: each admission has its part of an allowance.
    fn shared_answer(&self, context: &Context<'_>, one: &Admission, id: ExternalId<'_>) -> Answer {
        let allowance = Allowance::part_of_rule(self.admissions(context).len());
        self.with_external_id(context, &allowance, one, id)
    }

    /// Whether nothing that decides an admission looks at the external ID, so that it stands with any and without one.
    fn minds_no_external_id(&self, context: &Context<'_>, one: &Admission) -> bool {
        let names = |statement: &Statement| {
            let mut clauses = statement.conditions.iter();
            clauses.any(|clause| {
                let mut variables = clause.values.iter().flat_map(|value| value.template.variables());
                clause.key.is("sts:ExternalId") || variables.any(|variable| variable.key.is("sts:ExternalId"))
            })
        };
        let rcp = context.rcp(self.role.account);
        !std::iter::once(&one.policy).chain(&rcp).any(|policy| policy.effective().any(names))
    }

    /// Whether the statement of an admission lets in accounts that nobody chose.
    pub fn is_public(&self, context: &Context<'_>, one: &Admission) -> bool {
        let same = |other: &&Admission| other.statement.span == one.statement.span;
        self.admissions(context).iter().filter(same).any(|other| other.who.is_public())
    }

    /// The admissions joined over all statements, the best answer for each account; anyone comes first.
    pub(super) fn joined(&self, context: &Context<'_>) -> Vec<super::Admitted> {
        let mut joined: Vec<super::Admitted> = Vec::new();
        for admission in self.admissions(context) {
            let account = match &admission.who {
                Who::Anyone | Who::AnyoneLike(_) => None,
                Who::Account(account) => Some(*account),
                Who::AnyMember | Who::AnyOf(_) => continue,
            };
            match joined.iter_mut().find(|one| one.account == account) {
                Some(one) if admission.answer.rank() > one.answer.rank() => one.answer = admission.answer.clone(),
                Some(_) => {}
                None => joined.push(super::Admitted { account, answer: admission.answer.clone() }),
            }
        }
        joined.sort_by_key(|one| one.account);
        joined
    }
}

/// A policy that has one of its Allow statements and all its Deny statements.
fn alone(policy: &Arc<Policy>, statement: &Statement) -> Arc<Policy> {
    if policy.allows().count() == 1 {
        return Arc::clone(policy);
    }
    let kept = policy.statements.iter().filter(|one| one.effect == Effect::Deny || one.span == statement.span);
    let statements = kept.cloned().collect();
    Arc::new(Policy { version: policy.version, statements, ..Policy::empty(policy.kind, policy.span) })
}
