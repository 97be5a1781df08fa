//! What the planned tasks say on disk.

use cucumber::then;
use mycelium_fixtures::FixtureError;
use mycelium_schemas::{
    evidence::AssertionKind::Plan,
    manifest::{Manifest, PlanIndex},
};
use serde::de::DeserializeOwned;

use crate::world::{Claim, MyceliumWorld, TaskName, Verdict, WorldError, lines};

const TASKS: &str = ".mycelium/tasks";

/// `plan.json` lists exactly these tasks, separated by commas, in this order.
#[then(expr = "the planned tasks are {string}")]
fn planned_tasks(world: &mut MyceliumWorld, ids: String) -> Result<(), WorldError> {
    let index: PlanIndex = read(world, "plan.json")?;
    let found: Vec<&str> = index.tasks.iter().map(|entry| entry.id.as_str()).collect();
    let expected: Vec<&str> = ids.split(',').map(str::trim).collect();
    let claim = Claim::new(Plan, "tasks", "the planned tasks", format!("{TASKS}/plan.json"));
    world.must(claim, Verdict::equal(expected.join(", "), found.join(", ")))
}

/// The task's `manifest.json` lists that path or glob among its writes.
#[then(expr = "the manifest of task {task} allows {string}")]
fn manifest_allows(world: &mut MyceliumWorld, task: TaskName, path: String) -> Result<(), WorldError> {
    let writes = writes_of(world, &task)?;
    let claim =
        Claim::new(Plan, "writes", format!("files.writes of task {}", task.as_str()), "manifest.json");
    let held = writes.lines().any(|line| line == path);
    world.must(claim, Verdict::of(held, path, writes))
}

/// The task's `manifest.json` does not list that path or glob among its writes.
#[then(expr = "the manifest of task {task} does not allow {string}")]
fn never_manifest_allows(world: &mut MyceliumWorld, task: TaskName, path: String) -> Result<(), WorldError> {
    let writes = writes_of(world, &task)?;
    let claim =
        Claim::new(Plan, "writes_not", format!("files.writes of task {}", task.as_str()), "manifest.json");
    let held = writes.lines().all(|line| line != path);
    world.never(claim, Verdict::of(held, format!("no {path}"), writes))
}

/// Every file of the planned tasks is byte for byte what it was after the first command; there is at least one.
#[then(expr = "the task files are the same as after the first command")]
fn same_task_files(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let (expected, last) = (first.after.tasks.clone(), all.last());
    let found = last.map_or_else(String::new, |last| last.after.tasks.clone());
    let held = all.len() > 1 && !expected.is_empty() && expected == found;
    let claim = Claim::new(Plan, "same_bytes", "the task files", TASKS);
    world.must(claim, Verdict::of(held, expected, found))
}

/// The last command left every file of the planned tasks as it was, and added none.
#[then(expr = "the task files have not changed")]
fn never_task_files_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let last = world.last()?;
    let verdict = Verdict::equal(last.before.tasks.clone(), last.after.tasks.clone());
    world.never(Claim::new(Plan, "unchanged", "the task files", TASKS), verdict)
}

/// There is no file of any planned task.
#[then(expr = "no task was written")]
fn never_task_written(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = world.last()?.after.tasks.clone();
    world.never(Claim::new(Plan, "absent", "the task files", TASKS), Verdict::equal("", found))
}

fn writes_of(world: &MyceliumWorld, task: &TaskName) -> Result<String, WorldError> {
    let index: PlanIndex = read(world, "plan.json")?;
    let entry = index.tasks.iter().find(|entry| entry.id.as_str() == task.as_str());
    let entry = entry.ok_or_else(|| WorldError::Artifact {
        path: format!("{TASKS}/plan.json").into(),
        why: format!("it has no task {:?}", task.as_str()),
    })?;
    let manifest: Manifest = read(world, &format!("{}/manifest.json", entry.dir))?;
    Ok(lines(&manifest.files.writes))
}

fn read<T: DeserializeOwned>(world: &MyceliumWorld, path: &str) -> Result<T, WorldError> {
    let path = world.stage()?.path().join(TASKS).join(path);
    let bytes = std::fs::read(&path).map_err(FixtureError::file("read", &path))?;
    serde_json::from_slice(&bytes).map_err(|e| WorldError::Artifact { path, why: e.to_string() })
}
