//! The integration tests: one binary, one module for each concern.

mod cards;
mod decisions;
mod origins;
mod policies;
mod reports;
mod repository;
mod sarif;
mod support;
