use crate::access::allowance::GIVEN_UP;
use crate::access::search::Answer;
use crate::estate::{Gap, Known};
use crate::finding::Finding;
use crate::policy::{Policy, PolicyKind};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::transport::over_http;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

const HELP: &str = "deny `s3:*` on the bucket and its objects to everyone where \
    \"Bool\": {\"aws:SecureTransport\": \"false\"}";

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let name = &view.subject.name;
    let none = view.bucket.policy.span().map(|span| Policy::empty(PolicyKind::Bucket, span));
    let Some(policy) = view.policy()?.or(none.as_ref()) else { return Ok(Verdict::NotApplicable) };
    let answer = over_http(context, view, policy);
    if answer == Answer::Undecided {
        return Err(Gap::new("bucket.policy", GIVEN_UP));
    }
    let Some(found) = answer.found() else { return Ok(Verdict::Pass) };
    if let Known::Absent(span) = view.bucket.policy {
        let message = format!("log bucket `{name}` takes requests over plain HTTP: it has no policy");
        return Ok(Verdict::of(vec![Finding::at(span, "no bucket policy").message(message).help(HELP)]));
    }
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

/// The statement that was meant to deny requests without TLS.
fn partial(policy: &Policy) -> Option<Span> {
    let about_tls = |key: &crate::aws::ConditionKey| key.is("aws:SecureTransport") || key.is("s3:TlsVersion");
    policy.denies().find(|statement| statement.conditions.iter().any(|clause| about_tls(&clause.key))).map(|s| s.span)
}
