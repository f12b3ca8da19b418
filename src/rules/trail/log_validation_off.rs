use crate::estate::{Known, Trail};
use crate::finding::Finding;
use crate::rule::context::Context;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trails::log_bucket;

pub(in crate::rules) const CHECK: Check = Check::trails(check);

fn check(context: &Context<'_>, trail: &Trail) -> Outcome {
    let Some(bucket) = log_bucket(context, trail)? else { return Ok(Verdict::NotApplicable) };
    let span = match &trail.validates_log_files {
        Known::Present(true, _) => return Ok(Verdict::Pass),
        Known::Present(false, span) | Known::Absent(span) => *span,
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let finding = Finding::at(span, "nothing shows whether a log file was changed or taken away")
        .message(format!("trail `{}` writes no digest files for the logs in `{bucket}`", trail.name))
        .help("turn on log file validation; CloudTrail then signs a digest file every hour, beside the logs");
    Ok(Verdict::of(vec![finding]))
}
