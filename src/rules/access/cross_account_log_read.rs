use crate::finding::{Draft, Finding};
use crate::policy::Statement;
use crate::rule::context::{BucketView, Context};
use crate::rule::role::{Origin, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::carried;
use crate::rules::shared::leaks::{self, ByPolicy, Deed, Leak, Mend, RoleLeaks, Side, StatementLeaks};
use crate::rules::shared::trust;
use crate::rules::shared::words::quoted;

/// A role's own policies and trust are its deviation, a managed policy is one deviation of all roles that carry it.
pub(in crate::rules) const CHECK: Check =
    Check { bucket: Some(bucket), role: Some(role), estate: Some(managed), ..Check::NOTHING };

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_statement(context, view, Deed::Read)?;
    let findings = all.iter().filter(|of| !of.is_public()).filter_map(|of| of_statement(context, view, of));
    Ok(Verdict::with_gaps(findings.collect(), gaps))
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
    let span = leaks::place_of(of.statement, leak.through.access);
    let draft = Finding::at(span, leaks::label_of_resource(of.statement))
        .message(message)
        .statement(of.statement)
        .help(format!("give each account its own path: \"{own}\"; {DECLARE}"));
    Some(leaks::complete(draft, leak, None))
}

const DECLARE: &str = "if they should read more, declare it under [[reader]] in trailproof.toml";

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    let (all, gaps) = leaks::by_role(context, role, Deed::Read)?;
    let mut findings: Vec<Draft> = Vec::new();
    for of in &all {
        let Some(leak) = chosen(context, of) else { continue };
        let members = leaks::on(context, &of.leaks, Side::Member);
        let message = format!(
            "{} can assume `{}` and read {} in log bucket `{}`{}",
            leaks::whom(context, &members),
            role.subject.name,
            leaks::logs_in_words(context, of.reach, &members, &leaks::logs_of(&members)),
            of.reach.bucket,
            leak.through.condition(),
        );
        let draft = match leaks::mend(context, role, of, leak) {
            Mend::Permissions(policy, _) if !matches!(policy.origin, Origin::Inline(_)) => continue,
            Mend::Permissions(_, statement) => by_permissions(context, of, leak, statement, message),
            Mend::Trust => by_trust(of, leak, message),
        };
        let Some(draft) = draft else { continue };
        findings.push(leaks::complete(draft.about(of.reach.bucket.as_str()), leak, Some(of)));
    }
    Ok(if all.is_empty() && gaps.is_empty() { Verdict::NotApplicable } else { Verdict::with_gaps(findings, gaps) })
}

/// What is shown of a role that gives members too much, and not every member everything.
fn chosen<'l, 'c>(context: &Context<'_>, of: &'l RoleLeaks<'_, 'c>) -> Option<&'l Leak<'c>> {
    let members = leaks::on(context, &of.leaks, Side::Member);
    let is_whole = leaks::is_organization_wide(context, of.reach, &members);
    leaks::shown(&members).filter(|_| !is_whole)
}

fn by_permissions(
    context: &Context<'_>,
    of: &RoleLeaks<'_, '_>,
    leak: &Leak<'_>,
    statement: &Statement,
    message: String,
) -> Option<Draft> {
    let span = leaks::place_of(statement, leak.through.access);
    let admission = of.admission(leak.who)?;
    let draft = Finding::at(span, leaks::label_of_resource(statement)).message(message).statement(statement);
    let draft = match leaks::account(leak) {
        Some(account) => draft.related(
            trust::principal_span(&admission.policy, &admission.statement, account),
            format!("{} is let in here", context.model.label(account)),
        ),
        None => draft.related(trust::everyone_span(&admission.statement), "every account is let in here"),
    };
    Some(draft.help(help(context, of)))
}

fn by_trust(of: &RoleLeaks<'_, '_>, leak: &Leak<'_>, message: String) -> Option<Draft> {
    let admission = of.admission(leak.who)?;
    let span = match leaks::account(leak) {
        Some(account) => trust::principal_span(&admission.policy, &admission.statement, account),
        None => trust::everyone_span(&admission.statement),
    };
    let draft = Finding::at(span, "let in here").message(message).statement(admission.statement.as_ref());
    Some(draft.help(format!("take it out of the trust policy; {DECLARE}")))
}

fn help(context: &Context<'_>, of: &RoleLeaks<'_, '_>) -> String {
    let members = leaks::on(context, &of.leaks, Side::Member);
    match leaks::accounts_of(&members).as_slice() {
        [one] => {
            let own = leaks::narrow(context, of.reach, one.as_str());
            format!("name only its own path in `Resource`: \"{own}\"; {DECLARE}")
        }
        _ => format!(
            "make one role for each account, with that account alone in `Principal` and its own path in `Resource`; \
             {DECLARE}"
        ),
    }
}

fn managed(context: &Context<'_>) -> Outcome {
    let mut findings: Vec<Draft> = Vec::new();
    for (arn, roles) in leaks::managed(context, Deed::Read, |of| chosen(context, of).cloned()) {
        let mut buckets: Vec<&str> = roles.iter().map(|one| one.of.reach.bucket.as_str()).collect();
        buckets.sort_unstable();
        buckets.dedup();
        for bucket in buckets {
            let here: Vec<&ByPolicy<'_, '_>> = roles.iter().filter(|one| one.of.reach.bucket == bucket).collect();
            findings.extend(by_policy(context, &arn, &here));
        }
    }
    let gaps = leaks::not_in_inputs(context);
    let nothing = findings.is_empty() && gaps.is_empty();
    Ok(if nothing { Verdict::NotApplicable } else { Verdict::with_gaps(findings, gaps) })
}

fn by_policy(context: &Context<'_>, arn: &str, roles: &[&ByPolicy<'_, '_>]) -> Option<Draft> {
    let first = roles.iter().find(|one| one.leak.through.is_certain()).or(roles.first())?;
    let members: Vec<&Leak<'_>> =
        roles.iter().flat_map(|one| leaks::on(context, &one.of.leaks, Side::Member)).collect();
    let subject = carried::subject(arn);
    let names: Vec<&str> = roles.iter().map(|one| one.role.subject.name.as_str()).collect();
    let reach = first.of.reach;
    let message = format!(
        "`{}` on {} lets {} read {} in log bucket `{}`{}",
        subject.name,
        if names.len() == 1 { format!("role {}", quoted(&names, 5)) } else { format!("roles {}", quoted(&names, 5)) },
        leaks::whom(context, &members),
        leaks::logs_in_words(context, reach, &members, &leaks::logs_of(&members)),
        reach.bucket,
        first.leak.through.condition(),
    );
    // AWS's own policy can only be taken off the roles.
    let of_aws = carried::is_of_aws(arn);
    let span = if of_aws { first.policy.span } else { leaks::place_of(first.statement, first.leak.through.access) };
    let label = if of_aws { "attached here" } else { leaks::label_of_resource(first.statement) };
    let draft = Finding::at(span, label).message(message).subject(subject).about(reach.bucket.as_str());
    let draft = if of_aws { draft } else { draft.statement(first.statement) };
    let others = roles.iter().filter(|one| !of_aws || one.policy.span != span);
    let draft = others.fold(draft, |draft, one| {
        draft.related(one.policy.span, format!("`{}` carries it", one.role.subject.name))
    });
    let mut leak = first.leak.clone();
    if of_aws {
        leak.through.unless.sort_unstable();
    }
    let draft = leaks::complete(draft, &leak, Some(&first.of));
    Some(draft.help(format!("give each role a policy of its own that names only the path of the account it is for; {DECLARE}")))
}
