//! trailproof tells a cloud security team, with proof, who can read their AWS CloudTrail logs.

pub mod aws;
pub mod config;
pub mod syntax;
pub mod text;
