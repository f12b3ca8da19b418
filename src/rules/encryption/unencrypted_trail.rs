use crate::estate::{Bucket, Encryption, Gap, Known, Trail};
use crate::finding::Finding;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::encryption::has_unseen_trail;

pub(in crate::rules) const CHECK: Check = Check { bucket: Some(unseen), ..Check::trails(check) };

/// Of a log bucket to which a trail delivers that is not among the inputs it is not known whether that trail has a key.
fn unseen(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    if !has_unseen_trail(context, view) {
        return Ok(Verdict::NotApplicable);
    }
    if view.bucket.encryption.present().is_some_and(|encryption| encryption.algorithm != Encryption::S3) {
        return Ok(Verdict::Pass);
    }
    if let Some(refused) = context.estate.gaps.iter().find(|gap| gap.fact == "account.trails") {
        return Err(refused.clone());
    }
    Err(Gap::new("trail.key", format!("no trail that delivers to `{}` is in the inputs", view.subject.name)))
}

fn check(context: &Context<'_>, trail: &Trail) -> Outcome {
    let span = match &trail.key {
        Known::Present(..) => return Ok(Verdict::Pass),
        Known::Absent(span) => *span,
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let Some(name) = trail.bucket.get()? else { return Ok(Verdict::NotApplicable) };
    let is_it = |bucket: &&Bucket| bucket.name == *name && bucket.arn().is_some();
    let not_told = || Gap::new("bucket.encryption", format!("bucket `{name}` is not in the inputs"));
    let bucket = context.estate.buckets.iter().find(is_it).ok_or_else(not_told)?;
    let encryption = &bucket.encryption;
    match encryption.get()?.map(|encryption| &encryption.algorithm) {
        None | Some(Encryption::S3) => {}
        // Whether the default of the bucket counts is uncertain; which key it is, is `aws-managed-key`.
        Some(Encryption::Kms | Encryption::KmsDualLayer | Encryption::Other(_)) => return Ok(Verdict::Pass),
    }
    let draft = Finding::at(span, "no key is named")
        .message(format!("trail `{}` leaves its logs under SSE-S3", trail.name))
        .help(
            "name a customer managed key on the trail; its policy has to let CloudTrail encrypt and the readers decrypt, \
             in every account",
        );
    let draft = match encryption.span() {
        Some(place) => draft.related(place, format!("the default of bucket `{name}`")),
        None => draft,
    };
    Ok(Verdict::of(vec![draft]))
}
