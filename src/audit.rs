//! From facts to a report: runs the selected rules on every subject.

mod disputed;
mod hearing;
pub mod link;
mod report;
mod run;
mod waivers;

pub use report::{Report, ReportedGap, RuleFacts, Summary, Suppressed};
pub use run::Audit;
