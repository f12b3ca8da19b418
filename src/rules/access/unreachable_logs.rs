use std::collections::BTreeMap;

use crate::access::evaluate::Explanation;
use crate::access::pattern_set::arns_overlap;
use crate::access::reach::{LogReach, Reached};
use crate::access::request::{Caller, Request};
use crate::access::sts::names_everyone;
use crate::aws::AccountId;
use crate::estate::{Gap, Role};
use crate::finding::matrix::Ability;
use crate::finding::{Draft, Finding, StepEffect};
use crate::policy::condition::{self, Tri};
use crate::policy::{Effect, Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::reading::{self, Standing, has};
use crate::rules::shared::words::list;
use crate::rules::shared::{leaks, trust};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), estate: Some(leaks::ready), takes_a_denial: true, ..Check::NOTHING };

/// A reader, whose logs it should read, and why it can not.
type Refused<'c> = (AccountId, AccountId, &'c Explanation);

/// What stops readers, and where.
#[derive(Debug)]
struct Cause {
    span: Span,
    label: String,
}

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(reach) = leaks::reach_of(context, view) else { return Ok(Verdict::NotApplicable) };
    let is_due = |reader: &&Reached| {
        reader.account.is_some_and(|account| !context.model.logs_due(account, &reach.bucket).is_nothing())
    };
    let due: Vec<&Reached> = reach.accounts().filter(is_due).collect();
    if due.is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    let policy = view.policy()?;
    let mut by_cause: BTreeMap<Span, (Cause, Vec<Refused<'_>>)> = BTreeMap::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let place = view.bucket.policy.span().unwrap_or(view.bucket.span);
    for reader in due {
        let Some(account) = reader.account else { continue };
        for (logs_of, explanation) in &reader.refused {
            // Who can fetch and not decrypt is the matter of `missing-reader-decrypt`.
            if reader.access(Some(*logs_of), Ability::Get, true).is_some() {
                continue;
            }
            let Some(cause) = cause(context, (view, reach), policy, (account, *logs_of), explanation) else {
                gaps.push(unknown_roles(context, reach).at([place]));
                continue;
            };
            let (_, refused) = by_cause.entry(cause.span).or_insert_with(|| (cause, Vec::new()));
            refused.push((account, *logs_of, explanation));
        }
        let given = context.model.logs_due(account, &reach.bucket);
        for logs_of in reach.logs_of.iter().filter(|logs_of| given.includes(**logs_of)) {
            if let Standing::Open(facts) = has(reach, reader, Some(*logs_of), Ability::Get, true) {
                gaps.extend(facts.into_iter().map(|fact| reading::gap(fact, place)));
            }
        }
    }
    gaps.sort();
    gaps.dedup();
    let findings = by_cause.values().filter_map(|(cause, refused)| finding(context, view, cause, refused));
    Ok(Verdict::with_gaps(findings.collect(), gaps))
}

fn finding(
    context: &Context<'_>,
    view: &BucketView<'_>,
    cause: &Cause,
    refused: &[Refused<'_>],
) -> Option<Draft> {
    let (.., explanation) = refused.first()?;
    let mut readers: Vec<AccountId> = refused.iter().map(|(reader, ..)| *reader).collect();
    readers.dedup();
    let is_own = refused.iter().all(|(reader, logs_of, _)| reader == logs_of);
    let labels: Vec<String> = readers.iter().map(|account| context.model.label(*account)).collect();
    let (noun, whose) = if readers.len() == 1 { ("account", "its own logs") } else { ("accounts", "their own logs") };
    let mut owners: Vec<AccountId> = refused.iter().map(|(_, logs_of, _)| *logs_of).collect();
    owners.sort_unstable();
    owners.dedup();
    let others: Vec<String> = owners.iter().map(|account| context.model.label(*account)).collect();
    let what = match is_own {
        true => whose.to_owned(),
        false => format!("the logs of {} {}", if others.len() == 1 { "account" } else { "accounts" }, list(&others, 5)),
    };
    let message = format!(
        "{noun} {} can not read {what} in log bucket `{}`, which the config says {} should",
        list(&labels, 5),
        view.subject.name,
        if readers.len() == 1 { "it" } else { "they" },
    );
    let draft = Finding::at(cause.span, cause.label.clone()).message(message).path(explanation.steps.iter().cloned());
    let draft = match view.policy.as_ref().ok()?.as_ref().and_then(|policy| statement_at(policy, cause.span)) {
        Some(statement) => draft.statement(statement),
        None => draft.about("no statement"),
    };
    Some(draft.help("let the account fetch what lies under its path, or change `readers` in trailproof.toml"))
}

fn statement_at(policy: &Policy, span: Span) -> Option<&Statement> {
    policy.statements.iter().find(|statement| statement.span == span || statement.span.contains(span))
}

/// The one cause: a statement that denies, else the Allow that comes nearest, else that there is none.
fn cause(
    context: &Context<'_>,
    (view, reach): (&BucketView<'_>, &LogReach),
    policy: Option<&Policy>,
    (reader, logs_of): (AccountId, AccountId),
    explanation: &Explanation,
) -> Option<Cause> {
    let whole = view.bucket.policy.span().unwrap_or(view.bucket.span);
    if let Some(step) = explanation.steps.iter().find(|step| step.effect == StepEffect::Denies) {
        let blocked = view.bucket.block_public_access.span();
        let span = step.span.or(blocked).unwrap_or(whole);
        return Some(Cause { span, label: step.message.clone() });
    }
    let near = policy.and_then(|policy| near_miss(context, reach, policy, reader, logs_of));
    let nothing = || Cause { span: whole, label: "no statement here lets it read".to_owned() };
    near.or_else(|| knows_roles(context, reach).then(nothing))
}

/// Whether the roles of the owner's account are among the inputs, as an export has them; where they are not, one of them may
/// let a reader in.
fn knows_roles(context: &Context<'_>, reach: &LogReach) -> bool {
    let whole = |role: &Role| role.path.is_some() && !role.permissions.attached.is_unknown();
    context.estate.roles.iter().any(|role| role.account.is_some() && role.account == reach.owner && whole(role))
}

fn unknown_roles(context: &Context<'_>, reach: &LogReach) -> Gap {
    let owner = reach.owner.map_or_else(|| "the owner".to_owned(), |owner| context.model.label(owner));
    Gap::new("account.roles", format!("the roles of {owner} are not in the inputs, and one may let declared readers in"))
}

/// Whether a resource is for everyone that it is read by: it has the caller's account in it, or no account at all.
fn reads_as_own(raw: &str) -> bool {
    raw.contains("${aws:PrincipalAccount}") || !raw.split('/').any(|part| AccountId::parse(part).is_some())
}

/// The first Allow of fetching that may mean the account and does not let it through, at what is wrong with it.
fn near_miss(
    context: &Context<'_>,
    reach: &LogReach,
    policy: &Policy,
    reader: AccountId,
    logs_of: AccountId,
) -> Option<Cause> {
    let prefix = context.model.own_prefixes(logs_of, &reach.bucket).into_iter().next()?;
    let objects = format!("{}/{prefix}*", reach.arn);
    let mut request = Request::new(Caller::Root(reader), "s3:GetObject", &objects, reach.owner);
    for (key, given) in context.membership(reader).keys().into_iter().next().unwrap_or_default() {
        request.set(&key, given);
    }
    let named = policy.allows().filter(|statement| trust::may_name(statement, reader));
    let reads = |statement: &&Statement| statement.covers_action("s3:GetObject");
    for statement in named.filter(reads) {
        let Some(resources) = &statement.resources else { continue };
        // What everyone is given is meant for each account's own logs.
        if names_everyone(statement) && reader != logs_of {
            continue;
        }
        let own = |raw: &str| raw.replace("${aws:PrincipalAccount}", reader.as_str());
        let meets = |item: &&crate::text::Spanned<crate::policy::template::Template>| {
            let literal = item.raw().contains("${") && item.variables().next().is_none();
            !literal && arns_overlap(&own(item.raw()), &objects)
        };
        if resources.negated == resources.items.iter().any(|item| meets(&item)) {
            let first = resources.items.first()?;
            if names_everyone(statement) && !reads_as_own(first.raw()) && !knows_roles(context, reach) {
                continue;
            }
            let label = match first.raw() {
                raw if raw == reach.arn => "this is the bucket, and log files are objects in it: end it with `/*`".to_owned(),
                raw if raw.contains("${") && first.variables().next().is_none() => {
                    "a policy without \"Version\": \"2012-10-17\" takes this as it stands".to_owned()
                }
                _ => format!("the logs lie under `{prefix}`, and this is another path"),
            };
            return Some(Cause { span: first.span, label });
        }
        let fails = statement
            .conditions
            .iter()
            .find(|clause| condition::holds(clause, Effect::Allow, &request) == Tri::False);
        // A condition on everyone may well leave it out on purpose, for a role.
        let is_meant = !names_everyone(statement) || knows_roles(context, reach);
        if let Some(clause) = fails.filter(|_| is_meant) {
            return Some(Cause { span: clause.span, label: "this does not hold for it".to_owned() });
        }
    }
    None
}
