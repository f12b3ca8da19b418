use crate::estate::{Gap, Known};
use crate::finding::{Draft, Finding, Level};
use crate::rule::context::{BucketView, Context};
use crate::rule::{Outcome, Verdict};
use crate::rules::Check;
use crate::rules::shared::encryption::{LogKey, default_key, has_unseen_trail, is_aws_managed, trails};
use crate::rules::shared::readers::{cross_account_readers, list, shown};

pub(in crate::rules) const CHECK: Check = Check::buckets(check);

fn check(context: &Context<'_>, view: &BucketView<'_>) -> Outcome {
    let name = &view.subject.name;
    let mut findings = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut keyless: Vec<&str> = Vec::new();
    let mut unless: Vec<String> = Vec::new();
    for trail in trails(context, view) {
        match &trail.key {
            Known::Present(key, span) => {
                let key = LogKey { reference: Some(key.to_string()), span: *span };
                match is_aws_managed(context, &key) {
                    Ok(true) => findings.push(finding(context, view, &key, &How::Certain).about(trail.name.as_str())),
                    Ok(false) => {}
                    Err(gap) => gaps.push(gap),
                }
            }
            Known::Absent(_) => keyless.push(&trail.name),
            Known::Unknown(_) => unless.push(format!("the key of trail `{}`", trail.name)),
        }
    }
    if has_unseen_trail(context, view) {
        unless.push(format!("the key of a trail that delivers to `{name}`"));
    }
    // A trail's own key goes before the default of the bucket.
    let how = match keyless.first() {
        Some(trail) => How::Uncertain(trail),
        None if unless.is_empty() => return Ok(Verdict::with_gaps(findings, gaps)),
        None => How::Unless,
    };
    match default_key(view).and_then(|key| key.map(|key| Ok((is_aws_managed(context, &key)?, key))).transpose()) {
        Ok(Some((true, key))) => {
            let uncertain =
                keyless.iter().map(|trail| format!("whether trail `{trail}` writes under the default of `{name}`"));
            let depends_on = uncertain.chain(unless);
            findings.push(finding(context, view, &key, &how).depends_on(depends_on));
        }
        Ok(_) => {}
        Err(gap) => gaps.push(gap),
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// How sure it is that logs are under a key.
enum How<'t> {
    /// The trail names it.
    Certain,
    /// It is the default of the bucket, and no trail is known to name another.
    Unless,
    /// It is the default of the bucket, and this trail names none: CloudTrail's guide says that it then asks for SSE-S3.
    Uncertain(&'t str),
}

/// The finding about one key.
fn finding(context: &Context<'_>, view: &BucketView<'_>, key: &LogKey, how: &How<'_>) -> Draft {
    let name = &view.subject.name;
    let label = match key.reference {
        Some(_) => "AWS manages this key",
        None => "no key is named, which means `aws/s3`",
    };
    let start = Finding::at(key.span, label);
    let is_so = "under a key that AWS manages";
    let (plain, lets, because) = match how {
        How::Certain => (format!("logs in `{name}` are {is_so}"), "lets", format!("the logs are {is_so}")),
        How::Unless => (
            format!("logs in `{name}` are {is_so}, unless the trail names a key"),
            "lets",
            format!("the logs are {is_so}, unless the trail names a key"),
        ),
        How::Uncertain(trail) => (
            format!("logs in `{name}` may be {is_so}: trail `{trail}` names none, and the bucket's default is one"),
            "may let",
            format!("trail `{trail}` names no key, and the bucket's default is one that AWS manages"),
        ),
    };
    let draft = match cross_account_readers(context, view) {
        Ok(readers) if readers.is_empty() => start.message(plain).level(Level::Note),
        Ok(readers) => {
            let who = list(context, &readers);
            let is_certain = readers.iter().any(|reader| reader.answer.is_yes());
            let message = format!("the policy of `{name}` {lets} {who} read in vain: {because}");
            let draft = start.message(message).level(if is_certain { Level::Error } else { Level::Warning });
            shown(draft, &readers, "lets another account read")
        }
        Err(gap) => start.message(plain).level(Level::Warning).depends_on([format!("{} ({})", gap.fact, gap.reason)]),
    };
    draft.help(
        "encrypt under a customer managed key, named by its whole ARN on the trail and as the default of the bucket; its \
         policy has to let CloudTrail encrypt and the readers decrypt",
    )
}
