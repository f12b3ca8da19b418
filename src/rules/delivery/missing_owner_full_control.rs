use crate::access::delivery::CannedAcl;
use crate::access::search::Answer;
use crate::estate::{Known, ObjectOwnership};
use crate::finding::{Draft, Finding, Level};
use crate::policy::{PrincipalEntry, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::{Destination, at_level, best, legacy_region, objects, service_span};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let bucket = Destination::bucket(context, view);
    let mut delivers = false;
    let mut findings = Vec::new();
    // CloudTrail's old accounts are `legacy-delivery-principal`'s: what is to be mended there is the principal.
    for statement in policy.allows().filter(|statement| !is_legacy_only(statement)) {
        let ask = |acl| {
            let answer = bucket.through(policy, statement, |delivery| {
                let sources = delivery.named_sources(bucket.own_account());
                let objects = objects(&bucket.arn, statement, bucket.own_account());
                let calls = objects.iter().flat_map(|(_, object)| sources.iter().map(move |source| (object, source)));
                best(calls.map(|(object, source)| delivery.put(object, source, acl)))
            });
            answer.unwrap_or(Answer::No)
        };
        // A statement that lets no delivery through can not lack a condition on it.
        if ask(CannedAcl::BucketOwnerFullControl) == Answer::No {
            continue;
        }
        delivers = true;
        findings.extend(finding(view, &bucket, statement, &ask(CannedAcl::Other)));
    }
    Ok(if delivers { Verdict::of(findings) } else { Verdict::NotApplicable })
}

/// Whether all that a statement names are accounts that CloudTrail once delivered from.
fn is_legacy_only(statement: &Statement) -> bool {
    let is_legacy = |entry: &PrincipalEntry| legacy_region(&entry.principal).is_some();
    statement
        .principals
        .as_ref()
        .is_some_and(|p| !p.negated && !p.entries.is_empty() && p.entries.iter().all(is_legacy))
}

fn finding(
    view: &BucketView<'_>,
    bucket: &Destination<'_, '_>,
    statement: &Statement,
    answer: &Answer,
) -> Option<Draft> {
    let found = answer.found()?;
    let ownership = &view.bucket.ownership;
    let level = match ownership {
        Known::Present(ObjectOwnership::BucketOwnerEnforced, _) => Level::Note,
        Known::Present(..) | Known::Absent(_) | Known::Unknown(_) => Level::Warning,
    };
    let clause = statement.conditions.iter().find(|clause| clause.key.is("s3:x-amz-acl"));
    let span = clause.map(|clause| clause.span).or(statement.condition_span).unwrap_or_else(|| service_span(statement));
    let label = match clause {
        Some(_) => "a write without that ACL meets this too",
        None => "does not ask for `s3:x-amz-acl`",
    };
    let draft = Finding::at(span, label)
        .message(format!("CloudTrail can write to `{}` without giving the bucket owner control", view.subject.name))
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(bucket.unless(found))
        .depends_on(ownership.is_unknown().then(|| format!("object ownership of `{}`", view.subject.name)))
        .help("require it: \"StringEquals\": {\"s3:x-amz-acl\": \"bucket-owner-full-control\"}");
    let draft = match ownership {
        Known::Present(ObjectOwnership::BucketOwnerEnforced, _) | Known::Unknown(_) => draft,
        Known::Present(_, span) | Known::Absent(span) => draft.related(*span, "ACLs are in use"),
    };
    Some(at_level(draft, level, answer))
}
