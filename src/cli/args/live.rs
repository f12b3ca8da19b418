//! Options of the commands that read live accounts.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{AuditReportArgs, ConfigArgs};
use crate::aws::AccountId;

/// Which accounts are read, as whom, and how hard.
#[derive(Debug, Args)]
pub(in crate::cli) struct LiveArgs {
    /// Assume the role of this name in every account of the organization, or of --accounts
    #[arg(long, value_name = "NAME", help_heading = "Accounts")]
    pub(in crate::cli) assume_role: Option<String>,

    /// The external ID that role asks for
    #[arg(long, value_name = "ID", requires = "assume_role", help_heading = "Accounts")]
    pub(in crate::cli) external_id: Option<String>,

    /// Read these accounts only
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',', value_parser = account, help_heading = "Accounts")]
    #[arg(requires = "assume_role")]
    pub(in crate::cli) accounts: Vec<AccountId>,

    /// Read the accounts of a file only: an ID in each line, or the answer of `aws organizations list-accounts`
    #[arg(long, value_name = "FILE", conflicts_with = "accounts", help_heading = "Accounts")]
    #[arg(requires = "assume_role")]
    pub(in crate::cli) accounts_file: Option<PathBuf>,

    /// Look for trails and buckets in these Regions [default: the one of the environment]
    #[arg(long, value_name = "REGION", value_delimiter = ',', help_heading = "Accounts")]
    pub(in crate::cli) regions: Vec<String>,

    /// Read all about every bucket, not only about those that hold logs
    #[arg(long, help_heading = "Accounts")]
    pub(in crate::cli) all_buckets: bool,

    /// The profile of the AWS CLI's configuration to start from
    #[arg(long, value_name = "NAME", help_heading = "Connection")]
    pub(in crate::cli) profile: Option<String>,

    /// The server to ask instead of AWS
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub(in crate::cli) endpoint_url: Option<String>,

    /// How many calls run at once
    #[arg(long, value_name = "N", default_value_t = 16, help_heading = "Connection")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(in crate::cli) concurrency: u16,

    /// How long an attempt at a call may take: `500ms`, `30s` …
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = "Connection")]
    pub(in crate::cli) call_timeout: Duration,

    /// When to stop, finished or not: `90s`, `30m`, `2h`
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Connection")]
    pub(in crate::cli) time_limit: Option<Duration>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CollectArgs {
    /// The directory of the snapshot
    #[arg(short, long, value_name = "DIR", required_unless_present = "print_policy")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Go on with the snapshot that is there: what it holds is not asked for again
    #[arg(long)]
    pub(in crate::cli) resume: bool,

    /// Print the IAM policy that allows a collection and nothing more: to who runs it, or to the --assume-role
    #[arg(long, value_name = "WHO", value_enum, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "caller", conflicts_with_all = ["output", "resume"])]
    pub(in crate::cli) print_policy: Option<PolicyFor>,

    #[command(flatten)]
    pub(in crate::cli) config: ConfigArgs,

    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,

    /// Tell of every answer that could not be had
    #[arg(short, long)]
    pub(in crate::cli) verbose: bool,

    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArgs {
    /// Keep the snapshot in this directory; without it the snapshot is deleted
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) snapshot: Option<PathBuf>,

    /// Go on with the snapshot that is there: what it holds is not asked for again
    #[arg(long, requires = "snapshot")]
    pub(in crate::cli) resume: bool,

    /// Point findings at the policy files below this path that define the same resource, where there are such
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) link: Vec<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) config: ConfigArgs,

    /// How many threads to use for the audit [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) jobs: Option<u16>,

    #[command(flatten)]
    pub(in crate::cli) audit: AuditReportArgs,

    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}

/// `--print-policy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PolicyFor {
    /// Who runs trailproof
    Caller,
    /// The role of --assume-role, in every account
    Role,
}

fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text.trim()).ok_or_else(|| "an account ID has 12 digits".to_owned())
}

/// A time with its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with a unit: `500ms`, `30s`, `10m`, `2h`".to_owned();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs).ok_or_else(wrong);
    let given = match unit {
        "ms" => Duration::from_millis(number),
        "s" => seconds(1)?,
        "m" => seconds(60)?,
        "h" => seconds(60 * 60)?,
        _ => return Err(wrong()),
    };
    // More than a day is the same as none, and what a clock can add.
    if given.is_zero() { Err(wrong()) } else { Ok(given.min(Duration::from_secs(24 * 60 * 60))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, expected) in [("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("2h", 7_200_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(expected)), "{text}");
        }
        for text in ["", "5", "s", "0s", "-1s", "1.5s", "5 s", "99999999999999999999s", "5d", "９s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(duration("18446744073709551615s").map(|given| given.as_secs()), Ok(86_400));
    }
}
