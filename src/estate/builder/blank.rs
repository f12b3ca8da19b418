//! Resources of which nothing is known yet but what they are called.

use compact_str::CompactString;

use crate::aws::AccountId;
use crate::estate::{Group, IdentityKind, Known, NamedBy, Permissions, Role, Trail, User};
use crate::text::Span;

impl Role {
    /// A role of which nothing is known but its name, and its account where there is one.
    pub fn new(name: CompactString, account: Option<AccountId>, named_by: NamedBy, span: Span) -> Self {
        Role {
            name,
            path: None,
            account,
            partition: "aws".into(),
            named_by,
            span,
            is_listed: false,
            trust: Known::not_collected(super::TRUST),
            permissions: Permissions::unknown(IdentityKind::Role),
        }
    }
}

impl User {
    /// A user of whom nothing is known but the name, and the account where there is one.
    pub fn new(name: CompactString, account: Option<AccountId>, span: Span) -> Self {
        User {
            name,
            arn: None,
            account,
            span,
            groups: Known::not_collected("user.groups"),
            permissions: Permissions::unknown(IdentityKind::User),
        }
    }
}

impl Group {
    /// A group of which nothing is known but its name, and its account where there is one.
    pub fn new(name: CompactString, account: Option<AccountId>, span: Span) -> Self {
        let mut permissions = Permissions::unknown(IdentityKind::Group);
        // No group has one.
        permissions.boundary = Known::Absent(span);
        Group { name, arn: None, account, span, permissions }
    }
}

impl Trail {
    /// A trail of which nothing is known but its name.
    pub fn new(name: CompactString, span: Span) -> Self {
        Trail {
            name,
            arn: None,
            account: None,
            home_region: None,
            span,
            bucket: Known::not_collected("trail.bucket"),
            prefix: Known::not_collected("trail.prefix"),
            key: Known::not_collected("trail.key"),
            is_multi_region: Known::not_collected("trail.is-multi-region"),
            is_organization: Known::not_collected("trail.is-organization"),
            validates_log_files: Known::not_collected("trail.log-file-validation"),
            status: Known::not_collected("trail.status"),
            selectors: Known::not_collected("trail.event-selectors"),
        }
    }
}
