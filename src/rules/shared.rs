//! What several checks ask: one place for each question.

pub(super) mod carried;
pub(super) mod external_id;
pub(super) mod outsiders;
pub(super) mod trust;
