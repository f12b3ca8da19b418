use crate::estate::{Known, ObjectOwnership};
use crate::finding::{Finding, Level};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::readers::{cross_account_readers, list, shown};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let ownership = &view.bucket.ownership;
    let (span, why) = match ownership {
        Known::Present(ObjectOwnership::ObjectWriter, span) => (*span, "under `ObjectWriter`"),
        Known::Absent(span) => (*span, "as the bucket has no ownership controls"),
        Known::Present(..) => return Ok(Verdict::Pass),
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let name = &view.subject.name;
    let start = Finding::at(span, "each object stays with whoever wrote it");
    let out_of_reach =
        format!("the logs in `{name}` belong to CloudTrail {why}: the bucket policy does not reach them");
    let draft = match cross_account_readers(context, view) {
        Ok(readers) if readers.is_empty() => start.message(out_of_reach).level(Level::Warning),
        Ok(readers) => {
            let is_certain = readers.iter().any(|reader| reader.answer.is_yes());
            let who = list(context, &readers);
            let message =
                format!("the policy of `{name}` lets {who} read in vain: the logs belong to CloudTrail {why}");
            let draft = start.message(message).level(if is_certain { Level::Error } else { Level::Warning });
            shown(draft, &readers, "does not reach objects of another owner")
        }
        Err(gap) => {
            start.message(out_of_reach).level(Level::Warning).depends_on([format!("{} ({})", gap.fact, gap.reason)])
        }
    };
    let help = "set object ownership to `BucketOwnerEnforced`: the bucket owner then owns all objects, old ones too; take \
        grants to others out of the bucket ACL first";
    Ok(Verdict::of(vec![draft.help(help)]))
}
