//! `mycelium`: runs coding agents in parallel and lands only tested work.

mod app;
mod args;
mod commands;
mod display;
mod error;
mod exit;
mod output;
mod render;

fn main() -> std::process::ExitCode {
    exit::guard_against_panics(|| app::run(std::env::args_os().collect())).into()
}
