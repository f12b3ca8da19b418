//! What several checks ask: one place for each question.

pub(super) mod assume_role;
pub(super) mod carried;
pub(super) mod excess;
pub(super) mod external_id;
pub(super) mod federation;
pub(super) mod least_privilege;
pub(super) mod log_reader;
pub(super) mod mfa;
pub(super) mod permissions;
pub(super) mod trust;
pub(super) mod words;
