use crate::estate::{Known, Trail};
use crate::finding::Finding;
use crate::rule::context::Context;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trails::log_bucket;

pub(in crate::rules) const CHECK: Check = Check::trails(check);

fn check(context: &Context<'_>, trail: &Trail) -> Outcome {
    if log_bucket(context, trail)?.is_none() {
        return Ok(Verdict::NotApplicable);
    }
    let span = match &trail.is_multi_region {
        Known::Present(true, _) => return Ok(Verdict::Pass),
        Known::Present(false, span) | Known::Absent(span) => *span,
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let only = match &trail.home_region {
        Some(region) => format!("of `{region}` only"),
        None => "of one Region only".to_owned(),
    };
    let finding = Finding::at(span, "what is done in other Regions leaves no trace here")
        .message(format!("trail `{}` logs the events {only}", trail.name))
        .help("make it a trail of all Regions; it keeps its name, its bucket and the logs that are there");
    Ok(Verdict::of(vec![finding]))
}
