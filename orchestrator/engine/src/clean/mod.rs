//! `mycelium clean`: what runs left behind goes. First everything that goes is listed, then exactly that is removed.
//!
//! Nothing is removed while a run works in the repository: the same lock guards both. What an agent planted is never
//! followed, see [`crate::remove`].

mod containers;
mod list;

use std::path::PathBuf;

use mycelium_schemas::{
    answer::{Cleaned, CleanedItem, CleanedKind, EndedProcess, NotRemoved, Unreached},
    id::RunId,
};

use containers::Removed;
pub(crate) use containers::containers;
pub use list::leftovers;

use crate::{
    environment::Environment,
    error::Error,
    git::{Ends, Upstream},
    orphans,
    project::Project,
    remove,
    runlock::{self, RunLock},
    signals::Watch,
};

/// Begin of the name that a run's folder has while it is being removed, so that a kill leaves no half of a run.
const REMOVING: &str = ".removing-";

/// Which runs to clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Workspaces and objects of finished runs; their folders stay.
    Finished,
    /// One run with its folder.
    One(RunId),
    /// Every run with its folder.
    All,
}

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct CleanRequest {
    /// Which runs.
    pub scope: Scope,
    /// List, remove nothing.
    pub dry_run: bool,
    /// Also runs whose work somebody may still want.
    pub force: bool,
}

/// One file or folder that goes as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// Folder of the operator's: links on the way to it are followed.
    base: PathBuf,
    /// From there on: no link is followed.
    parts: Vec<String>,
    kind: CleanedKind,
    run_id: Option<RunId>,
    bytes: u64,
}

impl Item {
    fn path(&self) -> PathBuf {
        self.parts.iter().fold(self.base.clone(), |path, part| path.join(part))
    }

    /// Removes it; false where it was stopped before the end. What is left then is at the path that it has now.
    fn remove(&mut self, ends: Ends<'_>) -> std::io::Result<bool> {
        if self.kind == CleanedKind::Run
            && let Some(last) = self.parts.last()
        {
            let renamed = format!("{REMOVING}{last}");
            remove::rename(&self.base, &self.parts, &renamed)?;
            self.parts.pop();
            self.parts.push(renamed);
        }
        remove::remove_unless(&self.base, &self.parts, ends)
    }

    fn shown(&self) -> CleanedItem {
        let path = self.path().display().to_string();
        CleanedItem { path, kind: self.kind, run_id: self.run_id.clone(), bytes: self.bytes }
    }
}

/// Cleans, or lists what would be removed. A signal that comes while it still looks ends it with nothing removed; after
/// that it stops between one file and the next, and says what is left.
pub fn clean(
    project: &Project,
    environment: &Environment,
    request: &CleanRequest,
    watch: &Watch,
) -> Result<Cleaned, Error> {
    let upstream = Upstream::discover(&project.root)?;
    let _lock = if request.dry_run {
        if let Some(holder) = runlock::holder(upstream.common_dir())? {
            return Err(Error::Locked { holder });
        }
        None
    } else {
        Some(RunLock::acquire(upstream.common_dir(), "clean".to_owned())?)
    };
    let ends = || watch.signal().is_some();
    let mut listed = list::list(project, &upstream, &request.scope, request.force, &ends)?;
    if let Some(signal) = watch.signal() {
        return Err(Error::Signalled { signal });
    }
    // Before the runs that they belong to: what cannot be reached now is found by another `clean`.
    let Removed { containers, unreached } =
        containers::remove(project, environment, request, &listed.runs, &listed.kept)?;
    if unreached.is_some() && !request.force {
        containers::keep_runs(project, &mut listed);
    }
    let list::Listed { runs, items, index_lock, kept } = listed;
    let unreached = unreached.map(|error| Unreached { reason: error.chain(), help: error.help() });
    let mut cleaned = Cleaned {
        dry_run: request.dry_run,
        // First: what still runs would go on writing to what is removed.
        ended: end_processes(project, &runs, request.dry_run)?,
        containers,
        unreached,
        removed: Vec::new(),
        kept,
        failed: Vec::new(),
        left: Vec::new(),
        bytes: 0,
    };
    let mut remove = |mut item: Item| {
        let shown = item.shown();
        let removed = match (request.dry_run, ends()) {
            (true, _) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => item.remove(&ends),
        };
        let gone = matches!(removed, Ok(true));
        match removed {
            Ok(true) => {
                cleaned.bytes = cleaned.bytes.saturating_add(shown.bytes);
                cleaned.removed.push(shown);
            }
            Ok(false) => cleaned.left.push(item.shown()),
            Err(error) => {
                cleaned.failed.push(NotRemoved { path: shown.path, reason: error.to_string() });
            }
        }
        gone
    };
    for item in items {
        remove(item);
    }
    let _all_gone = index_lock.into_iter().all(remove);
    Ok(cleaned)
}

/// Ends what dead runs left running, or lists it.
fn end_processes(project: &Project, runs: &[RunId], dry_run: bool) -> Result<Vec<EndedProcess>, Error> {
    let mut ended = Vec::new();
    // One look tells for most projects that no run of theirs has left anything.
    if runs.is_empty() || orphans::find_all(&project.all_workspaces_dir())?.is_empty() {
        return Ok(ended);
    }
    for run_id in runs {
        let workspaces = project.workspaces_dir(run_id);
        let found = if dry_run { orphans::find_all(&workspaces)? } else { orphans::end(&workspaces)? };
        let of_run = |pid: i32| EndedProcess { pid: pid.cast_unsigned(), run_id: run_id.clone() };
        ended.extend(found.into_iter().map(of_run));
    }
    Ok(ended)
}
