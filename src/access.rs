//! Who can do what.
//!
//! [`mod@evaluate`] decides one concrete request and has the last word; [`search`] looks for requests worth asking
//! about. Both are pure: they see policies and requests, never files.

pub mod actor;
pub mod allowance;
pub mod bucket;
pub mod delivery;
pub mod evaluate;
pub mod kms;
pub mod lock;
pub mod objects;
pub mod oracle;
pub mod organization;
pub mod outsiders;
pub mod pattern_set;
pub mod principals;
pub mod reach;
pub mod read;
pub mod request;
pub mod s3;
pub mod search;
pub mod sts;
