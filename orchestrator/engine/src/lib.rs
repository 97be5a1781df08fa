//! The only crate that touches the world: journal, git, processes, models.

pub mod git;
