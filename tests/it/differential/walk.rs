//! Ways through a case: its policies, statements, clauses and context.

use serde_json::{Map, Value, json};
use trailproof::policy::operator::Operator;

/// Hands out every policy with its kind (`identity`, `resource`, …).
pub(crate) fn policies(case: &mut Value, each: &mut dyn FnMut(&str, &mut Value)) {
    let Some(kinds) = case.get_mut("policies").and_then(Value::as_object_mut) else { return };
    for (kind, value) in kinds {
        documents(value, &mut |document| each(kind, document));
    }
}

fn documents(value: &mut Value, each: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| documents(item, each)),
        document => each(document),
    }
}

/// The statements of a policy, as a list in either spelling.
pub(crate) fn statements(document: &mut Value) -> &mut [Value] {
    match document.get_mut("Statement") {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_mut(one),
        None => &mut [],
    }
}

/// Hands out every statement with the kind of its policy and whether variables are substituted there.
pub(crate) fn each_statement(case: &mut Value, each: &mut dyn FnMut(&str, bool, &mut Value)) {
    policies(case, &mut |kind, document| {
        let substitutes = document["Version"] == "2012-10-17";
        for statement in statements(document) {
            each(kind, substitutes, statement);
        }
    });
}

/// A clause of a `Condition`, to read and to change.
pub(crate) struct Clause<'c> {
    pub(crate) operator: Operator,
    pub(crate) key: String,
    pub(crate) substitutes: bool,
    values: &'c mut Value,
}

impl Clause<'_> {
    /// Its values as texts.
    pub(crate) fn texts(&self) -> Vec<String> {
        list(self.values).iter().map(text).collect()
    }

    /// Puts others in their place.
    pub(crate) fn set(&mut self, texts: Vec<String>) {
        *self.values = json!(texts);
    }

    /// Changes each value; whether one is other than before.
    pub(crate) fn map(&mut self, change: impl Fn(&str) -> String) -> bool {
        let before = self.texts();
        let after: Vec<String> = before.iter().map(|text| change(text)).collect();
        let changed = before != after;
        if changed {
            self.set(after);
        }
        changed
    }
}

/// Hands out every clause.
pub(crate) fn each_clause(case: &mut Value, each: &mut dyn FnMut(&mut Clause<'_>)) {
    each_statement(case, &mut |_, substitutes, statement| {
        let blocks = statement.get_mut("Condition").and_then(Value::as_object_mut);
        for (name, block) in blocks.into_iter().flatten() {
            let operator = Operator::parse(name).unwrap();
            for (key, values) in block.as_object_mut().into_iter().flatten() {
                each(&mut Clause { operator, key: key.to_ascii_lowercase(), substitutes, values });
            }
        }
    });
}

/// Takes out every statement that `goes`; whether there was one. A policy left empty gets one about something else.
pub(crate) fn drop_statements(case: &mut Value, goes: &dyn Fn(&str, bool, &Value) -> bool) -> bool {
    let mut dropped = false;
    let trust = case["request"]["action"].as_str().is_some_and(|action| action.starts_with("sts:"));
    policies(case, &mut |kind, document| {
        let substitutes = document["Version"] == "2012-10-17";
        for statement in statements(document) {
            if goes(kind, substitutes, statement) {
                *statement = idle(kind, trust);
                dropped = true;
            }
        }
    });
    dropped
}

/// A statement that no generated request meets.
fn idle(kind: &str, trust: bool) -> Value {
    let mut idle = json!({"Effect": "Deny", "Action": "sts:GetAccessKeyInfo"});
    if matches!(kind, "resource" | "rcp" | "vpce") {
        idle["Principal"] = json!("*");
    }
    if !(kind == "resource" && trust) {
        idle["Resource"] = json!("*");
    }
    idle
}

/// The values that the context gives for a key, or that follow from the caller; `None` where it is absent.
pub(crate) fn context(case: &Value, key: &str) -> Option<Vec<String>> {
    let given = case["request"]["context"].as_object();
    let found = given.and_then(|keys| keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)));
    if let Some((_, value)) = found {
        return Some(list(value).iter().map(text).collect());
    }
    let principal = case["request"]["principal"].as_str()?;
    let account = principal.split(':').nth(4);
    match key {
        "aws:principalaccount" if principal == "anonymous" => Some(vec![principal.to_owned()]),
        "aws:principalaccount" | "kms:calleraccount" => account.map(|account| vec![account.to_owned()]),
        "aws:principalarn" if account.is_some() && !principal.contains(":assumed-role/") => {
            Some(vec![principal.to_owned()])
        }
        _ => None,
    }
}

/// Changes what the context gives for a key; whether a value is other than before.
pub(crate) fn change_context(case: &mut Value, key: &str, change: &dyn Fn(&str) -> String) -> bool {
    let Some(given) = case["request"].get_mut("context").and_then(Value::as_object_mut) else { return false };
    let mut changed = false;
    for (_, value) in given.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(key)) {
        let after = match &*value {
            Value::Array(items) => json!(items.iter().map(|item| change(&text(item))).collect::<Vec<_>>()),
            one => json!(change(&text(one))),
        };
        changed |= after != *value;
        *value = after;
    }
    changed
}

/// The entries of a `Principal` or `NotPrincipal`, and whether it is the latter.
pub(crate) fn principals(statement: &Value) -> Option<(Vec<String>, bool)> {
    let (value, negated) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(value), _) => (value, false),
        (_, Some(value)) => (value, true),
        _ => return None,
    };
    let entries = match value {
        Value::Object(kinds) => kinds.values().flat_map(list).map(|entry| text(&entry)).collect(),
        one => vec![text(one)],
    };
    Some((entries, negated))
}

/// Every text of an element that is one text or a list.
pub(crate) fn texts(statement: &Value, element: &str) -> Vec<String> {
    statement.get(element).map(list).unwrap_or_default().iter().map(text).collect()
}

/// A value as a list of values.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

/// A value as the text that AWS compares.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The members of `policies`, made where they are missing.
pub(crate) fn policies_of(case: &mut Value) -> &mut Map<String, Value> {
    let policies = case.as_object_mut().unwrap().entry("policies").or_insert_with(|| json!({}));
    policies.as_object_mut().unwrap()
}
