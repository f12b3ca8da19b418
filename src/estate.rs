//! One inventory of what was read, whatever its origin.
//!
//! Collectors fill it, everything after them only reads it. It knows no file formats beyond a policy document's
//! encodings and decides nothing about access.

mod builder;
mod document;
mod known;
mod managed;
mod model;
mod resources;

pub use builder::{Builder, Identity, IdentityKind, Part};
pub(crate) use document::unwrap;
pub use document::{Broken, Document, read_policy};
pub use known::{Gap, Known};
pub use managed::{ManagedText, built_in_policy};
pub use model::{
    Account, Estate, Group, InlinePolicy, ManagedPolicy, Member, NamedBy, Organization, OrganizationPolicy,
    OrganizationPolicyKind, Permissions, Role, Target, User,
};
pub use resources::{
    Acl, AclGrant, AclPermission, BlockPublicAccess, Bucket, BucketEncryption, Encryption, EventSelectors, Grant,
    GrantConstraints, Grantee, Key, KeyManager, KeyMetadata, ObjectOwnership, Trail, TrailStatus,
};
