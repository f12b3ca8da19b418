//! trailproof tells a cloud security team, with proof, who can read their AWS CloudTrail logs.

pub mod aws;
pub mod estate;
pub mod policy;
pub mod syntax;
pub mod text;
