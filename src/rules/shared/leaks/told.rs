//! Leaks in words, and findings made of them.

use std::collections::BTreeSet;

use super::{ByPolicy, Leak, Logs, NAMED, Who, account, logs_of, shown};
use crate::access::pattern_set::arns_overlap;
use crate::access::reach::LogReach;
use crate::aws::{AccountId, managed};
use crate::finding::matrix::Access;
use crate::finding::{Draft, Finding, Level, Step};
use crate::policy::Statement;
use crate::rule::context::Context;
use crate::rule::role::{Admission, RoleView};
use crate::rules::shared::carried;
use crate::rules::shared::words::{list, quoted};
use crate::text::Span;

/// `account B`, `accounts B and C`, `every account of the organization`, `anyone, even unsigned,`.
pub(in crate::rules) fn whom(context: &Context<'_>, leaks: &[&Leak<'_>]) -> String {
    if let Some(leak) = leaks.iter().find(|leak| leak.who == Who::Anyone) {
        let unsigned = leak.through.access.witness.as_ref().is_some_and(|witness| witness.principal == "anonymous");
        return if unsigned { "anyone, even unsigned," } else { "any AWS account" }.to_owned();
    }
    if leaks.iter().any(|leak| leak.who == Who::AnyMember) {
        return "every account of the organization".to_owned();
    }
    accounts(context, &accounts_of(leaks))
}

/// The accounts that read, each once.
pub(in crate::rules) fn accounts_of(leaks: &[&Leak<'_>]) -> Vec<AccountId> {
    leaks.iter().filter_map(|leak| account(leak)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn accounts(context: &Context<'_>, accounts: &[AccountId]) -> String {
    let labels: Vec<String> = accounts.iter().map(|account| context.model.label(*account)).collect();
    let noun = if labels.len() == 1 { "account" } else { "accounts" };
    format!("{noun} {}", list(&labels, NAMED))
}

/// Whether they are accounts that read their own logs and no others.
pub(in crate::rules) fn are_own(leaks: &[&Leak<'_>]) -> bool {
    let is_own = |leak: &&Leak<'_>| {
        account(leak).is_some_and(|account| leak.logs.count == 1 && leak.logs.first.contains(&account))
    };
    leaks.iter().all(is_own)
}

/// `the logs of account C`, `its own logs, which it is not given,`, `each other's logs`, `the logs of every account`.
pub(in crate::rules) fn logs_in_words(
    context: &Context<'_>,
    reach: &LogReach,
    leaks: &[&Leak<'_>],
    logs: &Logs,
) -> String {
    let readers: BTreeSet<AccountId> = accounts_of(leaks).into_iter().collect();
    let is_named = leaks.iter().all(|leak| account(leak).is_some());
    if reach.stands_for_all {
        return "logs".to_owned();
    }
    let are_few = logs.count <= logs.first.len();
    if is_named && readers == logs.first && are_few {
        return match readers.len() {
            1 => "its own logs, which it is not given,".to_owned(),
            _ if are_own(leaks) => "their own logs, which they are not given,".to_owned(),
            _ => "each other's logs".to_owned(),
        };
    }
    if logs.is_all && logs.count > 1 {
        return "the logs of every account".to_owned();
    }
    let mut labels: Vec<String> = logs.first.iter().take(NAMED).map(|account| context.model.label(*account)).collect();
    let more = logs.count.saturating_sub(labels.len());
    if more > 0 {
        labels.push(format!("{more} more"));
    }
    let noun = if logs.count == 1 { "account" } else { "accounts" };
    format!("the logs of {noun} {}", list(&labels, labels.len()))
}

/// `account B can assume R and read the logs of account C in log bucket L`, the verb being what is done by the role.
pub(in crate::rules) fn by_assuming(
    context: &Context<'_>,
    who: &str,
    role: &RoleView<'_>,
    verb: &str,
    reach: &LogReach,
    leaks: &[&Leak<'_>],
    shown: &Leak<'_>,
) -> String {
    format!(
        "{who} can assume `{}` and {verb} {} in log bucket `{}`{}",
        role.subject.name,
        logs_in_words(context, reach, leaks, &logs_of(leaks)),
        reach.bucket,
        shown.through.condition(),
    )
}

/// The place in a statement's resources that takes in what was read, and what to say of it.
pub(in crate::rules) fn place_of(statement: &Statement, access: &Access) -> Span {
    let Some(resources) = &statement.resources else { return statement.span };
    // A Decrypt call proves the read of the object that its hop is for.
    let object = access.path.iter().find_map(|hop| hop.resource.as_deref());
    let taking = resources.items.iter().filter(|_| !resources.negated).find(|item| {
        object.is_some_and(|object| {
            let pattern = open(item.raw());
            arns_overlap(&pattern, object)
        })
    });
    taking.map_or(resources.span, |item| item.span)
}

/// A pattern whose variables stand for anything.
fn open(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once("${") {
        text.push_str(before);
        text.push('*');
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text
}

/// What to say of that place.
pub(in crate::rules) fn label_of_resource(statement: &Statement, leaks: &[&Leak<'_>]) -> &'static str {
    let is_negated = statement.resources.as_ref().is_some_and(|resources| resources.negated);
    match (is_negated, are_own(leaks)) {
        (true, true) => "all but this: it takes in an account's own logs",
        (true, false) => "all but this: it takes in the logs of other accounts",
        (false, true) => "this takes in an account's own logs",
        (false, false) => "this takes in logs of other accounts",
    }
}

/// A finding with its proof: path, witness, level, what it hangs on.
pub(in crate::rules) fn complete(draft: Draft, leak: &Leak<'_>, way_in: Option<&Admission>) -> Draft {
    let through = &leak.through;
    let found = way_in.and_then(|admission| admission.answer.found());
    let entry = found.into_iter().flat_map(|found| {
        let title = format!("{} assumes {}", found.witness.principal, found.witness.resource);
        told(&title, &found.explanation.steps)
    });
    let hops = through.access.path.iter().flat_map(|hop| match (found.is_some(), through.access.path.len()) {
        (false, 1) => hop.steps.clone(),
        _ => told(&hop.title, &hop.steps),
    });
    let steps: Vec<Step> = entry.chain(hops).collect();
    let mut draft = draft.path(steps).depends_on(through.depends_on());
    if let Some(witness) = &through.access.witness {
        draft = draft.witness(witness.clone());
    }
    if through.is_certain() { draft } else { draft.level(Level::Error.lower()) }
}

/// The finding about a managed policy that lets members do more than they should, which `verb` says, with its proof and without help: at the
/// place that `place` gives for a statement and what is done by it. AWS's own policies can only be taken off the roles.
pub(in crate::rules) fn of_policy<'r, 'c>(
    context: &Context<'_>,
    arn: &str,
    roles: &'r [ByPolicy<'c, '_>],
    verb: &str,
    place: impl FnOnce(&Statement, &Leak<'_>) -> (Span, &'static str),
) -> Option<(Draft, &'r Leak<'c>)> {
    let reach = roles.first()?.reach;
    let here: Vec<&ByPolicy<'_, '_>> = roles.iter().filter(|one| one.reach.bucket == reach.bucket).collect();
    let members: Vec<&Leak<'_>> = here.iter().flat_map(|one| &one.leaks).collect();
    let leak = shown(&members)?;
    let by = here.iter().find(|one| one.leaks.iter().any(|other| std::ptr::eq(other, leak)))?;
    let subject = carried::subject(arn);
    let mut names: Vec<&str> = roles.iter().map(|one| one.role.subject.name.as_str()).collect();
    names.dedup();
    let message = format!(
        "`{}` on {} {} lets {} {verb} {} in log bucket `{}`{}",
        subject.name,
        if names.len() == 1 { "role" } else { "roles" },
        quoted(&names, 5),
        whom(context, &members),
        logs_in_words(context, reach, &members, &logs_of(&members)),
        reach.bucket,
        leak.through.condition(),
    );
    let of_aws = managed::is_of_aws(arn);
    let (span, label) = if of_aws { (by.policy.span, "attached here") } else { place(by.statement, leak) };
    let draft = Finding::at(span, label).message(message).subject(subject);
    let draft = if of_aws { draft } else { draft.statement(by.statement) };
    let others = here.iter().filter(|one| one.policy.span != span);
    let draft = others
        .fold(draft, |draft, one| draft.related(one.policy.span, format!("`{}` carries it", one.role.subject.name)));
    Some((complete(draft, leak, Some(by.way_in)), leak))
}

/// The steps of one hop, the first of them with what the hop does.
fn told(title: &str, steps: &[Step]) -> Vec<Step> {
    let mut steps = steps.to_vec();
    if let Some(first) = steps.first_mut() {
        first.message = format!("{title}: {}", first.message);
    }
    steps
}

/// The paths to give each account instead: those of its own logs.
pub(in crate::rules) fn narrow(context: &Context<'_>, reach: &LogReach, whose: &str) -> String {
    let example = reach.logs_of.iter().next().copied();
    let prefixes = example.map(|account| {
        let own = context.model.own_prefixes(account, &reach.bucket).into_iter().next();
        own.map(|prefix| prefix.replace(account.as_str(), whose))
    });
    let prefix = prefixes.flatten().unwrap_or_else(|| format!("AWSLogs/{whose}/"));
    format!("{}/{prefix}*", reach.arn)
}
