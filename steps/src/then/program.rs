//! How the last command ended and what it printed.

use std::{path::Path, thread, time::Duration};

use cucumber::then;
use mycelium_accept::runner::leftovers;
use mycelium_fixtures::process::Ending;
use mycelium_schemas::evidence::AssertionKind::{Exit, Output};

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, ending_text, lines};

/// How often, and how long between, to look whether the last process has gone that was killed.
const LOOKS_MAX: usize = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The command ended by itself with that exit code.
#[then(expr = "the exit code is {int}")]
fn exit_code(world: &mut MyceliumWorld, code: i32) -> Result<(), WorldError> {
    let run = world.last()?;
    let expected = ending_text(Ending::Exited(code));
    let found = ending_text(run.finished.ending);
    let stderr = String::from_utf8_lossy(&run.finished.stderr);
    let claim = Claim::new(Exit, "exit_code", format!("the exit code of `{}`", run.line), "exit status");
    // What it said is part of what was found, so that a wrong code explains itself.
    world.must(claim, Verdict::of(expected == found, expected, format!("{found}\n{stderr}")))
}

/// What the command said on standard error contains the text.
#[then(expr = "standard error says {string}")]
fn stderr_says(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    let found = stderr(world)?;
    let claim = Claim::new(Output, "stderr", "standard error", "stderr");
    world.must(claim, Verdict::of(found.contains(&text), text, found))
}

/// What the command said on standard error does not contain the text. Where the scenario's folder is does not count.
#[then(expr = "standard error does not say {string}")]
fn never_stderr_says(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    let found = without_folder(&stderr(world)?, world.sandbox().root());
    let claim = Claim::new(Output, "stderr_not", "standard error", "stderr");
    world.never(claim, Verdict::of(!found.contains(&text), format!("no {text:?}"), found))
}

/// What the command printed on standard output contains the text.
#[then(expr = "standard output says {string}")]
fn stdout_says(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    let found = String::from_utf8_lossy(&world.last()?.finished.stdout).into_owned();
    let claim = Claim::new(Output, "stdout", "standard output", "stdout");
    world.must(claim, Verdict::of(found.contains(&text), text, found))
}

/// What the command printed on standard output does not contain the text. Where the scenario's folder is does not count.
#[then(expr = "standard output does not say {string}")]
fn never_stdout_says(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    let found = String::from_utf8_lossy(&world.last()?.finished.stdout).into_owned();
    let found = without_folder(&found, world.sandbox().root());
    let claim = Claim::new(Output, "stdout_not", "standard output", "stdout");
    world.never(claim, Verdict::of(!found.contains(&text), format!("no {text:?}"), found))
}

/// Standard output is one JSON document and nothing else.
#[then(expr = "standard output is one JSON document")]
fn stdout_json(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = String::from_utf8_lossy(&world.last()?.finished.stdout).into_owned();
    let held = serde_json::from_str::<serde_json::Value>(&found).is_ok();
    let claim = Claim::new(Output, "stdout_json", "standard output", "stdout");
    world.must(claim, Verdict::of(held, "one JSON document", found))
}

/// The command printed nothing on standard output.
#[then(expr = "nothing is printed on standard output")]
fn never_stdout(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let found = String::from_utf8_lossy(&world.last()?.finished.stdout).into_owned();
    world.never(Claim::new(Output, "stdout_empty", "standard output", "stdout"), Verdict::equal("", found))
}

/// A text without the folder of the scenario, whose name is the surroundings' and may hold any word.
fn without_folder(text: &str, folder: &Path) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

fn stderr(world: &MyceliumWorld) -> Result<String, WorldError> {
    Ok(String::from_utf8_lossy(&world.last()?.finished.stderr).into_owned())
}

/// No process is left that an agent, a doctor or the program itself was. Where the last command ended by itself, there is
/// none at its end; what was killed with it may still be on its way out.
#[then(expr = "no process is left")]
fn never_process_left(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let was_killed = !matches!(world.last()?.finished.ending, Ending::Exited(_));
    let root = world.sandbox().root().to_owned();
    let (mut left, mut looks) = (leftovers::find_inside(&root), 1);
    while was_killed && !left.is_empty() && looks < LOOKS_MAX {
        thread::sleep(BETWEEN_LOOKS);
        left = leftovers::find_inside(&root);
        looks += 1;
    }
    let claim = Claim::new(Exit, "no_process_left", "processes that were left", "/proc");
    world.never(claim, Verdict::equal("", lines(left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_scenarios_folder_is_is_not_said() {
        let said = "older: /tmp/a folder with blanks/x/state.json";
        assert_eq!(without_folder(said, Path::new("/tmp/a folder with blanks")), "older: x/state.json");
    }
}
