//! How often scenarios flake: what the history says, as numbers that flatter nobody.
//!
//! One observation is one execution of one scenario, of one tree and one program, at the first attempt. Nothing ever
//! shows that a scenario does not flake; so every number here is an upper bound, printed with what it was counted from.

mod bound;
mod cluster;
mod history;
mod sprt;
mod tally;
mod words;

pub use bound::{CONFIDENCE, bound_ppm, clean_runs_for, percent, rate, upper_bound};
pub use cluster::mark;
pub use history::{History, HistoryError, line};
pub use sprt::{Decision, Sprt};
pub use tally::{Subjects, clusters, infrastructure, scenarios, tally};
pub use words::{Counts, sentences};
