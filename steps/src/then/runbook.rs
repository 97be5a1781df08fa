//! Whether what the runbook says is true.

use cucumber::then;
use mycelium_schemas::evidence::AssertionKind::{Fs, Output};

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

const PAGE: &str = "docs/runbook.md";

/// Each command in the column "look" of that symptom was run, ended with exit code 0 (`mycelium doctor`, which says what
/// is wrong, with 1 or 2) and printed something on standard output.
#[then(expr = "every command that the runbook says at {string} has answered")]
fn answered(world: &mut MyceliumWorld, symptom: String) -> Result<(), WorldError> {
    let entry = world.runbook(&symptom)?;
    let mut found = Vec::new();
    for line in &entry.look {
        found.push(format!("{line}: {}", world.answer_of(line)?));
    }
    let expected = entry.look.iter().map(|line| format!("{line}: an answer"));
    let claim = Claim::new(Output, "runbook_answered", format!("the commands at {symptom:?}"), PAGE);
    world.must(claim, Verdict::equal(lines(expected), lines(found)))
}

/// Each path of that symptom is there: in the run's folder, or in the checkout where it begins with a dot.
#[then(expr = "every path that the runbook says at {string} is there")]
fn there(world: &mut MyceliumWorld, symptom: String) -> Result<(), WorldError> {
    let missing = world.missing_of_runbook(&symptom)?;
    let claim = Claim::new(Fs, "runbook_paths", format!("the paths at {symptom:?}"), PAGE);
    world.must(claim, Verdict::equal("", lines(missing)))
}

/// No command in the column "look" of that symptom has written, changed or removed a file of any run, or a ref.
#[then(expr = "looking as the runbook says at {string} has changed nothing")]
fn never_changed(world: &mut MyceliumWorld, symptom: String) -> Result<(), WorldError> {
    let entry = world.runbook(&symptom)?;
    let (_, commands) = world.commands()?;
    let looks: Vec<_> = commands.iter().filter(|run| entry.look.contains(&run.line)).collect();
    let look = |files: &Option<String>| files.clone().unwrap_or_else(|| "a command runs\n".to_owned());
    let before: String =
        looks.iter().map(|run| run.before.refs_text() + &look(&run.before.run_files)).collect();
    let after: String = looks.iter().map(|run| run.after.refs_text() + &look(&run.after.run_files)).collect();
    let held = !looks.is_empty() && before == after;
    let claim =
        Claim::new(Fs, "looking_changes_nothing", "the files of all runs and the refs", "MYCELIUM_HOME");
    world.never(claim, Verdict::of(held, before, after))
}
