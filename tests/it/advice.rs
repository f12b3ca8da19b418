//! What findings advise, taken at their word: the audit has nothing to say against it.

mod bucket;
mod roles;
