//! What goes and what stays: looks, and changes nothing.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use mycelium_schemas::{
    answer::{CleanedKind, KeptRun},
    id::RunId,
    state::{RunStatus, TaskStatus},
};

use super::{Item, REMOVING, Scope};
use crate::{
    claim,
    error::{Error, IoContext},
    git::{self, Ends, QUARANTINE_DIR, Upstream},
    project::Project,
    saboteur,
    store::{self, RunPaths},
};

/// Temporary files and folders that a process replaces something with, by the begin of their names.
const TEMPORARY: [&str; 2] = [".tmp-", ".tasks-"];

/// What goes, of which runs, and which runs stay.
pub(super) struct Listed {
    pub(super) runs: Vec<RunId>,
    pub(super) items: Vec<Item>,
    /// What a landing that was killed left beside the user's index, whichever run it was of: each goes once the one before
    /// it is gone.
    pub(super) index_lock: Vec<Item>,
    pub(super) kept: Vec<KeptRun>,
}

/// Whether somebody may still want a run's work.
enum Standing {
    /// Nobody does.
    Finished,
    /// Somebody may.
    Wanted(KeptRun),
    /// It was killed before it began.
    NeverBegan,
}

/// Lists what goes. Sizes that are not known yet when it is stopped stay unknown.
pub(super) fn list(
    project: &Project,
    upstream: &Upstream,
    scope: &Scope,
    force: bool,
    ends: Ends<'_>,
) -> Result<Listed, Error> {
    let places = Places::of(project)?;
    let runs = ids(&places.runs)?;
    let mut orphans = ids(&places.workspaces)?;
    orphans.retain(|run| !runs.contains(run));
    if let Scope::One(wanted) = scope
        && !runs.contains(wanted)
        && !orphans.contains(wanted)
    {
        return Err(Error::UnknownRun { run_id: wanted.clone() });
    }
    let in_scope = |run: &&RunId| !matches!(scope, Scope::One(wanted) if wanted != *run);
    let index_lock = of_index_lock(upstream);
    let mut listed = Listed { runs: Vec::new(), items: Vec::new(), index_lock, kept: Vec::new() };
    for run in runs.iter().filter(in_scope) {
        let standing = standing(project, run)?;
        match standing {
            Standing::Wanted(kept) if !force => {
                if matches!(scope, Scope::One(_)) {
                    return Err(refuse(&kept));
                }
                listed.kept.push(kept);
                listed.items.extend(places.temporary(&places.run(run), Some(run))?);
                continue;
            }
            Standing::Finished | Standing::Wanted(_) if *scope == Scope::Finished => {
                let objects = ["runs", run.as_str(), QUARANTINE_DIR];
                listed.items.push(places.item(&objects, CleanedKind::Objects, run));
                listed.items.extend(places.temporary(&places.run(run), Some(run))?);
            }
            Standing::Finished | Standing::Wanted(_) | Standing::NeverBegan => {
                listed.items.push(places.item(&["runs", run.as_str()], CleanedKind::Run, run));
            }
        }
        listed.items.push(places.item(&["workspaces", run.as_str()], CleanedKind::Workspaces, run));
        listed.runs.push(run.clone());
    }
    for run in orphans.iter().filter(in_scope) {
        listed.items.push(places.item(&["workspaces", run.as_str()], CleanedKind::Workspaces, run));
        listed.runs.push(run.clone());
    }
    if !matches!(scope, Scope::One(_)) {
        listed.items.extend(places.leftovers(project)?);
    }
    // Without runs the project's name is anybody's again.
    if *scope == Scope::All && listed.kept.is_empty() {
        listed.items.push(places.leftover(&[claim::NAME]));
    }
    let leaked = |item: &Item| saboteur::is!("leak-workspace") && item.kind == CleanedKind::Workspaces;
    listed.items.retain(|item| item.path().symlink_metadata().is_ok() && !leaked(item));
    for item in &mut listed.items {
        item.bytes = size(&item.path(), ends);
    }
    Ok(listed)
}

/// Paths of what killed processes left; changes nothing.
pub fn leftovers(project: &Project) -> Result<Vec<PathBuf>, Error> {
    let places = Places::of(project)?;
    let mut items = places.leftovers(project)?;
    items.extend(of_index_lock(&Upstream::discover(&project.root)?));
    for run in ids(&places.runs)? {
        items.extend(places.temporary(&places.run(&run), Some(&run))?);
    }
    Ok(items.iter().map(Item::path).collect())
}

fn of_index_lock(upstream: &Upstream) -> Vec<Item> {
    let item = |path: PathBuf| {
        let (base, name) = (path.parent()?.to_owned(), path.file_name()?.to_string_lossy().into_owned());
        Some(Item { base, parts: vec![name], kind: CleanedKind::Leftover, run_id: None, bytes: 0 })
    };
    git::left_of_index_lock(upstream).into_iter().filter_map(item).collect()
}

fn refuse(kept: &KeptRun) -> Error {
    Error::Request {
        message: format!("run {} is left alone: {}", kept.run_id, kept.reason),
        help: "--force removes it with that work".to_owned(),
    }
}

fn standing(project: &Project, run: &RunId) -> Result<Standing, Error> {
    let paths = RunPaths::new(project, run);
    let wanted = |status, reason: &str| {
        Standing::Wanted(KeptRun { run_id: run.clone(), status, reason: reason.to_owned() })
    };
    if store::has_lost_journal(&paths) {
        return Ok(wanted(None, "its journal is missing"));
    }
    // One that cannot be read may have.
    if !store::has_begun(&paths).unwrap_or(true) {
        return Ok(Standing::NeverBegan);
    }
    let view = match store::read_view(project, run) {
        Ok(view) => view,
        Err(Error::Damaged { reason, .. }) => {
            return Ok(wanted(None, &format!("its state cannot be read: {reason}")));
        }
        // A damaged run does not stand in the way of the others.
        Err(error @ (Error::Io { .. } | Error::Newer { .. })) => {
            return Ok(wanted(None, &format!("its state cannot be read: {}", error.chain())));
        }
        Err(error) => return Err(error),
    };
    let status = Some(view.status);
    Ok(match view.status {
        RunStatus::Complete => Standing::Finished,
        RunStatus::Failed => {
            let waits = |status| matches!(status, TaskStatus::Validated | TaskStatus::NeedsHumanReview);
            let waiting: Vec<&str> =
                view.tasks.iter().filter(|(_, task)| waits(task.status)).map(|(id, _)| id.as_str()).collect();
            if waiting.is_empty() {
                Standing::Finished
            } else {
                wanted(status, &format!("it holds work that waits for a human, of {}", waiting.join(", ")))
            }
        }
        RunStatus::NeedsHumanReview => wanted(status, "it waits for a human and can be resumed"),
        RunStatus::Interrupted => wanted(status, "it was interrupted and can be resumed"),
        RunStatus::Running => wanted(status, "it works"),
    })
}

/// The folders that are cleaned; each is a folder and no link to one.
struct Places {
    home: PathBuf,
    project: String,
    runs: PathBuf,
    workspaces: PathBuf,
}

impl Places {
    fn of(project: &Project) -> Result<Self, Error> {
        let runs = project.runs_dir();
        let top = runs.parent().unwrap_or(&project.home).to_owned();
        let workspaces = top.join("workspaces");
        for path in [&project.home.join("projects"), &top, &runs, &workspaces] {
            if path.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
                return Err(Error::Request {
                    message: format!(
                        "{} is not a folder but a link or a file, so nothing is removed",
                        path.display()
                    ),
                    help: "put the folder itself there, or set MYCELIUM_HOME to where it lies".into(),
                });
            }
        }
        Ok(Self { home: project.home.clone(), project: project.name.to_string(), runs, workspaces })
    }

    fn run(&self, run: &RunId) -> PathBuf {
        self.runs.join(run.as_str())
    }

    /// Something below the project's folder in the home.
    fn item(&self, parts: &[&str], kind: CleanedKind, run: &RunId) -> Item {
        Item { kind, run_id: Some(run.clone()), ..self.leftover(parts) }
    }

    fn leftover(&self, parts: &[&str]) -> Item {
        let parts = ["projects", &self.project].iter().chain(parts).map(|part| (*part).to_owned()).collect();
        Item { base: self.home.clone(), parts, kind: CleanedKind::Leftover, run_id: None, bytes: 0 }
    }

    /// Temporary files directly in a folder of the home.
    fn temporary(&self, folder: &Path, run: Option<&RunId>) -> Result<Vec<Item>, Error> {
        let inside = folder.strip_prefix(&self.home).unwrap_or(folder);
        let parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        Ok(temporary_names(folder)?
            .into_iter()
            .map(|name| Item {
                base: self.home.clone(),
                parts: parts.iter().cloned().chain([name]).collect(),
                kind: CleanedKind::Leftover,
                run_id: run.cloned(),
                bytes: 0,
            })
            .collect())
    }

    /// What belongs to no run: runs half removed, and temporary files beside the plan.
    fn leftovers(&self, project: &Project) -> Result<Vec<Item>, Error> {
        let half_removed = names(&self.runs)?.into_iter().filter(|name| name.starts_with(REMOVING));
        let mut items: Vec<Item> = half_removed.map(|name| self.leftover(&["runs", &name])).collect();
        let of_checkout = |parts: &[&str]| Item {
            base: project.root.clone(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            kind: CleanedKind::Leftover,
            run_id: None,
            bytes: 0,
        };
        let tasks = project.tasks_dir();
        items.extend(temporary_names(&project.dir())?.iter().map(|name| of_checkout(&[".mycelium", name])));
        for task in names(&tasks)? {
            let found = temporary_names(&tasks.join(&task))?;
            items.extend(found.iter().map(|name| of_checkout(&[".mycelium", "tasks", &task, name])));
        }
        Ok(items)
    }
}

fn temporary_names(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = names(folder)?;
    names.retain(|name| TEMPORARY.iter().any(|begin| name.starts_with(begin)));
    Ok(names)
}

/// Folders whose name is one of a run, in order.
fn ids(folder: &Path) -> Result<Vec<RunId>, Error> {
    let is_dir = |name: &String| folder.join(name).symlink_metadata().is_ok_and(|found| found.is_dir());
    Ok(names(folder)?.into_iter().filter(is_dir).filter_map(|name| name.parse().ok()).collect())
}

/// Names in a folder, in order; none where there is no folder, or a link in its place.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    match folder.symlink_metadata() {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("look at", folder),
    }
    let entries = fs::read_dir(folder).at("list", folder)?;
    let mut names = entries
        .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
        .collect::<std::io::Result<Vec<_>>>()
        .at("list", folder)?;
    names.sort();
    Ok(names)
}

/// A unit of `st_blocks`, whatever the file system allocates by, in bytes (stat(2)).
const BLOCK_BYTES: u64 = 512;

/// Bytes that the disk gives back where all at and below a path is removed, as far as it can be seen. Links are not
/// followed; a file that keeps another name elsewhere gives back nothing.
fn size(path: &Path, ends: Ends<'_>) -> u64 {
    let (mut total, mut open) = (0u64, vec![path.to_owned()]);
    let mut names: HashMap<(u64, u64), u64> = HashMap::new();
    while let Some(path) = open.pop().filter(|_| !ends()) {
        let Ok(found) = path.symlink_metadata() else { continue };
        let goes = found.is_dir() || found.nlink() == 1 || {
            let seen = names.entry((found.dev(), found.ino())).or_default();
            *seen += 1;
            *seen == found.nlink()
        };
        if goes {
            total = total.saturating_add(found.blocks().saturating_mul(BLOCK_BYTES));
        }
        if found.is_dir()
            && let Ok(entries) = fs::read_dir(&path)
        {
            open.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    total
}
