use crate::estate::{Gap, Trail};
use crate::finding::Finding;
use crate::rule::context::Context;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trails::log_bucket;

pub(in crate::rules) const CHECK: Check = Check::trails(check);

fn check(context: &Context<'_>, trail: &Trail) -> Outcome {
    let Some(bucket) = log_bucket(context, trail)? else { return Ok(Verdict::NotApplicable) };
    let not_told = || Gap::new("trail.status", "there is none").at(trail.status.span());
    let status = trail.status.get()?.ok_or_else(not_told)?;
    let Some(error) = &status.delivery_error else { return Ok(Verdict::Pass) };
    let finding = Finding::at(error.span, "the error of the last attempt")
        .message(format!("trail `{}` can not deliver its logs to `{bucket}`: `{}`", trail.name, error.value))
        .related(trail.span, "the trail")
        .help(
            "mend what the error names, mostly the policy of the bucket or the key; CloudTrail tries again for 30 days \
             and then drops what it holds",
        );
    Ok(Verdict::of(vec![finding]))
}
