//! Places in a JSON value, for tests that look for a smaller one.

use serde_json::Value;

/// A place in a value: keys and indices as text.
pub(crate) type Place = Vec<String>;

/// Every place that can be taken away on its own: `may_go` is told a place and the object or list that it is in.
pub(crate) fn places(value: &Value, may_go: &dyn Fn(&[String], &Value) -> bool) -> Vec<Place> {
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), may_go, &mut found);
    found
}

fn walk(value: &Value, here: &mut Place, may_go: &dyn Fn(&[String], &Value) -> bool, found: &mut Vec<Place>) {
    let items: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(number, inner)| (number.to_string(), inner)).collect(),
        _ => return,
    };
    for (key, inner) in items {
        here.push(key);
        if may_go(here, value) {
            found.push(here.clone());
        }
        walk(inner, here, may_go, found);
        here.pop();
    }
}

/// What stands in a place.
pub(crate) fn at<'v>(value: &'v Value, place: &[String]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// The value without what stands in a place.
pub(crate) fn without(value: &Value, place: &[String]) -> Value {
    let mut value = value.clone();
    let (last, path) = place.split_last().unwrap();
    let mut at = &mut value;
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
    value
}
