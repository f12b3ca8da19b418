//! The JSON matrix: its schema, the contract's example, places counted anew.

use serde_json::Value;
use trailproof::finding::matrix::Matrix;
use trailproof::report::access::json::SCHEMA;
use trailproof::report::access::why;
use trailproof::report::{AccessFormat, AccessOptions};
use trailproof::text::SourceMap;

use super::samples;

fn errors(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(jsonschema::meta::validate(&schema).map_err(|e| e.to_string()), Ok(()));
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn json(matrices: &[Matrix], sources: &SourceMap, wide: bool) -> Value {
    let options = AccessOptions { wide, ..AccessOptions::default() };
    let text = samples::rendered(AccessFormat::Json, matrices, sources, options);
    assert!(text.ends_with("}\n"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn documents_are_valid_under_the_published_schema() {
    let sources = samples::sources();
    let (hostile, hostile_sources) = samples::hostile();
    for wide in [false, true] {
        assert_eq!(errors(&json(&[samples::small(&sources), samples::organization(3)], &sources, wide)), [""; 0]);
        assert_eq!(errors(&json(&[samples::undeclared(&sources)], &sources, wide)), [""; 0]);
        assert_eq!(errors(&json(std::slice::from_ref(&hostile), &hostile_sources, wide)), [""; 0]);
        assert_eq!(errors(&json(&[], &sources, wide)), [""; 0]);
    }
    let mut spoiled = json(&[samples::small(&sources)], &sources, false);
    spoiled["cells"][0]["certainty"] = "sure".into();
    assert_eq!(errors(&spoiled).len(), 1);
}

#[test]
fn a_cell_says_what_the_contract_promises() {
    let sources = samples::sources();
    let document = json(&[samples::small(&sources)], &sources, false);
    assert_eq!(document["schema_version"], "1");
    assert_eq!(document["bucket"], "my-organization-bucket");
    let cells = document["cells"].as_array().unwrap();
    let of = |reader: &str, logs: &str| {
        let holds = |list: &Value, id: &str| list.as_array().unwrap().iter().any(|known| known == id);
        cells.iter().find(|cell| holds(&cell["readers"], reader) && holds(&cell["logs"], logs)).unwrap()
    };
    let own = of("222222222222", "222222222222");
    assert_eq!(own["can"], serde_json::json!(["list", "get", "decrypt"]));
    assert_eq!((&own["certainty"], &own["model"]), (&"certain".into(), &"expected".into()));
    assert_eq!(own["witness"]["action"], "kms:Decrypt");
    assert_eq!(own["can_not"][0]["ability"], "write");
    let location = &own["path"][0]["steps"][0]["location"];
    assert_eq!(location["pointer"], "/Statement/0/Resource");
    let text = sources.source(trailproof::text::SourceId::new(0)).unwrap().text();
    let line = text.lines().position(|line| line.contains("${aws:PrincipalAccount}")).unwrap() + 1;
    assert_eq!(location["line"], line);
    let more = of("333333333333", "222222222222");
    assert_eq!((&more["certainty"], &more["model"]), (&"conditional".into(), &"too-much".into()));
    assert_eq!(more["depends_on"], serde_json::json!(["aws:SourceIp"]));
    assert_eq!(of("999999999999", "222222222222")["path"][0]["role"], samples::ANALYZER);
    // Two cells of a row that are the same are one entry.
    assert_eq!(of("anyone", "222222222222")["logs"], serde_json::json!(["222222222222", "333333333333"]));
    let undeclared = json(&[samples::undeclared(&sources)], &sources, false);
    assert!(undeclared["cells"].as_array().unwrap().iter().all(|cell| cell["model"].is_null()));
}

#[test]
fn a_class_is_one_entry_and_wide_has_one_for_each_cell() {
    let sources = SourceMap::new();
    let folded = json(&[samples::organization(500)], &sources, false);
    let cells = folded["cells"].as_array().unwrap();
    assert!(cells.len() < 12, "{}", cells.len());
    let own = cells.iter().find(|cell| cell["scope"] == "own" && cell["kind"] == "account").unwrap();
    assert_eq!((own["logs"].clone(), own["of"].as_array().unwrap().len()), (serde_json::json!(["own"]), 500));
    assert_eq!(own["readers"].as_array().unwrap().len(), 500);
    // The classes, taken apart by what the schema says of them, are the cells of the wide document.
    let folded = json(&[samples::organization(4)], &sources, false);
    let readers = folded["buckets"][0]["readers"].as_array().unwrap();
    let own = |reader: &Value| readers.iter().find(|known| known["id"] == *reader).unwrap()["own"].clone();
    let mut taken_apart = Vec::new();
    for cell in folded["cells"].as_array().unwrap() {
        let scope = cell["scope"].as_str().unwrap();
        for reader in cell["readers"].as_array().unwrap() {
            let logs = if scope == "all" { &cell["logs"] } else { &cell["of"] };
            let is_meant = |log: &&Value| match scope {
                "own" => **log == own(reader),
                "others" => **log != own(reader),
                _ => true,
            };
            for log in logs.as_array().unwrap().iter().filter(is_meant) {
                taken_apart.push(format!("{reader} {log} {} {}", cell["can"], cell["model"]));
            }
        }
    }
    let wide = json(&[samples::organization(4)], &sources, true);
    let mut cells: Vec<String> = wide["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| format!("{} {} {} {}", cell["readers"][0], cell["logs"][0], cell["can"], cell["model"]))
        .collect();
    taken_apart.sort();
    cells.sort();
    assert_eq!(taken_apart, cells);
    assert_eq!(cells.len(), 10 * 5);
    // Each of many is a line, so that line tools find it.
    let options = AccessOptions { wide: true, ..AccessOptions::default() };
    let text = samples::rendered(AccessFormat::Json, &[samples::organization(4)], &sources, options);
    assert_eq!(text.lines().filter(|line| line.trim_start().starts_with(r#"{"bucket":"#)).count(), 10 * 5);
}

#[test]
fn several_buckets_are_one_list_of_cells() {
    let sources = samples::sources();
    let document = json(&[samples::small(&sources), samples::organization(3)], &sources, false);
    assert!(document["bucket"].is_null());
    let mut buckets: Vec<&str> =
        document["cells"].as_array().unwrap().iter().map(|cell| cell["bucket"].as_str().unwrap()).collect();
    buckets.dedup();
    assert_eq!(buckets, ["my-organization-bucket", "central-logs"]);
}

#[test]
fn an_answer_has_the_same_shape_with_its_sentence() {
    let sources = samples::sources();
    let matrices = [samples::small(&sources)];
    let answers = why::answers(&matrices, "log analyzer", &["payments".to_owned()]).unwrap();
    let mut out = Vec::new();
    why::write_json(&mut out, &answers, &sources).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(errors(&document), [""; 0]);
    let cell = &document["cells"][0];
    assert_eq!(cell["answer"], "yes");
    assert_eq!(
        cell["summary"],
        "999999999999 (log analyzer) can list, read and decrypt the logs of 222222222222 (payments) in \
         my-organization-bucket, through arn:aws:iam::111111111111:role/log-analyzer"
    );
    assert_eq!(cell["path"].as_array().unwrap().len(), 2);
    assert_eq!(document["wide"], true);
    // Without an account there is an answer for those that are alike.
    let matrices = [samples::organization(500)];
    let answers = why::answers(&matrices, "team 3", &[]).unwrap();
    let mut out = Vec::new();
    why::write_json(&mut out, &answers, &sources).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(errors(&document), [""; 0]);
    let scopes: Vec<&str> =
        document["cells"].as_array().unwrap().iter().map(|c| c["scope"].as_str().unwrap()).collect();
    assert_eq!(scopes, ["all", "own", "others"]);
    assert_eq!(document["wide"], false);
}
