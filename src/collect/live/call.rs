//! The calls that are made, and the permission each needs.
//!
//! Source of the permissions: Service Authorization Reference, "Actions, resources, and condition keys" of IAM, S3, KMS,
//! CloudTrail, Organizations and STS. Some actions are not called as their operation is.

use serde_json::{Value, json};

/// A call to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The operation's name in the API.
    pub operation: &'static str,
    /// The action that has to be allowed; empty where none is needed.
    pub permission: &'static str,
}

const fn call(operation: &'static str, permission: &'static str) -> Call {
    Call { operation, permission }
}

pub(super) const GET_CALLER_IDENTITY: Call = call("GetCallerIdentity", "");
pub(super) const ASSUME_ROLE: Call = call("AssumeRole", "sts:AssumeRole");

pub(super) const GET_ACCOUNT_AUTHORIZATION_DETAILS: Call =
    call("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails");
pub(super) const LIST_ROLES: Call = call("ListRoles", "iam:ListRoles");
pub(super) const GET_ROLE: Call = call("GetRole", "iam:GetRole");
pub(super) const LIST_ROLE_POLICIES: Call = call("ListRolePolicies", "iam:ListRolePolicies");
pub(super) const GET_ROLE_POLICY: Call = call("GetRolePolicy", "iam:GetRolePolicy");
pub(super) const LIST_ATTACHED_ROLE_POLICIES: Call = call("ListAttachedRolePolicies", "iam:ListAttachedRolePolicies");
pub(super) const GET_POLICY: Call = call("GetPolicy", "iam:GetPolicy");
pub(super) const GET_POLICY_VERSION: Call = call("GetPolicyVersion", "iam:GetPolicyVersion");

pub(super) const LIST_BUCKETS: Call = call("ListBuckets", "s3:ListAllMyBuckets");
pub(super) const GET_BUCKET_POLICY: Call = call("GetBucketPolicy", "s3:GetBucketPolicy");
pub(super) const GET_BUCKET_POLICY_STATUS: Call = call("GetBucketPolicyStatus", "s3:GetBucketPolicyStatus");
pub(super) const GET_BUCKET_OWNERSHIP_CONTROLS: Call =
    call("GetBucketOwnershipControls", "s3:GetBucketOwnershipControls");
pub(super) const GET_BUCKET_ACL: Call = call("GetBucketAcl", "s3:GetBucketAcl");
pub(super) const GET_BUCKET_ENCRYPTION: Call = call("GetBucketEncryption", "s3:GetEncryptionConfiguration");
pub(super) const GET_BUCKET_PUBLIC_ACCESS_BLOCK: Call = call("GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock");
pub(super) const GET_ACCOUNT_PUBLIC_ACCESS_BLOCK: Call = call("GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock");
pub(super) const GET_BUCKET_LOCATION: Call = call("GetBucketLocation", "s3:GetBucketLocation");
pub(super) const GET_BUCKET_VERSIONING: Call = call("GetBucketVersioning", "s3:GetBucketVersioning");
pub(super) const GET_OBJECT_LOCK_CONFIGURATION: Call =
    call("GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration");

pub(super) const DESCRIBE_KEY: Call = call("DescribeKey", "kms:DescribeKey");
pub(super) const GET_KEY_POLICY: Call = call("GetKeyPolicy", "kms:GetKeyPolicy");
pub(super) const GET_KEY_ROTATION_STATUS: Call = call("GetKeyRotationStatus", "kms:GetKeyRotationStatus");
pub(super) const LIST_GRANTS: Call = call("ListGrants", "kms:ListGrants");
pub(super) const LIST_ALIASES: Call = call("ListAliases", "kms:ListAliases");

pub(super) const DESCRIBE_TRAILS: Call = call("DescribeTrails", "cloudtrail:DescribeTrails");
pub(super) const GET_TRAIL_STATUS: Call = call("GetTrailStatus", "cloudtrail:GetTrailStatus");
pub(super) const GET_EVENT_SELECTORS: Call = call("GetEventSelectors", "cloudtrail:GetEventSelectors");

pub(super) const DESCRIBE_ORGANIZATION: Call = call("DescribeOrganization", "organizations:DescribeOrganization");
pub(super) const LIST_ACCOUNTS: Call = call("ListAccounts", "organizations:ListAccounts");
pub(super) const LIST_ROOTS: Call = call("ListRoots", "organizations:ListRoots");
pub(super) const LIST_PARENTS: Call = call("ListParents", "organizations:ListParents");
pub(super) const LIST_POLICIES: Call = call("ListPolicies", "organizations:ListPolicies");
pub(super) const DESCRIBE_POLICY: Call = call("DescribePolicy", "organizations:DescribePolicy");
pub(super) const LIST_TARGETS_FOR_POLICY: Call = call("ListTargetsForPolicy", "organizations:ListTargetsForPolicy");

/// A group of calls that are allowed together.
struct Group {
    sid: &'static str,
    resource: &'static str,
    calls: &'static [Call],
}

/// The group that only the caller asks for.
const ORGANIZATION: &str = "Organization";

/// What a collection asks for where nothing is denied. The calls for single roles, which stand in for
/// `GetAccountAuthorizationDetails` where that is denied, are not among them.
const ALLOWED: [Group; 6] = [
    Group { sid: "Identities", resource: "*", calls: &[GET_ACCOUNT_AUTHORIZATION_DETAILS] },
    Group { sid: "Account", resource: "*", calls: &[LIST_BUCKETS, GET_ACCOUNT_PUBLIC_ACCESS_BLOCK] },
    Group {
        sid: "Buckets",
        resource: "arn:aws:s3:::*",
        calls: &[
            GET_BUCKET_POLICY,
            GET_BUCKET_POLICY_STATUS,
            GET_BUCKET_OWNERSHIP_CONTROLS,
            GET_BUCKET_ACL,
            GET_BUCKET_ENCRYPTION,
            GET_BUCKET_PUBLIC_ACCESS_BLOCK,
            GET_BUCKET_LOCATION,
            GET_BUCKET_VERSIONING,
            GET_OBJECT_LOCK_CONFIGURATION,
        ],
    },
    Group {
        sid: "Keys",
        resource: "*",
        calls: &[DESCRIBE_KEY, GET_KEY_POLICY, GET_KEY_ROTATION_STATUS, LIST_GRANTS, LIST_ALIASES],
    },
    Group { sid: "Trails", resource: "*", calls: &[DESCRIBE_TRAILS, GET_TRAIL_STATUS, GET_EVENT_SELECTORS] },
    Group {
        sid: ORGANIZATION,
        resource: "*",
        calls: &[
            DESCRIBE_ORGANIZATION,
            LIST_ACCOUNTS,
            LIST_ROOTS,
            LIST_PARENTS,
            LIST_POLICIES,
            DESCRIBE_POLICY,
            LIST_TARGETS_FOR_POLICY,
        ],
    },
];

/// Who a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker<'a> {
    /// Who runs a collection.
    Caller {
        /// The role it assumes in other accounts: its name, with its path.
        assumes: Option<&'a str>,
    },
    /// That role, which is asked nothing about the organization.
    Role,
}

/// The IAM policy that allows a collection and nothing else.
///
/// `partition` is `aws`, `aws-cn`, `aws-us-gov` …
pub fn least_privilege(partition: &str, asker: Asker<'_>) -> Value {
    let is_asked = |group: &&Group| asker != Asker::Role || group.sid != ORGANIZATION;
    let mut statements: Vec<Value> = ALLOWED
        .iter()
        .filter(is_asked)
        .map(|group| {
            let mut actions: Vec<&str> = group.calls.iter().map(|call| call.permission).collect();
            actions.sort_unstable();
            let resource = group.resource.replace("arn:aws:", &format!("arn:{partition}:"));
            json!({"Sid": group.sid, "Effect": "Allow", "Action": actions, "Resource": resource})
        })
        .collect();
    if let Asker::Caller { assumes: Some(role) } = asker {
        statements.push(json!({
            "Sid": "Members",
            "Effect": "Allow",
            "Action": ASSUME_ROLE.permission,
            "Resource": format!("arn:{partition}:iam::*:role/{role}"),
        }));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}
