//! Reports of many findings in each format: the time for each must not grow with their number.
//!
//! `cargo bench --bench report` prints findings per second for 12,500, 25,000 and 50,000 of them (SARIF keeps 25,000),
//! with the source in lines and in one line.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that panics has nothing to measure"
)]

#[path = "../tests/it/reports/samples.rs"]
mod samples;

use std::io::{BufWriter, sink};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trailproof::report::{Format, TextOptions, write};

fn formats(criterion: &mut Criterion) {
    for format in Format::ALL {
        let mut group = criterion.benchmark_group(format.name());
        group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));
        for (name, lines) in [("lines", true), ("one line", false)] {
            for count in [12_500, 25_000, 50_000] {
                let sources = samples::many_sources(count, lines);
                let report = samples::many(&sources);
                group.throughput(Throughput::Elements(count as u64));
                group.bench_function(BenchmarkId::new(name, count), |bencher| {
                    bencher.iter(|| {
                        let mut out = BufWriter::new(sink());
                        write(&mut out, format, &report, &TextOptions::default()).expect("nothing fails to be dropped")
                    });
                });
            }
        }
        // Excerpts for all, as `-v` asks for.
        if format == Format::Text {
            let options = TextOptions { excerpts: None, ..TextOptions::default() };
            for count in [5_000, 10_000] {
                let sources = samples::many_sources(count, false);
                let report = samples::many(&sources);
                group.throughput(Throughput::Elements(count as u64));
                group.bench_function(BenchmarkId::new("in full", count), |bencher| {
                    bencher
                        .iter(|| write(&mut sink(), format, &report, &options).expect("nothing fails to be dropped"));
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, formats);
criterion_main!(benches);
