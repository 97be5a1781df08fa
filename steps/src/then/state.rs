//! What `state.json` says.

use cucumber::{gherkin::Step, then};
use mycelium_schemas::{
    evidence::AssertionKind::State,
    state::{TaskState, Usage},
};

use crate::world::{
    Claim, MyceliumWorld, RunStatusName, StopReasonName, Table, TaskName, TaskStatusName, ValidatorName,
    Verdict, WorldError, lines,
};

const STATE: &str = "state.json";

/// The run has that status.
#[then(expr = "the run status is {runStatus}")]
fn run_status(world: &mut MyceliumWorld, status: RunStatusName) -> Result<(), WorldError> {
    let found = world.run_folder()?.state()?.status.to_string();
    world.must(Claim::new(State, "status", "the run's status", STATE), Verdict::equal(status.as_str(), found))
}

/// The run does not have that status.
#[then(expr = "the run status is not {runStatus}")]
fn never_run_status(world: &mut MyceliumWorld, status: RunStatusName) -> Result<(), WorldError> {
    let found = world.run_folder()?.state()?.status.to_string();
    let verdict = Verdict::of(found != status.as_str(), format!("not {}", status.as_str()), found);
    world.never(Claim::new(State, "status_not", "the run's status", STATE), verdict)
}

/// The run stopped for that reason.
#[then(expr = "the stop reason is {stopReason}")]
fn stop_reason(world: &mut MyceliumWorld, reason: StopReasonName) -> Result<(), WorldError> {
    let found = world.run_folder()?.state()?.stop_reason;
    let found = found.map_or_else(|| "none".to_owned(), |reason| reason.to_string());
    let claim = Claim::new(State, "stop_reason", "why the run stopped", STATE);
    world.must(claim, Verdict::equal(reason.as_str(), found))
}

/// The run did not stop: it has no stop reason.
#[then(expr = "there is no stop reason")]
fn never_stopped(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = world.run_folder()?.state()?.stop_reason.map_or_else(|| "none".to_owned(), |r| r.to_string());
    let claim = Claim::new(State, "no_stop_reason", "why the run stopped", STATE);
    world.never(claim, Verdict::equal("none", found))
}

/// The task has that status.
#[then(expr = "task {task} is {taskStatus}")]
fn task_status(world: &mut MyceliumWorld, task: TaskName, status: TaskStatusName) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.status.to_string();
    let claim = Claim::new(State, "task_status", format!("the status of task {}", task.as_str()), STATE);
    world.must(claim, Verdict::equal(status.as_str(), found))
}

/// The task does not have that status.
#[then(expr = "task {task} is not {taskStatus}")]
fn never_task_status(
    world: &mut MyceliumWorld,
    task: TaskName,
    status: TaskStatusName,
) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.status.to_string();
    let claim = Claim::new(State, "task_status_not", format!("the status of task {}", task.as_str()), STATE);
    world.never(claim, Verdict::of(found != status.as_str(), format!("not {}", status.as_str()), found))
}

/// The task started exactly that many attempts.
#[then(expr = "task {task} has made {int} attempt(s)")]
fn made_attempts(world: &mut MyceliumWorld, task: TaskName, attempts: u32) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.attempts;
    let claim = Claim::new(State, "attempts", format!("attempts of task {}", task.as_str()), STATE);
    world.count(claim, attempts.into(), Verdict::equal(attempts.to_string(), found.to_string()))
}

/// The task started at most that many attempts.
#[then(expr = "task {task} has not made more than {int} attempt(s)")]
fn never_more_attempts(world: &mut MyceliumWorld, task: TaskName, most: u32) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.attempts;
    let claim = Claim::new(State, "attempts_at_most", format!("attempts of task {}", task.as_str()), STATE);
    world.never(claim, Verdict::of(found <= most, format!("at most {most}"), found.to_string()))
}

/// The task used that many tokens, input plus output, in all its attempts.
#[then(expr = "task {task} has used {int} token(s)")]
fn used_tokens(world: &mut MyceliumWorld, task: TaskName, tokens: u64) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.usage.tokens();
    let claim = Claim::new(State, "usage", format!("tokens of task {}", task.as_str()), STATE);
    world.count(claim, tokens, Verdict::equal(tokens.to_string(), found.to_string()))
}

/// What the task used in all its attempts, validators included, by kind (columns: kind, count): input, cached,
/// `cache_write`, output, reasoning, `cost_microusd`. A kind that is not named is none.
#[then(expr = "task {task} has used:")]
fn used(world: &mut MyceliumWorld, task: TaskName, step: &Step) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.usage;
    let claim = Claim::new(State, "usage_by_kind", format!("the usage of task {}", task.as_str()), STATE);
    world.must(claim, Verdict::equal(usage_of(step)?, spoken(found)))
}

/// What the validator used in all tasks of the run, by kind, as above.
#[then(expr = "the {validator} validator has used:")]
fn validator_used(
    world: &mut MyceliumWorld,
    validator: ValidatorName,
    step: &Step,
) -> Result<(), WorldError> {
    let mut all = world.run_folder()?.state()?.validators;
    let found = all.remove(validator.as_str()).unwrap_or_default();
    let about = format!("the usage of the {} validator", validator.as_str());
    world.must(
        Claim::new(State, "validator_usage", about, STATE),
        Verdict::equal(usage_of(step)?, spoken(found)),
    )
}

/// The task did not use more tokens than that, input plus output, in all its attempts; it used some.
#[then(expr = "task {task} has not used more than {int} token(s)")]
fn never_used_more(world: &mut MyceliumWorld, task: TaskName, most: u64) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.usage.tokens();
    let claim = Claim::new(State, "usage_at_most", format!("tokens of task {}", task.as_str()), STATE);
    let verdict = Verdict::of((1..=most).contains(&found), format!("1 to {most}"), found.to_string());
    world.never(claim, verdict)
}

/// Attempts of the task whose agent told no usage.
#[then(expr = "the agent of task {task} told no usage in {int} attempt(s)")]
fn told_no_usage(world: &mut MyceliumWorld, task: TaskName, attempts: u32) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.unmetered_attempts;
    let claim = Claim::new(State, "unmetered", format!("attempts of task {}", task.as_str()), STATE);
    world.count(claim, attempts.into(), Verdict::equal(attempts.to_string(), found.to_string()))
}

/// The task keeps the commit of its validated work, so that a human can still let it land.
#[then(expr = "task {task} keeps its commit")]
fn keeps_commit(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    let found = task_of(world, &task)?.commit;
    let claim = Claim::new(State, "commit_kept", format!("the commit of task {}", task.as_str()), STATE);
    let verdict =
        Verdict::of(found.is_some(), "a commit", found.map_or_else(|| "none".to_owned(), |c| c.to_string()));
    world.must(claim, verdict)
}

/// One of the task's reasons has that code or contains that text.
#[then(expr = "a reason of task {task} says {string}")]
fn reason(world: &mut MyceliumWorld, task: TaskName, text: String) -> Result<(), WorldError> {
    let reasons = task_of(world, &task)?.reasons;
    let found = lines(reasons.iter().map(|r| format!("{}: {}", r.code, r.message)));
    let claim = Claim::new(State, "reason", format!("the reasons of task {}", task.as_str()), STATE);
    world.must(claim, Verdict::of(found.contains(&text), text, found))
}

/// The run's batches, in order, with the tasks of each (columns: batch, tasks).
#[then(expr = "the batches are:")]
fn batches(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    let table = Table::of(step, &["batch", "tasks"], &[])?;
    let line = |batch: &str, tasks: &[String]| format!("batch {batch}: {}", tasks.join(", "));
    let expected = lines(table.rows().map(|row| line(row.text("batch"), &row.list("tasks"))));
    let state = world.run_folder()?.state()?;
    let ids =
        |tasks: &[mycelium_schemas::id::TaskId]| tasks.iter().map(ToString::to_string).collect::<Vec<_>>();
    let found = lines(state.batches.iter().map(|b| line(&b.batch.to_string(), &ids(&b.tasks))));
    world.must(Claim::new(State, "batches", "the run's batches", STATE), Verdict::equal(expected, found))
}

fn task_of(world: &MyceliumWorld, task: &TaskName) -> Result<TaskState, WorldError> {
    let folder = world.run_folder()?;
    let mut state = folder.state()?;
    let id = task.as_str();
    state.tasks.remove(id).ok_or_else(|| WorldError::Artifact {
        path: folder.path().join(STATE),
        why: format!("it has no task {id:?}"),
    })
}

/// The counts of a table, as they are compared.
fn usage_of(step: &Step) -> Result<String, WorldError> {
    let table = Table::of(step, &["kind", "count"], &[])?;
    let mut usage = Usage::default();
    for row in table.rows() {
        let count = row.text("count");
        let count = count.parse().map_err(|_| WorldError::Argument(format!("{count:?} is no count")))?;
        *match row.text("kind") {
            "input" => &mut usage.input_tokens,
            "cached" => &mut usage.cached_input_tokens,
            "cache_write" => &mut usage.cache_write_input_tokens,
            "output" => &mut usage.output_tokens,
            "reasoning" => &mut usage.reasoning_output_tokens,
            "cost_microusd" => &mut usage.cost_microusd,
            other => return Err(WorldError::Argument(format!("{other:?} is no kind of usage"))),
        } = count;
    }
    Ok(spoken(usage))
}

fn spoken(usage: Usage) -> String {
    format!(
        "{} input ({} cached, {} written to the cache), {} output ({} reasoning), {} microusd",
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.cache_write_input_tokens,
        usage.output_tokens,
        usage.reasoning_output_tokens,
        usage.cost_microusd
    )
}
