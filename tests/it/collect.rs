//! From files to an estate.

mod bad_input;
mod configuration_items;
mod estates;
mod inputs;
mod joins;
mod shapes;

use std::fs;
use std::path::{Path, PathBuf};

use trailproof::collect::{CollectError, Collected, Declared, Options, collect};
use trailproof::estate::{Bucket, Estate, Known, Role};
use trailproof::policy::PolicyKind;

/// A folder of files that goes away with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    fn path(&self) -> PathBuf {
        // The system's temporary folder may be a link.
        self.0.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn options(&self) -> Options<'static> {
        Options { jobs: 1, cwd: self.path(), ..Options::default() }
    }

    /// Collects the whole folder.
    fn collect(&self) -> Collected {
        self.named(&["."])
    }

    /// Collects the estate of the whole folder, in which nothing is wrong.
    fn estate(&self) -> Estate {
        let collected = self.collect();
        assert_eq!(messages(&collected), [""; 0]);
        collected.estate
    }

    fn named(&self, paths: &[&str]) -> Collected {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        collect(&paths, &mut &b""[..], &self.options()).unwrap()
    }
}

fn messages(collected: &Collected) -> Vec<String> {
    collected.errors.iter().map(CollectError::to_string).collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn read(path: &Path, jobs: usize) -> Collected {
    let options = Options { jobs, cwd: path.to_owned(), ..Options::default() };
    collect(&[PathBuf::from(".")], &mut &b""[..], &options).unwrap()
}

fn role<'e>(estate: &'e Estate, name: &str) -> &'e Role {
    let mut found = estate.roles.iter().filter(|role| role.name == name);
    let role = found.next().unwrap_or_else(|| panic!("no role {name} among {:?}", names(estate)));
    assert!(found.next().is_none(), "two roles {name}");
    role
}

fn bucket<'e>(estate: &'e Estate, name: &str) -> &'e Bucket {
    let mut found = estate.buckets.iter().filter(|bucket| bucket.name == name);
    let bucket = found.next().unwrap_or_else(|| panic!("no bucket {name} among {:?}", names(estate)));
    assert!(found.next().is_none(), "two buckets {name}");
    bucket
}

fn names(estate: &Estate) -> Vec<&str> {
    let roles = estate.roles.iter().map(|role| role.name.as_str());
    roles.chain(estate.buckets.iter().map(|bucket| bucket.name.as_str())).collect()
}

/// `present`, `absent`, or why it is not known.
fn state<T>(fact: &Known<T>) -> &str {
    match fact {
        Known::Present(..) => "present",
        Known::Absent(_) => "absent",
        Known::Unknown(gap) => &gap.reason,
    }
}

/// The kinds and files of the documents that join nothing.
fn alone(estate: &Estate) -> Vec<(PolicyKind, &str)> {
    estate.documents.iter().map(|document| (document.kind, estate.sources.name(document.span.source))).collect()
}

/// Each broken text as `file:line:column message`.
fn broken(estate: &Estate) -> Vec<String> {
    let show = |broken: &trailproof::estate::Broken| {
        let source = estate.sources.source(broken.span.source).unwrap();
        format!("{}:{} {}", source.name(), source.position(broken.span.start), broken.message)
    };
    estate.broken.iter().map(show).collect()
}

fn skipped(collected: &Collected) -> Vec<String> {
    collected.skipped.iter().map(|skipped| format!("{}: {}", skipped.name, skipped.why)).collect()
}

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}"#;
const OTHER_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::888888888888:root"},"Action":"sts:AssumeRole"}]}"#;
const ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}]}"#;
const BUCKET: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}]}"#;
const KEY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#;
const ACL: &str = r#"{"Owner":{"ID":"a1"},"Grants":[{"Grantee":{"Type":"Group","URI":"http://acs.amazonaws.com/groups/global/AllUsers"},"Permission":"READ"}]}"#;

/// A text as a JSON string.
fn string(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
