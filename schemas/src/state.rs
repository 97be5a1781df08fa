//! `state.json`: the view of a run's journal that people and scripts read (design 3.6).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    event::World,
    id::{CommitId, ProjectName, RunId, TaskId},
};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Work goes on.
    Running,
    /// Every task landed.
    Complete,
    /// A task failed or was blocked.
    Failed,
    /// Nothing failed, but a conflict or the checkout waits for a human.
    NeedsHumanReview,
    /// A signal or the environment stopped it; resumable.
    Interrupted,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Waits for its batch.
    Pending,
    /// An attempt is under way.
    Running,
    /// Passed every gate; its commit is kept and waits for landing.
    Validated,
    /// On the integration branch.
    Landed,
    /// Will not be tried again in this run.
    Failed,
    /// A gate blocked it, or it conflicts; a human decides.
    NeedsHumanReview,
    /// Never started: not selected, or a dependency did not land.
    Skipped,
}

/// Why a run stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// A budget in mode `block` was exceeded.
    BudgetBlock,
    /// A validator in mode `block` failed.
    ValidatorBlock,
    /// A task broke its manifest in mode `block`, or in a way that no mode allows.
    ManifestBlock,
    /// A task used up its attempts.
    TaskFailed,
    /// The doctor refused a candidate.
    DoctorFailed,
    /// A conflict waits for a human.
    Review,
    /// The user's checkout of the integration branch is not clean.
    CheckoutBlocked,
    /// Somebody took what the run had landed off the integration branch.
    BranchRewound,
    /// Disk, git or another part of the machine failed.
    Environment,
    /// SIGINT, SIGTERM or SIGHUP.
    Signal,
}

macro_rules! snake_case_display {
    ($($type:ty),*) => {
        $(impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // Serialization of a unit variant is its pinned name; it cannot fail.
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(name)) => f.pad(&name),
                    _ => Err(std::fmt::Error),
                }
            }
        })*
    };
}
snake_case_display!(RunStatus, TaskStatus, StopReason);

/// Tokens as agents report them or the gateway counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Usage {
    /// Tokens sent, cached ones included.
    pub input_tokens: u64,
    /// Part of `input_tokens` that the provider served from its cache.
    pub cached_input_tokens: u64,
    /// Part of `input_tokens` that the provider wrote to its cache.
    #[serde(skip_serializing_if = "is_none")]
    pub cache_write_input_tokens: u64,
    /// Tokens received, reasoning included.
    pub output_tokens: u64,
    /// Part of `output_tokens` that nobody sees.
    #[serde(skip_serializing_if = "is_none")]
    pub reasoning_output_tokens: u64,
    /// Cost in millionths of a US dollar, by the configured prices; 0 without prices.
    pub cost_microusd: u64,
}

impl Usage {
    /// What `max_tokens…` counts: input plus output.
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The sum of two, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let of = |count: fn(&Self) -> u64| count(&self).saturating_add(count(&other));
        Self {
            input_tokens: of(|usage| usage.input_tokens),
            cached_input_tokens: of(|usage| usage.cached_input_tokens),
            cache_write_input_tokens: of(|usage| usage.cache_write_input_tokens),
            output_tokens: of(|usage| usage.output_tokens),
            reasoning_output_tokens: of(|usage| usage.reasoning_output_tokens),
            cost_microusd: of(|usage| usage.cost_microusd),
        }
    }
}

/// A reason with a stable code, for example `budget.block` and what exceeded what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The event type that carries it.
    pub code: String,
    /// One sentence for people.
    pub message: String,
}

/// One task in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskState {
    /// Where it stands.
    pub status: TaskStatus,
    /// Attempts started so far.
    pub attempts: u32,
    /// Of all attempts, their validators included.
    pub usage: Usage,
    /// Part of it that validators used, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub validators: BTreeMap<String, Usage>,
    /// Attempts whose agent told no usage, so that time alone bounded them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmetered_attempts: u32,
    /// The commit of its last validated attempt.
    pub commit: Option<CommitId>,
    /// Why it is where it is, oldest first.
    pub reasons: Vec<Reason>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(tokens: &u64) -> bool {
    *tokens == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Tasks run or wait for landing.
    Running,
    /// At least one of its tasks landed.
    Landed,
    /// It ended and nothing of it landed.
    NotLanded,
}

/// One batch in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchState {
    /// Counted from 1.
    pub batch: u32,
    /// Its tasks in order of id.
    pub tasks: Vec<TaskId>,
    /// How it stands.
    pub status: BatchStatus,
    /// The integration commit of its last landing.
    pub commit: Option<CommitId>,
}

/// The whole view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunView {
    /// Format version.
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// Its project.
    pub project: ProjectName,
    /// Which run of its project it is, counted from 1, whatever clocks say; none where it began before runs were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Where its commands run.
    #[serde(default, skip_serializing_if = "World::is_local")]
    pub world: World,
    /// Where it stands.
    pub status: RunStatus,
    /// Why it stopped; none while running and when complete.
    pub stop_reason: Option<StopReason>,
    /// Local branch that the work lands on.
    pub integration_branch: String,
    /// Its head when the run started.
    pub base_commit: CommitId,
    /// Its head after the last landing of this run.
    pub head_commit: CommitId,
    /// When the run started.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When the last event happened.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated_at: Timestamp,
    /// In order of their number.
    pub batches: Vec<BatchState>,
    /// By id.
    pub tasks: BTreeMap<TaskId, TaskState>,
    /// Of all tasks.
    pub usage: Usage,
    /// Part of it that validators used, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub validators: BTreeMap<String, Usage>,
}
