//! A task's manifest: what it may read and write, what it locks, how it is verified (plan 4.3.2, design 3.6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{LockName, TaskId},
    path::{RepoGlob, RepoPath},
};

/// `tasks/<id>-<name>/manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Unique in the plan.
    pub id: TaskId,
    /// Short name, one line; a folder name is derived from it.
    pub name: String,
    /// What the task is for, for people.
    #[serde(default)]
    pub description: String,
    /// Tasks that must have landed before this one starts.
    #[serde(default)]
    pub dependencies: Vec<TaskId>,
    /// Resources that the task reads and writes.
    #[serde(default)]
    pub locks: Locks,
    /// Paths that the task reads and writes.
    #[serde(default)]
    pub files: Files,
    /// How the task's own work is checked before the gates.
    #[serde(default)]
    pub verify: Verify,
    /// The specification given to the agent: its text in a planner's output, the file's name beside the manifest on
    /// disk.
    #[serde(default)]
    pub spec: String,
}

/// Resources a task holds while it runs. Writers exclude everybody, readers exclude writers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Locks {
    /// Shared.
    #[serde(default)]
    pub reads: Vec<LockName>,
    /// Exclusive.
    #[serde(default)]
    pub writes: Vec<LockName>,
}

/// Paths a task declares. Only `writes` is enforced; `reads` tells the agent where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Globs the agent is told to read.
    #[serde(default)]
    pub reads: Vec<RepoGlob>,
    /// Globs the agent may add, change or delete.
    #[serde(default)]
    pub writes: Vec<RepoGlob>,
}

/// The task's own check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Shell command run in the task's workspace after the agent; it must exit 0. None: no check of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctor: Option<String>,
}

/// `tasks/plan.json`: the list of planned tasks; each one's manifest is the authority for its contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanIndex {
    /// Format version.
    pub schema_version: u32,
    /// In order of id.
    pub tasks: Vec<PlanIndexEntry>,
}

/// One planned task and its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanIndexEntry {
    /// The task.
    pub id: TaskId,
    /// Folder below `tasks/`.
    pub dir: RepoPath,
}

/// `plan.snapshot.json`: the manifests and specifications as frozen at `run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSnapshot {
    /// Format version.
    pub schema_version: u32,
    /// In order of id.
    pub tasks: Vec<PlannedTask>,
}

/// A manifest with the text of its specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedTask {
    /// Folder below `tasks/` that the manifest came from.
    pub dir: RepoPath,
    /// The manifest.
    pub manifest: Manifest,
    /// Text of its specification.
    pub spec_text: String,
}
