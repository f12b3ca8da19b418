//! The vocabulary of AWS: account IDs, ARNs, action names, condition keys, and the service data that ships with the tool.

mod account;
mod arn;
mod cloudtrail;
mod deputies;
mod issuers;
pub mod managed;
mod name;
pub mod services;

pub use account::{AccountId, is_organization_id};
pub use arn::{Arn, partition_of};
pub use cloudtrail::{CLOUDTRAIL, is_cloudtrail, legacy_cloudtrail_account};
pub use deputies::documented_source;
pub use issuers::{SharedIssuer, shared_issuer};
pub use name::{ActionName, ConditionKey};
