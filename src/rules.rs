//! The built-in checks and nothing else: one file for each rule, and the list of them.

use crate::estate::Trail;
use crate::rule::context::{BucketView, Context, DocumentView, IdentityView, KeyView};
use crate::rule::role::RoleView;
use crate::rule::{Outcome, Rule};

/// What a rule looks at, and how; most look at one kind of subject.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Asked of every role.
    pub role: Option<RoleCheck>,
    /// Asked of every log bucket.
    pub bucket: Option<BucketCheck>,
    /// Asked of every log key.
    pub key: Option<KeyCheck>,
    /// Asked of every trail.
    pub trail: Option<TrailCheck>,
    /// Asked of every role, user and group.
    pub identity: Option<IdentityCheck>,
    /// Asked of every policy document, whatever it is attached to.
    pub document: Option<DocumentCheck>,
    /// Asked once.
    pub estate: Option<EstateCheck>,
    /// Whether what it finds of a policy is a refusal, which another policy for the same could lift.
    pub takes_a_denial: bool,
}

/// A check of one role.
pub type RoleCheck = fn(&Context<'_>, &RoleView<'_>) -> Outcome;
/// A check of one log bucket.
pub type BucketCheck = fn(&Context<'_>, &BucketView<'_>) -> Outcome;
/// A check of one log key.
pub type KeyCheck = fn(&Context<'_>, &KeyView<'_>) -> Outcome;
/// A check of one trail.
pub type TrailCheck = fn(&Context<'_>, &Trail) -> Outcome;
/// A check of the inline policies of one role, user or group.
pub type IdentityCheck = fn(&Context<'_>, &IdentityView<'_>) -> Outcome;
/// A check of one policy document.
pub type DocumentCheck = fn(&Context<'_>, &DocumentView<'_>) -> Outcome;
/// A check of the whole estate; its findings name their subjects.
pub type EstateCheck = fn(&Context<'_>) -> Outcome;

impl Check {
    const NOTHING: Check = Check {
        role: None,
        bucket: None,
        key: None,
        trail: None,
        identity: None,
        document: None,
        estate: None,
        takes_a_denial: false,
    };

    /// Asked of nothing: the audit itself makes its findings, from the waivers of the config.
    const WAIVERS: Check = Check::NOTHING;

    const fn roles(check: RoleCheck) -> Check {
        Check { role: Some(check), ..Check::NOTHING }
    }

    const fn buckets(check: BucketCheck) -> Check {
        Check { bucket: Some(check), ..Check::NOTHING }
    }

    const fn keys(check: KeyCheck) -> Check {
        Check { key: Some(check), ..Check::NOTHING }
    }

    const fn trails(check: TrailCheck) -> Check {
        Check { trail: Some(check), ..Check::NOTHING }
    }

    const fn documents(check: DocumentCheck) -> Check {
        Check { document: Some(check), ..Check::NOTHING }
    }

    const fn estate(check: EstateCheck) -> Check {
        Check { estate: Some(check), ..Check::NOTHING }
    }
}

mod shared;

macro_rules! rules {
    ($($group:ident { $($module:ident $id:literal,)* })*) => {
        $(mod $group { $(pub(super) mod $module;)* })*

        /// Every rule, by group.
        pub static RULES: [Rule<Check>; [$($($id,)*)*].len()] = [
            $($(Rule::new(
                $id,
                stringify!($group),
                include_str!(concat!("../rules/", stringify!($group), "/", $id, ".md")),
                $group::$module::CHECK,
            ),)*)*
        ];
    };
}

rules! {
    trust {
        missing_external_id "missing-external-id",
        bypassable_external_id "bypassable-external-id",
        weak_external_id "weak-external-id",
        public_role_trust "public-role-trust",
        undeclared_account "undeclared-account",
        shared_reader_role "shared-reader-role",
        stale_principal "stale-principal",
        bypassable_mfa "bypassable-mfa",
        missing_mfa "missing-mfa",
        open_session_tags "open-session-tags",
        broad_assume_role "broad-assume-role",
        unscoped_federated_trust "unscoped-federated-trust",
        unguarded_service_trust "unguarded-service-trust",
    }
    access {
        public_log_read "public-log-read",
        foreign_log_read "foreign-log-read",
        cross_account_log_read "cross-account-log-read",
        organization_wide_log_read "organization-wide-log-read",
        unrestricted_log_listing "unrestricted-log-listing",
        log_write_access "log-write-access",
        unreachable_logs "unreachable-logs",
        self_escalation "self-escalation",
        broad_managed_policy "broad-managed-policy",
        broad_role_access "broad-role-access",
    }
    bucket {
        missing_principal_org_id "missing-principal-org-id",
        bypassable_principal_org_id "bypassable-principal-org-id",
        foreign_organization "foreign-organization",
        literal_policy_variable "literal-policy-variable",
        wildcard_principal "wildcard-principal",
        action_resource_mismatch "action-resource-mismatch",
        dead_condition "dead-condition",
        enumerated_members "enumerated-members",
        missing_secure_transport "missing-secure-transport",
        block_public_access_off "block-public-access-off",
        public_policy_cuts_readers "public-policy-cuts-readers",
    }
    ownership {
        writer_owned_objects "writer-owned-objects",
        acls_in_use "acls-in-use",
        public_acl "public-acl",
        foreign_acl_grant "foreign-acl-grant",
    }
    encryption {
        aws_managed_key "aws-managed-key",
        missing_key_delivery_grant "missing-key-delivery-grant",
        unusable_key "unusable-key",
        foreign_key_grant "foreign-key-grant",
        unmanageable_key "unmanageable-key",
        key_rotation_off "key-rotation-off",
        unencrypted_trail "unencrypted-trail",
        unguarded_key_delivery "unguarded-key-delivery",
        missing_reader_decrypt "missing-reader-decrypt",
        open_key_policy "open-key-policy",
        bypassable_key_condition "bypassable-key-condition",
    }
    delivery {
        blocked_delivery "blocked-delivery",
        unguarded_delivery "unguarded-delivery",
        broad_delivery_path "broad-delivery-path",
        missing_owner_full_control "missing-owner-full-control",
        legacy_delivery_principal "legacy-delivery-principal",
        other_bucket_in_policy "other-bucket-in-policy",
    }
    trail {
        log_validation_off "log-validation-off",
        single_region_trail "single-region-trail",
        trail_not_logging "trail-not-logging",
        failing_delivery "failing-delivery",
    }
    limits {
        policy_size_limit "policy-size-limit",
    }
    validity {
        invalid_json "invalid-json",
        duplicate_key "duplicate-key",
    }
    config {
        unused_waiver "unused-waiver",
        expired_waiver "expired-waiver",
    }
}

/// Names that are kept for rules to come, so that a config written for them is read by this version too.
pub const RESERVED: [&str; 16] = [
    "policy-count-limit",
    "invalid-element",
    "missing-element",
    "invalid-principal",
    "unknown-action",
    "invalid-arn",
    "invalid-condition",
    "condition-type-mismatch",
    "variable-misuse",
    "set-operator-misuse",
    "redundant-statement",
    "empty-element",
    "old-policy-version",
    "broad-wildcard",
    "pass-role",
    "duplicate-sid",
];
