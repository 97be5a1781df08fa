//! `accept`: runs the features against the built program and judges what they prove.

use std::process::ExitCode;

fn main() -> ExitCode {
    mycelium_accept::cli::main(mycelium_steps::library)
}
