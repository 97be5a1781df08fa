//! `mycelium run`: observe, decide, journal, do, journal (design 3.1). One loop owns the state.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mycelium_core::{
    decide::{Action, decide, effective_locks, effective_writes},
    limits::backoff_ms,
    permit::MergePermit,
    plan::Plan,
    rewind::{rewound, unless_rewound},
    settle::{self, AttemptFacts, Draft, LandingOutcome},
    state::{RunState, TaskFacts},
};
use mycelium_schemas::{
    config::{CleanupWhen, Config},
    event::{BatchStart, Event, EventKind, LandingDone, RunComplete, RunStop, TaskStart},
    id::{CommitId, TaskId},
    manifest::Manifest,
    state::{RunStatus, RunView, StopReason, TaskStatus},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    agent::AttemptKey,
    attempt::Attempt,
    cassette::{self, Of},
    conversation, docker,
    environment::Environment,
    error::Error,
    git::{self, GitError, QUARANTINE_DIR},
    hired,
    job::StopLevel,
    journal::Journal,
    landing::{Lander, Tried},
    models::Models,
    off_loop::{blocking, ends, tidy_all},
    orphans,
    planning::pretty,
    project::Project,
    redact::Redactor,
    saboteur,
    settings::read_written,
    signals::{Signals, StopSignal},
    store::{self, RunPaths},
    under_way::UnderWay,
    validator::Prompts,
};

/// How a run ended.
#[derive(Debug)]
pub struct RunReport {
    /// Its state.
    pub view: RunView,
    /// Its artifacts.
    pub paths: RunPaths,
    /// The signal that stopped it, if one did.
    pub signal: Option<StopSignal>,
    /// What of the machine failed, if that stopped it.
    pub failure: Option<Error>,
}

/// A run under way.
pub(crate) struct Run<'a> {
    pub(crate) project: &'a Project,
    pub(crate) environment: Arc<Environment>,
    pub(crate) config: Arc<Config>,
    pub(crate) plan: Plan,
    pub(crate) paths: RunPaths,
    pub(crate) journal: Journal,
    pub(crate) lander: Lander,
    pub(crate) redactor: Redactor,
    /// Where agents reach their model, from when it is driven.
    pub(crate) models: Option<Arc<Models>>,
    /// What validators that ask a model are asked with.
    pub(crate) prompts: Arc<Prompts>,
    /// The attempts that are.
    pub(crate) under_way: Arc<UnderWay>,
    pub(crate) stepped_from: Option<Timestamp>,
    /// Containers of agents that went on without their orchestrator.
    pub(crate) followed: BTreeMap<TaskId, String>,
    pub(crate) stop: watch::Sender<StopLevel>,
    /// What `state.json` holds.
    pub(crate) saved: Option<RunView>,
    /// Whether the doctor was tried on an empty folder.
    pub(crate) canary_ran: bool,
    pub(crate) progress: &'a mut dyn FnMut(&Event),
}

/// What an attempt's task hands back.
struct Ended {
    key: AttemptKey,
    facts: Result<AttemptFacts, Error>,
}

/// Why the loop ended.
enum Halt {
    /// There is nothing more to do.
    Finished,
    /// A signal came.
    Signal(StopSignal),
    /// Disk, git or another part of the machine failed.
    Failure(Error),
}

impl Run<'_> {
    /// Runs to the end.
    pub(crate) async fn drive(mut self, mut signals: Signals) -> Result<RunReport, Error> {
        let (sender, mut events) = mpsc::unbounded_channel();
        let mut attempts = JoinSet::new();
        let halt = self.work(&sender, &mut events, &mut attempts, &mut signals).await;
        let halt = halt.unwrap_or_else(Halt::Failure);
        let (signal, failure) = match halt {
            Halt::Finished => (None, None),
            Halt::Signal(signal) => {
                self.end_attempts(&mut attempts, &mut signals).await;
                while let Ok(draft) = events.try_recv() {
                    self.report(vec![draft])?;
                }
                self.interrupt(StopReason::Signal, format!("{signal} stopped the run"))?;
                (Some(signal), None)
            }
            Halt::Failure(failure) => {
                self.stop.send_replace(StopLevel::Graceful);
                self.end_attempts(&mut attempts, &mut signals).await;
                if let Err(unwritten) = self.interrupt(StopReason::Environment, failure.chain()) {
                    tracing::warn!(error = %unwritten, "the end of the run could not be journaled");
                    return Err(failure);
                }
                (None, Some(failure))
            }
        };
        Ok(RunReport { view: self.journal.state().view(), paths: self.paths, signal, failure })
    }

    /// Opens the way to the model, where the agents ask one; in the world of containers through a socket that they mount.
    async fn open_models(&mut self) -> Result<(), Error> {
        let folder = self.paths.gateway();
        let is_contained = self.lander.launcher.engine().is_some() && self.config.run_hires_an_agent();
        let socket = is_contained.then(|| folder.join(docker::SOCKET));
        if is_contained {
            store::make_private_dir(&folder)?;
        }
        if !self.config.run_asks_a_model() {
            return Ok(());
        }
        let of = Of::Run(&self.journal.state().run_id);
        let tape = cassette::tape(self.project, &self.config, &self.environment, &self.redactor.apart(), of)?;
        let (ledger, socket) = (self.paths.ledger(), socket.as_deref());
        let models = Models::open(&self.config, &self.environment, ledger, socket, tape).await?;
        self.models = Some(Arc::new(models));
        Ok(())
    }

    async fn work(
        &mut self,
        sender: &mpsc::UnboundedSender<Draft>,
        events: &mut mpsc::UnboundedReceiver<Draft>,
        attempts: &mut JoinSet<Ended>,
        signals: &mut Signals,
    ) -> Result<Halt, Error> {
        if let Some(signal) = self.tidy_again(signals).await? {
            return Ok(Halt::Signal(signal));
        }
        self.open_models().await?;
        self.follow(sender, attempts)?;
        loop {
            let state = self.journal.state();
            let actions = decide(&self.plan, state, &self.config);
            let actions = unless_rewound(state, actions, |landed| self.lost(landed))?;
            if actions.is_empty() && attempts.is_empty() {
                self.save_view()?;
                return Ok(Halt::Finished);
            }
            let waiting = actions.is_empty();
            for action in actions {
                if let Some(signal) = self.act(action, sender, attempts, signals).await? {
                    return Ok(Halt::Signal(signal));
                }
            }
            if !waiting {
                continue;
            }
            self.save_view()?;
            tokio::select! {
                biased;
                Some(draft) = events.recv() => self.report(vec![draft])?,
                Some(ended) = attempts.join_next() => {
                    // What the attempt reported on its way comes before its end.
                    while let Ok(draft) = events.try_recv() {
                        self.report(vec![draft])?;
                    }
                    self.attempt_ended(ended.map_err(|_| Error::Lost("an attempt"))?)?;
                    if attempts.is_empty() {
                        // Now that nothing of ours runs, whatever does was left behind, even without a mark.
                        let end = blocking(orphans::end_descendants);
                        let (ended, signal) = stoppable(end, &self.stop, signals).await;
                        ended?;
                        if let Some(signal) = signal {
                            return Ok(Halt::Signal(signal));
                        }
                    }
                }
                signal = signals.next() => {
                    self.stop.send_replace(StopLevel::Graceful);
                    return Ok(Halt::Signal(signal));
                }
            }
        }
    }

    /// Takes up the attempts whose agents went on.
    fn follow(
        &mut self,
        sender: &mpsc::UnboundedSender<Draft>,
        attempts: &mut JoinSet<Ended>,
    ) -> Result<(), Error> {
        let batch = self.journal.state().open_batch().map_or(0, |(number, _)| number);
        for (task, container) in std::mem::take(&mut self.followed) {
            let attempt = self.journal.state().tasks.get(&task).map_or(0, |facts| facts.attempts);
            let key = self.key(batch, task, attempt);
            let work = Attempt { follows: Some(container), ..self.attempt(key.clone(), sender)? };
            attempts.spawn(async move { Ended { key, facts: work.run().await } });
        }
        Ok(())
    }

    /// Does one thing. Gives the signal that interrupted it, if one did.
    async fn act(
        &mut self,
        action: Action,
        sender: &mpsc::UnboundedSender<Draft>,
        attempts: &mut JoinSet<Ended>,
        signals: &mut Signals,
    ) -> Result<Option<StopSignal>, Error> {
        match action {
            Action::StartBatch { batch, tasks } => {
                let base_commit = self.lander.upstream.head(&self.lander.branch)?;
                let start = BatchStart { tasks, base_commit };
                // Nothing is done before the first attempt of the batch is journaled, durably.
                self.report(vec![Draft::batch(batch, EventKind::BatchStart(start))])?;
            }
            Action::StartAttempt { batch, task, attempt } => {
                let key = self.key(batch, task, attempt);
                let base_commit = self.journal.state().head.clone();
                let left = self.conversation(&key.task, &base_commit);
                let start = match &left {
                    None => TaskStart::fresh(base_commit),
                    Some(Ok(_)) => {
                        TaskStart { continues: Some(attempt - 1), ..TaskStart::fresh(base_commit) }
                    }
                    Some(Err(why)) => TaskStart { anew: Some(why.clone()), ..TaskStart::fresh(base_commit) },
                };
                self.record(vec![key.draft(EventKind::TaskStart(start))])?;
                let continues = left.and_then(Result::ok);
                let work = Attempt { continues, ..self.attempt(key.clone(), sender)? };
                attempts.spawn(async move { Ended { key, facts: work.run().await } });
            }
            Action::Land(permit) => return self.land(permit, signals).await,
            Action::CloseBatch { batch, result } => {
                self.report(vec![settle::close_batch(batch, result)])?;
            }
            Action::Complete => {
                // What is removed may be all that tells of a landing that is not durable yet.
                self.journal.sync()?;
                if let Some(signal) = self.tidy(signals).await? {
                    return Ok(Some(signal));
                }
                self.finish_models()?;
                let head_commit = self.journal.state().head.clone();
                self.record(vec![Draft::run(EventKind::RunComplete(RunComplete { head_commit }))])?;
            }
            Action::Stop(stop) => {
                self.finish_models()?;
                self.record(vec![Draft::run(EventKind::RunStop(stop))])?;
            }
        }
        Ok(None)
    }

    fn key(&self, batch: u32, task: TaskId, attempt: u32) -> AttemptKey {
        let lost = self.journal.state().tasks.get(&task).map_or(0, TaskFacts::lost);
        AttemptKey { batch, task, attempt, turn: attempt.saturating_sub(lost) }
    }

    /// The conversation with which an attempt goes on whose task's last one was lost, or why with none; nothing where none
    /// was lost, or its agent has no conversations.
    fn conversation(&self, task: &TaskId, base: &CommitId) -> Option<Result<String, String>> {
        self.journal.state().tasks.get(task).filter(|facts| facts.is_lost())?;
        let left = conversation::Left {
            note: &self.paths.conversation(task),
            home: &self.paths.agent_home(task),
            workspace: &self.paths.workspaces.join(task.as_str()),
            adapter: hired::adapter(self.config.worker.agent)?,
            base,
        };
        Some(left.session(&self.config))
    }

    /// What is recorded of models has come to its end with the run; before that is journaled, so that a run which ended
    /// can be replayed.
    fn finish_models(&self) -> Result<(), Error> {
        self.models.as_ref().map_or(Ok(()), |models| models.finish())
    }

    /// Journals events durably and shows them.
    fn record(&mut self, drafts: Vec<Draft>) -> Result<(), Error> {
        if drafts.is_empty() {
            return Ok(());
        }
        for event in self.journal.append(drafts)? {
            (self.progress)(&event);
        }
        Ok(())
    }

    /// Journals what nothing depends on before the next durable event, and shows it.
    fn report(&mut self, drafts: Vec<Draft>) -> Result<(), Error> {
        for event in self.journal.append_report(drafts)? {
            (self.progress)(&event);
        }
        Ok(())
    }

    /// Replaces `state.json` where it would say something else than before.
    fn save_view(&mut self) -> Result<(), Error> {
        let view = self.journal.state().view();
        let news = |saved: &RunView| RunView { updated_at: view.updated_at, ..saved.clone() } != view;
        let stale = saboteur::is!("stale-state") && self.saved.is_some();
        if self.saved.as_ref().is_none_or(news) && !stale {
            store::write_view(&self.paths.state, &view)?;
            self.saved = Some(view);
        }
        Ok(())
    }

    fn attempt(&self, key: AttemptKey, sender: &mpsc::UnboundedSender<Draft>) -> Result<Attempt, Error> {
        let state = self.journal.state();
        let task = self.plan.get(&key.task).ok_or(Error::Lost("a planned task"))?.clone();
        let others = state.open_batch().map(|(_, batch)| batch.tasks.clone()).unwrap_or_default();
        let held_by_others = others
            .iter()
            .filter(|other| **other != key.task)
            .flat_map(|other| {
                let locks = effective_locks(&self.plan, state, other);
                locks.reads.into_iter().chain(locks.writes)
            })
            .collect::<BTreeSet<_>>();
        Ok(Attempt {
            run_id: state.run_id.clone(),
            writes: effective_writes(&self.plan, state, &key.task),
            write_locks: effective_locks(&self.plan, state, &key.task).writes,
            held_by_others,
            rescopes: state.tasks.get(&key.task).map_or(0, |facts| facts.rescopes),
            backoff: Duration::from_millis(
                state.tasks.get(&key.task).map_or(0, |facts| backoff_ms(facts.failures)),
            ),
            base: state
                .tasks
                .get(&key.task)
                .and_then(|facts| facts.base.clone())
                .unwrap_or_else(|| state.head.clone()),
            follows: None,
            continues: None,
            conversation: self.paths.conversation(&key.task),
            time: state.started_at,
            stepped_from: self.stepped_from,
            config: Arc::clone(&self.config),
            environment: Arc::clone(&self.environment),
            launcher: self.lander.launcher.clone(),
            quarantine: self.lander.quarantine.clone(),
            doctor: Arc::clone(&self.lander.doctor),
            upstream_objects: self.lander.upstream.objects_dir(),
            dir: self.paths.attempt(&key.task, key.attempt),
            workspace: self.paths.workspaces.join(key.task.as_str()),
            agent_home: self.paths.agent_home(&key.task),
            gateway: self.paths.gateway(),
            models: self.models.clone(),
            prompts: Arc::clone(&self.prompts),
            under_way: Arc::clone(&self.under_way),
            journal: sender.clone(),
            redactor: self.redactor.apart(),
            stop: self.stop.subscribe(),
            task,
            key,
        })
    }

    fn attempt_ended(&mut self, ended: Ended) -> Result<(), Error> {
        let Ended { key, facts } = ended;
        let drafts = settle::attempt(self.journal.state(), &self.config, key.batch, &key.task, facts?);
        let rescoped = drafts.iter().any(|draft| matches!(draft.kind, EventKind::TaskRescope(_)));
        self.record(drafts)?;
        if rescoped {
            self.rewrite_manifest(&key.task)?;
        }
        Ok(())
    }

    /// Shows a widening in the operator's manifest, unless the operator changed it since the run began.
    fn rewrite_manifest(&self, id: &TaskId) -> Result<(), Error> {
        let Some(task) = self.plan.get(id) else { return Ok(()) };
        let path = self.project.tasks_dir().join(task.dir.as_str()).join("manifest.json");
        let on_disk = read_written(self.project, &path).ok().flatten();
        let on_disk = on_disk.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let widened = widened(&self.plan, self.journal.state(), id);
        let same_otherwise =
            on_disk.is_some_and(|found| {
                Manifest {
                    files: task.manifest.files.clone(),
                    locks: task.manifest.locks.clone(),
                    ..found.clone()
                } == task.manifest
                    && found.files.writes.iter().all(|glob| {
                        widened.as_ref().is_some_and(|widened| widened.files.writes.contains(glob))
                    })
            });
        match widened {
            Some(widened) if same_otherwise => {
                store::replace_file(&path, pretty(&widened)?.as_bytes(), 0o644)
            }
            _ => {
                tracing::warn!(task = %id, "manifest.json was changed during the run and is left as it is");
                Ok(())
            }
        }
    }

    /// Does again what a crash may have kept from being done after a widening was journaled.
    pub(crate) fn rewrite_manifests(&self) -> Result<(), Error> {
        let widened = self.journal.state().tasks.iter().filter(|(_, facts)| facts.rescopes > 0);
        widened.map(|(id, _)| id).try_for_each(|id| self.rewrite_manifest(id))
    }

    async fn land(
        &mut self,
        permit: MergePermit,
        signals: &mut Signals,
    ) -> Result<Option<StopSignal>, Error> {
        let batch = permit.batch();
        // The doctor takes its time: whoever looks meanwhile sees what passed.
        self.save_view()?;
        if let Some(signal) = self.canary(batch, signals).await? {
            return Ok(Some(signal));
        }
        let (tried, signal) =
            stoppable(self.lander.try_candidate(permit, &self.journal.state().landed), &self.stop, signals)
                .await;
        let tried = tried?;
        let notes = self.lander.redactor.notes();
        self.record(notes.into_iter().map(|note| Draft::batch(batch, note)).collect())?;
        let (outcome, signal) = match tried {
            _ if signal.is_some() => return Ok(signal),
            Tried::Stopped => return Err(Error::Lost("the doctor")),
            Tried::Not(outcome) => (outcome, None),
            Tried::Rewound(lost) => {
                let stop = rewound(&self.journal.state().integration_branch, &lost);
                self.record(stop.map(|stop| Draft::run(EventKind::RunStop(stop))).into_iter().collect())?;
                return Ok(None);
            }
            Tried::Tested(tested) => {
                self.record(vec![
                    Draft::batch(batch, EventKind::LandingDoctorPass(tested.pass().clone())),
                    Draft::batch(batch, EventKind::LandingIntent(tested.intent().clone())),
                ])?;
                let (moved, signal) = stoppable(self.lander.move_ref(*tested), &self.stop, signals).await;
                match moved? {
                    Some(outcome) => (outcome, signal),
                    None => return Ok(Some(signal.ok_or(Error::Lost("the signal"))?)),
                }
            }
        };
        let landed = match &outcome {
            LandingOutcome::Done(done) => done.tasks.clone(),
            _ => Vec::new(),
        };
        let drafts = settle::landing(self.journal.state(), &self.config, batch, outcome);
        if landed.is_empty() {
            self.record(drafts)?;
        } else {
            // The branch itself is the durable record: resume finds the intent done where a power cut takes this.
            self.report(drafts)?;
        }
        if self.config.cleanup.workspaces == CleanupWhen::OnSuccess {
            let came = self.tidy_workspaces(&landed, signals).await?;
            return Ok(signal.or(came));
        }
        Ok(signal)
    }

    /// Removes the workspaces of tasks that landed. A signal ends that: what is left goes when the run goes on.
    async fn tidy_workspaces(
        &self,
        landed: &[TaskId],
        signals: &mut Signals,
    ) -> Result<Option<StopSignal>, Error> {
        let folders = landed.iter().map(|task| self.paths.workspaces.join(task.as_str())).collect();
        self.tidy_folders(folders, signals).await
    }

    async fn tidy_folders(
        &self,
        folders: Vec<PathBuf>,
        signals: &mut Signals,
    ) -> Result<Option<StopSignal>, Error> {
        let (tidied, signal) =
            stoppable(tidy_all(folders, ends(&self.lander.stop)), &self.stop, signals).await;
        tidied?;
        Ok(signal)
    }

    /// Removes what an earlier process of this run was kept from removing after its landings.
    async fn tidy_again(&self, signals: &mut Signals) -> Result<Option<StopSignal>, Error> {
        let tasks = &self.journal.state().tasks;
        let landed = tasks.iter().filter(|(_, facts)| facts.status == TaskStatus::Landed);
        let landed: Vec<TaskId> = landed.map(|(id, _)| id.clone()).collect();
        if landed.is_empty() || self.config.cleanup.workspaces != CleanupWhen::OnSuccess {
            return Ok(None);
        }
        self.tidy_workspaces(&landed, signals).await
    }

    /// Those of these landings that somebody took off the branch.
    fn lost(&self, landed: &[LandingDone]) -> Result<Vec<LandingDone>, Error> {
        let head = self.lander.upstream.find_head(&self.lander.branch)?;
        self.lander.lost(landed, head.as_ref())
    }

    /// Before the first landing of this process, if asked for: can the doctor fail at all?
    async fn canary(&mut self, batch: u32, signals: &mut Signals) -> Result<Option<StopSignal>, Error> {
        if !self.config.doctor_canary || std::mem::replace(&mut self.canary_ran, true) {
            return Ok(None);
        }
        let (verdict, signal) = stoppable(self.lander.canary(), &self.stop, signals).await;
        let verdict = match verdict {
            Err(Error::Git(GitError::Stopped)) => None,
            verdict => verdict?,
        };
        if let Some(verdict) = verdict {
            let kind = if verdict.error {
                EventKind::ValidatorWarn(verdict)
            } else {
                EventKind::ValidatorPass(verdict)
            };
            self.record(vec![Draft::batch(batch, kind)])?;
        }
        Ok(signal)
    }

    /// Waits until every attempt has ended its processes; what they report is no longer judged.
    async fn end_attempts(&self, attempts: &mut JoinSet<Ended>, signals: &mut Signals) {
        loop {
            tokio::select! {
                ended = attempts.join_next() => if ended.is_none() { return },
                _ = signals.next() => {
                    self.stop.send_replace(StopLevel::AtOnce);
                }
            }
        }
    }

    /// Once everything landed, the user's repository holds it: the run's own objects and workspaces go. Done before the
    /// run is journaled as complete, so that a crash or a signal in between is made up for by resume.
    async fn tidy(&self, signals: &mut Signals) -> Result<Option<StopSignal>, Error> {
        // A landing goes on where its note cannot be removed: the next one removes it, and after the last one this, or
        // the `resume` of a run that could not.
        let (upstream, branch) = (self.lander.upstream.clone(), self.lander.branch.clone());
        let ends = ends(&self.lander.stop);
        let clear = blocking(move || Ok(git::clear_abandoned(&upstream, &branch, &ends)?));
        let (cleared, signal) = stoppable(clear, &self.stop, signals).await;
        match cleared {
            Err(Error::Git(GitError::Stopped)) => {}
            cleared => cleared?,
        }
        if signal.is_some() {
            return Ok(signal);
        }
        if self.config.cleanup.workspaces == CleanupWhen::Never {
            return Ok(None);
        }
        let folders = vec![self.paths.run_dir.join(QUARANTINE_DIR), self.paths.workspaces.clone()];
        self.tidy_folders(folders, signals).await
    }

    fn interrupt(&mut self, stop_reason: StopReason, message: String) -> Result<(), Error> {
        // A run that has ended is not interrupted any more: only its view could not be written.
        if self.journal.state().end.is_some() {
            return self.save_view();
        }
        let stop = RunStop { status: RunStatus::Interrupted, stop_reason, message };
        self.record(vec![Draft::run(EventKind::RunStop(stop))])?;
        self.save_view()
    }
}

/// Waits for work that runs a command; a signal stops the command and is handed on with what came of it.
async fn stoppable<T>(
    work: impl Future<Output = T>,
    stop: &watch::Sender<StopLevel>,
    signals: &mut Signals,
) -> (T, Option<StopSignal>) {
    let mut signal = None;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return (done, signal),
            came = signals.next() => {
                let level = if signal.is_none() { StopLevel::Graceful } else { StopLevel::AtOnce };
                stop.send_replace(level);
                signal.get_or_insert(came);
            }
        }
    }
}

/// The manifest of a task with everything that was added to it.
fn widened(plan: &Plan, state: &RunState, id: &TaskId) -> Option<Manifest> {
    let mut manifest = plan.get(id)?.manifest.clone();
    manifest.files.writes = effective_writes(plan, state, id);
    let facts = state.tasks.get(id)?;
    manifest.locks.writes.extend(facts.added_locks.iter().cloned());
    Some(manifest)
}
