//! `trailproof simulate`: one request against an estate, or many from a file.

mod layers;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use compact_str::CompactString;
use serde_json::json;

use self::layers::Layers;
use super::args::{AnswerFormat, SimulateArgs};
use super::estate::Loaded;
use super::{Exit, Failure, cases, output};
use crate::access::actor::{Actor, Boundary};
use crate::access::evaluate::{Explanation, Policies, Side};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::s3::permission_for;
use crate::access::sts::Membership;
use crate::aws::{AccountId, Arn};
use crate::collect::reason;
use crate::estate::{Document, Estate, Gap, Known, OrganizationPolicyKind};
use crate::finding::{Decision, Dependency, Step};
use crate::policy::Policy;
use crate::policy::pattern::has_wildcard;
use crate::rule::context::Context;
use crate::text::Source;

pub(super) fn run(args: &SimulateArgs) -> Result<Exit, Failure> {
    match &args.cases {
        Some(file) => run_cases(file),
        None => run_one(args),
    }
}

fn run_cases(file: &Path) -> Result<Exit, Failure> {
    let name = file.display().to_string();
    let bytes = match name.as_str() {
        "-" => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
            bytes
        }
        _ => std::fs::read(file).map_err(|error| Failure::new(format!("can not read `{name}`: {}", reason(&error))))?,
    };
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{name}` is not UTF-8 text")))?;
    let source = Source::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text));
    let mut result = Ok(true);
    let exit = output::to_stdout(|out| {
        result = cases::answer(&source, out);
        Ok(())
    })?;
    match result {
        Ok(true) => Ok(exit),
        Ok(false) => Ok(Exit::Failed),
        Err(message) => Err(Failure::new(message)),
    }
}

fn run_one(args: &SimulateArgs) -> Result<Exit, Failure> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (principal, action, resource) = (text(&args.principal), text(&args.action), text(&args.resource));
    let caller = Caller::parse(&principal).ok_or_else(|| {
        Failure::new(format!(
            "`{principal}` is no principal: give an ARN, an account ID, a service name or `anonymous`"
        ))
    })?;
    if !action.contains(':') || has_wildcard(&action) {
        return Err(Failure::new(format!("`{action}` is no action: write one as `service:Action`")));
    }
    if resource != "*" && Arn::parse(&resource).is_none() {
        return Err(Failure::new(format!("`{resource}` is no resource: give an ARN, or `*` where an action has none")));
    }
    let given = read_context(&args.context)?;
    let loaded = Loaded::read(&args.input, None, None)?;
    let context = Context::new(&loaded.estate, &loaded.model, loaded.config.as_ref());
    let mut request = Request::new(caller, permission_for(&action), &resource, owner_of(&resource, &loaded));
    request.otherwise = Otherwise::Situation;
    organization_keys(&mut request, &context);
    for (key, values) in given {
        request.set(&key, Given::Values(values));
    }
    let mut found = Facts::gather(&context, &request);
    let layers = Layers::of(&context, &request);
    let explanation = found.explain(&request, &layers);
    if explanation.decision != Decision::ImplicitDeny && explanation.decision != Decision::ExplicitDeny {
        found.unless.extend(layers.unless());
    }
    let exit = output::to_stdout(|out| match args.format {
        AnswerFormat::Json => {
            let step = |step: &Step| match step.span.and_then(|span| loaded.estate.sources.source(span.source)) {
                Some(source) => cases::step_json(step, source),
                None => json!({"effect": step.effect.name(), "message": step.message}),
            };
            let answer = json!({
                "decision": explanation.decision.name(),
                "depends_on": explanation.depends_on.iter().map(Dependency::text).collect::<Vec<_>>(),
                "unless": found.unless,
                "steps": explanation.steps.iter().map(step).collect::<Vec<_>>(),
            });
            writeln!(out, "{answer}")
        }
        AnswerFormat::Text => print(out, &request, &explanation, &found.unless, &loaded.estate),
    })?;
    Ok(if !loaded.failures.is_empty() { Exit::Failed } else { exit })
}

fn print(
    out: &mut dyn Write,
    request: &Request,
    explanation: &Explanation,
    unless: &[String],
    estate: &Estate,
) -> std::io::Result<()> {
    let (caller, action, resource) = (&request.caller, &request.action, &request.resource);
    let verdict = match explanation.decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "denied by a statement",
        Decision::ImplicitDeny => "denied: nothing allows it",
        Decision::Conditional => "conditional",
    };
    writeln!(out, "{verdict}: {caller} {action} {resource}")?;
    for step in &explanation.steps {
        let place = step.span.and_then(|span| Some((span, estate.sources.source(span.source)?)));
        let place = place.map(|(span, source)| format!(" ({}:{})", source.name(), source.position(span.start)));
        writeln!(out, "  {:8} {}{}", step.effect.name(), step.message, place.unwrap_or_default())?;
    }
    for key in &explanation.depends_on {
        writeln!(out, "  depends on {key}")?;
    }
    if explanation.decision != Decision::ExplicitDeny && explanation.decision != Decision::ImplicitDeny {
        unless.iter().try_for_each(|fact| writeln!(out, "  unless   {fact} (not in the inputs) deny it"))?;
    }
    Ok(())
}

fn read_context(pairs: &[String]) -> Result<BTreeMap<String, Vec<CompactString>>, Failure> {
    let mut context: BTreeMap<String, Vec<CompactString>> = BTreeMap::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::new(format!("`{pair}` is no context value: write it as KEY=VALUE")));
        };
        context.entry(key.to_owned()).or_default().push(value.into());
    }
    Ok(context)
}

/// The account that owns a resource: by its ARN, for a bucket by what was read or declared of it.
fn owner_of(resource: &str, loaded: &Loaded) -> Option<AccountId> {
    let arn = Arn::parse(resource)?;
    arn.account_id().or_else(|| {
        let name = arn.bucket()?;
        let bucket = loaded.estate.buckets.iter().find(|bucket| bucket.name == name);
        bucket.and_then(|bucket| bucket.account.present().copied()).or_else(|| loaded.model.log_bucket(name)?.owner)
    })
}

fn organization_keys(request: &mut Request, context: &Context<'_>) {
    if let Some(account) = request.caller.account()
        && let membership @ (Membership::In(_) | Membership::InUnknown) = context.membership(account)
    {
        for (key, given) in membership.keys().into_iter().flatten() {
            request.set(&key, given);
        }
    }
    if let Some(owner) = request.resource_account
        && let Membership::In(id) = context.membership(owner)
    {
        request.set("aws:ResourceOrgID", Given::Values(vec![id]));
    }
}

/// The policies of an estate that decide one request.
#[derive(Default)]
struct Facts {
    actor: Actor,
    /// What is not known of the caller's own policies, in words.
    missing: Vec<String>,
    resource: Option<Arc<Policy>>,
    /// What is not known where the policy of the resource is not, in words.
    missing_of_resource: Option<String>,
    scp: Vec<Vec<Arc<Policy>>>,
    rcp: Vec<Arc<Policy>>,
    management: Option<AccountId>,
    /// Facts that were not collected and could only deny.
    unless: Vec<String>,
}

impl Facts {
    fn gather(context: &Context<'_>, request: &Request) -> Self {
        let mut facts = Facts::default();
        match Actor::of(context.estate, &request.caller) {
            Some(actor) => {
                facts.missing.extend(actor.missing.iter().map(Gap::to_string));
                if let Boundary::Unknown(what) = &actor.boundary {
                    facts.unless.push(what.clone());
                }
                facts.actor = actor;
            }
            None => facts.missing.push(format!("the identity policies of {}", request.caller)),
        }
        match resource_policy(context, &request.resource) {
            Ok(policy) => facts.resource = policy,
            Err(missing) => facts.missing_of_resource = Some(missing),
        }
        facts.organization(context, request);
        facts
    }

    fn organization(&mut self, context: &Context<'_>, request: &Request) {
        let organization = &context.estate.organization;
        self.management = organization.management.present().copied();
        self.rcp = context.rcp(request.resource_account);
        let of_kind = |kind| organization.policies.iter().any(|policy| policy.kind == kind);
        if let Some(account) = request.caller.account() {
            match of_kind(OrganizationPolicyKind::Scp) {
                true => self.scp = context.scp(account),
                false => self.unless.push(format!("service control policies of {account}")),
            }
        }
        if let Some(owner) = request.resource_account.filter(|_| !of_kind(OrganizationPolicyKind::Rcp)) {
            self.unless.push(format!("resource control policies of {owner}"));
        }
    }

    fn explain(&self, request: &Request, layers: &Layers<'_>) -> Explanation {
        let identity: Vec<&Policy> = self.actor.identity.iter().map(Arc::as_ref).collect();
        let resource: Vec<&Policy> = self.resource.iter().map(Arc::as_ref).collect();
        let boundary: &[&Policy] = match &self.actor.boundary {
            Boundary::Is(policy) => &[policy],
            Boundary::None | Boundary::Unread(_) | Boundary::Unknown(_) => &[],
        };
        let scp: Vec<Vec<&Policy>> = self.scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
        let rcp: Vec<Vec<&Policy>> = vec![self.rcp.iter().map(Arc::as_ref).collect()];
        let decide = |identity: Side<'_>| {
            let policies = Policies {
                identity,
                resource: match &self.missing_of_resource {
                    Some(missing) => Side::Unknown(missing),
                    None => known(&resource),
                },
                boundary: match &self.actor.boundary {
                    Boundary::Unread(what) => Side::Unknown(what),
                    _ => known(boundary),
                },
                scp: &scp,
                rcp: &rcp,
                management: self.management,
                ..Policies::default()
            };
            layers.explain(request, &policies)
        };
        let mut explanation = decide(known(&identity));
        let Some(missing) = self.missing.first() else { return explanation };
        match explanation.decision {
            // What is not known may allow …
            Decision::ImplicitDeny => decide(Side::Unknown(missing)),
            // … or deny.
            Decision::Allowed if !identity.is_empty() => {
                explanation.decision = Decision::Conditional;
                explanation.depends_on.extend(self.missing.iter().map(Dependency::fact));
                explanation
            }
            _ => explanation,
        }
    }
}

fn known<'p>(policies: &'p [&'p Policy]) -> Side<'p> {
    if policies.is_empty() { Side::None } else { Side::Policies(policies) }
}

/// The policy of the bucket, role or key that an ARN names.
///
/// # Errors
/// What is not known, in words.
fn resource_policy(context: &Context<'_>, resource: &str) -> Result<Option<Arc<Policy>>, String> {
    let estate = context.estate;
    let arn = Arn::parse(resource);
    let known: Option<&Known<Document>> = arn.and_then(|arn| match arn.service {
        "s3" => {
            let name = arn.bucket()?;
            estate.buckets.iter().find(|bucket| bucket.name == name).map(|bucket| &bucket.policy)
        }
        "iam" => {
            let name = arn.resource_of("role")?.rsplit('/').next()?;
            let role = estate.roles.iter().find(|role| role.account == arn.account_id() && role.name == name);
            role.map(|role| &role.trust)
        }
        "kms" => estate.keys.iter().find(|key| key.arn.as_deref() == Some(resource)).map(|key| &key.policy),
        _ => None,
    });
    match known.map(Known::get) {
        Some(Ok(document)) => Ok(document.map(|document| context.policy(document))),
        Some(Err(_)) | None if arn.is_some() => Err(format!("the policy of {resource}")),
        _ => Ok(None),
    }
}
