//! The formats of a report: what stands in them, checked against the contract, schemas and independent computations.

mod any;
mod json;
pub(crate) mod samples;
mod size;
mod text;
