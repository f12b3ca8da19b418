//! Values of context keys, and policy values that nearly or really match them.

use serde_json::{Value, json};

use super::rng::Rng;
use super::world::Kind;

const TEXTS: [&str; 16] = [
    "red",
    "Red",
    "RED",
    "red team",
    "o-exampleorgid",
    "a*b",
    "r?d",
    "",
    "é",
    "ÉT",
    "^r.d$",
    "a/b/c",
    "${aws:username}",
    "vpce-0a1b",
    "(x|y)+[z]",
    "public-read",
];
const NUMBERS: [&str; 10] = ["12 apples", "10", "9", "0", "-3", "10.5", "100", "1000000", "1.20", "ten"];
const BYTES: [&str; 5] = ["QmluYXJ5VmFsdWVJbkJhc2U2NA==", "AAEC", "/+8=", "YQ==", "not base64!"];
const ARNS: [&str; 6] = [
    "arn:aws:cloudtrail:us-east-1:111111111111:trail/management-events",
    "arn:aws:iam::222222222222:role/team/Reader",
    "arn:aws:s3:::central-logs/a:b",
    "arn:aws:sns:eu-west-1:111111111111:trail:sub",
    "arn:aws:cloudtrail:*:111111111111:trail/x",
    "no arn",
];
const ADDRESSES: [&str; 7] =
    ["203.0.113.7", "203.0.113.200", "10.0.0.5", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:db8:0:1::9", "nowhere"];

/// Instants in order of time, each in several spellings.
const INSTANTS: [&[&str]; 4] = [
    &[
        "2024-01-01T00:00:00Z",
        "2024-01-01",
        "2024-01",
        "2024",
        "2024-01-01T01:00:00+01:00",
        "2023-12-31T19:00:00-05:00",
        "2024-01-01T00:00Z",
        "2024-01-01T00:00:00.000Z",
        "1704067200",
    ],
    &["2025-06-15T12:30:45Z", "2025-06-15T14:30:45+02:00", "2025-06-15T12:30:45.0Z", "1749990645"],
    &["2026-11-01T00:00:00Z", "2026-11-01", "2026-11", "2026-10-31T20:00:00-04:00", "1793491200"],
    &["2030-01-01T00:00:00Z", "2030-01-01", "2030", "1893456000"],
];

/// A value for a key of some kind; odd ones among them.
pub(crate) fn of_kind(kind: Kind, rng: &mut Rng) -> String {
    match kind {
        Kind::Text => rng.pick(&TEXTS).to_owned(),
        Kind::Number => rng.pick(&NUMBERS).to_owned(),
        Kind::Bytes => rng.pick(&BYTES).to_owned(),
        Kind::Arn => rng.pick(&ARNS).to_owned(),
        Kind::Address => rng.pick(&ADDRESSES).to_owned(),
        Kind::Bool => rng.pick(&["true", "false", "true", "false", "True", "FALSE", "yes"]).to_owned(),
        Kind::Date => {
            let spellings = INSTANTS[rng.below(3)];
            if rng.chance(4) { "yesterday".to_owned() } else { spelling(spellings, rng) }
        }
    }
}

/// Mostly the plain one.
fn spelling(spellings: &[&str], rng: &mut Rng) -> String {
    spellings[if rng.chance(50) { 0 } else { rng.below(spellings.len()) }].to_owned()
}

/// What a policy may put in place of a text: a variable that stands for it.
pub(crate) struct Variables<'c> {
    /// Single-valued keys of the request and their values.
    pub(crate) known: &'c [(String, String)],
    /// A key that the request does not carry.
    pub(crate) missing: &'c str,
}

/// A policy value that an operator of this base meant to match (`hit`) or not to match the request's value.
///
/// The intent is what makes cases lively; no test relies on it.
pub(crate) fn for_policy(base: &str, value: &str, hit: bool, variables: &Variables<'_>, rng: &mut Rng) -> Value {
    let positive = base.replace("Not", "");
    match positive.as_str() {
        "StringEquals" => json!(text(value, hit, Like::No, variables, rng)),
        "StringEqualsIgnoreCase" => {
            let exact = text(value, hit, Like::No, variables, rng);
            json!(if hit && rng.chance(60) && !exact.contains("${") { flip(&exact) } else { exact })
        }
        "StringLike" => json!(text(value, hit, Like::Yes, variables, rng)),
        "ArnEquals" | "ArnLike" => json!(arn(value, hit, variables, rng)),
        "Bool" => boolean(value, hit, rng),
        "BinaryEquals" => json!(bytes(value, hit, rng)),
        "IpAddress" => json!(address(value, hit, rng)),
        _ if positive.starts_with("Numeric") => number(value, &positive["Numeric".len()..], hit, rng),
        _ => json!(date(value, &positive["Date".len()..], hit, rng)),
    }
}

/// Whether stars are wildcards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Like {
    Yes,
    No,
}

fn text(value: &str, hit: bool, like: Like, variables: &Variables<'_>, rng: &mut Rng) -> String {
    let mut characters = value.chars();
    let first = characters.next().map(String::from).unwrap_or_default();
    let rest: String = characters.collect();
    if !hit {
        return match rng.below(10) {
            0 | 1 => flip(value),
            2 => format!("{value}x"),
            3 => rest,
            4 if like == Like::No => format!("{first}*"),
            4 => format!("{value}?"),
            5 if like == Like::No => "*".to_owned(),
            5 => format!("?{value}"),
            6 => format!("${{{}}}", variables.missing),
            7 => format!("{value}${{{}, 'x'}}", variables.missing),
            8 => "${*}".to_owned(),
            _ => "blue".to_owned(),
        };
    }
    let same = variables.known.iter().find(|(_, known)| known == value && !value.is_empty());
    let inside = variables
        .known
        .iter()
        .find(|(_, known)| value.len() > known.len() && value.starts_with(known) && !known.is_empty());
    match rng.below(12) {
        0 | 1 if same.is_some() => format!("${{{}}}", same.unwrap().0),
        0..3 if inside.is_some() => {
            let (key, known) = inside.unwrap();
            format!("${{{key}}}{}", &value[known.len()..])
        }
        11 if variables.known.iter().any(|(_, known)| known.is_empty()) => {
            let (key, _) = variables.known.iter().find(|(_, known)| known.is_empty()).unwrap();
            format!("{value}${{{key}}}")
        }
        3 if !value.contains(['\'', '}']) && !value.is_empty() => format!("${{{}, '{value}'}}", variables.missing),
        4 if value.contains(['*', '?', '$']) => {
            value.replace('$', "\u{1}").replace('*', "${*}").replace('?', "${?}").replace('\u{1}', "${$}")
        }
        5 | 6 if like == Like::Yes => format!("{first}*"),
        7 if like == Like::Yes => format!("*{rest}"),
        8 if like == Like::Yes && !value.is_empty() => format!("?{rest}"),
        9 if like == Like::Yes => "*".to_owned(),
        10 if like == Like::Yes => format!("{value}*"),
        _ => value.to_owned(),
    }
}

/// The same text with the case of its letters changed.
pub(crate) fn flip(value: &str) -> String {
    let change = |c: char| if c.is_lowercase() { c.to_uppercase().to_string() } else { c.to_lowercase().to_string() };
    value.chars().map(change).collect()
}

fn arn(value: &str, hit: bool, variables: &Variables<'_>, rng: &mut Rng) -> String {
    let fields: Vec<&str> = value.splitn(6, ':').collect();
    let [_, partition, service, region, account, resource] = fields[..] else {
        return if hit { value.to_owned() } else { rng.pick(&["*", "arn:*", ARNS[0]]).to_owned() };
    };
    let build = |p: &str, s: &str, r: &str, a: &str, x: &str| format!("arn:{p}:{s}:{r}:{a}:{x}");
    if hit {
        let start: String = resource.chars().take(3).collect();
        let known = variables.known.iter().find(|(_, known)| known == account);
        return match rng.below(8) {
            0 => build(partition, service, "*", account, resource),
            1 => build(partition, service, region, "*", &format!("{start}*")),
            2 => build("*", "*", "*", "*", "*"),
            3 => build(partition, "?*", region, account, &format!("*{}", &resource[resource.len() - 1..])),
            4 if known.is_some() => build(partition, service, region, &format!("${{{}}}", known.unwrap().0), "*"),
            5 if resource.is_ascii() => {
                build(partition, service, region, account, &format!("{}?", &resource[..resource.len() - 1]))
            }
            _ => value.to_owned(),
        };
    }
    match rng.below(8) {
        0 => build(partition, service, region, "121212121212", resource),
        1 => build(partition, service, region, account, &flip(resource)),
        2 => format!("arn:{partition}:{service}:*"),
        3 => format!("arn:*:{resource}"),
        4 => build(partition, service, region, account, &format!("${{{}}}*", variables.missing)),
        5 => build("aws-cn", service, region, account, "*"),
        6 => "*".to_owned(),
        _ => build(partition, service, region, account, &format!("{resource}?")),
    }
}

fn boolean(value: &str, hit: bool, rng: &mut Rng) -> Value {
    let holds = value.eq_ignore_ascii_case("true") == hit;
    match rng.below(6) {
        0 => json!(holds),
        1 => json!(if holds { "TRUE" } else { "False" }),
        2 if !hit => json!("maybe"),
        _ => json!(if holds { "true" } else { "false" }),
    }
}

fn bytes(value: &str, hit: bool, rng: &mut Rng) -> String {
    if hit { value.to_owned() } else { rng.pick(&["AAEC", "AAED", "aaec", "YQ==", "YQ=", "%%%%", ""]).to_owned() }
}

fn address(value: &str, hit: bool, rng: &mut Rng) -> String {
    let six = value.contains(':');
    if !hit {
        return match rng.below(9) {
            0 => "198.51.100.0/24".to_owned(),
            1 => "203.0.113.8".to_owned(),
            2 => "203.0.113.8/31".to_owned(),
            3 => "2001:db8:ffff::/48".to_owned(),
            4 => if six { "0.0.0.0/0" } else { "::/0" }.to_owned(),
            5 => "203.0.113.0/33".to_owned(),
            6 => "10.0.0".to_owned(),
            7 => "2001:db8::2/128".to_owned(),
            _ => "everywhere".to_owned(),
        };
    }
    match (rng.below(6), six) {
        (0, false) => format!("{value}/32"),
        (1, false) => format!("{value}/24"),
        (2, false) => format!("{value}/9"),
        (3, false) => "0.0.0.0/0".to_owned(),
        (0, true) => format!("{value}/128"),
        (1, true) => format!("{value}/64"),
        (2, true) => "2001:DB8::/32".to_owned(),
        (3, true) => "::/0".to_owned(),
        (4, true) => "2001:0db8:0000:0000:0000:0000:0000:0001/47".to_owned(),
        _ => value.to_owned(),
    }
}

fn number(value: &str, order: &str, hit: bool, rng: &mut Rng) -> Value {
    let Ok(number) = value.parse::<f64>() else { return json!(if hit { "12" } else { value }) };
    let step = if rng.chance(50) { 1.0 } else { 0.25 };
    let equal = rng.chance(30);
    // The request's value is what stands left of the operator.
    let wanted = match (order, hit) {
        ("LessThan" | "GreaterThan", false) | ("LessThanEquals" | "GreaterThanEquals", true) if equal => number,
        ("LessThan" | "LessThanEquals", true) => number + step,
        ("GreaterThan" | "GreaterThanEquals", true) => number - step,
        ("LessThan" | "LessThanEquals", false) => number - step,
        ("GreaterThan" | "GreaterThanEquals", false) => number + step,
        (_, true) => number,
        _ => number + step,
    };
    match rng.below(12) {
        0 if !hit => json!("ten"),
        1 if !hit => json!(""),
        2 => json!(format!("{wanted:.2}")),
        3 => json!(wanted),
        4 if wanted.fract() == 0.0 => json!(wanted as i64),
        5 if wanted >= 0.0 => json!(format!("0{wanted}")),
        _ => json!(format!("{wanted}")),
    }
}

fn date(value: &str, order: &str, hit: bool, rng: &mut Rng) -> String {
    let Some(at) = INSTANTS.iter().position(|spellings| spellings.contains(&value)) else {
        return if hit { INSTANTS[0][0] } else { value }.to_owned();
    };
    let (before, after) = (at.saturating_sub(1), (at + 1).min(INSTANTS.len() - 1));
    let equal = rng.chance(30);
    let wanted = match (order, hit) {
        ("LessThanEquals" | "GreaterThanEquals", true) if equal => at,
        ("LessThan" | "GreaterThan", false) if equal => at,
        ("LessThan" | "LessThanEquals", true) | ("GreaterThan" | "GreaterThanEquals", false) => after,
        ("GreaterThan" | "GreaterThanEquals", true) | ("LessThan" | "LessThanEquals", false) => before,
        (_, true) => at,
        _ => {
            if rng.chance(50) {
                before
            } else {
                after
            }
        }
    };
    if !hit && rng.chance(8) {
        return rng.pick(&["tomorrow", "2024-13-01", "2024-02-30", "", "01/01/2024"]).to_owned();
    }
    spelling(INSTANTS[wanted], rng)
}

/// The first spelling of the instant that a generated text names; nothing for other texts.
pub(crate) fn instant(text: &str) -> Option<&'static str> {
    INSTANTS.iter().find(|spellings| spellings.contains(&text)).map(|spellings| spellings[0])
}
