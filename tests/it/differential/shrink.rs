//! Smaller cases on which the two still disagree.

use serde_json::Value;

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

/// A place in a case: keys and indices as text.
type Place = Vec<String>;

/// Every place that can be taken away on its own.
fn removals(case: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    walk(case, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, here: &mut Place, found: &mut Vec<Place>) {
    let inside = |key: String, inner: &Value, removable: bool, here: &mut Place, found: &mut Vec<Place>| {
        here.push(key);
        if removable {
            found.push(here.clone());
        }
        walk(inner, here, found);
        here.pop();
    };
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                let last = here.last().map(String::as_str);
                let alone = matches!(last, Some("Principal" | "NotPrincipal")) && members.len() == 1;
                inside(key.clone(), inner, !NEEDED.contains(&key.as_str()) && !alone, here, found);
            }
        }
        Value::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                inside(number.to_string(), inner, items.len() > 1, here, found);
            }
        }
        _ => {}
    }
}

fn without(case: &Value, place: &[String]) -> Value {
    let mut case = case.clone();
    let (last, path) = place.split_last().unwrap();
    let mut at = &mut case;
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
    case
}
