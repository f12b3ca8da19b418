//! `collect` and `audit` against a server that answers as AWS does (moto), and against one that does not.

mod elsewhere;
mod estate;
mod faults;
mod http;
mod many;
mod moto;
mod permissions;
mod proxy;
mod resume;
mod same_findings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::trailproof;

/// The command under test with credentials for a server of ours, and nothing else of the environment's AWS settings.
fn command(url: &str) -> Command {
    let mut command = trailproof();
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_"));
    ours.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_ENDPOINT_URL", url)
        .env("HOME", "/nonexistent");
    command
}

const ACCESS_KEY: &str = "AKIAEXAMPLEEXAMPLE00";
const SECRET: &str = "SecretOfTheTestsThatIsNeverWritten000000";

/// Collects the organization of a server into a folder.
fn collect(url: &str, folder: &Path, more: &[&str]) -> Output {
    let mut command = command(url);
    command.args(["collect", "--no-config", "--assume-role", "Audit", "--regions", "us-east-1"]);
    command.arg("-o").arg(folder).args(more).output().unwrap()
}

/// What a snapshot says could not be had: operation, error and permission.
fn unread(folder: &Path) -> Vec<(String, String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let manifest = manifest(folder);
    let all = manifest["Unread"].as_array().unwrap().iter();
    all.map(|one| (text(one, "Operation"), text(one, "Error"), text(one, "Permission"))).collect()
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap()
}

/// Fails with what is on one side alone.
fn assert_same(left: &BTreeSet<String>, right: &BTreeSet<String>) {
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!((only(left, right), only(right, left)), (vec![], vec![]));
}

/// The files of a snapshot but for its manifest, each with its name, and without the time of the last delivery, which
/// moves on.
fn contents(folder: &Path) -> BTreeSet<String> {
    let still = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("\"LatestDelivery"));
        lines.collect::<Vec<_>>().join("\n")
    };
    files(folder).into_iter().map(|(name, text)| format!("{name}: {}", still(&text))).collect()
}

/// The files of a snapshot but for its manifest, each with its text.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let all = crate::support::files_below(folder, "").into_iter();
    let named = all.map(|path| {
        let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    });
    named.filter(|(name, _)| name != "manifest.json").collect()
}
