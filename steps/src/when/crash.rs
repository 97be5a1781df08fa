//! What a crash leaves, and what happens between it and `resume`. A kill meets the program where its scripts are; the
//! places between two writes are made from there, as the disk would look.

use std::fs;

use cucumber::when;
use mycelium_fixtures::{
    FixtureError,
    repository::{BRANCH, commit_on_branch},
};

use crate::world::{EventType, MyceliumWorld, WorldError};

/// Cuts everything off the journal that stands behind its first event of that type, and removes the state, which is
/// never newer than the journal: the program ended right after that event was written.
#[when(expr = "the program is as if killed right after the first {eventType} event")]
fn killed_after_first(world: &mut MyceliumWorld, kind: EventType) -> Result<(), WorldError> {
    cut(world, &kind, |places| places.first().copied())
}

/// The same with the last event of that type.
#[when(expr = "the program is as if killed right after the last {eventType} event")]
fn killed_after_last(world: &mut MyceliumWorld, kind: EventType) -> Result<(), WorldError> {
    cut(world, &kind, |places| places.last().copied())
}

/// The journal ends with the first half of a line: the program was killed while it wrote.
#[when(expr = "a line of the journal was only half written")]
fn half_a_line(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let path = world.run_folder()?.path().join("orchestrator.jsonl");
    let mut bytes = fs::read(&path).map_err(FixtureError::file("read", &path))?;
    let line = bytes.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default().to_vec();
    bytes.extend(line.iter().take(line.len() / 2));
    world.damage(path, bytes)
}

/// A file of the run's folder holds only the first half of what was written to it.
#[when(expr = "the run file {string} is damaged")]
fn damaged(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.run_folder()?.path().join(path);
    let mut bytes = fs::read(&path).map_err(FixtureError::file("read", &path))?;
    bytes.truncate(bytes.len() / 2);
    world.damage(path, bytes)
}

/// The integration branch points again at what it pointed at before the first command, as if it had not been moved yet.
/// The checkout is left as it is.
#[when(expr = "the integration branch is back where it was before the first command")]
fn branch_is_back(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let head = world.commands()?.0.before.head_of(BRANCH).ok_or(WorldError::NoBranch)?;
    Ok(world.stage()?.git()?.set_branch(BRANCH, &head)?)
}

/// A colleague pushes a commit with a new file to the integration branch.
#[when(expr = "a colleague commits the file {string}")]
fn colleague_commits(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let git = world.stage()?.git()?;
    commit_on_branch(&git.open()?, BRANCH, &path, b"a file of a colleague\n")
        .map(drop)
        .map_err(FixtureError::git("commit", git.path()))?;
    Ok(())
}

/// Keeps the journal up to one of the events of a type. Lines that belong together are torn apart where the event is
/// not the last of them, as a crash could.
fn cut(
    world: &mut MyceliumWorld,
    kind: &EventType,
    choose: impl Fn(&[usize]) -> Option<usize>,
) -> Result<(), WorldError> {
    let folder = world.run_folder()?;
    let journal = folder.journal()?;
    let of_kind =
        |(at, line): (usize, &crate::world::JournalLine)| line.is(kind.as_str(), None).then_some(at);
    let places: Vec<usize> = journal.iter().enumerate().filter_map(of_kind).collect();
    let path = folder.path().join("orchestrator.jsonl");
    let Some(last) = choose(&places) else {
        let why = format!("it has no {} event to be cut behind", kind.as_str());
        return Err(WorldError::Artifact { path, why });
    };
    let text = fs::read_to_string(&path).map_err(FixtureError::file("read", &path))?;
    let kept: String = text.split_inclusive('\n').take(last + 1).collect();
    fs::write(&path, kept).map_err(FixtureError::file("write", &path))?;
    // What stands behind the place had not begun: an attempt's folder is made after its start was written.
    for line in journal.iter().skip(last + 1).filter(|line| line.is("task.start", None)) {
        if let (Some(task), Some(attempt)) = (&line.event.task_id, line.event.attempt) {
            let attempt = folder.path().join(format!("tasks/{task}/attempt-{attempt}"));
            unless_missing(fs::remove_dir_all(&attempt)).map_err(FixtureError::file("remove", attempt))?;
        }
    }
    let state = folder.path().join("state.json");
    Ok(unless_missing(fs::remove_file(&state)).map_err(FixtureError::file("remove", state))?)
}

/// What is not there need not be removed.
fn unless_missing(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
