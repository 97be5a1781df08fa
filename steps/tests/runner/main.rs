//! The runner's guards: whatever a scenario does, it is either proved or red.

mod bench;
mod lint;
mod messages;
mod nothing_by_accident;
mod selection;
mod survival;
mod world;
