use crate::access::search::Answer;
use crate::access::sts::{named_accounts, names_everyone};
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::{Draft, Finding, Level};
use crate::model::Class;
use crate::policy::{Policy, Principal, PrincipalKind, Statement};
use crate::rule::context::{BucketView, Context, KeyView};
use crate::rule::role::{RoleView, Who};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::external_id::{self, Hold};
use crate::rules::shared::grants::{self, Asker, Attached};
use crate::rules::shared::trust;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { role: Some(role), bucket: Some(bucket), key: Some(key), ..Check::NOTHING };

fn role(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    role.trust()?;
    let mut findings = Vec::new();
    let mut gaps = Vec::new();
    for outsider in trust::outsiders(context, role).into_iter().filter(|one| one.class == Class::Undeclared) {
        // One that gets in without its external ID is named by the rules on that.
        match external_id::hold(context, role, outsider) {
            Hold::Bound => {}
            Hold::Undecided => {
                gaps.push(trust::undecided());
                continue;
            }
            Hold::Missing(_) | Hold::Without(_) | Hold::AnyId(_) => continue,
        }
        let (account, admission) = (outsider.account, outsider.admission);
        let Some(found) = admission.answer.found() else { continue };
        let message = format!("undeclared account {} can assume `{}`", context.model.label(account), role.subject.name);
        let draft = finding(context, trust::principal_span(&admission.statement, account), account, message);
        findings.push(
            draft
                .level(level(&admission.answer))
                .statement(admission.statement.as_ref())
                .path(found.explanation.steps.iter().cloned())
                .witness(found.witness.clone())
                .depends_on(trust::unless(context, role, found)),
        );
    }
    for admission in role.admissions(context).iter().filter(|admission| !role.is_public(context, admission)) {
        let (Who::AnyOf(id), Some(found)) = (&admission.who, admission.answer.found()) else { continue };
        findings.push(
            Finding::at(trust::everyone_span(&admission.statement), "its condition names another organization than yours")
                .message(format!("every account of organization {id}, which is not yours, can assume `{}`", role.subject.name))
                .level(level(&admission.answer))
                .statement(admission.statement.as_ref())
                .about(id.as_str())
                .path(found.explanation.steps.iter().cloned())
                .witness(found.witness.clone())
                .depends_on(trust::unless(context, role, found))
                .help("name the accounts or roles that need it, and declare them in trailproof.toml"),
        );
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn bucket(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::Pass) };
    let owner = view.bucket.account.present().copied();
    let arn = view.arn();
    let attached = Attached { policy, arn: &arn, owner, service: "s3" };
    let mut gaps = Vec::new();
    let findings = by_policy(context, &attached, &format!("log bucket `{}`", view.subject.name), &mut gaps);
    Ok(Verdict::with_gaps(findings, gaps))
}

fn key(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let mut gaps = Vec::new();
    let mut findings = Vec::new();
    let name = format!("log key `{}`", view.subject.name);
    match view.policy() {
        Ok(Some(policy)) => {
            let arn = view.arn();
            let attached = Attached { policy, arn: &arn, owner: view.key.account, service: "kms" };
            findings.extend(by_policy(context, &attached, &name, &mut gaps));
        }
        Ok(None) => {}
        Err(gap) => gaps.push(gap),
    }
    match view.key.grants.get() {
        Ok(grants) => {
            for grant in grants.into_iter().flatten() {
                let Some(grantee) = &grant.grantee else { continue };
                let Some(account) = Principal::parse(PrincipalKind::Aws, &grantee.value).account() else { continue };
                if is_undeclared(context, account, view.key.account) {
                    let label = context.model.label(account);
                    let message = format!("a grant lets undeclared account {label} use {name}");
                    let draft = finding(context, grantee.span, account, message);
                    findings.push(draft.level(Level::Warning).about(grant.id.as_str()));
                }
            }
        }
        Err(gap) => gaps.push(gap),
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The undeclared accounts to which the Allow statements of a policy give something.
fn by_policy(context: &Context<'_>, attached: &Attached<'_>, name: &str, gaps: &mut Vec<Gap>) -> Vec<Draft> {
    let mut findings = Vec::new();
    for statement in attached.policy.allows() {
        let askers = askers(context, attached, statement);
        if askers.is_empty() {
            continue;
        }
        // What everyone is given is the matter of other rules.
        let stranger = Asker { account: stranger(context, attached.policy), canonical: None };
        if names_everyone(statement) && grants::granted(context, attached, statement, stranger).found().is_some() {
            continue;
        }
        for (asker, span, label) in askers {
            let answer = grants::granted(context, attached, statement, asker);
            if answer == Answer::Undecided {
                let fact = if attached.service == "s3" { "bucket.policy" } else { "key.policy" };
                gaps.push(Gap::new(fact, "its conditions have more combinations than are tried"));
            }
            let Some(found) = answer.found() else { continue };
            let message = format!("undeclared account {label} is granted `{}` on {name}", found.witness.action);
            let draft = match asker.canonical {
                None => finding(context, span, asker.account, message),
                Some(id) => Finding::at(span, "neither config nor inputs tell whose it is").message(message).about(id).help(
                    "if you know the account, add it to canonical-ids in trailproof.toml and name it by its ARN here; else remove it",
                ),
            };
            findings.push(
                draft
                    .level(level(&answer))
                    .statement(statement)
                    .path(found.explanation.steps.iter().cloned())
                    .witness(found.witness.clone())
                    .depends_on(found.explanation.depends_on.iter().cloned()),
            );
        }
    }
    findings
}

/// The undeclared accounts that a statement names, each with its place and what messages call it.
fn askers<'s>(
    context: &Context<'_>,
    attached: &Attached<'_>,
    statement: &'s Statement,
) -> Vec<(Asker<'s>, Span, String)> {
    let accounts = named_accounts(statement).into_iter().filter(|a| is_undeclared(context, *a, attached.owner));
    let mut askers: Vec<(Asker<'s>, Span, String)> = accounts
        .map(|account| {
            let asker = Asker { account, canonical: None };
            (asker, trust::principal_span(statement, account), context.model.label(account))
        })
        .collect();
    for entry in statement.principals.iter().filter(|principals| !principals.negated).flat_map(|p| &p.entries) {
        let Principal::CanonicalUser(id) = &entry.principal else { continue };
        let known = context.model.account_of_canonical_id(id);
        if known.is_some_and(|account| !is_undeclared(context, account, attached.owner)) {
            continue;
        }
        let account = known.unwrap_or_else(|| stranger(context, attached.policy));
        let label = known.map_or_else(|| format!("with canonical ID {id}"), |account| context.model.label(account));
        askers.push((Asker { account, canonical: Some(id) }, entry.span, label));
    }
    askers
}

fn is_undeclared(context: &Context<'_>, account: AccountId, owner: Option<AccountId>) -> bool {
    Some(account) != owner && context.model.class(account) == Class::Undeclared
}

/// An account that neither the model nor the policy names.
fn stranger(context: &Context<'_>, policy: &Policy) -> AccountId {
    AccountId::other_than(policy.allows().flat_map(named_accounts).chain(context.model.known_accounts()))
}

fn level(answer: &Answer) -> Level {
    if answer.is_yes() { Level::Warning } else { Level::Note }
}

fn finding(context: &Context<'_>, span: Span, account: AccountId, message: String) -> Draft {
    let help = match context.model.members_are_complete() {
        true => "declare the account in trailproof.toml as [[third-party]] or [[reader]]; if nobody knows it, remove it",
        false => "if this account is not yours, declare it in trailproof.toml as [[third-party]], or remove it",
    };
    Finding::at(span, "neither owner, member nor declared").message(message).about(account.to_string()).help(help)
}
