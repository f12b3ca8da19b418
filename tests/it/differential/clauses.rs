//! The context of a request and condition clauses that hold or fail in it.

use serde_json::{Map, Value, json};
use trailproof::policy::operator::Operator;

use super::rng::Rng;
use super::values::{self, Variables};
use super::world::{Key, Kind, Target, Who};

/// What a request carries, made as clauses ask for it.
pub(crate) struct Surroundings<'w> {
    pub(crate) who: &'w Who,
    pub(crate) target: &'w Target,
    given: Vec<(Key, Vec<String>)>,
    /// Keys that stay absent.
    absent: Vec<&'static str>,
    /// What `aws:TagKeys` holds, once it is used: it takes values of every kind, but of one kind in a case.
    listed: Option<Kind>,
}

/// One operator, key and list of values.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    pub(crate) operator: String,
    pub(crate) key: String,
    pub(crate) values: Vec<Value>,
}

const MISSING: &str = "aws:PrincipalTag/none";

impl<'w> Surroundings<'w> {
    pub(crate) fn new(who: &'w Who, target: &'w Target, rng: &mut Rng) -> Self {
        let mut made = Surroundings { who, target, given: Vec::new(), absent: Vec::new(), listed: None };
        // What variables can refer to.
        for key in target.keys().filter(|key| ["aws:PrincipalTag/team", "aws:PrincipalOrgID"].contains(&key.name)) {
            if rng.chance(60) {
                made.given.push((key, vec![values::of_kind(key.kind, rng)]));
            }
        }
        made
    }

    /// The value of `request.context`.
    pub(crate) fn context(&self, rng: &mut Rng) -> Value {
        let mut object = Map::new();
        if let (Who::Session(..), Some(role)) = (self.who, self.who.behind()) {
            // The ARN of a session leaves the path of its role out; the key does not.
            object.insert("aws:PrincipalArn".to_owned(), json!(role));
        }
        for (key, list) in &self.given {
            let name = if rng.chance(10) { key.name.to_uppercase() } else { key.name.to_owned() };
            let value = if key.multivalued { json!(list) } else { json!(list[0]) };
            object.insert(name, value);
        }
        Value::Object(object)
    }

    /// What the request has for a key, a value being made up where none is there yet; nothing where it is absent.
    fn value(&mut self, key: Key, kind: Kind, rng: &mut Rng) -> Option<Vec<String>> {
        if let Some(follows) = self.follows(key.name) {
            return follows.map(|one| vec![one]);
        }
        if let Some((_, list)) = self.given.iter().find(|(known, _)| known.name == key.name) {
            return Some(list.clone());
        }
        if self.absent.contains(&key.name) {
            return None;
        }
        if rng.chance(18) {
            self.absent.push(key.name);
            return None;
        }
        let many = if key.multivalued { rng.one(&[1, 1, 2, 2, 3, 0]) } else { 1 };
        let mut list: Vec<String> = (0..many).map(|_| values::of_kind(kind, rng)).collect();
        list.dedup();
        // What is compared as one list is of one sort: addresses of one version, ARNs or none at all.
        if matches!(kind, Kind::Address | Kind::Arn) {
            let sort = |text: &String| (text.contains(':'), text.starts_with("arn:"));
            let first = list.first().map(sort);
            list.retain(|text| Some(sort(text)) == first);
        }
        self.given.push((key, list.clone()));
        Some(list)
    }

    /// What a key that follows from the caller holds, if it is there; nothing for other keys.
    fn follows(&self, name: &str) -> Option<Option<String>> {
        Some(match (name, self.who) {
            ("aws:PrincipalAccount", Who::Anonymous) => Some("anonymous".to_owned()),
            ("aws:PrincipalAccount", who) => who.account().map(str::to_owned),
            ("aws:PrincipalArn", who @ Who::Session(..)) => who.behind(),
            ("aws:PrincipalArn", who) => who.account().map(|_| who.principal()),
            _ => return None,
        })
    }

    /// Single-valued keys with their values, for variables.
    pub(crate) fn known(&self) -> Vec<(String, String)> {
        let mut known: Vec<(String, String)> = self
            .given
            .iter()
            .filter(|(key, _)| !key.multivalued)
            .map(|(key, list)| (key.name.to_owned(), list[0].clone()))
            .collect();
        known.extend(self.who.account().map(|account| ("aws:PrincipalAccount".to_owned(), account.to_owned())));
        known
    }

    /// The name of a key as a policy may write it.
    fn written(name: &str, rng: &mut Rng) -> String {
        match rng.below(12) {
            0 => name.to_lowercase(),
            1 => name.to_uppercase(),
            _ => name.to_owned(),
        }
    }

    /// A clause meant to hold (`holds`) or to fail.
    pub(crate) fn clause(&mut self, holds: bool, rng: &mut Rng) -> Clause {
        let bases: Vec<&'static str> = Operator::names().collect();
        let base = rng.one(&bases);
        if base == "Null" {
            return self.null(holds, rng);
        }
        let set = rng.one(&["", "", "", "ForAllValues:", "ForAnyValue:"]);
        let if_exists = if rng.chance(35) { "IfExists" } else { "" };
        let kind = kind_of(base);
        let listed = self.listed;
        let fits = |key: &Key| match key.name {
            "aws:TagKeys" => !set.is_empty() && listed.is_none_or(|listed| listed == kind),
            // ARNs are also compared as texts.
            "aws:PrincipalArn" => kind == Kind::Arn || kind == Kind::Text,
            _ => key.kind == kind && (!key.multivalued || !set.is_empty()),
        };
        let wanted: Vec<Key> = self.target.keys().filter(fits).collect();
        let key = match set.is_empty() {
            true => rng.one(&wanted),
            false => {
                // Lists first: set operators are made for them.
                let lists: Vec<Key> = wanted.iter().copied().filter(|key| key.multivalued).collect();
                if !lists.is_empty() && rng.chance(70) { rng.one(&lists) } else { rng.one(&wanted) }
            }
        };
        if key.name == "aws:TagKeys" {
            self.listed = Some(kind);
        }
        let found = self.value(key, kind, rng);
        let known = self.known();
        let variables = Variables { known: &known, missing: MISSING };
        let negated = base.contains("Not");
        let mut list: Vec<Value> = Vec::new();
        let request = found.unwrap_or_else(|| vec![values::of_kind(kind, rng)]);
        let mut put = |value: &str, hit: bool, rng: &mut Rng| {
            let value = values::for_policy(base, value, hit, &variables, rng);
            if !list.contains(&value) {
                list.push(value);
            }
        };
        let filler = values::of_kind(kind, rng);
        match (set, holds != negated) {
            // Each value of the request is met, or one is.
            ("ForAllValues:", true) => request.iter().for_each(|value| put(value, true, rng)),
            ("ForAllValues:", false) => match request.split_first() {
                Some((first, rest)) => {
                    put(first, false, rng);
                    rest.iter().for_each(|value| put(value, rng.chance(50), rng));
                }
                None => put(&filler, false, rng),
            },
            (_, met) => match request.is_empty() {
                true => put(&filler, met, rng),
                false => put(&request[rng.below(request.len())], met, rng),
            },
        }
        for _ in 0..rng.one(&[0, 0, 1, 2]) {
            let value = request.first().unwrap_or(&filler);
            put(value, false, rng);
        }
        rng.shuffle(&mut list);
        Clause { operator: format!("{set}{base}{if_exists}"), key: Self::written(key.name, rng), values: list }
    }

    fn null(&mut self, holds: bool, rng: &mut Rng) -> Clause {
        let keys: Vec<Key> = self.target.keys().collect();
        let key = rng.one(&keys);
        let kind = match key.name {
            "aws:TagKeys" => *self.listed.get_or_insert(key.kind),
            _ => key.kind,
        };
        let present = self.value(key, kind, rng).is_some();
        let wanted = present != holds;
        let value = match rng.below(10) {
            0 => json!(wanted),
            1 => json!(if wanted { "TRUE" } else { "False" }),
            _ => json!(if wanted { "true" } else { "false" }),
        };
        let set = if rng.chance(3) { rng.pick(&["ForAllValues:", "ForAnyValue:"]) } else { "" };
        Clause { operator: format!("{set}Null"), key: Self::written(key.name, rng), values: vec![value] }
    }
}

fn kind_of(base: &str) -> Kind {
    match base {
        "Bool" => Kind::Bool,
        "BinaryEquals" => Kind::Bytes,
        "IpAddress" | "NotIpAddress" => Kind::Address,
        _ if base.starts_with("String") => Kind::Text,
        _ if base.starts_with("Arn") => Kind::Arn,
        _ if base.starts_with("Numeric") => Kind::Number,
        _ => Kind::Date,
    }
}

/// Clauses as the value of `Condition`; one that would repeat a key under its operator is left out.
pub(crate) fn block(clauses: &[Clause], rng: &mut Rng) -> Value {
    let mut object = Map::new();
    for clause in clauses {
        let slot = object.entry(&clause.operator).or_insert_with(|| json!({}));
        let keys = slot.as_object_mut().unwrap();
        if keys.keys().any(|key| key.eq_ignore_ascii_case(&clause.key)) {
            continue;
        }
        let value = match clause.values.as_slice() {
            [one] if rng.chance(60) => one.clone(),
            many => json!(many),
        };
        keys.insert(clause.key.clone(), value);
    }
    Value::Object(object)
}
