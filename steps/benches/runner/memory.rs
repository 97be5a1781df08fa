//! The memory of long runs and of a lint. Each is measured in a process of its own, which is this program again.

use std::{env, fs, path::PathBuf, process::Command};

use mycelium_accept::{
    lint::{Promises, lint},
    runner::suite::Suite,
};
use serde_json::{Value, json};

use crate::{
    measure::{Failed, Figures, cpu, peak_memory},
    suite::{Features, TRIVIAL},
};

/// The word that begins what a process of its own has to do.
pub(crate) const ALONE: &str = "alone";

pub(crate) fn measure(figures: &mut Figures) -> Result<(), Failed> {
    let (small, large) = (start("run", 1000)?, start("run", 10_000)?);
    println!("memory of 1,000 and 10,000 scenarios: {:.1} and {:.1} MiB", small.memory, large.memory);
    let each = (large.memory - small.memory) * 1024.0 / 9000.0;
    figures.add("memory of each further scenario", each, 2.5, "KiB");
    let (small, large) = (start("lint", 100_000)?, start("lint", 1_000_000)?);
    println!("lint of 100,000 and 1,000,000 steps: {:.0} and {:.0} ms of CPU", small.cpu, large.cpu);
    figures.add("CPU of a lint of ten times the steps", large.cpu / small.cpu, 13.0, "times");
    let each = (large.memory - small.memory) * 1024.0 / 900_000.0;
    figures.add("memory of each further step in a lint", each, 4.0, "KiB");
    Ok(())
}

/// What a process of its own found.
struct Found {
    cpu: f64,
    memory: f64,
}

fn start(what: &str, size: usize) -> Result<Found, Failed> {
    let output = Command::new(env::current_exe()?).args([ALONE, what, &size.to_string()]).output()?;
    if !output.status.success() {
        return Err(format!("{what} {size}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let number = |key: &str| found[key].as_f64().ok_or("no figure");
    Ok(Found { cpu: number("cpu")?, memory: number("memory")? })
}

/// Does one thing and tells what it took.
pub(crate) fn alone(words: &[String]) -> Result<(), Failed> {
    let [what, size, ..] = words else { return Err("what to do, and how often?".into()) };
    let size: usize = size.parse()?;
    let before = match what.as_str() {
        "run" => {
            let features = Features::write(size, TRIVIAL)?;
            let before = cpu();
            features.run(4)?;
            before
        }
        _ => lint_steps(size)?,
    };
    let spent = cpu() - before;
    println!("{}", json!({"cpu": spent, "memory": peak_memory()?}));
    Ok(())
}

/// Lints one scenario of that many steps; returns the CPU time before it.
fn lint_steps(size: usize) -> Result<f64, Failed> {
    let root = tempfile::tempdir()?;
    let mut text = "@mock\nFeature: Long\n  Scenario: Very long\n".to_owned();
    text.push_str(&"    Given the repository \"toy-repo\"\n".repeat(size));
    fs::write(root.path().join("long.feature"), text)?;
    let library = mycelium_steps::library()?;
    let before = cpu();
    let suite = Suite::load(root.path(), &[PathBuf::from("long.feature")])?;
    let problems = lint(&suite, library.vocabulary(), Promises { goals: &[], backlog: &[] });
    if problems.is_empty() {
        return Err("a scenario without a Then has to be a problem".into());
    }
    Ok(before)
}
