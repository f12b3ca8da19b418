//! `simulate --cases`: requests and policies from one file, one answer a line.

mod settings;

use std::io::Write;

use compact_str::CompactString;
use serde_json::json;

use self::settings::Settings;
use crate::access::evaluate::{Explanation, Policies, Side, explain};
use crate::access::kms::decrypt_policies;
use crate::access::read::{Encryption, Read};
use crate::access::request::{Caller, Given, Request};
use crate::access::s3::permission_for;
use crate::aws::{AccountId, Arn};
use crate::config::closest;
use crate::estate::read_policy;
use crate::finding::{Dependency, Step};
use crate::policy::pattern::has_wildcard;
use crate::policy::{Policy, PolicyKind, ProblemKind};
use crate::syntax::json::{Json, Kind, Tape};
use crate::text::embedded::Place;
use crate::text::{Source, SourceId};

/// Answers every case of a file; whether all could be answered.
///
/// # Errors
/// A file that holds no cases, in words; or an output that can not be written.
pub(super) fn answer(source: &Source, out: &mut dyn Write) -> Result<bool, String> {
    let place = Place::direct(SourceId::new(0), 0);
    let mut tape = Tape::new();
    let json = tape.read(source.text(), &place).map_err(|error| {
        let position = source.position(error.at);
        format!("{}:{position}: {}", source.name(), error.kind)
    })?;
    let Some(cases) = json.member("cases").filter(|cases| cases.kind() == Kind::Array) else {
        return Err(format!("{}: there is no list of `cases`", source.name()));
    };
    let mut all = true;
    for case in cases.elements() {
        let id = case.member("id").and_then(Json::scalar_text);
        let answer = match &id {
            Some(_) => one(case, source),
            None => Err("`id` is missing, or no text".to_owned()),
        };
        let line = match answer {
            Ok(mut answer) => {
                if let Some(object) = answer.as_object_mut() {
                    object.shift_insert(0, "id".to_owned(), json!(id));
                }
                answer
            }
            Err(error) => {
                all = false;
                json!({"id": id, "error": error})
            }
        };
        writeln!(out, "{line}").map_err(|error| error.to_string())?;
    }
    Ok(all)
}

/// The policies of a case, owned.
#[derive(Default)]
struct CasePolicies {
    identity: Vec<Policy>,
    resource: Vec<Policy>,
    boundary: Option<Vec<Policy>>,
    session: Option<Vec<Policy>>,
    scp: Vec<Vec<Policy>>,
    rcp: Vec<Vec<Policy>>,
    endpoint: Option<Vec<Policy>>,
}

/// What is read of a case; other keys are notes of its author's, unless they look like one of these.
const OF_CASE: [&str; 4] = ["id", "request", "policies", "settings"];
const OF_REQUEST: [&str; 5] = ["principal", "action", "resource", "resource_account", "context"];

fn one(case: Json<'_>, source: &Source) -> Result<serde_json::Value, String> {
    for (key, _) in case.members() {
        let key = key.as_str().unwrap_or_default();
        if let Some(meant) = closest(&key, &OF_CASE).filter(|_| !OF_CASE.contains(&key.as_ref())) {
            return Err(format!("`{key}` is no part of a case; did you mean `{meant}`?"));
        }
    }
    let request = case.member("request").ok_or("`request` is missing")?;
    let request = read_request(request)?;
    let given = read_policies(case.member("policies"), &request)?;
    let settings = Settings::read(case.member("settings"), &request)?;
    let identity: Vec<&Policy> = given.identity.iter().collect();
    let resource: Vec<&Policy> = given.resource.iter().collect();
    fn refer(list: &Option<Vec<Policy>>) -> Option<Vec<&Policy>> {
        list.as_ref().map(|list| list.iter().collect())
    }
    let (boundary, session, endpoint) = (refer(&given.boundary), refer(&given.session), refer(&given.endpoint));
    let (scp, rcp) = (refer_levels(&given.scp), refer_levels(&given.rcp));
    fn side<'p>(list: &'p Option<Vec<&'p Policy>>) -> Side<'p> {
        list.as_ref().map_or(Side::None, |list| Side::Policies(list))
    }
    let policies = Policies {
        identity: if identity.is_empty() { Side::None } else { Side::Policies(&identity) },
        resource: if resource.is_empty() { Side::None } else { Side::Policies(&resource) },
        boundary: side(&boundary),
        session: side(&session),
        scp: &scp,
        rcp: &rcp,
        endpoint: side(&endpoint),
        management: settings.management,
        canonical: settings.canonical(&request),
        ..Policies::default()
    };
    let explanation = answer_one(&request, &policies, &settings);
    let steps: Vec<serde_json::Value> = explanation.steps.iter().map(|step| step_json(step, source)).collect();
    let mut answer = json!({
        "decision": explanation.decision.name(),
        "depends_on": explanation.depends_on.iter().map(Dependency::text).collect::<Vec<_>>(),
        "steps": steps,
    });
    let problems: Vec<String> = given
        .all()
        .chain(settings.key_policy())
        .flat_map(|policy| &policy.problems)
        .map(|p| p.kind.to_string())
        .collect();
    if let Some(object) = answer.as_object_mut().filter(|_| !problems.is_empty()) {
        object.insert("problems".to_owned(), json!(problems));
    }
    Ok(answer)
}

/// Decides a case with the settings that say what S3 and KMS add to its policies.
fn answer_one(request: &Request, policies: &Policies<'_>, settings: &Settings) -> Explanation {
    let storage = settings.storage(policies.resource);
    let facts = settings.key_facts();
    let policies = Policies { storage: storage.as_ref(), ..*policies };
    let Some(key) = &settings.key else { return explain(request, &policies) };
    let Some(object_key) = key.object_key().filter(|_| request.action.is_of("s3")) else {
        return explain(request, &Policies { key: facts.as_ref(), ..policies });
    };
    let decrypt = object_key.decrypt(request);
    let key_policy: Vec<&Policy> = key.policy.iter().collect();
    let own = match (&key.rcp, object_key.account == request.resource_account) {
        (Some(levels), _) => refer_levels(levels),
        (None, true) => policies.rcp.to_vec(),
        (None, false) => Vec::new(),
    };
    let side = if key_policy.is_empty() { Side::None } else { Side::Policies(&key_policy) };
    let facts = facts.unwrap_or_default();
    let of_key = decrypt_policies(&policies, side, &own, &facts);
    let encryption = Encryption::Kms { request: &decrypt, policies: &of_key };
    Read { request, policies: &policies, encryption }.explain()
}

/// A step, with its line and column where it has a place.
pub(super) fn step_json(step: &Step, source: &Source) -> serde_json::Value {
    let mut value = json!({"effect": step.effect.name(), "message": step.message});
    if let (Some(span), Some(object)) = (step.span, value.as_object_mut()) {
        let position = source.position(span.start);
        let location = json!({"file": source.name(), "line": position.line, "column": position.column});
        object.insert("location".to_owned(), location);
    }
    value
}

fn refer_levels(levels: &[Vec<Policy>]) -> Vec<Vec<&Policy>> {
    levels.iter().map(|level| level.iter().collect()).collect()
}

impl CasePolicies {
    fn all(&self) -> impl Iterator<Item = &Policy> {
        let lists = [
            Some(&self.identity),
            Some(&self.resource),
            self.boundary.as_ref(),
            self.session.as_ref(),
            self.endpoint.as_ref(),
        ];
        lists.into_iter().flatten().chain(&self.scp).chain(&self.rcp).flatten()
    }
}

fn read_request(json: Json<'_>) -> Result<Request, String> {
    for (key, _) in json.members() {
        let key = key.as_str().unwrap_or_default();
        if !OF_REQUEST.contains(&key.as_ref()) {
            let hint = closest(&key, &OF_REQUEST).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(format!("`request.{key}` is no part of a request{hint}"));
        }
    }
    let text = |key: &'static str| {
        let value = json.member(key).ok_or_else(|| format!("`request.{key}` is missing"))?;
        value.as_str().map(|text| text.into_owned()).ok_or_else(|| format!("`request.{key}` is no string"))
    };
    let (principal, action, resource) = (text("principal")?, text("action")?, text("resource")?);
    let caller = Caller::parse(&principal).ok_or_else(|| {
        format!("`{principal}` is no principal: an ARN, an account ID, a service name or `anonymous` is wanted")
    })?;
    if !action.contains(':') || has_wildcard(&action) {
        return Err(format!("`{action}` is no action: `service:Action` is wanted"));
    }
    let account = match json.member("resource_account") {
        Some(value) => {
            let text = value.scalar_text().unwrap_or_default();
            Some(AccountId::parse(&text).ok_or_else(|| format!("`{text}` is no account ID"))?)
        }
        None => account_of(&resource).or(caller.account()),
    };
    let mut request = Request::new(caller, permission_for(&action), &resource, account);
    if let Some(context) = json.member("context") {
        if context.kind() != Kind::Object {
            return Err("`request.context` is no object".to_owned());
        }
        for (key, value) in context.members() {
            let key = key.as_str().unwrap_or_default();
            request.set(&key, read_value(&key, value)?);
        }
    }
    Ok(request)
}

/// The account field of an ARN.
pub(super) fn account_of(resource: &str) -> Option<AccountId> {
    Arn::parse(resource).and_then(|arn| arn.account_id())
}

fn read_value(key: &str, value: Json<'_>) -> Result<Given, String> {
    let wrong = || format!("the value of `{key}` is {}, not text or a list of texts", value.kind().name());
    match value.kind() {
        Kind::Null => Ok(Given::Absent),
        Kind::Object => Err(wrong()),
        Kind::Array => {
            let texts = value.elements().map(|item| item.scalar_text().map(|text| CompactString::new(&text)));
            let texts: Option<Vec<CompactString>> = texts.collect();
            texts.map(Given::Values).ok_or_else(wrong)
        }
        _ => Ok(Given::Values(vec![CompactString::new(value.scalar_text().unwrap_or_default())])),
    }
}

fn read_policies(json: Option<Json<'_>>, request: &Request) -> Result<CasePolicies, String> {
    let mut given = CasePolicies::default();
    let Some(json) = json else { return Ok(given) };
    if json.kind() != Kind::Object {
        return Err("`policies` is no object".to_owned());
    }
    for (key, value) in json.members() {
        let key = key.as_str().unwrap_or_default();
        match key.as_ref() {
            "identity" => given.identity = list(value, PolicyKind::Identity)?,
            "resource" => given.resource = list(value, resource_kind(request))?,
            "boundary" => given.boundary = limit(value, PolicyKind::Boundary)?,
            "session" => given.session = limit(value, PolicyKind::Session)?,
            "vpce" => given.endpoint = limit(value, PolicyKind::VpcEndpoint)?,
            "scp" => given.scp = levels(value, PolicyKind::Scp)?,
            "rcp" => given.rcp = levels(value, PolicyKind::Rcp)?,
            other => return Err(format!("`policies.{other}` is no kind of policy")),
        }
    }
    Ok(given)
}

/// What kind of policy the resource of a request has.
fn resource_kind(request: &Request) -> PolicyKind {
    match () {
        () if request.action.is_of("sts") => PolicyKind::Trust,
        () if request.action.is_of("kms") => PolicyKind::Key,
        () if request.action.is_of("s3") => PolicyKind::Bucket,
        () => PolicyKind::Resource,
    }
}

/// One document or a list of documents.
fn list(value: Json<'_>, kind: PolicyKind) -> Result<Vec<Policy>, String> {
    let read = |json: Json<'_>| {
        let policy = read_policy(json, kind).map_err(|broken| format!("a policy is not JSON: {}", broken.message))?;
        let wrong = policy.problems.iter().find(|one| matches!(one.kind, ProblemKind::WrongType("policy", ..)));
        wrong.map_or(Ok(()), |wrong| Err(format!("a policy can not be read: {}", wrong.kind)))?;
        Ok(policy)
    };
    match value.kind() {
        Kind::Null => Ok(Vec::new()),
        Kind::Array => value.elements().map(read).collect(),
        _ => Ok(vec![read(value)?]),
    }
}

/// Documents that limit; where there is none, there is no limit.
fn limit(value: Json<'_>, kind: PolicyKind) -> Result<Option<Vec<Policy>>, String> {
    list(value, kind).map(|policies| Some(policies).filter(|policies| !policies.is_empty()))
}

fn levels(value: Json<'_>, kind: PolicyKind) -> Result<Vec<Vec<Policy>>, String> {
    match value.kind() {
        Kind::Null => Ok(Vec::new()),
        Kind::Array => value.elements().map(|level| list(level, kind)).collect(),
        other => Err(format!("levels of policies are a list of lists, not {}", other.name())),
    }
}
