//! What the commands before and beside a run answer.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    id::{ProjectName, TaskId},
    manifest::Manifest,
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
