//! The formats of the access matrix: what stands in them, checked against the contract, schemas and other readers.

mod browser;
mod csv;
mod html;
mod json;
mod markdown;
pub(crate) mod samples;
mod text;
mod why;
