//! `trailproof man`: one page with every command and its options.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::args::Cli;

/// Writes the page in roff.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let page = Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    for sub in command.get_subcommands() {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let usage = sub.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").to_owned();
        let mut section = Roff::new();
        section.control("SH", [format!("trailproof {}", sub.get_name()).to_uppercase().as_str()]);
        section.text([roman(about + ".")]);
        section.control("PP", []);
        section.text([bold(usage)]);
        for argument in sub.get_arguments().filter(|argument| argument.get_id() != "help") {
            section.control("TP", []);
            let short = argument.get_short().map(|letter| format!("-{letter}, ")).unwrap_or_default();
            section.text([bold(format!("{short}{argument}"))]);
            section.text(described(argument));
        }
        section.to_writer(out)?;
    }
    page.render_extra_section(out)
}

/// What an argument is for, and which values it takes.
fn described(argument: &clap::Arg) -> Vec<Inline> {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect::<Vec<_>>();
    match values.is_empty() || !argument.get_action().takes_values() {
        true => vec![roman(help)],
        false => vec![roman(format!("{help}: {}", values.join(", ")))],
    }
}
