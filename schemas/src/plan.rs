//! Plans as they are written: by a planner as one text, by people as one `manifest.json` a task. Both become a
//! [`PlanDraft`], whose every id, dependency, lock and path knows its place; [`PlanDraft::check`] makes manifests of it.

mod check;
mod read;

use std::ops::Range;

use crate::{
    id::{LockName, TaskId},
    manifest::Manifest,
    path::RepoGlob,
    problem::{Problem, Source},
};

pub use read::{parse, parse_index, parse_manifest};

/// Most tasks in a plan.
pub const TASKS_MAX: usize = 10_000;

/// A plan that was read but not yet checked. Holds what was wrong in reading it, so that [`check`](Self::check) can
/// report everything at once.
#[derive(Debug, Clone)]
pub struct PlanDraft {
    /// The text that lists the tasks; where an empty plan is reported.
    index: Source,
    tasks: Vec<TaskDraft>,
    problems: Vec<Problem>,
}

/// One task that was read but not yet checked.
#[derive(Debug, Clone)]
pub struct TaskDraft {
    /// Where it is described.
    source: Source,
    /// Where its description begins.
    span: Range<usize>,
    /// Its id, where that could be read.
    id: Option<Placed<TaskId>>,
    dependencies: Vec<Placed<TaskId>>,
    locks: Vec<Placed<LockName>>,
    /// The manifest, where nothing was wrong in reading it.
    manifest: Option<Manifest>,
    problems: Vec<Problem>,
}

/// A value with its place.
#[derive(Debug, Clone)]
struct Placed<T> {
    value: T,
    span: Range<usize>,
}

impl PlanDraft {
    /// The manifests that an index such as `plan.json` lists, each from its own text. What cannot be read is reported
    /// by [`check`](Self::check), together with everything else.
    pub fn from_manifests(index: &Source, manifests: &[Source]) -> Self {
        let mut draft = Self { index: index.clone(), tasks: Vec::new(), problems: Vec::new() };
        for source in manifests {
            match parse_manifest(source) {
                Ok(task) => draft.tasks.push(task),
                Err(problems) => draft.problems.extend(problems),
            }
        }
        draft
    }

    /// Every manifest in order of id, or all that is wrong with the plan.
    ///
    /// `known_locks` are the names declared under `resources` in the configuration.
    pub fn check(self, known_locks: &[LockName]) -> Result<Vec<Manifest>, Vec<Problem>> {
        check::check(self, known_locks)
    }
}

/// Whether a glob can be compiled; why not, otherwise.
fn glob_flaw(glob: &RepoGlob) -> Option<String> {
    globset::Glob::new(glob.as_str()).err().map(|error| error.kind().to_string())
}
