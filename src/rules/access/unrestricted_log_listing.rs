use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rule::role::{Admission, Origin, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::leaks::{self, ByPolicy, Deed, Leak, Mend, RoleLeaks, Side};
use crate::text::Span;

/// A role's own policies are its deviation, a managed policy is one deviation of all roles that carry it.
pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(managed), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::List)?;
    // A statement that gives the contents too is told of by the rules on reading.
    let (read, _) = leaks::by_statement(context, view, Deed::Read)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in all.iter().filter(|of| !of.is_public() && !read.iter().any(|one| one.statement.span == of.statement.span))
    {
        let members = leaks::on(context, &of.leaks, Side::Member);
        let Some(leak) = leaks::shown(&members) else { continue };
        let message = format!(
            "{} can list {} in log bucket `{}`{}",
            leaks::whom(context, &members),
            leaks::logs_in_words(context, of.reach, &members, &leaks::logs_of(&members)),
            view.subject.name,
            leak.through.condition(),
        );
        let (span, label) = place(of.statement);
        let own = leaks::narrow(context, of.reach, "${aws:PrincipalAccount}");
        let draft = Finding::at(span, label).message(message).statement(of.statement);
        findings.push(complete(draft, leak, None).help(help(&own)));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_role(context, role, Deed::List)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in &all {
        for (mend, members) in leaks::by_mend(context, role, of, Side::Member) {
            let Mend::Permissions(policy, statement) = mend else { continue };
            if !matches!(policy.origin, Origin::Inline(_)) || !is_more_than_read(context, role, of, &members) {
                continue;
            }
            let Some(leak) = leaks::shown(&members) else { continue };
            let message = format!(
                "{} can assume `{}` and list {} in log bucket `{}`{}",
                leaks::whom(context, &members),
                role.subject.name,
                leaks::logs_in_words(context, of.reach, &members, &leaks::logs_of(&members)),
                of.reach.bucket,
                leak.through.condition(),
            );
            let (span, label) = place(statement);
            let draft = Finding::at(span, label).message(message).statement(statement).about(of.reach.bucket.as_str());
            let whose = match leaks::accounts_of(&members).as_slice() {
                [one] => one.to_string(),
                _ => "<account>".to_owned(),
            };
            let own = leaks::narrow(context, of.reach, &whose);
            findings.push(complete(draft, leak, of.admission(leak.who)).help(help(&own)));
        }
    }
    Ok(Verdict::if_asked(!all.is_empty(), findings, gaps))
}

/// Whether some of them list by a role what they do not read by it too: that is told of by the rules on reading.
fn is_more_than_read(
    context: &Context<'_>,
    role: &RoleView<'_>,
    of: &RoleLeaks<'_, '_>,
    members: &[&Leak<'_>],
) -> bool {
    let Ok((read, _)) = leaks::by_role(context, role, Deed::Read) else { return true };
    let read: Vec<&Leak<'_>> =
        read.iter().filter(|one| one.reach.bucket == of.reach.bucket).flat_map(|one| &one.leaks).collect();
    members.iter().any(|leak| {
        let same: Vec<&Leak<'_>> = read.iter().filter(|other| other.who == leak.who).copied().collect();
        !leaks::logs_of(&same).include(&leak.logs)
    })
}

fn managed(context: &Context<'_>) -> Outcome {
    let is_more = |role: &RoleView<'_>, of: &RoleLeaks<'_, '_>, members: &[&Leak<'_>]| {
        is_more_than_read(context, role, of, members)
    };
    leaks::managed(context, Deed::List, is_more, |arn, roles| by_policy(context, arn, roles))
}

fn by_policy(context: &Context<'_>, arn: &str, roles: &[ByPolicy<'_, '_>]) -> Option<Draft> {
    let (draft, leak) = leaks::of_policy(context, arn, roles, "list", |statement, _| place(statement))?;
    let own = leaks::narrow(context, roles.first()?.reach, "<account>");
    Some(level(draft, leak).help(help(&own)))
}

/// The condition on the prefix, where there is one, else the action that lists.
fn place(statement: &Statement) -> (Span, &'static str) {
    if let Some(clause) = statement.conditions.iter().find(|clause| clause.key.is("s3:prefix")) {
        return (clause.span, "this takes in the prefixes of other accounts");
    }
    let listing = statement.actions.iter().flat_map(|actions| &actions.items).find(|item| item.raw().contains("List"));
    (listing.map_or(statement.span, |item| item.span), "no `s3:prefix` narrows this")
}

fn complete(draft: Draft, leak: &Leak<'_>, way_in: Option<&Admission>) -> Draft {
    level(leaks::complete(draft, leak, way_in), leak)
}

fn level(draft: Draft, leak: &Leak<'_>) -> Draft {
    draft.level(if leak.through.is_certain() { Level::Warning } else { Level::Note })
}

fn help(own: &str) -> String {
    let prefix = own.split_once('/').map_or(own, |(_, prefix)| prefix);
    format!("narrow it: \"Condition\": {{\"StringLike\": {{\"s3:prefix\": \"{prefix}\"}}}}, for each listing action")
}
