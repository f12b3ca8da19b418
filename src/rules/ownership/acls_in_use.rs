use crate::estate::{Gap, Known, ObjectOwnership};
use crate::finding::Finding;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(_: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let span = match &view.bucket.ownership {
        Known::Present(ObjectOwnership::BucketOwnerPreferred, span) => *span,
        // `ObjectWriter` and no setting at all are `writer-owned-objects`.
        Known::Present(..) | Known::Absent(_) => return Ok(Verdict::Pass),
        Known::Unknown(gap) => return Err(Gap::clone(gap)),
    };
    let finding = Finding::at(span, "objects from before this setting keep their old owner")
        .message(format!("ACLs still count in `{}`: its object ownership is `BucketOwnerPreferred`", view.subject.name))
        .help(
            "set `BucketOwnerEnforced`, after a look at two things: the bucket ACL grants nothing to others, and no \
             writer sends another ACL than `bucket-owner-full-control`",
        );
    Ok(Verdict::of(vec![finding]))
}
