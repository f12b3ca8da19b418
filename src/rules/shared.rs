//! What several checks ask: one place for each question.

pub(super) mod acl;
pub(super) mod assume_role;
pub(super) mod carried;
pub(super) mod constant_size;
pub(super) mod delivery;
pub(super) mod encryption;
pub(super) mod excess;
pub(super) mod external_id;
pub(super) mod federation;
pub(super) mod grants;
pub(super) mod growth;
pub(super) mod guessable;
pub(super) mod least_privilege;
pub(super) mod log_reader;
pub(super) mod mfa;
pub(super) mod outsiders;
pub(super) mod permissions;
pub(super) mod quota;
pub(super) mod readers;
pub(super) mod request_kinds;
pub(super) mod series;
pub(super) mod trails;
pub(super) mod transport;
pub(super) mod trust;
pub(super) mod variables;
pub(super) mod words;
