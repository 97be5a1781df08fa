//! What the world looks like between two commands: refs, checkout, task files, runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use mycelium_fixtures::{
    FixtureError,
    checkout::{Checkout, listing},
    repository::FixtureRepository,
};
use mycelium_schemas::id::CommitId;
use walkdir::WalkDir;

use super::{Stage, WorldError, lines};

/// What the framework itself puts into a scenario's folder.
const OF_THE_SCENARIO: [&str; 13] = [
    "mycelium-home",
    "output",
    "scripts",
    "second-place",
    "hook-traces",
    "planner-output.json",
    "linked-worktree",
    "other-home",
    "link-to-repository",
    "copied-repository",
    "link-to-home",
    "installed",
    "engine",
];
/// What Mycelium's home is made of, beside what a scenario fills its disk with.
const OF_MYCELIUM: [&str; 3] = ["projects", ".gitignore", "filler"];

/// A look at the world.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// Every ref with what it points at; empty outside git.
    pub(crate) refs: BTreeMap<String, String>,
    /// The user's checkout as lines; none outside git.
    pub(crate) checkout: Option<String>,
    /// The planned tasks' files as lines.
    pub(crate) tasks: String,
    /// The files of `.mycelium/` that are neither tasks nor runs, as lines.
    pub(crate) own: String,
    /// Everything of the scenario's folder that is outside the repository and not Mycelium's, as lines.
    pub(crate) outside: String,
    /// The folders of all runs.
    pub(crate) runs: BTreeSet<PathBuf>,
    /// The files of all runs as lines; none while a command runs, which writes them.
    pub(crate) run_files: Option<String>,
    /// Every path in the home and below `.mycelium/`; none while a command runs.
    pub(crate) kept: Option<BTreeSet<PathBuf>>,
}

impl Observation {
    /// Looks.
    pub(crate) fn of(
        stage: &Stage,
        root: &Path,
        mycelium_home: &Path,
        idle: bool,
    ) -> Result<Self, WorldError> {
        let repository = stage.repository();
        let runs = run_folders(mycelium_home);
        Ok(Self {
            refs: repository.map(FixtureRepository::refs).transpose()?.unwrap_or_default(),
            checkout: repository.map(|r| Checkout::of(r.path())).transpose()?.map(|c| c.to_text()),
            tasks: listing(&stage.path().join(".mycelium/tasks"))?,
            own: own_files(stage.path())?,
            outside: outside(root, stage.path(), mycelium_home)?,
            run_files: idle.then(|| run_files(&runs)).transpose()?,
            kept: idle.then(|| paths_below(&[mycelium_home, &stage.path().join(".mycelium")])),
            runs,
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

/// The files of `.mycelium/` but for tasks and home.
fn own_files(root: &Path) -> Result<String, WorldError> {
    let listed = listing(&root.join(".mycelium"))?;
    let foreign = |line: &&str| {
        let path = line.split_once(' ').map_or("", |(_, path)| path);
        path.split(['/', ' ']).next().is_some_and(|first| first == "tasks" || first == "home")
    };
    Ok(lines(listed.lines().filter(|line| !foreign(line))))
}

/// What lies in the scenario's folder beside the repository, in the home and in the folder for temporary files, and what
/// is in Mycelium's home beside its projects.
fn outside(root: &Path, stage: &Path, mycelium_home: &Path) -> Result<String, WorldError> {
    let mut found = Vec::new();
    for (folder, known) in [(root, OF_THE_SCENARIO.as_slice()), (mycelium_home, &OF_MYCELIUM)] {
        let entries = fs::read_dir(folder).map_err(FixtureError::file("list", folder))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if path != stage && !known.iter().any(|known| entry.file_name() == *known) {
                found.push(path.display().to_string());
                found.extend(listing(&path)?.lines().map(|line| format!("{}: {line}", path.display())));
            }
        }
    }
    found.sort();
    Ok(lines(found))
}

/// Every file of the runs, each below the path of its run.
fn run_files(runs: &BTreeSet<PathBuf>) -> Result<String, WorldError> {
    let mut found = Vec::new();
    for run in runs {
        found.extend(listing(run)?.lines().map(|line| format!("{}: {line}", run.display())));
    }
    Ok(lines(found))
}

/// Every path below the folders, without following links.
fn paths_below(folders: &[&Path]) -> BTreeSet<PathBuf> {
    let entries = folders.iter().flat_map(WalkDir::new).flatten();
    entries.filter(|entry| entry.depth() > 0).map(walkdir::DirEntry::into_path).collect()
}

/// `projects/*/runs/*`; what is missing has none.
pub(super) fn run_folders(mycelium_home: &Path) -> BTreeSet<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let projects = folders(&mycelium_home.join("projects"));
    // What is being removed is no run any more, and a file is none.
    let is_run = |path: &PathBuf| path.is_dir();
    projects.iter().flat_map(|project| folders(&project.join("runs"))).filter(is_run).collect()
}
