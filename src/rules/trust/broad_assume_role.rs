use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::search::Answer;
use crate::aws::AccountId;
use crate::estate::{Gap, Known, Permissions};
use crate::finding::{Draft, Finding, Level, SubjectKind};
use crate::policy::{PolicyKind, Statement};
use crate::rule::context::{Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::assume_role::{Breadth, Whose, breadth, may_assume};
use crate::rules::shared::permissions::{Limits, holder};

pub(in crate::rules) const CHECK: Check = Check::documents(check);

fn check(context: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    if view.policy.kind != PolicyKind::Identity {
        return Ok(Verdict::NotApplicable);
    }
    if !view.policy.allows().any(may_assume) {
        return Ok(Verdict::Pass);
    }
    let account = view.subject.account;
    let alone = Limits::of_policy(view.policy);
    let of = |allowance: &Allowance, limits: &Limits, account| -> Vec<(&Statement, Breadth)> {
        let statements = view.policy.allows();
        statements.filter_map(|statement| Some((statement, breadth(allowance, statement, limits, account)?))).collect()
    };
    // Look at the whole estate only where this policy by itself would give a finding.
    if of(&Allowance::of_rule(), &alone, account).is_empty() || is_only_boundary(context, view) {
        return Ok(Verdict::Pass);
    }
    let limits = match holder(context.estate, view.document) {
        Some(holder) => {
            let policies = holder.policies.iter().map(AsRef::as_ref);
            Limits::of(context, &view.subject.name, account, holder.permissions, policies)
        }
        None => alone,
    };
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for (statement, breadth) in of(&Allowance::of_rule(), &limits, account) {
        match &breadth.answer {
            Answer::Undecided => {
                gaps.push(Gap::new("identity-policy", GIVEN_UP));
            }
            _ => findings.extend(finding(context, view, statement, &breadth, &limits)),
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// Whether a managed policy only limits, as somebody's boundary, and is attached to nobody.
fn is_only_boundary(context: &Context<'_>, view: &DocumentView<'_>) -> bool {
    if view.subject.kind != SubjectKind::ManagedPolicy {
        return false;
    }
    let Some(arn) = view.subject.arn.as_deref() else { return false };
    let estate = context.estate;
    let all = || {
        let roles = estate.roles.iter().map(|role| &role.permissions);
        let users = estate.users.iter().map(|user| &user.permissions);
        roles.chain(users).chain(estate.groups.iter().map(|group| &group.permissions))
    };
    let limits = |p: &Permissions| matches!(&p.boundary, Known::Present(boundary, _) if boundary == arn);
    let grants = |p: &Permissions| p.attached.present().is_some_and(|all| all.iter().any(|one| one.value == arn));
    all().any(limits) && !all().any(grants)
}

fn finding(
    context: &Context<'_>,
    view: &DocumentView<'_>,
    statement: &Statement,
    breadth: &Breadth,
    limits: &Limits,
) -> Option<Draft> {
    let found = breadth.answer.found()?;
    let label = |account: AccountId| context.model.label(account);
    let (roles, which) = match &breadth.whose {
        Whose::Account(account) => (format!("any role of account {}", label(*account)), "this takes in all its roles"),
        Whose::Like(pattern) => {
            (format!("any role of any account whose ID matches `{pattern}`"), "this takes in all their roles")
        }
        Whose::Anyone => ("any role of any account".to_owned(), "this takes in all roles there are"),
    };
    let (about, owner) = match &breadth.whose {
        Whose::Account(account) => (account.to_string(), account.to_string()),
        Whose::Like(pattern) => (pattern.to_string(), "ACCOUNT".to_owned()),
        Whose::Anyone => ("*".to_owned(), "ACCOUNT".to_owned()),
    };
    let name = &view.subject.name;
    let holder = match view.subject.kind {
        SubjectKind::ManagedPolicy | SubjectKind::Document => format!("policy `{name}` lets its holders"),
        _ => format!("`{name}` may"),
    };
    let lets = if holder.ends_with("may") { "it" } else { "them" };
    let draft = Finding::at(breadth.span, which)
        .message(format!("{holder} assume {roles} that lets {lets} in"))
        .statement(statement)
        .about(about)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(found.explanation.depends_on.iter().cloned())
        .depends_on(limits.unknown.iter().cloned())
        .help(format!("name the roles: \"Resource\": \"arn:aws:iam::{owner}:role/NAME\""));
    Some(if breadth.answer.is_yes() { draft } else { draft.level(Level::Note) })
}
