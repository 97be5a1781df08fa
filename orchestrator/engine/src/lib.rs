//! The only crate that touches the world: journal, git, processes, models.
//!
//! A run goes `start` (check, freeze) -> `run` (decide, do, journal) -> `attempt` and `landing` (effects). Everything
//! that is decided is decided in `mycelium-core`.

pub mod advice;
pub mod agent;
mod asking;
pub mod attempt;
mod candidates;
mod capture;
mod cassette;
pub mod checkup;
mod claim;
pub mod clean;
pub mod clock;
mod conversation;
pub mod docker;
pub mod doctor;
pub mod environment;
pub mod error;
mod fault;
mod filters;
mod follow;
pub mod git;
mod hired;
mod hiring;
mod identity;
pub mod init;
pub mod job;
pub mod journal;
pub mod journal_tail;
mod landed;
pub mod landing;
pub mod launcher;
pub mod live;
pub mod logs;
pub mod mock;
mod models;
pub mod moved;
mod off_loop;
pub mod orphans;
mod patience;
pub mod planned;
mod planner;
pub mod planning;
pub mod poll;
mod private;
pub mod process;
pub mod project;
mod prompt;
pub mod quantity;
pub mod redact;
pub mod relay;
mod remove;
pub mod resume;
pub mod review;
pub mod run;
pub mod runlock;
mod saboteur;
pub mod settings;
pub mod signals;
pub mod start;
pub mod store;
mod under_way;
mod validator;

pub use error::{Error, ErrorKind};
#[cfg(feature = "faults")]
pub use fault::{Point as FaultPoint, points as fault_points};

#[cfg(feature = "saboteur")]
pub use saboteur::{names as saboteurs, unknown_choice as unknown_saboteur};

/// What this build has beside what a release has.
pub const FEATURES: &[&str] = match (cfg!(feature = "faults"), cfg!(feature = "saboteur")) {
    (false, false) => &[],
    (true, false) => &["faults"],
    (false, true) => &["saboteur"],
    (true, true) => &["faults", "saboteur"],
};
