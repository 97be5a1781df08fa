//! What the operator's commands answer under `--json` (design 3.5), each a schema by the name of its command. Nothing
//! reads these back but people and scripts.

mod refusal;
mod run;
mod setup;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{RunId, TaskId},
    state::RunStatus,
};

pub use refusal::{Place, Refusal, RefusalKind, Refused};
pub use run::{
    DryRun, LiveUsage, NoRun, NothingToDo, Paths, ResumeAnswer, ReviewAnswer, RunAnswer, RunShown,
    StatusAnswer, TaskShown, Waiting, WaitingList,
};
pub use setup::{
    BuildVersion, Completions, DemoStep, Demonstrated, InitFile, Initialized, PlanAsked, PlanAttempt,
    PlanOutcome, Planned, SchemaAnswer, Written,
};

/// An answer of `logs` about a run, or that there is none yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Logged<T> {
    /// About the run.
    OfRun(T),
    /// No runs yet: an empty array.
    NoRuns([(); 0]),
}

/// Answer of `logs timeline`: how the time of a run went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// The run.
    pub run_id: RunId,
    /// Stamp of its first event.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// Stamp of its last event.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub updated_at: Option<Timestamp>,
    /// As its journal says; `running` until an end was journaled.
    pub status: RunStatus,
    /// In the order in which they began.
    pub spans: Vec<Span>,
}

/// What a span of time was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// One attempt at a task; its work is the agent's process.
    Attempt,
    /// One try to land; its work is the doctor.
    Landing,
}

/// A span of time of one or more tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// What it was.
    pub kind: SpanKind,
    /// Whose.
    pub tasks: Vec<TaskId>,
    /// Of an attempt: its number. Of a landing: the try of the run.
    pub number: u32,
    /// The batch.
    pub batch: Option<u32>,
    /// Stamp of its first event. A landing's first event is what the doctor said.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// Stamp of the event that ended it; none while it goes on, or where it was killed.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// Between the two stamps; none where the clock was set back in between.
    pub duration_ms: Option<u64>,
    /// How long agent or doctor ran, on a clock that no one sets.
    pub work_ms: Option<u64>,
    /// How it ended, in a few words.
    pub outcome: Option<String>,
}

/// Answer of `logs failures`: what went wrong, each thing once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failures {
    /// The run.
    pub run_id: RunId,
    /// In order of the journal.
    pub failures: Vec<Failure>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// When it was journaled.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ts: Timestamp,
    /// Number of its event in the journal.
    pub seq: u64,
    /// Type of its event, for example `landing.doctor_fail`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose; none where it is the run's.
    pub tasks: Vec<TaskId>,
    /// The attempt, where it is about one.
    pub attempt: Option<u32>,
    /// What went wrong, and why.
    pub what: String,
    /// What followed from it, for example `tried again (1 left)`; none where nothing did yet.
    pub then: Option<String>,
    /// The file that shows it; none where there is none.
    pub log: Option<String>,
}

/// Answer of `clean`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cleaned {
    /// True where nothing was removed, only listed.
    pub dry_run: bool,
    /// Processes of dead runs that were ended, or would be.
    pub ended: Vec<EndedProcess>,
    /// Containers that were removed, or would be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<CleanedContainer>,
    /// Why there may be more containers, where not all could be asked for and removed. A later `clean` removes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<Unreached>,
    /// What was removed, or would be.
    pub removed: Vec<CleanedItem>,
    /// Runs that were left alone, and why.
    pub kept: Vec<KeptRun>,
    /// What could not be removed, and why.
    pub failed: Vec<NotRemoved>,
    /// What was not removed, or not to its end, since a signal stopped the command. The same command removes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<CleanedItem>,
    /// Bytes that the disk gives back for what is removed.
    pub bytes: u64,
}

/// Why a container engine could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreached {
    /// What went wrong.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A process that a dead run had left running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedProcess {
    /// Its id.
    pub pid: u32,
    /// The run whose attempt started it.
    pub run_id: RunId,
}

/// A container that a run had left at its engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CleanedContainer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The run that it was made for; none where its label names none.
    pub run_id: Option<RunId>,
    /// How it stood, in the engine's words.
    pub status: String,
    /// Bytes that its own files took on the engine's disk, without its volumes; none where nobody asked the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What something that is removed was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CleanedKind {
    /// A run's workspaces.
    Workspaces,
    /// A run's own objects and the refs that keep them.
    Objects,
    /// A run's folder with its logs.
    Run,
    /// A temporary file or folder of a process that was killed.
    Leftover,
}

/// One file or folder that is removed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CleanedItem {
    /// Its path.
    pub path: String,
    /// What it was.
    pub kind: CleanedKind,
    /// The run it belonged to.
    pub run_id: Option<RunId>,
    /// Bytes that the disk gives back for it.
    pub bytes: u64,
}

/// A run that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptRun {
    /// The run.
    pub run_id: RunId,
    /// Where it stands; none where its state cannot be read.
    pub status: Option<RunStatus>,
    /// Why it was left alone.
    pub reason: String,
}

/// Something that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotRemoved {
    /// Its path.
    pub path: String,
    /// Why not.
    pub reason: String,
}

/// Answer of `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkup {
    /// The worst of all checks.
    pub status: CheckStatus,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// A run works, but somebody should look.
    Warn,
    /// A run would not work.
    Fail,
}

/// Who can mend what a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckArea {
    /// The project: configuration, plan, doctor, branch.
    Configuration,
    /// The machine: disk, permissions, programs.
    Environment,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Who can mend it.
    pub area: CheckArea,
    /// How it went.
    pub status: CheckStatus,
    /// What was found.
    pub message: String,
    /// What to do; none where nothing is to be done.
    pub mend: Option<String>,
}
