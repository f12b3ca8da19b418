use std::collections::BTreeSet;

use crate::access::allowance::Allowance;
use crate::access::request::Caller;
use crate::access::search::{ANY_USER, Answer, Found};
use crate::access::sts::ExternalId;
use crate::aws::AccountId;
use crate::estate::Gap;
use crate::finding::{Draft, Finding};
use crate::model::Class;
use crate::policy::{Policy, Principal, PrincipalEntry, Statement};
use crate::rule::context::Context;
use crate::rule::role::{Party, RoleView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::words::list;
use crate::rules::shared::{mfa, trust};

pub(in crate::rules) const CHECK: Check = Check::roles(check);

fn check(context: &Context<'_>, role: &RoleView<'_>) -> Outcome {
    if !role.is_sharing(context) {
        return Ok(Verdict::NotApplicable);
    }
    let policy = role.trust()?;
    let allowance = Allowance::of_rule();
    let mut findings = Vec::new();
    let mut gaps: Vec<Gap> = sign_ins(policy).collect();
    let mut is_for_people = !gaps.is_empty();
    let is_for_machines = serves_machines(context, policy);
    for statement in policy.allows() {
        let entries = statement.principals.iter().filter(|p| !p.negated).flat_map(|p| &p.entries);
        let mut people: Vec<(&PrincipalEntry, AccountId)> = Vec::new();
        let mut proof: Option<Found> = None;
        for entry in entries {
            let Some(person) = person(context, entry, is_for_machines) else { continue };
            let Some(account) = person.account() else { continue };
            let party = Party::account(context, account);
            // A machine acts for others and says for whom: a person sends no external ID.
            let alone = || vec![person.clone()];
            if role.admits_any_of(context, &allowance, &party, alone(), ExternalId::Absent, &[]) == Answer::No {
                continue;
            }
            is_for_people = true;
            if is_asked(role, policy, &party, &person) {
                continue;
            }
            match mfa::admits_without(context, &allowance, role, &party, &alone()) {
                Answer::Undecided => gaps.push(trust::undecided()),
                Answer::Yes(found) => {
                    proof.get_or_insert(found);
                    people.push((entry, account));
                }
                // What else must be so is not known; the note would say too little.
                Answer::If(_) | Answer::No => {}
            }
        }
        findings.extend(proof.and_then(|found| finding(context, role, statement, &people, &found)));
    }
    if !is_for_people {
        return Ok(Verdict::NotApplicable);
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The person that a principal stands for: an IAM user, or any user of an account of our own, unless the role is also
/// there for machines.
fn person(context: &Context<'_>, entry: &PrincipalEntry, is_for_machines: bool) -> Option<Caller> {
    let class = |account| context.model.class(account);
    match &entry.principal {
        Principal::User(account, name) if !matches!(class(*account), Class::ThirdParty { .. }) => {
            Some(Caller::User(*account, name.clone()))
        }
        Principal::Account(account) if !is_for_machines => {
            let is_own = matches!(class(*account), Class::Owner | Class::Management | Class::Member);
            is_own.then(|| Caller::User(*account, ANY_USER.into()))
        }
        _ => None,
    }
}

/// Whether the role is also there for an AWS service or a third party.
fn serves_machines(context: &Context<'_>, policy: &Policy) -> bool {
    let principals = policy.allows().filter_map(|statement| statement.principals.as_ref());
    principals.flat_map(|principals| &principals.entries).any(|entry| {
        let third_party =
            |account| matches!(context.model.class(account), Class::ThirdParty { .. } | Class::Undeclared);
        matches!(entry.principal, Principal::Service(_))
            || (!matches!(entry.principal, Principal::User(..)) && entry.principal.account().is_some_and(third_party))
    })
}

/// Whether some statement asks this caller for MFA already; how well is `bypassable-mfa`.
fn is_asked(role: &RoleView<'_>, policy: &Policy, party: &Party, person: &Caller) -> bool {
    policy.effective().any(|statement| {
        let asked = mfa::asked(role, policy, statement, party);
        asked.contains(person) || asked.contains(&Caller::User(party.account, ANY_USER.into()))
    })
}

/// A SAML provider asks for MFA itself, and the request does not tell.
fn sign_ins(policy: &Policy) -> impl Iterator<Item = Gap> {
    let entries = policy.allows().filter_map(|s| s.principals.as_ref()).flat_map(|p| &p.entries);
    let providers: BTreeSet<_> = entries
        .filter_map(|entry| match &entry.principal {
            Principal::Federated(arn) => Some((arn.split_once(":saml-provider/")?.1.to_owned(), entry.span)),
            _ => None,
        })
        .collect();
    providers.into_iter().map(|(name, span)| {
        let reason = format!("whether the SAML provider `{name}` asks for MFA is not in the inputs");
        Gap::new("role.sign-in", reason).at([span])
    })
}

fn finding(
    context: &Context<'_>,
    role: &RoleView<'_>,
    statement: &Statement,
    people: &[(&PrincipalEntry, AccountId)],
    found: &Found,
) -> Option<Draft> {
    let (first, _) = people.first()?;
    let who: Vec<String> = people
        .iter()
        .map(|(entry, account)| match &entry.principal {
            Principal::User(_, name) => format!("user `{name}` of account {}", context.model.label(*account)),
            _ => format!("users of account {}", context.model.label(*account)),
        })
        .collect();
    let draft = Finding::at(first.span, "a stolen access key is enough")
        .message(format!("{} can assume `{}` without MFA", list(&who, 3), role.subject.name))
        .statement(statement)
        .path(found.explanation.steps.iter().cloned())
        .witness(found.witness.clone())
        .depends_on(trust::unless(context, role, found))
        .help("ask for \"Condition\": {\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}");
    Some(people.iter().fold(draft, |draft, (entry, _)| draft.about(entry.principal.normal_form())))
}
