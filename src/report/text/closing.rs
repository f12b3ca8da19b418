//! What stands below the findings: remarks, what was not known, what waivers hide, and the summary.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::pen::{Pen, Style, count};
use super::{TextOptions, place};
use crate::audit::{Report, ReportedGap};
use crate::finding::{Level, Subject};
use crate::report::visible;

/// Subjects whose gaps are listed unless all are asked for.
const SHOWN_SUBJECTS: usize = 5;

/// Remarks that are listed unless all are asked for.
const SHOWN_REMARKS: usize = 10;

/// Places that are shown for one gap with several unless all are asked for.
const SHOWN_PLACES: usize = 3;

/// Rules that are named for one gap unless all are asked for.
const SHOWN_RULES: usize = 3;

/// Adds all that follows the findings but the summary line.
pub(super) fn push(out: &mut String, report: &Report<'_>, options: &TextOptions, pen: Pen) {
    push_remarks(out, report, options, pen);
    push_gaps(out, report, options, pen);
    push_suppressed(out, report, options, pen);
}

fn push_remarks(out: &mut String, report: &Report<'_>, options: &TextOptions, pen: Pen) {
    let most = if options.verbose { usize::MAX } else { SHOWN_REMARKS };
    for note in report.notes.iter().take(most) {
        pen.paragraph(out, 0, (Style::Faint, "info: "), &visible(note));
    }
    let rest = report.notes.len().saturating_sub(most);
    if rest > 0 {
        pen.paragraph(out, 0, (Style::Faint, "info: "), &format!("… and {rest} more (-v shows them)"));
    }
    if !report.notes.is_empty() {
        out.push('\n');
    }
}

fn push_gaps(out: &mut String, report: &Report<'_>, options: &TextOptions, pen: Pen) {
    if report.gaps.is_empty() {
        return;
    }
    let mut subjects: Vec<(&Subject, Vec<&ReportedGap>)> = Vec::new();
    let mut numbers: BTreeMap<&Subject, usize> = BTreeMap::new();
    for gap in &report.gaps {
        let number = *numbers.entry(&gap.subject).or_insert(subjects.len());
        match subjects.get_mut(number) {
            Some((_, gaps)) => gaps.push(gap),
            None => subjects.push((&gap.subject, vec![gap])),
        }
    }
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", pen.paint(Style::Strong, "not known:"));
    let most = if options.verbose { usize::MAX } else { SHOWN_SUBJECTS };
    for (subject, gaps) in subjects.iter().take(most) {
        let file = subject.file.as_deref().filter(|file| *file != subject.name);
        let file = file.map(|file| format!(" ({})", visible(file))).unwrap_or_default();
        let _ = writeln!(out, "  {} `{}`{file}", subject.kind.name(), visible(&subject.name));
        for gap in gaps {
            let text = format!("{}{}", visible(&gap.reason), blocked(gap, options.verbose));
            pen.paragraph(out, 4, (Style::Strong, &format!("{}: ", visible(&gap.fact))), &text);
            push_places(out, report, gap, options.verbose);
        }
    }
    let rest: usize = subjects.iter().skip(most).map(|(_, gaps)| gaps.len()).sum();
    if rest > 0 {
        let of = count(subjects.len().saturating_sub(most), "subject");
        let _ = writeln!(out, "  … and {} of {of} more (-v lists them)", count(rest, "fact"));
    }
    out.push('\n');
}

/// The places of a gap: one is for `-v`, of several each is needed to tell what they disagree on.
fn push_places(out: &mut String, report: &Report<'_>, gap: &ReportedGap, all: bool) {
    let most = match gap.places.len() {
        _ if all => usize::MAX,
        0 | 1 => 0,
        _ => SHOWN_PLACES,
    };
    // Writing to a string does not fail.
    for span in gap.places.iter().take(most) {
        let _ = writeln!(out, "      {}", place(report, *span));
    }
    let rest = gap.places.len().saturating_sub(most);
    if most > 0 && rest > 0 {
        let _ = writeln!(out, "      … and {rest} more (-v shows them)");
    }
}

/// The rules that a gap leaves undecided, in brackets.
fn blocked(gap: &ReportedGap, all: bool) -> String {
    let most = if all || gap.blocks.len() == SHOWN_RULES + 1 { usize::MAX } else { SHOWN_RULES };
    let rules: Vec<&str> = gap.blocks.iter().copied().take(most).collect();
    let rest = gap.blocks.len() - rules.len();
    match (rules.is_empty(), rest) {
        (true, _) => String::new(),
        (false, 0) => format!(" (undecided: {})", rules.join(", ")),
        (false, _) => format!(" (undecided: {} and {rest} more)", rules.join(", ")),
    }
}

fn push_suppressed(out: &mut String, report: &Report<'_>, options: &TextOptions, pen: Pen) {
    if report.suppressed.is_empty() || !options.verbose {
        return;
    }
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", pen.paint(Style::Strong, "hidden by waivers:"));
    for suppressed in &report.suppressed {
        let finding = &suppressed.finding;
        let until = suppressed.until.as_deref().map(|day| format!(" until {day}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "  {}[{}] {} {}",
            finding.level,
            finding.rule,
            place(report, finding.primary.span),
            visible(&finding.message)
        );
        let waiver = format!("{} ({}{until})", visible(&suppressed.reason), place(report, suppressed.span));
        pen.paragraph(out, 4, (Style::Faint, "reason: "), &waiver);
    }
    out.push('\n');
}

/// The result in one line: `3 errors, 1 warning in 12 files (5 subjects audited, 2 facts not known)`.
///
/// `hint` says how to see gaps that were not listed.
pub(super) fn summary(report: &Report<'_>, pen: Pen, hint: bool) -> String {
    let counts = &report.summary;
    let levels = [(Level::Error, counts.errors), (Level::Warning, counts.warnings), (Level::Note, counts.notes)];
    let found: Vec<String> = levels
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(level, number)| pen.paint(Style::Level(level), &count(number, level.name())))
        .collect();
    if counts.files == 0 {
        return pen.paint(Style::Strong, "nothing was audited");
    }
    let (files, subjects) = (count(counts.files, "file"), count(counts.subjects, "subject"));
    let mut more = Vec::new();
    if counts.gaps > 0 {
        let hint = if hint { " (run with -v to see them)" } else { "" };
        more.push(format!("{} not known{hint}", count(counts.gaps, "fact")));
    }
    if counts.suppressed > 0 {
        more.push(format!("{} hidden by waivers", count(counts.suppressed, "finding")));
    }
    if counts.set_aside > 0 {
        more.push(format!("{} set aside", count(counts.set_aside, "subject")));
    }
    if found.is_empty() {
        let head = pen.paint(Style::Strong, "no findings");
        more.insert(0, format!("{head}: {files}, {subjects} audited"));
        return more.join("; ");
    }
    more.insert(0, format!("{subjects} audited"));
    format!("{} in {files} ({})", found.join(", "), more.join(", "))
}

/// Whether gaps are left unlisted.
pub(super) fn has_unlisted_gaps(report: &Report<'_>, options: &TextOptions) -> bool {
    let mut seen: Vec<&Subject> = Vec::new();
    !report.gaps.is_empty()
        && !options.verbose
        && (options.quiet
            || report.gaps.iter().any(|gap| {
                if !seen.contains(&&*gap.subject) {
                    seen.push(&gap.subject);
                }
                seen.len() > SHOWN_SUBJECTS
            }))
}
