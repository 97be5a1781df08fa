//! What the container engine tells of a scenario's containers.

use std::os::unix::fs::MetadataExt;

use cucumber::{gherkin::Step, then};
use mycelium_fixtures::repository::BRANCH;
use mycelium_schemas::evidence::AssertionKind::{Container, Fs, State};
use rustix::process::{getegid, geteuid};
use serde_json::Value;
use walkdir::WalkDir;

use super::cleaned::answer;
use crate::world::{Claim, MyceliumWorld, Table, TaskName, Verdict, WorldError, is_foreign, lines};

const ENGINE: &str = "the container engine";

/// At the engine there is no container that works with anything of this scenario, in any state, but for somebody else's.
#[then(expr = "no container is left")]
fn never_left(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let all = world.containers()?;
    let left = lines(
        all.iter().filter(|found| !is_foreign(found)).map(|found| format!("{} {}", found.name, found.state)),
    );
    world.never(
        Claim::new(Container, "none_left", "containers of this scenario", ENGINE),
        Verdict::equal("", left),
    )
}

/// At the scenario's own engine there is no volume, which would hold a workspace that was carried there.
#[then(expr = "no volume of the engine is left")]
fn never_volumes(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.own_engine()?;
    let left = lines(world.engine()?.volumes().map_err(WorldError::Engine)?);
    world.never(Claim::new(Container, "no_volume", "volumes of the engine", ENGINE), Verdict::equal("", left))
}

/// At the engine no container of this scenario is at work, paused or about to begin, but for somebody else's.
#[then(expr = "no container is at work")]
fn never_at_work(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let all = world.containers()?;
    let alive = all.iter().filter(|found| found.is_alive() && !is_foreign(found));
    let alive = lines(alive.map(|found| format!("{} {}", found.name, found.state)));
    world.never(
        Claim::new(Container, "none_at_work", "containers of this scenario", ENGINE),
        Verdict::equal("", alive),
    )
}

/// At the engine there are so many containers that work with anything of this scenario, in any state, somebody else's
/// included.
#[then(expr = "{int} container(s) is/are there")]
fn counted(world: &mut MyceliumWorld, count: u64) -> Result<(), WorldError> {
    let all = world.containers()?;
    let found = lines(all.iter().map(|found| format!("{} {}", found.name, found.state)));
    let claim = Claim::new(Container, "count", "containers of this scenario", ENGINE);
    world.count(claim, count, Verdict::of(all.len() as u64 == count, format!("{count} containers"), found))
}

/// The last command lists (`clean --dry-run --json`) with each container how much disk its own files take, as the engine
/// tells it.
#[then(expr = "each listed container is as large as the engine says")]
fn sized(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let listed = answer(&world.last()?.finished.stdout)?.containers;
    let engine = world.engine()?;
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    for container in &listed {
        let size = engine.size(&container.id).map_err(WorldError::Engine)?;
        expected.push(format!("{} {size}", container.name));
        found.push(format!("{} {}", container.name, container.bytes.unwrap_or_default()));
    }
    // Each holds at least what it was brought.
    let held = !listed.is_empty() && expected == found && !expected.iter().any(|line| line.ends_with(" 0"));
    let claim = Claim::new(Container, "disk_use", "what containers take on the engine's disk", "stdout");
    world.must(claim, Verdict::of(held, lines(expected), lines(found)))
}

/// Somebody else's container is as it was.
#[then(expr = "the container of the other project is still there")]
fn never_foreign_gone(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let all = world.containers()?;
    let found = lines(all.iter().map(|found| format!("{} {}", found.name, found.state)));
    let held = all.iter().any(is_foreign);
    let claim = Claim::new(Container, "foreign_kept", "the container of another project", ENGINE);
    world.never(claim, Verdict::of(held, "it is there", found))
}

/// The agent of a task is at work in a container that is known by these labels (columns: label, value; a value may be
/// left empty where any will do).
#[then(expr = "the agent of task {task} is at work in a container labelled:")]
fn labelled(world: &mut MyceliumWorld, task: TaskName, step: &Step) -> Result<(), WorldError> {
    let table = Table::of(step, &["label"], &["value"])?;
    let container = world.agent_container(task.as_str())?;
    let held = container.state == "running"
        && table.rows().all(|row| match (row.text("value"), container.labels.get(row.text("label"))) {
            ("", Some(value)) => !value.is_empty(),
            (expected, found) => found.is_some_and(|found| found == expected),
        });
    let expected = lines(table.rows().map(|row| format!("{}={}", row.text("label"), row.text("value"))));
    let mut found: Vec<String> =
        container.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    found.sort();
    let claim = Claim::new(Container, "labelled", format!("the container of task {}", task.as_str()), ENGINE);
    world.must(claim, Verdict::of(held, expected, lines(found)))
}

/// The engine tells of the container that the agent of a task is at work in (columns: field, value; a field is a path
/// such as `HostConfig.NetworkMode`, a value is JSON or a plain text).
#[then(expr = "the engine says of the container of task {task}:")]
fn inspected(world: &mut MyceliumWorld, task: TaskName, step: &Step) -> Result<(), WorldError> {
    let table = Table::of(step, &["field", "value"], &[])?;
    let container = world.agent_container(task.as_str())?;
    world.keep(&format!("{}.json", container.name), format!("{:#}\n", container.inspected));
    let field = |path: &str| {
        let value = container
            .inspected
            .pointer(&format!("/{}", path.replace('.', "/")))
            .cloned()
            .unwrap_or(Value::Null);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    let held = table.rows().all(|row| field(row.text("field")) == row.text("value"));
    let expected = lines(table.rows().map(|row| format!("{}: {}", row.text("field"), row.text("value"))));
    let found = lines(table.rows().map(|row| format!("{}: {}", row.text("field"), field(row.text("field")))));
    let claim = Claim::new(Container, "limits", format!("the container of task {}", task.as_str()), ENGINE);
    world.must(claim, Verdict::of(held, expected, found))
}

/// Nothing that the engine tells of the container in which the agent of a task is at work holds the text.
#[then(expr = "the engine does not say {string} of the container of task {task}")]
fn never_inspected(world: &mut MyceliumWorld, text: String, task: TaskName) -> Result<(), WorldError> {
    let container = world.agent_container(task.as_str())?;
    let told = container.inspected.to_string();
    world.keep(&format!("{}.json", container.name), format!("{:#}\n", container.inspected));
    let claim = Claim::new(Container, "untold", format!("what is told of {}", container.name), ENGINE);
    world.never(claim, Verdict::of(!told.contains(&text), format!("nothing with {text:?}"), told))
}

/// Every file below the scenario's folder belongs to the user that runs the program.
#[then(expr = "no file belongs to anybody but the caller")]
fn never_foreign_files(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let caller = geteuid().as_raw();
    let mut foreign = Vec::new();
    let mut looked = 0_usize;
    for entry in WalkDir::new(world.sandbox().root()).into_iter().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        looked += 1;
        if metadata.uid() != caller {
            foreign.push(format!("{} belongs to {}", entry.path().display(), metadata.uid()));
        }
    }
    let claim = Claim::new(Fs, "owned_by_caller", "owners of files", "the scenario's folder");
    world.never(claim, Verdict::of(looked > 0 && foreign.is_empty(), "", lines(foreign)))
}

/// That file at the head of the integration branch holds `UID:GID` of the user that runs the program.
#[then(expr = "the file {string} on the integration branch says who the caller is")]
fn says_caller(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let git = world.stage()?.git()?;
    let head = world.last()?.after.head_of(BRANCH).ok_or(WorldError::NoBranch)?;
    let found = git.file_in(&head, &path)?.unwrap_or_default();
    let expected = format!("{}:{}", geteuid().as_raw(), getegid().as_raw());
    let found = String::from_utf8_lossy(&found).trim_end().to_owned();
    world.must(Claim::new(Container, "user", "who a command runs as", path), Verdict::equal(expected, found))
}

/// `state.json` says the same in both places, but for the name of the project, the world that its commands ran in, and its
/// time, which a stepped clock moves with each event: containers have events of their own.
#[then(expr = "the state is the same in both places but for the world")]
fn same_but_world(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let state = |place: &MyceliumWorld| -> Result<String, WorldError> {
        let text = place.run_folder()?.file("state.json").unwrap_or_default();
        let mut state: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if let Value::Object(fields) = &mut state {
            for field in ["world", "project", "updated_at"] {
                fields.remove(field);
            }
        }
        Ok(format!("{state:#}"))
    };
    let (here, there) = (state(world)?, state(world.second_place()?)?);
    let claim = Claim::new(State, "same_in_both_worlds", "the states of both places", "state.json");
    world.must(claim, Verdict::of(here != "null" && here == there, here, there))
}
