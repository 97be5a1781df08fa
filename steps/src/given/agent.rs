//! What agents and the doctor do.

use cucumber::{gherkin::Step, given};
use serde_json::json;

use crate::world::{MyceliumWorld, TaskName, WorldError, doc_string};

/// The mock agent reports this many input tokens in each attempt.
#[given(expr = "the agent reports {int} token(s)")]
fn agent_reports_tokens(world: &mut MyceliumWorld, tokens: u64) {
    agent_reports_usage(world, tokens, 0, 0);
}

/// The mock agent reports this usage in each attempt; cached tokens are part of the input.
#[given(expr = "the agent reports {int} input, {int} cached and {int} output tokens")]
fn agent_reports_usage(world: &mut MyceliumWorld, input: u64, cached: u64, output: u64) {
    let usage = json!({ "input_tokens": input, "cached_input_tokens": cached, "output_tokens": output });
    world.sandbox().set("MOCK_CODEX_USAGE", usage.to_string());
}

/// A shell script is the agent of every task that has none of its own. Words beside the shell's: write, append, usage,
/// colleague_commits, colleague_rewinds, user_appends, user_hides, once, signal, await.
#[given(expr = "the agent runs:")]
fn agent_runs(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    world.stage_mut()?.set_agent(None, doc_string(step)?)
}

/// A shell script is the agent of one task.
#[given(expr = "the agent of task {task} runs:")]
fn agent_of_task_runs(world: &mut MyceliumWorld, task: TaskName, step: &Step) -> Result<(), WorldError> {
    world.stage_mut()?.set_agent(Some(task.as_str()), doc_string(step)?)
}

/// A shell script is the doctor. Words beside those of agents: see_tree, which notes the tree that the doctor looks at.
#[given(expr = "the doctor runs:")]
fn doctor_runs(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    world.stage_mut()?.set_doctor(doc_string(step)?)
}
