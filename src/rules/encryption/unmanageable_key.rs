use std::sync::Arc;

use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::bucket::key_facts;
use crate::access::evaluate::{Policies, Side};
use crate::access::request::Caller;
use crate::access::search::{Answer, Question, principals_of};
use crate::aws::{AccountId, Arn};
use crate::estate::{Gap, KeyManager};
use crate::finding::{Draft, Finding};
use crate::policy::pattern::has_wildcard;
use crate::policy::template::{Lookup, Match};
use crate::policy::{Effect, Policy, Principal, Statement};
use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::names_cloudtrail;

pub(in crate::rules) const CHECK: Check = Check { takes_a_denial: true, ..Check::keys(check) };

/// What it takes to administer a key: whoever may change its policy may give itself all else.
const ADMINISTERS: &str = "kms:PutKeyPolicy";

fn check(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    if key_facts(view.key).manager == Some(KeyManager::Aws) {
        return Ok(Verdict::NotApplicable);
    }
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    // Whether a statement that does nothing, or may do nothing, was meant to let somebody administer the key.
    let mut is_meant = false;
    for statement in policy.effective().filter(|statement| !delivers(statement)) {
        let nothing = does_nothing(view, statement);
        if nothing != Ok(false) {
            is_meant |= statement.effect == Effect::Allow && statement.covers_action(ADMINISTERS);
        }
        match nothing {
            Ok(true) => findings.push(elsewhere(view, statement)),
            Ok(false) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    let undecided = |reason: &'static str| Gap::new("key.policy", reason);
    match view.key.account.or_else(|| context.model.owner()) {
        Some(owner) => match administers(context, view, policy, owner) {
            Answer::Yes(_) | Answer::If(_) => {}
            Answer::Undecided => gaps.push(undecided(GIVEN_UP)),
            Answer::No if policy.has_invalid_statement() => {
                gaps.push(undecided("a statement that can not be evaluated may let the account in"));
            }
            // The owner of the logs need not be that of the key.
            Answer::No if view.key.account.is_none() && others(policy).next().is_some() => {
                gaps.push(Gap::not_collected("key.account"));
            }
            // That statement is the deviation then, or its gap the open question.
            Answer::No if is_meant => {}
            Answer::No => findings.push(unmanaged(context, view, policy, owner)),
        },
        None => gaps.push(Gap::not_collected("key.account")),
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The statements that let some account administer the key.
fn others(policy: &Policy) -> impl Iterator<Item = &Statement> {
    let names_account = |statement: &&Statement| {
        let mut entries = statement.principals.iter().flat_map(|principals| &principals.entries);
        entries.any(|entry| entry.principal.account().is_some() || entry.principal == Principal::Everyone)
    };
    policy.allows().filter(|statement| statement.covers_action(ADMINISTERS)).filter(names_account)
}

/// Whether some principal of the owner's account can change the policy; its identity policies are taken to allow it.
fn administers(context: &Context<'_>, view: &KeyView<'_>, policy: &Policy, owner: AccountId) -> Answer {
    let arn = view.arn();
    let resource = [policy];
    let is_management = Some(owner) == context.model.management();
    let rcp = if is_management { Vec::new() } else { context.rcp(Some(owner)) };
    let rcp = [rcp.iter().map(Arc::as_ref).collect::<Vec<_>>()];
    let mut callers = vec![Caller::Root(owner)];
    callers.extend(principals_of(owner, rcp.iter().flatten().copied().chain([policy])));
    let policies = Policies {
        identity: Side::Granted("the identity policies of the account allow it"),
        resource: Side::Policies(&resource),
        rcp: &rcp,
        ..Policies::default()
    };
    let fixed = context.membership(owner).keys().into_iter().next().unwrap_or_default();
    let resource = arn.as_str().into();
    let question = Question { callers, action: ADMINISTERS, resource, resource_account: Some(owner), policies, fixed };
    question.ask(&Allowance::of_rule())
}

fn unmanaged(context: &Context<'_>, view: &KeyView<'_>, policy: &Policy, owner: AccountId) -> Draft {
    let owner = context.model.label(owner);
    let message = format!("nobody in account {owner} can change the policy of log key `{}`", view.subject.name);
    Finding::at(policy.span, format!("no statement gives anyone there `{ADMINISTERS}`"))
        .message(message)
        .about(ADMINISTERS)
        .help(
            "add the statement that KMS writes by default: allow `kms:*` on `*` to the root of the account; if nobody is left \
             who can, AWS Support has to help",
        )
}

/// Whether a statement speaks of other resources than this key alone.
///
/// # Errors
/// A gap where it names a key, and the ARN of this one is not known.
fn does_nothing(view: &KeyView<'_>, statement: &Statement) -> Result<bool, Gap> {
    let Some(resources) = &statement.resources else { return Ok(false) };
    let is_key =
        |text: &str| Arn::parse(text).is_some_and(|arn| arn.service == "kms" && arn.resource_of("key").is_some());
    // A key by name is the one that stands for this, and says nothing of it.
    let is_open = |text: &str| view.key.arn.is_none() && is_key(text) && !has_wildcard(text);
    let arn = view.arn();
    let known = resources.items.iter().filter(|item| !is_open(item.raw()));
    let mut matches = known.map(|item| item.matches_arn(&arn, &|_| Lookup::Unknown));
    let is_settled = match resources.negated {
        true => matches.any(|met| met == Match::Yes),
        false => matches.any(|met| matches!(met, Match::Yes | Match::Unknown)),
    };
    if !is_settled && view.key.arn.is_none() && resources.items.iter().any(|item| is_key(item.raw())) {
        return Err(Gap::new("key.arn", "not in the inputs").at([resources.span]));
    }
    Ok(is_settled == resources.negated)
}

fn elsewhere(view: &KeyView<'_>, statement: &Statement) -> Draft {
    let span = statement.resources.as_ref().map_or(statement.span, |resources| resources.span);
    let message = format!(
        "a statement of the policy of log key `{}` does nothing: its `Resource` is not this key",
        view.subject.name
    );
    Finding::at(span, "neither `*` nor the ARN of this key")
        .message(message)
        .statement(statement)
        .about("resource")
        .help("write \"Resource\": \"*\": in a key policy that is the key itself")
}

/// Whether a statement is for CloudTrail's deliveries, which are `missing-key-delivery-grant`.
fn delivers(statement: &Statement) -> bool {
    names_cloudtrail(statement)
        && (statement.covers_action("kms:GenerateDataKey") || statement.covers_action("kms:DescribeKey"))
}
