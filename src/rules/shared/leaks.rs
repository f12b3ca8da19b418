//! Who reads logs beyond the sharing model, and by which statement or role: the question of the rules on reading.
//!
//! Each pair of a reader and a way to the logs belongs to one rule. What one statement gives to anyone is
//! `public-log-read`, whoever else it names. Accounts outside of the organization are `foreign-log-read`. Members are
//! `organization-wide-log-read` where the statement or role gives every member the logs of every member, else
//! `cross-account-log-read`.

mod by_role;
mod by_statement;
mod told;

use std::collections::{BTreeMap, BTreeSet};

pub(in crate::rules) use by_role::{ByPolicy, Mend, RoleLeaks, by_mend, by_role, managed, mend, through_bucket};
pub(in crate::rules) use by_statement::{StatementLeaks, by_statement, reach_of};
pub(in crate::rules) use told::{
    accounts_of, are_own, by_assuming, complete, label_of_resource, logs_in_words, narrow, of_policy, place_of, whom,
};

use super::bucket_changes;
use super::reading::{Standing, Through, has, reads};
use crate::access::reach::{LogReach, Reached};
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::matrix::Ability;
use crate::model::{Class, Given};
use crate::rule::context::{BucketView, Context};
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::text::Span;

/// How many accounts messages name.
const NAMED: usize = 5;

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) enum Who {
    /// Anyone, or any AWS account.
    Anyone,
    /// Every account of the organization.
    AnyMember,
    /// This account.
    Account(AccountId),
}

/// What is done with logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Deed {
    /// Reading them, contents and all.
    Read,
    /// Listing their keys.
    List,
    /// Writing, overwriting or deleting them.
    Write,
}

/// What an account is to the rules on reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Side {
    /// Owner, management account or CloudTrail itself.
    Ours,
    /// A member, or a declared reader that may be one.
    Member,
    /// Outside of the organization, or not known.
    Outside,
}

/// The side an account is on.
pub(in crate::rules) fn side(context: &Context<'_>, account: AccountId) -> Side {
    match context.model.class(account) {
        Class::Owner | Class::Management | Class::CloudTrail => Side::Ours,
        Class::Member => Side::Member,
        Class::Reader if !context.model.members_are_complete() => Side::Member,
        Class::Reader | Class::ThirdParty { .. } | Class::Undeclared => Side::Outside,
    }
}

/// Logs that somebody reads and should not.
#[derive(Debug, Clone, Default)]
pub(in crate::rules) struct Logs {
    /// The first few accounts.
    pub(in crate::rules) first: BTreeSet<AccountId>,
    /// How many accounts.
    count: usize,
    /// Whether those are all that are not given.
    pub(in crate::rules) is_all: bool,
}

impl Logs {
    /// Whether all of the others are among them, as far as they are kept by name.
    pub(in crate::rules) fn include(&self, other: &Logs) -> bool {
        self.is_all || (other.count <= self.count && !other.is_all && other.first.is_subset(&self.first))
    }

    fn join(&mut self, other: &Logs) {
        self.first.extend(&other.first);
        self.count = self.count.max(other.count).max(self.first.len());
        self.is_all |= other.is_all;
    }
}

/// Someone who reads what the model does not give.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Leak<'c> {
    /// Who.
    pub(in crate::rules) who: Who,
    /// Whose logs.
    pub(in crate::rules) logs: Logs,
    /// How, for one of them.
    pub(in crate::rules) through: Through<'c>,
    /// Whether a statement lets it through to the logs that it names and to no others.
    pub(in crate::rules) names_logs_alone: bool,
}

/// What somebody does beyond what it is given, one for each way it is let through, and the facts that could let it
/// through to more.
fn beyond<'c>(
    context: &Context<'_>,
    reach: &LogReach,
    reader: &'c Reached,
    (who, deed): (Who, Deed),
    with_roles: bool,
) -> (Vec<Leak<'c>>, BTreeSet<&'c str>) {
    let given = match deed {
        Deed::Read => given(context, who, reach),
        // The names of its own log files tell an account nothing of others.
        Deed::List => match who {
            Who::Account(account) => given(context, who, reach).and(Given::Of(BTreeSet::from([account]))),
            Who::Anyone | Who::AnyMember => given(context, who, reach),
        },
        Deed::Write => may_write(context, who, reach),
    };
    let stands = |logs_of| match deed {
        Deed::Read => reads(reach, reader, logs_of, with_roles),
        Deed::List => has(reach, reader, logs_of, Ability::List, with_roles),
        Deed::Write => has(reach, reader, logs_of, Ability::Write, with_roles),
    };
    let not_given = match &given {
        Given::All if !reach.stands_for_all => return (Vec::new(), BTreeSet::new()),
        Given::Of(accounts) if !reach.stands_for_all => {
            reach.logs_of.len() - accounts.iter().filter(|account| reach.logs_of.contains(account)).count()
        }
        _ => reach.logs_of.len(),
    };
    let told_apart = reader.told_apart(with_roles);
    let is_given = |account: &AccountId| given.includes(*account) && !reach.stands_for_all;
    let mut found: BTreeMap<Way, Leak<'c>> = BTreeMap::new();
    let mut open = BTreeSet::new();
    let mut add = |logs_of: Option<AccountId>, logs: Logs| match stands(logs_of) {
        Standing::Refused => {}
        Standing::Open(facts) => open.extend(facts),
        Standing::Through(through) => {
            let leak = found.entry(Way::of(&through)).or_insert(Leak {
                who,
                logs: Logs::default(),
                through,
                names_logs_alone: true,
            });
            leak.logs.count += logs.count;
            leak.logs.first.extend(logs.first.iter().take(NAMED.saturating_sub(leak.logs.first.len())));
        }
    };
    let mut others = not_given;
    for account in told_apart.iter().filter(|account| reach.logs_of.contains(account) && !is_given(account)) {
        others -= 1;
        add(Some(*account), Logs { first: BTreeSet::from([*account]), count: 1, is_all: false });
    }
    if others > 0 && given != Given::All {
        let rest = reach.logs_of.iter().filter(|account| !told_apart.contains(account) && !is_given(account));
        add(None, Logs { first: rest.take(NAMED).copied().collect(), count: others, is_all: false });
    }
    let mut leaks: Vec<Leak<'c>> = found.into_values().collect();
    for leak in &mut leaks {
        leak.logs.is_all = leak.logs.count == not_given && not_given > 0;
        leak.names_logs_alone = leak.logs.first.iter().all(|account| told_apart.contains(account));
    }
    (leaks, open)
}

/// Whose logs somebody may read.
fn given(context: &Context<'_>, who: Who, reach: &LogReach) -> Given {
    match who {
        Who::Anyone | Who::AnyMember => Given::nothing(),
        Who::Account(account) => context.model.logs_of(account, &reach.bucket),
    }
}

/// Whose logs somebody may write: the owner all, nobody else any.
fn may_write(context: &Context<'_>, who: Who, reach: &LogReach) -> Given {
    match who {
        Who::Account(account)
            if Some(account) == reach.owner
                || matches!(context.model.class(account), Class::Owner | Class::CloudTrail) =>
        {
            Given::All
        }
        _ => Given::nothing(),
    }
}

/// What tells the ways to logs apart: the statements that let through.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way(Vec<Option<Span>>);

impl Way {
    fn of(through: &Through<'_>) -> Self {
        Way(through.first.path.iter().flat_map(|hop| &hop.steps).map(|step| step.span).collect())
    }
}

/// Whether every member is among the readers, each with all that it is not given.
pub(in crate::rules) fn is_organization_wide(context: &Context<'_>, reach: &LogReach, leaks: &[&Leak<'_>]) -> bool {
    // Where no more than one account is known to have logs here it takes a path that does not name it.
    let is_wide = |leak: &Leak<'_>| reach.stands_for_all || reach.logs_of.len() > 1 || !leak.names_logs_alone;
    if leaks.iter().any(|leak| leak.who == Who::AnyMember && leak.logs.is_all && is_wide(leak)) {
        return true;
    }
    let readers: BTreeSet<AccountId> =
        leaks.iter().filter(|leak| leak.logs.is_all).filter_map(|leak| account(leak)).collect();
    if readers.len() < 2 {
        return false;
    }
    let plain = |account: &AccountId| {
        side(context, *account) == Side::Member && context.model.logs_of(*account, &reach.bucket) != Given::All
    };
    let members: Vec<AccountId> = context.model.members().filter(plain).collect();
    members.len() > 1 && members.iter().all(|member| readers.contains(member))
}

/// The account that reads, where it is one by itself.
pub(in crate::rules) fn account(leak: &Leak<'_>) -> Option<AccountId> {
    match leak.who {
        Who::Account(account) => Some(account),
        _ => None,
    }
}

/// The leaks of readers on one side.
pub(in crate::rules) fn on<'l, 'c>(context: &Context<'_>, leaks: &'l [Leak<'c>], wanted: Side) -> Vec<&'l Leak<'c>> {
    let is_on = |leak: &&Leak<'c>| match leak.who {
        Who::Anyone => false,
        Who::AnyMember => wanted == Side::Member,
        Who::Account(account) => side(context, account) == wanted,
    };
    leaks.iter().filter(is_on).collect()
}

/// The leak to show for several: one that is certain before others.
pub(in crate::rules) fn shown<'l, 'c>(leaks: &[&'l Leak<'c>]) -> Option<&'l Leak<'c>> {
    leaks.iter().find(|leak| leak.through.is_certain()).or(leaks.first()).copied()
}

/// All that several read.
pub(in crate::rules) fn logs_of(leaks: &[&Leak<'_>]) -> Logs {
    let mut logs = Logs::default();
    leaks.iter().for_each(|leak| logs.join(&leak.logs));
    logs
}

/// Has the engine work out what readers reach, before the checks of single subjects ask; log buckets that are not in the
/// inputs are gaps.
pub(in crate::rules) fn prepare(context: &Context<'_>) -> Outcome {
    let gaps = not_in_inputs(context);
    Ok(Verdict::if_asked(false, Vec::new(), gaps))
}

/// The log buckets that no input describes: nobody can tell whom their policies let in.
pub(in crate::rules) fn not_in_inputs(context: &Context<'_>) -> Vec<Gap> {
    let is_described = |reach: &&LogReach| context.estate.buckets.iter().any(|bucket| bucket.name == reach.bucket);
    let gap = |reach: &LogReach| {
        Gap::new("bucket.policy", format!("log bucket `{}` is not in the inputs", reach.bucket)).at([reach.span])
    };
    context.log_reaches().iter().filter(|reach| !is_described(reach)).map(gap).collect()
}

/// The same for a rule that has no use for those gaps.
pub(in crate::rules) fn ready(context: &Context<'_>) -> Outcome {
    context.log_reaches();
    Ok(Verdict::NotApplicable)
}

/// The accounts outside of the organization that `foreign-log-read` or `log-write-access` names in a statement of a bucket
/// policy.
pub(in crate::rules) fn outsiders_by_statement(
    context: &Context<'_>,
    view: &BucketView<'_>,
) -> BTreeSet<(Span, AccountId)> {
    let of = |deed| by_statement(context, view, deed).map_or_else(|_| Vec::new(), |(all, _)| all);
    let all = of(Deed::Read).into_iter().chain(of(Deed::Write)).filter(|of| !of.is_public());
    let named = all.flat_map(|of| {
        let accounts = accounts_of(&on(context, &of.leaks, Side::Outside));
        accounts.into_iter().map(move |account| (of.statement.span, account))
    });
    let changes = bucket_changes::by_statement(context, view).map_or_else(|_| Vec::new(), |(changes, _)| changes);
    let changing = changes.iter().filter_map(|change| match change.who {
        Who::Account(account) => Some((change.statement.span, account)),
        _ => None,
    });
    named.chain(changing).collect()
}

/// The accounts outside of the organization that `foreign-log-read` names in a statement of a trust policy.
pub(in crate::rules) fn outsiders_by_role(context: &Context<'_>, role: &RoleView<'_>) -> BTreeSet<(Span, AccountId)> {
    let Ok((all, _)) = by_role(context, role, Deed::Read) else { return BTreeSet::new() };
    let named = all.iter().flat_map(|of| {
        let outside = on(context, &of.leaks, Side::Outside);
        outside.into_iter().filter_map(|leak| Some((of.admission(leak.who)?.statement.span, account(leak)?)))
    });
    named.filter(|(_, account)| RoleView::is_certain_outsider(context, *account)).collect()
}
