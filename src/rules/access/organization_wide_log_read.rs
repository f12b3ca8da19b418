use crate::finding::{Draft, Finding};
use crate::rule::context::{BucketView, Context};
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::leaks::{self, Deed, Side};
use crate::rules::shared::trust;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(leaks::prepare), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::Read)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in all.iter().filter(|of| !of.is_public()) {
        let members = leaks::on(context, &of.leaks, Side::Member);
        if !leaks::is_organization_wide(context, of.reach, &members) {
            continue;
        }
        let Some(leak) = leaks::shown(&members) else { continue };
        let message = format!(
            "every account of the organization can read the logs of every other in log bucket `{}`{}",
            view.subject.name,
            leak.through.condition(),
        );
        let own = leaks::narrow(context, of.reach, "${aws:PrincipalAccount}");
        let span = leaks::place_of(of.statement, leak.through.first);
        let draft = Finding::at(span, "the same path for everyone who reads")
            .message(message)
            .statement(of.statement)
            .help(format!("give each account its own path: \"{own}\" (with \"Version\": \"2012-10-17\")"));
        findings.push(leaks::complete(draft, leak, None));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// A role that every member can assume is mended where it lets them in: its permissions can not tell them apart.
fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_role(context, role, Deed::Read)?;
    let (mut findings, mut told): (Vec<Draft>, Vec<Span>) = (Vec::new(), Vec::new());
    for of in &all {
        let members = leaks::on(context, &of.leaks, Side::Member);
        if !leaks::is_organization_wide(context, of.reach, &members) {
            continue;
        }
        let Some(leak) = leaks::shown(&members) else { continue };
        let Some(admission) = of.admission(leak.who) else { continue };
        if told.contains(&admission.statement.span) {
            continue;
        }
        told.push(admission.statement.span);
        let message = format!(
            "every account of the organization can assume `{}` and read the logs of every other in log bucket `{}`{}",
            role.subject.name,
            of.reach.bucket,
            leak.through.condition(),
        );
        let span = trust::way_in_span(admission, leaks::account(leak));
        let draft = Finding::at(span, "one role for all: it can not tell them apart")
            .message(message)
            .statement(admission.statement.as_ref())
            .help(
                "make one role for each account, with that account alone in `Principal` and its own path in `Resource`; \
                 or let members read by the bucket policy, with ${aws:PrincipalAccount} in the path",
            );
        findings.push(leaks::complete(draft, leak, Some(admission)));
    }
    Ok(Verdict::if_asked(!all.is_empty(), findings, gaps))
}
