//! One attempt at a task: bootstrap, agent, snapshot, compliance, verify, validators (design 3.4). Returns facts; what
//! follows from them is decided in the core.

mod agent;
mod gates;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mycelium_core::settle::{AttemptFacts, Draft, Outcome};
use mycelium_schemas::{
    config::{CleanupWhen, Config},
    id::{CommitId, LockName, RunId},
    manifest::{Files, Manifest, PlannedTask},
    path::RepoGlob,
};
use rustix::process::Signal;
use tokio::sync::{mpsc, watch};

pub(crate) use self::agent::AGENT_FAILED;
use self::gates::{Judged, Spent};
use crate::{
    agent::{AttemptKey, Notes},
    conversation,
    environment::Environment,
    error::{Error, IoContext},
    fault,
    git::{self, Quarantine},
    job::{Job, Program, Purpose, StopLevel},
    launcher::Launcher,
    models::Models,
    off_loop::{blocking, ends, tidy_all},
    orphans, private,
    redact::Redactor,
    store::{self, make_private_dir, remove_dir_unless},
    under_way::UnderWay,
    validator::Prompts,
};

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
    /// The doctor that its work will meet, as it was frozen.
    pub doctor: Arc<[u8]>,
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
            files: Files { reads: self.task.manifest.files.reads.clone(), writes: self.writes.clone() },
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
}
