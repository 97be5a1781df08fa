//! The runner's guards: whatever a scenario does, it is either proved or red.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up what it needs has failed")]

mod bench;
mod lint;
mod messages;
mod nothing_by_accident;
mod selection;
mod survival;
mod world;
