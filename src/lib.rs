//! trailproof tells a cloud security team, with proof, who can read their AWS CloudTrail logs.
//!
//! A run goes one way: [`collect`] reads files into an [`estate::Estate`], [`model::Model`] says who may read what,
//! [`audit::Audit`] runs the [`rules`], and [`report`] writes what they found. ARCHITECTURE.md has the map of the rooms.

#![cfg_attr(test, allow(clippy::string_slice, reason = "tests slice texts of their own"))]

pub mod access;
pub mod audit;
pub mod aws;
pub mod cli;
pub mod collect;
pub mod config;
pub mod estate;
pub mod finding;
pub mod model;
pub mod policy;
pub mod report;
pub mod rule;
pub mod rules;
pub mod syntax;
pub mod text;
