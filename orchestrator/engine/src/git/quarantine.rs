//! The run's own object database, so that nothing rejected ever reaches the user's.
//!
//! A bare repository in the run's folder that reads the user's objects and writes its own. Commits of tasks and
//! candidates are made here; refs keep them, so that a later `resume` finds them again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use git2::{Repository, RepositoryInitOptions};
use mycelium_schemas::id::{CommitId, TaskId};

use super::{
    alternates,
    error::GitError,
    oid::{commit_tree, to_id, to_oid},
    setup::setup,
    unfinished,
    upstream::{Upstream, read_ref},
};
use crate::{fault, private};

/// Name of the folder below the run's folder.
pub const QUARANTINE_DIR: &str = "objects.git";

/// The run's object database. Holds its path alone, so that threads can share it; each opens it for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    path: PathBuf,
}

impl Quarantine {
    /// Makes the quarantine of a run, or opens the one that is there already, without what a write that was killed has
    /// left in it. The caller holds the run's lock.
    pub fn create(run_dir: &Path, upstream: &Upstream) -> Result<Self, GitError> {
        let path = run_dir.join(QUARANTINE_DIR);
        // Everything below has git's modes; nobody else gets that far.
        fault::point!("quarantine.folder", private::make_dirs(&path))
            .map_err(GitError::io("create", &path))?;
        unfinished::clear(&path)?;
        init(&path, RepositoryInitOptions::new().bare(true), &upstream.objects_dir(), Durability::Full)?;
        copy_shallow(upstream.common_dir(), &path)?;
        Ok(Self { path })
    }

    /// Its object database, for workspaces that are to read from it.
    pub fn objects_dir(&self) -> PathBuf {
        self.path.join("objects")
    }

    pub(super) fn open(&self) -> Result<Repository, GitError> {
        setup()?;
        // Not `open_bare`, which ignores where a shallow history ends.
        Repository::open(&self.path).map_err(|source| GitError::open(self.path.clone(), source))
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<CommitId, GitError> {
        to_id(commit_tree(&self.open()?, commit)?.id())
    }

    /// Keeps the commit of a task's attempt.
    pub fn keep_task(&self, task: &TaskId, attempt: u32, commit: &CommitId) -> Result<(), GitError> {
        self.keep(&task_ref(task, attempt), commit)
    }

    /// The commit kept for a task's attempt.
    pub fn task_commit(&self, task: &TaskId, attempt: u32) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.open()?, &task_ref(task, attempt))
    }

    /// Keeps the candidate of a landing.
    pub fn keep_candidate(&self, landing: u32, commit: &CommitId) -> Result<(), GitError> {
        self.keep(&candidate_ref(landing), commit)
    }

    /// The candidate kept for a landing.
    pub fn candidate_commit(&self, landing: u32) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.open()?, &candidate_ref(landing))
    }

    /// Whether the commit and its whole tree can be read.
    pub fn holds(&self, commit: &CommitId) -> Result<bool, GitError> {
        let repo = self.open()?;
        let Ok(tree) = commit_tree(&repo, commit) else { return Ok(false) };
        let mut whole = true;
        // A walk that fails has met a tree that cannot be read.
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
            let blob = entry.kind() == Some(git2::ObjectType::Blob);
            whole &= !blob || repo.odb().is_ok_and(|odb| odb.exists(entry.id()));
            git2::TreeWalkResult::Ok
        });
        Ok(whole && walked.is_ok())
    }

    fn keep(&self, refname: &str, commit: &CommitId) -> Result<(), GitError> {
        let repo = self.open()?;
        let commit_id = to_oid(commit)?;
        fault::lock!(
            "quarantine.keep",
            self.path.join(format!("{refname}.lock")),
            repo.reference(refname, commit_id, true, "mycelium: keep")
        )
        .map_err(GitError::git(format!("keep the commit {commit}")))?;
        Ok(())
    }
}

/// A dot is legal in a task's id, but `..` and a final `.lock` are not in a ref.
fn task_ref(task: &TaskId, attempt: u32) -> String {
    format!("refs/mycelium/tasks/{}/{attempt}", task.as_str().replace('.', "%2e"))
}

fn candidate_ref(landing: u32) -> String {
    format!("refs/mycelium/candidates/{landing}")
}

/// Whether a repository must survive a power cut.
#[derive(Clone, Copy)]
pub(super) enum Durability {
    /// It must.
    Full,
    /// It is made anew when it is needed.
    None,
}

/// Makes a repository without template, hooks or remotes that reads objects from `objects` too.
pub(super) fn init(
    path: &Path,
    options: &mut RepositoryInitOptions,
    objects: &Path,
    durability: Durability,
) -> Result<Repository, GitError> {
    setup()?;
    let failed = || GitError::git(format!("make the repository {}", path.display()));
    let repo =
        fault::point!("repository.init", Repository::init_opts(path, options.external_template(false)))
            .map_err(failed())?;
    let text = alternates::render(&alternates::chain(objects)?)?;
    let file = repo.path().join("objects/info/alternates");
    fault::point!("repository.info", fs::create_dir_all(repo.path().join("objects/info")))
        .map_err(GitError::io("create", &file))?;
    match durability {
        Durability::Full => write_durably(&file, &text),
        Durability::None => fault::point!("alternates.write_plain", fs::write(&file, &text)),
    }
    .map_err(GitError::io("write", &file))?;
    // Opened again, since libgit2 reads the alternates when it opens the object database.
    Repository::open(repo.path()).map_err(failed())
}

fn write_durably(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = fault::point!("alternates.create", fs::File::create(path))?;
    fault::write_all!("alternates.write", &mut file, text)?;
    fault::point!("alternates.sync", file.sync_all())
}

/// Takes over where a shallow clone's history ends: the alternates lack the commits below it.
pub(super) fn copy_shallow(from_git_dir: &Path, to_git_dir: &Path) -> Result<(), GitError> {
    let from = from_git_dir.join("shallow");
    match fault::point!("repository.shallow", fs::copy(&from, to_git_dir.join("shallow"))) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(GitError::io("copy", from)(error)),
    }
}
