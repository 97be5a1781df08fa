//! Pure decisions: plan, locks, schedule, state, gates. No I/O, no clock, no environment, no async: `clippy.toml`
//! forbids them and the crate depends on nothing that has them.
//!
//! One direction: events fold into [`state::RunState`]; [`decide::decide`] looks at plan, state and configuration and
//! says what to do next; [`settle::settle`] turns the facts of an attempt into events.

pub mod budget;
pub mod decide;
mod illegal;
pub mod limits;
pub mod lock;
pub mod manifest;
pub mod permit;
pub mod plan;
pub mod recover;
pub mod rewind;
pub mod schedule;
pub mod settle;
pub mod state;
pub mod transition;
