//! The integration tests: one binary, one module for each concern.

mod cards;
mod decisions;
mod repository;
mod support;
