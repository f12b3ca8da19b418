use crate::access::request::Given;
use crate::access::search::{Answer, Found, STRANGER};
use crate::access::sts::ExternalId;
use crate::aws::AccountId;
use crate::finding::{Draft, Finding, Level};
use crate::policy::pattern::{Case, matches};
use crate::policy::{Policy, Statement};
use crate::rule::context::{Context, PrincipalTag};
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::trust;
use crate::rules::shared::words::{list, quoted};

pub(in crate::rules) const CHECK: Check = Check::roles(check);

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let policy = role.trust()?;
    let accounts: Vec<AccountId> =
        role.admitted(context).iter().map(|one| one.account.unwrap_or_else(|| context.stranger())).collect();
    let mut gaps = Vec::new();
    // For each statement that lets tags pass: the tags, the accounts, and the proof for the first of them.
    let mut open: Vec<(&Statement, Vec<&PrincipalTag>, Vec<AccountId>, Answer)> = Vec::new();
    for tag in context.principal_tags().values() {
        for account in &accounts {
            let answer = passes(context, role, policy, tag, *account);
            if answer == Answer::Undecided {
                gaps.push(trust::undecided());
            }
            let Some((statement, _)) = trust::admitting(policy, &answer, *account) else { continue };
            let index = open.iter().position(|(known, ..)| known.span == statement.span);
            let Some(known) = index.and_then(|index| open.get_mut(index)) else {
                open.push((statement, vec![tag], vec![*account], answer));
                continue;
            };
            if !known.1.contains(&tag) {
                known.1.push(tag);
            }
            if !known.2.contains(account) {
                known.2.push(*account);
            }
        }
    }
    let findings = open.iter().filter_map(|(statement, tags, accounts, answer)| {
        let found = answer.found()?;
        let draft = finding(context, role, statement, tags, accounts, found);
        Some(if answer.is_yes() { draft } else { draft.level(Level::Note) })
    });
    let findings = findings.collect();
    gaps.dedup();
    Ok(Verdict::with_gaps(findings, gaps))
}

/// Whether principals of an account can assume the role and pass this tag with any value: one that nobody names, and each
/// that the trust policy itself names for it.
fn passes(
    context: &Context<'_>,
    role: &RoleView<'_>,
    policy: &Policy,
    tag: &PrincipalTag,
    account: AccountId,
) -> Answer {
    let key = format!("aws:RequestTag/{}", tag.written);
    let clauses = policy.effective().flat_map(|statement| &statement.conditions).filter(|clause| clause.key.is(&key));
    let named = clauses.flat_map(|clause| &clause.values).map(|value| value.template.raw().replace(['*', '?'], "x"));
    let mut answer = Answer::No;
    for value in named.chain([STRANGER.to_owned()]) {
        let request = [
            (key.as_str(), Given::Values(vec![value.as_str().into()])),
            ("aws:TagKeys", Given::Values(vec![spelling(policy, tag).into()])),
        ];
        let enters = role.admits(context, account, "sts:AssumeRole", ExternalId::Any, &request);
        if matches!(enters, Answer::No | Answer::Undecided) {
            return enters;
        }
        answer = role.admits(context, account, "sts:TagSession", ExternalId::Any, &request);
        if matches!(answer, Answer::No | Answer::Undecided) {
            return answer;
        }
    }
    answer
}

/// The tag's key as the caller would write it: `aws:TagKeys` is compared with regard to case, the tag itself without.
fn spelling<'t>(policy: &'t Policy, tag: &'t PrincipalTag) -> &'t str {
    let clauses = policy.allows().flat_map(|statement| &statement.conditions);
    let keys = clauses.filter(|clause| clause.key.is("aws:TagKeys")).flat_map(|clause| &clause.values);
    keys.map(|value| value.template.raw()).find(|key| key.eq_ignore_ascii_case(&tag.written)).unwrap_or(&tag.written)
}

fn finding(
    context: &Context<'_>,
    role: &RoleView<'_>,
    statement: &Statement,
    tags: &[&PrincipalTag],
    accounts: &[AccountId],
    found: &Found,
) -> Draft {
    let written: Vec<&str> = tags.iter().map(|tag| tag.written.as_str()).collect();
    let labels: Vec<String> = accounts.iter().map(|account| context.model.label(*account)).collect();
    let (nouns, noun) = if written.len() == 1 { ("tag", "account") } else { ("tags", "account") };
    let noun = if labels.len() == 1 { noun } else { "accounts" };
    let actions = statement.actions.as_ref();
    let lets_tag = |raw: &str| matches(raw, "sts:TagSession", Case::Insensitive);
    let entry = actions.filter(|a| !a.negated).and_then(|a| a.items.iter().find(|item| lets_tag(item.raw())));
    let span = entry.map(|item| item.span).or(actions.map(|a| a.span)).unwrap_or(statement.span);
    let mut draft = Finding::at(span, "callers choose the values of tags that policies decide by")
        .message(format!(
            "{noun} {} may pass session {nouns} {} with any value to `{}`",
            list(&labels, 3),
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
    for tag in tags {
        draft =
            draft.related(tag.span, format!("`{}` decides here", tag.written)).about(tag.written.to_ascii_lowercase());
    }
    draft
}
