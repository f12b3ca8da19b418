//! Whether a statement that names everyone lets in someone whom its author did not mean: an unsigned caller, or a
//! principal of an account that no policy and no model names.
//!
//! The statement is evaluated with every Deny of its policy and without the other Allows, so that the answer is about
//! this statement. What an account can arrange (its principals' names and tags, its organization's ID being another)
//! is tried; the evaluator has the last word.

mod callers;
mod targets;

use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Found, Question};
use crate::access::sts::{named_accounts, names_everyone, strangers};
use crate::aws::{AccountId, Arn};
use crate::policy::{Clause, Effect, Policy, Statement};
use callers::Keys;
use targets::{keys_of_services, lacking};
pub use targets::{resources, told_apart};

/// Who gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outsider {
    /// Anyone, with an unsigned request.
    Anonymous,
    /// Any account, though it is in no organization.
    NoOrganization,
    /// Accounts of other organizations.
    OtherOrganization,
    /// Accounts that a wildcard in an account ID takes in beside those that are meant.
    OfPattern,
}

/// How an outsider gets through a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Passage {
    /// No outsider does.
    Closed,
    /// The search gave up.
    Undecided,
    /// This one does.
    Open(Outsider, Found),
    /// This one does if what it can not arrange is so.
    OpenIf(Outsider, Found),
}

/// A resource whose policy may name everyone.
#[derive(Debug, Clone, Copy)]
pub struct Guarded<'p> {
    /// Its policy.
    pub policy: &'p Policy,
    /// Its ARN: a bucket's or a key's.
    pub arn: &'p str,
    /// The account that owns it, where known.
    pub account: Option<AccountId>,
    /// The ID of the owner's organization, where known.
    pub organization: Option<&'p str>,
    /// An account that the model does not name.
    pub stranger: AccountId,
    /// The accounts that the model names.
    pub known: &'p [AccountId],
    /// The management account, which RCPs do not bind.
    pub management: Option<AccountId>,
    /// The RCPs of the owner's account, level by level; empty where there are none or they are not known.
    pub rcp: &'p [Vec<&'p Policy>],
    /// How much may be looked at.
    pub allowance: &'p Allowance,
}

impl Guarded<'_> {
    /// Whether an outsider gets through `statement`, an Allow of the policy; the most public outsider is named.
    pub fn passage(&self, statement: &Statement) -> Passage {
        let scene = Scene::new(self, statement);
        scene.first_through(scene.outsiders())
    }

    /// Whether a principal of an account in the organization `id`, that nobody names, gets through `statement`.
    pub fn passage_from(&self, id: &str, statement: &Statement) -> Passage {
        let scene = Scene::new(self, statement);
        scene.first_through(scene.members_of(id))
    }
}

/// Whether a statement is an Allow that takes in everyone before its conditions.
pub fn is_for_everyone(statement: &Statement) -> bool {
    statement.effect == Effect::Allow && names_everyone(statement)
}

/// Actions, each with a resource.
type Requests = Vec<(String, CompactString)>;

/// One statement, with all that may deny what it allows.
struct Scene<'g> {
    guarded: &'g Guarded<'g>,
    statement: &'g Statement,
    /// The policy with every Deny and of the Allows only this one.
    narrowed: Policy,
    stranger: AccountId,
    /// Accounts that nobody names, one for each pattern of several account IDs in the statement.
    of_patterns: Vec<AccountId>,
    /// The owner's account, or one that stands for it: whatever it is, an outsider is of another.
    owner: AccountId,
    /// The keys of services that conditions look at.
    keys: Vec<CompactString>,
}

impl<'g> Scene<'g> {
    fn new(guarded: &'g Guarded<'g>, statement: &'g Statement) -> Self {
        let mut narrowed = Policy::empty(guarded.policy.kind, guarded.policy.span);
        narrowed.version = guarded.policy.version;
        narrowed.statements.push(statement.clone());
        narrowed.statements.extend(guarded.policy.denies().cloned());
        let mut named: Vec<AccountId> =
            guarded.policy.effective().flat_map(named_accounts).chain(guarded.account).collect();
        let is_named = named.contains(&guarded.stranger);
        let stranger = if is_named { AccountId::other_than(named.iter().copied()) } else { guarded.stranger };
        named.extend(guarded.known);
        let is_of_several =
            |pattern: &str| pattern.contains('?') || pattern.bytes().filter(|b| *b != b'*').count() < 12;
        let of_patterns = strangers(statement, &named).into_iter();
        let of_patterns = of_patterns.filter(|(pattern, _)| pattern.as_deref().is_some_and(is_of_several));
        let of_patterns = of_patterns.map(|(_, account)| account).collect();
        let owner = guarded.account.unwrap_or_else(|| AccountId::other_than([stranger, guarded.stranger]));
        let mut scene = Scene { guarded, statement, narrowed, stranger, of_patterns, owner, keys: Vec::new() };
        scene.keys = keys_of_services(scene.clauses());
        scene
    }

    fn is_key(&self) -> bool {
        Arn::parse(self.guarded.arn).is_some_and(|arn| arn.service == "kms")
    }

    /// Every policy that decides.
    fn policies(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.narrowed).chain(self.guarded.rcp.iter().flatten().copied())
    }

    fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.policies().flat_map(Policy::effective)
    }

    fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.statements().flat_map(|statement| &statement.conditions)
    }

    /// Whether the patterns of resources hold something of the caller beside its account.
    fn hangs_on_names(&self) -> bool {
        let resources = self.statements().filter_map(|statement| statement.resources.as_ref());
        let mut variables = resources.flat_map(|resources| &resources.items).flat_map(|item| item.variables());
        variables.any(|variable| !variable.key.is("aws:PrincipalAccount"))
    }

    fn first_through(&self, callers: Vec<(Outsider, Caller, Keys)>) -> Passage {
        let mut conditional = None;
        let mut gave_up = false;
        let mut asked: Option<(Option<AccountId>, Requests)> = None;
        for (outsider, caller, fixed) in callers {
            if self.guarded.allowance.is_spent() {
                gave_up = true;
                break;
            }
            // Of the caller the account alone may stand in the patterns of resources.
            let requests = match asked.take() {
                Some((account, known)) if account == caller.account() && !self.hangs_on_names() => known,
                _ => self.requests(&caller),
            };
            let requests = &asked.insert((caller.account(), requests)).1;
            for (action, resource) in requests {
                match self.ask(caller.clone(), action, resource.clone(), fixed.clone()) {
                    Answer::Yes(found) => return Passage::Open(outsider, found),
                    Answer::If(found) if conditional.is_none() => conditional = Some((outsider, found)),
                    Answer::Undecided => gave_up = true,
                    Answer::If(_) | Answer::No => {}
                }
            }
        }
        match conditional {
            Some((outsider, found)) => Passage::OpenIf(outsider, found),
            None if gave_up => Passage::Undecided,
            None => Passage::Closed,
        }
    }

    fn ask(&self, caller: Caller, action: &str, resource: CompactString, mut fixed: Keys) -> Answer {
        fixed.extend(lacking(&self.keys, action).into_iter().map(|key| (key.into(), Given::Absent)));
        let policies = [&self.narrowed];
        let granted = caller.account().map(|_| {
            format!("administrators of the caller's account decide which of their users and roles may `{action}`")
        });
        let question = Question {
            callers: vec![caller],
            action,
            resource,
            resource_account: Some(self.owner),
            policies: Policies {
                identity: granted.as_deref().map_or(Side::None, Side::Granted),
                resource: Side::Policies(&policies),
                rcp: self.guarded.rcp,
                management: self.guarded.management,
                ..Policies::default()
            },
            fixed,
        };
        question.ask(self.guarded.allowance)
    }
}

#[cfg(test)]
mod tests;
