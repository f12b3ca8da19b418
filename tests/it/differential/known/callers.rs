//! The subjects that are about who asks, and about the kinds of policies.

use serde_json::{Value, json};

use super::super::walk;
use super::resources;

pub(super) fn key_without_resource(case: &mut Value) -> bool {
    let key = case["request"]["action"].as_str().is_some_and(|action| action.starts_with("kms:"));
    key && walk::drop_statements(case, &|kind, _, statement| {
        kind == "resource" && statement.get("Resource").is_none() && statement.get("NotResource").is_none()
    })
}

/// Each level of the caller that a `NotPrincipal` can list: itself, its role, its account.
fn levels(case: &Value) -> Vec<[String; 2]> {
    let principal = case["request"]["principal"].as_str().unwrap_or_default().to_owned();
    let account = principal.split(':').nth(4).unwrap_or_default().to_owned();
    let mut levels = vec![[principal.clone(), String::new()]];
    if principal.contains(":assumed-role/") {
        let name = principal.split('/').nth(1).unwrap_or_default();
        let plain = format!("arn:aws:iam::{account}:role/{name}");
        levels.push([walk::context(case, "aws:principalarn").map_or(plain.clone(), |mut role| role.remove(0)), plain]);
    }
    if !account.is_empty() {
        levels.push([format!("arn:aws:iam::{account}:root"), account]);
    }
    levels
}

/// Whether a Deny with `NotPrincipal` lists some levels of the caller; and the caller itself, or the role it plays.
fn listed(levels: &[[String; 2]], statement: &Value) -> Option<(bool, bool)> {
    let (entries, true) = walk::principals(statement)? else { return None };
    if statement["Effect"] != "Deny" {
        return None;
    }
    let listed: Vec<bool> = levels.iter().map(|level| level.iter().any(|name| entries.contains(name))).collect();
    let own = listed.len() - usize::from(listed.len() > 1);
    let some = listed.iter().any(|one| *one) && !listed.iter().all(|one| *one);
    Some((some, listed[..own].iter().any(|one| *one)))
}

/// Such a Deny means the caller, where it lists no more than the caller's account. One with a boundary is meant anyway.
pub(super) fn idle_not_principal(case: &mut Value) -> bool {
    let levels = levels(case);
    let bounded = !case["policies"]["boundary"].is_null();
    let mut changed = false;
    walk::each_statement(case, &mut |_, _, statement| {
        let Some((true, own)) = listed(&levels, statement) else { return };
        if !bounded && !own {
            let object = statement.as_object_mut().unwrap();
            object.shift_remove("NotPrincipal");
            object.insert("Principal".to_owned(), json!("*"));
            changed = true;
        }
    });
    changed
}

/// AWS says that it "might" deny: which of the two is right is open, the rest of the case is not.
pub(super) fn partial_not_principal(case: &mut Value) -> bool {
    let levels = levels(case);
    let bounded = !case["policies"]["boundary"].is_null();
    walk::drop_statements(case, &|_, _, statement| !bounded && listed(&levels, statement) == Some((true, true)))
}

fn is_federated(case: &Value) -> bool {
    case["request"]["principal"].as_str().is_some_and(|principal| principal.contains(":federated-user/"))
}

/// A session policy that allows nothing says the same.
pub(super) fn federated_without_session(case: &mut Value) -> bool {
    if !is_federated(case) || !case["policies"]["session"].is_null() {
        return false;
    }
    let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:GetAccessKeyInfo", "Resource": "*"}]});
    walk::policies_of(case).insert("session".to_owned(), nothing);
    true
}

/// In the resource's account, an Allow that names the session or everyone is not limited by a session policy: one that
/// allows the same says the same.
pub(super) fn silent_session(case: &mut Value) -> bool {
    let request = case.clone();
    let principal = request["request"]["principal"].as_str().unwrap_or_default();
    let resource = request["policies"]["resource"].clone();
    if case["policies"]["session"].is_null() || principal.split(':').nth(4) != Some(super::super::world::OWNER) {
        return false;
    }
    let levels = levels(case);
    let mut changed = false;
    for statement in walk::list(&resource["Statement"]) {
        let direct = walk::principals(&statement).is_some_and(|(entries, negated)| match negated {
            true => !levels.iter().flatten().any(|name| entries.contains(name)),
            false => entries.iter().any(|entry| entry == "*" || entry == principal),
        });
        if statement["Effect"] == "Allow" && direct {
            changed |= allow_in_session(case, statement, &resource["Version"]);
        }
    }
    changed
}

/// Lets the session policy allow what a statement of a policy of this version allows; whether it did not say so before.
fn allow_in_session(case: &mut Value, mut statement: Value, version: &Value) -> bool {
    let key = case["request"]["action"].as_str().is_some_and(|action| action.starts_with("kms:"));
    let allow = statement.as_object_mut().unwrap();
    for element in ["Sid", "Principal", "NotPrincipal"] {
        allow.shift_remove(element);
    }
    if !allow.contains_key("Resource") && !allow.contains_key("NotResource") {
        if key {
            return false;
        }
        allow.insert("Resource".to_owned(), json!("*"));
    }
    let session = &mut case["policies"]["session"];
    let current = "2012-10-17";
    if statement.to_string().contains("${") && (*version == current) != (session["Version"] == current) {
        // Only a policy without variables can take those of another version.
        if *version != current || session.to_string().contains("${") {
            return false;
        }
        session["Version"] = json!(current);
    }
    let mut statements = walk::list(&session["Statement"]);
    if statements.contains(&statement) {
        return false;
    }
    statements.push(statement);
    session["Statement"] = json!(statements);
    true
}

/// No statement allows it any more.
pub(super) fn root_assumes(case: &mut Value) -> bool {
    let root = case["request"]["principal"].as_str().is_some_and(|principal| principal.ends_with(":root"));
    let assumes =
        case["request"]["action"].as_str().is_some_and(|action| action.eq_ignore_ascii_case("sts:AssumeRole"));
    root && assumes
        && walk::drop_statements(case, &|kind, _, statement| kind == "resource" && statement["Effect"] == "Allow")
}

/// No statement allows it any more.
pub(super) fn unsigned(case: &mut Value) -> bool {
    let service = case["request"]["action"].as_str().and_then(|action| action.split(':').next()).unwrap_or_default();
    let takes_signed = ["kms", "sts"].contains(&service.to_ascii_lowercase().as_str());
    case["request"]["principal"] == "anonymous"
        && takes_signed
        && walk::drop_statements(case, &|kind, _, statement| kind == "resource" && statement["Effect"] == "Allow")
}

pub(super) fn rcp_of_others(case: &mut Value) -> bool {
    let service = case["request"]["action"].as_str().and_then(|action| action.split(':').next()).unwrap_or_default();
    let others = ["sns", "cloudtrail"].contains(&service);
    others && walk::policies_of(case).shift_remove("rcp").is_some()
}

/// Writes the fields out that a short ARN leaves to its last star.
pub(super) fn short_in_rcp(case: &mut Value) -> bool {
    resources(case, &|kind, _, text| {
        let fields = text.split(':').count();
        let short = kind == "rcp" && text != "*" && text.ends_with('*') && fields < 6;
        if short { format!("{text}{}", ":*".repeat(6 - fields)) } else { text.to_owned() }
    })
}

pub(super) fn scp_of_services(case: &mut Value) -> bool {
    let service = case["request"]["principal"].as_str().is_some_and(|name| name.ends_with(".amazonaws.com"));
    service && walk::policies_of(case).shift_remove("scp").is_some()
}
