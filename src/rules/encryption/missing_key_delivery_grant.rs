use crate::access::bucket::key_facts;
use crate::access::kms::KeyFacts;
use crate::access::request::Given;
use crate::aws::{AccountId, Arn, partition_of};
use crate::estate::{Bucket, Gap, KeyManager, Known, Trail};
use crate::finding::{Draft, Finding};
use crate::model::{LogKeyStatus, is_key};
use crate::policy::{Entries, Statement};
use crate::rule::context::{Context, KeyView};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::{names_cloudtrail, service_span};
use crate::rules::shared::refusal::{Call, Cause, Refusal, Refusals, SPARE_SERVICES, proved};
use crate::rules::shared::trail_calls::{Calls, Source};
use crate::rules::shared::words::list;
use crate::rules::shared::{implied_key, log_keys};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check =
    Check { key: Some(check), trail: Some(trail), takes_a_denial: true, ..Check::NOTHING };

fn check(context: &Context<'_>, view: &KeyView<'_>) -> Outcome {
    let facts = key_facts(view.key);
    if facts.manager == Some(KeyManager::Aws) {
        return Ok(Verdict::NotApplicable);
    }
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    // CloudTrail works by key policies; the state of the key is `unusable-key`.
    let facts = KeyFacts { grants: Some(facts.grants.unwrap_or_default()), ..KeyFacts::default() };
    let owner = view.key.account.or_else(|| context.model.owner());
    let region = view.key.arn.as_deref().and_then(Arn::parse).map(|arn| arn.region.into());
    let calls = Calls::new(context, policy, owner, region).with_key(facts);
    let key = view.arn();
    let mut found = Refusals::default();
    let uses = |trail: &&Trail| trail.key.present().is_some_and(|reference| is_key(reference, view.key));
    let trails: Vec<&Trail> = context.estate.trails.iter().filter(uses).collect();
    for trail in &trails {
        let Some((arn, account)) = trail.arn.clone().zip(trail.account) else {
            found.gaps.push(Gap::new("trail.arn", "not in the inputs").at([trail.span]));
            continue;
        };
        let source = Source { arn, account, organization: None };
        let who = format!("trail `{}`", trail.name);
        let place = Some((trail.span, format!("trail `{}` uses the key", trail.name)));
        let called = calls.data_key(&key, &source, &files(trail));
        found.add(&calls, Call::Encrypt, called, &who, &source, place.clone());
        found.add(&calls, Call::Describe, calls.describe_key(&key, &source), &who, &source, place);
    }
    let known: Vec<AccountId> = trails.iter().filter_map(|trail| trail.account).collect();
    let is_implied = implied_key::look(context, view, &calls, &known, &mut found);
    if trails.is_empty() && !is_implied {
        return if may_be_used(context, view) {
            Err(Gap::new("trail.key", format!("whether CloudTrail uses key `{}`", view.subject.name)))
        } else {
            Ok(Verdict::NotApplicable)
        };
    }
    let groups = found.by_cause();
    let findings = groups.iter().filter_map(|group| finding(view, policy.span, &policy.statements, group)).collect();
    drop(groups);
    Ok(Verdict::with_gaps(findings, found.gaps))
}

/// A key that a trail names and that the inputs do not have.
fn trail(context: &Context<'_>, trail: &Trail) -> Outcome {
    let Known::Present(reference, span) = &trail.key else { return Ok(Verdict::NotApplicable) };
    if context.estate.keys.iter().any(|key| is_key(reference, key)) {
        return Ok(Verdict::NotApplicable);
    }
    log_keys::not_in_inputs(reference).map_or(Ok(Verdict::NotApplicable), |gap| Err(gap.at([*span])))
}

/// Whether CloudTrail may have to use a key of which no trail and no statement says so: the default of a bucket to which a
/// trail without a key delivers, or one that a policy prepares for logs, where no trail was given at all.
fn may_be_used(context: &Context<'_>, view: &KeyView<'_>) -> bool {
    let trails = &context.estate.trails;
    match context.model.is_log_key(view.key) {
        LogKeyStatus::OfBucket => {
            let is_default = |bucket: &&Bucket| {
                let key = bucket.encryption.present().and_then(|encryption| encryption.key.as_ref());
                key.is_some_and(|reference| is_key(&reference.value, view.key))
            };
            let names = context.estate.buckets.iter().filter(is_default).map(|bucket| &bucket.name);
            let delivering = |name| trails.iter().filter(move |trail| trail.bucket.present() == Some(name));
            let mut names = names.peekable();
            names.any(|name| {
                delivering(name).next().is_none() || delivering(name).any(|trail| trail.key.present().is_none())
            })
        }
        LogKeyStatus::PolicyNamesCloudTrail => trails.is_empty(),
        _ => false,
    }
}

/// What the encryption context may name as the file: the object, or the bucket where that has an S3 Bucket Key.
fn files(trail: &Trail) -> Vec<Given> {
    let (Some(bucket), Some(account)) = (trail.bucket.present(), trail.account) else { return vec![Given::Present] };
    let arn = format!("arn:{}:s3:::{bucket}", trail.arn.as_deref().map_or("aws", partition_of));
    let prefix = trail.prefix.present().map_or(String::new(), |prefix| format!("{prefix}/"));
    let is_of_organization = trail.is_organization.present() != Some(&false);
    let object = match is_of_organization {
        true => Given::Present,
        false => {
            Given::Values(vec![format!("{arn}/{prefix}AWSLogs/{account}/CloudTrail/us-east-1/file.json.gz").into()])
        }
    };
    vec![object, Given::Values(vec![arn.into()])]
}

fn finding(view: &KeyView<'_>, whole: Span, statements: &[Statement], group: &[&Refusal<'_>]) -> Option<Draft> {
    let first = group.first()?;
    let name = &view.subject.name;
    let mut who: Vec<&str> = group.iter().map(|refusal| refusal.who.as_str()).collect();
    who.dedup();
    let does = |call: &Call| group.iter().any(|refusal| refusal.call == *call);
    let what = match (does(&Call::Encrypt), does(&Call::Describe)) {
        (true, true) => format!("use log key `{name}`"),
        (false, true) => format!("describe log key `{name}`"),
        _ => format!("encrypt under log key `{name}`"),
    };
    let message = format!("CloudTrail can not {what} for {}: {}", list(&who, 3), first.cause.why("key policy"));
    let service = || statements.iter().find(|statement| names_cloudtrail(statement)).map(service_span);
    let span = first.cause.span().or_else(service).unwrap_or(whole);
    let action = if does(&Call::Encrypt) { "kms:GenerateDataKey*" } else { "kms:DescribeKey" };
    let draft = Finding::at(span, first.cause.label()).message(message).help(help(first, action));
    let draft = proved(draft, group).about(action);
    Some(match &first.cause {
        Cause::Condition(_, clause) => draft.about(clause.operator.to_string()).about(clause.key.as_str()),
        _ => draft,
    })
}

fn help(refusal: &Refusal<'_>, action: &str) -> String {
    match &refusal.cause {
        Cause::Deny(..) => SPARE_SERVICES.to_owned(),
        Cause::Condition(_, clause) => match clause.key.as_str() {
            "kms:encryptioncontext:aws:cloudtrail:arn" => {
                let account = refusal.source.account;
                format!("use StringLike with `arn:aws:cloudtrail:*:{account}:trail/*`, the trails of that account")
            }
            _ => refusal.help_on(clause),
        },
        Cause::Resource(statement, _) if statement.resources.as_ref().is_some_and(|r: &Entries| r.negated) => {
            "write \"Resource\": \"*\" in its place: in a key policy that is the key itself".to_owned()
        }
        Cause::Resource(..) => "write \"Resource\": \"*\": in a key policy that is the key itself".to_owned(),
        Cause::Missing => format!(
            "allow `cloudtrail.amazonaws.com` `{action}`, with the ARN of the trail in `aws:SourceArn`{}",
            match action {
                "kms:DescribeKey" => "",
                _ => " and `arn:aws:cloudtrail:*:ACCOUNT:trail/*` in the encryption context",
            }
        ),
    }
}
