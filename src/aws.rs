//! The vocabulary of AWS: account IDs, ARNs, action names, condition keys, and the service data that ships with the tool.

mod account;
mod arn;
mod deputies;
mod issuers;
pub mod managed;
mod name;
pub mod services;

pub use account::{AccountId, is_organization_id};
pub use arn::{Arn, partition_of};
pub use deputies::documented_source;
pub use issuers::{SharedIssuer, shared_issuer};
pub use name::{ActionName, ConditionKey};

/// The service principal of CloudTrail, the same in every Region and partition.
pub const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";
