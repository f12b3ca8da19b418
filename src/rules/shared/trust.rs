//! Trust policies: the parties they admit, and the statement that does it.

use crate::access::search::{Answer, Found};
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::StepEffect;
use crate::model::Class;
use crate::policy::{Policy, Principal, Statement};
use crate::rule::context::Context;
use crate::rule::role::RoleView;
use crate::text::Span;

/// An outside account that a role admits by name.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Party {
    /// The account.
    pub(in crate::rules) account: AccountId,
    /// What the model takes it for.
    pub(in crate::rules) class: Class,
}

/// The accounts outside the organization that a role admits and that owe an external ID: third parties that the config
/// does not exempt, and undeclared accounts.
///
/// A statement that lets in anyone is left to `public-role-trust`.
pub(in crate::rules) fn third_parties(context: &Context<'_>, role: &RoleView<'_>) -> Vec<Party> {
    let Ok(policy) = role.trust() else { return Vec::new() };
    let public: Vec<Span> = public_statements(context, role).iter().map(|statement| statement.span).collect();
    let admitted = role.admitted(context).iter();
    let parties = admitted.filter_map(|one| {
        let account = one.account?;
        let class = context.model.class(account);
        let owes = match class {
            Class::ThirdParty { external_id_required, .. } => external_id_required,
            Class::Undeclared => true,
            Class::Owner | Class::Management | Class::Member | Class::Reader | Class::CloudTrail => false,
        };
        let (statement, _) = admitting(policy, &one.answer, account)?;
        (owes && !public.contains(&statement.span)).then_some(Party { account, class })
    });
    parties.collect()
}

/// The statements through which an account that nobody names can assume the role.
pub(in crate::rules) fn public_statements<'v>(context: &Context<'_>, role: &'v RoleView<'_>) -> Vec<&'v Statement> {
    let Ok(policy) = role.trust() else { return Vec::new() };
    let anyone = role.admitted(context).iter().find(|one| one.account.is_none());
    let Some(found) = anyone.and_then(|one| one.answer.found()) else { return Vec::new() };
    policy.allows().filter(|statement| found.explanation.steps.iter().any(|s| s.span == Some(statement.span))).collect()
}

/// The Allow statement that an answer goes through, and the place in it that names the account.
pub(in crate::rules) fn admitting<'p>(
    policy: &'p Policy,
    answer: &Answer,
    account: AccountId,
) -> Option<(&'p Statement, Span)> {
    let steps = &answer.found()?.explanation.steps;
    let through = |statement: &&Statement| {
        steps
            .iter()
            .any(|step| step.span == Some(statement.span) && matches!(step.effect, StepEffect::Allows | StepEffect::If))
    };
    let statement = policy.allows().find(through)?;
    Some((statement, principal_span(statement, account)))
}

/// The place in a statement's principals that names an account; all of them where none does by itself.
pub(in crate::rules) fn principal_span(statement: &Statement, account: AccountId) -> Span {
    let Some(principals) = &statement.principals else { return statement.span };
    let entry = principals.entries.iter().find(|entry| entry.principal.account() == Some(account));
    entry.map_or(principals.span, |entry| entry.span)
}

/// Whether a statement's principals may mean principals of an account.
pub(in crate::rules) fn may_name(statement: &Statement, account: AccountId) -> bool {
    statement.principals.as_ref().is_none_or(|principals| {
        principals.negated
            || principals
                .entries
                .iter()
                .any(|e| e.principal == Principal::Everyone || e.principal.account() == Some(account))
    })
}

/// The facts a finding about a role hangs on: what the search left open, and organization policies that were not
/// collected and could only take the access away.
pub(in crate::rules) fn unless(context: &Context<'_>, role: &RoleView<'_>, found: &Found) -> Vec<String> {
    let mut facts = found.explanation.depends_on.clone();
    if context.estate.organization.policies.is_empty() {
        let of = role.role.account.map_or_else(String::new, |account| format!(" of {account}"));
        facts.push(format!("resource control policies{of}"));
    }
    facts
}

/// The gap of a search that gave up.
pub(in crate::rules) fn undecided() -> Gap {
    Gap::new("role.trust-policy", "its conditions have more combinations than are tried")
}
