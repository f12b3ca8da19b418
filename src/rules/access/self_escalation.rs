use std::collections::BTreeMap;

use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::search::Answer;
use crate::aws::{Arn, managed};
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::policy::Statement;
use crate::rule::context::Context;
use crate::rule::role::{Origin, RolePolicy, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::words::{list, quoted};
use crate::rules::shared::{bucket_changes, carried};
use crate::text::Span;

/// Policies of a role's own are its deviation, managed ones are one deviation of all roles that carry them.
pub(in crate::rules) const CHECK: Check = Check { role: Some(role), estate: Some(managed), ..Check::NOTHING };

/// Changes of a role that give it more.
const OF_ITSELF: [&str; 3] = ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"];
/// Changes of a managed policy.
const OF_POLICY: [&str; 2] = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"];
const OF_KEY: [&str; 2] = ["kms:PutKeyPolicy", "kms:CreateGrant"];

/// A way in which a role can widen itself.
struct Widening<'v> {
    policy: &'v RolePolicy,
    statement: &'v Statement,
    action: &'static str,
    what: String,
    answer: Answer,
}

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let (mut found, undecided) = widenings(context, role);
    if role.admissions(context).is_empty() {
        // Nobody can tell whether it is shared at all: that matters where there is something to say of it.
        let trust = role.trust().err().filter(|_| !found.is_empty() || undecided.is_some());
        return Ok(Verdict::with_gaps(Vec::new(), role.missing.iter().cloned().chain(trust).collect()));
    }
    found.retain(|one| matches!(one.policy.origin, Origin::Inline(_)));
    let draft = found.first().map(|first| {
        let message =
            format!("sharing role `{}` can widen itself: it is allowed {}", role.subject.name, in_words(&found));
        let span = bucket_changes::action_span(first.statement, first.action);
        complete(
            Finding::at(span, "more than it has is one call away").message(message).statement(first.statement),
            &found,
        )
    });
    let gaps = role.missing.iter().cloned().chain(undecided);
    Ok(Verdict::with_gaps(draft.into_iter().collect(), gaps.collect()))
}

fn managed(context: &Context<'_>) -> Outcome {
    let mut by_arn: BTreeMap<String, Vec<(&RoleView<'_>, Vec<Widening<'_>>)>> = BTreeMap::new();
    for role in context.sharing_roles().iter().filter(|role| !role.admissions(context).is_empty()) {
        let mut of_role: BTreeMap<String, Vec<Widening<'_>>> = BTreeMap::new();
        // What is not decided is told of the role.
        for one in widenings(context, role).0 {
            if !matches!(one.policy.origin, Origin::Inline(_)) {
                of_role.entry(carried::arn_of(role, one.policy)).or_default().push(one);
            }
        }
        for (arn, found) in of_role {
            by_arn.entry(arn).or_default().push((role, found));
        }
    }
    let drafts = by_arn.into_iter().filter_map(|(arn, roles)| {
        let (_, found) = roles.first()?;
        let first = found.first()?;
        let subject = carried::subject(&arn);
        let names: Vec<&str> = roles.iter().map(|(role, _)| role.subject.name.as_str()).collect();
        let noun = if names.len() == 1 { "sharing role" } else { "sharing roles" };
        let message = format!(
            "`{}` lets {noun} {} widen {}: it allows {}",
            subject.name,
            quoted(&names, 5),
            if names.len() == 1 { "itself" } else { "themselves" },
            in_words(found),
        );
        let of_aws = managed::is_of_aws(&arn);
        let (span, label): (Span, _) = match of_aws {
            true => (first.policy.span, "attached here"),
            false => {
                (bucket_changes::action_span(first.statement, first.action), "more than they have is one call away")
            }
        };
        let draft = Finding::at(span, label).message(message).subject(subject);
        let draft = if of_aws { draft } else { draft.statement(first.statement) };
        let others = roles.iter().filter_map(|(role, found)| Some((role, found.first()?.policy.span)));
        let draft = others
            .filter(|(_, place)| *place != span)
            .fold(draft, |draft, (role, place)| draft.related(place, format!("`{}` carries it", role.subject.name)));
        Some(complete(draft, found))
    });
    let drafts: Vec<Draft> = drafts.collect();
    Ok(if drafts.is_empty() { Verdict::NotApplicable } else { Verdict::of(drafts) })
}

fn in_words(found: &[Widening<'_>]) -> String {
    let words: Vec<String> = found.iter().map(|one| format!("`{}` on {}", one.action, one.what)).collect();
    list(&words, 3)
}

fn complete(draft: Draft, found: &[Widening<'_>]) -> Draft {
    let certain = found.iter().any(|one| one.answer.is_yes());
    let shown = found.iter().find(|one| one.answer.is_yes() || !certain).and_then(|one| one.answer.found());
    let draft = draft.level(if certain { Level::Error } else { Level::Error.lower() }).help(
        "take the action out: a role that others assume needs to read, list and decrypt, and nothing that changes policies; \
         a permissions boundary keeps it so",
    );
    match shown {
        Some(found) => draft
            .path(found.explanation.steps.iter().cloned())
            .witness(found.witness.clone())
            .depends_on(found.explanation.depends_on.iter().cloned()),
        None => draft,
    }
}

/// The ways, one for each action and thing, those on the role itself first; and where a search was given up.
fn widenings<'v>(context: &Context<'_>, role: &'v RoleView<'_>) -> (Vec<Widening<'v>>, Option<Gap>) {
    let Some(account) = role.role.account else { return (Vec::new(), None) };
    let allowance = Allowance::of_rule();
    let mut undecided = None;
    let mut asked: Vec<(&'static str, String, String)> = Vec::new();
    asked.extend(OF_ITSELF.map(|action| (action, role.arn(), "the role itself".to_owned())));
    if role.role.permissions.boundary.present().is_some() || role.role.permissions.boundary_document.is_some() {
        asked.push(("iam:DeleteRolePermissionsBoundary", role.arn(), "the role itself".to_owned()));
    }
    for policy in role.policies.iter().filter(|policy| matches!(policy.origin, Origin::Managed(_))) {
        let arn = carried::arn_of(role, policy);
        let name = carried::subject(&arn).name;
        let own = Arn::parse(&arn).is_some_and(|parsed| parsed.account_id() == Some(account));
        asked.extend(
            OF_POLICY.into_iter().filter(|_| own).map(|action| (action, arn.clone(), format!("its policy `{name}`"))),
        );
    }
    for reach in context.log_reaches().iter().filter(|reach| reach.owner == Some(account)) {
        asked.push(("s3:PutBucketPolicy", reach.arn.clone(), format!("log bucket `{}`", reach.bucket)));
    }
    let keys = context.estate.keys.iter().filter(|key| context.model.is_log_key(key).is_log_key());
    for key in keys.filter(|key| key.account == Some(account)) {
        let Some(arn) = &key.arn else { continue };
        let name = key.id.as_ref().unwrap_or(&key.name);
        asked.extend(OF_KEY.map(|action| (action, arn.to_string(), format!("log key `{name}`"))));
    }
    let statements = || role.policies.iter().flat_map(|policy| policy.policy.allows().map(move |one| (policy, one)));
    let mut of = |(action, arn, what): (&'static str, String, String)| {
        if !statements().any(|(_, statement)| statement.covers_action(action)) {
            return None;
        }
        let answer = bucket_changes::by_own_policies(context, &allowance, role, account, action, &arn);
        if answer == Answer::Undecided {
            undecided.get_or_insert_with(|| Gap::new("role.permissions", GIVEN_UP).at([role.role.span]));
        }
        let spans: Vec<Span> = answer.found()?.explanation.steps.iter().filter_map(|step| step.span).collect();
        let (policy, statement) = statements().find(|(_, statement)| spans.contains(&statement.span))?;
        Some(Widening { policy, statement, action, what, answer })
    };
    let found = asked.into_iter().filter_map(&mut of).collect();
    (found, undecided)
}
