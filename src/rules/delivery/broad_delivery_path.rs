use crate::access::delivery::{CannedAcl, Delivery, ForeignObject, foreign_objects};
use crate::access::search::Answer;
use crate::aws::{Arn, is_organization_id};
use crate::finding::{Draft, Finding, Level};
use crate::policy::{Entries, Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::{Destination, at_level};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let bucket = Destination::bucket(context, view);
    let mut delivers = false;
    let mut findings = Vec::new();
    for statement in policy.allows() {
        for (span, resource, alone) in one_by_one(statement) {
            let policy = with_only(policy, &alone);
            let reached = bucket.through(&policy, &alone, |delivery| {
                delivers = true;
                reach(&bucket, delivery, &resource)
            });
            if let Some((object, answer)) = reached.flatten()
                && let Some(draft) =
                    finding(context, view, &bucket, (span, &reason(statement, &resource)), &object, &answer)
            {
                findings.push(draft.statement(statement).about(resource));
            }
        }
    }
    Ok(if delivers { Verdict::of(findings) } else { Verdict::NotApplicable })
}

/// The statement once for each entry of its `Resource`, with the place of the entry and its text.
fn one_by_one(statement: &Statement) -> Vec<(Span, String, Statement)> {
    let Some(resources) = &statement.resources else { return Vec::new() };
    if resources.negated {
        return vec![(resources.span, "*".to_owned(), statement.clone())];
    }
    let items = resources.items.iter().map(|item| {
        let resources = Entries { items: [item.clone()].into(), ..resources.clone() };
        (item.span, item.raw().to_owned(), Statement { resources: Some(resources), ..statement.clone() })
    });
    items.collect()
}

/// The policy in which a statement speaks of one resource alone.
fn with_only(policy: &Policy, alone: &Statement) -> Policy {
    let others = policy.denies().filter(|other| other.span != alone.span).cloned();
    let statements = others.chain([alone.clone()]).collect();
    Policy { statements, ..Policy::empty(policy.kind, policy.span) }
}

/// A path of an account that is not ours, in which CloudTrail can write for some trail.
fn reach(bucket: &Destination<'_, '_>, delivery: &Delivery<'_>, resource: &str) -> Option<(ForeignObject, Answer)> {
    let mut sources = delivery.named_sources(bucket.own_account());
    sources.extend(delivery.foreign_sources(bucket.stranger, &|account| bucket.is_ours(account)));
    let mut conditional = None;
    for object in bucket.with_ours(|ours| foreign_objects(&bucket.arn, resource, ours)) {
        for source in &sources {
            let answer = delivery.put(&object.arn, source, CannedAcl::BucketOwnerFullControl);
            if answer.is_yes() {
                return Some((object, answer));
            }
            if answer.found().is_some() && conditional.is_none() {
                conditional = Some((object.clone(), answer));
            }
        }
    }
    conditional
}

fn finding(
    context: &Context<'_>,
    view: &BucketView<'_>,
    bucket: &Destination<'_, '_>,
    (span, reason): (Span, &str),
    object: &ForeignObject,
    answer: &Answer,
) -> Option<Draft> {
    let found = answer.found()?;
    let (name, folder) = (&view.subject.name, &object.folder);
    let message = match object.is_named {
        true => {
            let account = context.model.label(object.account);
            format!(
                "CloudTrail can write to `{name}` under `{folder}`, the path of account {account}, which is not yours"
            )
        }
        false => format!("CloudTrail can write to `{name}` under paths of accounts that are not yours: {reason}"),
    };
    let help = "write out the path of each account that delivers, `AWSLogs/ACCOUNT/*`; for an organization trail \
        `AWSLogs/ORGANIZATION-ID/*` and the path of the management account";
    let maybe_own = object.is_named && !context.model.members_are_complete();
    let help = if maybe_own { format!("if this account is not yours, {help}") } else { help.to_owned() };
    let draft = Finding::at(span, "logs of others can land here, beside yours")
        .message(message)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(bucket.unless(found))
        .help(help);
    Some(at_level(draft, Level::Warning, answer))
}

/// By what a statement reaches into paths of accounts that are not ours.
fn reason(statement: &Statement, resource: &str) -> String {
    if statement.resources.as_ref().is_some_and(|resources| resources.negated) {
        return "`NotResource` does not name them".to_owned();
    }
    let key = Arn::parse(resource).and_then(|arn| arn.resource.split_once('/')).map_or(resource, |(_, key)| key);
    let folder = key.split('/').skip_while(|part| *part != "AWSLogs").nth(1);
    match folder.filter(|folder| is_organization_id(folder)) {
        Some(organization) => format!("`{organization}` is not your organization"),
        None => format!("`{key}` matches them"),
    }
}
