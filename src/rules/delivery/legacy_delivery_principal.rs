use crate::aws::legacy_cloudtrail_account;
use crate::finding::Finding;
use crate::policy::Statement;
use crate::policy::pattern::{Case, matches};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut findings = Vec::new();
    for statement in policy.allows().filter(|statement| is_delivery(statement)) {
        let Some(principals) = statement.principals.as_ref().filter(|principals| !principals.negated) else { continue };
        let old = principals.entries.iter().filter_map(|entry| {
            let region = legacy_cloudtrail_account(entry.principal.account()?)?;
            Some((entry, region))
        });
        let old: Vec<_> = old.collect();
        let Some((first, _)) = old.first() else { continue };
        let mut regions: Vec<&str> = old.iter().map(|(_, region)| *region).collect();
        regions.sort_unstable();
        regions.dedup();
        let span = first.span.to(old.last().map_or(first.span, |(entry, _)| entry.span));
        let name = &view.subject.name;
        let finding = Finding::at(span, "CloudTrail's own accounts from before it had a service principal")
            .message(format!(
                "`{name}` lets CloudTrail in by its old accounts, which deliver from {} only",
                list(&regions)
            ))
            .statement(statement)
            .help(
                "name the service instead: \"Principal\": {\"Service\": \"cloudtrail.amazonaws.com\"}, with \
                 `aws:SourceArn`; it delivers from every Region",
            );
        findings.push(finding);
    }
    Ok(Verdict::of(findings))
}

/// Whether a statement covers what CloudTrail does to deliver.
fn is_delivery(statement: &Statement) -> bool {
    statement.actions.as_ref().is_some_and(|actions| {
        ["s3:PutObject", "s3:GetBucketAcl"].iter().any(|action| {
            actions.items.iter().any(|item| matches(item.raw(), action, Case::Insensitive)) != actions.negated
        })
    })
}

/// The Regions, the first few by name.
fn list(regions: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<&str> = regions.iter().take(SHOWN).copied().collect();
    match regions.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more Regions", shown.join(", ")),
    }
}
