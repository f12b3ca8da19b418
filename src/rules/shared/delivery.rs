//! CloudTrail's deliveries to a bucket or key, statement by statement.

use std::sync::Arc;

use crate::access::delivery::{Delivery, Ours, log_object};
use crate::access::search::{Answer, Found};
use crate::access::sts::better;
use crate::aws::{AccountId, is_cloudtrail, legacy_cloudtrail_account, partition_of};
use crate::finding::{Dependency, Draft, Level};
use crate::model::Class;
use crate::policy::{Policy, Principal, Statement};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::text::Span;

/// A bucket or key that CloudTrail delivers to, and what decides its calls beside a statement.
pub(in crate::rules) struct Destination<'c, 'a> {
    context: &'c Context<'a>,
    /// Its ARN, or one that stands for it.
    pub(in crate::rules) arn: String,
    /// The account that owns it, where known.
    owner: Option<AccountId>,
    /// An account that is none of ours.
    pub(in crate::rules) stranger: AccountId,
    rcp: Vec<Arc<Policy>>,
}

impl<'c, 'a> Destination<'c, 'a> {
    /// A bucket.
    pub(in crate::rules) fn bucket(context: &'c Context<'a>, view: &BucketView<'_>) -> Self {
        Destination::new(context, view.arn(), owner(context, view))
    }

    /// A key.
    pub(in crate::rules) fn key(context: &'c Context<'a>, view: &KeyView<'_>) -> Self {
        Destination::new(context, view.arn(), view.key.account.or_else(|| context.model.owner()))
    }

    fn new(context: &'c Context<'a>, arn: String, owner: Option<AccountId>) -> Self {
        // RCPs do not bind the resources of the management account.
        let is_management = owner.is_some() && owner == context.model.management();
        let rcp = if is_management { Vec::new() } else { context.rcp(owner) };
        Destination { context, arn, owner, stranger: context.stranger(), rcp }
    }

    /// Whether the logs of an account are ours to keep.
    pub(in crate::rules) fn is_ours(&self, account: AccountId) -> bool {
        Some(account) == self.owner
            || matches!(
                self.context.model.class(account),
                Class::Owner | Class::Management | Class::Member | Class::Reader
            )
    }

    /// Whether an organization is ours, or may be.
    fn is_our_organization(&self, id: &str) -> bool {
        let ours = self.context.model.organization_ids();
        ours.is_empty() || ours.iter().any(|own| own.id == id)
    }

    /// Gives `ask` what is ours.
    pub(in crate::rules) fn with_ours<T>(&self, ask: impl FnOnce(Ours<'_>) -> T) -> T {
        ask(Ours { account: &|id| self.is_ours(id), organization: &|id: &str| self.is_our_organization(id) })
    }

    /// An account of ours: the owner, else one of the model, else one that nobody knows.
    pub(in crate::rules) fn own_account(&self) -> AccountId {
        let model = self.context.model;
        self.owner.or_else(|| model.members().next()).unwrap_or(self.stranger)
    }

    /// Gives `ask` a statement as CloudTrail meets it; `None` where it is no Allow for CloudTrail.
    pub(in crate::rules) fn through<T>(
        &self,
        policy: &Policy,
        statement: &Statement,
        ask: impl FnOnce(&Delivery<'_>) -> T,
    ) -> Option<T> {
        let mut delivery = Delivery::through(policy, statement, partition_of(&self.arn))?;
        let rcp = [self.rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
        delivery.owner = Some(owner_or_other(self.context, self.owner));
        delivery.rcp = &rcp;
        Some(ask(&delivery))
    }

    /// Facts that were not collected and could take a delivery away.
    pub(in crate::rules) fn unless(&self, found: &Found) -> Vec<String> {
        let mut facts: Vec<String> = found.explanation.depends_on.iter().map(Dependency::to_string).collect();
        facts.extend(self.context.uncollected_rcp(self.owner));
        facts
    }
}

/// The account that owns a bucket: its own, else the one owner of the model.
pub(in crate::rules) fn owner(context: &Context<'_>, view: &BucketView<'_>) -> Option<AccountId> {
    view.bucket.account.present().copied().or_else(|| context.model.owner())
}

/// The owner; where it is not known, an account that no policy names, so that every caller is one of another account.
pub(in crate::rules) fn owner_or_other(context: &Context<'_>, owner: Option<AccountId>) -> AccountId {
    let taken = || context.model.known_accounts().into_iter().chain([context.stranger()]);
    owner.unwrap_or_else(|| AccountId::other_than(taken()))
}

/// The objects worth asking about: one for each entry of `Resource`, with its place.
pub(in crate::rules) fn objects(bucket: &str, statement: &Statement, account: AccountId) -> Vec<(Span, String)> {
    let Some(resources) = &statement.resources else { return Vec::new() };
    if resources.negated {
        return vec![(resources.span, log_object(bucket, "*", account))];
    }
    resources.items.iter().map(|item| (item.span, log_object(bucket, item.raw(), account))).collect()
}

/// The best of many answers.
pub(in crate::rules) fn best(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut so_far = Answer::No;
    for answer in answers {
        so_far = better(so_far, answer);
        if so_far.is_yes() {
            break;
        }
    }
    so_far
}

/// The Region of the old account of CloudTrail that a principal is, or lies in; `None` for any other principal.
pub(in crate::rules) fn legacy_region(principal: &Principal) -> Option<&'static str> {
    principal.account().and_then(legacy_cloudtrail_account)
}

/// Whether a statement names CloudTrail, whoever else it names.
pub(in crate::rules) fn names_cloudtrail(statement: &Statement) -> bool {
    let mut entries = statement.principals.iter().flat_map(|principals| &principals.entries);
    entries.any(|entry| matches!(&entry.principal, Principal::Service(name) if is_cloudtrail(name)))
}

/// The place in a statement that names CloudTrail.
pub(in crate::rules) fn service_span(statement: &Statement) -> Span {
    let Some(principals) = &statement.principals else { return statement.span };
    let entry = principals.entries.iter().find(|entry| match &entry.principal {
        Principal::Service(name) => is_cloudtrail(name),
        _ => false,
    });
    entry.map_or(principals.span, |entry| entry.span)
}

/// The finding at its level, or at the next lower one where it hangs on what nobody could arrange.
pub(in crate::rules) fn at_level(draft: Draft, level: Level, answer: &Answer) -> Draft {
    draft.level(if answer.is_yes() { level } else { level.lower() })
}
