use std::collections::{BTreeMap, BTreeSet};

use crate::access::evaluate::StopKind;
use crate::access::reach::{LogReach, Reached, Refused};
use crate::access::sts::names_everyone;
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::matrix::Ability;
use crate::finding::{Draft, Finding};
use crate::policy::PolicyKind;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::hindrance::Hindrance;
use crate::rules::shared::leaks;
use crate::rules::shared::reading::{self, Standing, has};
use crate::rules::shared::words::list;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), estate: Some(leaks::ready), takes_a_denial: true, ..Check::NOTHING };

/// What tells causes apart: the place and the kind of fault.
type CauseKey = (Span, StopKind);

/// A reader and whose logs it should read.
type Pair = (AccountId, AccountId);

/// All that one cause keeps from whom.
struct Cause<'c, 'a> {
    hindrance: Hindrance<'c, 'a>,
    place: Span,
    first: &'c Refused,
    pairs: Vec<Pair>,
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
    let mut by_cause: BTreeMap<CauseKey, Cause<'_, '_>> = BTreeMap::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let whole = view.bucket.policy.span().unwrap_or(view.bucket.span);
    for reader in due {
        let Some(account) = reader.account else { continue };
        for refused in &reader.refused {
            // Who can fetch and not decrypt is the matter of `missing-reader-decrypt`.
            if reader.access(Some(refused.logs_of), Ability::Get, true).is_some() {
                continue;
            }
            let Some(stop) = refused.explanation.stop() else { continue };
            let role = Hindrance::role_of(context, refused.role.as_deref());
            let hindrance = Hindrance { context, policy, stop, role };
            if hindrance.is_told_elsewhere(Some(view)) {
                continue;
            }
            let pair = (account, refused.logs_of);
            let place = hindrance.place().filter(|_| is_meant(context, reach, &hindrance, pair));
            if place.is_none() && !knows_roles(context, reach) {
                gaps.push(unknown_roles(context, reach).at([whole]));
                continue;
            }
            let (place, kind) = match place {
                Some(place) => (place, stop.kind),
                None => (whole, StopKind::Missing(PolicyKind::Bucket)),
            };
            let new = || Cause { hindrance, place, first: refused, pairs: Vec::new() };
            let cause = by_cause.entry((place, kind)).or_insert_with(new);
            // The steps of who has no role to itself are those of most.
            if cause.first.role.is_some() && refused.role.is_none() {
                cause.first = refused;
            }
            cause.pairs.push(pair);
        }
        let given = context.model.logs_due(account, &reach.bucket);
        for logs_of in reach.logs_of.iter().filter(|logs_of| given.includes(**logs_of)) {
            if let Standing::Open(facts) = has(reach, reader, Some(*logs_of), Ability::Get, true) {
                gaps.extend(facts.into_iter().map(|fact| reading::gap(fact, whole)));
            }
        }
    }
    gaps.sort();
    gaps.dedup();
    let findings = by_cause.iter().map(|((_, kind), cause)| finding(context, view, reach, *kind, cause));
    Ok(Verdict::with_gaps(findings.collect(), gaps))
}

/// Whether the statement that comes nearest was meant for a reader and these logs. What everyone is given is meant for each
/// account's own, and its conditions may well leave somebody out on purpose, for a role.
fn is_meant(context: &Context<'_>, reach: &LogReach, hindrance: &Hindrance<'_, '_>, (reader, logs_of): Pair) -> bool {
    let is_near =
        matches!(hindrance.stop.kind, StopKind::Resource(PolicyKind::Bucket) | StopKind::Condition(PolicyKind::Bucket));
    if !is_near {
        return true;
    }
    let for_everyone = hindrance.statement(names_everyone).unwrap_or(false);
    let by_account = |raw: &str| raw.split('/').any(|part| AccountId::parse(part).is_some());
    match hindrance.resource() {
        _ if !for_everyone => true,
        _ if reader != logs_of => false,
        Some(raw) if raw.contains("${aws:PrincipalAccount}") || raw == reach.arn => true,
        Some(raw) => raw.contains("/AWSLogs") && (!by_account(&raw) || knows_roles(context, reach)),
        None => knows_roles(context, reach),
    }
}

fn finding(
    context: &Context<'_>,
    view: &BucketView<'_>,
    reach: &LogReach,
    kind: StopKind,
    cause: &Cause<'_, '_>,
) -> Draft {
    let Cause { hindrance, place, first, pairs } = cause;
    let readers: BTreeSet<AccountId> = pairs.iter().map(|(reader, _)| *reader).collect();
    let several = readers.len() > 1;
    let is_nothing = kind == StopKind::Missing(PolicyKind::Bucket);
    let why = if is_nothing && hindrance.stop.kind != kind {
        format!("nothing lets {}", if several { "them" } else { "it" })
    } else {
        hindrance.why(several)
    };
    let message = format!(
        "{} in log bucket `{}`, which the config says {} should: {why}",
        who_can_not(context, reach, pairs),
        view.subject.name,
        if several { "they" } else { "it" },
    );
    let path = own_path(context, reach, pairs);
    let (label, help) = match hindrance.resource() {
        _ if is_nothing => (
            format!("no statement here lets {} read", if several { "them" } else { "it" }),
            format!("let {} fetch `{path}*`, here or by a role", if several { "each account" } else { "the account" }),
        ),
        Some(raw) if raw == reach.arn => (
            "this is the bucket, and log files are objects in it: end it with `/*`".to_owned(),
            format!("write `{path}*`"),
        ),
        Some(_) => {
            let key = path.split_once('/').map_or("", |(_, key)| key);
            (format!("the logs lie under `{key}`, and this is another path"), format!("write `{path}*`"))
        }
        None => {
            let help = hindrance.help("s3:GetObject", several, &first.explanation.would_take);
            (hindrance.label(several), help)
        }
    };
    let draft = Finding::at(*place, label).message(message).path(first.explanation.steps.iter().cloned());
    let draft = if is_nothing { draft.about("no statement") } else { hindrance.tie(draft) };
    draft.help(format!("{help}; or change in trailproof.toml what {} should read", if several { "they" } else { "it" }))
}

/// `accounts B and C can not read their own logs, and account V can not read those of accounts B and C`: true of each of
/// them.
fn who_can_not(context: &Context<'_>, reach: &LogReach, pairs: &[Pair]) -> String {
    let mut logs: BTreeMap<AccountId, BTreeSet<AccountId>> = BTreeMap::new();
    for (reader, logs_of) in pairs {
        logs.entry(*reader).or_default().insert(*logs_of);
    }
    let (own, others): (Vec<_>, Vec<_>) =
        logs.into_iter().partition(|(reader, logs)| logs.len() == 1 && logs.contains(reader));
    let mut by_logs: Vec<(BTreeSet<AccountId>, Vec<AccountId>)> = Vec::new();
    for (reader, logs) in others {
        match by_logs.iter_mut().find(|(known, _)| *known == logs) {
            Some((_, readers)) => readers.push(reader),
            None => by_logs.push((logs, vec![reader])),
        }
    }
    let named = |accounts: &mut dyn Iterator<Item = AccountId>| {
        let labels: Vec<String> = accounts.map(|account| context.model.label(account)).collect();
        format!("{} {}", if labels.len() == 1 { "account" } else { "accounts" }, list(&labels, 5))
    };
    let mut clauses: Vec<String> = Vec::new();
    if !own.is_empty() {
        let whose = if own.len() == 1 { "its own logs" } else { "their own logs" };
        clauses.push(format!("{} can not read {whose}", named(&mut own.iter().map(|(reader, _)| *reader))));
    }
    for (logs, readers) in by_logs {
        let whose = match logs == reach.logs_of && logs.len() > 1 {
            true => "the logs of every account".to_owned(),
            false => format!("the logs of {}", named(&mut logs.into_iter())),
        };
        clauses.push(format!("{} can not read {whose}", named(&mut readers.into_iter())));
    }
    list(&clauses, 3)
}

/// The path of the logs that they should read, `<account>` for whose where these are several.
fn own_path(context: &Context<'_>, reach: &LogReach, pairs: &[Pair]) -> String {
    let owners: BTreeSet<AccountId> = pairs.iter().map(|(_, logs_of)| *logs_of).collect();
    let is_one = owners.len() == 1;
    let first = owners.into_iter().next();
    let prefix = first.and_then(|account| {
        let own = context.model.own_prefixes(account, &reach.bucket).into_iter().next()?;
        Some(if is_one { own } else { own.replace(account.as_str(), "<account>") })
    });
    format!("{}/{}", reach.arn, prefix.unwrap_or_else(|| "AWSLogs/<account>/".to_owned()))
}

/// Whether the roles of the owner's account are among the inputs, as an export has them; where they are not, one of them may
/// let a reader in.
fn knows_roles(context: &Context<'_>, reach: &LogReach) -> bool {
    reach.owner.is_some_and(|owner| context.estate.lists_roles_of(owner))
}

fn unknown_roles(context: &Context<'_>, reach: &LogReach) -> Gap {
    let owner = reach.owner.map_or_else(|| "the owner".to_owned(), |owner| context.model.label(owner));
    Gap::new(
        "account.roles",
        format!("the roles of {owner} are not in the inputs, and one may let declared readers in"),
    )
}
