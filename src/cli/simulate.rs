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
use crate::access::evaluate::{Explanation, Policies, Side};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::s3::permission_for;
use crate::access::sts::Membership;
use crate::aws::{AccountId, Arn};
use crate::collect::reason;
use crate::estate::{Document, Estate, Known, OrganizationPolicyKind, Permissions};
use crate::finding::{Decision, Step};
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
                "depends_on": explanation.depends_on,
                "unless": found.unless,
                "steps": explanation.steps.iter().map(step).collect::<Vec<_>>(),
            });
            writeln!(out, "{answer}")
        }
        AnswerFormat::Text => print(out, &request, &explanation, &found.unless, &loaded.estate),
    })?;
    Ok(if loaded.failed { Exit::Failed } else { exit })
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
    identity: Found,
    resource: Found,
    boundary: Found,
    scp: Vec<Vec<Arc<Policy>>>,
    rcp: Vec<Arc<Policy>>,
    management: Option<AccountId>,
    /// Facts that were not collected and could only deny.
    unless: Vec<String>,
}

/// Policies of one kind, as far as they are known.
#[derive(Default)]
struct Found {
    policies: Vec<Arc<Policy>>,
    /// What is not known of them.
    missing: Option<String>,
}

impl Facts {
    fn gather(context: &Context<'_>, request: &Request) -> Self {
        let mut facts = Facts::default();
        facts.caller_side(context, &request.caller);
        facts.resource = resource_policy(context, &request.resource);
        facts.organization(context, request);
        facts
    }

    fn caller_side(&mut self, context: &Context<'_>, caller: &Caller) {
        let estate = context.estate;
        let (permissions, groups) = match caller {
            Caller::Session(account, role, _) => {
                let name = role.rsplit('/').next().unwrap_or(role);
                let role = estate.roles.iter().find(|r| r.account == Some(*account) && r.name == name);
                (role.map(|role| &role.permissions), None)
            }
            Caller::User(account, user) => {
                let name = user.rsplit('/').next().unwrap_or(user);
                let user = estate.users.iter().find(|u| u.account == Some(*account) && u.name == name);
                (user.map(|user| &user.permissions), user.map(|user| &user.groups))
            }
            Caller::FederatedUser(..) => (None, None),
            Caller::Root(_) | Caller::Service(_) | Caller::Provider(_) | Caller::Anonymous => return,
        };
        let Some(permissions) = permissions else {
            self.identity.missing = Some(format!("the identity policies of {caller}"));
            return;
        };
        self.identity.add(context, permissions);
        if let Some(groups) = groups {
            match groups.get() {
                Ok(names) => {
                    for name in names.into_iter().flatten() {
                        let group = estate.groups.iter().find(|g| g.name == *name && g.account == caller.account());
                        match group {
                            Some(group) => self.identity.add(context, &group.permissions),
                            None => self.identity.missing = Some(format!("the policies of group `{name}`")),
                        }
                    }
                }
                Err(_) => self.identity.missing = Some(format!("the groups of {caller}")),
            }
        }
        match (&permissions.boundary_document, permissions.boundary.get()) {
            (Some(document), _) => self.boundary.policies.push(context.policy(document)),
            (None, Ok(None)) => {}
            (None, Ok(Some(arn))) => match estate.managed_text(arn) {
                Some(text) => self.boundary.policies.push(text.policy()),
                None => self.boundary.missing = Some(format!("the text of permissions boundary `{arn}`")),
            },
            (None, Err(_)) => self.unless.push(format!("a permissions boundary of {caller}")),
        }
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
        let identity: Vec<&Policy> = self.identity.policies.iter().map(Arc::as_ref).collect();
        let resource: Vec<&Policy> = self.resource.policies.iter().map(Arc::as_ref).collect();
        let boundary: Vec<&Policy> = self.boundary.policies.iter().map(Arc::as_ref).collect();
        let scp: Vec<Vec<&Policy>> = self.scp.iter().map(|level| level.iter().map(Arc::as_ref).collect()).collect();
        let rcp: Vec<Vec<&Policy>> = vec![self.rcp.iter().map(Arc::as_ref).collect()];
        let decide = |identity_side| {
            let policies = Policies {
                identity: identity_side,
                resource: self.resource.side(&resource),
                boundary: self.boundary.side(&boundary),
                scp: &scp,
                rcp: &rcp,
                management: self.management,
                ..Policies::default()
            };
            layers.explain(request, &policies)
        };
        let known = match identity.is_empty() {
            true => Side::None,
            false => Side::Policies(&identity),
        };
        let mut explanation = decide(known);
        let Some(missing) = &self.identity.missing else { return explanation };
        match explanation.decision {
            // What is not known may allow …
            Decision::ImplicitDeny => decide(Side::Unknown(missing)),
            // … or deny.
            Decision::Allowed if !identity.is_empty() => {
                explanation.decision = Decision::Conditional;
                explanation.depends_on.push(missing.clone());
                explanation
            }
            _ => explanation,
        }
    }
}

impl Found {
    fn add(&mut self, context: &Context<'_>, permissions: &Permissions) {
        match permissions.inline.get() {
            Ok(inline) => {
                for one in inline.into_iter().flatten() {
                    match one.document.present() {
                        Some(document) => self.policies.push(context.policy(document)),
                        None => self.missing = Some("an inline policy that could not be read".to_owned()),
                    }
                }
            }
            Err(_) => self.missing = Some("inline policies that are not in the inputs".to_owned()),
        }
        match permissions.attached.get() {
            Ok(attached) => {
                for arn in attached.into_iter().flatten() {
                    match context.estate.managed_text(&arn.value) {
                        Some(text) => self.policies.push(text.policy()),
                        None => self.missing = Some(format!("the text of `{}`", arn.value)),
                    }
                }
            }
            Err(_) => self.missing = Some("attached policies that are not in the inputs".to_owned()),
        }
    }

    fn side<'p>(&'p self, policies: &'p [&'p Policy]) -> Side<'p> {
        match &self.missing {
            Some(missing) => Side::Unknown(missing),
            None if policies.is_empty() => Side::None,
            None => Side::Policies(policies),
        }
    }
}

/// The policy of the bucket, role or key that an ARN names.
fn resource_policy(context: &Context<'_>, resource: &str) -> Found {
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
    let mut found = Found::default();
    match known.map(Known::get) {
        Some(Ok(Some(document))) => found.policies.push(context.policy(document)),
        Some(Ok(None)) => {}
        Some(Err(_)) | None if arn.is_some() => found.missing = Some(format!("the policy of {resource}")),
        _ => {}
    }
    found
}
