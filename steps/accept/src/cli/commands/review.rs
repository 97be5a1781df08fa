//! `accept review`: somebody looked at a goal and its scenarios together and found that they fit.

use mycelium_schemas::{
    SCHEMA_VERSION,
    goal::{says_something, spec::Goal},
    impact::{Reviewed, ReviewedGoal, Since},
    problem::Source,
};
use mycelium_traceability::{
    Catalogue, Registry, Side, changed, differences, goal_fingerprint, lock, review, scenarios_fingerprint,
};

use crate::{
    cli::{
        args::ReviewArgs,
        changes::changed_goal,
        console::{Console, Stream},
        error::CliError,
        history::{History, HistoryError},
        project::Project,
    },
    lint::{Unmade, unmade},
    runner::Loader,
};

pub(in crate::cli) fn run(console: &Console, load: Loader, args: ReviewArgs) -> Result<u8, CliError> {
    let library = load()?;
    let project = Project::locate()?;
    // What is read below is written again: another review waits.
    let _one_at_a_time = project.lock()?;
    let registry = project.registry()?;
    let catalogue = project.catalogue()?;
    if args.by.as_ref().is_some_and(|by| !says_something(by)) {
        return Err(CliError::BlankReviewer);
    }
    let by = args.by.or_else(|| git_user(&project)).ok_or(CliError::NoReviewer)?;
    let on = args.day.date();
    let mut links = project.links()?;
    let mut denominator = project.denominator()?;
    let mut goals = Vec::new();
    for id in args.goals {
        let goal = registry.goal(id).ok_or_else(|| CliError::UnknownGoal(id.to_string()))?;
        let unmade = unmade(goal, library.vocabulary());
        if !unmade.is_empty() {
            let told = unmade.iter().map(|Unmade { name, help }| format!("  {name}; {help}"));
            return Err(CliError::Unmade { goal: id.to_string(), names: told.collect() });
        }
        links = Source::new(links.name.clone(), review(&links, goal, &catalogue, on, &by)?);
        let promise = differences(&denominator, goal, &catalogue).map_err(CliError::Registry)?;
        let locked = lock(&denominator, goal, &catalogue).map_err(CliError::Registry)?;
        denominator = Source::new(denominator.name.clone(), locked);
        let reviewed = since_last_review(&project, &registry, &catalogue, goal)?;
        show(console, goal, &catalogue, &reviewed);
        for difference in promise {
            console.say(format_args!("  {difference}"));
        }
        goals.push(reviewed);
    }
    let recorded = !args.dry_run;
    console.document(&Reviewed { schema_version: SCHEMA_VERSION, recorded, by: by.clone(), on, goals })?;
    if !recorded {
        console.say("nothing was recorded");
        return Ok(0);
    }
    for file in [&links, &denominator] {
        project.replace(file)?;
    }
    console.say(format_args!("reviewed by {by} on {on}: {}, {}", links.name, denominator.name));
    Ok(0)
}

/// What a goal and its scenarios have become since somebody last looked at them.
fn since_last_review(
    project: &Project,
    registry: &Registry,
    catalogue: &Catalogue,
    goal: &Goal,
) -> Result<ReviewedGoal, CliError> {
    let answer = |since, changed| ReviewedGoal { goal: goal.id, since, changed };
    let scenarios = catalogue.of_goal(goal.id);
    let Some(link) = registry.links.iter().find(|link| link.goal == goal.id) else {
        return Ok(answer(Since::FirstReview, None));
    };
    let is_same = scenarios_fingerprint(scenarios.iter().copied()) == link.scenarios;
    if is_same && goal_fingerprint(goal) == link.text {
        return Ok(answer(Since::Unchanged, None));
    }
    let before = match History::of(project) {
        Ok(history) => history.reviewed(link)?,
        // A checkout without git has no history to look in, and can be reviewed all the same.
        Err(HistoryError::NoRepository(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let Some(before) = before else { return Ok(answer(Since::NotInHistory, None)) };
    let now = Side { goal: Some(goal.clone()), scenarios: scenarios.into_iter().cloned().collect() };
    Ok(answer(Since::Changed, changed(goal.id, &before, &now)))
}

fn show(console: &Console, goal: &Goal, catalogue: &Catalogue, reviewed: &ReviewedGoal) {
    console.say(format_args!("{} {}\n  {}", goal.id, goal.title, goal.statement.trim()));
    for scenario in catalogue.of_goal(goal.id) {
        console.say(format_args!("  {}  {}", scenario.key, scenario.name));
    }
    let since = match reviewed.since {
        Since::FirstReview => "nobody reviewed it before",
        Since::Unchanged => "nothing changed since its last review",
        Since::Changed => "since its last review:",
        Since::NotInHistory => "it changed since its last review, and no commit here has what was reviewed",
    };
    console.say(format_args!("  {since}"));
    if let Some(changed) = &reviewed.changed {
        console.say(changed_goal(console, Stream::Err, changed));
    }
}

fn git_user(project: &Project) -> Option<String> {
    let repository = git2::Repository::discover(&project.root).ok()?;
    repository.config().ok()?.get_string("user.name").ok().filter(|name| says_something(name))
}
