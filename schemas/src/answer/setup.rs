//! What the commands before and beside a run answer.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    id::{ProjectName, TaskId},
    manifest::Manifest,
    state::Usage,
};

/// Answer of `init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialized {
    /// The project's name.
    pub project: ProjectName,
    /// In the order in which they were written.
    pub files: Vec<InitFile>,
}

/// One of the first files of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InitFile {
    /// Relative to the checkout.
    pub path: String,
    /// What became of it.
    pub written: Written,
}

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// It was not there.
    Created,
    /// It was there and is kept.
    Kept,
    /// It was there and `--force` replaced it.
    Replaced,
}

/// Answer of `plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// What became of the tasks on disk.
    pub outcome: PlanOutcome,
    /// The batches that a run forms if every task lands at once.
    pub batches: Vec<Vec<TaskId>>,
    /// In order of id.
    pub tasks: Vec<Manifest>,
    /// How it came about, where somebody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<PlanAsked>,
}

/// How a plan came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanAsked {
    /// Who was asked, as `planner.provider` names it.
    pub provider: String,
    /// The model; none for a command.
    pub model: Option<String>,
    /// Each question, the first one first.
    pub attempts: Vec<PlanAttempt>,
    /// Of all attempts; none where nothing is known of it, as of a command.
    pub usage: Option<Usage>,
    /// The day of the prices that the cost is counted with, as `budgets.prices_as_of` has it.
    pub prices_as_of: Option<String>,
    /// The folder with prompts, answers and their problems.
    pub artifacts: String,
}

/// One question to a planner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanAttempt {
    /// What it used; none where nothing is known of it.
    pub usage: Option<Usage>,
    /// How many problems the answer had; none where there was no answer.
    pub problems: Option<usize>,
}

/// What became of the tasks on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanOutcome {
    /// They were written.
    Written,
    /// The same tasks were there.
    Unchanged,
    /// Nothing was written, as asked.
    DryRun,
}

/// Answer of `--version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuildVersion {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Faults for tests that it was built with; a release has none.
    pub features: Vec<String>,
}

/// Answer of `completions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Completions {
    /// The shell.
    pub shell: String,
    /// What it is to read.
    pub script: String,
}

/// Answer of `demo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Demonstrated {
    /// The toy repository.
    pub repository: String,
    /// True where it was left there.
    pub kept: bool,
    /// In the order in which they were run.
    pub steps: Vec<DemoStep>,
    /// The integration branch at the end, a line a commit.
    pub log: Vec<String>,
}

/// One command of the demonstration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DemoStep {
    /// As typed.
    pub command: String,
    /// All that it printed.
    pub output: String,
}

/// Answer of `schema`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SchemaAnswer {
    /// The names of all.
    Names(Vec<String>),
    /// The one that was named: JSON Schema, draft 2020-12.
    Schema(Schema),
}
