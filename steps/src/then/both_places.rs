//! What must be equal in two places where the same was done.

use cucumber::then;
use mycelium_fixtures::repository::BRANCH;
use mycelium_schemas::evidence::AssertionKind::{Event, Git, Plan, State};
use serde_json::Value;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

/// The planned tasks have the same files with the same bytes in both places; there is at least one.
#[then(expr = "the task files are the same in both places")]
fn same_task_files(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (here, there) = (&world.last()?.after.tasks, &world.second_place()?.last()?.after.tasks);
    let claim = Claim::new(Plan, "same_everywhere", "the task files of both places", ".mycelium/tasks");
    world.must(claim, Verdict::of(!here.is_empty() && here == there, here, there))
}

/// The integration branch points at the very same commit in both places.
#[then(expr = "the integration branch is the same in both places")]
fn same_head(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let head = |place: &MyceliumWorld| -> Result<String, WorldError> {
        Ok(place.last()?.after.head_of(BRANCH).ok_or(WorldError::NoBranch)?.to_string())
    };
    let verdict = Verdict::equal(head(world)?, head(world.second_place()?)?);
    world.must(
        Claim::new(Git, "same_everywhere", "the integration branch of both places", "git refs"),
        verdict,
    )
}

/// That file at the head of the integration branch of the second place contains the text.
#[then(expr = "the file {string} on the integration branch of the second place contains {string}")]
fn landed_there(world: &mut MyceliumWorld, path: String, text: String) -> Result<(), WorldError> {
    let there = world.second_place()?;
    let head = there.last()?.after.head_of(BRANCH).ok_or(WorldError::NoBranch)?;
    let found = there.stage()?.git()?.file_in(&head, &path)?.unwrap_or_default();
    let found = String::from_utf8_lossy(&found).into_owned();
    let claim = Claim::new(Git, "landed_elsewhere", "the integration branch of the second place", path);
    world.must(claim, Verdict::of(found.contains(&text), text, found))
}

/// The integration branch holds the same files with the same bytes and modes in both places, whatever way led there.
#[then(expr = "the files on the integration branch are the same in both places")]
fn same_files(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let tree = |place: &MyceliumWorld| -> Result<String, WorldError> {
        let head = place.last()?.after.head_of(BRANCH).ok_or(WorldError::NoBranch)?;
        Ok(place.stage()?.git()?.tree_of(&head)?)
    };
    let verdict = Verdict::equal(tree(world)?, tree(world.second_place()?)?);
    world.must(Claim::new(Git, "same_files", "the integration branch of both places", "git refs"), verdict)
}

/// Every task has the same status after as many attempts, and each place has the same of them; there is at least one.
#[then(expr = "every task came out the same in both places")]
fn same_outcomes(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let outcomes = |place: &MyceliumWorld| -> Result<String, WorldError> {
        let tasks = place.run_folder()?.state()?.tasks;
        Ok(lines(tasks.iter().map(|(id, task)| format!("{id} {} after {}", task.status, task.attempts))))
    };
    let (here, there) = (outcomes(world)?, outcomes(world.second_place()?)?);
    let claim = Claim::new(State, "same_outcomes", "the tasks of both places", "state.json");
    world.must(claim, Verdict::of(!here.is_empty() && here == there, here, there))
}

/// What models used is the same in both places, response by response, in any order of parallel tasks; there was one.
#[then(expr = "models have used the same in both places")]
fn same_account(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (here, there) = (world.account_of_models()?, world.second_place()?.account_of_models()?);
    let claim = Claim::new(State, "same_usage", "what models used in both places", "models.jsonl");
    world.must(claim, Verdict::of(!here.is_empty() && here == there, here, there))
}

/// `state.json` holds the same bytes in both places.
#[then(expr = "the state is the same in both places")]
fn same_state(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let state = |place: &MyceliumWorld| -> Result<String, WorldError> {
        Ok(place.run_folder()?.file("state.json").unwrap_or_default())
    };
    let (here, there) = (state(world)?, state(world.second_place()?)?);
    let claim = Claim::new(State, "same_everywhere", "the states of both places", "state.json");
    world.must(claim, Verdict::of(!here.is_empty() && here == there, here, there))
}

/// The logs of both places are the same, event by event, but for what stands in `payload.local`.
#[then(expr = "the log is the same in both places")]
fn same_log(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (here, there) = (comparable(world)?, comparable(world.second_place()?)?);
    let claim = Claim::new(Event, "same_everywhere", "the logs of both places", "orchestrator.jsonl");
    world.must(claim, Verdict::of(!here.is_empty() && here == there, here, there))
}

fn comparable(place: &MyceliumWorld) -> Result<String, WorldError> {
    let mut journal = place.run_folder()?.journal()?;
    for line in &mut journal {
        if let Value::Object(payload) = &mut line.payload {
            payload.remove("local");
        }
    }
    Ok(lines(journal.iter().map(|line| format!("{} {} {}", line.event.ts, line.summary(), line.payload))))
}
