//! Readers that a statement of a bucket policy lets through.

use std::collections::{BTreeMap, BTreeSet};

use super::{Deed, Leak, Who, beyond};
use crate::access::reach::{LogReach, Reached};
use crate::estate::Gap;
use crate::finding::StepEffect;
use crate::finding::matrix::{Access, ReaderKind};
use crate::policy::{Policy, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rules::shared::reading;
use crate::text::Span;

/// What one statement of a bucket policy gives beyond the model.
#[derive(Debug)]
pub(in crate::rules) struct StatementLeaks<'v, 'c> {
    /// The statement.
    pub(in crate::rules) statement: &'v Statement,
    /// The bucket.
    pub(in crate::rules) reach: &'c LogReach,
    /// Who reads what.
    pub(in crate::rules) leaks: Vec<Leak<'c>>,
}

impl StatementLeaks<'_, '_> {
    /// Whether it is open to anyone, so that whoever else it names is not told.
    pub(in crate::rules) fn is_public(&self) -> bool {
        self.leaks.iter().any(|leak| leak.who == Who::Anyone)
    }
}

/// What the statements of a log bucket's policy give beyond the model, statement by statement; and what is not known.
///
/// # Errors
/// The gap, where the policy is not known.
pub(in crate::rules) fn by_statement<'v, 'c>(
    context: &'c Context<'_>,
    view: &'v BucketView<'_>,
    deed: Deed,
) -> Result<(Vec<StatementLeaks<'v, 'c>>, Vec<Gap>), Gap> {
    let Some(policy) = view.policy()? else { return Ok((Vec::new(), Vec::new())) };
    let Some(reach) = reach_of(context, view) else { return Ok((Vec::new(), Vec::new())) };
    let mut found: BTreeMap<Span, StatementLeaks<'v, 'c>> = BTreeMap::new();
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for reader in reach.accounts() {
        let Some(who) = who(reader) else { continue };
        let (leaks, unknown) = beyond(context, reach, reader, (who, deed), false);
        open.extend(unknown);
        for leak in leaks {
            let Some(statement) = admitting(policy, leak.through.first) else { continue };
            let of =
                found.entry(statement.span).or_insert_with(|| StatementLeaks { statement, reach, leaks: Vec::new() });
            of.leaks.push(leak);
        }
    }
    let place = view.bucket.policy.span().unwrap_or(view.bucket.span);
    let mut gaps: Vec<Gap> = open.into_iter().map(|fact| reading::gap(fact, place)).collect();
    if found.is_empty() {
        gaps.extend(reach.gaps.iter().filter(|gap| gap.fact == "organization.id").cloned());
    }
    Ok((found.into_values().collect(), gaps))
}

/// What readers reach in a bucket under audit.
pub(in crate::rules) fn reach_of<'c>(context: &'c Context<'_>, view: &BucketView<'_>) -> Option<&'c LogReach> {
    let is_it = |reach: &&LogReach| {
        reach.bucket == view.bucket.name && (view.bucket.arn().is_some() || reach.span == view.bucket.span)
    };
    context.log_reaches().iter().find(is_it)
}

/// Whom a reader stands for; accounts of other organizations are left to `foreign-organization`.
fn who(reader: &Reached) -> Option<Who> {
    match (reader.kind, reader.account) {
        (_, Some(account)) => Some(Who::Account(account)),
        (ReaderKind::Anyone, None) => Some(Who::Anyone),
        (ReaderKind::Account, None) => Some(Who::AnyMember),
        _ => None,
    }
}

/// The Allow statement of a policy that lets a request through.
pub(super) fn admitting<'p>(policy: &'p Policy, access: &Access) -> Option<&'p Statement> {
    let steps = access.path.iter().rev().flat_map(|hop| &hop.steps);
    let allows = steps.filter(|step| matches!(step.effect, StepEffect::Allows | StepEffect::If));
    let spans: Vec<Span> = allows.filter_map(|step| step.span).collect();
    policy.allows().find(|statement| spans.contains(&statement.span))
}
