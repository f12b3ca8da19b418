use crate::access::outsiders::{Passage, is_for_everyone};
use crate::aws::is_organization_id;
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::policy::{Effect, Statement};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::organizations::{demanded, is_for_outsiders, organization};
use crate::rules::shared::outsiders::{Door, own_organization};

pub(in crate::rules) const CHECK: Check = Check { bucket: Some(bucket), key: Some(key), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    Door::of_bucket(context, view)?.map_or(Ok(Verdict::NotApplicable), |door| check(context, &door))
}

fn key(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    Door::of_key(context, view)?.map_or(Ok(Verdict::NotApplicable), |door| check(context, &door))
}

fn check(context: &Context<'_>, door: &Door<'_>) -> Outcome {
    let mut named = door.policy().effective().flat_map(demanded).peekable();
    if named.peek().is_none() {
        return Ok(Verdict::NotApplicable);
    }
    let Some(own) = own_organization(context) else { return Err(unknown(context)) };
    let (mut findings, mut gaps) = (Vec::new(), Vec::new());
    for (statement, clause, value, id) in named.filter(|(.., id)| id != own) {
        if is_for_outsiders(context, statement) {
            continue;
        }
        let id = id.as_str();
        let is_real = is_organization_id(id);
        let has_own = clause.values.iter().any(|value| organization(clause, value).as_deref() == Some(own));
        let and = if is_real { "and" } else { "which is no ID that AWS gives, and" };
        let message = format!("{} speaks of organization `{id}`, {and} yours is `{own}`", door.title());
        let draft = |label| Finding::at(value.span, label).message(message);
        // A Deny counts for what the statements that name everyone let through.
        let guards: Vec<&Statement> = match statement.effect {
            Effect::Allow => vec![statement],
            Effect::Deny => door.policy().allows().collect(),
        };
        let asked =
            clause.key.starts_with("aws:Principal") && (statement.effect == Effect::Deny || is_for_everyone(statement));
        let mut passages = guards.into_iter().filter(|allow| asked && is_real && is_for_everyone(allow));
        let through = |allow| match door.guarded(context, |guarded| guarded.passage_from(id, allow)) {
            Passage::Closed => None,
            passage => Some(passage),
        };
        let passage = passages.find_map(through).unwrap_or(Passage::Closed);
        let draft: Draft = match passage {
            Passage::Open(_, found) | Passage::OpenIf(_, found) => {
                let draft = draft(format!("accounts of `{id}` are allowed `{}`", found.witness.action));
                let level = if found.explanation.depends_on.is_empty() { Level::Error } else { Level::Warning };
                draft
                    .level(level)
                    .depends_on(found.explanation.depends_on.iter().cloned())
                    .depends_on(door.unless().iter().cloned())
                    .path(found.explanation.steps)
                    .witness(found.witness)
            }
            Passage::Undecided => {
                gaps.push(door.undecided(statement));
                continue;
            }
            // Left behind beside the right one, and something else keeps its accounts out.
            Passage::Closed
                if asked && clause.values.iter().any(|v| organization(clause, v).as_deref() == Some(own)) =>
            {
                continue;
            }
            Passage::Closed => draft(match statement.effect {
                Effect::Allow => "your own organization does not meet this".to_owned(),
                Effect::Deny => format!("`{id}` is spared by this Deny"),
            }),
        };
        let help = if has_own { "take the value out".to_owned() } else { format!("write `{own}`") };
        findings.push(draft.statement(statement).about(id).help(help));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// Why it is not known which organization is ours.
fn unknown(context: &Context<'_>) -> Gap {
    let ids = context.model.organization_ids();
    if ids.is_empty() {
        return Gap::not_collected("organization.id");
    }
    let names = ids.iter().map(|one| format!("`{}`", one.id)).collect::<Vec<_>>().join(", ");
    Gap::new("organization.id", format!("the inputs name several: {names}")).at(ids.iter().map(|one| one.span))
}
