//! `trailproof collect` and `trailproof audit`

#[cfg(feature = "live")]
mod link;
#[cfg(feature = "live")]
mod progress;
#[cfg(feature = "live")]
mod run;

#[cfg(feature = "live")]
pub(super) use run::{audit, collect};

#[cfg(not(feature = "live"))]
mod absent {
    use clap::ArgMatches;

    use crate::cli::args::{AuditArgs, CollectArgs};
    use crate::cli::{Exit, Failure};

    pub(in crate::cli) fn collect(_args: &CollectArgs) -> Result<Exit, Failure> {
        Err(without("collect"))
    }

    pub(in crate::cli) fn audit(_args: &AuditArgs, _matches: &ArgMatches) -> Result<Exit, Failure> {
        Err(without("audit"))
    }

    fn without(command: &str) -> Failure {
        Failure::new(format!(
            "`trailproof {command}` is not in this build: it was built without the feature `live`\n  \
             help: `cargo install --path .` builds it; `trailproof check` reads what the AWS CLI exported"
        ))
    }
}

#[cfg(not(feature = "live"))]
pub(super) use absent::{audit, collect};
