use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rule::role::{Origin, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::carried;
use crate::rules::shared::leaks::{self, ByPolicy, Deed, Leak, Mend, RoleLeaks, Side};
use crate::rules::shared::words::quoted;
use crate::text::Span;

/// A role's own policies are its deviation, a managed policy is one deviation of all roles that carry it.
pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(managed), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::List)?;
    // A statement that gives the contents too is told of by the rules on reading.
    let (read, _) = leaks::by_statement(context, view, Deed::Read)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in all.iter().filter(|of| !of.is_public() && !read.iter().any(|one| one.statement.span == of.statement.span)) {
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
        let Some((leak, statement, policy)) = chosen(context, role, of) else { continue };
        if !matches!(policy.origin, Origin::Inline(_)) {
            continue;
        }
        let members = leaks::on(context, &of.leaks, Side::Member);
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
        findings.push(complete(draft, leak, Some(of)).help(help(&own)));
    }
    Ok(if all.is_empty() && gaps.is_empty() { Verdict::NotApplicable } else { Verdict::with_gaps(findings, gaps) })
}

/// What a role lists beyond the model by a statement of its own policies that does not give the contents too; a role
/// whose trust policy is at fault is told of by the rules on reading.
fn chosen<'l, 'c, 'v>(
    context: &'c Context<'_>,
    role: &'v RoleView<'_>,
    of: &'l RoleLeaks<'_, 'c>,
) -> Option<(&'l Leak<'c>, &'v Statement, &'v crate::rule::role::RolePolicy)> {
    let leak = leaks::shown(&leaks::on(context, &of.leaks, Side::Member))?;
    let Mend::Permissions(policy, statement) = leaks::mend(context, role, of, leak) else { return None };
    let (read, _) = leaks::by_role(context, role, Deed::Read).ok()?;
    let is_read = read.iter().filter(|one| one.reach.bucket == of.reach.bucket).any(|one| {
        let members = leaks::on(context, &one.leaks, Side::Member);
        let same = |leak: &Leak<'_>| match leaks::mend(context, role, one, leak) {
            Mend::Permissions(_, other) => other.span == statement.span,
            Mend::Trust => true,
        };
        leaks::shown(&members).is_some_and(|leak| same(leak) || leaks::is_organization_wide(context, one.reach, &members))
    });
    (!is_read).then_some((leak, statement, policy))
}

fn managed(context: &Context<'_>) -> Outcome {
    let mut findings: Vec<Draft> = Vec::new();
    for (arn, roles) in
        leaks::managed(context, Deed::List, |of| leaks::shown(&leaks::on(context, &of.leaks, Side::Member)).cloned())
    {
        let roles: Vec<&ByPolicy<'_, '_>> =
            roles.iter().filter(|one| chosen(context, one.role, &one.of).is_some()).collect();
        let Some(first) = roles.iter().find(|one| one.leak.through.is_certain()).or(roles.first()) else { continue };
        let members: Vec<&Leak<'_>> =
            roles.iter().flat_map(|one| leaks::on(context, &one.of.leaks, Side::Member)).collect();
        let names: Vec<&str> = roles.iter().map(|one| one.role.subject.name.as_str()).collect();
        let noun = if names.len() == 1 { "role" } else { "roles" };
        let reach = first.of.reach;
        let subject = carried::subject(&arn);
        let message = format!(
            "`{}` on {noun} {} lets {} list {} in log bucket `{}`{}",
            subject.name,
            quoted(&names, 5),
            leaks::whom(context, &members),
            leaks::logs_in_words(context, reach, &members, &leaks::logs_of(&members)),
            reach.bucket,
            first.leak.through.condition(),
        );
        let of_aws = carried::is_of_aws(&arn);
        let (span, label) = if of_aws { (first.policy.span, "attached here") } else { place(first.statement) };
        let draft = Finding::at(span, label).message(message).subject(subject).about(reach.bucket.as_str());
        let draft = if of_aws { draft } else { draft.statement(first.statement) };
        let own = leaks::narrow(context, reach, "<account>");
        findings.push(complete(draft, &first.leak, Some(&first.of)).help(help(&own)));
    }
    let gaps = leaks::not_in_inputs(context);
    let nothing = findings.is_empty() && gaps.is_empty();
    Ok(if nothing { Verdict::NotApplicable } else { Verdict::with_gaps(findings, gaps) })
}

/// The condition on the prefix, where there is one, else the action that lists.
fn place(statement: &Statement) -> (Span, &'static str) {
    if let Some(clause) = statement.conditions.iter().find(|clause| clause.key.is("s3:prefix")) {
        return (clause.span, "this takes in the prefixes of other accounts");
    }
    let listing = statement.actions.iter().flat_map(|actions| &actions.items).find(|item| item.raw().contains("List"));
    (listing.map_or(statement.span, |item| item.span), "no `s3:prefix` narrows this")
}

fn complete(draft: Draft, leak: &Leak<'_>, way_in: Option<&RoleLeaks<'_, '_>>) -> Draft {
    let draft = leaks::complete(draft, leak, way_in);
    draft.level(if leak.through.is_certain() { Level::Warning } else { Level::Note })
}

fn help(own: &str) -> String {
    let prefix = own.split_once('/').map_or(own, |(_, prefix)| prefix);
    format!("narrow it: \"Condition\": {{\"StringLike\": {{\"s3:prefix\": \"{prefix}\"}}}}, for each listing action")
}
