//! The vocabulary of AWS: account IDs, ARNs, action names, condition keys, and the service data that ships with the tool.

mod account;
mod arn;
mod cloudtrail;
pub mod managed;
mod name;
pub mod services;

pub use account::{AccountId, is_organization_id};
pub use arn::{Arn, partition_of};
pub use cloudtrail::{CLOUDTRAIL, is_cloudtrail, legacy_cloudtrail_account};
pub use name::{ActionName, ConditionKey};
