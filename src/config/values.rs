//! What a single text must look like: account IDs, bucket names, ARNs.

use super::error::{ConfigError, listed, quoted};
use super::fields::Checked;
use super::suggestion::closest;
use crate::aws::{AccountId, Arn, is_organization_id};
use crate::text::Spanned;

/// Any text but one of nothing but white space.
pub(super) fn words(text: Spanned<&str>) -> Checked<String> {
    if text.trim().is_empty() {
        return Err(ConfigError::at(text.span, "this must not be empty"));
    }
    Ok(text.value.to_owned())
}

/// 12 digits.
pub(super) fn account_id(text: Spanned<&str>) -> Checked<AccountId> {
    if let Some(account) = AccountId::parse(text.value) {
        return Ok(account);
    }
    let error = ConfigError::at(text.span, format!("{} is not an account ID", quoted(text.value)));
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    Err(match AccountId::parse(&digits).or_else(|| Arn::parse(text.value)?.account_id()) {
        Some(account) => error.with_help(format!("write {}", quoted(account.as_str()))),
        None => error.with_help("an account ID has 12 digits"),
    })
}

/// `o-…`.
pub(super) fn organization_id(text: Spanned<&str>) -> Checked<String> {
    if is_organization_id(text.value) {
        return Ok(text.value.to_owned());
    }
    let help = match text.get(..2) {
        Some("ou") => "this is the ID of an organizational unit; the organization's begins with `o-`",
        Some("r-") => "this is the ID of a root; the organization's begins with `o-`",
        _ => "an organization ID is `o-` and 10 to 32 lower-case letters or digits",
    };
    Err(ConfigError::at(text.span, format!("{} is not an organization ID", quoted(text.value))).with_help(help))
}

/// A canonical user ID; S3 does not promise more of it than that it is alphanumeric.
pub(super) fn canonical_id(text: Spanned<&str>) -> Checked<String> {
    let id = text.value;
    if AccountId::parse(id).is_none() && !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(id.to_owned());
    }
    let error = ConfigError::at(text.span, format!("{} is not a canonical user ID", quoted(id)));
    Err(error.with_help(
        "write `\"CANONICAL ID\" = \"ACCOUNT ID\"`; `aws s3api list-buckets` shows the canonical ID as `Owner.ID`",
    ))
}

/// The name of a bucket, also one of those older than today's rules.
pub(super) fn bucket_name(text: Spanned<&str>) -> Checked<String> {
    let name = text.value;
    let characters = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if characters && (3..=255).contains(&name.len()) {
        return Ok(name.to_owned());
    }
    let error = ConfigError::at(text.span, format!("{} is not a bucket name", quoted(name)));
    let path = name.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
    Err(match Arn::parse(name).and_then(|arn| arn.bucket()).or(path) {
        Some(bucket) => error.with_help(format!("write the name alone: {}", quoted(bucket))),
        None => error.with_help("a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens"),
    })
}

/// The S3 key prefix of a trail, or nothing (CloudTrail API reference, `CreateTrail`: at most 200 characters).
pub(super) fn key_prefix(text: Spanned<&str>) -> Checked<String> {
    let prefix = text.value;
    let help = if prefix.split('/').any(|part| part == "AWSLogs") {
        "the prefix is what stands before `/AWSLogs/` in the keys".to_owned()
    } else if let Some(bare) = prefix.strip_suffix('/') {
        format!("write {}: the `/` before `AWSLogs/` does not belong to it", quoted(bare))
    } else if prefix.chars().count() > 200 {
        "CloudTrail takes at most 200 characters".to_owned()
    } else {
        return Ok(prefix.to_owned());
    };
    Err(ConfigError::at(text.span, format!("{} is not a trail's key prefix", quoted(prefix))).with_help(help))
}

/// The ARN of a trail.
pub(super) fn trail_arn(text: Spanned<&str>) -> Checked<String> {
    let trail = Arn::parse(text.value).filter(|arn| {
        arn.service == "cloudtrail"
            && !arn.region.is_empty()
            && arn.account_id().is_some()
            && arn.resource_of("trail").is_some_and(|name| !name.is_empty() && !name.contains(['*', '?']))
    });
    if trail.is_some() {
        return Ok(text.value.to_owned());
    }
    let error = ConfigError::at(text.span, format!("{} is not the ARN of a trail", quoted(text.value)));
    Err(error.with_help("it looks like `arn:aws:cloudtrail:us-east-1:111111111111:trail/name`"))
}

/// One of a few words.
pub(super) fn choice<T: Clone>(text: Spanned<&str>, choices: &[(&str, T)]) -> Checked<T> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
        return Ok(value.clone());
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let error = ConfigError::at(text.span, format!("{} is none of {}", quoted(text.value), listed(&words, "and")));
    Err(match closest(text.value, &words) {
        Some(near) => error.with_help(format!("did you mean {}?", quoted(near))),
        None => error,
    })
}
