//! The journal's vocabulary: one closed enum of events (design 3.6). `orchestrator.jsonl` and every attempt's
//! `events.jsonl` hold one [`Event`] a line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{CommitId, LockName, RunId, TaskId},
    path::RepoPath,
    state::{RunStatus, StopReason, Usage},
};

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Format version.
    pub v: u32,
    /// When it was written.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ts: Timestamp,
    /// Counted from 1 without gaps within its file; orders events, `ts` does not.
    pub seq: u64,
    /// The run.
    pub run_id: RunId,
    /// The task, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// The attempt, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The batch, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// True where the next line belongs to the same transition: a reader that finds the last line of a file so cuts
    /// the whole group off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// `type` and `payload`.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// A line whose type this build may not know: readers tolerate it, writers never make it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RawEvent {
    /// See [`Event::v`].
    pub v: u32,
    /// See [`Event::ts`].
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ts: Timestamp,
    /// See [`Event::seq`].
    pub seq: u64,
    /// The event's type, known or not.
    #[serde(rename = "type")]
    pub kind: String,
    /// See [`Event::run_id`].
    pub run_id: RunId,
    /// See [`Event::task_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// See [`Event::attempt`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// See [`Event::batch`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// Whatever the type carries.
    #[serde(default)]
    pub payload: serde_json::Value,
}

impl RawEvent {
    /// Type and payload, where this build knows both.
    pub fn known(&self) -> Option<EventKind> {
        EventKind::deserialize(serde_json::json!({ "type": self.kind, "payload": self.payload })).ok()
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:literal => $variant:ident($payload:ty),)*) => {
        /// What happened. Names and payloads are pinned (design 3.6).
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "type", content = "payload")]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant($payload),)*
        }

        impl EventKind {
            /// Every type this build writes.
            pub const TYPES: &'static [&'static str] = &[$($name),*];

            /// The `type` field.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }
        }
    };
}

events! {
    /// A run begins.
    "run.start" => RunStart(RunStart),
    /// A run that had stopped goes on.
    "run.resume" => RunResume(RunResume),
    /// A run ended without completing.
    "run.stop" => RunStop(RunStop),
    /// Every selected task landed.
    "run.complete" => RunComplete(RunComplete),
    /// A batch of lock-compatible tasks begins.
    "batch.start" => BatchStart(BatchStart),
    /// A batch ended: landed or not.
    "batch.complete" => BatchComplete(BatchComplete),
    /// An attempt begins.
    "task.start" => TaskStart(TaskStart),
    /// The attempt failed; another follows.
    "task.retry" => TaskRetry(TaskRetry),
    /// The manifest was widened to what the attempt touched; another attempt follows.
    "task.rescope" => TaskRescope(TaskRescope),
    /// The attempt passed every gate.
    "task.validated" => TaskValidated(TaskValidated),
    /// The task's work is on the integration branch.
    "task.landed" => TaskLanded(TaskLanded),
    /// The task will not be tried again.
    "task.fail" => TaskFail(ReasonPayload),
    /// The task waits for a human.
    "task.review" => TaskReview(TaskReview),
    /// The agent's process was started.
    "worker.start" => WorkerStart(WorkerStart),
    /// The agent's process ended.
    "worker.exit" => WorkerExit(WorkerExit),
    /// A resumed run follows an agent that went on without it.
    "worker.reattach" => WorkerReattach(WorkerStart),
    /// An attempt was lost with the orchestrator that ran it; it does not count.
    "worker.lost" => WorkerLost(WorkerLost),
    /// One event that the agent printed; only in the attempt's own file.
    "agent.event" => AgentEvent(AgentEvent),
    /// Usage of an attempt became known.
    "usage.update" => UsageUpdate(UsageUpdate),
    /// Changes outside the manifest, recorded.
    "manifest.warn" => ManifestWarn(Violations),
    /// Changes outside the manifest, blocked.
    "manifest.block" => ManifestBlock(Violations),
    /// A validator passed.
    "validator.pass" => ValidatorPass(ValidatorVerdict),
    /// A validator failed in mode `warn`.
    "validator.warn" => ValidatorWarn(ValidatorVerdict),
    /// A validator failed in mode `block`.
    "validator.block" => ValidatorBlock(ValidatorVerdict),
    /// A budget was exceeded in mode `warn`.
    "budget.warn" => BudgetWarn(BudgetVerdict),
    /// A budget was exceeded in mode `block`.
    "budget.block" => BudgetBlock(BudgetVerdict),
    /// The ref is about to be moved to the tested commit.
    "landing.intent" => LandingIntent(LandingIntent),
    /// A task's work does not merge onto the head.
    "landing.conflict" => LandingConflict(LandingConflict),
    /// The doctor passed on exactly this candidate.
    "landing.doctor_pass" => LandingDoctorPass(DoctorResult),
    /// The doctor failed on this candidate.
    "landing.doctor_fail" => LandingDoctorFail(DoctorResult),
    /// A failing group is split to find the culprit.
    "landing.bisect" => LandingBisect(LandingBisect),
    /// The ref was moved.
    "landing.done" => LandingDone(LandingDone),
    /// The ref was not moved: the head or the checkout is not as it was when tested.
    "landing.refused" => LandingRefused(LandingRefused),
    /// A path that an agent left behind cannot be taken.
    "path.refused" => PathRefused(PathRefused),
    /// The end of the journal was torn and has been cut off.
    "journal.truncated" => JournalTruncated(JournalTruncated),
    /// A human lets a blocked task land; only the named blocks are overridden.
    "review.approve" => ReviewApprove(ReviewApprove),
    /// A human has a task done again.
    "review.retry" => ReviewRetry(ReviewRetry),
    /// A human gives a task up.
    "review.reject" => ReviewReject(ReviewReject),
    /// A container was made for a command.
    "container.create" => ContainerCreate(ContainerCreate),
    /// A container's command began.
    "container.start" => ContainerStart(ContainerOf),
    /// A container's command ended.
    "container.exit" => ContainerExit(ContainerExit),
    /// A container is gone.
    "container.remove" => ContainerRemove(ContainerOf),
    /// A resumed run follows a container that went on without it.
    "container.reattach" => ContainerReattach(ContainerOf),
    /// A secret was kept out of an artifact.
    "secret.redacted" => SecretRedacted(SecretRedacted),
}

/// Facts that differ between two equal runs; comparison leaves them out (design 3.6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Local {
    /// Process id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Monotonic duration in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// An absolute path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A container's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Free text that may name any of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Where a run's commands run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// As processes of this machine.
    #[default]
    Local,
    /// Each in a container of its own.
    Docker,
}

impl World {
    /// Which is what is not written down.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(crate) fn is_local(&self) -> bool {
        *self == Self::Local
    }
}

/// Payload of `run.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStart {
    /// Selected tasks in order of id.
    pub tasks: Vec<TaskId>,
    /// Tasks that an earlier run landed as they are planned now: they are not done again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landed_before: Vec<TaskId>,
    /// Which run of its project it is, counted from 1: clocks are set back, and then tell no order. None where it was
    /// written before runs were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Local branch that the work lands on.
    pub integration_branch: String,
    /// Its head.
    pub base_commit: CommitId,
    /// Tasks at once.
    pub max_parallel: u32,
    /// SHA-256 of the frozen configuration.
    pub config_digest: String,
    /// SHA-256 of the frozen doctor script.
    pub doctor_digest: String,
    /// Where its commands run.
    #[serde(default, skip_serializing_if = "World::is_local")]
    pub world: World,
    /// Process, host and repository.
    pub local: Local,
}

/// Payload of `run.resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunResume {
    /// The integration branch's head as found; none where the branch is gone.
    pub head_commit: Option<CommitId>,
    /// Process and host.
    pub local: Local,
}

/// Payload of `container.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerCreate {
    /// What its command is for: `bootstrap`, `agent`, `verify`, `validator` or `doctor`.
    pub purpose: String,
    /// Id of its image.
    pub image: String,
    /// Its own id.
    pub local: Local,
}

/// Payload of `container.start`, `container.remove` and `container.reattach`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerOf {
    /// What its command is for: `bootstrap`, `agent`, `verify`, `validator` or `doctor`.
    pub purpose: String,
    /// Its id.
    pub local: Local,
}

/// Payload of `container.exit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerExit {
    /// What its command was for: `bootstrap`, `agent`, `verify`, `validator` or `doctor`.
    pub purpose: String,
    /// As the engine tells it.
    pub exit_code: Option<i32>,
    /// Whether it needed more memory than it may.
    pub out_of_memory: bool,
    /// Its id.
    pub local: Local,
}

/// Payload of `worker.lost`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerLost {
    /// Why it is lost.
    pub reason: String,
}

/// Payload of `journal.truncated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalTruncated {
    /// Bytes cut off the end.
    pub bytes: u64,
}

/// Payload of `review.approve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewApprove {
    /// What lands.
    pub commit: CommitId,
    /// Types of the blocks that are overridden.
    pub overrides: Vec<String>,
}

/// Payload of `review.retry`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewRetry {
    /// SHA-256 of the configuration that applies from here on.
    pub config_digest: String,
}

/// Payload of `review.reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewReject {}

/// Payload of `run.stop`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStop {
    /// The run's status from here on.
    pub status: RunStatus,
    /// Why.
    pub stop_reason: StopReason,
    /// One sentence for people.
    pub message: String,
}

/// Payload of `run.complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunComplete {
    /// The integration branch's head after this run's last landing.
    pub head_commit: CommitId,
}

/// Payload of `batch.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchStart {
    /// In order of id.
    pub tasks: Vec<TaskId>,
    /// The integration head that its workspaces start from.
    pub base_commit: CommitId,
}

/// Payload of `batch.complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchComplete {
    /// What landed of it.
    pub landed: Vec<TaskId>,
    /// What did not.
    pub not_landed: Vec<TaskId>,
}

/// Payload of `task.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskStart {
    /// Commit that the workspace holds, or began from where the attempt goes on in it.
    pub base_commit: CommitId,
    /// The attempt that was lost with its orchestrator and whose conversation this one goes on with, in the workspace as it
    /// was left; none where it begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<u32>,
    /// Why it begins anew where the attempt before it was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anew: Option<String>,
}

impl TaskStart {
    /// Of an attempt that nothing came before.
    pub fn fresh(base_commit: CommitId) -> Self {
        Self { base_commit, continues: None, anew: None }
    }
}

/// Payload of `task.retry`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRetry {
    /// Why the attempt failed.
    pub reason: String,
    /// Attempts that the policy still allows.
    pub attempts_left: u32,
    /// Wait before the next one, in milliseconds.
    #[serde(default)]
    pub backoff_ms: u64,
}

/// Payload of `task.rescope`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRescope {
    /// Added to `files.writes`.
    pub files: Vec<RepoPath>,
    /// Added to `locks.writes`.
    pub locks: Vec<LockName>,
}

/// Payload of `task.validated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskValidated {
    /// The commit made of the workspace.
    pub commit: CommitId,
    /// Files it changes.
    pub changed: Vec<RepoPath>,
}

/// Payload of `task.landed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskLanded {
    /// The integration commit that holds it.
    pub commit: CommitId,
}

/// Payload of `task.review`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReview {
    /// Type of the event that caused it, for example `validator.block`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The work as it is, kept for whoever decides; none where it cannot be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
}

/// Payload of `task.fail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonPayload {
    /// Type of the event that caused it, for example `validator.block`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
}

/// Payload of `worker.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerStart {
    /// `mock` or `command`.
    pub agent: String,
    /// Process id.
    pub local: Local,
}

/// How an agent's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// It exited by itself; `exit_code` says how.
    Exited,
    /// A signal that Mycelium did not send ended it.
    Signaled,
    /// It ran longer than `timeout_minutes`.
    Timeout,
    /// It was silent for longer than `idle_timeout_minutes`.
    IdleTimeout,
    /// It said nothing at all for longer than `first_event_timeout_minutes`.
    FirstEventTimeout,
    /// The run was stopped.
    Stopped,
    /// It could not be started.
    NotStarted,
    /// It needed more memory than its container may use.
    OutOfMemory,
    /// It had said that it was done, and stayed.
    Lingered,
}

/// Payload of `worker.exit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerExit {
    /// How it ended.
    pub reason: ExitReason,
    /// Its exit code, where it exited by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Duration, and what could not be started.
    pub local: Local,
}

/// Payload of `agent.event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentEvent {
    /// As the agent printed it.
    pub event: serde_json::Value,
}

/// Payload of `usage.update`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageUpdate {
    /// What to add to the task's and the run's totals.
    pub usage: Usage,
    /// Part of it that validators used, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub validators: BTreeMap<String, Usage>,
    /// True where the agent itself told nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agent_is_silent: bool,
    /// Of the task, all attempts, after adding.
    pub task_total: Usage,
    /// Of the run after adding.
    pub run_total: Usage,
}

/// What was done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It did not exist before.
    Added,
    /// Its content changed.
    Modified,
    /// It no longer exists.
    Deleted,
    /// Its executable bit or its type (file, link) changed.
    ModeChanged,
}

/// Why a change breaks the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// No glob of `files.writes` matches.
    Undeclared,
    /// The path belongs to a resource whose write lock the task does not hold.
    Unlocked,
    /// Below `.mycelium/`, which no task may touch.
    Protected,
    /// A path or file type that cannot be taken into a commit.
    Refused,
}

/// One change that the manifest does not allow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The path; as printable text, since a refused one may be no [`RepoPath`].
    pub path: String,
    /// What was done to it.
    pub change: ChangeKind,
    /// Why it is not allowed.
    pub kind: ViolationKind,
    /// The resource whose lock is missing, for `unlocked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<LockName>,
}

/// Payload of `manifest.warn` and `manifest.block`, and `compliance.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violations {
    /// In order of path.
    pub violations: Vec<Violation>,
}

/// One finding of a validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidatorIssue {
    /// File it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
}

/// What a validator prints, and `validator-<name>.json` holds: `{"pass", "summary", "issues"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidatorReport {
    /// The verdict.
    pub pass: bool,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// Findings.
    #[serde(default)]
    pub issues: Vec<ValidatorIssue>,
}

/// Payload of `validator.pass|warn|block`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorVerdict {
    /// `test`, `style`, `architecture` or `doctor`.
    pub validator: String,
    /// Its summary, or why it gave no report.
    pub summary: String,
    /// Findings.
    pub issues: Vec<ValidatorIssue>,
    /// True where it gave no valid report; that blocks in mode `block`.
    pub error: bool,
}

/// What a budget limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetScope {
    /// One task, all attempts.
    Task,
    /// The run, all tasks.
    Run,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetMetric {
    /// Input plus output tokens.
    Tokens,
    /// Millionths of a US dollar.
    CostMicrousd,
}

/// Payload of `budget.warn|block`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetVerdict {
    /// Whose limit.
    pub scope: BudgetScope,
    /// Of what.
    pub metric: BudgetMetric,
    /// Total when judged.
    pub used: u64,
    /// The limit it exceeds.
    pub limit: u64,
}

/// Payload of `landing.intent`, and `candidate.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LandingIntent {
    /// Landing try of the run, counted from 1; names the folder `landing/<n>`.
    pub landing: u32,
    /// Tasks in merge order.
    pub tasks: Vec<TaskId>,
    /// Head that the candidate was built on and the ref must still have.
    pub old_head: CommitId,
    /// The candidate.
    pub commit: CommitId,
    /// Tree of `old_head`.
    pub old_tree: CommitId,
    /// Tree that the doctor saw.
    pub tree: CommitId,
}

/// Payload of `landing.conflict`, and `conflict.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LandingConflict {
    /// Landing try of the run.
    pub landing: u32,
    /// The task that does not merge.
    pub task: TaskId,
    /// Its commit: one side.
    pub commit: CommitId,
    /// What it was merged onto: the other side.
    pub onto: CommitId,
    /// Paths in conflict.
    pub paths: Vec<RepoPath>,
}

/// Payload of `landing.doctor_pass|doctor_fail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorResult {
    /// Landing try of the run.
    pub landing: u32,
    /// Tasks in the candidate.
    pub tasks: Vec<TaskId>,
    /// The candidate.
    pub commit: CommitId,
    /// Its tree.
    pub tree: CommitId,
    /// How it ended.
    pub reason: ExitReason,
    /// The doctor's exit code.
    pub exit_code: Option<i32>,
    /// Duration.
    pub local: Local,
}

/// Payload of `landing.bisect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LandingBisect {
    /// Landing try of the run.
    pub landing: u32,
    /// Tried first.
    pub left: Vec<TaskId>,
    /// Tried after it.
    pub right: Vec<TaskId>,
}

/// What became of the user's checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutUpdate {
    /// The branch is not checked out; nothing was touched.
    NotCheckedOut,
    /// It was clean and now shows the new head.
    FastForwarded,
    /// Files changed while the ref moved; those were left alone.
    LeftPartly,
}

/// Payload of `landing.done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LandingDone {
    /// Landing try of the run.
    pub landing: u32,
    /// Tasks that are on the branch now.
    pub tasks: Vec<TaskId>,
    /// Head before.
    pub old_head: CommitId,
    /// Head now.
    pub commit: CommitId,
    /// What became of the user's checkout.
    pub checkout: CheckoutUpdate,
}

/// Why a landing was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// Somebody else moved the branch since the candidate was built.
    HeadMoved,
    /// The branch is checked out and not clean.
    CheckoutDirty,
    /// The orchestrator ended between intent and ref; the candidate is built again.
    Interrupted,
}

/// Payload of `landing.refused`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LandingRefused {
    /// Landing try of the run.
    pub landing: u32,
    /// Tasks of the candidate.
    pub tasks: Vec<TaskId>,
    /// Why.
    pub reason: RefusalReason,
    /// Head that the candidate was built on.
    pub expected: CommitId,
    /// Head found; none where the branch is gone.
    pub found: Option<CommitId>,
    /// Paths that make the checkout dirty.
    pub paths: Vec<String>,
}

/// Payload of `path.refused`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathRefused {
    /// The path as printable text.
    pub path: String,
    /// Why.
    pub why: String,
}

/// Payload of `secret.redacted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretRedacted {
    /// The artifact, relative to the run's folder.
    pub place: String,
    /// The variable that holds the secret, or the shape that it has.
    pub name: String,
    /// How often it stood there.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let line = r#"{"v":1,"ts":"2026-01-02T03:04:05Z","seq":7,"run_id":"r1","task_id":"001","attempt":1,"type":"budget.block","payload":{"scope":"task","metric":"tokens","used":1500,"limit":100}}"#;
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(event.kind.type_name(), "budget.block");
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        let raw: RawEvent = serde_json::from_str(line).unwrap();
        assert_eq!((raw.kind.as_str(), raw.payload["limit"].as_u64()), ("budget.block", Some(100)));
        assert_eq!(raw.known(), Some(event.kind));
    }

    #[test]
    fn a_reader_tolerates_a_type_that_it_does_not_know() {
        let line = r#"{"v":9,"ts":"2026-01-02T03:04:05Z","seq":1,"run_id":"r1","type":"from.the.future"}"#;
        assert!(serde_json::from_str::<Event>(line).is_err());
        let raw: RawEvent = serde_json::from_str(line).unwrap();
        assert_eq!((raw.kind.as_str(), raw.known()), ("from.the.future", None));
    }
}
