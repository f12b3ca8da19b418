//! Going on with a collection that was ended in the middle.

use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::proxy::{Fault, Proxy};
use super::{assert_same, collect, command, contents, files, moto, unread};
use crate::support::stderr;

/// A snapshot of the whole organization, collected without a fault.
pub(super) fn whole(url: &'static str) -> &'static Path {
    static WHOLE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = WHOLE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let output = collect(url, &folder.path().join("s"), &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(unread(&folder.path().join("s")), []);
        folder
    });
    Box::leak(folder.path().join("s").into_boxed_path())
}

#[test]
fn a_collection_that_was_killed_goes_on_where_it_was() {
    let Some(url) = moto::url() else { return };
    const UNTIL: usize = 45;
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("s");
    let stalls = Proxy::before(url, |seen| (seen.all_before >= UNTIL).then_some(Fault::Stalled));
    let mut begun = command(&stalls.url);
    begun.args(["collect", "--no-config", "--assume-role", "Audit", "--regions", "us-east-1", "-o"]).arg(&snapshot);
    let mut begun = begun.stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while stalls.calls().values().sum::<usize>() <= UNTIL {
        assert!(Instant::now() < until && begun.try_wait().unwrap().is_none(), "{:?}", stalls.calls());
        std::thread::sleep(Duration::from_millis(50));
    }
    begun.kill().unwrap();
    begun.wait().unwrap();
    let had = files(&snapshot).len();
    // A file that was being written when the process ended.
    std::fs::write(snapshot.join(".99-0.part"), "{\"Roles\": [").unwrap();
    std::fs::write(snapshot.join("111111111111").join(".99-1.part"), "{").unwrap();

    let again = collect(url, &snapshot, &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));

    let counting = Proxy::before(url, |_| None);
    let resumed = collect(&counting.url, &snapshot, &["--resume"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    assert_same(&contents(&snapshot), &contents(whole(url)));
    let asked: usize = counting.calls().values().sum();
    let all = files(whole(url)).len();
    // Who one is, and the roles, are asked for anew.
    assert!(had > 5 && asked <= all - had + 12, "{had} of {all} files were there, {asked} calls");
}

#[test]
fn a_snapshot_of_somebody_else_is_left_alone() {
    let Some(url) = moto::url() else { return };
    let folder = tempfile::tempdir().unwrap();
    let other =
        r#"{"SchemaVersion": "1", "Caller": {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/x"}}"#;
    std::fs::write(folder.path().join("manifest.json"), other).unwrap();
    let output = collect(url, folder.path(), &["--resume"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("999999999999"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(folder.path().join("manifest.json")).unwrap(), other);
}
