//! The steps that put the world in a state. They assert nothing.

#![expect(clippy::needless_pass_by_value, reason = "the step macros hand over parsed values")]

mod agent;
mod bench;
mod clock;
mod configuration;
mod containers;
mod disk;
mod models;
mod plan;
mod program;
mod repository;
mod user;
