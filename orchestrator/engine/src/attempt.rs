//! One attempt at a task: bootstrap, agent, snapshot, compliance, verify, validators (design 3.4). Returns facts; what
//! follows from them is decided in the core.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mycelium_core::{
    manifest::{self, BlockCause, Change, Compliance, Scope},
    settle::{AttemptFacts, Draft, Judgement, Outcome},
};
use mycelium_schemas::{
    config::{CleanupWhen, Config, Mode},
    event::{
        BudgetVerdict, ChangeKind, EventKind, ExitReason, Local, PathRefused, TaskValidated, Violation,
        ViolationKind, Violations, WorkerExit,
    },
    id::{CommitId, LockName, RunId},
    manifest::{Manifest, PlannedTask},
    path::RepoGlob,
    state::Usage,
};
use rustix::process::Signal;
use tokio::sync::{mpsc, watch};

use crate::{
    agent::{self, AgentWatcher, AttemptKey, Notes, Reading, UsageCount},
    asking::Asking,
    clock::Clock,
    conversation::{self, Keeper},
    environment::Environment,
    error::{Error, IoContext},
    fault,
    git::{self, GitError, Quarantine},
    hired::{self, Conversation, Hired, Place},
    job::{AGAIN_MAX, Exit, Job, Program, Purpose, StopLevel},
    journal::EventFile,
    launcher::Launcher,
    models::{Models, Used},
    orphans, private,
    redact::Redactor,
    saboteur,
    store::{self, make_private_dir, remove_dir_unless},
    under_way::UnderWay,
    validator::{self, Prompts},
};

/// Begin of the reason of an attempt whose agent asks a model and failed; what it failed of follows.
pub(crate) const AGENT_FAILED: &str = "the agent failed: ";

/// Everything an attempt needs; it shares nothing that it could change with the run.
#[derive(Debug)]
pub struct Attempt {
    /// Which one.
    pub key: AttemptKey,
    /// The run.
    pub run_id: RunId,
    /// Its task as frozen at the start of the run.
    pub task: PlannedTask,
    /// What it may write, widenings included.
    pub writes: Vec<RepoGlob>,
    /// Write locks it holds, widenings included.
    pub write_locks: BTreeSet<LockName>,
    /// Locks that other tasks of the batch hold in any way.
    pub held_by_others: BTreeSet<LockName>,
    /// Times its manifest was widened.
    pub rescopes: u32,
    /// How long to wait before it begins.
    pub backoff: Duration,
    /// Commit that the workspace starts from.
    pub base: CommitId,
    /// Container of its agent, which goes on where its orchestrator ended.
    pub follows: Option<String>,
    /// Conversation of the attempt before it, which it goes on with in the workspace as it was left.
    pub continues: Option<String>,
    /// Where the note of its conversation lies.
    pub conversation: PathBuf,
    /// Time of its commit: the run's start.
    pub time: Timestamp,
    /// Start of a stepped clock, if there is one.
    pub stepped_from: Option<Timestamp>,
    /// The configuration.
    pub config: Arc<Config>,
    /// The operator's environment.
    pub environment: Arc<Environment>,
    /// Starts its commands.
    pub launcher: Launcher,
    /// Where its commit goes.
    pub quarantine: Quarantine,
    /// Objects that the workspace's own git reads.
    pub upstream_objects: PathBuf,
    /// Its artifacts.
    pub dir: PathBuf,
    /// Its workspace.
    pub workspace: PathBuf,
    /// The agent's own folder, if it needs one.
    pub agent_home: PathBuf,
    /// The folder of the model gateway's socket.
    pub gateway: PathBuf,
    /// Where its agent reaches a model, if it asks one.
    pub(crate) models: Option<Arc<Models>>,
    /// What validators that ask a model are asked with.
    pub(crate) prompts: Arc<Prompts>,
    /// The attempts beside which it is under way.
    pub(crate) under_way: Arc<UnderWay>,
    /// To the run's journal.
    pub journal: mpsc::UnboundedSender<Draft>,
    /// Keeps secrets out of its artifacts.
    pub redactor: Redactor,
    /// When it must end.
    pub stop: watch::Receiver<StopLevel>,
}

/// How the agent's part went.
struct Worked {
    exit: Exit,
    reading: Reading,
    usage: Option<Usage>,
    over: Option<BudgetVerdict>,
}

impl Worked {
    /// Whether the agent could not go on with the conversation that it was asked for.
    fn has_lost_its_conversation(&self) -> bool {
        matches!(&self.reading, Reading::Adapter(said) if said.has_lost_its_conversation(&self.exit))
    }
}

/// What validators used, and the budget that an attempt reached.
struct Spent {
    over: Option<BudgetVerdict>,
    validators: BTreeMap<String, Usage>,
}

/// What the workspace holds after the agent.
struct Judged {
    snapshot: git::Snapshot,
    refused: Vec<PathRefused>,
    violations: Vec<Violation>,
    compliance: Compliance,
}

impl Attempt {
    /// Runs it. An error is the machine's or Mycelium's fault, never the task's.
    pub async fn run(self) -> Result<AttemptFacts, Error> {
        self.under_way.begin().await;
        let facts = self.work().await;
        // Nor may a gate leave anything running behind the attempt.
        let ended = self.end_all().await;
        self.under_way.end().await;
        for note in self.redactor.notes() {
            // The receiver is gone only when the run is ending; then nobody reads it any more.
            let _unheard = self.journal.send(self.key.draft(note));
        }
        let facts = facts?;
        ended?;
        if self.config.cleanup.workspaces == CleanupWhen::Always {
            tidy_all(vec![self.workspace.clone()], ends(&self.stop)).await?;
        }
        Ok(facts)
    }

    /// Ends what was left running, between two commands of the attempt. What has shed its mark and its folder is known as
    /// this attempt's where no other one is under way; else it ends with the last of them.
    async fn end_all(&self) -> Result<(), Error> {
        let workspace = self.workspace.clone();
        let only = self.under_way.only().await;
        let end = if only.is_some() { orphans::end_with_descendants } else { orphans::end };
        // Nobody else begins before that is done.
        let ended = blocking(move || end(&workspace).map(drop)).await;
        drop(only);
        ended
    }

    async fn work(&self) -> Result<AttemptFacts, Error> {
        let ended = |usage, outcome| AttemptFacts {
            usage,
            validators: BTreeMap::new(),
            refused: Vec::new(),
            violations: Vec::new(),
            over: None,
            outcome,
        };
        let failed = |usage, why: String| ended(usage, Outcome::Failed(why));
        if self.follows.is_none() {
            self.wait().await;
            self.prepare().await?;
            if self.continues.is_none()
                && let Some(why) = self.bootstrap().await?
            {
                return Ok(failed(None, why));
            }
        }
        let worked = self.run_agent().await?;
        let (usage, over) = (worked.usage, worked.over.clone());
        if worked.has_lost_its_conversation() {
            let why = "the agent does not have the conversation that it was to go on with any more; the attempt does not count";
            return Ok(AttemptFacts {
                over,
                outcome: Outcome::Lost(why.to_owned()),
                ..failed(usage, String::new())
            });
        }
        if let Some(failure) = self.agent_failure(&worked, true) {
            return Ok(AttemptFacts { over, ..ended(usage, failure) });
        }
        let judged = match self.judge().await {
            Err(error) if self.is_of_the_workspace(&error) => {
                return Ok(failed(usage, format!("the agent left a workspace that cannot be read: {error}")));
            }
            judged => judged?,
        };
        let changed = !judged.snapshot.changes.is_empty();
        let mut spent = Spent { over, validators: BTreeMap::new() };
        let outcome = match self.agent_failure(&worked, changed) {
            Some(failure) => failure,
            None => self.outcome(&judged, &mut spent).await?,
        };
        let Spent { over, validators } = spent;
        let Judged { refused, violations, .. } = judged;
        Ok(AttemptFacts { usage, validators, refused, violations, over, outcome })
    }

    /// How the agent's part failed, if it did: by its exit, by what it said, by its usage.
    fn agent_failure(&self, worked: &Worked, changed: bool) -> Option<Outcome> {
        let usage_is_unreadable = matches!(&worked.reading, Reading::Usage(usage) if usage.is_unreadable());
        if usage_is_unreadable && self.config.budgets.is_limited() {
            let why = "the agent reported usage that cannot be read, so that its budget cannot be judged";
            return Some(Outcome::Failed(why.to_owned()));
        }
        match &worked.reading {
            Reading::Adapter(said) => {
                let counted = worked.usage.map_or(0, |usage| usage.tokens());
                Some(said.failure(&worked.exit, changed, counted)?.outcome(counted))
            }
            Reading::Usage(_) if worked.exit.is_success() => None,
            Reading::Usage(_) => Some(Outcome::Failed(format!("the agent {}", worked.exit.describe()))),
        }
    }

    /// Waits before a repetition, unless the run is stopped: then the agent is, too, as soon as it is started.
    async fn wait(&self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(self.backoff) => {}
            _ = stop.wait_for(|level| *level > StopLevel::None) => {}
        }
    }

    async fn prepare(&self) -> Result<(), Error> {
        make_private_dir(&self.dir)?;
        let manifest = Manifest {
            files: mycelium_schemas::manifest::Files {
                reads: self.task.manifest.files.reads.clone(),
                writes: self.writes.clone(),
            },
            ..self.task.manifest.clone()
        };
        store::write_artifact(&self.manifest_path(), &manifest, &self.redactor)?;
        fault::point!("attempt.spec", private::write(&self.spec_path(), &self.task.spec_text))
            .at("write", self.spec_path())?;
        if self.continues.is_some() {
            // It works where the attempt before it was interrupted.
            return Ok(());
        }
        // From here on the workspace is not what a conversation made of it.
        conversation::forget(&self.conversation)?;
        let (workspace, base, objects) =
            (self.workspace.clone(), self.base.clone(), self.upstream_objects.clone());
        let (ends, reach) = (ends(&self.stop), self.launcher.reach());
        blocking(move || {
            remove_dir_unless(&workspace, &ends)?;
            Ok(git::workspace::create(&workspace, &base, &objects, reach, &ends)?)
        })
        .await
    }

    fn manifest_path(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    fn spec_path(&self) -> PathBuf {
        self.dir.join("spec.md")
    }

    /// What everything that runs in the workspace is told beside the files.
    fn env(&self) -> BTreeMap<String, String> {
        [
            ("MYCELIUM_RUN_ID", self.run_id.to_string()),
            ("MYCELIUM_TASK_ID", self.key.task.to_string()),
            ("MYCELIUM_ATTEMPT", self.key.attempt.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn shell_job(&self, purpose: Purpose, command: &str, log: &str) -> Job {
        self.job(purpose, Program::Shell(command.to_owned()), self.dir.join(log))
    }

    /// A command in the workspace.
    fn job(&self, purpose: Purpose, program: Program, log: PathBuf) -> Job {
        Job {
            purpose,
            attempt: Some(self.key.clone()),
            program,
            cwd: self.workspace.clone(),
            env: self.env(),
            files: vec![
                ("MYCELIUM_TASK_SPEC", self.spec_path()),
                ("MYCELIUM_TASK_MANIFEST", self.manifest_path()),
            ],
            stdin: Vec::new(),
            timeout: self.config.timeout_minutes.duration(),
            idle_timeout: None,
            first_event_timeout: None,
            relay: None,
            stop_signal: Signal::TERM,
            log,
            redactor: self.redactor.clone(),
        }
    }

    fn notes(&self) -> Notes {
        Notes { key: self.key.clone(), journal: self.journal.clone() }
    }

    /// Why bootstrap failed, if it did.
    async fn bootstrap(&self) -> Result<Option<String>, Error> {
        for (number, command) in (1..).zip(&self.config.bootstrap) {
            let job = self.shell_job(Purpose::Bootstrap, command, &format!("bootstrap-{number}.log"));
            let exit = self.launcher.run(job, self.stop.clone(), &mut self.notes()).await?;
            if !exit.is_success() {
                return Ok(Some(format!("bootstrap command {number} {}", exit.describe())));
            }
        }
        if self.config.bootstrap.is_empty() {
            return Ok(None);
        }
        let changes = self.snapshot().await?.changes;
        Ok(changes.first().map(|change| {
            format!(
                "bootstrap changed {}, which is not ignored and would be taken for the task's work",
                change.path
            )
        }))
    }

    /// The agent for this attempt, if it is one that asks a model.
    fn hire(&self) -> Result<Option<Hired>, Error> {
        let Some((adapter, models)) = hired::adapter(self.config.worker.agent).zip(self.models.as_ref())
        else {
            return Ok(None);
        };
        let place = Place {
            workspace: self.workspace.clone(),
            home: self.agent_home.clone(),
            env: self.env(),
            gateway: self.launcher.engine().is_some().then(|| self.gateway.clone()),
        };
        let continues = self.continues.as_deref();
        Hired::new(adapter, &self.config, &self.environment, models, &self.key, &place, continues).map(Some)
    }

    /// What keeps the note of a conversation that begins. An id that is chosen here is kept before the agent is started.
    fn keeper(&self, hired: &Hired) -> Result<Option<Keeper>, Error> {
        let Conversation::New(chosen) = hired.conversation() else { return Ok(None) };
        let (path, model) = (self.conversation.clone(), &self.config.worker.model);
        let mut keeper = Keeper::new(path, hired.adapter(), model, &self.base);
        if let Some(session) = chosen {
            keeper.keep(session)?;
        }
        Ok(Some(keeper))
    }

    /// What the agent is told.
    fn prompt(&self) -> Vec<u8> {
        let spec = &self.task.spec_text;
        match &self.continues {
            Some(_) => conversation::interrupted(spec).into_bytes(),
            None => spec.clone().into_bytes(),
        }
    }

    async fn run_agent(&self) -> Result<Worked, Error> {
        let hired = self.hire()?;
        let program = match &hired {
            Some(hired) => hired.call.program.clone(),
            None => agent::program(&self.config, &self.environment),
        };
        let mut job = Job {
            stdin: self.prompt(),
            idle_timeout: Some(self.config.idle_timeout_minutes.duration()),
            ..self.job(Purpose::Agent, program, self.dir.join("agent.log"))
        };
        if let Some(hired) = &hired {
            job.env.extend(hired.call.env.clone());
            job.stop_signal = hired.stop_signal();
            job.first_event_timeout = Some(self.config.first_event_timeout_minutes.duration());
            job.relay.clone_from(&hired.call.relay);
        }
        if let Some(usage) = self.environment.get("MOCK_CODEX_USAGE") {
            job.env.insert("MOCK_CODEX_USAGE".to_owned(), usage.to_owned());
        }
        let clock = Clock::new(self.stepped_from);
        let path = self.dir.join("events.jsonl");
        if self.follows.is_some() {
            // What it printed is read again from the beginning.
            fault::point!("engine.events_again", fs::remove_file(&path)).at("remove", &path)?;
        }
        let keeper = hired.as_ref().map(|hired| self.keeper(hired)).transpose()?.flatten();
        let mut events = EventFile::create(&path, self.run_id.clone(), clock, self.redactor.clone())?;
        let mut watcher = AgentWatcher {
            key: self.key.clone(),
            events: &mut events,
            journal: self.journal.clone(),
            agent: agent::name(&self.config),
            reading: match &hired {
                Some(hired) => Reading::Adapter(Box::new(hired.listen(&self.config))),
                None => Reading::Usage(UsageCount::new(&self.config)),
            },
            keeper,
        };
        let stop = self.stop.clone();
        let exit = match &self.follows {
            None => self.launcher.run(job, stop, &mut watcher).await?,
            Some(container) => self.launcher.follow(container, job, stop, &mut watcher).await?,
        };
        let reading = watcher.reading;
        // What the agent left running must not change the files that are about to be judged, nor ask its model.
        self.end_all().await?;
        if hired.is_some() && exit.reason != ExitReason::Stopped {
            // It ended by itself or was ended for what it did: there is nothing to go on with, and gates come next.
            conversation::forget(&self.conversation)?;
        }
        let used = match (hired, &self.models, &reading) {
            (Some(hired), Some(models), _) => hired.dismiss(models, &self.key).await?,
            (_, _, Reading::Usage(usage)) => Used { usage: usage.total(), over: None },
            _ => Used::default(),
        };
        if let Reading::Adapter(said) = &reading {
            let who = format!("task {}, attempt {}", self.key.task, self.key.attempt);
            said.compare(&who, used.usage.map_or(0, |usage| usage.tokens()));
        }
        let local = Local {
            duration_ms: u64::try_from(exit.duration.as_millis()).ok(),
            detail: exit.detail.clone(),
            ..Local::default()
        };
        let (reason, exit_code, signal) = (exit.reason, exit.code, exit.signal);
        let kind = EventKind::WorkerExit(WorkerExit { reason, exit_code, signal, local });
        let draft = self.key.draft(kind);
        events.append(vec![draft.clone()])?;
        // Before anything that follows from it is journaled.
        events.finish()?;
        // The receiver is gone only when the run is ending; then nobody reads it any more.
        let _unheard = self.journal.send(draft);
        Ok(Worked { exit, reading, usage: used.usage, over: used.over })
    }

    async fn snapshot(&self) -> Result<git::Snapshot, Error> {
        let (workspace, base, quarantine) =
            (self.workspace.clone(), self.base.clone(), self.quarantine.clone());
        if saboteur::is!("trust-workspace-git") {
            let git = std::process::Command::new("git").current_dir(&self.workspace).arg("status").output();
            git.at("ask git about", &self.workspace)?;
        }
        let ends = ends(&self.stop);
        blocking(move || Ok(git::snapshot(&workspace, &base, &quarantine, &ends)?)).await
    }

    /// Whether an error lies in what the agent did to its workspace, not in the machine.
    fn is_of_the_workspace(&self, error: &Error) -> bool {
        match error {
            Error::Git(GitError::WorkspaceGone { .. }) => true,
            Error::Git(GitError::Io { path, source, .. }) => {
                path.starts_with(&self.workspace)
                    && matches!(
                        source.kind(),
                        ErrorKind::PermissionDenied | ErrorKind::NotFound | ErrorKind::NotADirectory
                    )
            }
            _ => false,
        }
    }

    /// What changed, and whether the manifest allows it.
    async fn judge(&self) -> Result<Judged, Error> {
        let snapshot = self.snapshot().await?;
        let patch = {
            let (quarantine, base, tree) =
                (self.quarantine.clone(), self.base.clone(), snapshot.tree.clone());
            let ends = ends(&self.stop);
            blocking(move || Ok(git::patch(&quarantine, &quarantine.tree_of(&base)?, &tree, &ends)?)).await?
        };
        let path = self.dir.join("diff.patch");
        let redactor = self.redactor.clone();
        blocking(move || {
            let patch = redactor.bytes(&path, patch);
            fault::point!("attempt.diff", private::write(&path, patch)).at("write", path)
        })
        .await?;

        let scope = Scope::new(&self.writes, &self.write_locks, &self.config.resources).map_err(|error| {
            Error::Request { message: error.to_string(), help: "correct the glob".into() }
        })?;
        let changes: Vec<Change> =
            snapshot.changes.iter().map(|c| Change { path: c.path.clone(), kind: c.kind }).collect();
        let mut violations = scope.violations(&changes);
        violations.extend(snapshot.refused.iter().map(|refused| Violation {
            path: refused.path.clone(),
            change: ChangeKind::Added,
            kind: ViolationKind::Refused,
            resource: None,
        }));
        violations.sort();
        if saboteur::is!("skip-manifest-check") {
            violations.clear();
        }
        let mode = self.config.manifest_enforcement;
        let compliance =
            manifest::judge(&violations, mode, |lock| self.held_by_others.contains(lock), self.rescopes);
        store::write_artifact(
            &self.dir.join("compliance.json"),
            &Violations { violations: violations.clone() },
            &self.redactor,
        )?;
        let refused = snapshot
            .refused
            .iter()
            .map(|refused| PathRefused { path: refused.path.clone(), why: refused.why.clone() })
            .collect();
        Ok(Judged { snapshot, refused, violations, compliance })
    }

    /// Where the manifest blocks, verify and validators judge nevertheless, so that a human who lets the work through
    /// overrides the manifest alone.
    async fn outcome(&self, judged: &Judged, spent: &mut Spent) -> Result<Outcome, Error> {
        let compliance = match &judged.compliance {
            Compliance::Goes => return self.check(&judged.snapshot, spent).await,
            compliance => compliance.clone(),
        };
        if matches!(compliance, Compliance::Rescope(_) | Compliance::Block(BlockCause::Forbidden)) {
            return Ok(Outcome::OutOfManifest { compliance, validators: Vec::new(), commit: None });
        }
        let (validators, commit) = match self.check(&judged.snapshot, spent).await? {
            Outcome::Judged { validators, work } => (validators, Some(work.commit)),
            _ => (Vec::new(), None),
        };
        Ok(Outcome::OutOfManifest { compliance, validators, commit })
    }

    /// Verify and validators, on work that keeps to its manifest.
    async fn check(&self, snapshot: &git::Snapshot, spent: &mut Spent) -> Result<Outcome, Error> {
        if snapshot.changes.is_empty() && !self.writes.is_empty() {
            return Ok(Outcome::Failed("the agent exited with 0 but changed nothing".to_owned()));
        }
        if let Some(command) = &self.task.manifest.verify.doctor {
            let mut left = AGAIN_MAX;
            let exit = loop {
                let job = self.shell_job(Purpose::Verify, command, "verify.log");
                let exit = self.launcher.run(job, self.stop.clone(), &mut self.notes()).await?;
                if !self.launcher.runs_again(&exit, &mut left) {
                    break exit;
                }
            };
            if !exit.is_success() {
                return Ok(Outcome::Failed(format!("the task's verify command {}", exit.describe())));
            }
        }
        let validators = self.validate(spent).await?;
        let commit = self.commit(snapshot).await?;
        let changed = snapshot.changes.iter().map(|change| change.path.clone()).collect();
        Ok(Outcome::Judged { validators, work: TaskValidated { commit, changed } })
    }

    async fn validate(&self, spent: &mut Spent) -> Result<Vec<Judgement>, Error> {
        let mut judgements = Vec::new();
        for (name, validator) in self.config.judges() {
            let question = self.question(name)?;
            let log = format!("validator-{name}.log");
            let asking = Asking {
                who: "validator",
                answering: &validator.asked,
                client: validator::client(&self.key, name, validator),
                models: self.models.as_deref(),
                gateway: self.launcher.engine().map(|_| self.gateway.as_path()),
                config: &self.config,
                environment: &self.environment,
                launcher: &self.launcher,
                job: &|program| self.job(Purpose::Validator, program, self.dir.join(&log)),
                tells_commands: false,
                home: &self.agent_home.join(format!("{name}-validator")),
                patience: self.config.timeout_minutes.duration(),
                stop: self.stop.clone(),
                notes: Some(self.notes()),
            };
            let validator::Judged { report, used } = validator::ask(asking, &question).await?;
            let usage = used.usage.filter(|_| !saboteur::is!("forget-judges"));
            spent.validators.extend(usage.map(|usage| (name.to_owned(), usage)));
            spent.over = spent.over.take().or(used.over);
            let path = self.dir.join(format!("validator-{name}.json"));
            match &report {
                Ok(report) => store::write_artifact(&path, report, &self.redactor)?,
                Err(why) => store::write_artifact(&path, &validator::no_report(why), &self.redactor)?,
            }
            let mode = if saboteur::is!("ignore-validator-block") { Mode::Warn } else { validator.mode };
            judgements.push(Judgement { validator: name, mode, report });
        }
        Ok(judgements)
    }

    /// What a validator that asks a model is told: it is kept beside its report.
    fn question(&self, name: &str) -> Result<String, Error> {
        let Some(prompt) = self.prompts.get(name) else { return Ok(String::new()) };
        let path = self.dir.join("diff.patch");
        // As it is kept, without secrets.
        let diff = store::read_file(&path).at("read", &path)?;
        let writes = self.writes.iter().map(RepoGlob::as_str).collect::<Vec<_>>().join(", ");
        let question = validator::question(prompt, &self.task, &writes, &String::from_utf8_lossy(&diff));
        let path = self.dir.join(format!("validator-{name}.prompt.md"));
        store::write_atomic(&path, &self.redactor.bytes(&path, question.clone().into_bytes()))?;
        Ok(question)
    }

    async fn commit(&self, snapshot: &git::Snapshot) -> Result<CommitId, Error> {
        let message = format!(
            "{}: {}\n\nMycelium-Run: {}\nMycelium-Task: {}\n",
            self.key.task, self.task.manifest.name, self.run_id, self.key.task
        );
        let (quarantine, tree, base, time) =
            (self.quarantine.clone(), snapshot.tree.clone(), self.base.clone(), self.time);
        let (task, attempt) = (self.key.task.clone(), self.key.attempt);
        blocking(move || {
            let commit = git::commit(&quarantine, &tree, &[base], &message, time)?;
            quarantine.keep_task(&task, attempt, &commit)?;
            Ok(commit)
        })
        .await
    }
}

/// Runs file and git work off the event loop.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Lost("a file operation"))?
}

/// Whether a stop was asked for, as work off the event loop asks between one file and the next. What it then gives up is
/// not judged any more.
pub(crate) fn ends(stop: &watch::Receiver<StopLevel>) -> impl Fn() -> bool + Send + 'static {
    let stop = stop.clone();
    move || *stop.borrow() > StopLevel::None
}

/// Removes folders that are no longer needed, off the event loop: an agent may have left many files. What a stop keeps it
/// from is for the next one to remove.
pub(crate) async fn tidy_all(
    folders: Vec<PathBuf>,
    ends: impl Fn() -> bool + Send + 'static,
) -> Result<(), Error> {
    blocking(move || {
        for folder in &folders {
            store::tidy_dir_unless(folder, &ends);
        }
        Ok(())
    })
    .await
}

/// Ends what runs in a workspace, or in one below the folder, and whatever else was left behind while no attempt is under
/// way; off the event loop, since the kernel may take its time.
pub(crate) async fn end_all_in(workspaces: &Path) -> Result<(), Error> {
    let workspaces = workspaces.to_owned();
    blocking(move || orphans::end_with_descendants(&workspaces).map(drop)).await
}
