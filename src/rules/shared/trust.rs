//! Trust policies: the outsiders they admit, and the statement and place that do it.

use crate::access::allowance::GIVEN_UP;
use crate::access::search::{Answer, Found};
use crate::access::sts::caller_conditions;
use crate::aws::{AccountId, Arn};
use crate::estate::Gap;
use crate::finding::{Dependency, StepEffect};
use crate::model::Class;
use crate::policy::{Policy, Principal, Statement};
use crate::rule::context::Context;
use crate::rule::role::{Admission, RoleView, Who};
use crate::rules::shared::words::list;
use crate::text::Span;

/// An account outside the organization that one statement of a trust policy admits by name.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Outsider<'v> {
    /// The account.
    pub(in crate::rules) account: AccountId,
    /// What the model takes it for.
    pub(in crate::rules) class: Class,
    /// How it gets in.
    pub(in crate::rules) admission: &'v Admission,
}

/// The accounts outside the organization that a role admits and that owe an external ID: third parties that the config
/// does not exempt, and undeclared accounts; each with each statement that admits it.
///
/// A statement that lets in anyone is left to `public-role-trust`.
pub(in crate::rules) fn outsiders<'v>(context: &Context<'_>, role: &'v RoleView<'_>) -> Vec<Outsider<'v>> {
    let named = role.admissions(context).iter().filter_map(|admission| {
        let account = admission.account()?;
        let class = context.model.class(account);
        let owes = match class {
            Class::ThirdParty { external_id_required, .. } => external_id_required,
            Class::Undeclared => true,
            Class::Owner | Class::Management | Class::Member | Class::Reader | Class::CloudTrail => false,
        };
        (owes && !role.is_public(context, admission)).then_some(Outsider { account, class, admission })
    });
    named.collect()
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
    Some((statement, principal_span(policy, statement, account)))
}

/// The place that lets an account in at an Allow statement: among its principals, else among the conditions on the caller
/// of it or of a Deny that spares the account; what takes in everyone where none names it by itself.
pub(in crate::rules) fn principal_span(policy: &Policy, statement: &Statement, account: AccountId) -> Span {
    let mut entries = statement.principals.iter().flat_map(|principals| &principals.entries);
    if let Some(entry) = entries.find(|entry| entry.principal.account() == Some(account)) {
        return entry.span;
    }
    let clauses = caller_conditions(statement).chain(policy.denies().flat_map(caller_conditions));
    let mut naming = clauses.flat_map(|clause| &clause.values).filter(|value| {
        let text = value.template.raw();
        AccountId::parse(text).or_else(|| Arn::parse(text)?.account_id()) == Some(account)
    });
    naming.next().map_or_else(|| everyone_span(statement), |value| value.span)
}

/// The place that lets an account in at an admission; what takes in everyone where it is not one by itself.
pub(in crate::rules) fn way_in_span(admission: &Admission, account: Option<AccountId>) -> Span {
    match account {
        Some(account) => principal_span(&admission.policy, &admission.statement, account),
        None => everyone_span(&admission.statement),
    }
}

/// The place in a statement's principals that takes in everyone; all of them where `NotPrincipal` does.
pub(in crate::rules) fn everyone_span(statement: &Statement) -> Span {
    let Some(principals) = &statement.principals else { return statement.span };
    let entry = principals.entries.iter().find(|entry| entry.principal == Principal::Everyone);
    entry.filter(|_| !principals.negated).map_or(principals.span, |entry| entry.span)
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
    let mut facts: Vec<String> = found.explanation.depends_on.iter().map(Dependency::to_string).collect();
    facts.extend(context.uncollected_rcp(role.role.account));
    facts
}

/// `account A`, `accounts A and B`, `accounts A, B and C`, with their names.
pub(in crate::rules) fn accounts(context: &Context<'_>, accounts: impl IntoIterator<Item = AccountId>) -> String {
    let labels: Vec<String> = accounts.into_iter().map(|account| context.model.label(account)).collect();
    match labels.split_last() {
        Some((last, [])) => format!("account {last}"),
        Some((last, others)) => format!("accounts {} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Those whom a trust policy lets in, in words: the widest where one takes in the others, and three accounts at most.
pub(in crate::rules) fn whom(context: &Context<'_>, who: &[&Who]) -> String {
    if who.contains(&&Who::Anyone) {
        return "any AWS account".to_owned();
    }
    let own = who.contains(&&Who::AnyMember);
    let is_in = |account: AccountId| {
        matches!(context.model.class(account), Class::Owner | Class::Management | Class::Member) && own
    };
    let mut words = Vec::new();
    let mut accounts = Vec::new();
    for one in who {
        match one {
            Who::Anyone => {}
            Who::AnyoneLike(pattern) => words.push(format!("any AWS account whose ID matches `{pattern}`")),
            Who::AnyMember => words.push("every account of the organization".to_owned()),
            Who::AnyOf(id) => words.push(format!("every account of organization {id}")),
            Who::Account(account) if is_in(*account) => {}
            Who::Account(account) => accounts.push(context.model.label(*account)),
        }
    }
    let noun = if accounts.len() == 1 { "account" } else { "accounts" };
    if !accounts.is_empty() {
        words.push(format!("{noun} {}", list(&accounts, 3)));
    }
    list(&words, words.len())
}

/// `help`, after "if this account is not yours" where the account may turn out to be a member.
pub(in crate::rules) fn help(context: &Context<'_>, account: AccountId, help: &str) -> String {
    match RoleView::is_certain_outsider(context, account) {
        true => help.to_owned(),
        false => format!("if this account is not yours, {help}"),
    }
}

/// The gap of a search that gave up.
pub(in crate::rules) fn undecided() -> Gap {
    Gap::new("role.trust-policy", GIVEN_UP)
}
