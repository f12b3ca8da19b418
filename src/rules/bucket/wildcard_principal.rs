use crate::aws::{AccountId, Arn};
use crate::finding::Finding;
use crate::policy::{PolicyKind, Principal};
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
        for entry in statement.principals.iter().flat_map(|principals| &principals.entries) {
            let Principal::Wildcard(text) = &entry.principal else { continue };
            let message = format!("`{text}` is no principal: AWS takes no wildcard inside of one");
            let draft = Finding::at(entry.span, "AWS refuses the policy").message(message);
            findings.push(draft.statement(statement).about(text.as_str()).help(instead(
                context,
                view.policy.kind,
                text,
            )));
        }
    }
    Ok(Verdict::of(findings))
}

/// What says the same in words that AWS takes.
fn instead(context: &Context<'_>, kind: PolicyKind, text: &str) -> String {
    let Some(arn) = Arn::parse(text) else {
        let id = own_organization(context).unwrap_or("the ID of your organization");
        return match text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'?')) {
            true => format!(
                "name each account, or everyone with \"StringEquals\": {{\"aws:PrincipalOrgID\": \"{id}\"}} as condition"
            ),
            false => "name each principal in full".to_owned(),
        };
    };
    let session = arn.resource_of("assumed-role").and_then(|rest| rest.split_once('/')).map(|(role, _)| role);
    // The key holds the ARN of the role, never that of a session.
    let pattern = match session {
        Some(role) => format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account),
        None => text.to_owned(),
    };
    if !pattern.contains(['*', '?']) {
        return format!("name the role, `{pattern}`: that means all of its sessions");
    }
    let condition = format!("\"ArnLike\": {{\"aws:PrincipalArn\": \"{pattern}\"}}");
    match AccountId::parse(arn.account) {
        Some(account) => format!("name the account, `{account}`, and add the condition {condition}"),
        None if kind == PolicyKind::Trust => format!("name each account and add the condition {condition}"),
        None => {
            let id = own_organization(context).unwrap_or("the ID of your organization");
            format!(
                "name everyone (`*`) and add the conditions \"StringEquals\": {{\"aws:PrincipalOrgID\": \"{id}\"}} and {condition}"
            )
        }
    }
}
