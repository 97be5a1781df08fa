//! The state of a run: the fold of its events, and nothing else (design 3.1).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use mycelium_schemas::{
    SCHEMA_VERSION,
    event::{Event, EventKind, LandingDone, LandingIntent, RefusalReason, RunResume, UsageUpdate, World},
    id::{CommitId, LockName, ProjectName, RunId, TaskId},
    path::RepoPath,
    state::{BatchState, BatchStatus, Reason, RunStatus, RunView, StopReason, TaskState, TaskStatus, Usage},
};

pub use crate::illegal::IllegalEvent;
use crate::transition::{Move, next};

/// What is known of a task.
#[derive(Debug, Clone)]
pub struct TaskFacts {
    /// Where it stands.
    pub status: TaskStatus,
    /// Attempts started.
    pub attempts: u32,
    /// Commit that the last one started from.
    pub base: Option<CommitId>,
    /// Attempts that failed, rescopes and conflicts not counted.
    pub failures: u32,
    /// Times its manifest was widened.
    pub rescopes: u32,
    /// Times its work did not merge.
    pub conflicts: u32,
    /// Of all attempts, their validators included.
    pub usage: Usage,
    /// Part of it that validators used, by their names.
    pub validators: BTreeMap<String, Usage>,
    /// Attempts whose agent told no usage and is none that never has any.
    pub unmetered: BTreeSet<u32>,
    /// Of its last validated attempt.
    pub commit: Option<CommitId>,
    /// Gates that block it, oldest first.
    pub blocks: Vec<StopReason>,
    /// Paths added to `files.writes` so far.
    pub added_files: BTreeSet<RepoPath>,
    /// Locks added to `locks.writes` so far.
    pub added_locks: BTreeSet<LockName>,
    /// Oldest first.
    pub reasons: Vec<Reason>,
}

/// The agent that is any program: it asks no model that is known, and tells what it uses or does not.
const AGENT_THAT_MAY_TELL_NOTHING: &str = "command";

/// The code of the reason of an attempt that was lost.
const LOST: &str = "worker.lost";

/// The code of the reason of a task whose agent failed as every other one would.
pub(crate) const REFUSED: &str = "worker.refused";

impl Default for TaskFacts {
    fn default() -> Self {
        Self {
            status: TaskStatus::Pending,
            attempts: 0,
            base: None,
            failures: 0,
            rescopes: 0,
            conflicts: 0,
            usage: Usage::default(),
            validators: BTreeMap::new(),
            unmetered: BTreeSet::new(),
            commit: None,
            blocks: Vec::new(),
            added_files: BTreeSet::new(),
            added_locks: BTreeSet::new(),
            reasons: Vec::new(),
        }
    }
}

/// What is known of a batch.
#[derive(Debug, Clone)]
pub struct BatchFacts {
    /// Its tasks in order of id.
    pub tasks: Vec<TaskId>,
    /// Those whose attempt was started in it, lost ones among them.
    pub begun: BTreeSet<TaskId>,
    /// Those whose attempt was started and not lost.
    pub started: BTreeSet<TaskId>,
    /// Groups that a failing candidate was split into and that still wait; empty: all at once.
    pub groups: VecDeque<Vec<TaskId>>,
    /// Those that landed.
    pub landed: Vec<TaskId>,
    /// Times the branch moved under its candidate.
    pub head_moves: u32,
    /// True after `batch.complete`.
    pub closed: bool,
    /// Of its last landing.
    pub commit: Option<CommitId>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Its last status.
    pub status: RunStatus,
    /// Why; none when complete.
    pub reason: Option<StopReason>,
}

impl RunEnd {
    /// True where `resume` goes on with it: it was interrupted, or waits for a human.
    pub fn is_resumable(&self) -> bool {
        matches!(self.status, RunStatus::Interrupted | RunStatus::NeedsHumanReview)
    }
}

/// The fold of a run's events.
#[derive(Debug, Clone)]
pub struct RunState {
    /// The run.
    pub run_id: RunId,
    /// Its project.
    pub project: ProjectName,
    /// Which run of its project it is, from 1; none where it began before runs were counted.
    pub number: Option<u64>,
    /// Local branch that the work lands on.
    pub integration_branch: String,
    /// Its head at the start.
    pub base: CommitId,
    /// Its head as last seen.
    pub head: CommitId,
    /// When it started.
    pub started_at: Timestamp,
    /// When the last event happened.
    pub updated_at: Timestamp,
    /// Number of the last event.
    pub last_seq: u64,
    /// SHA-256 of the configuration in force.
    pub config_digest: String,
    /// SHA-256 of the frozen doctor script.
    pub doctor_digest: String,
    /// Where the run's commands run.
    pub world: World,
    /// Tasks that an earlier run landed.
    pub landed_before: BTreeSet<TaskId>,
    /// Selected tasks.
    pub tasks: BTreeMap<TaskId, TaskFacts>,
    /// In order.
    pub batches: Vec<BatchFacts>,
    /// Of all tasks.
    pub usage: Usage,
    /// Landings tried so far.
    pub landings: u32,
    /// Landings that moved the branch, oldest first.
    pub landed: Vec<LandingDone>,
    /// Blocks in force, oldest first.
    blocks: Vec<(TaskId, StopReason)>,
    /// A landing whose ref may or may not have been moved.
    pub open_intent: Option<(u32, LandingIntent)>,
    /// True after a landing was refused because the checkout is not clean.
    pub checkout_blocked: bool,
    /// Set once the run ended.
    pub end: Option<RunEnd>,
}

impl RunState {
    /// The state after the first event, which must be `run.start`.
    pub fn start(project: ProjectName, event: &Event) -> Result<Self, IllegalEvent> {
        let EventKind::RunStart(start) = &event.kind else {
            return Err(IllegalEvent::OutOfPlace { seq: event.seq, kind: event.kind.type_name() });
        };
        Ok(Self {
            run_id: event.run_id.clone(),
            project,
            number: start.number,
            integration_branch: start.integration_branch.clone(),
            base: start.base_commit.clone(),
            head: start.base_commit.clone(),
            started_at: event.ts,
            updated_at: event.ts,
            last_seq: event.seq,
            world: start.world,
            config_digest: start.config_digest.clone(),
            doctor_digest: start.doctor_digest.clone(),
            landed_before: start.landed_before.iter().cloned().collect(),
            tasks: start.tasks.iter().map(|id| (id.clone(), TaskFacts::default())).collect(),
            batches: Vec::new(),
            usage: Usage::default(),
            landings: 0,
            landed: Vec::new(),
            blocks: Vec::new(),
            open_intent: None,
            checkout_blocked: false,
            end: None,
        })
    }

    /// The batch that has not been closed, with its number.
    pub fn open_batch(&self) -> Option<(u32, &BatchFacts)> {
        let last = self.batches.last().filter(|batch| !batch.closed)?;
        Some((u32::try_from(self.batches.len()).unwrap_or(u32::MAX), last))
    }

    /// Whether [`RunState::apply`] would take the event.
    pub fn check(&self, event: &Event) -> Result<(), IllegalEvent> {
        self.judge(event).map(drop)
    }

    /// Folds one more event. An event that is not legal changes nothing.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        // Everything is judged before anything moves.
        if let Some((id, status)) = self.judge(event)?
            && let Some(facts) = self.tasks.get_mut(&id)
        {
            facts.status = status;
            facts.note(&event.kind);
        }
        self.apply_batch(event);
        self.apply_run(event);
        self.last_seq = event.seq;
        self.updated_at = event.ts;
        Ok(())
    }

    /// Where a legal event leads its task; none where it moves none.
    fn judge(&self, event: &Event) -> Result<Option<(TaskId, TaskStatus)>, IllegalEvent> {
        let (seq, kind) = (event.seq, event.kind.type_name());
        if seq != self.last_seq + 1 {
            return Err(IllegalEvent::Gap { last: self.last_seq, found: seq });
        }
        if matches!(event.kind, EventKind::RunStart(_)) || !self.takes(&event.kind) {
            return Err(IllegalEvent::OutOfPlace { seq, kind });
        }
        let moved = self.task_after(event)?;
        self.check_batch(event)?;
        Ok(moved)
    }

    /// Whether an event of this kind may come now: after the end only what reopens the run, and what mends its journal.
    fn takes(&self, kind: &EventKind) -> bool {
        let Some(end) = &self.end else { return true };
        match kind {
            EventKind::ReviewApprove(_) | EventKind::ReviewRetry(_) | EventKind::ReviewReject(_) => {
                end.status != RunStatus::Complete
            }
            EventKind::RunResume(_) => end.is_resumable(),
            EventKind::JournalTruncated(_) => true,
            _ => false,
        }
    }

    /// Where an event leads its task; none where it moves none.
    fn task_after(&self, event: &Event) -> Result<Option<(TaskId, TaskStatus)>, IllegalEvent> {
        let Some(by) = task_move(&event.kind) else { return Ok(None) };
        let (seq, kind) = (event.seq, event.kind.type_name());
        let unknown = IllegalEvent::Unknown { seq, kind };
        let id = event.task_id.as_ref().ok_or_else(|| unknown.clone())?;
        let status = self.tasks.get(id).ok_or(unknown)?.status;
        match next(status, by) {
            Some(after) => Ok(Some((id.clone(), after))),
            None => Err(IllegalEvent::Transition { seq, kind, task: id.clone(), status }),
        }
    }

    /// Whether the event fits the batch that is open, or that none is.
    fn check_batch(&self, event: &Event) -> Result<(), IllegalEvent> {
        let open = self.open_batch().is_some();
        let fits = match &event.kind {
            EventKind::BatchStart(start) => !open && start.tasks.iter().all(|id| self.tasks.contains_key(id)),
            EventKind::BatchComplete(_) | EventKind::LandingDone(_) | EventKind::TaskStart(_) => open,
            _ => true,
        };
        let unknown = || IllegalEvent::Unknown { seq: event.seq, kind: event.kind.type_name() };
        if fits { Ok(()) } else { Err(unknown()) }
    }

    fn apply_batch(&mut self, event: &Event) {
        if let EventKind::BatchStart(start) = &event.kind {
            self.head = start.base_commit.clone();
            self.batches.push(BatchFacts {
                tasks: start.tasks.clone(),
                begun: BTreeSet::new(),
                started: BTreeSet::new(),
                groups: VecDeque::new(),
                landed: Vec::new(),
                head_moves: 0,
                closed: false,
                commit: None,
            });
        } else if let Some(batch) = self.batches.last_mut().filter(|batch| !batch.closed) {
            batch.note(event);
        }
    }

    fn apply_run(&mut self, event: &Event) {
        match &event.kind {
            EventKind::UsageUpdate(update) => {
                self.usage = self.usage.plus(update.usage);
                if let Some(facts) = event.task_id.as_ref().and_then(|id| self.tasks.get_mut(id)) {
                    facts.use_up(update, event.attempt);
                }
            }
            // Again for one that is found at work: it is the same attempt.
            EventKind::WorkerStart(start) if start.agent == AGENT_THAT_MAY_TELL_NOTHING => {
                if let Some(facts) = event.task_id.as_ref().and_then(|id| self.tasks.get_mut(id)) {
                    facts.unmetered.extend(event.attempt);
                }
            }
            EventKind::BudgetBlock(_) => self.block(event, StopReason::BudgetBlock),
            EventKind::ValidatorBlock(_) => self.block(event, StopReason::ValidatorBlock),
            EventKind::ManifestBlock(_) => self.block(event, StopReason::ManifestBlock),
            EventKind::ReviewApprove(_) | EventKind::ReviewRetry(_) | EventKind::ReviewReject(_) => {
                self.reopen(event);
            }
            EventKind::RunResume(resume) => self.resume(resume),
            EventKind::LandingConflict(conflict) => {
                self.landings = self.landings.max(conflict.landing);
                if let Some(facts) = self.tasks.get_mut(&conflict.task) {
                    facts.conflicts += 1;
                }
            }
            EventKind::LandingDoctorPass(result) | EventKind::LandingDoctorFail(result) => {
                self.landings = self.landings.max(result.landing);
            }
            EventKind::LandingIntent(intent) => {
                self.open_intent = event.batch.map(|batch| (batch, intent.clone()));
            }
            EventKind::LandingDone(done) => {
                self.open_intent = None;
                self.head = done.commit.clone();
                self.landed.push(done.clone());
            }
            EventKind::LandingRefused(refused) => {
                self.open_intent = None;
                self.landings = self.landings.max(refused.landing);
                self.checkout_blocked |= refused.reason == RefusalReason::CheckoutDirty;
                if let Some(found) = &refused.found {
                    self.head = found.clone();
                }
            }
            EventKind::RunStop(stop) => {
                self.end = Some(RunEnd { status: stop.status, reason: Some(stop.stop_reason) });
            }
            EventKind::RunComplete(_) => {
                self.end = Some(RunEnd { status: RunStatus::Complete, reason: None });
            }
            _ => {}
        }
    }

    fn block(&mut self, event: &Event, reason: StopReason) {
        let Some(id) = &event.task_id else { return };
        self.blocks.push((id.clone(), reason));
        if let Some(facts) = self.tasks.get_mut(id) {
            facts.blocks.push(reason);
        }
    }

    /// The first block in force: while there is one, nothing lands.
    pub fn blocked(&self) -> Option<StopReason> {
        self.blocks.first().map(|(_, reason)| *reason)
    }

    /// The tasks whose blocks are in force: while there is one, nothing lands.
    pub fn blocking(&self) -> BTreeSet<TaskId> {
        self.blocks.iter().map(|(id, _)| id.clone()).collect()
    }

    /// A human decided about a task: its blocks no longer hold, and the run waits for `resume`.
    fn reopen(&mut self, event: &Event) {
        if let EventKind::ReviewRetry(retry) = &event.kind {
            self.config_digest.clone_from(&retry.config_digest);
        }
        if let Some(id) = &event.task_id {
            self.blocks.retain(|(blocked, _)| blocked != id);
        }
        self.end = Some(RunEnd { status: RunStatus::Interrupted, reason: Some(StopReason::Review) });
    }

    /// The run goes on: what the checkout and the branch were like is looked at anew.
    fn resume(&mut self, resume: &RunResume) {
        self.end = None;
        self.checkout_blocked = false;
        if let Some(batch) = self.batches.last_mut() {
            batch.head_moves = 0;
        }
        if let Some(head) = &resume.head_commit {
            self.head = head.clone();
        }
    }

    /// What people and scripts read.
    pub fn view(&self) -> RunView {
        let end = self.end.as_ref().map(|end| end.status);
        RunView {
            schema_version: SCHEMA_VERSION,
            run_id: self.run_id.clone(),
            project: self.project.clone(),
            number: self.number,
            world: self.world,
            status: end.unwrap_or(RunStatus::Running),
            stop_reason: self.end.as_ref().and_then(|end| end.reason),
            integration_branch: self.integration_branch.clone(),
            base_commit: self.base.clone(),
            head_commit: self.head.clone(),
            started_at: self.started_at,
            updated_at: self.updated_at,
            batches: (1..).zip(&self.batches).map(|(number, batch)| batch.view(number)).collect(),
            tasks: self.tasks.iter().map(|(id, facts)| (id.clone(), facts.view(end))).collect(),
            usage: self.usage,
            validators: self.validators(),
        }
    }

    /// What validators used in all tasks.
    fn validators(&self) -> BTreeMap<String, Usage> {
        let mut all: BTreeMap<String, Usage> = BTreeMap::new();
        for (name, usage) in self.tasks.values().flat_map(|facts| &facts.validators) {
            let of_it = all.entry(name.clone()).or_default();
            *of_it = of_it.plus(*usage);
        }
        all
    }
}

fn task_move(kind: &EventKind) -> Option<Move> {
    Some(match kind {
        EventKind::TaskStart(_) => Move::Start,
        EventKind::TaskRetry(_) => Move::Retry,
        EventKind::TaskRescope(_) => Move::Rescope,
        EventKind::TaskValidated(_) => Move::Validate,
        EventKind::TaskLanded(_) => Move::Land,
        EventKind::TaskFail(_) => Move::Fail,
        EventKind::TaskReview(_) => Move::Review,
        EventKind::WorkerLost(_) => Move::Lose,
        EventKind::ReviewApprove(_) => Move::Approve,
        EventKind::ReviewRetry(_) => Move::Redo,
        EventKind::ReviewReject(_) => Move::Reject,
        _ => return None,
    })
}

impl TaskFacts {
    /// Attempts that were lost with their orchestrator, each of which another one took the place of.
    pub fn lost(&self) -> u32 {
        let lost = self.reasons.iter().filter(|reason| reason.code == LOST);
        lost.count().try_into().unwrap_or(u32::MAX)
    }

    /// Whether it failed as every other task would: nothing new begins until a human has decided about it.
    pub fn is_refused(&self) -> bool {
        self.status == TaskStatus::Failed && self.reasons.last().is_some_and(|last| last.code == REFUSED)
    }

    /// Whether the last attempt was lost: what its agent had come to may be gone on with.
    pub fn is_lost(&self) -> bool {
        self.reasons.last().is_some_and(|reason| reason.code == LOST)
    }

    fn note(&mut self, kind: &EventKind) {
        let mut because = |code: &str, message: String| {
            self.reasons.push(Reason { code: code.to_owned(), message });
        };
        match kind {
            EventKind::TaskStart(start) => {
                self.attempts += 1;
                self.base = Some(start.base_commit.clone());
            }
            EventKind::TaskRetry(retry) => {
                because("task.retry", retry.reason.clone());
                // A conflict is counted by its own event and leaves the work's own failures alone.
                if self.commit.take().is_none() {
                    self.failures += 1;
                }
            }
            EventKind::TaskRescope(rescope) => {
                let names = rescope.files.iter().map(RepoPath::as_str);
                let names = names.chain(rescope.locks.iter().map(LockName::as_str)).collect::<Vec<_>>();
                because("task.rescope", format!("the manifest now also allows {}", names.join(", ")));
                self.rescopes += 1;
                self.added_files.extend(rescope.files.iter().cloned());
                self.added_locks.extend(rescope.locks.iter().cloned());
            }
            EventKind::TaskValidated(validated) => self.commit = Some(validated.commit.clone()),
            EventKind::TaskFail(reason) => because(&reason.code, reason.message.clone()),
            EventKind::TaskReview(review) => {
                because(&review.code, review.message.clone());
                self.commit.clone_from(&review.commit);
            }
            EventKind::WorkerLost(lost) => {
                because(LOST, lost.reason.clone());
                self.commit = None;
            }
            EventKind::ReviewApprove(approved) => {
                because("review.approve", overridden(&approved.overrides));
                self.commit = Some(approved.commit.clone());
                self.blocks.clear();
            }
            EventKind::ReviewRetry(_) => {
                because("review.retry", "a human has it done again".to_owned());
                // A human's retry is a new beginning: every allowance is whole again.
                (self.failures, self.rescopes, self.conflicts) = (0, 0, 0);
                self.commit = None;
                self.blocks.clear();
            }
            EventKind::ReviewReject(_) => {
                because("review.reject", "a human gave it up".to_owned());
                self.blocks.clear();
            }
            _ => {}
        }
    }

    fn use_up(&mut self, update: &UsageUpdate, attempt: Option<u32>) {
        self.usage = self.usage.plus(update.usage);
        for (name, usage) in &update.validators {
            let of_it = self.validators.entry(name.clone()).or_default();
            *of_it = of_it.plus(*usage);
        }
        if let Some(attempt) = attempt.filter(|_| !update.agent_is_silent) {
            self.unmetered.remove(&attempt);
        }
    }

    fn view(&self, run: Option<RunStatus>) -> TaskState {
        let status = match (self.status, run) {
            (TaskStatus::Pending, Some(RunStatus::Failed | RunStatus::Complete)) => TaskStatus::Skipped,
            // Its attempt ended with the run that was interrupted and does not count.
            (TaskStatus::Running, Some(_)) => TaskStatus::Pending,
            (status, _) => status,
        };
        TaskState {
            status,
            attempts: self.attempts,
            usage: self.usage,
            validators: self.validators.clone(),
            unmetered_attempts: self.unmetered.len().try_into().unwrap_or(u32::MAX),
            commit: self.commit.clone(),
            reasons: self.reasons.clone(),
        }
    }
}

/// What an approval let pass. One of work that only did not merge overrides no gate.
fn overridden(gates: &[String]) -> String {
    if gates.is_empty() {
        "a human approved the work as it is".to_owned()
    } else {
        format!("a human overrode {}", gates.join(", "))
    }
}

impl BatchFacts {
    fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::TaskStart(_) => {
                self.begun.extend(event.task_id.clone());
                self.started.extend(event.task_id.clone());
            }
            EventKind::WorkerLost(_) => {
                if let Some(id) = &event.task_id {
                    self.started.remove(id);
                }
            }
            EventKind::LandingBisect(split) => {
                self.groups.retain(|group| {
                    !group.iter().any(|id| split.left.contains(id) || split.right.contains(id))
                });
                self.groups.push_front(split.right.clone());
                self.groups.push_front(split.left.clone());
            }
            EventKind::LandingRefused(refused) if refused.reason == RefusalReason::HeadMoved => {
                self.head_moves += 1;
            }
            EventKind::LandingDone(done) => {
                self.landed.extend(done.tasks.iter().cloned());
                self.commit = Some(done.commit.clone());
            }
            EventKind::BatchComplete(_) => self.closed = true,
            _ => {}
        }
    }

    fn view(&self, number: u32) -> BatchState {
        BatchState {
            batch: number,
            tasks: self.tasks.clone(),
            status: match (self.closed, self.landed.is_empty()) {
                (false, _) => BatchStatus::Running,
                (true, false) => BatchStatus::Landed,
                (true, true) => BatchStatus::NotLanded,
            },
            commit: self.commit.clone(),
        }
    }
}
