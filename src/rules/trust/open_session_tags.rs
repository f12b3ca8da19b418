use compact_str::CompactString;

use crate::access::allowance::Allowance;
use crate::access::request::Given;
use crate::access::search::{Answer, Found, STRANGER};
use crate::access::sts::{ExternalId, better};
use crate::finding::{Draft, Finding, Level};
use crate::policy::pattern::{Case, matches};
use crate::policy::{Policy, Statement};
use crate::rule::context::{Context, PrincipalTag};
use crate::rule::role::{Party, RoleView, Who};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trust;
use crate::rules::shared::words::quoted;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::roles(check);

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let policy = role.trust()?;
    // Without this permission no tags are taken.
    if !policy.allows().any(|statement| statement.covers_action("sts:TagSession")) {
        return Ok(Verdict::Pass);
    }
    let parties = role.parties(context);
    let allowance = Allowance::of_rule();
    let mut gaps = Vec::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    for tag in context.principal_tags().values() {
        // What the role itself asks of its callers is not decided by the tags of its own sessions.
        let Some(decides) = tag.outside(policy.span) else { continue };
        for party in &parties {
            let answer = passes(context, &allowance, role, policy, tag, party);
            if answer == Answer::Undecided {
                gaps.push(trust::undecided());
            }
            let Some((statement, _)) = trust::admitting(policy, &answer, party.account) else { continue };
            let index = open.iter().position(|known| known.statement.span == statement.span);
            let Some(known) = index.and_then(|index| open.get_mut(index)) else {
                open.push(Open { statement, tags: vec![(tag, decides)], who: vec![&party.who], answer });
                continue;
            };
            if !known.tags.contains(&(tag, decides)) {
                known.tags.push((tag, decides));
            }
            if !known.who.contains(&&party.who) {
                known.who.push(&party.who);
            }
        }
    }
    let findings = open.iter().filter_map(|open| {
        let draft = finding(context, role, open, open.answer.found()?);
        Some(if open.answer.is_yes() { draft } else { draft.level(Level::Note) })
    });
    let findings = findings.collect();
    gaps.dedup();
    Ok(Verdict::with_gaps(findings, gaps))
}

/// A statement that lets tags pass: the tags, each with a place where it decides, who may pass them, and the proof for the
/// first.
struct Open<'p> {
    statement: &'p Statement,
    tags: Vec<(&'p PrincipalTag, Span)>,
    who: Vec<&'p Who>,
    answer: Answer,
}

/// Whether principals of a party can assume the role and pass this tag with any value: one that nobody names, and each
/// that the trust policy itself names for it.
fn passes(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    policy: &Policy,
    tag: &PrincipalTag,
    party: &Party,
) -> Answer {
    let key = format!("aws:RequestTag/{}", tag.written);
    let clauses = policy.effective().flat_map(|statement| &statement.conditions).filter(|clause| clause.key.is(&key));
    let named = clauses.flat_map(|clause| &clause.values).map(|value| value.template.raw().replace(['*', '?'], "x"));
    let values: Vec<String> = named.chain([STRANGER.to_owned()]).collect();
    let own = spelling(policy, tag);
    let mut answer = Answer::No;
    // By itself, or beside the tags that the policy names: one of them may be enough for it.
    let mut all: Vec<&str> = tag_keys(policy).chain([own]).collect();
    all.dedup();
    for keys in [&[own], all.as_slice()] {
        answer = better(answer, passes_with(context, allowance, role, (&key, &values), keys, party));
        if answer.is_yes() || all.len() == 1 {
            break;
        }
    }
    answer
}

/// Whether principals of a party can assume the role and pass tags of these keys, one of them with any of the values.
fn passes_with(
    context: &Context<'_>,
    allowance: &Allowance,
    role: &RoleView<'_>,
    (key, values): (&str, &[String]),
    keys: &[&str],
    party: &Party,
) -> Answer {
    let mut answer = Answer::No;
    for value in values {
        let request = [
            (key, Given::Values(vec![value.as_str().into()])),
            ("aws:TagKeys", Given::Values(keys.iter().map(|key| CompactString::new(key)).collect())),
        ];
        let enters = role.admits(context, allowance, party, "sts:AssumeRole", ExternalId::Any, &request);
        if matches!(enters, Answer::No | Answer::Undecided) {
            return enters;
        }
        answer = role.admits(context, allowance, party, "sts:TagSession", ExternalId::Any, &request);
        if matches!(answer, Answer::No | Answer::Undecided) {
            return answer;
        }
    }
    answer
}

/// The tag's key as the caller would write it: `aws:TagKeys` is compared with regard to case, the tag itself without.
fn spelling<'t>(policy: &'t Policy, tag: &'t PrincipalTag) -> &'t str {
    tag_keys(policy).find(|key| key.eq_ignore_ascii_case(&tag.written)).unwrap_or(&tag.written)
}

/// The tag keys with which the Allow statements compare those that are passed.
fn tag_keys(policy: &Policy) -> impl Iterator<Item = &str> {
    let clauses = policy.allows().flat_map(|statement| &statement.conditions);
    let keys = clauses.filter(|clause| clause.key.is("aws:TagKeys")).flat_map(|clause| &clause.values);
    keys.map(|value| value.template.raw()).filter(|key| !key.contains(['*', '?', '$']))
}

fn finding(context: &Context<'_>, role: &RoleView<'_>, open: &Open<'_>, found: &Found) -> Draft {
    let (statement, Open { tags, who, .. }) = (open.statement, open);
    let written: Vec<&str> = tags.iter().map(|(tag, _)| tag.written.as_str()).collect();
    let nouns = if written.len() == 1 { "tag" } else { "tags" };
    let actions = statement.actions.as_ref();
    let lets_tag = |raw: &str| matches(raw, "sts:TagSession", Case::Insensitive);
    let entry = actions.filter(|a| !a.negated).and_then(|a| a.items.iter().find(|item| lets_tag(item.raw())));
    let span = entry.map(|item| item.span).or(actions.map(|a| a.span)).unwrap_or(statement.span);
    let mut draft = Finding::at(span, "callers choose the values of tags that policies decide by")
        .message(format!(
            "{} may pass session {nouns} {} with any value to `{}`",
            trust::whom(context, who),
            quoted(&written, 3),
            role.subject.name
        ))
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(trust::unless(context, role, found))
        .help(
            "leave `sts:TagSession` out, or say which tags and values may be passed with `aws:TagKeys` and \
             `aws:RequestTag/…`",
        );
    for (tag, decides) in tags {
        draft =
            draft.related(*decides, format!("`{}` decides here", tag.written)).about(tag.written.to_ascii_lowercase());
    }
    draft
}
