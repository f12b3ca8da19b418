use std::collections::BTreeMap;

use crate::access::reach::{LogReach, Reached};
use crate::aws::AccountId;
use crate::estate::{Gap, Key};
use crate::finding::matrix::{Ability, Certainty};
use crate::finding::{Draft, Finding, StepEffect};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context, key_subject};
use crate::rule::role::{RolePolicy, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::leaks;
use crate::rules::shared::reading::{self, Standing, has};
use crate::rules::shared::trust;
use crate::rules::shared::words::list;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(leaks::ready), takes_a_denial: true, ..Check::NOTHING };

/// The key the logs of a bucket are under, where the inputs have it with its policy and it is one that can be used.
fn key_of<'c>(context: &'c Context<'_>, reach: &LogReach) -> Option<&'c Key> {
    let arn = reach.key.as_deref()?;
    let key = context.estate.keys.iter().find(|key| key.arn.as_deref() == Some(arn))?;
    let state = key.metadata.present().and_then(|metadata| metadata.state.as_ref());
    // What is disabled or to be deleted is `unusable-key`.
    (state.is_none_or(|state| state.value == "Enabled") && key.policy.present().is_some()).then_some(key)
}

/// Accounts that read by the bucket policy and that the key keeps out.
fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(reach) = leaks::reach_of(context, view) else { return Ok(Verdict::NotApplicable) };
    let Some(key) = key_of(context, reach) else { return Ok(Verdict::NotApplicable) };
    let (mut lacking, mut gaps): (Vec<(AccountId, &Reached)>, Vec<Gap>) = (Vec::new(), Vec::new());
    let place = key.policy.span().unwrap_or(key.span);
    for reader in reach.accounts() {
        let Some(account) = reader.account.filter(|account| Some(*account) != reach.owner) else { continue };
        let given = context.model.logs_of(account, &reach.bucket);
        let logs = reader.told_apart(false).into_iter().filter(|logs_of| given.includes(*logs_of));
        let rest = reach.logs_of.iter().find(|logs_of| given.includes(**logs_of)).copied();
        let standings = logs.chain(rest).map(|logs_of| (logs_of, stands(reach, reader, logs_of)));
        for (logs_of, standing) in standings {
            match standing {
                // A role that it can assume may help.
                Some(Standing::Refused) if reader.access(Some(logs_of), Ability::Decrypt, true).is_none() => {
                    lacking.push((account, reader));
                    break;
                }
                Some(Standing::Open(facts)) => gaps.extend(facts.into_iter().map(|fact| reading::gap(fact, place))),
                _ => {}
            }
        }
    }
    gaps.sort();
    gaps.dedup();
    let draft = (!lacking.is_empty()).then(|| {
        let labels: Vec<String> = lacking.iter().map(|(account, _)| context.model.label(*account)).collect();
        let noun = if labels.len() == 1 { "account" } else { "accounts" };
        let message = format!(
            "{noun} {} may fetch logs from log bucket `{}`, and the key policy does not let {} decrypt them",
            list(&labels, 5),
            view.subject.name,
            if labels.len() == 1 { "it" } else { "them" },
        );
        let draft = Finding::at(place, "no statement here lets it decrypt").message(message);
        let draft = draft.subject(key_subject(context.estate, key)).about(view.subject.id().to_owned());
        let read = lacking.first().and_then(|(_, reader)| statement_of(reader));
        let draft = match read {
            Some(span) => draft.related(span, "this lets it fetch"),
            None => draft,
        };
        let accounts: Vec<String> = lacking.iter().map(|(account, _)| format!("\"{account}\"")).collect();
        draft.help(format!(
            "add to the key policy: {{\"Effect\": \"Allow\", \"Principal\": {{\"AWS\": [{}]}}, \"Action\": \"kms:Decrypt\", \
             \"Resource\": \"*\"}}",
            list(&accounts, accounts.len()).replace(" and ", ", ")
        ))
    });
    Ok(Verdict::with_gaps(draft.into_iter().collect(), gaps))
}

/// How an account stands to decrypting what it certainly fetches by itself; `None` where it does not fetch.
fn stands<'c>(reach: &LogReach, reader: &'c Reached, logs_of: AccountId) -> Option<Standing<'c>> {
    let fetch = reader.access(Some(logs_of), Ability::Get, false)?;
    (fetch.certainty == Certainty::Certain).then(|| has(reach, reader, Some(logs_of), Ability::Decrypt, false))
}

/// The statement by which it fetches.
fn statement_of(reader: &Reached) -> Option<Span> {
    let mut any = reader.told_apart(false).into_iter().map(Some).chain([None]);
    let fetch = any.find_map(|logs_of| reader.access(logs_of, Ability::Get, false))?;
    let allows = |step: &&crate::finding::Step| step.effect == StepEffect::Allows;
    fetch.path.iter().flat_map(|hop| &hop.steps).filter(allows).find_map(|step| step.span)
}

/// A sharing role that fetches logs and has no leave to decrypt them.
fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let (mut findings, mut gaps): (Vec<Draft>, Vec<Gap>) = (Vec::new(), Vec::new());
    let arn = role.arn();
    for reach in context.log_reaches() {
        let (Some(reader), Some(key)) = (reach.role(&arn), key_of(context, reach)) else { continue };
        let told_apart = reader.told_apart(false);
        let other = reach.logs_of.iter().find(|logs_of| !told_apart.contains(logs_of)).copied();
        let all: Vec<AccountId> = told_apart.iter().copied().chain(other).collect();
        let mut by_statement: BTreeMap<Span, (&RolePolicy, &Statement)> = BTreeMap::new();
        for logs_of in all {
            match stands(reach, reader, logs_of) {
                Some(Standing::Refused) => {}
                Some(Standing::Open(facts)) => {
                    gaps.extend(facts.iter().filter(|fact| !fact.starts_with("role.")).map(|fact| {
                        reading::gap(fact, role.role.span)
                    }));
                    if facts.iter().any(|fact| fact.starts_with("role.")) {
                        gaps.extend(role.missing.iter().cloned());
                    }
                    continue;
                }
                _ => continue,
            }
            let Some(fetch) = reader.access(Some(logs_of), Ability::Get, false) else { continue };
            let spans: Vec<Span> = fetch.path.iter().flat_map(|hop| &hop.steps).filter_map(|step| step.span).collect();
            let own = role.policies.iter().flat_map(|policy| policy.policy.allows().map(move |one| (policy, one)));
            for (policy, statement) in own.filter(|(_, statement)| spans.contains(&statement.span)) {
                by_statement.entry(statement.span).or_insert((policy, statement));
            }
        }
        let Some((_, (policy, statement))) = by_statement.into_iter().next() else { continue };
        let name = key.arn.as_ref().unwrap_or(&key.name);
        let message = format!(
            "role `{}` may fetch logs from log bucket `{}`, and nothing lets it decrypt them under their key",
            role.subject.name, reach.bucket
        );
        let is_nowhere = matches!(policy.origin, crate::rule::role::Origin::BuiltIn(_));
        let span = if is_nowhere { policy.span } else { statement.span };
        let draft = Finding::at(span, "this lets it fetch").message(message).about(reach.bucket.as_str());
        let draft = if is_nowhere { draft } else { draft.statement(statement) };
        let draft = draft.related(key.policy.span().unwrap_or(key.span), "the policy of the key");
        findings.push(draft.help(format!(
            "give the role {{\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\", \"Resource\": \"{name}\"}}, and see that the key \
             policy lets the policies of {} decide, or names the role",
            trust::accounts(context, key.account)
        )));
    }
    gaps.sort();
    gaps.dedup();
    Ok(Verdict::with_gaps(findings, gaps))
}
