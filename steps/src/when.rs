//! The steps in which something happens: the operator or the user acts.

#![expect(clippy::needless_pass_by_value, reason = "the step macros hand over parsed values")]

mod background;
mod bench;
mod clock;
mod command;
mod containers;
mod crash;
mod damage;
mod disk;
mod foreign;
mod runbook;
