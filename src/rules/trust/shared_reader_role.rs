use std::collections::BTreeMap;

use crate::aws::AccountId;
use crate::config::MemberReaders;
use crate::finding::{Finding, Level};
use crate::model::{Class, Given};
use crate::rule::context::Context;
use crate::rule::role::{Admission, RoleView, Who};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trust;

pub(in crate::rules) const CHECK: Check = Check::roles(check);

const HELP: &str = "make one role for each account, whose permissions name the logs of that account only";

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    // A statement that lets in anyone is `public-role-trust`.
    let chosen = |admission: &&Admission| admission.answer.found().is_some() && !role.is_public(context, admission);
    let admissions: Vec<&Admission> = role.admissions(context).iter().filter(chosen).collect();
    let mut members: BTreeMap<AccountId, &Admission> = BTreeMap::new();
    for admission in &admissions {
        let Some(account) = admission.account() else { continue };
        if context.model.class(account) == Class::Member {
            let known = members.entry(account).or_insert(admission);
            if admission.answer.is_yes() && !known.answer.is_yes() {
                *known = admission;
            }
        }
    }
    let all = admissions.iter().find(|admission| admission.who == Who::AnyMember);
    let buckets = buckets(context, role);
    let given = |account: AccountId| -> Vec<Given> {
        buckets.iter().map(|bucket| context.model.logs_of(account, bucket)).collect()
    };
    let mut given_to = members.keys().map(|account| given(*account));
    let first = given_to.next();
    let differ = given_to.any(|other| Some(&other) != first.as_ref());
    // Members that no list names are given their own logs, unless members are given none.
    let unnamed =
        all.is_some() && !context.model.members_are_complete() && buckets.iter().any(|b| is_shared(context, b));
    if !differ && !unnamed {
        return Ok(Verdict::Pass);
    }
    let Some(last) = all.or(members.values().next_back()) else { return Ok(Verdict::Pass) };
    let Some(found) = last.answer.found() else { return Ok(Verdict::Pass) };
    let who = match all {
        Some(_) => "every account of the organization".to_owned(),
        None => trust::accounts(context, members.keys().copied()),
    };
    let span = |admission: &Admission| trust::way_in_span(admission, admission.account());
    let certain = members.values().chain(all).filter(|admission| admission.answer.is_yes()).count();
    let level = if all.is_some_and(|all| all.answer.is_yes()) || certain > 1 { Level::Warning } else { Level::Note };
    let mut draft = Finding::at(span(last), "what this role reads, all of them read")
        .message(format!("{who} can assume `{}`, but may not read the same logs", role.subject.name))
        .level(level)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(trust::unless(context, role, found))
        .help(HELP);
    match all {
        Some(_) => draft = draft.about("organization"),
        None => {
            for account in members.keys() {
                draft = draft.about(account.to_string());
            }
            for (account, admission) in members.iter().rev().skip(1) {
                draft = draft.related(span(admission), format!("{} is let in here", context.model.label(*account)));
            }
        }
    }
    if all.is_some() || members.values().all(|one| one.statement.span == last.statement.span) {
        draft = draft.statement(last.statement.as_ref());
    }
    Ok(Verdict::of(vec![draft]))
}

/// The log buckets that the role may read, by name; one that nothing is declared of where none is known.
fn buckets<'c>(context: &'c Context<'_>, role: &RoleView<'_>) -> Vec<&'c str> {
    let named = context.model.log_buckets().iter().map(|bucket| bucket.name.as_str());
    let arns = context.log_bucket_arns();
    let read = named.zip(arns).filter(|(_, arn)| role.reads_bucket(arn) != Some(false)).map(|(name, _)| name);
    let read: Vec<&str> = read.collect();
    if read.is_empty() { vec![""] } else { read }
}

/// Whether members may read anything in a log bucket.
fn is_shared(context: &Context<'_>, bucket: &str) -> bool {
    let readers = context.model.log_bucket(bucket).and_then(|bucket| bucket.readers.as_ref());
    !matches!(readers, Some(MemberReaders::None))
}
