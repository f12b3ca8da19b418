//! What a case is about: the caller, the policies, their elements, and which of these stand together.

use serde_json::Value;

use super::super::{walk, world};

/// What the cases of a run must be about.
pub(super) const EXPECTED: &[(&str, &[&str])] = &[
    ("caller", &["anonymous", "federated user", "role session", "root", "service", "user"]),
    ("accounts", &["cross-account", "no account", "no resource", "same account"]),
    ("service", &["cloudtrail", "kms", "s3", "sns", "sqs", "sts"]),
    ("policy", &["boundary", "identity", "rcp", "resource", "scp", "session", "vpce"]),
    ("version", &["2008-10-17", "2012-10-17", "null"]),
    ("element", &["NotAction (Allow)", "NotAction (Deny)", "NotPrincipal (Allow)", "NotPrincipal (Deny)"]),
    ("element", &["NotResource (Allow)", "NotResource (Deny)"]),
    ("principal", &["account by ARN", "account by ID", "everyone", "federated user", "provider", "role"]),
    ("principal", &["service", "session", "unique ID", "user"]),
    ("variable", &["variable in Resource", "variable in NotResource", "variable in Condition"]),
    ("variable", &["with default in Resource", "with default in NotResource", "with default in Condition"]),
    ("variable", &["without value in Resource", "without value in NotResource", "without value in Condition"]),
    ("variable", &["escaped in Resource", "escaped in NotResource", "escaped in Condition"]),
    ("together", &["boundary, same account", "session, same account", "scp, same account", "rcp, same account"]),
    ("together", &["boundary, cross-account", "session, cross-account", "scp, cross-account", "rcp, cross-account"]),
    ("together", &["vpce, same account", "vpce, cross-account"]),
    ("together", &["scp on several levels", "rcp on several levels"]),
    ("together", &["scp and a management account", "rcp and a management account"]),
];

/// The group and the name of everything that a case is about, each once.
pub(super) fn of(case: &Value) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let request = &case["request"];
    let principal = request["principal"].as_str().unwrap_or_default();
    let action = request["action"].as_str().unwrap_or_default();
    let account = principal.split(':').nth(4);
    let kind = match principal {
        "anonymous" => "anonymous",
        _ if account.is_none() => "service",
        _ if principal.ends_with(":root") => "root",
        _ if principal.contains(":user/") => "user",
        _ if principal.contains(":federated-user/") => "federated user",
        _ => "role session",
    };
    found.push(("caller", kind.to_owned()));
    found.push(("service", action.split(':').next().unwrap_or_default().to_owned()));
    let owned = request["resource"].as_str().is_some_and(|resource| resource != "*");
    let accounts = match account {
        _ if !owned => "no resource",
        None => "no account",
        Some(account) if account == world::OWNER => "same account",
        Some(_) => "cross-account",
    };
    found.push(("accounts", accounts.to_owned()));
    for kind in ["boundary", "session", "scp", "rcp", "vpce"] {
        if !case["policies"][kind].is_null() && account.is_some() && owned {
            found.push(("together", format!("{kind}, {accounts}")));
        }
    }
    for kind in ["scp", "rcp"] {
        if case["policies"][kind].as_array().is_some_and(|levels| levels.len() > 1) {
            found.push(("together", format!("{kind} on several levels")));
        }
        if case["policies"][kind].is_array() && !case["settings"]["management_account"].is_null() {
            found.push(("together", format!("{kind} and a management account")));
        }
    }
    let mut case = case.clone();
    walk::policies(&mut case, &mut |kind, document| {
        found.push(("policy", kind.to_owned()));
        found.push(("version", walk::text(&document["Version"])));
    });
    walk::each_statement(&mut case, &mut |_, _, statement| {
        for element in ["NotPrincipal", "NotAction", "NotResource"] {
            if statement.get(element).is_some() {
                found.push(("element", format!("{element} ({})", walk::text(&statement["Effect"]))));
            }
        }
        for place in ["Resource", "NotResource", "Condition"] {
            let text = statement.get(place).map(Value::to_string).unwrap_or_default();
            for inside in text.split("${").skip(1).filter_map(|rest| rest.split('}').next()) {
                let form = match inside {
                    "*" | "?" | "$" => "escaped",
                    _ if inside.contains(", '") => "with default",
                    "aws:PrincipalTag/none" => "without value",
                    _ => "variable",
                };
                found.push(("variable", format!("{form} in {place}")));
            }
        }
        for entry in walk::principals(statement).map(|(entries, _)| entries).unwrap_or_default() {
            let form = match entry.as_str() {
                "*" => "everyone",
                _ if entry.ends_with(":root") => "account by ARN",
                _ if entry.contains(":assumed-role/") => "session",
                _ if entry.contains(":federated-user/") => "federated user",
                _ if entry.contains(":role/") => "role",
                _ if entry.contains(":user/") => "user",
                _ if entry.contains(":saml-provider/") => "provider",
                _ if entry.starts_with('A') => "unique ID",
                _ if entry.contains(".amazonaws.") => "service",
                _ => "account by ID",
            };
            found.push(("principal", form.to_owned()));
        }
    });
    found.sort();
    found.dedup();
    found
}
