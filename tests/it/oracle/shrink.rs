//! Smaller estates on which the two still disagree in the same way.

use serde_json::Value;

use crate::support::places::{at, places, without};

/// Takes away files, statements, conditions and values one at a time, as long as `differs` holds.
pub(crate) fn shrink(mut plan: Value, differs: &dyn Fn(&Value) -> bool) -> Value {
    loop {
        let mut places = places(&plan, &|place, _| place.len() > 1);
        // The largest first.
        places.sort_by_key(|place| std::cmp::Reverse(at(&plan, place).map_or(0, |value| value.to_string().len())));
        let before = plan.clone();
        for place in places {
            // What was taken away before may have held it, or moved it.
            if at(&plan, &place).is_some() {
                let smaller = without(&plan, &place);
                if differs(&smaller) {
                    plan = smaller;
                }
            }
        }
        if plan == before {
            return plan;
        }
    }
}
