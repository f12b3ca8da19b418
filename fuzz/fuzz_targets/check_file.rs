//! Any bytes as a file: the whole way from collecting to every report, as `check` goes it.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use trailproof::audit::Audit;
use trailproof::collect::{Options, collect};
use trailproof::model::{Model, starter};
use trailproof::report::{Format, TextOptions, write};
use trailproof::rule::Selection;
use trailproof::rules::RULES;

fuzz_target!(|bytes: &[u8]| {
    let options = Options { jobs: 1, cwd: PathBuf::from("/"), ..Options::default() };
    let mut input = bytes;
    let Ok(mut collected) = collect(&[PathBuf::from("-")], &mut input, &options) else { return };
    let model = Model::new(&collected.estate, None, None);
    if let Some(owner) = model.owner() {
        collected.estate.settle(owner);
    }
    starter(&collected.estate, &model);
    let all = ["all".to_owned()];
    let Ok(selection) = Selection::new(&RULES, &all, &[]) else { return };
    let Ok(today) = time::Date::from_calendar_date(2026, time::Month::November, 21) else { return };
    let audit = Audit {
        estate: &collected.estate,
        model: &model,
        config: None,
        selection: &selection,
        today,
        files: collected.files,
    };
    let report = audit.run();
    for format in Format::ALL {
        let mut out = Vec::new();
        assert!(write(&mut out, format, &report, &TextOptions::default()).is_ok());
        assert!(format != Format::Text || !out.iter().any(|b| *b == 0x1b || *b == 0), "a control character is printed");
        if format.is_for_machines() {
            assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok(), "a report is not JSON");
        }
    }
});
