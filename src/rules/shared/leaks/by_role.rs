//! Readers that assume a role.

use std::collections::{BTreeMap, BTreeSet};

use super::by_statement::admitting;
use super::{Deed, Leak, Side, Who, beyond, side};
use crate::access::reach::LogReach;
use crate::estate::Gap;
use crate::finding::matrix::ReaderKind;
use crate::policy::Statement;
use crate::rule::context::Context;
use crate::rule::role::{Admission, Origin, RolePolicy, RoleView, Who as Admitted};
use crate::rules::shared::{carried, reading, trust};

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
    let arn = role.arn();
    let mut is_open = false;
    for reach in context.log_reaches() {
        let Some(reader) = reach.role(&arn).filter(|reader| reader.kind == ReaderKind::Role && !reader.is_empty()) else {
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
                let keys = &way_in.explanation.depends_on;
                leak.through.only_if.extend(keys.iter().filter(|_| !admission.answer.is_yes()).cloned());
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

/// Where a role is mended that gives too much: its permissions where some of those it lets in have logs to read by it (or
/// nobody has, as for writing), and where no other role on the way is the one that reads.
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
    if leak.through.access.path.len() != 1 || (of.deed != Deed::Write && !of.leaks.iter().any(has_share)) {
        return Mend::Trust;
    }
    let own = |policy: &'v RolePolicy| Some(Mend::Permissions(policy, admitting(&policy.policy, leak.through.access)?));
    role.policies.iter().find_map(own).unwrap_or(Mend::Trust)
}

/// The roles whose managed policies give too much, by the ARN of the policy; `wanted` chooses among what a role gives.
pub(in crate::rules) fn managed<'c, 'a>(
    context: &'c Context<'a>,
    deed: Deed,
    wanted: impl Fn(&RoleLeaks<'c, 'c>) -> Option<Leak<'c>>,
) -> BTreeMap<String, Vec<ByPolicy<'c, 'a>>> {
    let mut found: BTreeMap<String, Vec<ByPolicy<'c, 'a>>> = BTreeMap::new();
    for role in context.sharing_roles() {
        let Ok((all, _)) = by_role(context, role, deed) else { continue };
        for of in all {
            let Some(leak) = wanted(&of) else { continue };
            if let Mend::Permissions(policy, statement) = mend(context, role, &of, &leak)
                && !matches!(policy.origin, Origin::Inline(_))
            {
                let arn = carried::arn_of(role, policy);
                found.entry(arn).or_default().push(ByPolicy { role, policy, statement, of, leak });
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
    /// All that the role gives.
    pub(in crate::rules) of: RoleLeaks<'c, 'c>,
    /// What is shown of it.
    pub(in crate::rules) leak: Leak<'c>,
}
