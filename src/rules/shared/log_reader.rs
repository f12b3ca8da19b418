//! Whether a role that no account needs to assume, but a service or a provider's callers, is about logs at all.

use crate::estate::Gap;
use crate::rule::context::Context;
use crate::rule::role::RoleView;

/// Whether a role can read logs. A loose trust policy, of whose permissions nothing is known, counts as one that can.
///
/// # Errors
/// The first permission that is not known, where the known ones read no logs.
pub(in crate::rules) fn reads_logs(context: &Context<'_>, role: &RoleView<'_>) -> Result<bool, Gap> {
    if let Some(reads) = role.reads_logs(context) {
        return Ok(reads);
    }
    let permissions = &role.role.permissions;
    match role.missing.first() {
        Some(gap) if !permissions.inline.is_unknown() || !permissions.attached.is_unknown() => Err(gap.clone()),
        _ => Ok(true),
    }
}
