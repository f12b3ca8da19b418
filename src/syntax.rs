//! Concrete syntax to trees with places. No knowledge of AWS.

pub mod json;
pub mod pointer;
