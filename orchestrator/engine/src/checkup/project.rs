//! What the operator wrote: configuration, branch, checkout, doctor, plan.

use std::fs;

use mycelium_schemas::{answer::CheckArea::Configuration, event::World};

use super::{Checks, engine, people, script};
use crate::{
    clean,
    environment::Environment,
    error::Error,
    filters::refuse_filters,
    git::{Branch, CheckedOut, Upstream},
    orphans,
    project::Project,
    runlock,
    settings::{Settings, load_plan},
    signals::Listening,
    start::{check_branch, refuse_dirty},
    store,
};

pub(super) fn check(
    checks: &mut Checks,
    project: &Project,
    environment: &Environment,
    world: World,
    listening: &mut Listening,
) -> Result<(), Error> {
    let upstream = match Upstream::discover(&project.root) {
        Ok(upstream) => upstream,
        Err(error) => {
            checks.error("repository", &error.into());
            return Ok(());
        }
    };
    let settings = Settings::load(project);
    match &settings {
        Err(error) => checks.error("configuration", error),
        Ok(settings) => {
            checks.ok("configuration", Configuration, project.display(&project.config_path));
            branch(checks, settings, &upstream, project, environment);
            doctor(checks, settings, project, environment);
            plan(checks, settings, project);
            people::check(checks, settings, project, environment, world, listening)?;
        }
    }
    let is_free = lock(checks, &upstream);
    leftovers(checks, project, is_free);
    // The image of runs in containers was looked into above.
    let settings = settings.ok().filter(|_| world == World::Local);
    engine::check(checks, settings.as_ref(), project, environment, is_free, listening)
}

fn branch(
    checks: &mut Checks,
    settings: &Settings,
    upstream: &Upstream,
    project: &Project,
    environment: &Environment,
) {
    match check_branch(settings, upstream) {
        Ok((branch, head)) => {
            checks.ok("integration branch", Configuration, format!("{} at {}", branch.name(), head.short()));
            // What is wrong with the plan is told by its own check.
            let plan = load_plan(project, &settings.config).ok();
            if let Err(error) = refuse_filters(upstream, &head, environment, plan.as_ref()) {
                checks.error("filters", &error);
            }
            checkout(checks, upstream, &branch);
        }
        Err(error) => checks.error("integration branch", &error),
    }
}

fn checkout(checks: &mut Checks, upstream: &Upstream, branch: &Branch) {
    match refuse_dirty(upstream, branch, &|| false) {
        Ok(CheckedOut::No) => checks.ok("checkout", Configuration, "on another branch; it is not touched"),
        Ok(_) => checks.ok("checkout", Configuration, "clean; it follows what lands"),
        Err(error) => checks.error("checkout", &error),
    }
}

fn doctor(checks: &mut Checks, settings: &Settings, project: &Project, environment: &Environment) {
    let path = match settings.doctor(project) {
        Ok(path) => path,
        Err(problem) => return checks.error("doctor script", &Error::Problems { problems: vec![problem] }),
    };
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(source) => return checks.error("doctor script", &Error::Io { action: "read", path, source }),
    };
    let shown = project.display(&path);
    match script::judge(&text) {
        script::Verdict::Plausible => checks.ok("doctor script", Configuration, shown),
        script::Verdict::CannotFail => checks.warn(
            "doctor script",
            Configuration,
            format!("{shown} looks as if it could not fail, so that anything would land"),
            "let it run your build and tests, and exit with what they exit with",
        ),
        script::Verdict::AlwaysFails => checks.warn(
            "doctor script",
            Configuration,
            format!("{shown} refuses everything, as `mycelium init` wrote it"),
            "let it run your build and tests, and exit with what they exit with",
        ),
    }
    if let Ok((program, _)) = crate::doctor::interpreter(&path) {
        super::machine::check_program(checks, "doctor's interpreter", program.as_ref(), environment);
    }
}

fn plan(checks: &mut Checks, settings: &Settings, project: &Project) {
    if !project.tasks_dir().join("plan.json").exists() {
        let mend = "plan with `mycelium plan --input FILE`";
        return checks.warn("plan", Configuration, "nothing is planned yet", mend);
    }
    match load_plan(project, &settings.config) {
        Ok(plan) => checks.ok("plan", Configuration, format!("{} tasks", plan.ids().count())),
        Err(error) => checks.error("plan", &error),
    }
}

/// Says who holds the lock, and whether nobody does.
fn lock(checks: &mut Checks, upstream: &Upstream) -> bool {
    let holder = runlock::holder(upstream.common_dir());
    match &holder {
        Ok(None) => checks.ok("lock", Configuration, "free"),
        Ok(Some(holder)) => checks.warn(
            "lock",
            Configuration,
            format!("held by {holder}"),
            "wait until it is done; the lock goes away with its process",
        ),
        Err(error) => checks.error("lock", error),
    }
    matches!(holder, Ok(None))
}

fn leftovers(checks: &mut Checks, project: &Project, is_free: bool) {
    let interrupted = store::list_runs(project).map(|runs| {
        let interrupted =
            runs.into_iter().filter(|run| run.status == mycelium_schemas::state::RunStatus::Interrupted);
        interrupted.map(|run| run.run_id.to_string()).collect::<Vec<_>>()
    });
    match interrupted {
        Ok(runs) if runs.is_empty() => {}
        Ok(runs) => checks.warn(
            "interrupted runs",
            Configuration,
            runs.join(", "),
            "go on with `mycelium resume`, or give one up with `mycelium clean --run-id ID --force`",
        ),
        Err(error) => checks.error("interrupted runs", &error),
    }
    // While a run works, its agents do.
    if is_free {
        left_running(checks, project);
    }
    match clean::leftovers(project) {
        Ok(found) if found.is_empty() => checks.ok("leftovers", Configuration, "none"),
        Ok(found) => checks.warn(
            "leftovers",
            Configuration,
            format!("temporary files of processes that were killed: {}", found.len()),
            "remove them with `mycelium clean`",
        ),
        Err(error) => checks.error("leftovers", &error),
    }
}

/// What a dead run left running.
fn left_running(checks: &mut Checks, project: &Project) {
    match orphans::find(&project.all_workspaces_dir()) {
        Ok(found) if found.is_empty() => {}
        Ok(found) => checks.warn(
            "processes",
            Configuration,
            format!(
                "a dead run left running: {}",
                found.iter().map(|pid| format!("process {pid}")).collect::<Vec<_>>().join(", ")
            ),
            "`mycelium resume` ends them and goes on; `mycelium clean --run-id ID --force` ends them and gives the run up",
        ),
        Err(error) => checks.error("processes", &error),
    }
}
