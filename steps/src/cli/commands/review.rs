//! `accept review`: somebody looked at a goal and its scenarios together and found that they fit.

use jiff::{Timestamp, tz::Offset};
use mycelium_schemas::problem::Source;
use mycelium_traceability::{lock, review};

use crate::cli::{args::ReviewArgs, console::Console, error::CliError, project::Project};

pub(in crate::cli) fn run(console: &Console, args: ReviewArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let registry = project.registry()?;
    let catalogue = project.catalogue()?;
    let by = args.by.or_else(|| git_user(&project)).ok_or(CliError::NoReviewer)?;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let mut links = project.links()?;
    let mut denominator = project.denominator()?;
    for id in args.goals {
        let goal = registry.goal(id).ok_or_else(|| CliError::UnknownGoal(id.to_string()))?;
        links = Source::new(links.name.clone(), review(&links, goal, &catalogue, today, &by)?);
        let locked = lock(&denominator, goal).map_err(CliError::Registry)?;
        denominator = Source::new(denominator.name.clone(), locked);
        console.say(format_args!("{id} {}\n  {}", goal.title, goal.statement.trim()));
        for scenario in catalogue.of_goal(id) {
            console.say(format_args!("  {}  {}", scenario.key, scenario.name));
        }
    }
    for file in [&links, &denominator] {
        project.replace(file)?;
    }
    console.say(format_args!("reviewed by {by} on {today}: {}, {}", links.name, denominator.name));
    Ok(0)
}

fn git_user(project: &Project) -> Option<String> {
    let repository = git2::Repository::discover(&project.root).ok()?;
    repository.config().ok()?.get_string("user.name").ok().filter(|name| !name.trim().is_empty())
}
