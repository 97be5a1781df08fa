//! What the planner answers, and the plan that is there already.

use cucumber::{gherkin::Step, given};
use mycelium_fixtures::files::write_file;

use crate::world::{MyceliumWorld, WorldError, doc_string, plan};

/// The tasks, planned already: the planner answers with this table and `mycelium plan` writes them. Lists are separated
/// by commas. A plan that is there already is replaced.
#[given(expr = "the plan:")]
fn the_plan(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    planner_proposes(world, step)?;
    world.set_up("mycelium plan --input .mycelium/plan.md --force")
}

/// The tasks that the planner will answer with, not planned yet. Lists are separated by commas.
#[given(expr = "the planner proposes:")]
fn planner_proposes(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    let answer = plan(step)?.to_json();
    set_answer_file(world, &answer)
}

/// What the planner will answer, word for word; kept in a file named `planner-output.json`.
#[given(expr = "the planner answers:")]
fn planner_answers(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    set_answer_file(world, doc_string(step)?)
}

/// What the mock model answers from now on, word for word: planner and mock validators read it at each call.
#[given(expr = "the mock model answers:")]
fn mock_model_answers(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    let answer = doc_string(step)?.to_owned();
    world.sandbox().set("MOCK_LLM_OUTPUT", answer);
    Ok(())
}

fn set_answer_file(world: &mut MyceliumWorld, answer: &str) -> Result<(), WorldError> {
    let path = world.sandbox().root().join("planner-output.json");
    write_file(&path, answer.as_bytes(), false)?;
    world.sandbox().set("MOCK_LLM_OUTPUT_PATH", path);
    Ok(())
}
