use crate::aws::is_cloudtrail;
use crate::finding::Finding;
use crate::policy::{Principal, Statement};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::legacy_region;
use crate::rules::shared::words::list;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

/// How many Regions a message names.
const SHOWN: usize = 4;

fn check(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut findings = Vec::new();
    for statement in policy.allows().filter(|statement| is_delivery(statement)) {
        let Some(principals) = statement.principals.as_ref().filter(|principals| !principals.negated) else { continue };
        let old =
            principals.entries.iter().filter_map(|entry| legacy_region(&entry.principal).map(|region| (entry, region)));
        let old: Vec<_> = old.collect();
        let Some((first, _)) = old.first() else { continue };
        let mut regions: Vec<&str> = old.iter().map(|(_, region)| *region).collect();
        regions.sort_unstable();
        regions.dedup();
        let span = first.span.to(old.last().map_or(first.span, |(entry, _)| entry.span));
        let name = &view.subject.name;
        let finding = Finding::at(span, "CloudTrail's own accounts from before it had a service principal")
            .message(format!(
                "`{name}` lets CloudTrail in by its old accounts, which deliver only from {}",
                list(&regions, SHOWN)
            ))
            .statement(statement)
            .help(match principals.entries.iter().any(|entry| is_service(&entry.principal)) {
                true => "take them out: the service, which is named beside them, delivers from every Region",
                false => {
                    "name the service instead: \"Principal\": {\"Service\": \"cloudtrail.amazonaws.com\"}, with \
                     `aws:SourceArn`; it delivers from every Region"
                }
            });
        findings.push(finding);
    }
    Ok(Verdict::of(findings))
}

/// Whether a statement covers what CloudTrail does to deliver.
fn is_delivery(statement: &Statement) -> bool {
    ["s3:PutObject", "s3:GetBucketAcl"].iter().any(|action| statement.covers_action(action))
}

fn is_service(principal: &Principal) -> bool {
    matches!(principal, Principal::Service(name) if is_cloudtrail(name))
}
