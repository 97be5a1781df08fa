//! `mycelium resume`: looks at the world, makes journal and world agree again, and goes on (docs/resume.md).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
};

use mycelium_core::{
    plan::Plan,
    recover::{Found, IntentFound, recover},
    state::{RunEnd, RunState},
};
use mycelium_gateway::ledger::AGENT;
use mycelium_schemas::{
    SCHEMA_VERSION, config,
    config::Config,
    digest::sha256,
    event::{CheckoutUpdate, Event, EventKind, LandingIntent, Local},
    id::RunId,
    manifest::PlanSnapshot,
    problem::Source,
    state::{RunStatus, RunView, TaskStatus, Usage},
};

use crate::{
    agent::{self, UsageCount},
    candidates::{Look, nothing_wrong},
    docker::Labels,
    environment::Environment,
    error::{Error, IoContext},
    fault, follow,
    git::{self, Branch, Ends, Quarantine, Upstream},
    journal::Journal,
    landed, landing,
    launcher::Launcher,
    models, moved, orphans,
    project::Project,
    run::RunReport,
    runlock::{self, RunLock, host_name},
    saboteur,
    settings::Settings,
    signals::Listening,
    start::{Parts, assemble, drive, redactor},
    store::{self, RunPaths},
    validator,
};

/// What came of a resume.
#[derive(Debug)]
pub enum Resumed {
    /// The run had ended; nothing was changed but a torn end of its journal, and its view, if that was older.
    Ended(RunReport),
    /// It went on.
    WentOn(RunReport),
}

/// A run that has not ended.
#[derive(Debug)]
pub struct Unfinished {
    /// How it stands.
    pub view: RunView,
    /// Why nobody may go on with it: other runs have landed its work.
    pub superseded: Option<Error>,
}

/// The runs that have not ended, oldest first; also those that ended before they could be shown as ended.
pub fn unfinished(project: &Project) -> Result<Vec<Unfinished>, Error> {
    Ok(unfinished_of(project, &store::list_runs(project)?, &Upstream::discover(&project.root)?))
}

/// Those of the runs that have not ended.
pub(crate) fn unfinished_of(project: &Project, runs: &[RunView], upstream: &Upstream) -> Vec<Unfinished> {
    let is_unfinished = |view: &&RunView| {
        let lags = || store::view_lags(&RunPaths::new(project, &view.run_id), view);
        !matches!(view.status, RunStatus::Complete | RunStatus::Failed) || lags()
    };
    let judged = |view: &RunView| Unfinished {
        view: view.clone(),
        // Whatever else is in the way is told by whoever tries to go on.
        superseded: landed::refuse_superseded(project, runs, view, upstream)
            .err()
            .filter(|error| matches!(error, Error::Superseded { .. })),
    };
    runs.iter().filter(is_unfinished).map(judged).collect()
}

/// The run to go on with: the one named, or the latest that is not finished and whose work no other run has landed.
/// None where there is none.
pub fn find(project: &Project, named: Option<&RunId>) -> Result<Option<RunId>, Error> {
    if let Some(run) = named {
        match store::read_view(project, run) {
            Err(Error::UnknownRun { .. }) => return Err(moved::explain(project, run)?),
            result => result?,
        };
        return Ok(Some(run.clone()));
    }
    let latest = unfinished(project)?.into_iter().rfind(|run| run.superseded.is_none());
    match latest {
        Some(run) => Ok(Some(run.view.run_id)),
        // That there is nothing to go on with can only be said of runs that can be read.
        None => store::first_lost(project)?.map_or(Ok(None), Err),
    }
}

/// Goes on with a run.
pub fn resume(
    project: &Project,
    environment: &Environment,
    run: &RunId,
    mut listening: Listening,
    progress: &mut dyn FnMut(&Event),
) -> Result<Resumed, Error> {
    let stepped = environment.now()?.is_some();
    let paths = RunPaths::new(project, run);
    let upstream = Upstream::discover(&project.root)?;
    let lock = RunLock::acquire(upstream.common_dir(), runlock::doing(run))?;
    store::refuse_newer_view(&paths)?;
    let before = Journal::peek(&paths.journal, project.name.clone())?;
    if before.end.as_ref().is_none_or(RunEnd::is_resumable) {
        landed::refuse_superseded(project, &store::list_runs(project)?, &before.view(), &upstream)?;
    }
    let mut report = |events: Vec<Event>| events.iter().for_each(&mut *progress);
    let (mut journal, cut) = Journal::load(&paths.journal, project.name.clone(), stepped)?;
    report(cut);
    if journal.state().end.as_ref().is_some_and(|end| !end.is_resumable()) {
        let view = journal.state().view();
        if store::view_lags(&paths, &view) {
            store::write_view(&paths.state, &view)?;
        }
        return Ok(Resumed::Ended(RunReport { view, paths, signal: None, failure: None }));
    }
    let settings = frozen_config(&paths, &journal.state().config_digest)?;
    let config = settings.config.clone();
    let redactor = redactor(&config, environment).below(&paths.run_dir);
    journal.keep_out(redactor.clone());
    let doctor = frozen("the doctor script", &paths.doctor, &journal.state().doctor_digest)?;
    let plan = frozen_plan(&paths)?;
    let labels = || Labels::run(project, run);
    let world = journal.state().world;
    // An agent without its key would fail, and be charged for it.
    let wrong = |keys: &[&str], message, help: &str| {
        settings.wrong(keys, message, &format!("{help}; the run keeps the configuration that it began with"))
    };
    let mut candidates =
        Look { project, config: &config, environment, listening: &mut listening, wrong: &wrong };
    nothing_wrong(|hear| candidates.at_run(world, run, hear))?;
    // A validator that a human's decision turned on has no copy of its prompt yet.
    let prompts = validator::prompts(project, &config, &paths.prompts())?;
    validator::freeze(&prompts, &paths.prompts())?;
    let launcher = candidates.listening.wait(Launcher::open(world, environment, &config, labels))?;
    candidates.listening.wait(launcher.look_into_image(&doctor))?;
    nothing_wrong(|hear| candidates.at_image(&launcher, hear))?;
    orphans::end(&paths.workspaces)?;
    let branch = upstream.branch(&journal.state().integration_branch)?;
    let quarantine = Quarantine::create(&paths.run_dir, &upstream)?;
    let mut found = listening.unless_signalled(|ends| {
        look(journal.state(), &config, &paths, &upstream, &branch, &quarantine, ends)
    })?;
    let followed = listening.wait(follow::look(&launcher, journal.state(), &paths, &config))?;
    found.followed = followed.keys().cloned().collect();
    agent::name(&config).clone_into(&mut found.agent);

    for group in recover(journal.state(), &config, &found) {
        report(journal.append(group)?);
    }
    let stepped_from = stepped.then(|| journal.state().started_at);
    let parts = Parts {
        config,
        launcher,
        lock,
        plan,
        upstream,
        branch,
        quarantine,
        paths,
        journal,
        stepped_from,
        doctor,
        redactor,
        prompts,
    };
    let mut run = assemble(parts, project, environment, progress);
    run.followed = followed;
    run.rewrite_manifests()?;
    drive(listening, run).map(Resumed::WentOn)
}

/// A file of the run's folder, if it still is what was frozen.
fn frozen(what: &'static str, path: &Path, digest: &str) -> Result<Vec<u8>, Error> {
    let bytes = read_frozen(what, path)?;
    if sha256(&bytes) != digest {
        let reason = "it is no longer what was frozen when the run began".to_owned();
        return Err(Error::Damaged { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

fn read_frozen(what: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    match store::read_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::FrozenGone { what, path: path.to_owned() })
        }
        result => result.at("read", path),
    }
}

/// The configuration as it was frozen.
fn frozen_config(paths: &RunPaths, digest: &str) -> Result<Settings, Error> {
    let next = paths.next_config();
    if frozen("the configuration", &next, digest).is_ok() {
        fault::point!("config.replace", fs::rename(&next, &paths.config)).at("replace", &paths.config)?;
        store::sync_dir(&paths.run_dir)?;
    }
    let text = String::from_utf8_lossy(&frozen("the configuration", &paths.config, digest)?).into_owned();
    let source = Source::new(paths.config.display().to_string(), text);
    let config = config::parse(&source).map_err(|problems| Error::Problems { problems })?;
    Ok(Settings { source, config })
}

/// The plan as it was frozen.
pub(crate) fn frozen_plan(paths: &RunPaths) -> Result<Plan, Error> {
    let bytes = read_frozen("the plan", &paths.plan)?;
    let snapshot: PlanSnapshot = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Damaged { path: paths.plan.clone(), reason: error.to_string() })?;
    if snapshot.schema_version > SCHEMA_VERSION {
        return Err(Error::Newer { path: paths.plan.clone(), version: snapshot.schema_version });
    }
    Ok(Plan::new(snapshot.tasks))
}

/// The world as it is: refs, commits, and what lost agents had reported.
fn look(
    state: &RunState,
    config: &Config,
    paths: &RunPaths,
    upstream: &Upstream,
    branch: &Branch,
    quarantine: &Quarantine,
    ends: Ends<'_>,
) -> Result<Found, Error> {
    let (mut usage, mut validators) = (BTreeMap::new(), BTreeMap::new());
    let mut missing = BTreeSet::new();
    for (id, facts) in &state.tasks {
        match (facts.status, &facts.commit) {
            (TaskStatus::Running, _) => {
                let mut counted = models::recorded(&paths.ledger(), id, facts.attempts)?;
                let of_the_agent = counted.remove(AGENT);
                let found = if config.worker.agent.asks_a_model() {
                    of_the_agent
                } else {
                    reported(&paths.attempt(id, facts.attempts), config)?
                };
                usage.extend(found.map(|found| (id.clone(), found)));
                validators.insert(id.clone(), counted);
            }
            (TaskStatus::Validated, Some(commit))
                if saboteur::is!("redo-done-task") || !quarantine.holds(commit)? =>
            {
                missing.insert(id.clone());
            }
            _ => {}
        }
    }
    let intent = match &state.open_intent {
        Some((_, intent)) => {
            git::clear_abandoned(upstream, branch, ends)?;
            Some(look_at_intent(intent, upstream, branch, ends)?)
        }
        None => None,
    };
    Ok(Found {
        head: upstream.find_head(branch)?,
        intent,
        usage,
        validators,
        missing,
        local: Local { pid: Some(std::process::id()), host: Some(host_name()), ..Local::default() },
        ..Found::default()
    })
}

/// Whether the ref was moved before the orchestrator ended; if so, the checkout is brought along.
fn look_at_intent(
    intent: &LandingIntent,
    upstream: &Upstream,
    branch: &Branch,
    ends: Ends<'_>,
) -> Result<IntentFound, Error> {
    let Some(head) = upstream.find_head(branch)? else { return Ok(IntentFound::MovedAway(None)) };
    if head == intent.old_head || saboteur::is!("forget-landing") {
        return Ok(IntentFound::NotMoved);
    }
    if head == intent.commit {
        let followed = git::fast_forward(upstream, branch, &intent.old_head, &intent.commit, ends)?;
        landing::warn_of_left(&followed);
        return Ok(IntentFound::Moved(followed.update));
    }
    // Somebody went on from our commit, or never had it.
    Ok(if upstream.is_ancestor(&intent.commit, &head)? {
        IntentFound::Moved(CheckoutUpdate::NotCheckedOut)
    } else {
        IntentFound::MovedAway(Some(head))
    })
}

/// The usage that an attempt's agent had reported, from the attempt's own file, whose end may be torn.
fn reported(dir: &Path, config: &Config) -> Result<Option<Usage>, Error> {
    let path = dir.join("events.jsonl");
    let text = match store::read_file(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        result => result.at("read", &path)?,
    };
    let mut count = UsageCount::new(config);
    for line in text.split(|byte| *byte == b'\n') {
        if let Ok(Event { kind: EventKind::AgentEvent(agent), .. }) = serde_json::from_slice(line) {
            count.add(&agent.event);
        }
    }
    Ok(count.total())
}
