//! The command line: one file for each command, all of them thin.

mod access;
mod args;
mod cases;
mod check;
mod estate;
mod explain;
mod init;
mod live;
mod man;
mod output;
mod rules;
mod simulate;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

pub use args::Cli;
use args::Command;

/// What a command ended with.
///
/// The numbers are a contract: see the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// It ran to the end and found nothing at or above the threshold.
    Clean,
    /// Something needed for a verdict was not known, and `--strict` was given.
    Unknown,
    /// It found something.
    Findings,
    /// It could not do what was asked.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Failed => 2,
            Exit::Unknown => 3,
        })
    }
}

/// An error that ends a command, in words for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Failure(message.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure(error.to_string())
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version go to standard output and are no failure; clap knows which is which.
            let code = if error.use_stderr() { Exit::Failed } else { Exit::Clean };
            let _ = error.print();
            return code.into();
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Exit::Failed.into();
        }
    };
    let result = match &cli.command {
        Command::Check(args) => match matches.subcommand_matches("check") {
            Some(matches) => check::run(args, matches),
            None => Ok(Exit::Failed),
        },
        Command::Access(args) => match matches.subcommand_matches("access") {
            Some(matches) => access::run(args, matches),
            None => Ok(Exit::Failed),
        },
        Command::Collect(args) => live::collect(args),
        Command::Audit(args) => match matches.subcommand_matches("audit") {
            Some(matches) => live::audit(args, matches),
            None => Ok(Exit::Failed),
        },
        Command::Explain(args) => explain::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Init(args) => init::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Completions { shell } => output::to_stdout(|out| {
            clap_complete::generate(*shell, &mut Cli::command(), "trailproof", out);
            Ok(())
        }),
        Command::Man => output::to_stdout(man::write),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal::complain(&failure.to_string());
            Exit::Failed.into()
        }
    }
}

/// Runs on so many threads; a pool is only made where a number is asked for.
fn in_pool<T: Send>(jobs: Option<u16>, run: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    let Some(jobs) = jobs else { return run() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(jobs)).build();
    pool.map_err(|error| Failure::new(format!("can not start {jobs} threads: {error}")))?.install(run)
}
