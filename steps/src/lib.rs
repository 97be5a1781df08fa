//! The worlds, the step definitions and the `accept` program.

pub mod catalogue;
pub mod cli;
pub mod context;
mod given;
pub mod lint;
mod runbook;
pub mod runner;
mod then;
mod when;
pub mod world;
