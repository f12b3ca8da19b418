use crate::estate::{Gap, Grant};
use crate::finding::{Draft, Finding, Level};
use crate::model::Class;
use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::at_level;
use crate::rules::shared::key_grants;

pub(in crate::rules) const CHECK: Check = Check::keys(check);

fn check(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for grant in view.key.grants.get()?.into_iter().flatten() {
        let decrypts = grant.operations.iter().any(|operation| operation.eq_ignore_ascii_case("Decrypt"));
        if decrypts && grant.grantee.is_none() {
            let reason = format!("whom grant `{}` is made to is not told", grant.id);
            gaps.push(Gap::new("key.grants", reason).at([grant.span]));
        }
        findings.extend(finding(context, view, grant));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn finding(context: &Context<'_>, view: &KeyView<'_>, grant: &Grant) -> Option<Draft> {
    let (account, answer) = key_grants::to_foreign(context, view, grant)?;
    let found = answer.found()?;
    let span = grant.grantee.as_ref().map_or(grant.span, |grantee| grantee.span);
    let model = context.model;
    let who = model.label(account);
    let class = model.class(account);
    let (label, help) = match class {
        Class::Undeclared if !model.members_are_complete() => (
            "neither owner, member nor declared",
            "if this account is not yours, revoke the grant: `aws kms revoke-grant`",
        ),
        Class::Undeclared => ("neither owner, member nor declared", "revoke the grant: `aws kms revoke-grant`"),
        _ => (
            "the model gives this account no logs",
            "revoke the grant, `aws kms revoke-grant`, or declare what it may read",
        ),
    };
    let draft = Finding::at(span, label)
        .message(format!(
            "a grant lets account {who} decrypt under log key `{}`{}",
            view.subject.name,
            if answer.is_yes() { "" } else { ", if log files meet its constraints" },
        ))
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(found.explanation.depends_on.iter().cloned())
        .about(account.to_string())
        .about(grant.id.as_str())
        .help(help);
    Some(at_level(draft, Level::Warning, &answer))
}
