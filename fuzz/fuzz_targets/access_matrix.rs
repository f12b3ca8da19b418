//! Bytes as the documents of an estate: who can read which logs, told in every format.
//!
//! The bytes are cut at each NUL; the parts stand for a bucket policy, a key policy, a trust policy, an identity policy, an
//! SCP and an RCP, and then for files of any kind.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use trailproof::access::organization::Organization;
use trailproof::access::reach;
use trailproof::collect::{Options, collect};
use trailproof::finding::matrix::Certainty;
use trailproof::model::Model;
use trailproof::report::access::{AccessFormat, AccessOptions, write};

const FILES: [&str; 7] = [
    "111111111111/s3/central-logs/policy.json",
    "111111111111/kms/us-east-1/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json",
    "111111111111/iam/roles/reader/trust-policy.json",
    "111111111111/iam/roles/reader/access-policy.json",
    "organization/any.json",
    "222222222222/iam/account-authorization-details.json",
    "any.json",
];

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::temp_dir().join(format!("trailproof-fuzz-{}", std::process::id())))
}

fuzz_target!(|bytes: &[u8]| {
    let folder = folder();
    for (name, part) in FILES.iter().zip(bytes.split(|byte| *byte == 0).chain(std::iter::repeat(&b""[..]))) {
        let path = folder.join(name);
        if part.is_empty() {
            let _ = std::fs::remove_file(path);
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        if std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, part)).is_err() {
            return;
        }
    }
    let options = Options { jobs: 1, cwd: folder.to_owned(), ..Options::default() };
    let Ok(mut collected) = collect(&[folder.to_owned()], &mut std::io::empty(), &options) else { return };
    let model = Model::new(&collected.estate, None, None);
    if let Some(owner) = model.owner() {
        collected.estate.settle(owner);
    }
    let organization = Organization::new(&collected.estate, &model);
    let matrices = reach::matrices(&collected.estate, &model, &organization, &[]);
    for matrix in &matrices {
        for cell in matrix.rows.iter().flat_map(|row| &row.cells).flatten() {
            for access in &cell.can {
                assert!(access.certainty != Certainty::Certain || access.witness.is_some(), "certain without a proof");
            }
        }
        assert!(matrix.rows.iter().all(|row| row.cells.len() == matrix.columns.len()), "a column is missing");
    }
    for format in AccessFormat::ALL {
        let mut out = Vec::new();
        let options = AccessOptions::default();
        assert!(write(&mut out, format, &matrices, &collected.estate.sources, &options).is_ok());
        assert!(!out.iter().any(|byte| *byte == 0x1b || *byte == 0), "a control character is printed");
    }
});
