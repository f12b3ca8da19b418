//! What several checks ask: one place for each question.

pub(super) mod acl;
pub(super) mod carried;
pub(super) mod delivery;
pub(super) mod encryption;
pub(super) mod external_id;
pub(super) mod grants;
pub(super) mod guessable;
pub(super) mod outsiders;
pub(super) mod readers;
pub(super) mod series;
pub(super) mod transport;
pub(super) mod trust;
pub(super) mod variables;
