//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::args::{Color, ReportArgs, ReportFormat};
use super::{Exit, Failure, terminal};
use crate::collect::reason;

/// Writes to standard output; a reader that went away is no failure.
pub(super) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit, Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Clean),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Clean),
        Err(error) => Err(Failure::new(format!("can not write to standard output: {}", reason(&error)))),
    }
}

/// Writes to a file.
pub(super) fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::new(format!("can not write `{}`: {}", path.display(), reason(&error)));
    let mut out = BufWriter::with_capacity(1 << 16, File::create(path).map_err(fail)?);
    write(&mut out).and_then(|()| out.flush()).map_err(fail)
}

/// A report to write, and where to; none is standard output.
pub(super) struct Destination<F> {
    pub(super) format: F,
    pub(super) file: Option<PathBuf>,
}

impl<F> Destination<F> {
    /// Whether its text is coloured: in a file only where that is asked for.
    pub(super) fn is_coloured(&self, choice: Color) -> bool {
        match self.file {
            Some(_) => choice == Color::Always,
            None => terminal::is_coloured(choice),
        }
    }

    /// Writes the report there.
    pub(super) fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        match &self.file {
            Some(file) => to_file(file, write),
            None => to_stdout(write).map(|_| ()),
        }
    }
}

/// Whether a path given as an output stands for standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Which report goes where: each `--output` belongs to the `--format` before it.
pub(super) fn destinations<F: ReportFormat>(
    args: &ReportArgs<F>,
    otherwise: F,
    matches: &ArgMatches,
) -> Result<Vec<Destination<F>>, Failure> {
    let places = |id: &str| -> Vec<usize> { matches.indices_of(id).into_iter().flatten().collect() };
    let formats = args.format.iter().zip(places("format"));
    let mut destinations: Vec<(usize, Destination<F>)> =
        formats.map(|(format, at)| (at, Destination { format: *format, file: None })).collect();
    for (file, at) in args.output.iter().zip(places("output")) {
        let owner = destinations.iter_mut().rev().find(|(format_at, _)| *format_at < at);
        match owner {
            Some((_, destination)) if destination.file.is_none() => destination.file = Some(file.clone()),
            Some(_) => {
                let file = file.display();
                return Err(Failure::new(format!("`--output {file}` has no `--format` of its own before it")));
            }
            None => destinations.push((at, Destination { format: otherwise, file: Some(file.clone()) })),
        }
    }
    let mut destinations: Vec<Destination<F>> = destinations.into_iter().map(|(_, destination)| destination).collect();
    let mut files: Vec<PathBuf> = Vec::new();
    for destination in &mut destinations {
        destination.file = destination.file.take().filter(|file| !is_stdout(file));
        let Some(file) = &destination.file else { continue };
        // A pipe or a device takes them one after the other.
        if std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
            continue;
        }
        let same = std::fs::canonicalize(file).or_else(|_| std::path::absolute(file)).unwrap_or_else(|_| file.clone());
        if files.contains(&same) {
            let file = file.display();
            return Err(Failure::new(format!("two reports can not go to one file, `{file}`")));
        }
        files.push(same);
    }
    if destinations.is_empty() {
        destinations.push(Destination { format: otherwise, file: None });
    }
    if destinations.iter().filter(|destination| destination.file.is_none()).count() > 1 {
        return Err(Failure::new("only one report can go to standard output; give the others an `--output FILE`"));
    }
    Ok(destinations)
}
