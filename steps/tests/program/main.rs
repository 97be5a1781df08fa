//! The `accept` program as a black box: what it exits with, says and leaves behind.

mod checkout;
mod refusals;
mod runs;
