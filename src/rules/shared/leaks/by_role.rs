//! Readers that assume a role.

use std::collections::{BTreeMap, BTreeSet};

use super::by_statement::admitting;
use super::{Deed, Leak, Side, Who, beyond, side};
use crate::access::reach::LogReach;
use crate::estate::Gap;
use crate::finding::matrix::ReaderKind;
use crate::finding::{Dependency, Draft, Step, StepEffect};
use crate::policy::Statement;
use crate::rule::context::Context;
use crate::rule::role::{Admission, Origin, RolePolicy, RoleView, Who as Admitted};
use crate::rule::{Outcome, Verdict};
use crate::rules::shared::{carried, reading, trust};
use crate::text::Span;

/// What a role gives beyond the model to those who can assume it, in one log bucket.
#[derive(Debug)]
pub(in crate::rules) struct RoleLeaks<'v, 'c> {
    /// The bucket.
    pub(in crate::rules) reach: &'c LogReach,
    /// What they do.
    pub(in crate::rules) deed: Deed,
    /// Who does it with whose logs, each with how it is let in.
    pub(in crate::rules) leaks: Vec<Leak<'c>>,
    /// How each of them is let in.
    pub(in crate::rules) admissions: Vec<&'v Admission>,
}

/// Where a role that gives too much is mended.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) enum Mend<'v> {
    /// Its permissions.
    Permissions(&'v RolePolicy, &'v Statement),
    /// The policy of the bucket, in this statement: it takes in the role.
    Bucket(Span),
    /// Its trust policy.
    Trust,
}

impl<'v> RoleLeaks<'v, '_> {
    /// How the reader of a leak is let in.
    pub(in crate::rules) fn admission(&self, who: Who) -> Option<&'v Admission> {
        self.leaks.iter().position(|leak| leak.who == who).and_then(|at| self.admissions.get(at)).copied()
    }
}

/// What a role gives beyond the model, bucket by bucket, and what is not known.
///
/// For reading and listing, a statement of the trust policy that lets in anyone is left to `public-role-trust`, one for
/// another organization to `undeclared-account`.
///
/// # Errors
/// The gap, where its trust policy is not known and it may read logs.
pub(in crate::rules) fn by_role<'v, 'c>(
    context: &'c Context<'_>,
    role: &'v RoleView<'_>,
    deed: Deed,
) -> Result<(Vec<RoleLeaks<'v, 'c>>, Vec<Gap>), Gap> {
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    if context.log_reaches().is_empty() {
        return Ok((found, gaps));
    }
    let arn = role.arn();
    let mut is_open = false;
    for reach in context.log_reaches() {
        let Some(reader) = reach.role(&arn).filter(|reader| reader.kind == ReaderKind::Role && !reader.is_empty())
        else {
            continue;
        };
        role.trust()?;
        let mut of = RoleLeaks { reach, deed, leaks: Vec::new(), admissions: Vec::new() };
        let mut seen: BTreeSet<Who> = BTreeSet::new();
        for admission in role.admissions(context) {
            let who = match &admission.who {
                Admitted::Account(account) => Who::Account(*account),
                Admitted::AnyMember => Who::AnyMember,
                _ if deed == Deed::Write => Who::Anyone,
                Admitted::Anyone | Admitted::AnyoneLike(_) | Admitted::AnyOf(_) => continue,
            };
            if seen.contains(&who) || (deed != Deed::Write && role.is_public(context, admission)) {
                continue;
            }
            let (leaks, unknown) = beyond(context, reach, reader, (who, deed), true);
            if leaks.is_empty() && unknown.is_empty() {
                continue;
            }
            let Some(way_in) = admission.answer.found() else {
                gaps.push(trust::undecided());
                continue;
            };
            seen.insert(who);
            for fact in unknown {
                match fact {
                    _ if fact.starts_with("role.") => is_open = true,
                    // A gap of the bucket.
                    _ if fact.starts_with("the policy of bucket ") => {}
                    _ => gaps.push(reading::gap(fact, role.role.span)),
                }
            }
            for mut leak in leaks {
                if is_told_elsewhere(context, &leak) {
                    continue;
                }
                let keys = &way_in.explanation.depends_on;
                leak.through
                    .only_if
                    .extend(keys.iter().filter(|_| !admission.answer.is_yes()).map(Dependency::to_string));
                leak.through.only_if.dedup();
                of.leaks.push(leak);
                of.admissions.push(admission);
            }
        }
        if !of.leaks.is_empty() {
            found.push(of);
        }
    }
    if is_open {
        gaps.extend(role.missing.iter().cloned());
    }
    gaps.sort();
    gaps.dedup();
    Ok((found, gaps))
}

/// Where a role is mended that gives too much: its trust policy where nobody it lets in has logs to read by it, or where
/// another role on the way is the one that reads.
pub(in crate::rules) fn mend<'v>(
    context: &Context<'_>,
    role: &'v RoleView<'_>,
    of: &RoleLeaks<'_, '_>,
    leak: &Leak<'_>,
) -> Mend<'v> {
    let has_share = |leak: &Leak<'_>| match leak.who {
        Who::Account(account) => {
            side(context, account) == Side::Member && !context.model.logs_of(account, &of.reach.bucket).is_nothing()
        }
        _ => false,
    };
    let request = leak.through.first;
    if request.path.len() != 1 {
        return Mend::Trust;
    }
    let own = |policy: &'v RolePolicy| Some(Mend::Permissions(policy, admitting(&policy.policy, request)?));
    let own = role.policies.iter().find_map(own);
    let allows = |step: &&Step| matches!(step.effect, StepEffect::Allows | StepEffect::If);
    let first = request.path.iter().flat_map(|hop| &hop.steps).filter(allows).find_map(|step| step.span);
    match (own, first) {
        (None, Some(span)) if has_share(leak) || of.deed == Deed::Write => Mend::Bucket(span),
        (Some(own), _) if of.deed == Deed::Write || of.leaks.iter().any(has_share) => own,
        _ => Mend::Trust,
    }
}

/// The leaks of readers on one side, by the place where they are mended; the places in order.
pub(in crate::rules) fn by_mend<'v, 'l, 'c>(
    context: &Context<'_>,
    role: &'v RoleView<'_>,
    of: &'l RoleLeaks<'_, 'c>,
    wanted: Side,
) -> Vec<(Mend<'v>, Vec<&'l Leak<'c>>)> {
    let mut found: BTreeMap<Option<Span>, (Mend<'v>, Vec<&'l Leak<'c>>)> = BTreeMap::new();
    for leak in super::on(context, &of.leaks, wanted) {
        let mend = mend(context, role, of, leak);
        let place = match mend {
            Mend::Permissions(_, statement) => Some(statement.span),
            Mend::Bucket(span) => Some(span),
            Mend::Trust => None,
        };
        found.entry(place).or_insert_with(|| (mend, Vec::new())).1.push(leak);
    }
    found.into_values().collect()
}

/// Whether a role on the way lets the reader in by itself, or anyone: then that role is told of.
fn is_told_elsewhere(context: &Context<'_>, leak: &Leak<'_>) -> bool {
    let on_the_way = leak.through.first.path.iter().filter_map(|hop| hop.role.as_deref());
    on_the_way.into_iter().any(|arn| {
        let role = context.sharing_roles().iter().find(|role| role.role.arn().as_deref() == Some(arn));
        role.is_some_and(|role| {
            role.admissions(context).iter().any(|admission| match (&admission.who, leak.who) {
                (Admitted::Account(account), Who::Account(reader)) => *account == reader,
                (Admitted::AnyMember, Who::AnyMember) => true,
                (who, _) => who.is_public(),
            })
        })
    })
}

/// The verdict on managed policies that give members too much: a finding each, of its ARN and the roles that carry it;
/// `wanted` chooses what counts.
pub(in crate::rules) fn managed<'c, 'a>(
    context: &'c Context<'a>,
    deed: Deed,
    wanted: impl Fn(&'c RoleView<'a>, &RoleLeaks<'c, 'c>, &[&Leak<'c>]) -> bool,
    finding: impl Fn(&str, &[ByPolicy<'c, 'a>]) -> Option<Draft>,
) -> Outcome {
    let by_policy = by_managed_policy(context, deed, wanted);
    let findings: Vec<Draft> = by_policy.iter().filter_map(|(arn, roles)| finding(arn, roles)).collect();
    Ok(Verdict::if_asked(!findings.is_empty(), findings, super::not_in_inputs(context)))
}

fn by_managed_policy<'c, 'a>(
    context: &'c Context<'a>,
    deed: Deed,
    wanted: impl Fn(&'c RoleView<'a>, &RoleLeaks<'c, 'c>, &[&Leak<'c>]) -> bool,
) -> BTreeMap<String, Vec<ByPolicy<'c, 'a>>> {
    let mut found: BTreeMap<String, Vec<ByPolicy<'c, 'a>>> = BTreeMap::new();
    for role in context.sharing_roles() {
        let Ok((all, _)) = by_role(context, role, deed) else { continue };
        for of in all {
            let mut chosen = Vec::new();
            for (mend, leaks) in by_mend(context, role, &of, Side::Member) {
                if let Mend::Permissions(policy, statement) = mend
                    && !matches!(policy.origin, Origin::Inline(_))
                    && wanted(role, &of, &leaks)
                {
                    chosen.push((policy, statement, leaks.into_iter().cloned().collect::<Vec<_>>()));
                }
            }
            for (policy, statement, leaks) in chosen {
                let Some(way_in) =
                    super::shown(&leaks.iter().collect::<Vec<_>>()).and_then(|leak| of.admission(leak.who))
                else {
                    continue;
                };
                let one = ByPolicy { role, policy, statement, reach: of.reach, leaks, way_in };
                found.entry(carried::arn_of(role, policy)).or_default().push(one);
            }
        }
    }
    found
}

/// A managed policy on a role that gives too much by it.
#[derive(Debug)]
pub(in crate::rules) struct ByPolicy<'c, 'a> {
    /// The role.
    pub(in crate::rules) role: &'c RoleView<'a>,
    /// The policy.
    pub(in crate::rules) policy: &'c RolePolicy,
    /// The statement that lets through.
    pub(in crate::rules) statement: &'c Statement,
    /// The bucket.
    pub(in crate::rules) reach: &'c LogReach,
    /// Who does it with whose logs.
    pub(in crate::rules) leaks: Vec<Leak<'c>>,
    /// How the one that is shown is let in.
    pub(in crate::rules) way_in: &'c Admission,
}

/// Members that reach logs through a role which a statement of the bucket's policy takes in, by that statement.
pub(in crate::rules) fn through_bucket<'c, 'a>(
    context: &'c Context<'a>,
    reach: &LogReach,
    deed: Deed,
) -> BTreeMap<Span, Vec<(&'c RoleView<'a>, Leak<'c>, &'c Admission)>> {
    let mut found: BTreeMap<Span, Vec<_>> = BTreeMap::new();
    for role in context.sharing_roles() {
        let Ok((all, _)) = by_role(context, role, deed) else { continue };
        for of in all.iter().filter(|of| of.reach.bucket == reach.bucket) {
            for (mend, leaks) in by_mend(context, role, of, Side::Member) {
                let Mend::Bucket(span) = mend else { continue };
                for leak in leaks {
                    let Some(way_in) = of.admission(leak.who) else { continue };
                    found.entry(span).or_default().push((role, leak.clone(), way_in));
                }
            }
        }
    }
    found
}
