use crate::access::reach::LogReach;
use crate::finding::{Draft, Finding};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rule::role::{Admission, Origin, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::leaks::{self, ByPolicy, Deed, Leak, Mend, RoleLeaks, Side, StatementLeaks};
use crate::rules::shared::trust;
use crate::rules::shared::words::quoted;
use crate::text::Span;

/// A role's own policies and trust are its deviation, a managed policy is one deviation of all roles that carry it.
pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(managed), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::Read)?;
    let findings = all.iter().filter(|of| !of.is_public()).filter_map(|of| of_statement(context, view, of));
    let mut findings: Vec<Draft> = findings.collect();
    if let (Some(policy), Some(reach)) = (view.policy()?, leaks::reach_of(context, view)) {
        for (span, through) in leaks::through_bucket(context, reach, Deed::Read) {
            let statement = policy.allows().find(|statement| statement.span == span);
            findings.extend(statement.and_then(|statement| by_roles_in(context, reach, statement, &through)));
        }
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// Roles that members can assume and that a statement of the bucket policy takes in, as it takes in whatever is of their
/// account: one deviation of that statement.
fn by_roles_in(
    context: &Context<'_>,
    reach: &LogReach,
    statement: &Statement,
    through: &[(&RoleView<'_>, Leak<'_>, &Admission)],
) -> Option<Draft> {
    let members: Vec<&Leak<'_>> = through.iter().map(|(_, leak, _)| leak).collect();
    let leak = leaks::shown(&members)?;
    let (_, _, way_in) = through.iter().find(|(_, one, _)| one.who == leak.who)?;
    let mut names: Vec<&str> = through.iter().map(|(role, ..)| role.subject.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let message = format!(
        "{} can assume {} {} and read {} in log bucket `{}`{}",
        leaks::whom(context, &members),
        if names.len() == 1 { "role" } else { "roles" },
        quoted(&names, 5),
        leaks::logs_in_words(context, reach, &members, &leaks::logs_of(&members)),
        reach.bucket,
        leak.through.condition(),
    );
    let owner = reach.owner.map_or_else(|| "the owner's account".to_owned(), |owner| owner.to_string());
    let draft = Finding::at(trust::everyone_span(statement), "this takes in the roles of the bucket's own account")
        .message(message)
        .statement(statement)
        .about("roles")
        .help(format!(
            "keep the roles of that account out: \"StringNotEquals\": {{\"aws:PrincipalAccount\": \"{owner}\"}}; {DECLARE}"
        ));
    Some(leaks::complete(draft, leak, Some(way_in)))
}

fn of_statement(context: &Context<'_>, view: &BucketView<'_>, of: &StatementLeaks<'_, '_>) -> Option<Draft> {
    let members = leaks::on(context, &of.leaks, Side::Member);
    if leaks::is_organization_wide(context, of.reach, &members) {
        return None;
    }
    let leak = leaks::shown(&members)?;
    let message = format!(
        "{} can read {} in log bucket `{}`{}",
        leaks::whom(context, &members),
        leaks::logs_in_words(context, of.reach, &members, &leaks::logs_of(&members)),
        view.subject.name,
        leak.through.condition(),
    );
    let own = leaks::narrow(context, of.reach, "${aws:PrincipalAccount}");
    let span = leaks::place_of(of.statement, leak.through.first);
    let help = match leaks::are_own(&members) {
        true => format!("take the statement out; {DECLARE_OWN}"),
        false => format!("give each account its own path: \"{own}\"; {DECLARE}"),
    };
    let draft = Finding::at(span, leaks::label_of_resource(of.statement, &members))
        .message(message)
        .statement(of.statement)
        .help(help);
    Some(leaks::complete(draft, leak, None))
}

const DECLARE: &str = "if they should read more, declare it under [[reader]] in trailproof.toml";

const DECLARE_OWN: &str =
    "if they should read their own logs, say `readers = \"own-logs\"` of the log bucket in trailproof.toml";

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_role(context, role, Deed::Read)?;
    let (mut findings, mut told): (Vec<Draft>, Vec<Span>) = (Vec::new(), Vec::new());
    for of in &all {
        for (mend, members) in leaks::by_mend(context, role, of, Side::Member) {
            if leaks::is_organization_wide(context, of.reach, &leaks::on(context, &of.leaks, Side::Member)) {
                continue;
            }
            let Some(leak) = leaks::shown(&members) else { continue };
            let Some(admission) = of.admission(leak.who) else { continue };
            let place = match mend {
                Mend::Bucket(_) => continue,
                Mend::Permissions(policy, _) if !matches!(policy.origin, Origin::Inline(_)) => continue,
                Mend::Permissions(_, statement) => statement.span,
                Mend::Trust => admission.statement.span,
            };
            // What it reads in another bucket by the same statement is the same deviation.
            if told.contains(&place) {
                continue;
            }
            told.push(place);
            let who = leaks::whom(context, &members);
            let message = leaks::by_assuming(context, &who, role, "read", of.reach, &members, leak);
            let draft = match mend {
                Mend::Permissions(_, statement) => {
                    by_permissions(context, of.reach, &members, leak, admission, statement)
                }
                _ => by_trust(leak, admission),
            };
            findings.push(leaks::complete(draft(message), leak, Some(admission)));
        }
    }
    Ok(Verdict::if_asked(!all.is_empty(), findings, gaps))
}

fn by_permissions<'f>(
    context: &'f Context<'_>,
    reach: &'f LogReach,
    members: &'f [&Leak<'_>],
    leak: &'f Leak<'_>,
    admission: &'f Admission,
    statement: &'f Statement,
) -> Box<dyn FnOnce(String) -> Draft + 'f> {
    Box::new(move |message| {
        let span = leaks::place_of(statement, leak.through.first);
        let draft =
            Finding::at(span, leaks::label_of_resource(statement, members)).message(message).statement(statement);
        let account = leaks::account(leak);
        let who = account.map_or_else(|| "every account".to_owned(), |account| context.model.label(account));
        let draft = draft.related(trust::way_in_span(admission, account), format!("{who} is let in here"));
        draft.help(help(context, reach, members))
    })
}

fn by_trust<'f>(leak: &'f Leak<'_>, admission: &'f Admission) -> Box<dyn FnOnce(String) -> Draft + 'f> {
    Box::new(move |message| {
        let span = trust::way_in_span(admission, leaks::account(leak));
        let draft = Finding::at(span, "let in here").message(message).statement(admission.statement.as_ref());
        draft.help(format!("take it out of the trust policy; {DECLARE}"))
    })
}

fn help(context: &Context<'_>, reach: &LogReach, members: &[&Leak<'_>]) -> String {
    match leaks::accounts_of(members).as_slice() {
        _ if leaks::are_own(members) => format!("take the statement out; {DECLARE_OWN}"),
        [one] => {
            let own = leaks::narrow(context, reach, one.as_str());
            format!("name only its own path in `Resource`: \"{own}\"; {DECLARE}")
        }
        _ => format!(
            "make one role for each account, with that account alone in `Principal` and its own path in `Resource`; \
             {DECLARE}"
        ),
    }
}

fn managed(context: &Context<'_>) -> Outcome {
    let is_partial = |_: &RoleView<'_>, of: &RoleLeaks<'_, '_>, _: &[&Leak<'_>]| {
        !leaks::is_organization_wide(context, of.reach, &leaks::on(context, &of.leaks, Side::Member))
    };
    leaks::managed(context, Deed::Read, is_partial, |arn, roles| by_policy(context, arn, roles))
}

fn by_policy(context: &Context<'_>, arn: &str, roles: &[ByPolicy<'_, '_>]) -> Option<Draft> {
    let place = |statement: &Statement, leak: &Leak<'_>| {
        (leaks::place_of(statement, leak.through.first), leaks::label_of_resource(statement, &[leak]))
    };
    let (draft, _) = leaks::of_policy(context, arn, roles, "read", place)?;
    Some(draft.help(format!(
        "give each role a policy of its own that names only the path of the account it is for; {DECLARE}"
    )))
}
