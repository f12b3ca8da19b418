//! Reads live accounts into a snapshot: the only code that knows the AWS SDK and async code.
//!
//! Everything that is asked for is read-only. Each answer is stored as the AWS CLI prints it, at its place in the
//! snapshot, as soon as it is there; what could not be had is stored as `{"$unknown": …}` with the reason and the
//! permission that would mend it, what is not configured as `{"$absent": …}`. Nothing here looks into policies: who may
//! read what is decided from the snapshot, as from any other files.
//!
//! An answer in pages is stored when its last page is there. A page that names itself as the next, as a broken server or
//! proxy may, makes the answer unknown instead of short.

mod call;
mod gate;
mod iam;
mod keys;
mod manifest;
mod node;
mod organization;
mod refusal;
mod run;
mod s3;
mod session;
mod shared;
mod store;
mod trails;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use call::{Asker, Call, least_privilege};
pub use manifest::{Unread, Who};
pub use run::collect;

use crate::aws::AccountId;
use gate::Gate;
use store::Store;

/// What to collect, and how.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// The folder of the snapshot.
    pub directory: PathBuf,
    /// Whether what is in it counts as collected.
    pub resume: bool,
    /// Which accounts are read.
    pub accounts: Accounts,
    /// The role to assume in accounts other than that of the credentials: its name, with its path.
    pub role: Option<String>,
    /// The external ID that role asks for.
    pub external_id: Option<String>,
    /// The Regions where trails and buckets are looked for; empty for the one of the environment.
    pub regions: Vec<String>,
    /// A profile of the AWS CLI's configuration.
    pub profile: Option<String>,
    /// A server to ask instead of AWS.
    pub endpoint_url: Option<String>,
    /// Buckets that hold logs, whatever their policies say.
    pub log_buckets: Vec<String>,
    /// Whether all is read of every bucket.
    pub all_buckets: bool,
    /// How many calls run at once.
    pub concurrency: usize,
    /// How long one attempt at a call may take.
    pub call_timeout: Duration,
    /// When the collection ends, finished or not.
    pub until: Option<Instant>,
}

/// Which accounts are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accounts {
    /// That of the credentials.
    Own,
    /// All active accounts of its organization.
    Organization,
    /// These.
    Listed(Vec<AccountId>),
}

/// Why nothing could be collected.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// There is nobody to ask as.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// AWS does not take the credentials, or can not be reached.
    #[error("AWS does not say who the credentials belong to: {0}")]
    NotRecognised(String),
    /// The accounts of the organization can not be listed.
    #[error("can not list the accounts of the organization: {0}")]
    NoAccounts(String),
    /// The snapshot can not be written.
    #[error("can not write `{path}`: {reason}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The folder holds something already.
    #[error("`{0}` is not empty")]
    NotEmpty(String),
    /// The folder holds the snapshot of somebody else.
    #[error("`{path}` holds a snapshot made as `{other}`, not as `{own}`")]
    OtherSnapshot {
        /// The folder.
        path: String,
        /// Who made it.
        other: String,
        /// Who asks now.
        own: String,
    },
    /// The user, or the system, ended it.
    #[error("interrupted")]
    Interrupted,
    /// The system gives no threads.
    #[error("can not start: {0}")]
    NoRuntime(String),
}

impl LiveError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            LiveError::NoCredentials(_) => {
                Some("set AWS_PROFILE or use --profile; `aws sts get-caller-identity` shows whether one works")
            }
            LiveError::NoAccounts(_) => Some("run it as the management account, or name them with --accounts"),
            LiveError::NotEmpty(_) => Some("name another folder, or use --resume to go on with a collection"),
            LiveError::OtherSnapshot { .. } => Some("name another folder"),
            LiveError::Interrupted => Some("what was read is kept in a snapshot that was named; --resume goes on"),
            _ => None,
        }
    }
}

/// What happens on the way, for people who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// So many accounts will be read.
    Accounts(usize),
    /// An account is read to its end.
    Done(AccountId),
    /// Something could not be had.
    Unread(Unread),
}

/// Who is told of events; called from several threads.
pub trait Watch: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event);
}

/// What a collection came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Who asked.
    pub caller: Who,
    /// The accounts that were read, each as whom.
    pub accounts: Vec<Who>,
    /// What could not be had.
    pub unread: Vec<Unread>,
    /// How often each call was made, retries aside.
    pub calls: BTreeMap<Call, u64>,
    /// How many files were written.
    pub files: u64,
}

/// What all parts of a collection share.
struct Shared {
    options: LiveOptions,
    store: Store,
    gate: Gate,
    watch: Arc<dyn Watch>,
    /// Whether a bucket's policy makes it one that holds logs.
    holds_logs: Box<dyn Fn(&str) -> bool + Send + Sync>,
    unread: Mutex<Vec<Unread>>,
}

/// A part that did not come to its end.
fn ended(error: tokio::task::JoinError) -> LiveError {
    LiveError::NoRuntime(error.to_string())
}
