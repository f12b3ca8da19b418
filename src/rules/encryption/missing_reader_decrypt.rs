use std::collections::BTreeMap;

use crate::access::evaluate::{Explanation, StopKind};
use crate::access::reach::Reached;
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::matrix::Ability;
use crate::finding::{Draft, Finding};
use crate::policy::{PolicyKind, Statement};
use crate::rule::context::{BucketView, Context, key_subject};
use crate::rule::role::{Origin, RolePolicy, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::hindrance::Hindrance;
use crate::rules::shared::reading::{self, Standing};
use crate::rules::shared::undeciphered::{given_logs, is_given, is_of_role, key_of, stands, statement_of, stop_of};
use crate::rules::shared::words::{list, quoted};
use crate::rules::shared::{leaks, trust};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check {
    bucket: Some(bucket),
    role: Some(role),
    estate: Some(leaks::ready),
    takes_a_denial: true,
    ..Check::NOTHING
};

/// Those who may fetch and not decrypt for one cause.
struct Lacking<'c, 'a> {
    hindrance: Hindrance<'c, 'a>,
    explanation: &'c Explanation,
    accounts: Vec<AccountId>,
    roles: Vec<String>,
    fetch: Option<Span>,
}

/// Accounts that read by the bucket policy and do not decrypt, and roles that something keeps from it which is not theirs.
fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(reach) = leaks::reach_of(context, view) else { return Ok(Verdict::NotApplicable) };
    let key = match key_of(context, reach) {
        Ok(Some(key)) => key,
        Err(gap) if reach.accounts().any(|reader| is_given(context, reach, reader)) => return Err(gap),
        Ok(None) | Err(_) => return Ok(Verdict::NotApplicable),
    };
    let policy = key.policy.present().map(|document| context.policy(document));
    let place = key.policy.span().unwrap_or(key.span);
    let mut gaps: Vec<Gap> = Vec::new();
    let mut lacking: Vec<(Result<AccountId, String>, &Reached)> = Vec::new();
    for reader in reach.accounts() {
        let Some(account) = reader.account.filter(|account| Some(*account) != reach.owner) else { continue };
        for logs_of in given_logs(context, reach, reader, account) {
            match stands(reach, reader, logs_of) {
                // A role that it can assume may help.
                Some(Standing::Refused) if reader.access(Some(logs_of), Ability::Decrypt, true).is_none() => {
                    lacking.push((Ok(account), reader));
                    break;
                }
                Some(Standing::Open(facts)) => gaps.extend(facts.into_iter().map(|fact| reading::gap(fact, place))),
                _ => {}
            }
        }
    }
    for role in context.sharing_roles() {
        let reader = reach.role(&role.arn()).filter(|reader| stop_of(reader).is_some_and(|kind| !is_of_role(kind)));
        lacking.extend(reader.map(|reader| (Err(role.subject.name.clone()), reader)));
    }
    let mut by_cause: BTreeMap<(Span, StopKind), Lacking<'_, '_>> = BTreeMap::new();
    for (who, reader) in lacking {
        let Some((explanation, stop)) = reader.undeciphered.as_ref().and_then(|one| Some((one, one.stop()?))) else {
            continue;
        };
        let hindrance = Hindrance { context, policy: policy.as_deref(), stop, role: None };
        if hindrance.is_told_elsewhere(Some(view)) {
            continue;
        }
        let at = hindrance.place().unwrap_or(place);
        let fetch = statement_of(reader);
        let new = || Lacking { hindrance, explanation, accounts: Vec::new(), roles: Vec::new(), fetch };
        let of = by_cause.entry((at, stop.kind)).or_insert_with(new);
        match who {
            Ok(account) => of.accounts.push(account),
            Err(role) => of.roles.push(role),
        }
    }
    gaps.sort();
    gaps.dedup();
    let findings = by_cause.iter().map(|((at, _), of)| {
        finding(context, view, *at, of).subject(key_subject(context.estate, key)).about(view.subject.id().to_owned())
    });
    Ok(Verdict::with_gaps(findings.collect(), gaps))
}

fn finding(context: &Context<'_>, view: &BucketView<'_>, at: Span, of: &Lacking<'_, '_>) -> Draft {
    let mut accounts = of.accounts.clone();
    accounts.sort_unstable();
    let labels: Vec<String> = accounts.iter().map(|account| context.model.label(*account)).collect();
    let mut who: Vec<String> = Vec::new();
    if !labels.is_empty() {
        who.push(format!("{} {}", if labels.len() == 1 { "account" } else { "accounts" }, list(&labels, 5)));
    }
    if !of.roles.is_empty() {
        who.push(format!("{} {}", if of.roles.len() == 1 { "role" } else { "roles" }, quoted(&of.roles, 5)));
    }
    let several = of.accounts.len() + of.roles.len() > 1;
    let is_nothing = of.hindrance.stop.kind == StopKind::Missing(PolicyKind::Key);
    let (them, bucket) = (if several { "them" } else { "it" }, &view.subject.name);
    let (label, why, help) = if is_nothing {
        let accounts: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
        let help = format!(
            "add to the key policy: {{\"Effect\": \"Allow\", \"Principal\": {{\"AWS\": [{}]}}, \"Action\": \"kms:Decrypt\", \
             \"Resource\": \"*\"}}",
            accounts.join(", ")
        );
        (
            format!("no statement here lets {them} decrypt"),
            format!("the key policy does not let {them} decrypt them"),
            help,
        )
    } else {
        let hindrance = &of.hindrance;
        let why = format!("{them} can not decrypt them: {}", hindrance.why(several));
        let why = why.replacen("them can", "they can", 1);
        (hindrance.label(several), why, hindrance.help("kms:Decrypt", several, &of.explanation.would_take))
    };
    let message = format!("{} may fetch logs from log bucket `{bucket}`, and {why}", list(&who, 2));
    let draft = Finding::at(at, label).message(message).path(of.explanation.steps.iter().cloned()).help(help);
    let draft = if is_nothing { draft } else { of.hindrance.tie(draft) };
    match of.fetch {
        Some(span) => draft.related(span, format!("this lets {them} fetch")),
        None => draft,
    }
}

/// A sharing role that fetches logs and has no leave to decrypt them.
fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let (mut findings, mut gaps): (Vec<Draft>, Vec<Gap>) = (Vec::new(), Vec::new());
    let arn = role.arn();
    for reach in context.log_reaches() {
        let Some(reader) = reach.role(&arn) else { continue };
        let key = match key_of(context, reach) {
            Ok(Some(key)) => key,
            Ok(None) => continue,
            Err(gap) => {
                let fetches = |logs_of| stands(reach, reader, logs_of).is_some();
                gaps.extend(reach.logs_of.iter().any(|logs_of| fetches(*logs_of)).then_some(gap));
                continue;
            }
        };
        let told_apart = reader.told_apart(false);
        let other = reach.logs_of.iter().find(|logs_of| !told_apart.contains(logs_of)).copied();
        let all: Vec<AccountId> = told_apart.iter().copied().chain(other).collect();
        let mut by_statement: BTreeMap<Span, (&RolePolicy, &Statement)> = BTreeMap::new();
        for logs_of in all {
            match stands(reach, reader, logs_of) {
                Some(Standing::Refused) => {}
                Some(Standing::Open(facts)) => {
                    gaps.extend(
                        facts
                            .iter()
                            .filter(|fact| !fact.starts_with("role."))
                            .map(|fact| reading::gap(fact, role.role.span)),
                    );
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
        // What is not the role's own is told of with the key.
        let Some((explanation, stop)) = reader.undeciphered.as_ref().and_then(|one| Some((one, one.stop()?))) else {
            continue;
        };
        let hindrance = Hindrance { context, policy: None, stop, role: Some(role.role) };
        if !is_of_role(stop.kind) || hindrance.is_told_elsewhere(None) {
            continue;
        }
        let name = key.arn.as_ref().unwrap_or(&key.name);
        let is_nothing = matches!(stop.kind, StopKind::Missing(PolicyKind::Identity | PolicyKind::Key));
        if let Some(span) = hindrance.place().filter(|_| !is_nothing) {
            let message = format!(
                "role `{}` may fetch logs from log bucket `{}`, and can not decrypt them: {}",
                role.subject.name,
                reach.bucket,
                hindrance.why(false)
            );
            let help = match stop.kind {
                StopKind::Resource(_) => format!("write `{name}`"),
                _ => hindrance.help("kms:Decrypt", false, &explanation.would_take),
            };
            let draft =
                Finding::at(span, hindrance.label(false)).message(message).about(reach.bucket.as_str()).help(help);
            let draft = draft.path(explanation.steps.iter().cloned()).related(statement.span, "this lets it fetch");
            findings.push(hindrance.tie(draft));
            continue;
        }
        let message = format!(
            "role `{}` may fetch logs from log bucket `{}`, and nothing lets it decrypt them under their key",
            role.subject.name, reach.bucket
        );
        let is_nowhere = matches!(policy.origin, Origin::BuiltIn(_));
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
