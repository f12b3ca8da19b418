use crate::finding::{Draft, Finding};
use crate::policy::Principal;
use crate::rule::context::{Context, DocumentView, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check { key: Some(grants), document: Some(check), ..Check::NOTHING };

/// Looks at the principals of every document that names any.
fn check(_: &Context<'_>, view: &DocumentView<'_>) -> Outcome {
    if !view.document.kind.has_principals() {
        return Ok(Verdict::NotApplicable);
    }
    let entries = view.policy.statements.iter().flat_map(|statement| {
        let principals = statement.principals.iter().flat_map(|principals| &principals.entries);
        principals.map(move |entry| (statement, entry))
    });
    let findings = entries.filter_map(|(statement, entry)| {
        let Principal::UniqueId(id) = &entry.principal else { return None };
        let draft = Finding::at(entry.span, "nobody has this ID any more");
        let message = format!("the {} names `{id}`, {}", view.policy.kind.title(), what(id));
        Some(draft.message(message).statement(statement).about(id.as_str()).help(HELP))
    });
    Ok(Verdict::of(findings.collect()))
}

/// Looks at the grants of a log key.
fn grants(_: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let grants = view.key.grants.get()?.into_iter().flatten();
    let findings = grants.filter_map(|grant| {
        let grantee = grant.grantee.as_ref()?;
        let Principal::UniqueId(id) = Principal::parse(crate::policy::PrincipalKind::Aws, &grantee.value) else {
            return None;
        };
        let draft: Draft = Finding::at(grantee.span, "nobody has this ID any more")
            .message(format!("a grant of key `{}` is for `{id}`, {}", view.subject.name, what(&id)))
            .about(id.as_str())
            .about(grant.id.as_str())
            .help("revoke the grant");
        Some(draft)
    });
    Ok(Verdict::of(findings.collect()))
}

const HELP: &str = "remove the entry: AWS refuses to save the policy with it; if the principal was made anew, name its ARN";

fn what(id: &str) -> &'static str {
    if id.starts_with("AIDA") { "the unique ID of a deleted user" } else { "the unique ID of a deleted role" }
}
