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
    let mut without_key = false;
    let mut unless: Vec<String> = Vec::new();
    for trail in trails(context, view) {
        match &trail.key {
            Known::Present(key, span) => {
                let key = LogKey { reference: Some(key.to_string()), span: *span };
                match is_aws_managed(context, &key) {
                    Ok(true) => findings.push(finding(context, view, &key, "").about(trail.name.as_str())),
                    Ok(false) => {}
                    Err(gap) => gaps.push(gap),
                }
            }
            Known::Absent(_) => without_key = true,
            Known::Unknown(_) => unless.push(format!("the key of trail `{}`", trail.name)),
        }
    }
    if has_unseen_trail(context, view) {
        unless.push(format!("the key of a trail that delivers to `{name}`"));
    }
    // A trail's own key goes before the default of the bucket.
    if !without_key && unless.is_empty() {
        return Ok(Verdict::with_gaps(findings, gaps));
    }
    match default_key(view).and_then(|key| key.map(|key| Ok((is_aws_managed(context, &key)?, key))).transpose()) {
        Ok(Some((true, key))) => {
            let (how, depends_on) = match without_key {
                true => (
                    ", if the default of the bucket counts for a trail without a key",
                    vec!["whether CloudTrail writes under the default of the bucket".to_owned()],
                ),
                false => (", unless the trail names a key", unless),
            };
            findings.push(finding(context, view, &key, how).depends_on(depends_on));
        }
        Ok(_) => {}
        Err(gap) => gaps.push(gap),
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

/// The finding about one key; `how` is what qualifies it.
fn finding(context: &Context<'_>, view: &BucketView<'_>, key: &LogKey, how: &str) -> Draft {
    let name = &view.subject.name;
    let label = match key.reference {
        Some(_) => "AWS manages this key",
        None => "no key is named, which means `aws/s3`",
    };
    let start = Finding::at(key.span, label);
    let plain = format!("logs in `{name}` are under a key that AWS manages{how}");
    let draft = match cross_account_readers(context, view) {
        Ok(readers) if readers.is_empty() => start.message(plain).level(Level::Note),
        Ok(readers) => {
            let who = list(context, &readers);
            let is_certain = readers.iter().any(|reader| reader.answer.is_yes());
            let message =
                format!("{who} can not decrypt the logs in `{name}`: they are under a key that AWS manages{how}");
            let draft = start.message(message).level(if is_certain { Level::Error } else { Level::Warning });
            shown(draft, &readers, "lets another account read")
        }
        Err(_) => start
            .message(plain)
            .level(Level::Warning)
            .depends_on([format!("the readers that the policy of `{name}` names")]),
    };
    draft.help(
        "encrypt under a customer managed key, named by its whole ARN on the trail and as the default of the bucket; its \
         policy has to let CloudTrail encrypt and the readers decrypt",
    )
}
