//! Why a call gave no answer, in words that hold no secret.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// AWS's error code, or one of ours where AWS gave none.
    pub(super) code: String,
    /// What AWS said; may be empty.
    pub(super) message: String,
    /// The Region S3 names where it sends the caller on.
    pub(super) region: Option<String>,
}

/// Codes whose messages repeat the request's signature or key.
const SIGNATURES: [&str; 8] = [
    "AuthorizationHeaderMalformed",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl Refusal {
    /// One of our own.
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Refusal { code: code.to_owned(), message: message.into(), region: None }
    }

    /// What an error of the SDK says.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(refused) => {
                let status = refused.raw().status().as_u16();
                let code = refused.err().code().map_or_else(|| from_status(status), str::to_owned);
                let message = match SIGNATURES.contains(&code.as_str()) {
                    true => String::new(),
                    false => without_secrets(refused.err().message().unwrap_or_default()),
                };
                let region = refused.raw().headers().get("x-amz-bucket-region").map(str::to_owned);
                Refusal { code, message, region }
            }
            SdkError::TimeoutError(_) => Refusal::new("Timeout", "no answer in time"),
            SdkError::DispatchFailure(failure) => {
                let code = match () {
                    () if failure.is_timeout() => "Timeout",
                    () if failure.is_user() => "RequestFailed",
                    () => "ConnectionFailed",
                };
                Refusal::new(code, failure.as_connector_error().map(|error| causes(error)).unwrap_or_default())
            }
            SdkError::ResponseError(failure) => {
                let status = failure.raw().status().as_u16();
                Refusal::new("UnreadableAnswer", format!("HTTP {status}, but the answer can not be read"))
            }
            SdkError::ConstructionFailure(_) => Refusal::new("RequestFailed", causes(error)),
            _ => Refusal::new("RequestFailed", ""),
        }
    }

    /// Whether it is a matter of permissions.
    pub(super) fn is_denied(&self) -> bool {
        self.code.contains("AccessDenied") || self.code.contains("Unauthorized") || self.code == "Forbidden"
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.message.is_empty() {
            true => f.write_str(&self.code),
            false => write!(f, "{}: {}", self.code, self.message),
        }
    }
}

/// The code for an answer that names none, as some servers and proxies give.
fn from_status(status: u16) -> String {
    match status {
        301 => "PermanentRedirect".to_owned(),
        403 => "AccessDenied".to_owned(),
        429 => "TooManyRequests".to_owned(),
        503 => "ServiceUnavailable".to_owned(),
        200..=299 => "UnreadableAnswer".to_owned(),
        _ => format!("HTTP{status}"),
    }
}

/// An error with what caused it, each once.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !text.is_empty() && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    without_secrets(&parts.join(": "))
}

/// A text without access key IDs and signatures.
///
/// Source: IAM User Guide, "IAM identifiers" (prefixes of unique IDs: `AKIA`, `ASIA`).
pub(super) fn without_secrets(text: &str) -> String {
    const MARKS: [&str; 4] = ["Signature=", "X-Amz-Signature=", "X-Amz-Security-Token=", "Credential="];
    let clean = |word: &str| -> String {
        if let Some(at) = MARKS.iter().filter_map(|mark| word.find(mark).map(|at| at + mark.len())).min() {
            return format!("{}…", word.get(..at).unwrap_or_default());
        }
        let is_key = |at: usize| word.get(at..).is_some_and(is_access_key);
        match (0..word.len()).find(|at| is_key(*at)) {
            Some(at) => format!("{}…", word.get(..at + 4).unwrap_or_default()),
            None => word.to_owned(),
        }
    };
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end();
            clean(word) + piece.get(word.len()..).unwrap_or_default()
        })
        .collect()
}

fn is_access_key(text: &str) -> bool {
    let (Some(prefix), Some(id)) = (text.get(..4), text.get(4..20)) else { return false };
    matches!(prefix, "AKIA" | "ASIA") && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_keys_and_signatures_are_left_out() {
        let said = "user arn:aws:iam::111111111111:user/a with AKIAIOSFODNN7EXAMPLE, X-Amz-Signature=abc&x=1 failed";
        assert_eq!(without_secrets(said), "user arn:aws:iam::111111111111:user/a with AKIA… X-Amz-Signature=… failed");
        assert_eq!(without_secrets("  a  b\n"), "  a  b\n");
        assert_eq!(without_secrets("AKIA is short é"), "AKIA is short é");
    }
}
