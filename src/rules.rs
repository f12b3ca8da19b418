//! The built-in checks and nothing else: one file for each rule, and the list of them.

use crate::estate::Trail;
use crate::rule::context::{BucketView, Context, DocumentView, KeyView};
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
    /// Asked of every policy document, whatever it is attached to.
    pub document: Option<DocumentCheck>,
    /// Asked once.
    pub estate: Option<EstateCheck>,
}

/// A check of one role.
pub type RoleCheck = fn(&Context<'_>, &RoleView<'_>) -> Outcome;
/// A check of one log bucket.
pub type BucketCheck = fn(&Context<'_>, &BucketView<'_>) -> Outcome;
/// A check of one log key.
pub type KeyCheck = fn(&Context<'_>, &KeyView<'_>) -> Outcome;
/// A check of one trail.
pub type TrailCheck = fn(&Context<'_>, &Trail) -> Outcome;
/// A check of one policy document.
pub type DocumentCheck = fn(&Context<'_>, &DocumentView<'_>) -> Outcome;
/// A check of the whole estate; its findings name their subjects.
pub type EstateCheck = fn(&Context<'_>) -> Outcome;

impl Check {
    const NOTHING: Check = Check { role: None, bucket: None, key: None, trail: None, document: None, estate: None };

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
        broad_assume_role "broad-assume-role",
        bypassable_mfa "bypassable-mfa",
        missing_mfa "missing-mfa",
        open_session_tags "open-session-tags",
        unguarded_service_trust "unguarded-service-trust",
        unscoped_federated_trust "unscoped-federated-trust",
    }
    access {
        broad_managed_policy "broad-managed-policy",
        broad_role_access "broad-role-access",
    }
    bucket {
        block_public_access_off "block-public-access-off",
    }
}
