use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::rule::context::Context;
use crate::rule::role::{Origin, RolePolicy, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::carried::{self, Carried};
use crate::rules::shared::excess::in_words;
use crate::rules::shared::least_privilege;
use crate::rules::shared::words::quoted;

/// Policies of a role's own are its deviation, managed ones are one deviation of all roles that carry them.
pub(in crate::rules) const CHECK: Check = Check { role: Some(role), estate: Some(managed), ..Check::NOTHING };

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !carried::is_for_others(context, role) {
        return carried::of_unknown_trust(context, role, |known| known.is_some());
    }
    let inline = |policy: &RolePolicy| matches!(policy.origin, Origin::Inline(_));
    let copies = carried::of_role(context, role, |policy, known| inline(policy) && known.is_some());
    let findings = copies.iter().filter_map(|copy| {
        let known = copy.known?;
        let (statement, excess) = copy.beyond.first()?;
        let first = excess.first()?;
        let message =
            format!("`{}` carries a copy of `{}` and can {}", role.subject.name, known.name, in_words(copy.all()));
        let draft = Finding::at(first.span, format!("the same statements as `{}`", known.name)).message(message);
        Some(complete(context, draft.statement(*statement), copy))
    });
    let findings: Vec<Draft> = findings.collect();
    let mut gaps: Vec<Gap> = role.missing.clone();
    gaps.extend(copies.iter().flat_map(|copy| copy.gaps.iter().cloned()));
    Ok(Verdict::with_gaps(findings, gaps))
}

fn managed(context: &Context<'_>) -> Outcome {
    if context.sharing_roles().is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    let findings = carried::managed(context, |known| known.is_some()).into_iter().filter_map(|(arn, roles)| {
        let first = roles.first()?;
        let known = first.known?;
        let subject = carried::subject(&arn);
        let names: Vec<&str> = roles.iter().map(|one| one.role.subject.name.as_str()).collect();
        let copy = if subject.name == known.name { String::new() } else { format!(", a copy of `{}`,", known.name) };
        let noun = if names.len() == 1 { "sharing role" } else { "sharing roles" };
        let message = format!("`{}`{copy} lets {noun} {} {}", subject.name, quoted(&names, 5), in_words(first.all()));
        let draft = Finding::at(first.policy.span, "attached here").message(message).subject(subject);
        let draft = complete(context, draft, first);
        let others = roles.iter().skip(1);
        Some(others.fold(draft, |draft, other| {
            draft.related(other.policy.span, format!("and to `{}` here", other.role.subject.name))
        }))
    });
    Ok(Verdict::of(findings.collect()))
}

fn complete(context: &Context<'_>, draft: Draft, carried: &Carried<'_, '_>) -> Draft {
    let name = &carried.role.subject.name;
    let policy = least_privilege::policy_for(context, carried.role);
    let all = carried.all();
    let certain = all.iter().any(|excess| excess.answer.is_yes());
    let found = all.iter().find(|excess| excess.answer.is_yes() || !certain).and_then(|excess| excess.answer.found());
    let mut draft =
        draft.help(format!("give `{name}` this policy instead: {policy}")).depends_on(carried.unless.clone());
    if let Some(known) = carried.known {
        draft = draft.about(known.name);
    }
    if let Some(found) = found {
        draft = draft
            .path(carried::steps(carried, &found.explanation.steps))
            .witness(found.witness.clone())
            .depends_on(found.explanation.depends_on.clone());
    }
    if certain { draft } else { draft.level(Level::Note) }
}
