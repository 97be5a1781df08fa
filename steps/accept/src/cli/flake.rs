//! Scenarios run again and again: in which surroundings, what is written down of it, and what it comes to.

pub(super) mod history;
pub(super) mod perturb;
pub(super) mod record;
pub(super) mod summary;
