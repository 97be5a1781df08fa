//! What the run's folder holds.

use cucumber::then;
use mycelium_fixtures::FixtureError;
use mycelium_schemas::evidence::AssertionKind::Fs;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

/// The run's folder holds that file, which is not empty.
#[then(expr = "the run folder holds the file {string}")]
fn run_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let content = world.run_folder()?.file(&path);
    let found = match &content {
        None => "no file",
        Some(text) if text.is_empty() => "an empty file",
        Some(_) => "a file",
    };
    world.must(Claim::new(Fs, "present", path.clone(), path), Verdict::equal("a file", found))
}

/// The run's folder does not hold that file.
#[then(expr = "the run folder does not hold the file {string}")]
fn never_run_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let found = world.run_folder()?.file(&path).unwrap_or_else(|| "no file".to_owned());
    world.never(Claim::new(Fs, "absent", path.clone(), path), Verdict::equal("no file", found))
}

/// That file of the run's folder contains the text.
#[then(expr = "the run file {string} contains {string}")]
fn run_file_contains(world: &mut MyceliumWorld, path: String, wanted: String) -> Result<(), WorldError> {
    let content = world.run_folder()?.file(&path);
    let held = content.as_ref().is_some_and(|content| content.contains(&wanted));
    let verdict = Verdict::of(held, wanted, content.unwrap_or_else(|| "no file".to_owned()));
    world.must(Claim::new(Fs, "contains", path.clone(), path), verdict)
}

/// That file of the run's folder, which is there, has at most that many bytes.
#[then(expr = "the run file {string} is not longer than {int} bytes")]
fn never_longer(world: &mut MyceliumWorld, path: String, limit: u64) -> Result<(), WorldError> {
    let full = world.run_folder()?.path().join(&path);
    let length = std::fs::metadata(&full).map_err(FixtureError::file("look at", full))?.len();
    let verdict = Verdict::of(length <= limit, format!("at most {limit} bytes"), format!("{length} bytes"));
    world.never(Claim::new(Fs, "no_longer", path.clone(), path), verdict)
}

/// No command of the scenario created a run.
#[then(expr = "no run was created")]
fn never_run_created(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let runs = all.last().map_or(&first.before.runs, |last| &last.after.runs);
    let found = lines(runs.difference(&first.before.runs).map(|path| path.display()));
    world.never(Claim::new(Fs, "no_run", "run folders", "MYCELIUM_HOME"), Verdict::equal("", found))
}

/// The last command has written, changed and removed no file of any run, byte for byte.
#[then(expr = "the last command has changed no file of a run")]
fn never_run_file_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let last = world.last()?;
    let look = |files: &Option<String>| files.clone().unwrap_or_else(|| "a command runs\n".to_owned());
    let (before, after) = (look(&last.before.run_files), look(&last.after.run_files));
    let held = last.before.run_files.is_some() && before == after;
    let claim = Claim::new(Fs, "runs_unchanged", "the files of all runs", "MYCELIUM_HOME");
    world.never(claim, Verdict::of(held, before, after))
}
