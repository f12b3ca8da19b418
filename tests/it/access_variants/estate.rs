//! A variant joined with its estate, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use super::table::Table;
use crate::support::{files_below, root, trailproof};

/// An estate under `fixtures/access`, or a variant of one.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) table: Table,
}

/// All of them.
pub(super) fn variants() -> Vec<Variant> {
    let readmes = files_below(&folder(), "README.md").into_iter().filter(|file| file.parent() != Some(&folder()));
    let names = readmes.map(|file| file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned());
    let all: Vec<Variant> = names.map(|name| Variant::named(&name)).collect();
    assert!(all.len() >= 40, "{}", all.len());
    all
}

fn folder() -> PathBuf {
    root().join("fixtures/access")
}

impl Variant {
    pub(super) fn named(name: &str) -> Self {
        let text = std::fs::read_to_string(folder().join(name).join("README.md")).unwrap();
        let table = Table::read(&text);
        assert!(!table.cells.is_empty(), "{name}");
        Variant { name: name.to_owned(), table }
    }

    /// The estate with what the variant changes, and without what it leaves out.
    pub(super) fn join(&self) -> TempDir {
        let joined = tempfile::tempdir().unwrap();
        if let Some(estate) = &self.table.estate {
            copy(&folder().join(estate), joined.path());
        }
        for left_out in &self.table.without {
            let path = joined.path().join(left_out);
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        }
        copy(&folder().join(&self.name), joined.path());
        joined
    }

    pub(super) fn run(&self, folder: &TempDir, arguments: &[&str]) -> Output {
        access(folder.path(), arguments)
    }
}

/// `trailproof access` in a folder.
pub(super) fn access(folder: &Path, arguments: &[&str]) -> Output {
    trailproof().current_dir(folder).arg("access").args(arguments).output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from, "") {
        let name = file.strip_prefix(from).unwrap();
        if name == Path::new("README.md") {
            continue;
        }
        let target = to.join(name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, target).unwrap();
    }
}
