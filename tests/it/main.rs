//! The integration tests: one binary, one module for each concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and helpers are part of it"
)]

mod cards;
mod decisions;
mod origins;
mod policies;
mod reports;
mod repository;
mod sarif;
mod support;
