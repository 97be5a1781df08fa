//! From a request to a run under way: every check first, all problems at once, nothing written until they pass
//! (design 3.5).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use jiff::Timestamp;
use mycelium_core::{plan::Plan, schedule::batch_plan, settle::Draft};
use mycelium_schemas::{
    SCHEMA_VERSION,
    config::{Config, Mode},
    digest::{hex, sha256},
    event::{Event, EventKind, Local, RunStart, World},
    id::{CommitId, RunId, TaskId},
    manifest::{Locks, Manifest, PlanSnapshot, PlannedTask},
    problem::Problem,
};
use tokio::sync::watch;

use crate::{
    candidates::{Look, nothing_wrong},
    claim,
    clock::Clock,
    docker::Labels,
    environment::Environment,
    error::{Error, IoContext},
    fault,
    filters::refuse_filters,
    git::{self, Branch, CheckedOut, Quarantine, Upstream},
    job::StopLevel,
    journal::{EventFile, Journal},
    landed::{landed_before, refuse_landed_since},
    landing::Lander,
    launcher::Launcher,
    orphans, planned, private,
    project::Project,
    redact::{self, Redactor},
    resume::{Unfinished, unfinished_of},
    run::{Run, RunReport},
    runlock::{self, RunLock, host_name},
    saboteur,
    settings::{Settings, load_plan},
    signals::Listening,
    store::{self, RunPaths, make_private_dir, remove_dir, sync_dir},
    validator::{self, Prompts},
};

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// Name of the run; made from time and chance if none is given.
    pub run_id: Option<RunId>,
    /// The tasks to run; all if none is named.
    pub tasks: Vec<TaskId>,
    /// Tasks at once; the configuration's if none is given.
    pub max_parallel: Option<u32>,
    /// Where its commands run.
    pub world: World,
}

/// A run that may start: everything was checked, and nothing was written but, where it runs in containers, what those of its
/// project are known by.
#[derive(Debug)]
pub struct Ready {
    settings: Settings,
    plan: Plan,
    landed_before: BTreeMap<TaskId, RunId>,
    number: u64,
    unfinished: Vec<Unfinished>,
    upstream: Upstream,
    branch: Branch,
    base: CommitId,
    doctor: Vec<u8>,
    now: Option<Timestamp>,
    run_id: RunId,
    paths: RunPaths,
    redactor: Redactor,
    launcher: Launcher,
    prompts: Prompts,
}

impl Ready {
    /// Checks a request.
    pub fn check(
        project: &Project,
        environment: &Environment,
        request: &RunRequest,
        listening: &mut Listening,
    ) -> Result<Self, Error> {
        let now = environment.now()?;
        let mut settings = Settings::load(project)?;
        if let Some(limit) = request.max_parallel {
            settings.config.max_parallel = limit;
        }
        let upstream = Upstream::discover(&project.root)?;
        let mut problems = Vec::new();
        let branch = noted(&mut problems, check_branch(&settings, &upstream))?;
        let doctor = noted(&mut problems, settings.doctor(project).map_err(one))?;
        let plan = noted(&mut problems, load_plan(project, &settings.config))?;
        let (Some((branch, base)), Some(doctor), Some(plan)) = (branch, doctor, plan) else {
            return Err(Error::Problems { problems });
        };
        let doctor = fs::read(&doctor).at("read", doctor)?;
        let redactor = redactor(&settings.config, environment);
        redact::check_config(&redactor, &settings.source)?;
        redact::check_inputs(&redactor, kept(&settings, &doctor, &plan, project))?;
        // What an agent is told is what the run keeps.
        let plan = redact::redact_plan(&redactor, &plan);
        let runs = store::list_runs(project)?;
        let landed_before = landed_before(project, &runs, &plan, &upstream, &base)?;
        let number = runs.iter().filter_map(|run| run.number).max().map_or(1, |last| last.saturating_add(1));
        // While somebody works in the repository, what has not ended may be at work.
        let at_work = runlock::holder(upstream.common_dir())?.is_some();
        let unfinished = if at_work { Vec::new() } else { unfinished_of(project, &runs, &upstream) };
        let plan = select(plan, &request.tasks, &landed_before)?;
        refuse_filters(&upstream, &base, environment, Some(&plan))?;
        listening
            .unless_signalled(|ends| refuse_dirty(&upstream, &branch, ends))
            .map_err(|error| resume_first(error, &unfinished))?;
        let run_id = match &request.run_id {
            Some(run_id) => run_id.clone(),
            None => new_run_id(now)?,
        };
        redact::check_inputs(&redactor, [("the name of the run".to_owned(), run_id.as_str().as_bytes())])?;
        let paths = RunPaths::new(project, &run_id);
        if store::has_begun(&paths)? {
            return Err(Error::RunExists { run_id });
        }
        // Whoever names a task wants it done again.
        let landed_before: BTreeMap<TaskId, RunId> =
            landed_before.into_iter().filter(|(id, _)| !request.tasks.contains(id)).collect();
        let redactor = redactor.below(&paths.run_dir);
        let (config, world) = (&settings.config, request.world);
        let wrong = |keys: &[&str], message, help: &str| settings.wrong(keys, message, help);
        let mut look = Look { project, config, environment, listening, wrong: &wrong };
        nothing_wrong(|hear| look.at_run(world, &run_id, hear))?;
        let prompts = validator::prompts(project, &settings.config, &paths.prompts())?;
        let labels = || Labels::run(project, &run_id);
        let launcher = look.listening.wait(Launcher::open(world, environment, config, labels))?;
        look.listening.wait(launcher.look_into_image(&doctor))?;
        nothing_wrong(|hear| look.at_image(&launcher, hear))?;
        Ok(Self {
            settings,
            plan,
            landed_before,
            number,
            unfinished,
            upstream,
            branch,
            base,
            doctor,
            now,
            run_id,
            paths,
            redactor,
            launcher,
            prompts,
        })
    }

    /// The run's id.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// The batches that form if every task lands at once: what a dry run shows.
    pub fn batches(&self) -> Vec<Vec<TaskId>> {
        let landed = self.landed_before.keys().cloned().collect();
        let limit = usize::try_from(self.settings.config.max_parallel).unwrap_or(usize::MAX);
        batch_plan(&self.plan, &landed, limit)
    }

    /// Planned tasks that an earlier run landed as they are planned now, with that run: they are not done again.
    pub fn landed_before(&self) -> &BTreeMap<TaskId, RunId> {
        &self.landed_before
    }

    /// Runs of the project that have not ended, oldest first.
    pub fn unfinished(&self) -> &[Unfinished] {
        &self.unfinished
    }

    /// True where nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.plan.ids().all(|id| self.landed_before.contains_key(id))
    }

    /// Runs to the end.
    pub fn run(
        self,
        project: &Project,
        environment: &Environment,
        listening: Listening,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<RunReport, Error> {
        let lock = RunLock::acquire(self.upstream.common_dir(), runlock::doing(&self.run_id))?;
        // No other run lives now: agents that a killed one left behind would work beside the new ones.
        orphans::end(&project.all_workspaces_dir())?;
        let ready = self.look_again(project)?;
        ready.make_folder(project)?;
        let paths = ready.paths.clone();
        let result = ready
            .freeze(project)
            .and_then(|()| ready.begin(project, environment, lock, progress))
            .and_then(|run| drive(listening, run));
        // What failed before its journal began is no run, and nothing of it stays.
        if result.is_err() && !store::has_begun(&paths).unwrap_or(true) {
            store::tidy_dir(&paths.run_dir);
        }
        result
    }

    /// Looks again, under the lock, at where the branch is: another run may have landed in between.
    fn look_again(self, project: &Project) -> Result<Self, Error> {
        let base = self.upstream.head(&self.branch)?;
        if base != self.base {
            let runs = store::list_runs(project)?;
            refuse_landed_since(project, &runs, &self.plan, &self.upstream, [&self.base, &base])?;
        }
        Ok(Self { base, ..self })
    }

    /// Makes the run's folder, which from then on is its own.
    fn make_folder(&self, project: &Project) -> Result<(), Error> {
        if project.home.starts_with(&project.root) {
            make_private_dir(&project.home)?;
            let ignore = project.home.join(".gitignore");
            fault::point!("home.ignore", private::write(&ignore, "*\n")).at("write", ignore)?;
        }
        let runs = project.runs_dir();
        make_private_dir(&runs)?;
        claim::take(project, self.upstream.common_dir())?;
        // Looked at again under the lock. What was cut off before its journal began is no run, and makes way.
        if !store::has_begun(&self.paths)? {
            remove_dir(&self.paths.run_dir)?;
        }
        match fault::point!("run.folder", private::make_dir(&self.paths.run_dir)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Error::RunExists { run_id: self.run_id.clone() })
            }
            result => result.at("create", &self.paths.run_dir),
        }
    }

    /// Everything that decides the outcome is copied into the run's folder, so that nobody changes it during the run.
    fn freeze(&self, project: &Project) -> Result<(), Error> {
        let snapshot =
            PlanSnapshot { schema_version: SCHEMA_VERSION, tasks: self.plan.tasks().cloned().collect() };
        store::write_json(&self.paths.plan, &snapshot)?;
        store::write_atomic(&self.paths.config, self.settings.source.text.as_bytes())?;
        store::write_atomic(&self.paths.doctor, &self.doctor)?;
        validator::freeze(&self.prompts, &self.paths.prompts())?;
        if let Some(asked) = planned::account(project) {
            store::write_json(&self.paths.planned(), &asked)?;
        }
        sync_dir(&project.runs_dir())
    }

    fn begin<'a>(
        self,
        project: &'a Project,
        environment: &Environment,
        lock: RunLock,
        progress: &'a mut dyn FnMut(&Event),
    ) -> Result<Run<'a>, Error> {
        let config = self.settings.config;
        let quarantine = Quarantine::create(&self.paths.run_dir, &self.upstream)?;
        let start = Draft::run(EventKind::RunStart(RunStart {
            tasks: self.plan.ids().filter(|id| !self.landed_before.contains_key(*id)).cloned().collect(),
            landed_before: self.landed_before.keys().cloned().collect(),
            number: Some(self.number),
            integration_branch: self.branch.name().to_owned(),
            base_commit: self.base,
            max_parallel: config.max_parallel,
            config_digest: sha256(self.settings.source.text.as_bytes()),
            doctor_digest: sha256(&self.doctor),
            world: self.launcher.world(),
            local: Local {
                pid: Some(std::process::id()),
                host: Some(host_name()),
                path: Some(project.root.display().to_string()),
                ..Local::default()
            },
        }));
        let file = EventFile::create(
            &self.paths.journal,
            self.run_id.clone(),
            Clock::new(self.now),
            self.redactor.clone(),
        )?;
        let (journal, events) = Journal::begin(file, project.name.clone(), start)?;
        for event in &events {
            progress(event);
        }
        Ok(assemble(
            Parts {
                config,
                launcher: self.launcher,
                lock,
                plan: self.plan,
                upstream: self.upstream,
                branch: self.branch,
                quarantine,
                paths: self.paths,
                journal,
                stepped_from: self.now,
                doctor: self.doctor,
                redactor: self.redactor,
                prompts: self.prompts,
            },
            project,
            environment,
            progress,
        ))
    }
}

/// What a run is made of, whether it begins or goes on.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) launcher: Launcher,
    pub(crate) lock: RunLock,
    pub(crate) plan: Plan,
    pub(crate) upstream: Upstream,
    pub(crate) branch: Branch,
    pub(crate) quarantine: Quarantine,
    pub(crate) paths: RunPaths,
    pub(crate) journal: Journal,
    pub(crate) stepped_from: Option<Timestamp>,
    pub(crate) doctor: Vec<u8>,
    pub(crate) redactor: Redactor,
    pub(crate) prompts: Prompts,
}

/// Puts a run together.
pub(crate) fn assemble<'a>(
    mut parts: Parts,
    project: &'a Project,
    environment: &Environment,
    progress: &'a mut dyn FnMut(&Event),
) -> Run<'a> {
    if saboteur::is!("ignore-budget-block") {
        parts.config.budgets.mode = Mode::Warn;
    }
    if saboteur::is!("drop-lock-conflict") {
        let unlocked = |task: &PlannedTask| {
            let manifest = Manifest { locks: Locks::default(), ..task.manifest.clone() };
            PlannedTask { manifest, ..task.clone() }
        };
        parts.plan = Plan::new(parts.plan.tasks().map(unlocked).collect::<Vec<_>>());
    }
    let (stop, stopped) = watch::channel(StopLevel::None);
    let run_id = &parts.journal.state().run_id;
    let lander = Lander {
        doctor: parts.doctor.into(),
        env: [("MYCELIUM_RUN_ID".to_owned(), run_id.to_string())].into(),
        launcher: parts.launcher,
        doctor_timeout: parts.config.doctor_timeout.duration(),
        merge_message: format!("Land work of run {run_id}\n\nMycelium-Run: {run_id}\n"),
        time: parts.journal.state().started_at,
        upstream: parts.upstream,
        branch: parts.branch,
        quarantine: parts.quarantine,
        paths: parts.paths.clone(),
        redactor: parts.redactor.apart(),
        stop: stopped,
        lock: parts.lock,
    };
    Run {
        project,
        environment: Arc::new(environment.clone()),
        config: Arc::new(parts.config),
        plan: parts.plan,
        paths: parts.paths,
        journal: parts.journal,
        lander,
        redactor: parts.redactor,
        models: None,
        prompts: Arc::new(parts.prompts),
        under_way: Arc::default(),
        stepped_from: parts.stepped_from,
        followed: BTreeMap::new(),
        stop,
        saved: None,
        canary_ran: false,
        progress,
    }
}

/// Drives a run to its end; then nothing that it started lives on.
pub(crate) fn drive(listening: Listening, run: Run<'_>) -> Result<RunReport, Error> {
    let Listening { runtime, signals } = listening;
    let report = runtime.block_on(run.drive(signals));
    let ended = orphans::end_descendants();
    let report = report?;
    ended?;
    Ok(report)
}

/// Redacts what a configuration names; says which of that it cannot redact.
pub(crate) fn redactor(config: &Config, environment: &Environment) -> Redactor {
    let (redactor, unusable) = Redactor::new(config, environment);
    for (name, why) in unusable {
        tracing::warn!("the secret {name} {why}, so it is not redacted");
    }
    redactor
}

/// What a run keeps or shows unchanged, with what it is called.
fn kept<'t>(
    settings: &'t Settings,
    doctor: &'t [u8],
    plan: &'t Plan,
    project: &'t Project,
) -> Vec<(String, &'t [u8])> {
    let mut kept = vec![
        (format!("the doctor {}", settings.config.doctor), doctor),
        ("the name of the project".to_owned(), project.name.as_str().as_bytes()),
    ];
    for task in plan.tasks() {
        let id = &task.manifest.id;
        kept.push(("the id of a task".to_owned(), id.as_str().as_bytes()));
        if let Some(command) = &task.manifest.verify.doctor {
            kept.push((format!("the verify command of task {id}"), command.as_bytes()));
        }
    }
    kept
}

/// Keeps the problems of a check for later; other errors end the checks.
fn noted<T>(problems: &mut Vec<Problem>, result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Problems { problems: found }) => {
            problems.extend(found);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn one(problem: Problem) -> Error {
    Error::Problems { problems: vec![problem] }
}

/// The branch that the work lands on, with its head.
pub(crate) fn check_branch(settings: &Settings, upstream: &Upstream) -> Result<(Branch, CommitId), Error> {
    let name = &settings.config.integration_branch;
    let found = upstream.branch(name).and_then(|branch| {
        upstream.refuse_elsewhere(&branch)?;
        upstream.refuse_alias(&branch)?;
        Ok((upstream.head(&branch)?, branch))
    });
    match found {
        Ok((head, branch)) => Ok((branch, head)),
        Err(error) if error.kind() == git::ErrorKind::Input => {
            Err(settings.wrong(&["integration_branch"], error.to_string(), &error.help()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The plan reduced to the tasks that were asked for, and those that landed before: they may be depended on.
fn select(plan: Plan, wanted: &[TaskId], landed: &BTreeMap<TaskId, RunId>) -> Result<Plan, Error> {
    if wanted.is_empty() {
        return Ok(plan);
    }
    let unknown: Vec<&str> = wanted.iter().filter(|id| plan.get(id).is_none()).map(TaskId::as_str).collect();
    if !unknown.is_empty() {
        let known = plan.ids().map(TaskId::as_str).collect::<Vec<_>>().join(", ");
        return Err(Error::Request {
            message: format!("--tasks names {}, not planned", unknown.join(", ")),
            help: format!("planned are: {known}"),
        });
    }
    let missing: BTreeSet<&TaskId> = wanted
        .iter()
        .filter_map(|id| plan.get(id))
        .flat_map(|task| &task.manifest.dependencies)
        .filter(|dependency| !wanted.contains(dependency) && !landed.contains_key(*dependency))
        .collect();
    if !missing.is_empty() {
        let missing = missing.into_iter().map(TaskId::as_str).collect::<Vec<_>>().join(",");
        return Err(Error::Request {
            message: format!("--tasks leaves out what its tasks depend on: {missing}"),
            help: format!("add {missing} to --tasks"),
        });
    }
    let kept = |id: &TaskId| wanted.contains(id) || landed.contains_key(id);
    Ok(Plan::new(plan.tasks().filter(|task| kept(&task.manifest.id)).cloned()))
}

/// Refuses a checkout of the branch that is not clean. Says where the branch is checked out.
pub(crate) fn refuse_dirty(
    upstream: &Upstream,
    branch: &Branch,
    ends: git::Ends<'_>,
) -> Result<CheckedOut, Error> {
    let checked_out = upstream.checked_out(branch)?;
    if checked_out == CheckedOut::No {
        return Ok(checked_out);
    }
    let paths = git::dirty_unless(upstream, None, ends)?;
    if paths.is_empty() {
        return Ok(checked_out);
    }
    Err(Error::Request {
        message: format!(
            "the integration branch {} is checked out here and not clean: {}",
            branch.name(),
            some_of(&paths)
        ),
        help: "commit or stash the changes (`git update-index --no-assume-unchanged --no-skip-worktree PATH` shows \
               a hidden one), or check out another branch"
            .into(),
    })
}

/// A run that died may not have brought the checkout along: then what differs is none of the user's.
fn resume_first(error: Error, unfinished: &[Unfinished]) -> Error {
    match (error, unfinished.last()) {
        (Error::Request { message, help }, Some(run)) => {
            let id = &run.view.run_id;
            let help = format!("run {id} is unfinished: `mycelium resume --run-id {id}` first; else {help}");
            Error::Request { message, help }
        }
        (error, _) => error,
    }
}

/// The first of some paths, and how many more there are.
pub(crate) fn some_of(paths: &[String]) -> String {
    let shown = paths.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = if paths.len() > 5 { format!(" and {} more", paths.len() - 5) } else { String::new() };
    format!("{shown}{more}")
}

/// The start's time and six random hex digits.
pub(crate) fn new_run_id(now: Option<Timestamp>) -> Result<RunId, Error> {
    let time = now.unwrap_or_else(Timestamp::now).strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut seed = [0u8; 3];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut seed))
        .at("read", "/dev/urandom")?;
    let id = format!("{time}-{}", hex(&seed));
    id.parse().map_err(|why| Error::Request {
        message: format!("the run id {id:?} {why}"),
        help: "give one with --run-id".into(),
    })
}
