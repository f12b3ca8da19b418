//! The integration tests: one binary, one module for each concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that panics has failed, and says why"
)]

mod access_report;
mod access_variants;
mod advice;
mod allocations;
mod cards;
mod cli;
mod collect;
mod decisions;
mod differential;
mod disputed;
mod hard;
mod link;
#[cfg(feature = "live")]
mod live;
mod oracle;
mod origins;
mod policies;
mod reports;
mod repository;
mod sarif;
mod support;
mod usage;
