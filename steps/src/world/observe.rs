//! What the world looks like between two commands: refs, checkout, task files, runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use mycelium_fixtures::{
    checkout::{Checkout, listing},
    repository::FixtureRepository,
};
use mycelium_schemas::id::CommitId;

use super::{Stage, WorldError, lines};

/// A look at the world.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// Every ref with what it points at; empty outside git.
    pub(crate) refs: BTreeMap<String, String>,
    /// The user's checkout as lines; none outside git.
    pub(crate) checkout: Option<String>,
    /// The planned tasks' files as lines.
    pub(crate) tasks: String,
    /// The folders of all runs.
    pub(crate) runs: BTreeSet<PathBuf>,
}

impl Observation {
    /// Looks.
    pub(crate) fn of(stage: &Stage, mycelium_home: &Path) -> Result<Self, WorldError> {
        let repository = stage.repository();
        Ok(Self {
            refs: repository.map(FixtureRepository::refs).transpose()?.unwrap_or_default(),
            checkout: repository.map(|r| Checkout::of(r.path())).transpose()?.map(|c| c.to_text()),
            tasks: listing(&stage.path().join(".mycelium/tasks"))?,
            runs: run_folders(mycelium_home),
        })
    }

    /// The commit that a local branch points at.
    pub(crate) fn head_of(&self, branch: &str) -> Option<CommitId> {
        self.refs.get(&format!("refs/heads/{branch}")).and_then(|id| id.parse().ok())
    }

    /// The refs as text, one a line.
    pub(crate) fn refs_text(&self) -> String {
        lines(self.refs.iter().map(|(name, target)| format!("{target} {name}")))
    }
}

/// `projects/*/runs/*`; what is missing has none.
fn run_folders(mycelium_home: &Path) -> BTreeSet<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let projects = folders(&mycelium_home.join("projects"));
    projects.iter().flat_map(|project| folders(&project.join("runs"))).collect()
}
