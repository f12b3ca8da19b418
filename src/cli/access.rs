//! `trailproof access`: who can do what with whose logs.

use std::mem::ManuallyDrop;

use clap::ArgMatches;

use super::args::AccessArgs;
use super::estate::Loaded;
use super::output::Destination;
use super::{Exit, Failure, in_pool, output, terminal};
use crate::access::organization::Organization;
use crate::access::reach;
use crate::finding::matrix::{Matrix, NotInMatrix, narrowed};
use crate::report::access::{self, AccessFormat, AccessOptions, why};

pub(super) fn run(args: &AccessArgs, matches: &ArgMatches) -> Result<Exit, Failure> {
    let destinations = output::destinations(&args.report, AccessFormat::Text, matches)?;
    in_pool(args.input.jobs, || {
        // As in an audit, giving back each policy by itself would be for nothing.
        let loaded = ManuallyDrop::new(Loaded::read(&args.input, None, None)?);
        let organization = Organization::new(&loaded.estate, &loaded.model);
        // Who and whose logs are explained must not be told of by the example of others.
        let asked: Vec<String> = args.why.iter().flat_map(|reader| args.logs.iter().chain([reader])).cloned().collect();
        let mut matrices = reach::matrices(&loaded.estate, &loaded.model, &organization, &asked);
        if matrices.is_empty() {
            return Err(Failure::new(
                "none of the buckets read here holds logs: declare one under [[log-bucket]] in trailproof.toml, or give \
                 a trail or a bucket policy that lets CloudTrail write",
            ));
        }
        if !args.report.quiet
            && let Some(first) = matrices.first_mut()
        {
            first.notes.splice(0..0, loaded.remarks.iter().cloned());
        }
        let is_open = matrices.iter().any(|matrix| !matrix.gaps.is_empty());
        match &args.why {
            Some(reader) => answer(args, reader, &matrices, &loaded, &destinations)?,
            None => {
                let shown = narrowed(&matrices, &args.reader, &args.logs).map_err(unknown_name)?;
                for destination in &destinations {
                    let options = options(destination, args);
                    destination.write(|out| {
                        access::write(out, destination.format, &shown, &loaded.estate.sources, &options)
                    })?;
                }
            }
        }
        Ok(match (!loaded.failures.is_empty(), args.strict && is_open) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::Unknown,
            (false, false) => Exit::Clean,
        })
    })
}

/// `--why`
fn answer(
    args: &AccessArgs,
    reader: &str,
    matrices: &[Matrix],
    loaded: &Loaded,
    destinations: &[Destination<AccessFormat>],
) -> Result<(), Failure> {
    let answers = why::answers(matrices, reader, &args.logs).map_err(unknown_name)?;
    let sources = &loaded.estate.sources;
    for destination in destinations {
        destination.write(|out| match destination.format {
            AccessFormat::Json => why::write_json(out, &answers, sources),
            _ => why::write(out, &answers, sources, &options(destination, args)),
        })?;
    }
    Ok(())
}

fn unknown_name(error: NotInMatrix) -> Failure {
    Failure::new(format!("{error}; `trailproof access` without it lists all"))
}

fn options(destination: &Destination<AccessFormat>, args: &AccessArgs) -> AccessOptions {
    AccessOptions {
        color: destination.is_coloured(args.report.color),
        width: terminal::width(),
        wide: args.wide,
        verbose: args.report.verbose,
        quiet: args.report.quiet,
    }
}
