//! How a run stands or ended, and what waits for a human.
//!
//! Where a command has several answers, the small ones allow no further keys, so that a run with a flaw does not pass
//! for one of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::setup::PlanAsked;
use crate::{
    id::{ProjectName, RunId, TaskId},
    state::{Reason, RunView, TaskState, TaskStatus, Usage},
};

/// Answer of `run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RunAnswer {
    /// It ran, and this is how it ended.
    Ran(Box<RunShown>),
    /// Every planned task had landed.
    NothingToDo(NothingToDo),
    /// `--dry-run`.
    DryRun(DryRun),
}

/// Answer of `resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ResumeAnswer {
    /// How the run ended, now or before.
    Ended(Box<RunShown>),
    /// Every run is finished.
    NothingToResume(NoRun),
}

/// Answer of `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusAnswer {
    /// How the run stands.
    Stands(Box<RunShown>),
    /// No runs yet.
    NoRuns(NoRun),
}

/// Answer of `review`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ReviewAnswer {
    /// `approve`, `retry`, `reject`: the run after the decision.
    Decided(Box<RunShown>),
    /// `show`.
    Task(TaskShown),
    /// `list`; also what every action answers where there are no runs yet.
    List(WaitingList),
}

/// A run as it is persisted, with the places of its artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunShown {
    /// As `state.json` has it.
    #[serde(flatten)]
    pub view: RunView,
    /// Where its artifacts lie.
    pub paths: Paths,
    /// What the model gateway has counted in attempts whose end is not journaled yet; none where it has counted nothing there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveUsage>,
    /// The day of the prices that its cost is counted with, as `budgets.prices_as_of` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_as_of: Option<String>,
    /// How its plan came about, and what that used, which is not part of the run's usage; none where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlanAsked>,
}

/// Usage that is counted and not settled. No other usage holds it; the end of its attempt, or `resume` where that was cut off,
/// adds it to the others and takes it from here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveUsage {
    /// Of all these attempts.
    pub usage: Usage,
    /// Of each task's attempt, its validators included.
    pub tasks: BTreeMap<TaskId, Usage>,
}

/// Where a run's artifacts lie; not all of them are there yet, or any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paths {
    /// The run's folder.
    pub run_dir: String,
    /// `orchestrator.jsonl`.
    pub journal: String,
    /// `state.json`.
    pub state: String,
    /// `config.snapshot.yaml`.
    pub config: String,
    /// `plan.snapshot.json`.
    pub plan: String,
    /// The frozen doctor script.
    pub doctor: String,
    /// A folder a task, with one an attempt.
    pub tasks: String,
    /// A folder a landing.
    pub landing: String,
    /// A folder a task.
    pub workspaces: String,
}

/// There is no run to speak of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoRun {
    /// Always null.
    pub run_id: (),
    /// The project that was looked at.
    pub project: ProjectName,
    /// Always null.
    pub status: (),
}

/// Nothing was run, since every planned task has landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NothingToDo {
    /// Always null.
    pub run_id: (),
    /// Each planned task with the run that landed it.
    pub landed_before: BTreeMap<TaskId, RunId>,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// The batches that it forms if every task lands at once.
    pub batches: Vec<Vec<TaskId>>,
}

/// What waits for a human, and what failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingList {
    /// The run; none where there are no runs yet.
    pub run_id: Option<RunId>,
    /// In order of id.
    pub waiting: Vec<Waiting>,
}

/// A task that waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// The task.
    pub task: TaskId,
    /// Where it stands.
    pub status: TaskStatus,
    /// Its last reason.
    pub reason: Option<Reason>,
    /// True where there is work that `approve` could land.
    pub approvable: bool,
    /// Artifacts of its last attempt.
    pub attempt_dir: String,
}

/// Everything about one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskShown {
    /// The run.
    pub run_id: RunId,
    /// The task.
    pub task: TaskId,
    /// As `state.json` has it.
    pub state: TaskState,
    /// Artifacts of its last attempt.
    pub attempt_dir: String,
}
