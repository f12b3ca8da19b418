use crate::aws::managed;
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::Context;
use crate::rule::role::{Origin, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::carried::{self, Carried};
use crate::rules::shared::excess::{Excess, Kind, in_words};
use crate::rules::shared::words::quoted;

/// Policies of a role's own are its deviation, managed ones are one deviation of all roles that carry them. What AWS's
/// best-known policies allow is `broad-managed-policy`.
pub(in crate::rules) const CHECK: Check = Check { role: Some(role), estate: Some(managed), ..Check::NOTHING };

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !carried::is_for_others(context, role) {
        return carried::of_unknown_trust(context, role, |known| known.is_none());
    }
    let own =
        carried::of_role(context, role, |policy, known| matches!(policy.origin, Origin::Inline(_)) && known.is_none());
    let mut findings = Vec::new();
    for carried in &own {
        for (statement, excess) in &carried.beyond {
            let Some(first) = excess.first() else { continue };
            let message = format!("sharing role `{}` can {}", role.subject.name, in_words(excess));
            let draft = Finding::at(first.span, reason(excess)).message(message);
            findings.push(complete(draft, carried, statement, excess));
        }
    }
    let mut gaps: Vec<Gap> = role.missing.clone();
    gaps.extend(own.iter().flat_map(|carried| carried.gaps.iter().cloned()));
    Ok(Verdict::with_gaps(findings, gaps))
}

fn managed(context: &Context<'_>) -> Outcome {
    if context.sharing_roles().is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    let mut findings = Vec::new();
    for (arn, roles) in carried::managed(context, |known| known.is_none()) {
        let subject = carried::subject(&arn);
        let mut told: Vec<&Statement> = Vec::new();
        for first in &roles {
            for (statement, excess) in &first.beyond {
                if told.iter().any(|known| known.span == statement.span) {
                    continue;
                }
                told.push(statement);
                let reaches = |one: &&Carried<'_, '_>| one.beyond.iter().any(|(other, _)| other.span == statement.span);
                let all: Vec<&Carried<'_, '_>> = roles.iter().filter(reaches).collect();
                let names: Vec<&str> = all.iter().map(|one| one.role.subject.name.as_str()).collect();
                let noun = if names.len() == 1 { "sharing role" } else { "sharing roles" };
                let message = format!("`{}` lets {noun} {} {}", subject.name, quoted(&names, 5), in_words(excess));
                // AWS's own policy can only be taken off the role.
                let span =
                    if managed::is_of_aws(&arn) { Some(first.policy.span) } else { excess.first().map(|e| e.span) };
                let Some(span) = span else { continue };
                let draft = Finding::at(span, reason(excess)).message(message).subject(subject.clone());
                let draft = complete(draft, first, statement, excess);
                findings.push(all.iter().fold(draft, |draft, one| {
                    draft.related(one.policy.span, format!("`{}` carries it", one.role.subject.name))
                }));
            }
        }
    }
    Ok(Verdict::of(findings))
}

/// Why it is too much.
fn reason(excess: &[Excess]) -> &'static str {
    match excess.first().map(|excess| &excess.kind) {
        Some(Kind::Read(Some(_)) | Kind::List(Some(_)) | Kind::Configuration(Some(_))) => "not a log bucket",
        Some(Kind::Read(None) | Kind::List(None) | Kind::Configuration(None)) => "takes in buckets that hold no logs",
        Some(Kind::Decrypt) => "takes in keys that encrypt no logs",
        Some(Kind::Action(..)) | None => "more than reading, listing and decrypting logs",
    }
}

fn complete(draft: Draft, carried: &Carried<'_, '_>, statement: &Statement, excess: &[Excess]) -> Draft {
    let mut draft = draft.statement(statement).depends_on(carried.unless.clone()).help(
        "keep `s3:GetObject` on the logs, `s3:ListBucket` on their prefix and `kms:Decrypt` on their key, and give whatever \
         else is needed to another role",
    );
    let mut told: Vec<_> = excess.first().map(|first| first.span).into_iter().collect();
    for more in excess.iter().skip(1) {
        if !told.contains(&more.span) {
            told.push(more.span);
            draft = draft.related(more.span, format!("lets it {}", in_words([more])));
        }
    }
    let certain = excess.iter().any(|excess| excess.answer.is_yes());
    let proof =
        excess.iter().find(|excess| excess.answer.is_yes() || !certain).and_then(|excess| excess.answer.found());
    if let Some(found) = proof {
        draft = draft
            .path(carried::steps(carried, &found.explanation.steps))
            .witness(found.witness.clone())
            .depends_on(found.explanation.depends_on.clone());
    }
    if certain { draft } else { draft.level(Level::Note) }
}
