use std::collections::HashMap;

use crate::access::actor::Actor;
use crate::access::reach::{LogReach, Reached};
use crate::aws::managed;
use crate::estate::{Gap, Role, User};
use crate::finding::matrix::{Ability, ReaderKind};
use crate::finding::{Draft, Finding, Level};
use crate::rule::context::{BucketView, Context};
use crate::rule::role::{Origin, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::bucket_changes::{self, Change};
use crate::rules::shared::carried;
use crate::rules::shared::leaks::{self, Deed, Leak, Mend, RoleLeaks, Who};
use crate::rules::shared::reading::{Standing, has};
use crate::rules::shared::trust;
use crate::rules::shared::words::{list, quoted};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(leaks::prepare), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, mut gaps) = leaks::by_statement(context, view, Deed::Write)?;
    let mut findings: Vec<Draft> = Vec::new();
    let mut told: Vec<Span> = Vec::new();
    for of in &all {
        let everyone: Vec<&Leak<'_>> = of.leaks.iter().collect();
        let public: Vec<&Leak<'_>> = everyone.iter().filter(|leak| leak.who == Who::Anyone).copied().collect();
        let writers = if public.is_empty() { everyone } else { public };
        let Some(leak) = leaks::shown(&writers) else { continue };
        told.push(of.statement.span);
        let message = format!(
            "{} can change {} in log bucket `{}`{}",
            leaks::whom(context, &writers),
            leaks::logs_in_words(context, of.reach, &writers, &leaks::logs_of(&writers)),
            view.subject.name,
            leak.through.condition(),
        );
        let action = leak.through.access.witness.as_ref().map_or("s3:PutObject", |witness| &witness.action);
        let span = bucket_changes::action_span(of.statement, action);
        let draft =
            Finding::at(span, format!("this allows `{action}`")).message(message).statement(of.statement).help(HELP);
        let draft = leaks::complete(draft, leak, None);
        let certain = may_be_ours(context, &writers);
        findings.push(draft.level(level(leak.through.is_certain(), certain)));
    }
    let (changes, undecided) = bucket_changes::by_statement(context, view)?;
    for change in changes.iter().filter(|change| !told.contains(&change.statement.span)) {
        findings.push(of_bucket(context, view, change));
    }
    gaps.extend(undecided);
    if let Some(reach) = leaks::reach_of(context, view) {
        findings.extend(own_writers(context, view, reach));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

const HELP: &str = "let CloudTrail alone write to the log folders, and keep changes of the bucket to the administrators of the \
    account that owns it";

/// Whether all of them are outside of the owner's administration for certain: an account that nobody declared may be ours
/// where no list of members says otherwise.
fn may_be_ours(context: &Context<'_>, writers: &[&Leak<'_>]) -> bool {
    writers
        .iter()
        .all(|leak| leaks::account(leak).is_none_or(|account| RoleView::is_certain_outsider(context, account)))
}

fn level(is_certain: bool, is_outside: bool) -> Level {
    let level = if is_outside { Level::Error } else { Level::Warning };
    if is_certain { level } else { level.lower() }
}

fn of_bucket(context: &Context<'_>, view: &BucketView<'_>, change: &Change<'_>) -> Draft {
    let who = match change.who {
        Who::Anyone => "any AWS account".to_owned(),
        Who::AnyMember => "every account of the organization".to_owned(),
        Who::Account(account) => trust::accounts(context, [account]),
    };
    let message = format!("{who} is allowed `{}` on log bucket `{}`", change.action, view.subject.name);
    let span = bucket_changes::action_span(change.statement, change.action);
    let is_outside = match change.who {
        Who::Account(account) => RoleView::is_certain_outsider(context, account),
        _ => true,
    };
    Finding::at(span, "this changes the bucket itself")
        .message(message)
        .statement(change.statement)
        .level(level(change.answer.is_yes(), is_outside))
        .path(change.found.explanation.steps.iter().cloned())
        .witness(change.found.witness.clone())
        .depends_on(change.found.explanation.depends_on.iter().cloned())
        .help(HELP)
}

/// The roles and users of the owner's account that can change logs and are no full administrators: one note.
fn own_writers(context: &Context<'_>, view: &BucketView<'_>, reach: &LogReach) -> Option<Draft> {
    let of_owner = |reader: &&Reached| {
        matches!(reader.kind, ReaderKind::Role | ReaderKind::User)
            && reader.account.is_some()
            && reader.account == reach.owner
    };
    let writes = |reader: &&Reached| {
        let any = reader.told_apart(true).into_iter().map(Some).chain([None]);
        any.into_iter().any(|logs_of| {
            let standing = has(reach, reader, logs_of, Ability::Write, true);
            matches!(standing, Standing::Through(through) if through.is_certain())
        })
    };
    let writers: Vec<&Reached> = reach.readers.iter().filter(of_owner).filter(writes).collect();
    if writers.is_empty() {
        return None;
    }
    let estate = context.estate;
    let roles: HashMap<String, &Role> = estate.roles.iter().filter_map(|role| Some((role.arn()?, role))).collect();
    let users = estate.users.iter().filter_map(|user| Some((user_arn(user)?, user)));
    let users: HashMap<String, &User> = users.collect();
    let is_other = |reader: &&&Reached| match (roles.get(&reader.party.id), users.get(&reader.party.id)) {
        // A role that lets other accounts in is told of by itself.
        (Some(role), _) => {
            !bucket_changes::is_administrator(&Actor::role(estate, role))
                && RoleView::new(estate, role).admissions(context).is_empty()
        }
        (None, Some(user)) => !bucket_changes::is_administrator(&Actor::user(estate, user)),
        (None, None) => false,
    };
    let short = |reader: &&Reached| {
        let (_, name) = reader.party.id.split_once(":role/").or(reader.party.id.split_once(":user/"))?;
        Some(name.to_owned())
    };
    let names: Vec<String> = writers.iter().filter(is_other).filter_map(short).collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "{} of the owner's account can change logs in log bucket `{}` and {} no full {}",
        quoted(&names, 5),
        view.subject.name,
        if names.len() == 1 { "is" } else { "are" },
        if names.len() == 1 { "administrator" } else { "administrators" },
    );
    let span = view.bucket.policy.span().unwrap_or(view.bucket.span);
    Some(
        Finding::at(span, "nothing here denies it")
            .message(message)
            .level(Level::Note)
            .about("principals of the owner")
            .help("take the permission from them, or deny it here to all but CloudTrail and your administrators"),
    )
}

fn user_arn(user: &User) -> Option<String> {
    let arn = user.arn.as_ref().map(ToString::to_string);
    arn.or_else(|| Some(format!("arn:aws:iam::{}:user/{}", user.account?, user.name)))
}

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_role(context, role, Deed::Write)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in &all {
        let writers: Vec<&Leak<'_>> = of.leaks.iter().collect();
        let Some(leak) = leaks::shown(&writers) else { continue };
        let message = leaks::by_assuming(context, &whom(context, &writers), role, "change", of.reach, &writers, leak);
        let Some(draft) = placed(context, role, of, leak, message) else { continue };
        let draft = leaks::complete(draft.about(of.reach.bucket.as_str()).help(HELP), leak, of.admission(leak.who));
        findings.push(draft.level(level(leak.through.is_certain(), may_be_ours(context, &writers))));
    }
    let mut gaps: Vec<Gap> = gaps;
    let changed = all.iter().map(|of| of.reach.bucket.as_str()).collect::<Vec<_>>();
    let (changes, undecided) = bucket_changes::by_role(context, role, &changed);
    gaps.extend(undecided);
    for (bucket, change) in changes {
        let labels: Vec<String> = role.parties(context).iter().map(|party| party.who.to_string()).collect();
        let message = format!(
            "sharing role `{}` is allowed `{}` on log bucket `{bucket}`, and {} can assume it",
            role.subject.name,
            change.action,
            list(&labels, 5),
        );
        let span = bucket_changes::action_span(change.statement, change.action);
        findings.push(
            Finding::at(span, "this changes the bucket itself")
                .message(message)
                .statement(change.statement)
                .about(bucket)
                .level(level(change.answer.is_yes(), true))
                .path(change.found.explanation.steps.iter().cloned())
                .witness(change.found.witness.clone())
                .depends_on(change.found.explanation.depends_on.iter().cloned())
                .help(HELP),
        );
    }
    gaps.dedup();
    Ok(Verdict::if_asked(!all.is_empty(), findings, gaps))
}

fn whom(context: &Context<'_>, writers: &[&Leak<'_>]) -> String {
    match writers.iter().any(|leak| leak.who == Who::Anyone) {
        true => "any AWS account".to_owned(),
        false => leaks::whom(context, writers),
    }
}

fn placed(
    context: &Context<'_>,
    role: &RoleView<'_>,
    of: &RoleLeaks<'_, '_>,
    leak: &Leak<'_>,
    message: String,
) -> Option<Draft> {
    let action = leak.through.access.witness.as_ref().map_or("s3:PutObject", |witness| &witness.action);
    match leaks::mend(context, role, of, leak) {
        Mend::Permissions(policy, statement) => {
            let of_aws =
                matches!(policy.origin, Origin::BuiltIn(_)) || managed::is_of_aws(&carried::arn_of(role, policy));
            let span = if of_aws { policy.span } else { bucket_changes::action_span(statement, action) };
            let draft = Finding::at(span, format!("this allows `{action}`")).message(message);
            Some(if of_aws { draft } else { draft.statement(statement) })
        }
        Mend::Bucket(_) | Mend::Trust => {
            let admission = of.admission(leak.who)?;
            let span = trust::way_in_span(admission, leaks::account(leak));
            Some(Finding::at(span, "let in here").message(message).statement(admission.statement.as_ref()))
        }
    }
}
