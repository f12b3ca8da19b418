use crate::aws::{AccountId, Arn};
use crate::finding::Finding;
use crate::policy::{Effect, PolicyKind, Principal};
use crate::rule::context::{Context, DocumentView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::outsiders::own_organization;

pub(in crate::rules) const CHECK: Check = Check::documents(check);

fn check(context: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    if !view.policy.kind.has_principals() {
        return Ok(Verdict::NotApplicable);
    }
    let mut findings = Vec::new();
    for statement in &view.policy.statements {
        let Some(principals) = &statement.principals else { continue };
        for entry in &principals.entries {
            let Principal::Wildcard(text) = &entry.principal else { continue };
            let message = format!("`{text}` is no principal: AWS takes no wildcard inside of one");
            let help = match principals.negated {
                true => all_but(text),
                false => instead(context, statement.effect, view.policy.kind, text),
            };
            let draft = Finding::at(entry.span, "AWS refuses the policy").message(message);
            findings.push(draft.statement(statement).about(text.as_str()).help(help));
        }
    }
    Ok(Verdict::of(findings))
}

/// What says the same in words that AWS takes.
fn instead(context: &Context<'_>, effect: Effect, kind: PolicyKind, text: &str) -> String {
    let id = own_organization(context).unwrap_or("the ID of your organization");
    let Some((account, pattern)) = of_caller(text) else {
        return match is_account_pattern(text) && effect == Effect::Allow {
            true => format!(
                "name each account, or everyone with \"StringEquals\": {{\"aws:PrincipalOrgID\": \"{id}\"}} as condition"
            ),
            false => "name each principal in full".to_owned(),
        };
    };
    if !pattern.contains(['*', '?']) {
        return format!("name the role, `{pattern}`: that means all of its sessions");
    }
    let condition = format!("\"ArnLike\": {{\"aws:PrincipalArn\": \"{pattern}\"}}");
    match (account, effect) {
        (Some(account), _) => format!("name the account, `{account}`, and add the condition {condition}"),
        (None, Effect::Deny) => format!("name everyone (`*`) and add the condition {condition}"),
        (None, _) if kind == PolicyKind::Trust => format!("name each account and add the condition {condition}"),
        (None, _) => format!(
            "name everyone (`*`) and add the conditions \"StringEquals\": {{\"aws:PrincipalOrgID\": \"{id}\"}} and {condition}"
        ),
    }
}

/// The same for `NotPrincipal`.
fn all_but(text: &str) -> String {
    let condition = match of_caller(text) {
        Some((_, pattern)) => format!("\"ArnNotLike\": {{\"aws:PrincipalArn\": \"{pattern}\"}}"),
        None if is_account_pattern(text) => format!("\"StringNotLike\": {{\"aws:PrincipalAccount\": \"{text}\"}}"),
        None => return "name each principal in full".to_owned(),
    };
    format!("name everyone, `*`, in `Principal` instead, and spare these with the condition {condition}")
}

/// The account of an ARN of callers, where it fixes one, and the pattern that `aws:PrincipalArn` matches for them: it holds
/// the ARN of the role, never that of a session.
fn of_caller(text: &str) -> Option<(Option<AccountId>, String)> {
    let arn = Arn::parse(text)?;
    let session = arn.resource_of("assumed-role").and_then(|rest| rest.split_once('/')).map(|(role, _)| role);
    let pattern = match session {
        Some(role) => format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account),
        None if ["role", "user", "federated-user"].iter().any(|kind| arn.resource_of(kind).is_some()) => {
            text.to_owned()
        }
        None if arn.resource == "root" || arn.resource.starts_with(['*', '?']) => text.to_owned(),
        None => return None,
    };
    Some((AccountId::parse(arn.account), pattern))
}

fn is_account_pattern(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'?'))
}
