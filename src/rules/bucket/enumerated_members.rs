use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::aws::AccountId;
use crate::finding::Finding;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::constant_size;
use crate::rules::shared::series::{self, Series};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

/// The most bytes a bucket policy may have (S3 User Guide, "Access management": 20 KB).
const LIMIT: usize = 20_480;

/// From how many accounts on a list is worth replacing.
const MANY: usize = 3;

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let Some(policy) = view.policy()? else { return Ok(Verdict::NotApplicable) };
    let mut series = series::all(context, policy);
    series.retain(|one| one.accounts.len() >= MANY);
    let accounts: BTreeSet<AccountId> = series.iter().flat_map(|one| one.accounts.iter().copied()).collect();
    let longest = series.iter().max_by_key(|one| (one.accounts.len(), Reverse(one.spans.first().copied())));
    let Some(longest) = longest else { return Ok(Verdict::Pass) };
    let Some((first, others)) = longest.spans.split_first() else { return Ok(Verdict::Pass) };
    let each: usize = series.iter().map(|one| one.bytes).sum();
    let size = view.bucket.policy.present().map(|document| document.size(&context.estate.sources)).unwrap_or_default();
    let used = size.minified_bytes as usize;
    let room = match LIMIT.checked_sub(used).map(|left| left / each.max(1)) {
        Some(0) | None => "no room for another".to_owned(),
        Some(more) => format!("room for about {more} more"),
    };
    let message = format!(
        "the policy of log bucket `{}` names {} accounts one by one, and has {room}",
        view.subject.name,
        accounts.len(),
    );
    let label = format!("each account takes about {each} of {LIMIT} bytes; {used} are used, white space left out");
    let draft = Finding::at(*first, label).message(message).help(rewrite(context, view, &series));
    let draft = others.iter().take(4).fold(draft, |draft, span| draft.related(*span, "another account"));
    Ok(Verdict::of(vec![draft]))
}

/// The statements that serve every member, whatever their number.
fn rewrite(context: &Context<'_>, view: &BucketView<'_>, series: &[Series<'_>]) -> String {
    let statements = constant_size::statements(context, view, series);
    let (what, serve) = match statements.len() {
        1 => ("one statement of constant size".to_owned(), "serves"),
        more => (format!("{more} statements of constant size"), "serve"),
    };
    format!(
        "{what} {serve} all members of the organization, each with its own path (with \"Version\": \"2012-10-17\"): {}",
        statements.join(", "),
    )
}
