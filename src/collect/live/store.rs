//! The files of a snapshot.
//!
//! A file is there whole or not at all: it is written beside its place and then renamed. Files and folders are for the
//! user alone, because they tell how accounts are protected.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// The folder of a snapshot.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    resume: bool,
    written: AtomicU64,
}

impl Store {
    /// The snapshot in a folder, which is made where it is not there; `resume` takes what is in it for collected.
    pub(super) fn new(root: &Path, resume: bool) -> io::Result<Self> {
        make_folder(root)?;
        Ok(Store { root: root.to_owned(), resume, written: AtomicU64::new(0) })
    }

    /// What an earlier run stored at a place: an answer or an absence. What it could not have is asked for again.
    pub(super) fn read(&self, place: &str) -> Option<Value> {
        if !self.resume {
            return None;
        }
        let value: Value = serde_json::from_slice(&std::fs::read(self.root.join(place)).ok()?).ok()?;
        value.get("$unknown").is_none().then_some(value)
    }

    /// Stores a text at a place.
    pub(super) fn write(&self, place: &str, text: &str) -> io::Result<()> {
        let path = self.root.join(place);
        let folder = path.parent().unwrap_or(&self.root);
        make_folder(folder)?;
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        // A name that no walk takes for an input, should the process end here.
        let beside = folder.join(format!(".{}-{number}.part", std::process::id()));
        let stored = private_file(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
        let stored = stored.and_then(|()| std::fs::rename(&beside, &path));
        if stored.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        stored
    }

    /// How many files were written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Takes away what a run that was ended half-way left beside its files.
    pub(super) fn sweep(&self) {
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let name = entry.file_name();
                let name = name.to_string_lossy();
                match is_folder {
                    true => folders.push(entry.path()),
                    false if name.starts_with('.') && name.ends_with(".part") => {
                        let _ = std::fs::remove_file(entry.path());
                    }
                    false => {}
                }
            }
        }
    }
}

/// A name of AWS as the name of a file or folder: what could leave the folder or mean something else is percent-encoded.
pub(super) fn component(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    let mut out = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        match is_plain(byte) && !(at == 0 && byte == b'.') {
            true => out.push(byte as char),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    if out.is_empty() { "%".to_owned() } else { out }
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leaves_its_folder() {
        for (name, expected) in [
            ("Role_with+=,.@-", "Role_with+=,.@-"),
            ("..", "%2E."),
            ("a/b\\c", "a%2Fb%5Cc"),
            ("", "%"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(component(name), expected);
        }
    }

    #[test]
    fn what_was_not_known_is_asked_for_again_and_what_was_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::new(folder.path(), false).unwrap();
        first.write("a/b.json", "{\"x\": 1}").unwrap();
        first.write("a/c.json", "{\"$unknown\": \"Timeout\"}").unwrap();
        first.write("a/d.json", "{\"$absent\": \"NoSuchBucketPolicy\"}").unwrap();
        std::fs::write(folder.path().join("a/.1-2.part"), "{").unwrap();
        assert_eq!(first.read("a/b.json"), None);
        let again = Store::new(folder.path(), true).unwrap();
        again.sweep();
        assert!(!folder.path().join("a/.1-2.part").exists());
        assert_eq!(again.read("a/b.json").unwrap()["x"], 1);
        assert_eq!(again.read("a/c.json"), None);
        assert!(again.read("a/d.json").is_some());
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_for_the_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("s"), false).unwrap();
        store.write("a/b.json", "{}").unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode("s"), mode("s/a"), mode("s/a/b.json")], [0o700, 0o700, 0o600]);
    }
}
