//! Agents that ask a model, and what the model answers.

use cucumber::{gherkin::Step, given};

use crate::world::{HiredAgent, ModelInterface, MyceliumWorld, ValidatorName, WorldError, doc_string};

/// The agent is one that every machine has: it is called and heard like the real one of that name, and asks a scripted
/// model through the gateway, which holds the key.
#[given(expr = "the agent is a scripted {hiredAgent}")]
fn scripted(world: &mut MyceliumWorld, agent: HiredAgent) -> Result<(), WorldError> {
    world.hire(agent)
}

/// The agent is the real one of that name, which `.ci/agents` installs and names; it asks the scripted model. Where this
/// machine has none, the scenario is not run.
#[given(expr = "the agent is the real {hiredAgent}")]
fn real(world: &mut MyceliumWorld, agent: HiredAgent) -> Result<(), WorldError> {
    world.hire_real(agent)
}

/// The planner asks a scripted model by that interface.
#[given(expr = "the planner asks a scripted model by {modelInterface}")]
fn planner_asks(world: &mut MyceliumWorld, interface: ModelInterface) -> Result<(), WorldError> {
    world.ask_by("planner", interface)
}

/// The validator asks a scripted model by that interface; its mode comes from the configuration.
#[given(expr = "the {validator} validator asks a scripted model by {modelInterface}")]
fn validator_asks(
    world: &mut MyceliumWorld,
    validator: ValidatorName,
    interface: ModelInterface,
) -> Result<(), WorldError> {
    world.ask_by(&format!("{}_validator", validator.as_str()), interface)
}

/// The validator is an agent that every machine has and that is heard like the real one of that name, told to answer and do
/// nothing else; its mode comes from the configuration.
#[given(expr = "the {validator} validator is a scripted {hiredAgent}")]
fn validator_is(
    world: &mut MyceliumWorld,
    validator: ValidatorName,
    agent: HiredAgent,
) -> Result<(), WorldError> {
    world.judge_by(&format!("{}_validator", validator.as_str()), agent)
}

/// The operator's key for the model; an empty one is none.
#[given(expr = "the key of the model is {string}")]
fn has_key(world: &mut MyceliumWorld, key: String) {
    world.set_model_key(&key);
}

/// What models answer in the second place is recorded as the cassette of that name.
#[given(expr = "the second place records the cassette {string}")]
fn records(world: &mut MyceliumWorld, name: String) -> Result<(), WorldError> {
    world.record_in_second_place(&name)
}

/// What the model answers, one after the other, as a YAML list; the last answer stands for all that follow. An answer has
/// text, shell (a command, with the words of scripts), tools (spawn_agent with a prompt), usage ({input, cached, output}),
/// status, body, end (cut_after, stall_after), pace_ms, wait_for, times.
#[given(expr = "the model answers:")]
fn answers(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    world.model_answers(None, doc_string(step)?)
}

/// The same for requests in which the text stands, as the name of a task does: parallel tasks share one model.
#[given(expr = "the model answers what says {string}:")]
fn answers_what_says(world: &mut MyceliumWorld, text: String, step: &Step) -> Result<(), WorldError> {
    world.model_answers(Some(&text), doc_string(step)?)
}
