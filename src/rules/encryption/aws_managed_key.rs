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
    let known = trails(context, view);
    let mut without_key = false;
    let mut unless: Vec<String> = Vec::new();
    for trail in &known {
        match &trail.key {
            Known::Present(key, span) => {
                let key = LogKey { reference: Some(key.to_string()), span: *span };
                match is_aws_managed(context, &key) {
                    Ok(true) => findings.push(finding(context, view, &key).about(trail.name.as_str())),
                    Ok(false) => {}
                    Err(gap) => gaps.push(gap),
                }
            }
            Known::Absent(_) => without_key = true,
            Known::Unknown(_) => unless.push(format!("trail `{}` names a key of its own", trail.name)),
        }
    }
    // A trail's own key goes before the default of the bucket.
    let unseen = has_unseen_trail(context, view);
    let default_counts = without_key || !unless.is_empty() || unseen;
    if !default_counts {
        return Ok(Verdict::with_gaps(findings, gaps));
    }
    if unseen {
        unless.push(format!("a trail that delivers to `{name}` names a key of its own"));
    }
    match default_key(view).and_then(|key| key.map(|key| Ok((is_aws_managed(context, &key)?, key))).transpose()) {
        Ok(Some((true, key))) => {
            if without_key {
                unless.clear();
                unless.push("CloudTrail keeps to SSE-S3 for a trail without a key, as its guide says".to_owned());
            }
            findings.push(finding(context, view, &key).depends_on(unless.iter().map(|fact| format!("unless {fact}"))));
        }
        Ok(_) => {}
        Err(gap) => gaps.push(gap),
    }
    Ok(Verdict::with_gaps(findings, gaps))
}

fn finding(context: &Context<'_>, view: &BucketView<'_>, key: &LogKey) -> Draft {
    let name = &view.subject.name;
    let readers = cross_account_readers(context, view);
    let label = match key.reference {
        Some(_) => "a key that AWS manages",
        None => "no key is named, which means `aws/s3`",
    };
    let start = Finding::at(key.span, label);
    let draft = match readers {
        Ok(readers) if readers.is_empty() => {
            start.message(format!("logs in `{name}` are encrypted under a key that AWS manages")).level(Level::Note)
        }
        Ok(readers) => {
            let who = list(context, &readers);
            let is_certain = readers.iter().any(|reader| reader.answer.is_yes());
            let message = format!(
                "logs in `{name}` are encrypted under a key that AWS manages: {who} may read them and can not decrypt them"
            );
            let draft = start.message(message).level(if is_certain { Level::Error } else { Level::Warning });
            shown(draft, &readers, "lets another account read")
        }
        Err(gap) => start
            .message(format!("logs in `{name}` are encrypted under a key that AWS manages"))
            .level(Level::Warning)
            .depends_on([format!("{} ({})", gap.fact, gap.reason)]),
    };
    draft.help(
        "encrypt under a customer managed key, named by its whole ARN on the trail and as the default of the bucket; its \
         policy has to let CloudTrail encrypt and the readers decrypt",
    )
}
