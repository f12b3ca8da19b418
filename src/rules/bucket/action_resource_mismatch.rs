use crate::aws::services::{self, Action};
use crate::finding::{Finding, Level};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::idle;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut findings = Vec::new();
    for statement in policy.effective() {
        let Some((actions, resources)) = idle::listed(statement) else { continue };
        let idle = idle::actions(actions, resources);
        let Some(first) = idle.first() else { continue };
        if idle.len() == actions.items.len() {
            let what = match &*actions.items {
                [one] => format!("`{}` applies", one.raw()),
                items => format!("none of these {} actions applies", items.len()),
            };
            let not = if actions.items.len() == 1 { "to no resource of its statement" } else { "to its resources" };
            let span = if let [one] = &*resources.items { one.span } else { resources.span };
            let message = format!("{what} {not}, so that the statement does nothing");
            let draft = Finding::at(span, needs(first.raw())).message(message).statement(statement);
            findings.push(draft.related(actions.span, "the actions").help(help(first.raw())));
            continue;
        }
        for action in idle {
            let message = format!("`{}` applies to no resource of its statement", action.raw());
            let draft = Finding::at(action.span, needs(action.raw())).message(message).level(Level::Warning);
            let draft = draft.statement(statement).about(action.raw().to_ascii_lowercase());
            findings.push(draft.related(resources.span, "the resources").help(help(action.raw())));
        }
    }
    Ok(Verdict::of(findings))
}

/// The kinds of resource that the actions of an entry work on, of those a bucket policy can name.
fn kinds(pattern: &str) -> (bool, bool) {
    let takes = |action: &Action, kind: &str| action.resource_types.iter().any(|used| used.resource_type.name == kind);
    let any = |kind: &str| services::expand(pattern).any(|action| takes(action, kind));
    (any("bucket"), any("object"))
}

fn needs(pattern: &str) -> String {
    match kinds(pattern) {
        (true, true) => format!("`{pattern}` works on buckets and objects"),
        (true, false) => format!("`{pattern}` works on buckets"),
        (false, true) => format!("`{pattern}` works on objects"),
        (false, false) => format!("`{pattern}` works on no bucket and no object"),
    }
}

fn help(pattern: &str) -> &'static str {
    match kinds(pattern) {
        (true, _) => "allow it on the ARN of the bucket, `arn:aws:s3:::bucket`, in a statement of its own",
        (false, true) => "allow it on objects, `arn:aws:s3:::bucket/prefix/*`, in a statement of its own",
        (false, false) => "take it out: a bucket policy can not grant it",
    }
}
