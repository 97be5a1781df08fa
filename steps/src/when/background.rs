//! Commands that run while the scenario goes on.

use cucumber::when;

use crate::world::{Meeting, MyceliumWorld, SignalName, TaskName, WorldError};

/// Starts the program in the repository's root and does not wait for its end.
#[when(expr = "I start {string}")]
fn start(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    world.start_command(&line)
}

/// Waits until a script of the started command says `signal NAME`.
#[when(expr = "a script signals {string}")]
fn signals(world: &mut MyceliumWorld, name: String) -> Result<(), WorldError> {
    world.meet(&name, Meeting::Signalled)
}

/// Lets a script of the started command go on, as soon as it says `await NAME`.
#[when(expr = "a script that awaits {string} goes on")]
fn goes_on(world: &mut MyceliumWorld, name: String) -> Result<(), WorldError> {
    world.meet(&name, Meeting::Awaited)
}

/// Waits until the started command has asked the model something that holds the text.
#[when(expr = "the model is asked what says {string}")]
fn is_asked(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    world.wait_for_question(&text)
}

/// Waits until the started command has written down by which id the agent of a task finds its conversation again: what a
/// kill leaves of one before that is gone on with by nobody.
#[when(expr = "the conversation of task {task} is written down")]
fn is_written_down(world: &mut MyceliumWorld, task: TaskName) -> Result<(), WorldError> {
    world.wait_for_conversation(task.as_str())
}

/// Nobody listens where the model was, in both places, and the operator has no key for one.
#[when(expr = "the model and its key are gone")]
fn model_is_gone(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.end_models()
}

/// This place gets a copy of what the second one recorded, and is configured to replay it.
#[when(expr = "the cassette {string} is brought here and replayed")]
fn replays(world: &mut MyceliumWorld, name: String) -> Result<(), WorldError> {
    world.replay_from_second_place(&name)
}

/// What was recorded here is replayed by the commands that follow.
#[when(expr = "the cassette {string} is replayed from now on")]
fn replays_here(world: &mut MyceliumWorld, name: String) -> Result<(), WorldError> {
    world.replay(&name)
}

/// Waits for the end of the started command, which is then the last command.
#[when(expr = "the started command has ended")]
fn has_ended(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.finish_started()
}

/// Starts a command that only looks, beside the started one.
#[when(expr = "I watch with {string}")]
fn watch(world: &mut MyceliumWorld, line: String) -> Result<(), WorldError> {
    world.start_watching(&line)
}

/// Waits until the watching command has printed the text.
#[when(expr = "the watching command has printed {string}")]
fn has_printed(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    world.wait_for_print(&text)
}

/// Waits for the end of the watching command, which is then the last command.
#[when(expr = "the watching command has ended")]
fn watching_has_ended(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.finish_watching()
}

/// Kills the started command at once and nothing that it started, as a crash would.
#[when(expr = "the started command is killed")]
fn is_killed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.kill_started()
}

/// Sends a signal to the started command and to nothing that it started.
#[when(expr = "the started command gets {signal}")]
fn gets_signal(world: &mut MyceliumWorld, signal: SignalName) -> Result<(), WorldError> {
    world.signal_started(signal.0)
}
