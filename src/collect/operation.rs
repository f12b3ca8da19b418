//! The AWS calls whose answers are read, under every name they go by in files.
//!
//! Sources: the S3, KMS, IAM, CloudTrail and Organizations API references (names and error codes), the AWS CLI command
//! reference (commands).

use crate::estate::IdentityKind;

/// A call whose answer tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Operation {
    GetBucketPolicy,
    GetBucketPolicyStatus,
    GetBucketOwnershipControls,
    GetBucketAcl,
    GetBucketEncryption,
    GetPublicAccessBlock,
    GetBucketLocation,
    GetBucketVersioning,
    GetBucketLogging,
    GetObjectLockConfiguration,
    ListBuckets,
    DescribeKey,
    GetKeyPolicy,
    GetKeyRotationStatus,
    ListGrants,
    ListAliases,
    DescribeTrails,
    ListTrails,
    GetTrail,
    GetTrailStatus,
    GetEventSelectors,
    DescribeOrganization,
    ListAccounts,
    DescribePolicy,
    ListTargetsForPolicy,
    ListParents,
    GetAccountAuthorizationDetails,
    ListRoles,
    ListUsers,
    ListGroups,
    GetRole,
    GetRolePolicy,
    ListRolePolicies,
    ListAttachedRolePolicies,
    GetUser,
    GetUserPolicy,
    ListUserPolicies,
    ListAttachedUserPolicies,
    ListGroupsForUser,
    GetGroup,
    GetGroupPolicy,
    ListGroupPolicies,
    ListAttachedGroupPolicies,
    GetPolicy,
    GetPolicyVersion,
}

use Operation as Op;

/// Each operation with its name in the API, its AWS CLI command, and the name of its file in a snapshot's folder.
const NAMES: [(Operation, &str, &str, &str); 45] = [
    (Op::GetBucketPolicy, "GetBucketPolicy", "get-bucket-policy", "policy"),
    (Op::GetBucketPolicyStatus, "GetBucketPolicyStatus", "get-bucket-policy-status", "policy-status"),
    (
        Op::GetBucketOwnershipControls,
        "GetBucketOwnershipControls",
        "get-bucket-ownership-controls",
        "ownership-controls",
    ),
    (Op::GetBucketAcl, "GetBucketAcl", "get-bucket-acl", "acl"),
    (Op::GetBucketEncryption, "GetBucketEncryption", "get-bucket-encryption", "encryption"),
    (Op::GetPublicAccessBlock, "GetPublicAccessBlock", "get-public-access-block", "public-access-block"),
    (Op::GetBucketLocation, "GetBucketLocation", "get-bucket-location", "location"),
    (Op::GetBucketVersioning, "GetBucketVersioning", "get-bucket-versioning", "versioning"),
    (Op::GetBucketLogging, "GetBucketLogging", "get-bucket-logging", "logging"),
    (Op::GetObjectLockConfiguration, "GetObjectLockConfiguration", "get-object-lock-configuration", "object-lock"),
    (Op::ListBuckets, "ListBuckets", "list-buckets", "buckets"),
    (Op::DescribeKey, "DescribeKey", "describe-key", "key"),
    (Op::GetKeyPolicy, "GetKeyPolicy", "get-key-policy", "policy"),
    (Op::GetKeyRotationStatus, "GetKeyRotationStatus", "get-key-rotation-status", "rotation"),
    (Op::ListGrants, "ListGrants", "list-grants", "grants"),
    (Op::ListAliases, "ListAliases", "list-aliases", "aliases"),
    (Op::DescribeTrails, "DescribeTrails", "describe-trails", "trails"),
    (Op::ListTrails, "ListTrails", "list-trails", "trails"),
    (Op::GetTrail, "GetTrail", "get-trail", "trail"),
    (Op::GetTrailStatus, "GetTrailStatus", "get-trail-status", "status"),
    (Op::GetEventSelectors, "GetEventSelectors", "get-event-selectors", "event-selectors"),
    (Op::DescribeOrganization, "DescribeOrganization", "describe-organization", "organization"),
    (Op::ListAccounts, "ListAccounts", "list-accounts", "accounts"),
    (Op::DescribePolicy, "DescribePolicy", "describe-policy", "policy"),
    (Op::ListTargetsForPolicy, "ListTargetsForPolicy", "list-targets-for-policy", "targets"),
    (Op::ListParents, "ListParents", "list-parents", "parents"),
    (
        Op::GetAccountAuthorizationDetails,
        "GetAccountAuthorizationDetails",
        "get-account-authorization-details",
        "account-authorization-details",
    ),
    (Op::ListRoles, "ListRoles", "list-roles", "roles"),
    (Op::ListUsers, "ListUsers", "list-users", "users"),
    (Op::ListGroups, "ListGroups", "list-groups", "groups"),
    (Op::GetRole, "GetRole", "get-role", "role"),
    (Op::GetRolePolicy, "GetRolePolicy", "get-role-policy", "role-policy"),
    (Op::ListRolePolicies, "ListRolePolicies", "list-role-policies", "policies"),
    (Op::ListAttachedRolePolicies, "ListAttachedRolePolicies", "list-attached-role-policies", "attached-policies"),
    (Op::GetUser, "GetUser", "get-user", "user"),
    (Op::GetUserPolicy, "GetUserPolicy", "get-user-policy", "user-policy"),
    (Op::ListUserPolicies, "ListUserPolicies", "list-user-policies", "policies"),
    (Op::ListAttachedUserPolicies, "ListAttachedUserPolicies", "list-attached-user-policies", "attached-policies"),
    (Op::ListGroupsForUser, "ListGroupsForUser", "list-groups-for-user", "groups"),
    (Op::GetGroup, "GetGroup", "get-group", "group"),
    (Op::GetGroupPolicy, "GetGroupPolicy", "get-group-policy", "group-policy"),
    (Op::ListGroupPolicies, "ListGroupPolicies", "list-group-policies", "policies"),
    (Op::ListAttachedGroupPolicies, "ListAttachedGroupPolicies", "list-attached-group-policies", "attached-policies"),
    (Op::GetPolicy, "GetPolicy", "get-policy", "policy"),
    (Op::GetPolicyVersion, "GetPolicyVersion", "get-policy-version", "policy-version"),
];

impl Operation {
    /// The operation of that name in the API, as error lines have it.
    pub(super) fn from_api(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, api, _, _)| *api == name).map(|row| row.0)
    }

    /// The AWS CLI command.
    pub(super) fn command(self) -> &'static str {
        self.row().2
    }

    /// What its file is called in a snapshot.
    pub(super) fn snapshot(self) -> &'static str {
        self.row().3
    }

    /// The operations of a folder of a snapshot.
    pub(super) fn in_folder(folder: Folder) -> &'static [Operation] {
        match folder {
            Folder::Bucket => &[
                Op::GetBucketPolicy,
                Op::GetBucketPolicyStatus,
                Op::GetBucketOwnershipControls,
                Op::GetBucketAcl,
                Op::GetBucketEncryption,
                Op::GetPublicAccessBlock,
                Op::GetBucketLocation,
                Op::GetBucketVersioning,
                Op::GetBucketLogging,
                Op::GetObjectLockConfiguration,
            ],
            Folder::Key => {
                &[Op::DescribeKey, Op::GetKeyPolicy, Op::GetKeyRotationStatus, Op::ListGrants, Op::ListAliases]
            }
            Folder::Trail => &[Op::GetTrail, Op::GetTrailStatus, Op::GetEventSelectors],
            Folder::Trails => &[Op::DescribeTrails],
            Folder::Organization => &[Op::DescribeOrganization, Op::ListAccounts],
            Folder::OrganizationPolicy => &[Op::DescribePolicy, Op::ListTargetsForPolicy],
            Folder::Account => &[Op::GetPublicAccessBlock],
            Folder::Iam => &[Op::GetAccountAuthorizationDetails],
            Folder::Role => &[Op::GetRole, Op::ListRolePolicies, Op::ListAttachedRolePolicies],
            Folder::User => &[Op::GetUser, Op::ListUserPolicies, Op::ListAttachedUserPolicies, Op::ListGroupsForUser],
            Folder::Group => &[Op::GetGroup, Op::ListGroupPolicies, Op::ListAttachedGroupPolicies],
            Folder::ManagedPolicy => &[Op::GetPolicy, Op::GetPolicyVersion],
        }
    }

    /// Which operation a file is the answer of, by its name alone: its stem is the command, or the command stands before
    /// or behind the name of something.
    pub(super) fn of_stem(stem: &str) -> Option<Self> {
        // Every command begins with one of these.
        let is_verb = |three: &[u8]| [b"get", b"lis", b"des"].iter().any(|verb| three.eq_ignore_ascii_case(*verb));
        if !stem.as_bytes().windows(3).any(is_verb) {
            return None;
        }
        let fits =
            |command: &str| is(stem, command) || behind(stem, command).or_else(|| before(stem, command)).is_some();
        // The longest, since `get-bucket-policy` begins `get-bucket-policy-status`.
        NAMES.iter().filter(|(_, _, command, _)| fits(command)).max_by_key(|row| row.2.len()).map(|row| row.0)
    }

    /// Whether an error code says that what was asked for is not configured, and not that it could not be read.
    ///
    /// Sources: S3 API Reference, "Error responses"; KMS and Organizations API references.
    pub(super) fn is_absence(self, code: &str) -> bool {
        match self {
            Op::GetBucketPolicy | Op::GetBucketPolicyStatus => code == "NoSuchBucketPolicy",
            Op::GetBucketOwnershipControls => code == "OwnershipControlsNotFoundError",
            Op::GetBucketEncryption => code == "ServerSideEncryptionConfigurationNotFoundError",
            Op::GetPublicAccessBlock => code == "NoSuchPublicAccessBlockConfiguration",
            Op::GetObjectLockConfiguration => code == "ObjectLockConfigurationNotFoundError",
            Op::GetKeyRotationStatus => code == "UnsupportedOperationException",
            Op::DescribeOrganization | Op::ListAccounts => code == "AWSOrganizationsNotInUseException",
            _ => false,
        }
    }

    /// The kind of principal that it is about, where it is about one role, user or group.
    pub(super) fn identity_kind(self) -> Option<IdentityKind> {
        Some(match self {
            Op::GetRole | Op::GetRolePolicy | Op::ListRolePolicies | Op::ListAttachedRolePolicies => IdentityKind::Role,
            Op::GetUser
            | Op::GetUserPolicy
            | Op::ListUserPolicies
            | Op::ListAttachedUserPolicies
            | Op::ListGroupsForUser => IdentityKind::User,
            Op::GetGroup | Op::GetGroupPolicy | Op::ListGroupPolicies | Op::ListAttachedGroupPolicies => {
                IdentityKind::Group
            }
            _ => return None,
        })
    }

    /// The fact that is not known when an answer that is no fact of one resource could not be had.
    pub(super) fn fact(self) -> &'static str {
        match self {
            Op::GetAccountAuthorizationDetails => "account.authorization-details",
            Op::ListBuckets => "account.buckets",
            Op::DescribeTrails | Op::ListTrails | Op::GetTrail => "account.trails",
            Op::ListRoles => "account.roles",
            Op::ListUsers => "account.users",
            Op::ListGroups => "account.groups",
            Op::ListAliases => "key.aliases",
            Op::DescribePolicy => "organization-policy.document",
            Op::ListParents => "organization.parents",
            Op::GetRole => "role.description",
            Op::GetUser => "user.description",
            Op::GetGroup => "group.description",
            Op::GetPolicy => "managed-policy.description",
            _ => "input.answer",
        }
    }

    fn row(self) -> (Operation, &'static str, &'static str, &'static str) {
        NAMES.iter().find(|row| row.0 == self).copied().unwrap_or((self, "", "", ""))
    }
}

/// The folders of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    Bucket,
    Key,
    Trail,
    Trails,
    Organization,
    OrganizationPolicy,
    Account,
    Iam,
    Role,
    User,
    Group,
    ManagedPolicy,
}

/// Whether a stem is that label; case does not count, and `_`, `.` and spaces are as good as `-`.
pub(super) fn is(stem: &str, label: &str) -> bool {
    stem.len() == label.len() && stem.bytes().zip(label.bytes()).all(|(found, wanted)| plain(found) == wanted)
}

/// What stands in front of a label at the end of a stem: `reader` in `reader-trust`.
pub(super) fn before<'s>(stem: &'s str, label: &str) -> Option<&'s str> {
    let cut = stem.len().checked_sub(label.len() + 1)?;
    // Many labels are tried on one stem: most fail here.
    stem.as_bytes().get(cut).filter(|joint| plain(**joint) == b'-')?;
    let (name, end) = stem.split_at_checked(cut)?;
    let fits = end.get(1..).is_some_and(|found| is(found, label));
    fits.then(|| name.trim_end_matches(JOINTS)).filter(|name| !name.is_empty())
}

/// What stands behind a label at the beginning of a stem: `reader` in `get-role-reader`.
pub(super) fn behind<'s>(stem: &'s str, label: &str) -> Option<&'s str> {
    let (start, name) = stem.split_at_checked(label.len() + 1)?;
    let (found, joint) = start.split_at_checked(label.len())?;
    let fits = is(joint, "-") && is(found, label);
    fits.then(|| name.trim_start_matches(JOINTS)).filter(|name| !name.is_empty())
}

const JOINTS: [char; 4] = ['-', '_', '.', ' '];

fn plain(byte: u8) -> u8 {
    if matches!(byte, b'_' | b'.' | b' ') { b'-' } else { byte.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_row_and_every_name_is_its_own() {
        for (operation, api, command, _) in NAMES {
            assert_eq!(Operation::from_api(api), Some(operation));
            assert_eq!(Operation::of_stem(command), Some(operation));
            let words: String =
                command.split('-').map(|word| format!("{}{}", &word[..1].to_uppercase(), &word[1..])).collect();
            assert_eq!(words, api);
        }
    }

    #[test]
    fn a_command_may_stand_before_or_behind_a_name() {
        let cases = [
            ("get-bucket-policy-status", Some(Op::GetBucketPolicyStatus)),
            ("logs-get-bucket-policy", Some(Op::GetBucketPolicy)),
            ("GET-BUCKET-ACL_logs", Some(Op::GetBucketAcl)),
            ("list-attached-role-policies.reader", Some(Op::ListAttachedRolePolicies)),
            ("policy", None),
            ("forget-role", None),
        ];
        for (stem, expected) in cases {
            assert_eq!(Operation::of_stem(stem), expected, "{stem}");
        }
    }

    #[test]
    fn only_the_code_that_belongs_to_an_operation_says_that_something_is_not_configured() {
        assert!(Op::GetBucketPolicy.is_absence("NoSuchBucketPolicy"));
        assert!(!Op::GetBucketAcl.is_absence("NoSuchBucketPolicy"));
        assert!(!Op::GetBucketPolicy.is_absence("AccessDenied"));
        assert!(!Op::GetBucketPolicy.is_absence("NoSuchBucket"));
    }
}
