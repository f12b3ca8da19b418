use std::collections::BTreeSet;

use compact_str::CompactString;

use crate::access::evaluate::{Policies, Side};
use crate::access::outsiders::covers;
use crate::access::request::{Caller, Given};
use crate::access::search::{Answer, Question, STRANGER, principals_of};
use crate::access::sts::{better, named_accounts};
use crate::aws::AccountId;
use crate::aws::services::{self, Applies, Service};
use crate::estate::{Gap, Known};
use crate::finding::Finding;
use crate::policy::Policy;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

const HELP: &str = "deny `s3:*` on the bucket and its objects to everyone where \
    \"Bool\": {\"aws:SecureTransport\": \"false\"}";

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let name = &view.subject.name;
    let Some(policy) = view.policy()? else {
        let Known::Absent(span) = view.bucket.policy else { return Ok(Verdict::NotApplicable) };
        let message = format!("log bucket `{name}` takes requests over plain HTTP: it has no policy");
        return Ok(Verdict::of(vec![Finding::at(span, "no bucket policy").message(message).help(HELP)]));
    };
    let answer = over_http(context, view, policy);
    if answer == Answer::Undecided {
        return Err(Gap::new("bucket.policy", "its conditions have more combinations than are tried"));
    }
    let Some(found) = answer.found() else { return Ok(Verdict::Pass) };
    let (span, label) = match partial(policy) {
        Some(span) => (span, "this Deny does not meet every request without TLS"),
        None => (policy.span, "no statement denies requests without TLS"),
    };
    let action = &found.witness.action;
    let message = format!("log bucket `{name}` takes requests over plain HTTP, such as `{action}`");
    let draft = Finding::at(span, label).message(message).path(found.explanation.steps.iter().cloned());
    let depends_on = found.explanation.depends_on.iter().cloned();
    Ok(Verdict::of(vec![draft.witness(found.witness.clone()).depends_on(depends_on).help(HELP)]))
}

/// Whether some request without TLS gets through: of the owner's own principals, whom their own policies may let do
/// anything, of an account that the policy lets in, or an unsigned one.
fn over_http(context: &Context<'_>, view: &BucketView<'_>, policy: &Policy) -> Answer {
    let by_denies: Vec<AccountId> = policy.denies().flat_map(named_accounts).collect();
    let by_allows: Vec<AccountId> = policy.allows().flat_map(named_accounts).collect();
    let known = by_denies.iter().chain(&by_allows).copied().chain(context.model.known_accounts());
    let stranger = AccountId::other_than(known);
    let declared = context.model.log_bucket(&view.subject.name).and_then(|bucket| bucket.owner);
    let owner = view.subject.account.or(declared).or(context.model.owner()).unwrap_or(stranger);
    let bucket = view.arn();
    let whole = Http { context, policy, bucket: &bucket, owner: Some(owner) };
    let unsigned = || whole.answer(vec![Caller::Anonymous], Side::None, &[]);
    let own = whole.answer_of(owner);
    let best = if own.is_yes() { own } else { better(own, unsigned()) };
    if best != Answer::No {
        return best;
    }
    // Where the Deny statements stop everyone, it does not matter whom the others let in.
    let mut denies = Policy::empty(policy.kind, policy.span);
    denies.statements.extend(policy.denies().cloned());
    let member = context.model.members().find(|member| !by_denies.contains(member) && *member != owner);
    let stopped = [stranger].into_iter().chain(member).chain(by_denies).all(|account| {
        let alone = Http { context, policy: &denies, bucket: &bucket, owner: Some(account) };
        alone.answer_of(account) == Answer::No
    });
    let accounts: BTreeSet<AccountId> = by_allows.into_iter().chain([stranger]).chain(member).collect();
    match stopped {
        true => Answer::No,
        false => accounts.into_iter().fold(Answer::No, |best, account| match best.is_yes() {
            true => best,
            false => better(best, whole.answer_of(account)),
        }),
    }
}

/// The policy that decides requests without TLS.
struct Http<'h, 'a> {
    context: &'h Context<'a>,
    policy: &'h Policy,
    bucket: &'h str,
    owner: Option<AccountId>,
}

impl Http<'_, '_> {
    /// Whether some principal of an account gets through.
    fn answer_of(&self, account: AccountId) -> Answer {
        let granted = format!("policies of {account} can allow its principals to do that");
        let ways = self.context.membership(account).keys();
        ways.into_iter().fold(Answer::No, |best, keys| {
            let callers = principals_of(account, &[self.policy]);
            if best.is_yes() { best } else { better(best, self.answer(callers, Side::Granted(&granted), &keys)) }
        })
    }

    fn answer(&self, callers: Vec<Caller>, identity: Side<'_>, keys: &[(CompactString, Given)]) -> Answer {
        let mut best = Answer::No;
        let bucket = self.bucket;
        for resource in [format!("{bucket}/AWSLogs/{STRANGER}"), format!("{bucket}/{STRANGER}"), bucket.to_owned()] {
            for action in actions(self.policy, &resource) {
                let mut fixed = keys.to_vec();
                fixed.push(("aws:SecureTransport".into(), Given::Values(vec!["false".into()])));
                fixed.push(("s3:TlsVersion".into(), Given::Absent));
                let policies = [self.policy];
                let question = Question {
                    callers: callers.clone(),
                    action: &action,
                    resource: resource.as_str().into(),
                    resource_account: self.owner,
                    policies: Policies { identity, resource: Side::Policies(&policies), ..Policies::default() },
                    fixed,
                };
                best = better(best, question.ask());
                if best.is_yes() {
                    return best;
                }
            }
        }
        best
    }
}

/// One action on the resource for each set of actions that the policy does not tell apart.
fn actions(policy: &Policy, resource: &str) -> Vec<String> {
    let mut seen: Vec<Vec<bool>> = Vec::new();
    let known = services::service("s3").into_iter().flat_map(Service::actions);
    let mut actions: Vec<String> =
        known.filter(|action| action.applies_to(resource) == Applies::Yes).map(ToString::to_string).collect();
    actions.sort_by_key(|action| !matches!(action.as_str(), "s3:GetObject" | "s3:ListBucket" | "s3:PutObject"));
    actions.retain(|action| {
        let told_apart: Vec<bool> = policy.effective().map(|s| covers(s.actions.as_ref(), action)).collect();
        let is_new = !seen.contains(&told_apart);
        if is_new {
            seen.push(told_apart);
        }
        is_new
    });
    actions
}

/// The statement that was meant to deny requests without TLS.
fn partial(policy: &Policy) -> Option<Span> {
    let about_tls = |key: &crate::aws::ConditionKey| key.is("aws:SecureTransport") || key.is("s3:TlsVersion");
    policy.denies().find(|statement| statement.conditions.iter().any(|clause| about_tls(&clause.key))).map(|s| s.span)
}
