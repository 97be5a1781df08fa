//! The `accept` program as a black box: what it exits with, says and leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up what it needs has failed")]

mod checkout;
mod doctor;
mod fmt;
mod lint;
mod refusals;
mod runs;
mod sabotage;
mod shards;
mod writing;
