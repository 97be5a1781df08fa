//! `accept`: runs the features against the built program and judges what they prove.

use std::process::ExitCode;

fn main() -> ExitCode {
    mycelium_steps::cli::main()
}
