use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::outsiders::{self, Door};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    match Door::of_bucket(context, view)? {
        Some(door) => outsiders::bypassable(context, &door),
        None => Ok(Verdict::NotApplicable),
    }
}
