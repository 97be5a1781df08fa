//! Everything of `accept` but the steps: the runner, the lint and the command line, for whatever step library.
//!
//! No crate with steps is below this one, so that a changed step compiles nothing here again.

pub mod catalogue;
pub mod cli;
pub mod context;
pub mod lint;
pub mod runner;
mod visible;
