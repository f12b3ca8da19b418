//! What keeps an input from being read.

use std::io;

/// An input that could not be read, or a request that can not be met.
///
/// Each is a reason for exit code 2; only those that [`super::collect`] returns as its error stop the run.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A path that the system does not let us read.
    #[error("can not read `{path}`: {reason}", reason = reason(cause))]
    Unreadable {
        /// The path as it was found.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A compressed file that does not unpack.
    #[error("can not unpack `{path}`: {cause}")]
    Gzip {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// A text of more bytes than places in it can be counted.
    #[error("`{path}` is larger than 4 GiB")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// A compressed file of which the text is too large to be an export.
    #[error("`{path}` unpacks to more than {gib} GiB", gib = super::read::MOST_UNPACKED >> 30)]
    UnpacksTooLarge {
        /// The file.
        path: String,
    },
    /// A single document that is far larger than AWS takes.
    #[error("`{path}` is one document of {mib} MiB; AWS takes policies of some KiB")]
    OneLargeDocument {
        /// The file.
        path: String,
        /// Its size.
        mib: usize,
    },
    /// A directory in which nothing is ours.
    #[error("nothing to audit in `{path}`: {found}")]
    NothingFound {
        /// The directory.
        path: String,
        /// What was looked at instead.
        found: String,
    },
    /// No input of the run is ours.
    #[error("nothing to audit: none of the files named is a policy document or an answer of the AWS CLI")]
    NothingRead,
    /// `--subject` with no document, or with several.
    #[error("`--subject` is for one document given by name or on standard input, and {} given", how_many(*count))]
    SubjectOf {
        /// How many there are.
        count: usize,
    },
    /// `--kind` with no file given by name.
    #[error("`--kind` is for documents given by name or on standard input, and none is given")]
    KindOfNothing,
    /// A subject that is none of the forms a document can be attached to.
    #[error("`{subject}` is nothing that {kind} can be attached to")]
    WrongSubject {
        /// The subject as given.
        subject: String,
        /// The kind of document, in words with their article.
        kind: String,
    },
}

impl CollectError {
    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            CollectError::Unreadable { .. } | CollectError::NothingRead => return None,
            CollectError::Gzip { .. } => "the file is damaged or incomplete; make it again",
            CollectError::TooLarge { .. } => "split the export, for example by page",
            CollectError::UnpacksTooLarge { .. } => "unpack it and name the file inside",
            CollectError::OneLargeDocument { .. } => {
                "exports of this size are read when they are lists, as `aws iam get-account-authorization-details` \
                 writes them"
            }
            CollectError::NothingFound { .. } => {
                "looked for *.json and *.json.gz that hold policy documents, answers of the AWS CLI or a snapshot, \
                 hidden and ignored files left out"
            }
            CollectError::SubjectOf { .. } | CollectError::KindOfNothing => {
                "give each document its own `[[file]]` in `trailproof.toml`"
            }
            CollectError::WrongSubject { .. } => {
                "a subject is the ARN of a role, user, group, managed policy, bucket or key; for an SCP or RCP the \
                 account, OU or root ID"
            }
        })
    }
}

fn how_many(count: usize) -> String {
    match count {
        0 => "none is".to_owned(),
        1 => "one is".to_owned(),
        more => format!("{more} are"),
    }
}

/// The system's words for what went wrong, in lower case and without the error number.
pub fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = cause.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        }
    }
}
