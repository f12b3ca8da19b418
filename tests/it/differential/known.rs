//! The disagreements that are explained: `docs/differential.md` says of each what AWS's documents say.
//!
//! Each knows by the case alone, never by the answers, whether its subject is there, and changes the case so that it is
//! not. The two must agree on what is left: an explained subject hides nothing else in the same case.

mod callers;

use std::net::IpAddr;

use base64::Engine as _;
use serde_json::{Value, json};
use trailproof::policy::operator::{Family, SetOperator};

use super::values;
use super::walk::{self, Clause};

/// A subject on which the two differ.
pub(crate) struct Topic {
    /// Its name, which is its heading in the document.
    pub(crate) name: &'static str,
    /// Takes the subject out of a case; whether it was there.
    pub(crate) take_out: fn(&mut Value) -> bool,
    /// What we must answer for it to explain a disagreement.
    pub(crate) ours: Ours,
}

/// What we answer where a subject is why the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ours {
    /// The same without it: the case then only says the same in other words.
    Stays,
    /// That it depends, which nothing else in a generated case makes us say.
    Conditional,
}

const fn reworded(name: &'static str, take_out: fn(&mut Value) -> bool) -> Topic {
    Topic { name, take_out, ours: Ours::Stays }
}

/// All of them, in the order in which they are taken out.
pub(crate) const TOPICS: [Topic; 23] = [
    reworded("Variables under Version 2008-10-17", old_variables),
    reworded("Escaped characters under StringEquals", escapes),
    reworded("Variables whose value is empty", empty_variables),
    reworded("Variables without a value under negated operators", variables_without_value),
    reworded("Variables under ARN operators", variables_in_arns),
    reworded("Variables in the NotResource of other services", variables_in_not_resource),
    reworded("Dates", dates),
    reworded("Numbers", numbers),
    reworded("Address ranges", addresses),
    reworded("Bytes that are not base64", bytes),
    reworded("Texts that are no ARN under negated operators", no_arns),
    reworded("Set operators before Null", null_with_set),
    reworded("Empty texts under ForAllValues", empty_for_all),
    reworded("Key policy statements without Resource", callers::key_without_resource),
    reworded("NotPrincipal lists that spare nobody", callers::idle_not_principal),
    Topic {
        name: "NotPrincipal lists of some levels",
        take_out: callers::partial_not_principal,
        ours: Ours::Conditional,
    },
    reworded("Federated users without session policy", callers::federated_without_session),
    reworded("Silent session policies", callers::silent_session),
    reworded("Root users and AssumeRole", callers::root_assumes),
    reworded("Unsigned requests to KMS and STS", callers::unsigned),
    reworded("Services without RCPs", callers::rcp_of_others),
    reworded("Short ARNs in RCPs", callers::short_in_rcp),
    reworded("SCPs and service principals", callers::scp_of_services),
];

/// Changes every clause; whether one changed.
fn clauses(case: &mut Value, change: &dyn Fn(&mut Clause<'_>) -> bool) -> bool {
    let mut changed = false;
    walk::each_clause(case, &mut |clause| changed |= change(clause));
    changed
}

/// Rewrites the values of all clauses of a family and what the request has for their keys.
fn rewrite(case: &mut Value, family: Family, change: &dyn Fn(&str) -> String) -> bool {
    let mut keys = Vec::new();
    walk::each_clause(case, &mut |clause| {
        if clause.operator.family == family {
            keys.push(clause.key.clone());
        }
    });
    let mut changed = clauses(case, &|clause| clause.operator.family == family && clause.map(change));
    for key in keys {
        changed |= walk::change_context(case, &key, change);
    }
    changed
}

fn is_text(clause: &Clause<'_>) -> bool {
    matches!(clause.operator.family, Family::String | Family::StringIgnoreCase | Family::StringLike)
}

const RESOURCES: [&str; 2] = ["Resource", "NotResource"];

/// Changes each text of the `Resource` and `NotResource` elements, told the kind of policy and whether variables are
/// substituted there; whether one changed.
fn resources(case: &mut Value, change: &dyn Fn(&str, bool, &str) -> String) -> bool {
    let mut changed = false;
    walk::each_statement(case, &mut |kind, substitutes, statement| {
        for element in RESOURCES.into_iter().filter(|element| statement.get(*element).is_some()).collect::<Vec<_>>() {
            let before = walk::texts(statement, element);
            let after: Vec<String> = before.iter().map(|text| change(kind, substitutes, text)).collect();
            if before != after {
                statement[element] = json!(after);
                changed = true;
            }
        }
    });
    changed
}

/// Puts another sign in place of every brace that belongs to no variable, in policies and in the request.
fn rename_braces(case: &mut Value) {
    let plain = |substitutes: bool, text: &str| match substitutes {
        true => text.replace("${", "\u{1}").replace('{', "[").replace('\u{1}', "${"),
        false => text.replace('{', "["),
    };
    clauses(case, &|clause| {
        let substitutes = clause.substitutes;
        clause.map(|text| plain(substitutes, text))
    });
    resources(case, &|_, substitutes, text| plain(substitutes, text));
    let resource = walk::text(&case["request"]["resource"]);
    case["request"]["resource"] = json!(plain(false, &resource));
    let keys = case["request"]["context"].as_object().map(|keys| keys.keys().cloned().collect::<Vec<_>>());
    for key in keys.unwrap_or_default() {
        walk::change_context(case, &key, &|text| plain(false, text));
    }
}

/// Without substitution `${` is text.
fn old_variables(case: &mut Value) -> bool {
    let mut there = false;
    let mut look = |substitutes: bool, text: &str| there |= !substitutes && text.contains("${");
    walk::each_clause(case, &mut |clause| clause.texts().iter().for_each(|text| look(clause.substitutes, text)));
    walk::each_statement(case, &mut |_, substitutes, statement| {
        RESOURCES.iter().flat_map(|e| walk::texts(statement, e)).for_each(|text| look(substitutes, &text));
    });
    if there {
        rename_braces(case);
    }
    there
}

/// Where stars are no wildcards, an escaped one is the plain one.
fn escapes(case: &mut Value) -> bool {
    let escapes = |clause: &Clause<'_>| {
        matches!(clause.operator.family, Family::String | Family::StringIgnoreCase) && clause.substitutes
    };
    let mut before_brace = false;
    walk::each_clause(case, &mut |clause| {
        before_brace |= escapes(clause) && clause.texts().iter().any(|text| text.contains("${$}{"));
    });
    if before_brace {
        rename_braces(case);
    }
    clauses(case, &|clause| {
        escapes(clause) && clause.map(|text| text.replace("${*}", "*").replace("${?}", "?").replace("${$}", "$"))
    })
}

/// The variables of a text: what stands between the braces, and the key in it.
fn variables(text: &str) -> Vec<(String, String)> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(inside, _)| inside));
    let named = inside.filter(|inside| !["*", "?", "$"].contains(inside));
    named.map(|inside| (inside.to_owned(), inside.split(',').next().unwrap().trim().to_lowercase())).collect()
}

fn empty_variables(case: &mut Value) -> bool {
    let request = case.clone();
    let fill = |text: &str| {
        let mut text = text.to_owned();
        for (inside, key) in variables(&text) {
            if walk::context(&request, &key).is_some_and(|values| values == [""]) {
                text = text.replace(&format!("${{{inside}}}"), "");
            }
        }
        text
    };
    let changed = clauses(case, &|clause| clause.substitutes && clause.operator.takes_variables() && clause.map(fill));
    resources(case, &|_, substitutes, text| if substitutes { fill(text) } else { text.to_owned() }) | changed
}

fn has_no_value(case: &Value, inside: &str, key: &str) -> bool {
    !inside.contains(',') && walk::context(case, key).is_none_or(|values| values.len() != 1)
}

fn variables_without_value(case: &mut Value) -> bool {
    let request = case.clone();
    clauses(case, &|clause| {
        let other = if is_text(clause) { "a text that no request has" } else { "arn:aws:none:::none" };
        clause.operator.negated
            && clause.substitutes
            && clause.operator.takes_variables()
            && clause.map(|text| {
                let dead = variables(text).iter().any(|(inside, key)| has_no_value(&request, inside, key));
                if dead { other } else { text }.to_owned()
            })
    })
}

/// Writes a variable's value out.
fn variables_in_arns(case: &mut Value) -> bool {
    let request = case.clone();
    clauses(case, &|clause| {
        clause.operator.family == Family::Arn
            && clause.substitutes
            && clause.map(|text| {
                let mut text = text.to_owned();
                for (inside, key) in variables(&text) {
                    match walk::context(&request, &key).as_deref() {
                        Some([one]) => text = text.replace(&format!("${{{inside}}}"), one),
                        _ => return "arn:aws:none:::none".to_owned(),
                    }
                }
                text
            })
    })
}

fn variables_in_not_resource(case: &mut Value) -> bool {
    let request = case.clone();
    let elsewhere = request["request"]["resource"].as_str().is_some_and(|arn| !arn.starts_with("arn:aws:s3:"));
    let dead = |text: &String| variables(text).iter().any(|(inside, key)| has_no_value(&request, inside, key));
    elsewhere
        && walk::drop_statements(case, &|_, substitutes, statement| {
            substitutes && walk::texts(statement, "NotResource").iter().any(dead)
        })
}

/// One spelling for each instant, and one for what is no date.
fn dates(case: &mut Value) -> bool {
    rewrite(case, Family::Date, &|text| values::instant(text).unwrap_or("no date").to_owned())
}

fn numbers(case: &mut Value) -> bool {
    let plain = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.') && digits.matches('.').count() < 2
    };
    rewrite(case, Family::Numeric, &|text| if plain(text) { text } else { "no number" }.to_owned())
}

/// A range of everything is written as its two halves, and one of the other version is left out: it holds nobody.
fn addresses(case: &mut Value) -> bool {
    let request = case.clone();
    let read = |text: &str| text.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
    clauses(case, &|clause| {
        if clause.operator.family != Family::Ip {
            return false;
        }
        let asked = walk::context(&request, &clause.key).unwrap_or_default();
        let versions: Vec<bool> = asked.iter().filter_map(|text| read(text)).map(|address| address.is_ipv4()).collect();
        let before = clause.texts();
        let mut after = Vec::new();
        for text in &before {
            match (text.as_str(), read(text)) {
                ("0.0.0.0/0", _) => after.extend(["0.0.0.0/1".to_owned(), "128.0.0.0/1".to_owned()]),
                ("::/0", _) => after.extend(["::/1".to_owned(), "8000::/1".to_owned()]),
                _ => after.push(text.clone()),
            }
        }
        if versions.iter().all(|version| *version == versions[0]) && !versions.is_empty() {
            let sound =
                |text: &str| text.split_once('/').is_none_or(|(_, length)| length.parse().is_ok_and(|l: u8| l <= 32));
            // One that is no range at all stays: it is no address of another version.
            after.retain(|text| read(text).is_none_or(|a| a.is_ipv4() == versions[0] || (a.is_ipv4() && !sound(text))));
            if after.is_empty() {
                after.push(if versions[0] { "192.0.2.1" } else { "2001:db8:dead::1" }.to_owned());
            }
        }
        let changed = before != after;
        if changed {
            clause.set(after);
        }
        changed
    })
}

fn bytes(case: &mut Value) -> bool {
    let sound = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).is_ok();
    clauses(case, &|clause| {
        clause.operator.family == Family::Binary
            && clause.map(|text| if sound(text) { text } else { "bm9uZSBzdWNo" }.to_owned())
    })
}

/// What is no ARN becomes one that nothing matches, and where a request has none, nothing matches it.
fn no_arns(case: &mut Value) -> bool {
    let whole = |text: &str| text.starts_with("arn:") && text.split(':').count() >= 6;
    let request = case.clone();
    let mut keys = Vec::new();
    walk::each_clause(case, &mut |clause| {
        if clause.operator.family == Family::Arn {
            let asked = walk::context(&request, &clause.key).unwrap_or_default();
            keys.extend((clause.operator.negated && asked.iter().any(|text| !whole(text))).then(|| clause.key.clone()));
        }
    });
    let mut changed = clauses(case, &|clause| {
        let dead = keys.contains(&clause.key);
        clause.operator.family == Family::Arn
            && (clause.operator.negated || dead)
            && clause.map(|text| if whole(text) && !dead { text } else { "arn:aws:none:::none" }.to_owned())
    });
    for key in &keys {
        changed |= walk::change_context(case, key, &|_| "arn:aws:nobody:::nobody".to_owned());
    }
    changed
}

/// `ForAllValues:Null` is always true, `ForAnyValue:Null` always false.
fn null_with_set(case: &mut Value) -> bool {
    let mut changed = false;
    walk::each_statement(case, &mut |_, _, statement| {
        let Some(blocks) = statement.get_mut("Condition").and_then(Value::as_object_mut) else { return };
        let all = blocks.shift_remove("ForAllValues:Null").is_some();
        let any = blocks.shift_remove("ForAnyValue:Null").is_some();
        if any {
            let null = blocks.entry("Null").or_insert_with(|| json!({}));
            null["aws:PrincipalTag/in-no-request"] = json!("false");
        }
        changed |= all || any;
    });
    changed
}

/// Where the request has an empty text, the policy's list is made to meet it: then it decides nothing.
fn empty_for_all(case: &mut Value) -> bool {
    let request = case.clone();
    clauses(case, &|clause| {
        let empty = walk::context(&request, &clause.key).is_some_and(|values| values.contains(&String::new()));
        if clause.operator.set != Some(SetOperator::ForAllValues) || !is_text(clause) || !empty {
            return false;
        }
        if clause.operator.negated {
            let like = clause.operator.family == Family::StringLike;
            return clause.map(|text| {
                let replaced = match text {
                    "" => "a text that no request has",
                    _ if like && text.bytes().all(|b| b == b'*') => "?*",
                    _ => text,
                };
                replaced.to_owned()
            });
        }
        let mut texts = clause.texts();
        let missing = !texts.contains(&String::new());
        if missing {
            texts.push(String::new());
            clause.set(texts);
        }
        missing
    })
}
