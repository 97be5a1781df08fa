//! The worlds, the step definitions and the `accept` program.

pub mod context;
