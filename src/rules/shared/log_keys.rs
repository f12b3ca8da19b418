//! Keys that trails name and that the inputs do not have.

use crate::aws::Arn;
use crate::estate::Gap;

/// The gap of a key that the inputs do not have, by how it is configured; `None` where AWS manages it, as its policy is
/// known then.
pub(in crate::rules) fn not_in_inputs(reference: &str) -> Option<Gap> {
    let name = Arn::parse(reference).map_or(reference, |arn| arn.resource);
    let gap = || Gap::new("key.policy", format!("the policy of key `{reference}` is not in the inputs"));
    (!name.starts_with("alias/aws/")).then(gap)
}
