//! The steps that assert, on disk, refs, journal and output alone. Those named `never_…` say what must not happen.

#![expect(clippy::needless_pass_by_value, reason = "the step macros hand over parsed values")]

mod agreement;
mod answer;
mod artifacts;
mod both_places;
mod checkout;
mod cleaned;
mod containers;
mod event;
mod files;
mod git;
mod hostile;
mod lock;
mod models;
mod modes;
mod plan;
mod program;
mod runbook;
mod schedule;
mod secret;
mod state;
