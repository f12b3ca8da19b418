//! The JSON Schema says what the reader does.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::super::keys::{FILE, TABLES, Table};
use super::*;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// What an editor hands to a schema validator: TOML as JSON, dates as strings.
fn as_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => json!(number.as_str().parse::<i64>().unwrap()),
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap()),
        DeValue::Boolean(boolean) => json!(boolean),
        DeValue::Datetime(moment) => json!(moment.to_string()),
        DeValue::Array(array) => array.iter().map(|v| as_json(v.get_ref())).collect(),
        DeValue::Table(table) => {
            Value::Object(table.iter().map(|(k, v)| (k.get_ref().to_string(), as_json(v.get_ref()))).collect())
        }
    }
}

fn schema_accepts(text: &str) -> bool {
    let schema = schema();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let table = DeTable::parse(text).unwrap().into_inner();
    validator.is_valid(&as_json(&DeValue::Table(table)))
}

fn reader_accepts(text: &str) -> bool {
    Config::parse(text, SourceId::new(0)).is_ok()
}

/// The part of the schema that describes a table, and whether it must be an array.
fn described<'s>(schema: &'s Value, table: &Table) -> &'s Value {
    let name = table.header.trim_matches(['[', ']']);
    let part = &schema["properties"][name];
    if table.header.starts_with("[[") {
        assert_eq!(part["type"], "array", "{name}");
        &part["items"]
    } else {
        part
    }
}

#[test]
fn the_schema_is_a_valid_2020_12_schema() {
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
}

#[test]
fn the_schema_has_the_keys_of_the_reader_and_no_other() {
    let schema = schema();
    let keys = |part: &Value| -> BTreeSet<String> { part["properties"].as_object().unwrap().keys().cloned().collect() };
    let known = |table: &Table| -> BTreeSet<String> { table.keys.iter().map(|k| k.to_string()).collect() };
    assert_eq!(keys(&schema), known(&FILE));
    for table in TABLES {
        let part = described(&schema, table);
        assert_eq!(keys(part), known(table), "{}", table.header);
        assert_eq!(part["additionalProperties"], false, "{}", table.header);
    }
}

#[test]
fn every_key_of_the_list_is_read() {
    let no_value = "07:32:00";
    for key in FILE.keys {
        let found = mistakes(&format!("{key} = {no_value}\n"));
        assert!(found[0].contains(&format!("`{key}` must be ")), "{found:?}");
    }
    for table in TABLES {
        for key in table.keys {
            let found = mistakes(&format!("{}\n{key} = {no_value}\n", table.header));
            let place = format!("2:{}-2:{} `{key}` must be ", key.len() + 4, key.len() + 12);
            assert!(found.iter().any(|m| m.starts_with(&place)), "{found:?}");
        }
    }
}

#[test]
fn the_schema_requires_what_the_reader_misses() {
    let schema = schema();
    for table in TABLES.iter().filter(|table| table.header.starts_with("[[")) {
        let found = mistakes(&format!("{}\n", table.header));
        let missed: BTreeSet<&str> = found.iter().map(|m| m.rsplit('`').nth(1).unwrap()).collect();
        let required = described(&schema, table)["required"].as_array().unwrap();
        assert_eq!(missed, required.iter().map(|k| k.as_str().unwrap()).collect(), "{}", table.header);
    }
}

#[test]
fn every_key_is_described() {
    fn described(part: &Value, definitions: &Value) -> bool {
        let name = part["$ref"].as_str().and_then(|r| r.rsplit('/').next());
        part["description"].is_string() || name.is_some_and(|name| definitions[name]["description"].is_string())
    }
    fn visit(part: &Value, definitions: &Value) {
        for (key, property) in part["properties"].as_object().into_iter().flatten() {
            assert!(described(property, definitions), "{key}");
            visit(property, definitions);
            visit(&property["items"], definitions);
        }
    }
    let schema = schema();
    visit(&schema, &schema["$defs"]);
}

#[test]
fn schema_and_reader_accept_the_same() {
    let accepted = [
        EXAMPLE,
        "",
        "[organization]\naccounts-file = \"../accounts.json\"",
        "[[log-bucket]]\nname = \"Old_Bucket.name\"\nprefix = \"a/b\"\nreaders = \"none\"",
        "[[log-bucket]]\nname = \"logs\"\nreaders = []",
        "[[reader]]\naccount = \"000000000001\"\nlogs = \"own\"",
        "[limits]\nwarn-at = 1",
        "[rules]\nselect = []\nignore = [\"all\"]",
        "[[file]]\npath = \"**/scp-*.json\"\nkind = \"scp\"",
        "[[file]]\npath = \"scp.json\"\nkind = \"scp\"\nsubject = \"r-abcd\"",
        "[[allow]]\nrule = \"a\"\nsubject = \"*\"\nreason = \"r\"\nuntil = 2026-12-31",
    ];
    let refused = [
        "organisation = {}",
        "[organization]\nid = \"ou-abcd-12345678\"",
        "[organization]\nid = 1",
        "[organization]\naccounts = \"111111111111\"",
        "[organization]\naccounts = [\"1\"]",
        "[organization]\naccounts = []\naccounts-file = \"a\"",
        "[organization]\naccounts-file = \"\"",
        "[organization]\ncanonical-ids = { \"222222222222\" = \"222222222222\" }",
        "[organization]\ncanonical-ids = { abc = \"def\" }",
        "[organization]\ncanonical-ids = [\"abc\"]",
        "[[log-bucket]]\naccount = \"111111111111\"",
        "[[log-bucket]]\nname = \"s3://logs\"",
        "[[log-bucket]]\nname = \"no\"",
        "[[log-bucket]]\nname = \"logs\"\nprefix = \"a/\"",
        "[[log-bucket]]\nname = \"logs\"\nprefix = \"AWSLogs\"",
        "[[log-bucket]]\nname = \"logs\"\nprefix = \"a/AWSLogs/b\"",
        "[[log-bucket]]\nname = \"logs\"\norganization-trail = \"yes\"",
        "[[log-bucket]]\nname = \"logs\"\ntrails = [\"arn:aws:cloudtrail:us-east-1:111111111111:trail/*\"]",
        "[[log-bucket]]\nname = \"logs\"\ntrails = \"arn:aws:cloudtrail:us-east-1:111111111111:trail/a\"",
        "[[log-bucket]]\nname = \"logs\"\nreaders = \"all\"",
        "log-bucket = { name = \"logs\" }",
        "[[reader]]\nlogs = \"all\"",
        "[[reader]]\naccount = 111111111111",
        "[[reader]]\naccount = \"111111111111\"\nlogs = \"own-logs\"",
        "[[reader]]\naccount = \"111111111111\"\nname = \"x\"",
        "[[third-party]]\nname = \"\"\naccount = \"111111111111\"",
        "[[third-party]]\naccount = \"111111111111\"\nexternal-id-required = \"no\"",
        "[limits]\nwarn-at = 0",
        "[limits]\nwarn-at = 1.5",
        "[rules]\nselect = \"all\"",
        "[rules]\nlevel = { a = \"off\" }",
        "[[allow]]\nrule = \"a\"\nsubject = \"*\"",
        "[[allow]]\nrule = \"a\"\nsubject = \"*\"\nreason = \" \"",
        "[[allow]]\nrule = \"a\"\nsubject = \"*\"\nreason = \"r\"\nuntil = 2026-12-31T00:00:00Z",
        "[[file]]\npath = \"a.json\"",
        "[[file]]\npath = \"a.json\"\nkind = \"policy\"",
        "[[file]]\npath = \"a\\\\b.json\"\nkind = \"scp\"",
        "[[file]]\npath = \"*.json\"\nkind = \"scp\"\nsubject = \"r-abcd\"",
    ];
    for text in accepted {
        assert!(reader_accepts(text) && schema_accepts(text), "{text}");
    }
    for text in refused {
        assert_eq!((reader_accepts(text), schema_accepts(text)), (false, false), "{text}");
    }
}
