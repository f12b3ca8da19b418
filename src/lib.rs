//! trailproof tells a cloud security team, with proof, who can read their AWS CloudTrail logs.

pub mod audit;
pub mod aws;
pub mod collect;
pub mod estate;
pub mod finding;
pub mod policy;
pub mod rule;
pub mod syntax;
pub mod text;
