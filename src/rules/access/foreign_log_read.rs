use crate::aws::AccountId;
use crate::finding::{Draft, Finding, Level};
use crate::model::Class;
use crate::rule::context::{BucketView, Context};
use crate::rule::role::{Admission, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::leaks::{self, Deed, Leak, Side};
use crate::rules::shared::trust;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(leaks::prepare), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::Read)?;
    let Some(policy) = view.policy()? else { return Ok(Verdict::Pass) };
    let mut findings: Vec<Draft> = Vec::new();
    for of in all.iter().filter(|of| !of.is_public()) {
        for outside in apart(context, leaks::on(context, &of.leaks, Side::Outside)) {
            let Some(leak) = leaks::shown(&outside) else { continue };
            let message = format!(
                "{} can read {} in log bucket `{}`{}",
                who(context, &outside),
                leaks::logs_in_words(context, of.reach, &outside, &leaks::logs_of(&outside)),
                view.subject.name,
                leak.through.condition(),
            );
            let accounts = leaks::accounts_of(&outside);
            let Some(first) = leaks::account(leak).or(accounts.first().copied()) else { continue };
            let place = |account| trust::principal_span(policy, of.statement, account);
            let draft =
                Finding::at(place(first), "outside of the organization").message(message).statement(of.statement);
            let draft = related(context, draft, first, &accounts, place);
            findings.push(complete(context, draft, leak, None, &outside));
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let (mut all, gaps) = leaks::by_role(context, role, Deed::Read)?;
    // The bucket where it reads the most is named.
    all.sort_by_key(|of| !of.leaks.iter().any(|leak| leak.logs.is_all));
    let (mut findings, mut told): (Vec<Draft>, Vec<Span>) = (Vec::new(), Vec::new());
    for of in &all {
        // Of an account that nobody knows, and that may be a member, the rules on external IDs speak.
        let mut outside = leaks::on(context, &of.leaks, Side::Outside);
        outside
            .retain(|leak| leaks::account(leak).is_some_and(|account| RoleView::is_certain_outsider(context, account)));
        let Some(leak) = leaks::shown(&outside) else { continue };
        let Some(admission) = of.admission(leak.who) else { continue };
        // What it reads in another bucket follows from the same statement.
        if told.contains(&admission.statement.span) {
            continue;
        }
        told.push(admission.statement.span);
        let message = leaks::by_assuming(context, &who(context, &outside), role, "read", of.reach, &outside, leak);
        let accounts = leaks::accounts_of(&outside);
        let Some(first) = leaks::account(leak) else { continue };
        let place = |account| trust::principal_span(&admission.policy, &admission.statement, account);
        let draft = Finding::at(place(first), "outside of the organization")
            .message(message)
            .statement(admission.statement.as_ref());
        let draft = related(context, draft, first, &accounts, place);
        findings.push(complete(context, draft, leak, Some(admission), &outside));
    }
    Ok(Verdict::if_asked(!all.is_empty(), findings, gaps))
}

/// Those that are outside for certain, and those that may turn out to be members.
fn apart<'l, 'c>(context: &Context<'_>, leaks: Vec<&'l Leak<'c>>) -> [Vec<&'l Leak<'c>>; 2] {
    let is_certain =
        |leak: &&Leak<'_>| leaks::account(leak).is_some_and(|account| RoleView::is_certain_outsider(context, account));
    let (certain, other) = leaks.into_iter().partition(is_certain);
    [certain, other]
}

fn who(context: &Context<'_>, outside: &[&Leak<'_>]) -> String {
    let is_undeclared = |account: &AccountId| context.model.class(*account) == Class::Undeclared;
    let all = leaks::accounts_of(outside).iter().all(is_undeclared);
    format!("{}{}", if all { "undeclared " } else { "" }, leaks::whom(context, outside))
}

fn related(
    context: &Context<'_>,
    draft: Draft,
    first: AccountId,
    accounts: &[AccountId],
    place: impl Fn(AccountId) -> Span,
) -> Draft {
    let others = accounts.iter().filter(|account| **account != first);
    others
        .fold(draft, |draft, account| draft.related(place(*account), format!("and {}", context.model.label(*account))))
}

fn complete(
    context: &Context<'_>,
    draft: Draft,
    leak: &Leak<'_>,
    way_in: Option<&Admission>,
    outside: &[&Leak<'_>],
) -> Draft {
    let accounts = leaks::accounts_of(outside);
    let certain = accounts.iter().all(|account| RoleView::is_certain_outsider(context, *account));
    let what = match accounts.len() {
        1 => ("this account is", "it"),
        _ => ("these accounts are", "them"),
    };
    let help = match certain {
        true => {
            format!("remove {}, or declare what {} to read under [[third-party]] in trailproof.toml", what.1, what.0)
        }
        false => format!(
            "if {} not yours, remove {}; else list the members under [organization] in trailproof.toml",
            what.0, what.1
        ),
    };
    let level = if certain { Level::Error } else { Level::Warning };
    let draft = leaks::complete(draft, leak, way_in).help(help);
    draft.level(if leak.through.is_certain() { level } else { level.lower() })
}
