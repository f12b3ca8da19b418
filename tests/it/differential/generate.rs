//! Whole cases in the shape of `simulate --cases`: policies that are nearly right for a request.

use serde_json::{Map, Value, json};

use super::clauses::{self, Surroundings};
use super::rng::Rng;
use super::values::flip;
use super::world::{OTHERS, OWNER, TARGETS, Target, Who, principals};

/// The kinds of policies, by what they may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Identity,
    Resource,
    Boundary,
    Session,
    Scp,
    Rcp,
    Endpoint,
}

/// The elements of a statement that may be spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Action,
    Resource,
    Principal,
    Condition,
}

struct Generator<'w> {
    who: &'w Who,
    target: &'w Target,
    surroundings: Surroundings<'w>,
}

/// The case of this number in the run of this seed.
pub(crate) fn case(seed: u64, number: u64) -> Value {
    let rng = &mut Rng::of(seed, number);
    let target = rng.one(&TARGETS);
    let who = loop {
        let who = Who::any(rng);
        // An action without a resource is always asked within an account.
        if target.has_policy() || who.account().is_some() {
            break who;
        }
    };
    let mut generator = Generator { surroundings: Surroundings::new(&who, &target, rng), who: &who, target: &target };
    let policies = generator.policies(rng);
    let action = if rng.chance(5) { flip_action(target.action) } else { target.action.to_owned() };
    let mut request = json!({"principal": who.principal(), "action": action, "resource": target.resource});
    if target.service() == "s3" {
        request["resource_account"] = json!(OWNER);
    }
    let context = generator.surroundings.context(rng);
    if context.as_object().is_some_and(|keys| !keys.is_empty()) {
        request["context"] = context;
    }
    let mut case = json!({"id": format!("{seed}/{number}"), "request": request, "policies": policies});
    let mut settings = Map::new();
    if target.service() == "s3" {
        settings.insert("s3_restrict_public_buckets".to_owned(), json!(false));
    }
    if (case["policies"]["scp"].is_array() || case["policies"]["rcp"].is_array()) && rng.chance(12) {
        let account = rng.one(&[OWNER, who.account().unwrap_or(OWNER), OTHERS[0]]);
        settings.insert("management_account".to_owned(), json!(account));
    }
    if !settings.is_empty() {
        case["settings"] = Value::Object(settings);
    }
    case
}

/// The name of an action in other letters, that of its service left as it is.
fn flip_action(action: &str) -> String {
    let (service, name) = action.split_once(':').unwrap();
    format!("{service}:{}", flip(name))
}

impl Generator<'_> {
    fn policies(&mut self, rng: &mut Rng) -> Value {
        let account = self.who.account().is_some();
        let person = account && !matches!(self.who, Who::Root(_));
        let same = self.who.account() == Some(OWNER);
        let admits = match self.target.service() {
            "kms" | "sts" => 97,
            _ if !same || matches!(self.who, Who::Root(_)) => 94,
            _ => 45,
        };
        let mut layers: Vec<(Layer, Vec<Vec<Value>>)> = Vec::new();
        let mut add = |layer, percent, levels: usize, generator: &mut Self, rng: &mut Rng| {
            if rng.chance(percent) {
                layers.push((layer, (0..levels).map(|_| generator.allowing(layer, rng)).collect()));
            }
        };
        if person {
            let identity = if same && !matches!(self.target.service(), "kms" | "sts") { 80 } else { 86 };
            add(Layer::Identity, identity, 1 + rng.below(2), self, rng);
            add(Layer::Boundary, 22, 1, self, rng);
            let session = match self.who {
                Who::Federated(..) => 88,
                Who::Session(..) => 22,
                _ => 0,
            };
            add(Layer::Session, session, 1, self, rng);
        }
        if self.target.has_policy() {
            add(Layer::Resource, admits, 1, self, rng);
            // A role and a key are never without a policy, and a statement about others is one.
            if matches!(self.target.service(), "kms" | "sts")
                && layers.iter().all(|(layer, _)| *layer != Layer::Resource)
            {
                layers.push((Layer::Resource, vec![vec![self.spoilt("Allow", Layer::Resource, rng)]]));
            }
        }
        let mut add = |layer, percent, levels: usize, generator: &mut Self, rng: &mut Rng| {
            if rng.chance(percent) {
                layers.push((layer, (0..levels).map(|_| generator.allowing(layer, rng)).collect()));
            }
        };
        if account || (matches!(self.who, Who::Service(_)) && rng.chance(40)) {
            add(Layer::Scp, 24, 1 + rng.below(3), self, rng);
        }
        add(Layer::Rcp, 22, 1 + rng.below(2), self, rng);
        add(Layer::Endpoint, 14, 1, self, rng);
        for _ in 0..rng.one(&[0, 0, 1, 1, 2]) {
            if layers.is_empty() {
                break;
            }
            let at = rng.below(layers.len());
            let (layer, levels) = &mut layers[at];
            let fires = rng.chance(14);
            let statement = match fires {
                true => self.statement("Deny", *layer, None, rng),
                false => self.spoilt("Deny", *layer, rng),
            };
            let level = rng.below(levels.len());
            levels[level].push(statement);
        }
        let mut policies = Map::new();
        for (layer, levels) in layers {
            let documents: Vec<Value> =
                levels.into_iter().filter(|level| !level.is_empty()).map(|level| document(layer, level, rng)).collect();
            let (name, value) = match layer {
                Layer::Identity => ("identity", json!(documents)),
                Layer::Boundary => ("boundary", json!(documents)),
                Layer::Endpoint => ("vpce", json!(documents)),
                Layer::Session => ("session", documents.into_iter().next().unwrap_or_default()),
                Layer::Resource => ("resource", documents.into_iter().next().unwrap_or_default()),
                Layer::Scp => ("scp", documents.into_iter().map(|one| json!([one])).collect()),
                Layer::Rcp => ("rcp", documents.into_iter().map(|one| json!([one])).collect()),
            };
            if !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()) {
                policies.insert(name.to_owned(), value);
            }
        }
        Value::Object(policies)
    }

    /// The statements of a layer that lets the request through, or nearly.
    fn allowing(&mut self, layer: Layer, rng: &mut Rng) -> Vec<Value> {
        if layer == Layer::Rcp {
            // AWS's own RCP allows everything; what people write can only deny.
            let spoilt = self.spoilt("Deny", layer, rng);
            return vec![spoilt];
        }
        let mut statements = Vec::new();
        match rng.chance(8) {
            true => statements.push(self.spoilt("Allow", layer, rng)),
            false => statements.push(self.statement("Allow", layer, None, rng)),
        }
        if rng.chance(25) {
            let more = self.spoilt("Allow", layer, rng);
            statements.push(more);
        }
        rng.shuffle(&mut statements);
        statements
    }

    /// A statement that fits the request in all but one part.
    fn spoilt(&mut self, effect: &str, layer: Layer, rng: &mut Rng) -> Value {
        let mut parts = vec![Part::Action, Part::Condition, Part::Condition, Part::Condition, Part::Condition];
        if self.has_resource(layer) {
            parts.push(Part::Resource);
        }
        if layer == Layer::Resource {
            parts.extend([Part::Principal, Part::Principal]);
        }
        let part = rng.one(&parts);
        self.statement(effect, layer, Some(part), rng)
    }

    fn has_resource(&self, layer: Layer) -> bool {
        !(layer == Layer::Resource && self.target.service() == "sts")
    }

    fn statement(&mut self, effect: &str, layer: Layer, spoilt: Option<Part>, rng: &mut Rng) -> Value {
        let mut statement = Map::new();
        if rng.chance(20) {
            statement.insert("Sid".to_owned(), json!(format!("Statement{}", rng.below(1000))));
        }
        statement.insert("Effect".to_owned(), json!(effect));
        if layer == Layer::Resource {
            self.principal(effect, spoilt == Some(Part::Principal), &mut statement, rng);
        } else if layer == Layer::Rcp || layer == Layer::Endpoint {
            statement.insert("Principal".to_owned(), json!("*"));
        }
        self.action(layer, spoilt != Some(Part::Action), &mut statement, rng);
        let silent = layer == Layer::Resource && self.target.service() == "kms" && rng.chance(2);
        if self.has_resource(layer) && !silent {
            self.resource(layer, spoilt != Some(Part::Resource), &mut statement, rng);
        }
        let mut clauses = Vec::new();
        for _ in 0..rng.one(&[0, 0, 1, 1, 2]) {
            clauses.push(self.surroundings.clause(rng.chance(92), rng));
        }
        if spoilt == Some(Part::Condition) {
            clauses.push(self.surroundings.clause(false, rng));
        }
        if !clauses.is_empty() {
            rng.shuffle(&mut clauses);
            statement.insert("Condition".to_owned(), clauses::block(&clauses, rng));
        } else if rng.chance(3) {
            statement.insert("Condition".to_owned(), json!({}));
        }
        Value::Object(statement)
    }

    fn principal(&mut self, effect: &str, spoilt: bool, statement: &mut Map<String, Value>, rng: &mut Rng) {
        let trust = self.target.service() == "sts";
        let stranger = ("AWS", "arn:aws:iam::444444444444:role/Stranger".to_owned());
        if !trust && rng.chance(if effect == "Deny" { 12 } else { 3 }) {
            let mut entries = vec![stranger];
            if spoilt {
                // Every level of the caller, or all but one.
                entries.extend(self.levels());
                if rng.chance(25) {
                    entries.remove(rng.below(entries.len()));
                }
            } else if rng.chance(40) {
                entries.push(self.who.nearly_named(rng));
            }
            statement.insert("NotPrincipal".to_owned(), principals(rng, &entries));
            return;
        }
        let mut entries = Vec::new();
        if !spoilt {
            entries.push(self.who.named(rng));
        }
        for _ in 0..rng.one(&[0, 0, 1, 2]) {
            entries.push(self.who.nearly_named(rng));
        }
        if entries.is_empty() {
            entries.push(if rng.chance(80) { self.who.nearly_named(rng) } else { stranger });
        }
        rng.shuffle(&mut entries);
        statement.insert("Principal".to_owned(), principals(rng, &entries));
    }

    /// What must stand in a `NotPrincipal` for the caller to be spared.
    fn levels(&self) -> Vec<(&'static str, String)> {
        let mut levels: Vec<(&'static str, String)> = Vec::new();
        match self.who {
            Who::Service(name) => levels.push(("Service", name.clone())),
            Who::Anonymous => levels.push(("AWS", "*".to_owned())),
            who => levels.push(("AWS", who.principal())),
        }
        if let Who::Session(..) = self.who {
            levels.extend(self.who.behind().map(|role| ("AWS", role)));
        }
        levels.extend(self.who.account().map(|account| ("AWS", account.to_owned())));
        levels
    }

    fn action(&mut self, layer: Layer, hit: bool, statement: &mut Map<String, Value>, rng: &mut Rng) {
        let Target { action, other_action, .. } = *self.target;
        let (service, name) = action.split_once(':').unwrap();
        let other_service = if service == "ec2" { "s3" } else { "ec2" };
        // An RCP takes neither `*` nor `NotAction`.
        let (star, not) = (layer != Layer::Rcp, layer != Layer::Rcp);
        let own = |rng: &mut Rng| match rng.below(10) {
            0 if star => "*".to_owned(),
            1 | 2 => format!("{service}:*"),
            3 => format!("{service}:{}*", &name[..3]),
            4 => format!("{service}:*{}", &name[name.len() - 3..]),
            5 => format!("{service}:{}?{}", &name[..1], &name[2..]),
            6 => flip_action(action),
            7 => format!("{}:{name}", service.to_uppercase()),
            _ => action.to_owned(),
        };
        let other = |rng: &mut Rng| match rng.below(7) {
            0 => format!("{other_service}:*"),
            1 => format!("{service}:{}", &name[..name.len() - 1]),
            2 => format!("{action}?"),
            3 => format!("{other_service}:{name}"),
            4 => format!("{service}:{}*x", &name[..3]),
            _ => other_action.to_owned(),
        };
        let negated = not && rng.chance(9);
        let mut list = Vec::new();
        if negated != hit {
            list.push(own(rng));
        }
        for _ in 0..rng.one(&[0, 0, 1, 2]) {
            list.push(other(rng));
        }
        if list.is_empty() {
            list.push(other(rng));
        }
        list.sort();
        list.dedup();
        rng.shuffle(&mut list);
        statement.insert(if negated { "NotAction" } else { "Action" }.to_owned(), one_or_many(list, rng));
    }

    fn resource(&mut self, layer: Layer, hit: bool, statement: &mut Map<String, Value>, rng: &mut Rng) {
        let Target { resource, .. } = *self.target;
        let mut list = Vec::new();
        let negated = rng.chance(if hit { 9 } else { 25 }) && layer != Layer::Rcp;
        if negated != hit {
            list.push(self.covering(rng));
        }
        for _ in 0..rng.one(&[0, 0, 0, 1, 2]) {
            list.push(self.nearly_covering(rng));
        }
        if list.is_empty() {
            list.push(self.nearly_covering(rng));
        }
        if resource == "*" {
            list.retain(|one| one == "*");
            if list.is_empty() {
                list.push("arn:aws:cloudtrail:us-east-1:111111111111:trail/x".to_owned());
            }
        }
        list.sort();
        list.dedup();
        rng.shuffle(&mut list);
        statement.insert(if negated { "NotResource" } else { "Resource" }.to_owned(), one_or_many(list, rng));
    }

    /// A `Resource` that matches what is asked for.
    fn covering(&mut self, rng: &mut Rng) -> String {
        let resource = self.target.resource;
        let half = resource.char_indices().nth(resource.chars().count() * 2 / 3).map_or(0, |(at, _)| at);
        let known = self.surroundings.known();
        let variable = known.iter().find(|(_, value)| !value.is_empty() && resource[half..].contains(value.as_str()));
        match rng.below(10) {
            0 | 1 => "*".to_owned(),
            2 => format!("{}*", &resource[..half]),
            3 => format!("{}?*", &resource[..half]),
            4 => resource.replace("111111111111", "*"),
            5 if resource.contains("AWSLogs/") => resource.replace("AWSLogs/", "${aws:PrincipalTag/none, 'AWSLogs'}/"),
            6 => resource.replace("us-east-1", "*").replace("CloudTrail", "*Tr*"),
            7 if variable.is_some() => {
                let (key, value) = variable.unwrap();
                format!("{}{}", &resource[..half], resource[half..].replace(value.as_str(), &format!("${{{key}}}")))
            }
            8 if resource.contains("222222222222") => resource.replace("222222222222", "${aws:PrincipalAccount}"),
            _ => resource.replace('$', "${$}").replace('?', "${?}"),
        }
    }

    /// One that nearly does.
    fn nearly_covering(&mut self, rng: &mut Rng) -> String {
        let resource = self.target.resource;
        let fields: Vec<&str> = resource.splitn(6, ':').collect();
        let [_, partition, service, region, account, rest] = fields[..] else { return "*".to_owned() };
        let build = |p: &str, r: &str, a: &str, x: &str| format!("arn:{p}:{service}:{r}:{a}:{x}");
        match rng.below(11) {
            0 => build(partition, region, account, &flip(rest)),
            1 => build(partition, region, account, &format!("{rest}/*")),
            2 => build("aws-cn", region, account, rest),
            3 => build(partition, "eu-west-1", account, rest),
            4 => build(partition, region, "999999999999", rest),
            5 => build(partition, region, account, &format!("{rest}?")),
            6 => build(partition, region, account, &format!("${{aws:PrincipalTag/none}}{rest}")),
            7 => build(partition, region, account, &rest.replace("222222222222", "${aws:PrincipalTag/team}x")),
            8 => build(partition, region, account, &format!("{rest}${{aws:PrincipalTag/none, 'x'}}")),
            9 => build(partition, region, account, &format!("${{*}}{rest}")),
            _ => build(partition, region, account, rest.split('/').next().unwrap_or(rest)) + "-2/*",
        }
    }
}

fn one_or_many(mut list: Vec<String>, rng: &mut Rng) -> Value {
    if list.len() == 1 && rng.chance(60) { json!(list.remove(0)) } else { json!(list) }
}

/// The policy of these statements.
fn document(layer: Layer, mut statements: Vec<Value>, rng: &mut Rng) -> Value {
    let mut document = Map::new();
    match rng.below(100) {
        _ if layer == Layer::Rcp => {
            document.insert("Version".to_owned(), json!("2012-10-17"));
        }
        0..8 => {
            document.insert("Version".to_owned(), json!("2008-10-17"));
        }
        8..14 => {}
        _ => {
            document.insert("Version".to_owned(), json!("2012-10-17"));
        }
    }
    let value = if statements.len() == 1 && rng.chance(30) { statements.remove(0) } else { json!(statements) };
    document.insert("Statement".to_owned(), value);
    Value::Object(document)
}
