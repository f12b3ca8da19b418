//! What a document is attached to, when it does not say so itself.

use std::fmt;
use std::str::FromStr;

use super::error::{ConfigError, quoted};
use super::fields::{Checked, Fields};
use super::pattern::PathPattern;
use super::values::{choice, words};
use crate::aws::{AccountId, Arn};
use crate::text::{Span, Spanned};

/// `[[file]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct FileEntry {
    /// The table: its header and all that stands under it.
    pub span: Span,
    /// `path`, relative to the folder of the configuration file.
    pub path: Spanned<PathPattern>,
    /// `kind`.
    pub kind: Spanned<DocumentKind>,
    /// `subject`: the ARN of what the document is attached to; for an SCP or RCP the account, OU or root ID.
    /// Never there for a glob.
    pub subject: Option<Spanned<String>>,
}

/// The kinds of policy document that the file and `--kind` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// `bucket-policy`.
    BucketPolicy,
    /// `trust-policy`.
    TrustPolicy,
    /// `identity-policy`.
    IdentityPolicy,
    /// `key-policy`.
    KeyPolicy,
    /// `permissions-boundary`.
    PermissionsBoundary,
    /// `scp`.
    Scp,
    /// `rcp`.
    Rcp,
}

impl DocumentKind {
    /// Every kind, in the order in which they are documented.
    pub const ALL: [DocumentKind; 7] = [
        DocumentKind::BucketPolicy,
        DocumentKind::TrustPolicy,
        DocumentKind::IdentityPolicy,
        DocumentKind::KeyPolicy,
        DocumentKind::PermissionsBoundary,
        DocumentKind::Scp,
        DocumentKind::Rcp,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            DocumentKind::BucketPolicy => "bucket-policy",
            DocumentKind::TrustPolicy => "trust-policy",
            DocumentKind::IdentityPolicy => "identity-policy",
            DocumentKind::KeyPolicy => "key-policy",
            DocumentKind::PermissionsBoundary => "permissions-boundary",
            DocumentKind::Scp => "scp",
            DocumentKind::Rcp => "rcp",
        }
    }

    /// What such a document is attached to, in words: `the ARN of a role`.
    pub fn subject(self) -> &'static str {
        match self {
            DocumentKind::BucketPolicy => "the ARN of a bucket",
            DocumentKind::TrustPolicy => "the ARN of a role",
            DocumentKind::IdentityPolicy => "the ARN of a role, user, group or managed policy",
            DocumentKind::KeyPolicy => "the ARN of a key",
            DocumentKind::PermissionsBoundary => "the ARN of a role, user or managed policy",
            DocumentKind::Scp | DocumentKind::Rcp => "an account, OU or root ID",
        }
    }

    /// Whether a document of this kind can be attached to that.
    pub fn takes_subject(self, subject: &str) -> bool {
        let arn = Arn::parse(subject);
        let iam = |kinds: &[&str]| {
            arn.is_some_and(|arn| {
                let named = kinds.iter().any(|kind| arn.resource_of(kind).is_some_and(|name| !name.is_empty()));
                arn.service == "iam" && (arn.account_id().is_some() || arn.account == "aws") && named
            })
        };
        match self {
            DocumentKind::BucketPolicy => {
                arn.is_some_and(|arn| arn.bucket().is_some_and(|bucket| bucket.len() == arn.resource.len()))
            }
            DocumentKind::TrustPolicy => iam(&["role"]),
            DocumentKind::IdentityPolicy => iam(&["role", "user", "group", "policy"]),
            DocumentKind::PermissionsBoundary => iam(&["role", "user", "policy"]),
            DocumentKind::KeyPolicy => arn.is_some_and(|arn| {
                arn.service == "kms"
                    && arn.account_id().is_some()
                    && arn.resource_of("key").is_some_and(|id| !id.is_empty())
            }),
            DocumentKind::Scp | DocumentKind::Rcp => {
                let id = subject.strip_prefix("ou-").or_else(|| subject.strip_prefix("r-"));
                let id = id.is_some_and(|id| {
                    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                });
                id || AccountId::parse(subject).is_some()
            }
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no [`DocumentKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of policy document")]
pub struct NotADocumentKind;

impl FromStr for DocumentKind {
    type Err = NotADocumentKind;

    fn from_str(word: &str) -> Result<Self, NotADocumentKind> {
        DocumentKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(NotADocumentKind)
    }
}

impl FileEntry {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let path = fields.needed("path", path);
        let kind = fields.needed("kind", |text| choice(text, &DocumentKind::ALL.map(|kind| (kind.as_str(), kind))));
        let subject = fields.text("subject", words);
        if let (Some(path), Some(subject)) = (&path, &subject)
            && path.is_glob()
        {
            let error =
                ConfigError::at(subject.span, "a glob stands for several documents, so it can have no `subject`");
            fields.add(error.with_related(path.span, "the glob").with_help("give each document its own `[[file]]`"));
        } else if let (Some(kind), Some(subject)) = (&kind, &subject)
            && !kind.takes_subject(subject)
        {
            let message =
                format!("{} is not what a document of the kind `{}` is attached to", quoted(subject), kind.value);
            fields.add(ConfigError::at(subject.span, message).with_help(format!("it takes {}", kind.subject())));
        }
        Some(FileEntry { span: fields.span, path: path?, kind: kind?, subject })
    }
}

fn path(text: Spanned<&str>) -> Checked<PathPattern> {
    let path = words(text)?;
    if path.contains('\\') {
        let error = ConfigError::at(text.span, format!("{} holds a backslash", quoted(&path)));
        return Err(error.with_help(format!("write {}", quoted(&path.replace('\\', "/")))));
    }
    Ok(PathPattern::new(path))
}
