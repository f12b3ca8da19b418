//! What code scanning takes: when a report is over its limits, the worst findings are kept.

use std::cmp::Reverse;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::audit::{Report, Suppressed};
use crate::finding::Finding;

/// Results that GitHub accepts in one run.
const MAX_RESULTS: usize = 25_000;

/// Notifications that are written; GitHub names no limit, but they count in the size.
const MAX_NOTIFICATIONS: usize = 5_000;

/// Bytes, compressed, that GitHub accepts.
const MAX_COMPRESSED: u64 = 10_000_000;

/// With fewer results and notifications than this no report comes near [`MAX_COMPRESSED`].
const ALWAYS_FITS: usize = 1_000;

/// Results that are compressed to estimate the size of all.
const SAMPLE: usize = 1_000;

/// A finding, and the waiver that hides it.
#[derive(Clone, Copy)]
pub(super) struct Entry<'r> {
    pub(super) finding: &'r Finding,
    pub(super) waiver: Option<&'r Suppressed>,
}

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) results: usize,
    pub(super) notifications: usize,
}

impl Limits {
    /// The most that is accepted; `write` writes a report of given results and of so many notifications.
    ///
    /// # Errors
    /// Those of `write`.
    pub(super) fn of(
        report: &Report<'_>,
        write: impl Fn(&mut dyn Write, &[Entry<'_>], usize) -> io::Result<()>,
    ) -> io::Result<Limits> {
        Self::below(MAX_COMPRESSED, report, write)
    }

    fn below(
        most: u64,
        report: &Report<'_>,
        write: impl Fn(&mut dyn Write, &[Entry<'_>], usize) -> io::Result<()>,
    ) -> io::Result<Limits> {
        let results = report.findings.len() + report.suppressed.len();
        let notifications = report.gaps.len() + report.notes.len();
        let mut limits =
            Limits { results: results.min(MAX_RESULTS), notifications: notifications.min(MAX_NOTIFICATIONS) };
        while limits.results + limits.notifications > ALWAYS_FITS {
            let entries = kept(report, limits.results);
            let step = entries.len().div_ceil(SAMPLE).max(1);
            let sample: Vec<Entry<'_>> = entries.iter().step_by(step).copied().collect();
            let size = compressed(|out| write(out, &sample, limits.notifications))?;
            if size.saturating_mul(step as u64) <= most / 2 {
                break;
            }
            let size = compressed(|out| write(out, &entries, limits.notifications))?;
            if size <= most {
                break;
            }
            let scaled = |count: usize| (count as u64 * most / size * 19 / 20) as usize;
            limits = Limits { results: scaled(limits.results), notifications: scaled(limits.notifications) };
        }
        Ok(limits)
    }
}

/// The compressed size of what `write` writes; the uploader compresses no worse than this.
fn compressed(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<u64> {
    let mut encoder = GzEncoder::new(Count(0), Compression::fast());
    {
        let mut buffered = io::BufWriter::with_capacity(64 * 1024, &mut encoder);
        write(&mut buffered)?;
        buffered.flush()?;
    }
    Ok(encoder.finish()?.0)
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The `most` worst findings in the order of the report, then the suppressed ones as far as there is room.
pub(super) fn kept<'r>(report: &'r Report<'_>, most: usize) -> Vec<Entry<'r>> {
    let findings = report.findings.iter().map(|finding| Entry { finding, waiver: None });
    let suppressed = report.suppressed.iter().map(|s| Entry { finding: &s.finding, waiver: Some(s) });
    let entries: Vec<Entry<'r>> = findings.chain(suppressed).collect();
    if entries.len() <= most {
        return entries;
    }
    let mut worst: Vec<(usize, Entry<'r>)> = entries.into_iter().enumerate().collect();
    worst.sort_by_key(|(_, entry)| (entry.waiver.is_some(), Reverse(entry.finding.level)));
    worst.truncate(most);
    worst.sort_unstable_by_key(|(index, _)| *index);
    worst.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Fingerprint, Label, Level, Subject, SubjectKind};
    use crate::text::{SourceId, SourceMap, Span};

    fn finding(level: Level, number: usize) -> Finding {
        Finding {
            rule: "x",
            level,
            message: number.to_string(),
            subject: Subject { kind: SubjectKind::Role, arn: None, file: None, account: None, name: String::new() },
            primary: Label::new(Span::file(SourceId::new(0)), ""),
            related: Vec::new(),
            path: Vec::new(),
            witness: None,
            depends_on: Vec::new(),
            help: None,
            sid: None,
            statement: None,
            about: Vec::new(),
            fingerprint: Fingerprint::of([]),
        }
    }

    fn report(sources: &SourceMap, count: usize) -> Report<'_> {
        let levels = [Level::Note, Level::Error, Level::Warning];
        Report {
            sources,
            data_version: "2026-11",
            rules: Vec::new(),
            findings: (0..count).map(|number| finding(levels[number % 3], number)).collect(),
            gaps: Vec::new(),
            suppressed: vec![Suppressed {
                finding: finding(Level::Error, count),
                reason: String::new(),
                until: None,
                span: Span::file(SourceId::new(0)),
            }],
            summary: crate::audit::Summary::default(),
            set_aside: Vec::new(),
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn the_worst_are_kept_in_their_order_and_waived_findings_go_first() {
        let sources = SourceMap::new();
        let report = report(&sources, 6);
        let kept = |most| kept(&report, most).iter().map(|e| e.finding.message.clone()).collect::<Vec<_>>().join("");
        assert_eq!([kept(9), kept(6), kept(5), kept(3), kept(0)].join(" "), "0123456 012345 01245 124 ");
    }

    #[test]
    fn a_report_that_would_be_too_large_is_cut_until_it_fits() {
        let sources = SourceMap::new();
        let report = report(&sources, 30_000);
        // A hundred bytes that do not compress for each result.
        let write = |out: &mut dyn Write, entries: &[Entry<'_>], _: usize| {
            entries.iter().try_for_each(|entry| {
                let mut state = entry.finding.message.parse::<u64>().unwrap_or(0);
                let noise: Vec<u8> = (0..100)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        (state >> 56) as u8
                    })
                    .collect();
                out.write_all(&noise)
            })
        };
        let most = |bytes| Limits::below(bytes, &report, write).unwrap().results;
        assert_eq!(most(10_000_000), MAX_RESULTS);
        assert!((18_000..20_000).contains(&most(2_000_000)), "{}", most(2_000_000));
        // Between half of what is accepted and all of it the estimate does not count.
        assert_eq!(most(2_600_000), MAX_RESULTS);
    }
}
