//! Runs of a repository that was moved since: they belong to the project that is named after its old path.
//!
//! A project of the home counts where the repository that claims it is gone, and a run of it where this repository holds
//! the commit that the run began at.

use std::{fmt::Display, fs, path::PathBuf};

use mycelium_schemas::{
    id::{ProjectName, RunId},
    state::{RunStatus, RunView},
};

use crate::{claim, error::Error, git::Upstream, project::Project, store};

/// A run that very likely is one of this repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRun {
    /// Its id.
    pub run_id: RunId,
    /// The project that it belongs to.
    pub project: ProjectName,
    /// Where that project's repository was.
    pub repository: PathBuf,
}

impl MovedRun {
    /// The command that goes on with it.
    pub fn command(&self) -> impl Display {
        format!("`mycelium --project {} resume --run-id {}`", self.project, self.run_id)
    }
}

impl Display for MovedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run_id, project, repository } = self;
        write!(f, "run {run_id} of the project {project}, whose repository was {}", repository.display())
    }
}

/// The runs that can be resumed.
pub fn unfinished(project: &Project) -> Result<Vec<MovedRun>, Error> {
    runs(project, |view| !matches!(view.status, RunStatus::Complete | RunStatus::Failed))
}

/// What to say about a run that this project does not have: where it is, if it is there.
pub(crate) fn explain(project: &Project, run: &RunId) -> Result<Error, Error> {
    let moved = runs(project, |view| view.run_id == *run)?;
    if moved.is_empty() {
        return Ok(Error::UnknownRun { run_id: run.clone() });
    }
    let found: Vec<String> = moved.iter().map(ToString::to_string).collect();
    let commands: Vec<String> = moved.iter().map(|moved| moved.command().to_string()).collect();
    Ok(Error::Request {
        message: format!(
            "there is no run {run} in the project {}; there is {}, which is gone",
            project.name,
            found.join(", and ")
        ),
        help: format!("if this repository was moved from there, go on with {}", commands.join(" or ")),
    })
}

fn runs(project: &Project, wanted: impl Fn(&RunView) -> bool) -> Result<Vec<MovedRun>, Error> {
    // Where there are no projects, or none can be listed, nothing is known of a moved one.
    let Ok(entries) = fs::read_dir(project.home.join("projects")) else { return Ok(Vec::new()) };
    let upstream = Upstream::discover(&project.root)?;
    let mut names: Vec<ProjectName> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| *name != project.name) {
        let other = Project { name, ..project.clone() };
        let Some(repository) = claim::gone(&other) else { continue };
        let here = |view: &RunView| upstream.tree_of(&view.base_commit).is_ok();
        let views = store::list_runs(&other)?;
        found.extend(views.into_iter().filter(|view| wanted(view) && here(view)).map(|view| MovedRun {
            run_id: view.run_id,
            project: other.name.clone(),
            repository: repository.clone(),
        }));
    }
    Ok(found)
}
