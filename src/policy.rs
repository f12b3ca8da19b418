//! The IAM policy language: documents with places, patterns, variables, conditions and sizes.
//!
//! Parsing recovers: every mistake is reported and one bad statement does not hide the others. Nothing here decides who
//! has access.

pub mod ast;
pub mod condition;
mod kind;
pub mod operator;
mod parse;
pub mod pattern;
mod principal;
mod problem;
mod size;
pub mod template;
mod values;

pub use ast::{Clause, Effect, Entries, Policy, PolicyKind, PrincipalEntry, Principals, Standing, Statement, Version};
pub use kind::kind_of;
pub use parse::parse;
pub use principal::{Principal, PrincipalKind};
pub use problem::{Problem, ProblemKind};
pub use size::Size;
pub(crate) use values::{instant, network};
