use crate::estate::{Gap, Trail};
use crate::finding::Finding;
use crate::rule::context::Context;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trails::log_bucket;

pub(in crate::rules) const CHECK: Check = Check::trails(check);

fn check(context: &Context<'_>, trail: &Trail) -> Outcome {
    let Some(bucket) = log_bucket(context, trail)? else { return Ok(Verdict::NotApplicable) };
    let not_told = || Gap::new("trail.status", "it does not say whether the trail is logging").at(trail.status.span());
    let is_logging = trail.status.get()?.and_then(|status| status.is_logging.as_ref()).ok_or_else(not_told)?;
    if is_logging.value {
        return Ok(Verdict::Pass);
    }
    let finding = Finding::at(is_logging.span, "nothing is recorded while it is stopped")
        .message(format!("trail `{}` does not log: nothing new reaches `{bucket}` from it", trail.name))
        .related(trail.span, "the trail")
        .help("start it with `aws cloudtrail start-logging`, or delete it if another trail has taken its place");
    Ok(Verdict::of(vec![finding]))
}
