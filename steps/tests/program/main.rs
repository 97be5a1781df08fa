//! The `accept` program as a black box: what it exits with, says and leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up what it needs has failed")]

mod bad_results;
mod bench;
mod checkout;
mod doctor;
mod elsewhere;
mod first_feature;
mod flake;
mod fmt;
mod impact;
mod lanes;
mod lint;
mod mutation;
mod output;
mod probe;
mod quarantine;
mod refusals;
mod rerun;
mod runs;
mod sabotage;
mod shards;
mod writing;
