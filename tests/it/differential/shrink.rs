//! Smaller cases on which the two still disagree.

use serde_json::Value;

use crate::support::places::{Place, places, without};

/// Elements without which a case is no case.
const NEEDED: [&str; 16] = [
    "id",
    "request",
    "principal",
    "action",
    "resource",
    "resource_account",
    "Version",
    "Statement",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "s3_restrict_public_buckets",
];

/// Takes away statements, conditions, values, policies and keys, one at a time, as long as `differs` says that the case is
/// still one; it is asked of many cases at once.
pub(crate) fn shrink(mut cases: Vec<Value>, differs: &dyn Fn(&[Value]) -> Vec<bool>) -> Vec<Value> {
    loop {
        let mut candidates = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            candidates.extend(removals(case).into_iter().map(|place| (number, without(case, &place))));
        }
        let asked: Vec<Value> = candidates.iter().map(|(_, case)| case.clone()).collect();
        let mut best: Vec<Option<Value>> = vec![None; cases.len()];
        for ((number, case), differs) in candidates.into_iter().zip(differs(&asked)) {
            let length = |case: &Value| case.to_string().len();
            if differs && best[number].as_ref().is_none_or(|best| length(&case) < length(best)) {
                best[number] = Some(case);
            }
        }
        if best.iter().all(Option::is_none) {
            return cases;
        }
        for (case, best) in cases.iter_mut().zip(best) {
            if let Some(smaller) = best {
                *case = smaller;
            }
        }
    }
}

/// Every place that can be taken away on its own.
fn removals(case: &Value) -> Vec<Place> {
    places(case, &|place, within| match (within, place) {
        (Value::Object(members), [above @ .., key]) => {
            let is_principal = matches!(above.last().map(String::as_str), Some("Principal" | "NotPrincipal"));
            let is_alone = is_principal && members.len() == 1;
            !NEEDED.contains(&key.as_str()) && !is_alone
        }
        (Value::Array(items), _) => items.len() > 1,
        _ => false,
    })
}
