//! The integration tests: one binary, one module for each concern.
mod reports;
mod sarif;
