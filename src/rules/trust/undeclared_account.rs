use std::collections::BTreeSet;

use crate::access::allowance::{Allowance, GIVEN_UP};
use crate::access::search::Answer;
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::model::Class;
use crate::policy::{Principal, PrincipalKind};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::rule::role::{Admission, RoleView, Who};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::external_id::{self, Hold};
use crate::rules::shared::grants::{self, Attached};
use crate::rules::shared::key_grants;
use crate::rules::shared::leaks;
use crate::rules::shared::trust;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { role: Some(role), bucket: Some(bucket), key: Some(key), estate: Some(leaks::ready), ..Check::NOTHING };

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    let name = &role.subject.name;
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    let told = leaks::outsiders_by_role(context, role);
    let is_told = |statement: Span, account: AccountId| told.contains(&(statement, account));
    for outsider in trust::outsiders(context, role).into_iter().filter(|one| one.class == Class::Undeclared) {
        if is_told(outsider.admission.statement.span, outsider.account) {
            continue;
        }
        match external_id::hold(context, role, outsider) {
            Hold::Bound => {
                let (account, admission) = (outsider.account, outsider.admission);
                let message = format!("undeclared {} can assume `{name}`", trust::accounts(context, [account]));
                let span = trust::principal_span(&admission.policy, &admission.statement, account);
                let draft = finding(context, span, account, message);
                findings.extend(admitted(context, role, admission, draft));
            }
            Hold::Undecided => gaps.push(trust::undecided()),
            // One that needs no right external ID is named by the rules on that.
            Hold::Missing(_) | Hold::Without(_) | Hold::AnyId(_) => {}
        }
    }
    for admission in role.admissions(context).iter().filter(|admission| !role.is_public(context, admission)) {
        let Who::AnyOf(id) = &admission.who else { continue };
        let label = "a condition opens it to an organization that is not yours";
        let draft = Finding::at(trust::everyone_span(&admission.statement), label)
            .message(format!("every account of organization {id} can assume `{name}`"))
            .about(id.as_str())
            .help("name the accounts or roles that need it, and declare them in trailproof.toml");
        findings.extend(admitted(context, role, admission, draft));
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn admitted(context: &Context<'_>, role: &RoleView<'_>, admission: &Admission, draft: Draft) -> Option<Draft> {
    let found = admission.answer.found()?;
    let draft = draft.level(level(&admission.answer)).statement(admission.statement.as_ref());
    let draft = draft.path(found.explanation.steps.iter().cloned()).witness(found.witness.clone());
    Some(draft.depends_on(trust::unless(context, role, found)))
}

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::Pass) };
    let arn = view.arn();
    let model = context.model;
    let declared = || model.log_bucket(&view.bucket.name).and_then(|bucket| bucket.owner).or(model.owner());
    let owner = view.bucket.account.present().copied().or_else(declared);
    let attached = Attached { policy, arn: &arn, owner, service: "s3" };
    let told = leaks::outsiders_by_statement(context, view);
    let (findings, gaps) = by_policy(context, &attached, &format!("log bucket `{}`", view.subject.name), &told);
    Ok(Verdict::with_gaps(findings, gaps))
}

fn key(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let name = format!("log key `{}`", view.subject.name);
    let (mut findings, mut gaps) = match view.policy() {
        Ok(Some(policy)) => {
            let arn = view.arn();
            let attached = Attached { policy, arn: &arn, owner: view.key.account, service: "kms" };
            by_policy(context, &attached, &name, &BTreeSet::new())
        }
        Ok(None) => (Vec::new(), Vec::new()),
        Err(gap) => (Vec::new(), vec![gap]),
    };
    match view.key.grants.get() {
        Ok(grants) => {
            for grant in grants.into_iter().flatten() {
                let Some(grantee) = &grant.grantee else { continue };
                let Some(account) = Principal::parse(PrincipalKind::Aws, &grantee.value).account() else { continue };
                // One that lets it decrypt logs is `foreign-key-grant`.
                let is_named = || key_grants::to_foreign(context, view, grant).is_some();
                if Some(account) != view.key.account && context.model.class(account) == Class::Undeclared && !is_named()
                {
                    let who = trust::accounts(context, [account]);
                    let message = format!("a grant lets undeclared {who} use {name}");
                    findings.push(finding(context, grantee.span, account, message).about(grant.id.as_str()));
                }
            }
        }
        Err(gap) => gaps.push(gap),
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The undeclared accounts to which the statements of a policy give something, and which no other rule names there.
fn by_policy(
    context: &Context<'_>,
    attached: &Attached<'_>,
    name: &str,
    told: &BTreeSet<(Span, AccountId)>,
) -> (Vec<Draft>, Vec<Gap>) {
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    let allowance = Allowance::of_rule();
    for statement in attached.policy.allows() {
        for (grantee, answer) in grants::to_undeclared(context, &allowance, attached, statement) {
            if told.contains(&(statement.span, grantee.account)) {
                continue;
            }
            let Some(found) = answer.found() else {
                let fact = if attached.service == "s3" { "bucket.policy" } else { "key.policy" };
                gaps.push(Gap::new(fact, GIVEN_UP));
                continue;
            };
            let who = match grantee.canonical {
                Some(id) => format!("account with canonical ID {id}"),
                None => trust::accounts(context, [grantee.account]),
            };
            let message = format!("undeclared {who} is granted `{}` on {name}", found.witness.action);
            let draft = match grantee.canonical {
                Some(id) => Finding::at(grantee.span, "nothing tells whose ID this is").message(message).about(id).help(
                    "if you know the account, list it under canonical-ids in trailproof.toml, or name it by its ARN here",
                ),
                None => finding(context, grantee.span, grantee.account, message),
            };
            let draft = draft.level(level(&answer)).statement(statement);
            let draft = draft.path(found.explanation.steps.iter().cloned()).witness(found.witness.clone());
            findings.push(draft.depends_on(grants::unless(context, attached, found)));
        }
    }
    (findings, gaps)
}

fn level(answer: &Answer) -> Level {
    if answer.is_yes() { Level::Warning } else { Level::Note }
}

fn finding(context: &Context<'_>, span: Span, account: AccountId, message: String) -> Draft {
    let help = match context.model.members_are_complete() {
        true => "declare the account in trailproof.toml, as [[third-party]] or [[reader]], or remove it",
        false => "if this account is not yours, declare it in trailproof.toml as [[third-party]], or remove it",
    };
    Finding::at(span, "neither owner, member nor declared").message(message).about(account.to_string()).help(help)
}
