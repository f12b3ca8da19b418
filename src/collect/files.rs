//! Which files are read: those named, and what is found below directories.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use ignore::WalkBuilder;

use super::error::CollectError;

/// The name of standard input.
pub(super) const STDIN: &str = "-";

/// A text to read.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// How reports call it: relative to the working directory, `/`-separated, absolute if outside of it.
    pub(super) name: String,
    /// Where to open it; standard input has none.
    pub(super) path: PathBuf,
    /// Whether it was given by name, and not found in a directory.
    pub(super) named: bool,
    /// Whether only the config names it.
    pub(super) beside: bool,
    /// The given directories it lies in, by number.
    pub(super) directories: Vec<u32>,
}

/// All texts to read, in order of their names, each once.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) inputs: Vec<Input>,
    /// The given directories, by their names.
    pub(super) directories: Vec<String>,
    /// Links below directories that would have been read were they files.
    pub(super) links: Vec<String>,
    /// Links to directories below directories.
    pub(super) linked_directories: Vec<String>,
    pub(super) errors: Vec<CollectError>,
    pub(super) remarks: Vec<String>,
}

/// Lists what `paths` stand for, seen from `cwd`, and the file `beside` that the config names.
pub(super) fn list(paths: &[PathBuf], beside: Option<&Path>, cwd: &Path) -> Listing {
    let cwd = clean(cwd);
    let mut listing = Listing::default();
    let mut walked = HashSet::new();
    for path in paths {
        if path.as_os_str() == STDIN {
            let name = STDIN.to_owned();
            listing.inputs.push(Input::named(name, PathBuf::new()));
            continue;
        }
        let at = without_parents(cwd.join(path));
        let name = name_of(&at, &cwd);
        match std::fs::metadata(&at) {
            Ok(metadata) if metadata.is_dir() => {
                if walked.insert(name.clone()) {
                    listing.walk(&at, name, &cwd);
                }
            }
            Ok(_) => listing.inputs.push(Input::named(name, at)),
            Err(cause) => listing.errors.push(CollectError::Unreadable { path: name, cause }),
        }
    }
    if let Some(beside) = beside {
        let at = without_parents(cwd.join(beside));
        listing.inputs.push(Input { named: false, beside: true, ..Input::named(name_of(&at, &cwd), at) });
    }
    listing.each_once();
    listing
}

impl Input {
    fn named(name: String, path: PathBuf) -> Self {
        Input { name, path, named: true, beside: false, directories: Vec::new() }
    }
}

impl Listing {
    fn walk(&mut self, directory: &Path, name: String, cwd: &Path) {
        let number = self.directories.len() as u32;
        self.directories.push(name);
        // Ignore files count from the given directory downwards, whether or not there is a repository.
        let walk = WalkBuilder::new(directory)
            .parents(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .follow_links(false)
            .build();
        let mut names = Names { cwd, folder: PathBuf::new(), name: String::new() };
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.refused(&error, cwd);
                    continue;
                }
            };
            if let Some(error) = entry.error() {
                self.remarks.push(format!("an ignore file was not understood in full: {error}"));
            }
            let Some(kind) = entry.file_type() else { continue };
            if kind.is_symlink() && entry.path().is_dir() {
                self.linked_directories.push(names.of(entry.path()));
            } else if !is_json(entry.path()) {
                continue;
            } else if kind.is_symlink() {
                self.links.push(names.of(entry.path()));
            } else if kind.is_file() {
                let name = names.of(entry.path());
                let path = entry.into_path();
                self.inputs.push(Input { named: false, directories: vec![number], ..Input::named(name, path) });
            }
        }
    }

    fn refused(&mut self, error: &ignore::Error, cwd: &Path) {
        let path = path_of(error).map_or_else(String::new, |path| name_of(path, cwd));
        let cause = match error.io_error() {
            Some(cause) => cause.raw_os_error().map_or_else(|| cause.kind().into(), io::Error::from_raw_os_error),
            None => io::Error::other(error.to_string()),
        };
        self.errors.push(CollectError::Unreadable { path, cause });
    }

    /// Sorts by name and takes doubles together.
    fn each_once(&mut self) {
        self.inputs.sort_by(|a, b| a.name.cmp(&b.name));
        self.inputs.dedup_by(|again, first| {
            let same = again.name == first.name;
            if same {
                first.named |= again.named;
                first.beside &= again.beside;
                first.directories.append(&mut again.directories);
            }
            same
        });
        self.links.sort_unstable();
        self.links.dedup();
        self.linked_directories.sort_unstable();
        self.linked_directories.dedup();
        self.errors.sort_by_key(ToString::to_string);
        self.remarks.sort_unstable();
        self.remarks.dedup();
    }
}

/// Whether a file is looked at when a directory is walked: `*.json` and `*.json.gz`, in any case.
fn is_json(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    name.ends_with(".json") || name.ends_with(".json.gz")
}

/// How reports call the files of a walk, in which those of one folder come together.
struct Names<'a> {
    cwd: &'a Path,
    /// The folder of the last file, and what reports call it.
    folder: PathBuf,
    name: String,
}

impl Names<'_> {
    fn of(&mut self, path: &Path) -> String {
        let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else { return name_of(path, self.cwd) };
        if self.folder.as_os_str() != folder.as_os_str() {
            self.folder = folder.to_path_buf();
            self.name = name_of(folder, self.cwd);
        }
        let file = file.to_string_lossy();
        match self.name.as_str() {
            "." => file.into_owned(),
            "/" => ["/", &file].concat(),
            folder => [folder, "/", &file].concat(),
        }
    }
}

/// How reports call a path.
fn name_of(path: &Path, cwd: &Path) -> String {
    let whole = clean(path);
    let shown = whole.strip_prefix(cwd).unwrap_or(&whole);
    let name: Vec<_> = shown
        .components()
        .map(|component| match component {
            Component::RootDir => "".into(),
            other => other.as_os_str().to_string_lossy(),
        })
        .collect();
    match name.as_slice() {
        [] => ".".to_owned(),
        [root] if root.is_empty() => "/".to_owned(),
        parts => parts.join("/"),
    }
}

/// The path without `..`: behind a link that is not the folder above, so the system is asked.
fn without_parents(path: PathBuf) -> PathBuf {
    if !path.components().any(|component| component == Component::ParentDir) {
        return path;
    }
    std::fs::canonicalize(&path).unwrap_or_else(|_| clean(&path))
}

/// The path without `.` and, as far as they can be taken out, `..`.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if cleaned.file_name().is_some() => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_seen_from_the_working_directory() {
        let cwd = Path::new("/home/u/w");
        let cases = [
            ("/home/u/w/a/./b.json", "a/b.json"),
            ("/home/u/w", "."),
            ("/nowhere/else/../b.json", "/nowhere/b.json"),
            ("/home/u/w2/b.json", "/home/u/w2/b.json"),
            ("/", "/"),
        ];
        for (path, name) in cases {
            assert_eq!(name_of(Path::new(path), cwd), name, "{path}");
        }
    }

    #[test]
    fn json_files_are_told_by_their_names_in_any_case() {
        for (name, expected) in [
            ("a.json", true),
            ("A.JSON", true),
            ("a.Json.GZ", true),
            ("a.jsonl", false),
            ("json", false),
            (".json", true),
        ] {
            assert_eq!(is_json(Path::new(name)), expected, "{name}");
        }
    }
}
