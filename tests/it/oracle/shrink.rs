//! Smaller estates on which the two still disagree in the same way.

use serde_json::Value;

/// Takes away files, statements, conditions and values one at a time, as long as `differs` holds.
pub(crate) fn shrink(mut plan: Value, differs: &dyn Fn(&Value) -> bool) -> Value {
    loop {
        let mut places = Vec::new();
        walk(&plan, &mut Vec::new(), &mut places);
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

fn walk(value: &Value, here: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let items: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(number, inner)| (number.to_string(), inner)).collect(),
        _ => return,
    };
    for (key, inner) in items {
        here.push(key);
        if here.len() > 1 {
            places.push(here.clone());
        }
        walk(inner, here, places);
        here.pop();
    }
}

fn at<'v>(value: &'v Value, place: &[String]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

fn without(plan: &Value, place: &[String]) -> Value {
    let mut plan = plan.clone();
    let (last, path) = place.split_last().unwrap();
    let mut at = &mut plan;
    for step in path {
        at = match at {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            other => &mut other[step.as_str()],
        };
    }
    match at {
        Value::Array(items) => {
            items.remove(last.parse().unwrap());
        }
        Value::Object(members) => {
            members.shift_remove(last);
        }
        _ => {}
    }
    plan
}
