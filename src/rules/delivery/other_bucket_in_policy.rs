use std::collections::BTreeMap;

use crate::access::pattern_set::arns_overlap;
use crate::aws::{Arn, partition_of};
use crate::finding::{Finding, SubjectKind};
use crate::policy::pattern::has_wildcard;
use crate::policy::{Policy, PolicyKind};
use crate::rule::context::{BucketView, Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check { bucket: Some(is_known), ..Check::documents(check) };

/// Whether the policy of a log bucket is known at all; one that is known is a document.
fn is_known(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    view.policy().map(|_| Verdict::NotApplicable)
}

fn check(_: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    if view.policy.kind != PolicyKind::Bucket {
        return Ok(Verdict::NotApplicable);
    }
    let known = view.subject.arn.as_deref().filter(|_| view.subject.kind == SubjectKind::Bucket);
    let known = known.and_then(|arn| Arn::parse(arn)?.bucket()).map(str::to_owned);
    // Of a policy whose bucket nothing tells, the bucket that most of it speaks of is the one.
    let Some(own) = known.clone().or_else(|| most_named(view.policy)) else { return Ok(Verdict::NotApplicable) };
    let arn = own_arn(view, &own);
    let mut findings = Vec::new();
    for statement in &view.policy.statements {
        let mut others: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let resources = statement.resources.iter().filter(|resources| !resources.negated);
        for item in resources.flat_map(|resources| &resources.items) {
            if !is_of_bucket(item.raw(), &own) {
                let what = Arn::parse(item.raw()).and_then(|arn| arn.bucket()).unwrap_or(item.raw());
                others.entry(what.to_owned()).or_default().push(item.span);
            }
        }
        for (other, spans) in others {
            let Some((first, more)) = spans.split_first() else { continue };
            let message = match &known {
                Some(_) => format!("the policy of bucket `{own}` names `{other}`, which is not this bucket"),
                None => format!("one bucket policy names both `{own}` and `{other}`"),
            };
            let finding = Finding::at(*first, "S3 refuses a policy that names another resource")
                .message(message)
                .statement(statement)
                .about(other.as_str())
                .help(format!("name `{arn}` or `{arn}/*`, and move the rest to the policy of its own bucket"));
            findings
                .push(more.iter().fold(finding, |finding, span| finding.related(*span, format!("`{other}` again"))));
        }
    }
    Ok(Verdict::of(findings))
}

/// The ARN of the bucket, in the partition of the policy.
fn own_arn(view: &DocumentView<'_>, own: &str) -> String {
    let resources = view.policy.statements.iter().filter_map(|statement| statement.resources.as_ref());
    let first = resources.flat_map(|resources| &resources.items).find(|item| is_of_bucket(item.raw(), own));
    format!("arn:{}:s3:::{own}", first.map_or("aws", |item| partition_of(item.raw())))
}

/// Whether a `Resource` pattern can mean the bucket or an object in it, whatever the partition.
fn is_of_bucket(pattern: &str, bucket: &str) -> bool {
    let arn = format!("arn:{}:s3:::{bucket}", partition_of(pattern));
    arns_overlap(pattern, &arn) || arns_overlap(pattern, &format!("{arn}/*"))
}

/// The bucket that most entries name, of several the first.
fn most_named(policy: &Policy) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let resources = policy.statements.iter().filter_map(|statement| statement.resources.as_ref());
    for item in resources.flat_map(|resources| &resources.items) {
        let Some(name) = Arn::parse(item.raw()).and_then(|arn| arn.bucket()) else { continue };
        if has_wildcard(name) || name.contains("${") {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts.iter().find(|(_, count)| *count == most).map(|(name, _)| (*name).to_owned())
}
