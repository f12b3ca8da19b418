//! Answers that are no JSON of AWS: the AWS CLI's error line, and the markers of a snapshot.
//!
//! "Not configured" is a fact; everything else that kept an answer away leaves the fact unknown, with AWS's own words.

use super::operation::Operation;
use super::piece::Piece;
use super::reader::{Reader, text};
use super::{cloudtrail, kms, s3};
use crate::estate::{Gap, Known, Part};
use crate::syntax::json::Json;
use crate::text::Span;

/// One error line of the AWS CLI.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ErrorLine<'t> {
    code: &'t str,
    operation: &'t str,
    message: &'t str,
    /// Where it stands in the text.
    range: std::ops::Range<usize>,
}

const BEGINNING: &str = "An error occurred (";

/// The error lines of a text, where it holds nothing else that could be an answer.
pub(super) fn error_lines(text: &str) -> Vec<ErrorLine<'_>> {
    let mut found = Vec::new();
    let mut outside = 0;
    for start in memchr::memmem::find_iter(text.as_bytes(), BEGINNING) {
        if start < outside {
            continue;
        }
        let before = text.get(outside..start).unwrap_or_default();
        let Some(line) = error_line(text, start).filter(|_| !before.contains('{')) else { return Vec::new() };
        outside = line.range.end;
        found.push(line);
    }
    if text.get(outside..).unwrap_or_default().contains('{') {
        return Vec::new();
    }
    found
}

fn error_line(text: &str, start: usize) -> Option<ErrorLine<'_>> {
    let rest = text.get(start..)?;
    let end = rest.find('\n').unwrap_or(rest.len());
    let line = rest.get(..end)?.trim_end();
    let (code, rest) = line.strip_prefix(BEGINNING)?.split_once(") when calling the ")?;
    let (operation, rest) = rest.split_once(" operation")?;
    // `(reached max retries: 4)` may stand between.
    let rest = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    let message = rest.strip_prefix(": ").unwrap_or("");
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    (is_word(code) && is_word(operation)).then_some(ErrorLine {
        code,
        operation,
        message: message.trim(),
        range: start..start + line.len(),
    })
}

/// Reads the error lines of a text as the answers they are.
pub(super) fn read_error_lines(reader: &mut Reader<'_>, lines: &[ErrorLine<'_>]) {
    for line in lines {
        let span = Span::new(reader.source, line.range.start as u32, line.range.end as u32);
        let said =
            if line.message.is_empty() { line.code.to_owned() } else { format!("{}: {}", line.code, line.message) };
        match Operation::from_api(line.operation) {
            Some(operation) => {
                let outcome = if operation.is_absence(line.code) { Outcome::Absent } else { Outcome::Refused(said) };
                push(reader, operation, outcome, span);
            }
            // No rule asks for what other calls tell.
            None => reader.told.recognised = true,
        }
    }
}

/// Reads `{"$absent": …}` and `{"$unknown": …}`; whether it is one.
pub(super) fn marker(reader: &mut Reader<'_>, json: Json<'_>) -> bool {
    let outcome = if let Some(code) = text(json, "$absent") {
        match reader.names.operation {
            Some(operation) if !operation.is_absence(&code) => Outcome::Refused(code.to_string()),
            _ => Outcome::Absent,
        }
    } else if let Some(reason) = text(json, "$unknown") {
        Outcome::Refused(reason.to_string())
    } else {
        return false;
    };
    match reader.names.operation {
        Some(operation) => push(reader, operation, outcome, json.span()),
        None => {
            let gap = Gap::new("input.answer", "the file's name does not tell which call was answered");
            reader.push(Piece::Gap(gap.at([json.span()])));
        }
    }
    true
}

enum Outcome {
    Absent,
    Refused(String),
}

impl Outcome {
    fn known<T>(self, fact: &'static str, span: Span) -> Known<T> {
        match self {
            Outcome::Absent => Known::Absent(span),
            Outcome::Refused(reason) => Known::Unknown(Gap::new(fact, reason).at([span])),
        }
    }
}

fn push(reader: &mut Reader<'_>, operation: Operation, outcome: Outcome, span: Span) {
    let mut bucket = s3::nameless(span);
    let mut key = kms::nameless(span);
    let mut trail = cloudtrail::nameless(span);
    let piece = match operation {
        Operation::GetBucketPolicy => {
            bucket.policy = outcome.known("bucket.policy", span);
            Piece::Bucket(bucket)
        }
        Operation::GetBucketPolicyStatus => {
            bucket.policy_is_public = outcome.known("bucket.policy-status", span);
            Piece::Bucket(bucket)
        }
        Operation::GetBucketOwnershipControls => {
            bucket.ownership = outcome.known("bucket.ownership-controls", span);
            Piece::Bucket(bucket)
        }
        Operation::GetBucketAcl => {
            bucket.acl = outcome.known("bucket.acl", span);
            Piece::Bucket(bucket)
        }
        Operation::GetBucketEncryption => {
            bucket.encryption = outcome.known("bucket.encryption", span);
            Piece::Bucket(bucket)
        }
        Operation::GetBucketLocation => {
            bucket.region = outcome.known("bucket.region", span);
            Piece::Bucket(bucket)
        }
        Operation::GetPublicAccessBlock => {
            Piece::BlockPublicAccess(outcome.known("bucket.public-access-block", span), span)
        }
        Operation::DescribeKey => {
            key.metadata = outcome.known("key.metadata", span);
            Piece::Key(key)
        }
        Operation::GetKeyPolicy => {
            key.policy = outcome.known("key.policy", span);
            Piece::Key(key)
        }
        Operation::GetKeyRotationStatus => {
            key.rotation = outcome.known("key.rotation", span);
            Piece::Key(key)
        }
        Operation::ListGrants => {
            key.grants = outcome.known("key.grants", span);
            Piece::Key(key)
        }
        Operation::GetTrailStatus => {
            trail.status = outcome.known("trail.status", span);
            Piece::Trail(trail)
        }
        Operation::GetEventSelectors => {
            trail.selectors = outcome.known("trail.event-selectors", span);
            Piece::Trail(trail)
        }
        Operation::DescribeOrganization => match outcome {
            Outcome::Absent => Piece::Organization(Known::Absent(span), Known::Absent(span)),
            refused => {
                let id = refused.known("organization.id", span);
                Piece::Organization(id, Known::not_collected("organization.management-account"))
            }
        },
        Operation::ListAccounts => Piece::Members(outcome.known("organization.accounts", span)),
        Operation::ListTargetsForPolicy => Piece::Targets(outcome.known("organization-policy.targets", span), span),
        Operation::ListRolePolicies
        | Operation::ListUserPolicies
        | Operation::ListGroupPolicies
        | Operation::GetRolePolicy
        | Operation::GetUserPolicy
        | Operation::GetGroupPolicy => {
            let Known::Unknown(gap) = outcome.known::<()>("role.inline-policies", span) else { return };
            let kind = operation.identity_kind();
            Piece::Part { kind, name: None, part: Part::InlineRefused(gap), span }
        }
        Operation::ListAttachedRolePolicies
        | Operation::ListAttachedUserPolicies
        | Operation::ListAttachedGroupPolicies => {
            let part = Part::Attached(outcome.known("role.attached-policies", span));
            Piece::Part { kind: operation.identity_kind(), name: None, part, span }
        }
        Operation::ListGroupsForUser => {
            let part = Part::Groups(outcome.known("user.groups", span));
            Piece::Part { kind: operation.identity_kind(), name: None, part, span }
        }
        Operation::GetPolicyVersion => Piece::PolicyText(outcome.known("managed-policy.document", span), span),
        Operation::GetBucketVersioning | Operation::GetBucketLogging | Operation::GetObjectLockConfiguration => {
            reader.told.recognised = true;
            return;
        }
        _ => match outcome {
            Outcome::Refused(reason) => Piece::Gap(Gap::new(operation.fact(), reason).at([span])),
            Outcome::Absent => {
                reader.told.recognised = true;
                return;
            }
        },
    };
    reader.push(piece);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(&str, &str, &str)> {
        error_lines(text).iter().map(|line| (line.code, line.operation, line.message)).collect()
    }

    #[test]
    fn the_error_line_is_found_with_text_around_it() {
        let line = "An error occurred (NoSuchBucketPolicy) when calling the GetBucketPolicy operation: \
                    The bucket policy does not exist";
        let expected = [("NoSuchBucketPolicy", "GetBucketPolicy", "The bucket policy does not exist")];
        for text in [line.to_owned(), format!("\n{line}\n"), format!("aws: [ERROR]: {line}\r\nexit 254\n")] {
            assert_eq!(lines(&text), expected, "{text:?}");
        }
        let retried =
            "An error occurred (Throttling) when calling the ListRoles operation (reached max retries: 4): Rate";
        assert_eq!(lines(retried), [("Throttling", "ListRoles", "Rate")]);
        assert_eq!(lines("An error occurred (403) when calling the HeadBucket operation"), [("403", "HeadBucket", "")]);
    }

    #[test]
    fn a_text_that_holds_more_than_error_lines_is_no_answer() {
        let line = "An error occurred (AccessDenied) when calling the GetBucketAcl operation: Access Denied";
        assert_eq!(lines(&format!("{{\"Policy\": \"x\"}}\n{line}")), []);
        assert_eq!(lines(&format!("{line}\n{{}}")), []);
        assert_eq!(lines("An error occurred (half of a line"), []);
        assert_eq!(lines(""), []);
        assert_eq!(lines(&format!("{line}\n{line}")).len(), 2);
    }
}
