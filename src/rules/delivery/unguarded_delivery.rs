use crate::access::delivery::CannedAcl;
use crate::access::search::Answer;
use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::{Destination, at_level, best, objects, service_span};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

/// The keys that tell for whom a service calls.
const GUARDS: [&str; 4] = ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let bucket = Destination::bucket(context, view);
    let mut delivers = false;
    let mut findings = Vec::new();
    for statement in policy.allows() {
        let answer = bucket.through(policy, statement, |delivery| {
            if !delivery.is_of_service() {
                return Answer::No;
            }
            delivers = true;
            let sources = delivery.foreign_sources(bucket.stranger, &|account| bucket.is_ours(account));
            let objects = objects(&bucket.arn, statement, bucket.own_account());
            let calls = objects.iter().flat_map(|(_, object)| sources.iter().map(move |source| (object, source)));
            best(calls.map(|(object, source)| delivery.put(object, source, CannedAcl::BucketOwnerFullControl)))
        });
        findings.extend(answer.and_then(|answer| finding(view, &bucket, statement, &answer)));
    }
    Ok(if delivers { Verdict::of(findings) } else { Verdict::NotApplicable })
}

fn finding(
    view: &BucketView<'_>,
    bucket: &Destination<'_, '_>,
    statement: &Statement,
    answer: &Answer,
) -> Option<Draft> {
    let found = answer.found()?;
    let guard = statement.conditions.iter().find(|clause| GUARDS.iter().any(|key| clause.key.is(key)));
    let (span, label, whose) = match guard {
        Some(clause) => (clause.span, "trails of other accounts meet this too", "for trails that are not yours"),
        None => {
            (service_span(statement), "CloudTrail delivers for every AWS customer", "for a trail of any AWS account")
        }
    };
    let draft = Finding::at(span, label)
        .message(format!("CloudTrail can write to `{}` {whose}", view.subject.name))
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(bucket.unless(found))
        .help(
            "name your trails: \"Condition\": {\"StringEquals\": {\"aws:SourceArn\": \"the ARN of the trail\"}}; that of \
             an organization trail lies in the management account",
        );
    Some(at_level(draft, Level::Warning, answer))
}
