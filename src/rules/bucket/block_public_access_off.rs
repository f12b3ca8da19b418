use crate::estate::{BlockPublicAccess, Gap, Known};
use crate::finding::Finding;
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::text::Span;

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

/// A setting's name, and how to read it.
type Setting = (&'static str, fn(&BlockPublicAccess) -> bool);

const SETTINGS: [Setting; 4] = [
    ("BlockPublicAcls", |settings| settings.block_public_acls),
    ("IgnorePublicAcls", |settings| settings.ignore_public_acls),
    ("BlockPublicPolicy", |settings| settings.block_public_policy),
    ("RestrictPublicBuckets", |settings| settings.restrict_public_buckets),
];

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let own = &view.bucket.block_public_access;
    let account = view.bucket.account.present().and_then(|id| context.estate.accounts.get(id));
    let account = account.map(|account| &account.block_public_access);
    // A setting is in effect where the bucket or its account has it.
    let is_on = |known: &Known<BlockPublicAccess>, setting: Setting| known.present().is_some_and(setting.1);
    let off: Vec<&str> = SETTINGS
        .into_iter()
        .filter(|setting| !is_on(own, *setting) && !account.is_some_and(|known| is_on(known, *setting)))
        .map(|setting| setting.0)
        .collect();
    if off.is_empty() {
        return Ok(Verdict::Pass);
    }
    // What the bucket itself says is certain; where its own settings were not collected, they may all be on.
    let span: Span = match own {
        Known::Present(_, span) | Known::Absent(span) => *span,
        Known::Unknown(gap) => return Err(Gap::clone(gap)),
    };
    let unless = match account {
        Some(Known::Present(..) | Known::Absent(_)) => None,
        _ => Some("block public access of the account that owns the bucket".to_owned()),
    };
    let list = off.join("`, `");
    let verb = if off.len() == 1 { "is" } else { "are" };
    let finding = Finding::at(span, "the bucket's own settings")
        .message(format!(
            "`{list}` {verb} not on for log bucket `{}`{}",
            view.subject.name,
            if unless.is_some() { ", unless for its whole account" } else { "" },
        ))
        .depends_on(unless)
        .help(
            "turn on all four settings of block public access, on the bucket or for its whole account: the logs stay \
             shared through policies that name whom they mean",
        );
    Ok(Verdict::of(vec![finding]))
}
