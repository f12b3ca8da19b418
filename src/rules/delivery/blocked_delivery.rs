use crate::estate::Known;
use crate::finding::{Dependency, Draft, Finding};
use crate::policy::{Policy, PolicyKind};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::delivery::{names_cloudtrail, service_span};
use crate::rules::shared::implied::Implied;
use crate::rules::shared::refusal::{Call, Cause, Refusal, Refusals, SPARE_SERVICES, proved};
use crate::rules::shared::senders::{self, Folder, Layout, Sender};
use crate::rules::shared::trail_calls::{Called, Calls};
use crate::rules::shared::words::{list, quoted};
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check { takes_a_denial: true, ..Check::buckets(check) };

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let none = view.bucket.policy.span().map(|span| Policy::empty(PolicyKind::Bucket, span));
    let Some(policy) = view.policy()?.or(none.as_ref()) else { return Ok(Verdict::NotApplicable) };
    let calls = Calls::of_bucket(context, view, policy);
    let (senders, gaps) = senders::senders(context, view);
    let mut found = Refusals { gaps, ..Refusals::default() };
    for sender in &senders {
        known(context, view, &calls, sender, &mut found);
    }
    let implied = Implied { context, view, calls: &calls, senders: &senders };
    let is_implied = implied.look(&mut found);
    if senders.is_empty() && !is_implied && found.gaps.is_empty() {
        return Ok(Verdict::NotApplicable);
    }
    let findings = found.by_cause().iter().filter_map(|group| finding(view, policy, group)).collect();
    Ok(Verdict::with_gaps(findings, found.gaps))
}

/// What a known trail has to do, and can not.
fn known<'p>(
    context: &Context<'_>,
    view: &BucketView<'_>,
    calls: &Calls<'p, '_>,
    sender: &Sender,
    found: &mut Refusals<'p>,
) {
    let bucket = view.arn();
    let place = Some((sender.span, format!("trail `{}` delivers here", sender.name)));
    let name = format!("trail `{}`", sender.name);
    let source = &sender.source;
    let acl = calls.read_acl(&bucket, source);
    found.add(calls, Call::ReadAcl, acl, &name, source, place.clone());
    let writes = |layout: &Layout| -> Vec<(Folder, Called)> {
        let folders = sender.folders(context, layout, calls.policy()).into_iter();
        folders.map(|folder| (folder.clone(), write(calls, &bucket, sender, &folder))).collect()
    };
    let all: Vec<Vec<(Folder, Called)>> = sender.layouts.iter().map(writes).collect();
    let open = |layout: &Vec<(Folder, Called)>| layout.iter().filter(|(_, c)| matches!(c, Called::Open(_))).count();
    let denied = |layout: &Vec<(Folder, Called)>| layout.iter().filter(|(_, c)| matches!(c, Called::Denied(_))).count();
    // Of layouts that it may have, the one that fits best: what hangs on nothing, then what is open, then what is refused.
    let Some(best) = all.into_iter().min_by_key(|layout| (denied(layout), open(layout))) else { return };
    for (folder, called) in best {
        found.add(calls, Call::Write(folder.shown()), called, &name, source, place.clone());
    }
}

/// Whether a trail can write the files of all kinds and Regions to a folder.
fn write(calls: &Calls<'_, '_>, bucket: &str, sender: &Sender, folder: &Folder) -> Called {
    let kinds: &[&str] =
        if sender.digests == Some(false) { &["CloudTrail"] } else { &["CloudTrail", "CloudTrail-Digest"] };
    let mut worst = Called::Allowed;
    for (kind, region) in kinds.iter().flat_map(|kind| sender.regions().into_iter().map(move |region| (*kind, region)))
    {
        let object = format!("{bucket}/{}", senders::file(folder, kind, region));
        match calls.write(&object, &sender.source, &sender.headers) {
            Called::Allowed => {}
            Called::Denied(_) if !folder.is_known => {
                return Called::Open(vec![Dependency::fact("the ID of the organization")]);
            }
            Called::Denied(_) if kind == "CloudTrail-Digest" && sender.digests.is_none() => {
                worst = Called::Open(vec![Dependency::fact("whether the trail validates its log files")]);
            }
            Called::Denied(denied) => return Called::Denied(denied),
            open @ Called::Open(_) => worst = open,
        }
    }
    worst
}

/// The finding about all calls that one place refuses.
fn finding(view: &BucketView<'_>, policy: &Policy, group: &[&Refusal<'_>]) -> Option<Draft> {
    let first = group.first()?;
    let bucket = &view.subject.name;
    let (span, label) = place(view, policy, first);
    let mut folders: Vec<&str> = Vec::new();
    let mut who: Vec<&str> = Vec::new();
    for refusal in group {
        if let Call::Write(folder) = &refusal.call
            && !folders.contains(&folder.as_str())
        {
            folders.push(folder);
        }
        if !who.contains(&refusal.who.as_str()) {
            who.push(&refusal.who);
        }
    }
    let reads = group.iter().any(|refusal| refusal.call == Call::ReadAcl);
    let what = match (reads, folders.as_slice()) {
        (true, []) => format!("read the ACL of `{bucket}`"),
        (true, _) => format!("deliver to `{bucket}`"),
        (false, _) => format!("write to `{bucket}` under {}", quoted(&folders, 3)),
    };
    let why = first.cause.why("bucket policy");
    let message = format!("CloudTrail can not {what} for {}: {why}", list(&who, 3));
    let draft = Finding::at(span, label).message(message).help(help(&view.arn(), first, &folders, reads));
    let draft = proved(draft, group);
    Some(match &first.cause {
        Cause::Condition(_, clause) => draft.about(clause.operator.to_string()).about(clause.key.as_str()),
        Cause::Missing => {
            draft.about(if reads { "acl" } else { "" }).about(folders.first().copied().unwrap_or_default())
        }
        Cause::Resource(..) => folders.iter().fold(draft, |draft, folder| draft.about(*folder)),
        Cause::Deny(..) => draft,
    })
}

/// Where one would mend it.
fn place(view: &BucketView<'_>, policy: &Policy, refusal: &Refusal<'_>) -> (Span, &'static str) {
    let label = match (&refusal.cause, &view.bucket.policy) {
        (Cause::Missing, Known::Absent(_)) => "no bucket policy",
        (cause, _) => cause.label(),
    };
    let service = || {
        let delivers = |action: &str| policy.allows().find(|s| names_cloudtrail(s) && s.covers_action(action));
        delivers("s3:PutObject").or_else(|| delivers("s3:GetBucketAcl")).map(service_span)
    };
    (refusal.cause.span().or_else(service).unwrap_or(policy.span), label)
}

fn help(bucket: &str, refusal: &Refusal<'_>, folders: &[&str], reads: bool) -> String {
    match &refusal.cause {
        Cause::Deny(_, statement) => {
            let mut keys = statement.iter().flat_map(|statement| &statement.conditions).map(|clause| &clause.key);
            match keys.any(|key| key.starts_with("s3:x-amz-server-side-encryption")) {
                true => {
                    "let through what CloudTrail sends: `aws:kms` where the trail has a key, `AES256` where it has none"
                        .to_owned()
                }
                false => SPARE_SERVICES.to_owned(),
            }
        }
        Cause::Condition(_, clause) => match clause.key.as_str() {
            "aws:sourcearn" if !refusal.is_named => {
                format!("{}, or its pattern under `ArnLike`", refusal.help_on(clause))
            }
            "s3:x-amz-acl" if reads && folders.is_empty() => {
                "take the condition out here: only writes carry an ACL".to_owned()
            }
            "s3:x-amz-acl" => "ask for `bucket-owner-full-control`, the ACL that CloudTrail sends".to_owned(),
            _ => refusal.help_on(clause),
        },
        Cause::Resource(..) if folders.is_empty() => format!("name the bucket itself, `{bucket}`, in its `Resource`"),
        Cause::Resource(..) => {
            let wanted: Vec<String> = folders.iter().map(|folder| format!("{bucket}/{folder}*")).collect();
            format!("let CloudTrail write to {}", quoted(&wanted, 3))
        }
        Cause::Missing => {
            let acl = format!("`s3:GetBucketAcl` on `{bucket}`");
            let objects: Vec<String> = folders.iter().map(|folder| format!("{bucket}/{folder}*")).collect();
            let write = format!("`s3:PutObject` on {}", quoted(&objects, 3));
            let what = match (reads, folders.is_empty()) {
                (true, true) => acl,
                (true, false) => format!("{acl} and {write}"),
                (false, _) => write,
            };
            format!("allow `cloudtrail.amazonaws.com` {what}, with the ARN of the trail in `aws:SourceArn`")
        }
    }
}
