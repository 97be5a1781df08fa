//! The worlds, the step definitions and the `accept` program.

pub mod catalogue;
pub mod context;
pub mod lint;
pub mod runner;
mod given;
mod then;
mod when;
pub mod world;
