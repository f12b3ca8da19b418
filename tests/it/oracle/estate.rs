//! An estate as one JSON value, as the files that the command reads, and read back.

use std::path::Path;

use serde_json::{Value, json};
use trailproof::collect::{Options, collect};
use trailproof::config::Config;
use trailproof::estate::Estate;
use trailproof::model::Model;
use trailproof::text::Source;

/// Writes the files of an estate below a folder that is empty.
pub(crate) fn write(folder: &Path, plan: &Value) {
    for (name, content) in plan["files"].as_object().unwrap() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, serde_json::to_string_pretty(&as_answered(name, content)).unwrap()).unwrap();
    }
    if let Some(config) = config(plan) {
        std::fs::write(folder.join("trailproof.toml"), config).unwrap();
    }
}

fn config(plan: &Value) -> Option<String> {
    let blocks = plan["config"].as_array()?;
    Some(blocks.iter().map(|block| block.as_str().unwrap()).collect::<Vec<_>>().join("\n\n") + "\n")
}

/// Policies of buckets, keys and organizations are texts inside of their answers.
fn as_answered(name: &str, content: &Value) -> Value {
    if content.get("$absent").is_some() || content.get("$unknown").is_some() || !name.ends_with("/policy.json") {
        return content.clone();
    }
    if !name.starts_with("organization/") {
        return json!({"Policy": content.to_string()});
    }
    let mut content = content.clone();
    let text = content["Policy"]["Content"].to_string();
    content["Policy"]["Content"] = json!(text);
    content
}

/// Reads an estate as the command does.
pub(crate) fn read(plan: &Value) -> Option<(Estate, Model)> {
    let folder = tempfile::Builder::new().prefix("oracle").tempdir_in(scratch()).unwrap();
    write(folder.path(), plan);
    let options = Options { jobs: 1, cwd: folder.path().to_path_buf(), ..Options::default() };
    let mut estate = collect(&[folder.path().to_path_buf()], &mut &b""[..], &options).ok()?.estate;
    let config = match config(plan) {
        Some(text) => {
            let id = estate.sources.add(Source::new("trailproof.toml", text.clone()));
            Some(Config::parse(&text, id).ok()?)
        }
        None => None,
    };
    let model = Model::new(&estate, config.as_ref(), None);
    if let Some(owner) = model.owner() {
        estate.settle(owner);
    }
    Some((estate, model))
}

/// Memory where there is a folder for it: each estate is some files.
fn scratch() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() }
}
