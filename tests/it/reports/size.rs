//! Reports of many findings take time in proportion to their number.

use std::time::{Duration, Instant};

use trailproof::report::{Format, TextOptions, write};

use super::samples;

/// The shortest of three runs.
fn time(format: Format, count: usize, options: &TextOptions) -> Duration {
    let sources = samples::many_sources(count, false);
    let report = samples::many(&sources);
    let once = || {
        let start = Instant::now();
        write(&mut std::io::sink(), format, &report, options).unwrap();
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

/// Twenty times as many findings may take four times as long each, which leaves room for a busy machine; anything that
/// looks at all findings, or at the whole file, for each finding would take twenty times as long each.
#[test]
fn time_grows_with_the_number_of_findings_and_no_faster() {
    let full = TextOptions { excerpts: None, ..TextOptions::default() };
    for (format, options, few) in [
        (Format::Text, TextOptions::default(), 500),
        (Format::Text, full, 100),
        (Format::Json, full, 200),
        (Format::Sarif, full, 60),
    ] {
        let (small, large) = (time(format, few, &options), time(format, few * 20, &options));
        assert!(
            large < small * 80 + Duration::from_millis(50),
            "{format}: {few} in {small:?}, {} in {large:?}",
            few * 20
        );
    }
}
