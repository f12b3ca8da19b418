//! Commands and options.

mod live;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Level;
use crate::policy::PolicyKind;
use crate::report::Format;
use crate::report::access::AccessFormat;
pub(super) use live::{AuditArgs, CollectArgs};
#[cfg(feature = "live")]
pub(super) use live::{LiveArgs, PolicyFor};

/// Who can read your AWS CloudTrail logs, with proof.
#[derive(Debug, Parser)]
#[command(name = "trailproof", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 nothing found, 1 findings, 2 could not do what was asked, 3 --strict and a fact not known."
)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Audit policy files, AWS CLI exports and snapshots
    Check(CheckArgs),
    /// Show who can read whose logs, and by which path
    Access(AccessArgs),
    /// Read live AWS accounts into a snapshot directory
    Collect(CollectArgs),
    /// Read live AWS accounts and audit them
    Audit(AuditArgs),
    /// Print what a rule detects, why it matters and what to do
    Explain(ExplainArgs),
    /// List every rule
    Rules(RulesArgs),
    /// Write a trailproof.toml filled with what the inputs show
    Init(InitArgs),
    /// Evaluate requests against policies
    Simulate(SimulateArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Where the inputs are and how they are read.
#[derive(Debug, Args)]
pub(super) struct InputArgs {
    /// Files and directories to read; `-` is standard input [default: .]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) config: ConfigArgs,

    /// How many threads to use [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
}

/// Where the sharing model is declared.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// The config file [default: the nearest trailproof.toml]
    #[arg(long = "config", value_name = "FILE", conflicts_with = "no_config")]
    pub(super) file: Option<PathBuf>,

    /// Use no config file: the sharing model is inferred
    #[arg(long)]
    pub(super) no_config: bool,
}

/// How reports are written, and where to.
#[derive(Debug, Args)]
pub(super) struct ReportArgs<F: ReportFormat> {
    /// Report format; may be given several times, each with its own --output
    #[arg(long, value_name = "FORMAT", value_parser = F::parser())]
    pub(super) format: Vec<F>,

    /// Write the report of the --format before it to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Vec<PathBuf>,

    /// Whether to colour the text report
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,

    /// Print what was found and errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Print all there is to tell
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Which rules run, what their findings come to, and where they are reported.
#[derive(Debug, Args)]
#[command(mut_arg("quiet", |arg| arg.help("Print findings and errors only")))]
#[command(mut_arg("verbose", |arg| arg.help("Also list what was skipped, set aside and not known")))]
pub(super) struct AuditReportArgs {
    /// Run these rules or groups instead of the default set
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) select: Vec<String>,

    /// Leave out these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,

    /// The lowest level that makes the exit code 1
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Threshold::Warning)]
    pub(super) fail_on: Threshold,

    /// Exit with code 3 when a fact that a rule needs is not known
    #[arg(long)]
    pub(super) strict: bool,

    #[command(flatten)]
    pub(super) report: ReportArgs<Format>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    /// What the policy documents given by name or on standard input are
    #[arg(long, value_name = "KIND", value_parser = one_of(&PolicyKind::NAMED, PolicyKind::name))]
    pub(super) kind: Option<PolicyKind>,

    /// What the one policy document is attached to
    #[arg(long, value_name = "ARN")]
    pub(super) subject: Option<String>,

    #[command(flatten)]
    pub(super) audit: AuditReportArgs,
}

#[derive(Debug, Args)]
#[command(mut_arg("quiet", |arg| arg.help("Print the matrix and errors only")))]
#[command(mut_arg("verbose", |arg| arg.help("Print every name, deviation and fact that is not known")))]
pub(super) struct AccessArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    /// Tell step by step how this reader gets at logs, or what stops it: an ARN, an account ID, a name, or `anyone`
    #[arg(long, value_name = "READER", conflicts_with_all = ["reader", "wide"])]
    pub(super) why: Option<String>,

    /// Show these readers only
    #[arg(long, value_name = "READER", value_delimiter = ',')]
    pub(super) reader: Vec<String>,

    /// Show the logs of these accounts only
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub(super) logs: Vec<String>,

    /// One row for each reader and one column for each account, instead of one for all that are alike
    #[arg(long)]
    pub(super) wide: bool,

    /// Exit with code 3 when a fact is not known that decides who can read
    #[arg(long)]
    pub(super) strict: bool,

    #[command(flatten)]
    pub(super) report: ReportArgs<AccessFormat>,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The rule's ID
    pub(super) rule: String,
}

#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    /// Output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Text)]
    pub(super) format: ListFormat,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    /// The file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "trailproof.toml")]
    pub(super) output: PathBuf,

    /// Overwrite an existing file
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    /// Answer every case of a file, one JSON line each
    #[arg(long, value_name = "FILE", conflicts_with_all = ["principal", "action", "resource", "context", "paths"])]
    pub(super) cases: Option<PathBuf>,

    /// Who asks: an ARN, an account ID, a service or `anonymous`
    #[arg(long, value_name = "ARN", required_unless_present = "cases")]
    pub(super) principal: Option<String>,

    /// For what: `s3:GetObject`
    #[arg(long, required_unless_present = "cases")]
    pub(super) action: Option<String>,

    /// On what: an ARN
    #[arg(long, value_name = "ARN", required_unless_present = "cases")]
    pub(super) resource: Option<String>,

    /// A context key and its value; repeat a key for several values
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) context: Vec<String>,

    /// Output format of a single request
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

/// `--fail-on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Threshold {
    /// Never
    None,
    /// From notes on
    Note,
    /// From warnings on
    Warning,
    /// Errors only
    Error,
}

impl Threshold {
    /// Whether a level reaches it.
    pub(super) fn is_reached_by(self, level: Level) -> bool {
        match self {
            Threshold::None => false,
            Threshold::Note => true,
            Threshold::Warning => level >= Level::Warning,
            Threshold::Error => level >= Level::Error,
        }
    }
}

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `rules --format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// A table for people
    Text,
    /// JSON
    Json,
    /// A markdown table
    Markdown,
}

/// `simulate --format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AnswerFormat {
    /// For people
    Text,
    /// One JSON line, as for --cases
    Json,
}

/// The formats of one kind of report.
pub(super) trait ReportFormat: Copy + Send + Sync + 'static {
    /// What reads their names.
    fn parser() -> ValueParser;
}

impl ReportFormat for Format {
    fn parser() -> ValueParser {
        one_of(&Format::ALL, Format::name)
    }
}

impl ReportFormat for AccessFormat {
    fn parser() -> ValueParser {
        one_of(&AccessFormat::ALL, AccessFormat::name)
    }
}

/// What reads one of these by its name.
fn one_of<T: Copy + Send + Sync + 'static>(all: &'static [T], name: fn(T) -> &'static str) -> ValueParser {
    let names = PossibleValuesParser::new(all.iter().map(|one| name(*one)));
    let known = move |given: String| all.iter().copied().find(|one| name(*one) == given).ok_or("no such name");
    ValueParser::new(names.try_map(known))
}
