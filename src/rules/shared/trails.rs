//! Whether a trail is one that the rules on trails look at.

use compact_str::CompactString;

use crate::estate::{Bucket, Gap, Trail};
use crate::rule::context::Context;

/// The log bucket that a trail delivers to; `None` where it certainly delivers to none.
///
/// # Errors
/// The gap, where its bucket is not told, or is neither among the inputs nor declared.
pub(in crate::rules) fn log_bucket<'t>(
    context: &Context<'_>,
    trail: &'t Trail,
) -> Result<Option<&'t CompactString>, Gap> {
    let Some(name) = trail.bucket.get()? else { return Ok(None) };
    let is_it = |bucket: &Bucket| bucket.name == *name && bucket.arn().is_some();
    let is_declared = |config: &crate::config::Config| config.log_buckets.iter().any(|b| b.name.value == *name);
    match context.estate.buckets.iter().any(is_it) || context.config.is_some_and(is_declared) {
        true => Ok(Some(name)),
        false => {
            let gap = Gap::new("trail.bucket", format!("bucket `{name}` is not in the inputs"));
            Err(gap.at(trail.bucket.span()))
        }
    }
}
