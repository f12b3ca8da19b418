//! `trailproof init`

use std::io::Write;

use super::args::InitArgs;
use super::estate::Loaded;
use super::{Exit, Failure, output, terminal};
use crate::collect::reason;
use crate::model;

pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let name = args.output.display();
    let to_stdout = output::is_stdout(&args.output);
    if args.output.exists() && !args.force && !to_stdout {
        return Err(Failure::new(format!("`{name}` exists already; `--force` overwrites it")));
    }
    let loaded = Loaded::read(&args.input, None, None)?;
    if loaded.files == 0 {
        // A file made of nothing would only stand in the way of the next try.
        return Ok(Exit::Failed);
    }
    let text = model::starter(&loaded.estate, &loaded.model);
    let done = if loaded.failures.is_empty() { Exit::Clean } else { Exit::Failed };
    if to_stdout {
        return output::to_stdout(|out| out.write_all(text.as_bytes())).map(|_| done);
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    // Another process may have made the file meanwhile: without --force nothing is ever overwritten.
    if args.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let fail = |error: std::io::Error| Failure::new(format!("can not write `{name}`: {}", reason(&error)));
    options.open(&args.output).and_then(|mut file| file.write_all(text.as_bytes())).map_err(fail)?;
    terminal::say(&format!("wrote `{name}`: read it, correct it, and commit it beside what it describes"));
    Ok(done)
}
