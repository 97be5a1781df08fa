//! One command a file: arguments in, work done elsewhere, results out.

pub(super) mod bench;
pub(super) mod doctor;
pub(super) mod flake;
pub(super) mod fmt;
pub(super) mod gate;
pub(super) mod impact;
pub(in crate::cli) mod lint;
pub(super) mod list;
pub(super) mod matrix;
pub(super) mod merge;
pub(super) mod new;
pub(super) mod report;
pub(super) mod review;
pub(super) mod run;
pub(super) mod sabotage;
pub(super) mod steps;
pub(super) mod watch;
pub(super) mod whole;
