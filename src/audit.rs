//! From facts to a report: runs the selected rules on every subject.

mod report;

pub use report::{Report, ReportedGap, RuleFacts, Summary, Suppressed};
