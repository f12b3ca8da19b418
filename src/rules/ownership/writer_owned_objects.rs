use crate::estate::{Known, ObjectOwnership};
use crate::finding::{Finding, Level};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::readers::{cross_account_readers, list};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let ownership = &view.bucket.ownership;
    let (span, setting) = match ownership {
        Known::Present(ObjectOwnership::ObjectWriter, span) => (*span, "with `ObjectWriter`"),
        Known::Absent(span) => (*span, "without ownership controls"),
        Known::Present(..) => return Ok(Verdict::Pass),
        Known::Unknown(gap) => return Err(gap.clone()),
    };
    let name = &view.subject.name;
    let start = Finding::at(span, "the logs belong to CloudTrail, not to the bucket owner");
    let draft = match cross_account_readers(context, view) {
        Ok(readers) if readers.is_empty() => start
            .message(format!("{setting}, the logs in `{name}` are out of reach of its bucket policy"))
            .level(Level::Warning),
        Ok(readers) => {
            let is_certain = readers.iter().any(|reader| reader.answer.is_yes());
            let who = list(context, &readers);
            let message =
                format!("{setting}, the bucket policy of `{name}` does not let {who} read the logs, as it means to");
            let draft = start.message(message).level(if is_certain { Level::Error } else { Level::Warning });
            readers.iter().take(3).fold(draft, |draft, reader| {
                draft.related(reader.span, "this grant does not reach objects of another owner")
            })
        }
        Err(gap) => start
            .message(format!("{setting}, the logs in `{name}` are out of reach of its bucket policy"))
            .level(Level::Warning)
            .depends_on([format!("{} ({})", gap.fact, gap.reason)]),
    };
    let help = "set object ownership to `BucketOwnerEnforced`: the bucket owner then owns all objects, old ones too; take \
        grants to others out of the bucket ACL first";
    Ok(Verdict::of(vec![draft.help(help)]))
}
