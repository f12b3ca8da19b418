//! What one Allow statement of a bucket or key policy gives to accounts that nobody declared.

use crate::access::allowance::Allowance;
use crate::access::evaluate::{Policies, Side};
use crate::access::request::{Caller, Given, Otherwise, Request};
use crate::access::search::{
    ANY_ROLE, ANY_SESSION, Answer, Found, Question, STRANGER, can_arrange, fill, principals_of,
};
use crate::access::sts::{better, meant_accounts, named_accounts, names_everyone, ways};
use crate::aws::{AccountId, services};
use crate::finding::Dependency;
use crate::model::Class;
use crate::policy::condition::{Context as _, KeyValue};
use crate::policy::{Effect, Policy, Principal, Statement};
use crate::rule::context::Context;
use crate::rules::shared::trust::principal_span;
use crate::text::Span;

/// How many requests are tried for one statement and account, of all that its actions and resources allow.
const MAX_REQUESTS: usize = 48;

/// A resource and the policy that is attached to it.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Attached<'p> {
    /// The policy.
    pub(in crate::rules) policy: &'p Policy,
    /// The resource's ARN, or one that stands for it.
    pub(in crate::rules) arn: &'p str,
    /// The account that owns it, where known.
    pub(in crate::rules) owner: Option<AccountId>,
    /// The prefix of its service's actions, `s3` or `kms`.
    pub(in crate::rules) service: &'static str,
}

/// An account that is asked about.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Grantee<'s> {
    /// Its ID, or one that stands for it.
    pub(in crate::rules) account: AccountId,
    /// Its S3 canonical ID, where nothing tells whose that is.
    pub(in crate::rules) canonical: Option<&'s str>,
    /// The place that names it.
    pub(in crate::rules) span: Span,
}

/// The undeclared accounts that a statement gives something to, each with the answer that shows it.
///
/// What everyone is given is the matter of other rules.
pub(in crate::rules) fn to_undeclared<'s>(
    context: &Context<'_>,
    allowance: &Allowance,
    attached: &Attached<'_>,
    statement: &'s Statement,
) -> Vec<(Grantee<'s>, Answer)> {
    let accounts = meant_accounts(attached.policy, statement)
        .into_iter()
        .filter(|account| attached.is_undeclared(context, *account));
    let mut grantees: Vec<Grantee<'s>> = accounts
        .map(|account| Grantee { account, canonical: None, span: principal_span(attached.policy, statement, account) })
        .collect();
    let stranger = || {
        let named = attached.policy.effective().flat_map(named_accounts);
        AccountId::other_than(named.chain(context.model.known_accounts()))
    };
    for entry in statement.principals.iter().filter(|principals| !principals.negated).flat_map(|p| &p.entries) {
        let Principal::CanonicalUser(id) = &entry.principal else { continue };
        match context.model.account_of_canonical_id(id) {
            Some(known) if !attached.is_undeclared(context, known) => {}
            known => grantees.push(Grantee {
                account: known.unwrap_or_else(stranger),
                canonical: Some(id),
                span: entry.span,
            }),
        }
    }
    if grantees.is_empty() {
        return Vec::new();
    }
    if names_everyone(statement) {
        let anyone = Grantee { account: stranger(), canonical: None, span: statement.span };
        if granted(context, allowance, attached, statement, anyone).found().is_some() {
            return Vec::new();
        }
    }
    let asked =
        grantees.into_iter().map(|grantee| (grantee, granted(context, allowance, attached, statement, grantee)));
    asked.filter(|(_, answer)| *answer != Answer::No).collect()
}

impl Attached<'_> {
    /// Whether an account is neither the owner nor anyone whom the model knows.
    pub(in crate::rules) fn is_undeclared(&self, context: &Context<'_>, account: AccountId) -> bool {
        Some(account) != self.owner && context.model.class(account) == Class::Undeclared
    }
}

/// Whether a statement lets some principal of an account do anything, its own administrators willing; all Deny statements
/// of the policy count, its other Allow statements do not.
fn granted(
    context: &Context<'_>,
    allowance: &Allowance,
    attached: &Attached<'_>,
    statement: &Statement,
    to: Grantee<'_>,
) -> Answer {
    let mut policy = attached.policy.clone();
    policy.statements.retain(|one| one.effect == Effect::Deny || one.span == statement.span);
    let policies = [&policy];
    let rcp = context.rcp(attached.owner);
    let rcp = [rcp.iter().map(AsRef::as_ref).collect::<Vec<&Policy>>()];
    let account = to.account;
    let own = context.model.organization_id().map(|organization| organization.id.as_str());
    let ways =
        ways(account, &context.membership(account), [&policy].into_iter().chain(rcp.iter().flatten().copied()), own);
    let mut best = Answer::No;
    for request in requests(attached, statement, account).take(MAX_REQUESTS) {
        let identity =
            format!("administrators of {account} decide which of their users and roles may `{}`", request.action);
        for way in &ways {
            let fixed = request.context.iter().map(|(key, given)| (key.as_str().into(), given.clone()));
            let question = Question {
                callers: principals_of(account, rcp.iter().flatten().copied().chain(policies)),
                action: request.action.as_str(),
                resource: request.resource.clone(),
                // An owner that is not known is another account than the one that is asked about.
                resource_account: attached.owner.or(Some(AccountId::other_than([account]))),
                policies: Policies {
                    identity: Side::Granted(&identity),
                    resource: Side::Policies(&policies),
                    rcp: &rcp,
                    canonical: to.canonical,
                    ..Policies::default()
                },
                fixed: way.keys.iter().cloned().chain(fixed).collect(),
            };
            best = better(best, way.weigh(question.ask(allowance)));
            if best.is_yes() {
                return best;
            }
        }
    }
    best
}

/// Requests that the actions and resources of a statement cover, the telling ones first.
fn requests<'s>(
    attached: &'s Attached<'_>,
    statement: &'s Statement,
    account: AccountId,
) -> impl Iterator<Item = Request> + 's {
    const FIRST: [&str; 5] = ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"];
    let covered = |action: &str| statement.covers_action(action);
    let known = services::service(attached.service).into_iter().flat_map(|service| service.actions());
    let known = known.map(ToString::to_string);
    let written = statement.actions.iter().filter(|actions| !actions.negated).flat_map(|actions| &actions.items);
    let written = written.map(|item| item.raw().to_owned()).filter(|action| !action.contains(['*', '?']));
    let of_service =
        |action: &String| action.split(':').next().is_some_and(|s| s.eq_ignore_ascii_case(attached.service));
    let all = FIRST.map(str::to_owned).into_iter().chain(written).chain(known);
    let all = all.filter(move |action| of_service(action) && covered(action));
    all.flat_map(move |action| {
        let requests = resources(attached, statement, &action, account);
        let fits = move |request: &Request| {
            // An action that AWS added since may work on anything.
            services::action(request.action.as_str())
                .is_none_or(|a| a.applies_to(&request.resource) != services::Applies::No)
        };
        requests.into_iter().filter(fits)
    })
}

/// One request for each resource that a statement names, with the tags that its variables ask for.
fn resources(attached: &Attached<'_>, statement: &Statement, action: &str, account: AccountId) -> Vec<Request> {
    let caller = || Caller::Session(account, ANY_ROLE.into(), Some(ANY_SESSION.into()));
    let request = |resource: &str| {
        let mut request = Request::new(caller(), action, resource, attached.owner);
        request.otherwise = Otherwise::Situation;
        request
    };
    if attached.service == "kms" {
        return vec![request(attached.arn)];
    }
    let object = format!("{}/{STRANGER}", attached.arn);
    let own = || vec![request(attached.arn), request(&object)];
    let Some(resources) = &statement.resources else { return Vec::new() };
    if resources.negated {
        return own();
    }
    let mut requests = Vec::new();
    for item in &resources.items {
        if item.raw() == "*" {
            requests.extend(own());
            continue;
        }
        let mut filled = request("*");
        for variable in item.variables().filter(|variable| can_arrange(&variable.key)) {
            if !matches!(filled.value(&variable.key), KeyValue::One(_)) {
                filled.set(variable.key.as_str(), Given::Values(vec![STRANGER.into()]));
            }
        }
        filled.resource = fill(item, STRANGER, "x", &filled);
        requests.push(filled);
    }
    requests
}

/// The facts a finding about a grant hangs on: what the search left open, and organization policies that were not
/// collected and could only take the access away.
pub(in crate::rules) fn unless(context: &Context<'_>, attached: &Attached<'_>, found: &Found) -> Vec<String> {
    let mut facts: Vec<String> = found.explanation.depends_on.iter().map(Dependency::to_string).collect();
    facts.extend(context.uncollected_rcp(attached.owner));
    facts
}
