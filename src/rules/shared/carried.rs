//! The policies that sharing roles carry, each with what it lets them do beyond the logs.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{LazyLock, OnceLock};

use rayon::prelude::*;

use crate::access::allowance::Allowance;
use crate::aws::managed::{self, ManagedPolicy};
use crate::aws::{AccountId, Arn};
use crate::estate::{Gap, built_in_policy};
use crate::finding::{Step, Subject, SubjectKind};
use crate::model::Class;
use crate::policy::{Policy, Statement};
use crate::rule::context::Context;
use crate::rule::role::{Origin, Party, RolePolicy, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::shared::excess::{self, Excess, Ground};
use crate::rules::shared::permissions::Limits;
use crate::text::Span;

/// What one policy lets one role do beyond the logs.
#[derive(Debug)]
pub(in crate::rules) struct Carried<'v, 'a> {
    /// The role.
    pub(in crate::rules) role: &'v RoleView<'a>,
    /// The policy.
    pub(in crate::rules) policy: &'v RolePolicy,
    /// The AWS managed policy that it is, by name or by content.
    pub(in crate::rules) known: Option<ManagedPolicy>,
    /// Each statement that goes beyond, in order.
    pub(in crate::rules) beyond: Vec<(&'v Statement, Vec<Excess>)>,
    /// What could not be decided.
    pub(in crate::rules) gaps: Vec<Gap>,
    /// What is not known and could take it away.
    pub(in crate::rules) unless: Vec<String>,
}

impl Carried<'_, '_> {
    /// All that goes beyond.
    pub(in crate::rules) fn all(&self) -> Vec<&Excess> {
        self.beyond.iter().flat_map(|(_, excess)| excess).collect()
    }
}

/// Whether a role shares logs with anyone who may not read everything anyway, as the owner and the management account may.
pub(in crate::rules) fn is_for_others(context: &Context<'_>, role: &RoleView<'_>) -> bool {
    let may_read_all = |account| matches!(context.model.class(account), Class::Owner | Class::Management);
    let others = |party: &Party| party.who.account().is_none_or(|account| !may_read_all(account));
    role.is_sharing(context) && role.parties(context).iter().any(others)
}

/// What is said of a role of which nobody can tell whom it lets in: gaps and no more, that of its trust policy only where
/// what it carries of the policies that `wanted` chooses goes beyond the logs.
pub(in crate::rules) fn of_unknown_trust(
    context: &Context<'_>,
    role: &RoleView<'_>,
    wanted: impl Fn(Option<ManagedPolicy>) -> bool,
) -> Outcome {
    if !role.is_sharing(context) || role.knows_trust() {
        return Ok(Verdict::NotApplicable);
    }
    let carried = of_role(context, role, |_, known| wanted(known));
    let goes_beyond = carried.iter().any(|one| !one.beyond.is_empty());
    let trust = role.trust().err().filter(|_| goes_beyond);
    Ok(Verdict::with_gaps(Vec::new(), role.missing.iter().cloned().chain(trust).collect()))
}

/// The policies of one role that `wanted` chooses by what they are; none where no statement of any goes beyond the logs.
pub(in crate::rules) fn of_role<'v, 'a>(
    context: &Context<'_>,
    role: &'v RoleView<'a>,
    wanted: impl Fn(&RolePolicy, Option<ManagedPolicy>) -> bool,
) -> Vec<Carried<'v, 'a>> {
    let chosen: Vec<(&RolePolicy, Option<ManagedPolicy>)> =
        role.policies.iter().map(|p| (p, known(p))).filter(|(p, known)| wanted(p, *known)).collect();
    if chosen.is_empty() {
        return Vec::new();
    }
    let ground = Ground::new(context, role);
    let allowance = Allowance::of_rule();
    let is_plain = |statement: &Statement| excess::is_nothing_more(&ground, statement);
    if chosen.iter().all(|(policy, _)| policy.policy.allows().all(is_plain)) {
        return Vec::new();
    }
    let policies = role.policies.iter().map(|policy| policy.policy.as_ref());
    let account = role.role.account;
    let limits = Limits::of(context, &role.subject.name, account, &role.role.permissions, policies);
    let one = |(policy, known): (&'v RolePolicy, Option<ManagedPolicy>)| {
        let mut carried = Carried { role, policy, known, beyond: Vec::new(), gaps: Vec::new(), unless: Vec::new() };
        carried.unless.clone_from(&limits.unknown);
        for statement in policy.policy.allows().filter(|statement| !is_plain(statement)) {
            let (excess, gaps) = excess::of_statement(context, &allowance, &ground, statement, &limits);
            carried.gaps.extend(gaps);
            if !excess.is_empty() {
                carried.beyond.push((statement, excess));
            }
        }
        carried
    };
    chosen.into_iter().map(one).collect()
}

/// The managed policies of all sharing roles that `wanted` chooses, by ARN; the roles of each in order.
pub(in crate::rules) fn managed<'v, 'a>(
    context: &'v Context<'a>,
    wanted: impl Fn(Option<ManagedPolicy>) -> bool + Sync,
) -> BTreeMap<String, Vec<Carried<'v, 'a>>> {
    let is_managed = |policy: &RolePolicy| !matches!(policy.origin, Origin::Inline(_));
    let roles = context.sharing_roles().par_iter().filter(|role| is_for_others(context, role));
    let carried: Vec<Carried<'v, 'a>> = roles
        .flat_map_iter(|role| of_role(context, role, |policy, known| is_managed(policy) && wanted(known)))
        .collect();
    let mut by_arn: BTreeMap<String, Vec<Carried<'v, 'a>>> = BTreeMap::new();
    for one in carried.into_iter().filter(|one| !one.beyond.is_empty()) {
        by_arn.entry(arn(&one)).or_default().push(one);
    }
    by_arn
}

/// The ARN of a managed policy as the role's attachment gives it.
fn arn(carried: &Carried<'_, '_>) -> String {
    arn_of(carried.role, carried.policy)
}

/// The ARN of a managed policy of a role.
pub(in crate::rules) fn arn_of(role: &RoleView<'_>, policy: &RolePolicy) -> String {
    let attached = role.role.permissions.attached.present().into_iter().flatten();
    let own = attached.into_iter().find(|arn| arn.span == policy.span).map(|arn| arn.value.to_string());
    own.unwrap_or_else(|| match &policy.origin {
        Origin::Managed(arn) => arn.to_string(),
        Origin::BuiltIn(policy) => policy.arn.to_owned(),
        Origin::Inline(name) => name.as_deref().unwrap_or_default().to_owned(),
    })
}

/// What findings call a managed policy.
pub(in crate::rules) fn subject(arn: &str) -> Subject {
    let parsed = Arn::parse(arn);
    let account: Option<AccountId> = parsed.and_then(|arn| arn.account_id());
    let name = parsed.and_then(|arn| arn.resource_of("policy")).and_then(|path| path.rsplit('/').next()).unwrap_or(arn);
    let name = name.to_owned();
    Subject { kind: SubjectKind::ManagedPolicy, arn: Some(arn.to_owned()), file: None, account, name }
}

/// The steps of a decision, those in a policy that no input holds without their place.
pub(in crate::rules) fn steps(carried: &Carried<'_, '_>, steps: &[Step]) -> Vec<Step> {
    let is_nowhere = |span: &Span| {
        matches!(carried.policy.origin, Origin::BuiltIn(_)) && span.source == carried.policy.policy.span.source
    };
    let one = |step: &Step| Step { span: step.span.filter(|span| !is_nowhere(span)), ..step.clone() };
    steps.iter().map(one).collect()
}

/// The embedded policy that a role's policy is: by its ARN, or by having the same statements.
fn known(policy: &RolePolicy) -> Option<ManagedPolicy> {
    match &policy.origin {
        Origin::BuiltIn(known) => Some(*known),
        Origin::Managed(arn) => managed::managed_policy(arn).or_else(|| same_content(&policy.policy)),
        Origin::Inline(_) => same_content(&policy.policy),
    }
}

fn same_content(policy: &Policy) -> Option<ManagedPolicy> {
    static KNOWN: OnceLock<Vec<(ManagedPolicy, usize, BTreeSet<String>)>> = OnceLock::new();
    static ARNS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let texts = managed::all().iter().flat_map(|known| known.document.split('"'));
        texts.filter(|text| text.starts_with("arn:")).collect()
    });
    // A policy that names an ARN which none of AWS's own policies names is a copy of none.
    let mut resources = policy.effective().filter_map(|s| s.resources.as_ref()).flat_map(|resources| &resources.items);
    if resources.any(|item| item.raw().starts_with("arn:") && !ARNS.contains(item.raw())) {
        return None;
    }
    let known = KNOWN.get_or_init(|| {
        let all = managed::all().iter();
        all.map(|known| (*known, size(&built_in_policy(*known)), forms(&built_in_policy(*known)))).collect()
    });
    let size = size(policy);
    let mut own: Option<BTreeSet<String>> = None;
    let same = known.iter().filter(|(_, other, _)| *other == size);
    same.into_iter()
        .find(|(.., forms_of)| *own.get_or_insert_with(|| forms(policy)) == *forms_of)
        .map(|(known, ..)| *known)
}

/// How many actions a policy lists: tells most policies apart without comparing them.
fn size(policy: &Policy) -> usize {
    policy.effective().filter_map(|s| s.actions.as_ref()).map(|actions| actions.items.len()).sum()
}

fn forms(policy: &Policy) -> BTreeSet<String> {
    policy.effective().map(Statement::normal_form).collect()
}
