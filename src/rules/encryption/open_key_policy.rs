use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::outsiders::{self, Door};

pub(in crate::rules) const CHECK: Check = Check::keys(check);

fn check(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    match Door::of_key(context, view)? {
        Some(door) => outsiders::missing(context, &door),
        None => Ok(Verdict::NotApplicable),
    }
}
