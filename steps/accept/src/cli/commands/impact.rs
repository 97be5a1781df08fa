//! `accept impact`: which goals have to be looked at and proved again since a commit.

use mycelium_schemas::{SCHEMA_VERSION, impact::Impact};
use mycelium_traceability::{Promises, impact};

use crate::cli::{
    args::ImpactArgs,
    changes::changed_goal,
    console::{Console, Stream, counted},
    error::CliError,
    history::History,
    project::Project,
};

pub(in crate::cli) fn run(console: &Console, args: &ImpactArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let registry = project.registry()?;
    let catalogue = project.catalogue()?;
    let past = History::of(&project)?.at(&args.since)?;
    let goals = impact(
        Promises { goals: &past.goals, catalogue: &past.catalogue },
        Promises { goals: &registry.goals, catalogue: &catalogue },
    );
    let answer = Impact { schema_version: SCHEMA_VERSION, since: past.commit, goals };
    console.document(&answer)?;
    for goal in &answer.goals {
        console.print(changed_goal(console, Stream::Out, goal))?;
    }
    let number = counted(answer.goals.len(), "goal");
    console.say(format_args!("{number} changed since {} ({:.10})", args.since, answer.since));
    // A goal that is gone has nothing to run.
    let left = answer.goals.iter().filter(|goal| !catalogue.of_goal(goal.goal).is_empty());
    let tags: Vec<String> = left.map(|goal| format!("@{}", goal.goal)).collect();
    if !tags.is_empty() {
        console.say(format_args!("run them: cargo accept run --tags \"{}\"", tags.join(" or ")));
    }
    Ok(0)
}
