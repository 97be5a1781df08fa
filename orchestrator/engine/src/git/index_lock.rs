//! Git's own lock of the checkout's index, taken so that whoever comes after a kill knows it for ours.
//!
//! The lock is a second name of a note beside it: a lock that is the note's very file was made by a Mycelium and by nobody
//! else, whatever it holds and however old it is. libgit2 would make a lock file of its own, of which nobody could say
//! whose it was: so it writes a copy of the index, which takes the index's place while the lock is held.

use std::{
    fs::{self, File, FileTimes},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use git2::{Index, Repository};

use super::{
    checkout::{patiently, unreadable},
    ends::Ends,
    error::GitError,
    upstream::Upstream,
};
use crate::fault;

/// Names in the git folder of the checkout. git knows the first two; the last is libgit2's own lock of our copy.
const INDEX: &str = "index";
const LOCK: &str = "index.lock";
const NOTE: &str = "mycelium.index-lock";
const COPY: &str = "mycelium.index";
const COPY_LOCK: &str = "mycelium.index.lock";

/// The held lock; dropping it lets the index go, unchanged.
pub(super) struct IndexLock<'a> {
    git_dir: &'a Path,
    held: bool,
    let_go: bool,
}

impl<'a> IndexLock<'a> {
    /// Takes the lock, waiting for others a bounded time, or until it is stopped. The caller holds the landing lock: one of
    /// ours that is found is a dead one's, and is cleared.
    pub(super) fn take(upstream: &'a Upstream, ends: Ends<'_>) -> Result<Self, GitError> {
        clear(upstream)?;
        let mut this = Self { git_dir: upstream.git_dir(), held: false, let_go: false };
        let (note, lock) = (this.path(NOTE), this.path(LOCK));
        fault::point!("index.note", File::create(&note)).map_err(GitError::io("write", &note))?;
        patiently(upstream, ends, |_| link(&note, &lock).map_err(GitError::io("lock", &lock)))?;
        this.held = true;
        Ok(this)
    }

    /// The index as it is, to be changed and handed to [`Self::replace`].
    pub(super) fn open(&self, upstream: &Upstream, repo: &Repository) -> Result<Index, GitError> {
        let (index, copy) = (self.path(INDEX), self.path(COPY));
        match fault::point!("index.copy", copy_with_time(&index, &copy)) {
            // Where nothing was ever staged there is none.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => result.map_err(GitError::io("copy", index))?,
        }
        let mut opened = Index::open(&copy).map_err(unreadable(upstream))?;
        // Of whose files it is: what changed as fast as its time is told by their content.
        repo.set_index(&mut opened).map_err(GitError::git("open the index"))?;
        Ok(opened)
    }

    /// Puts the changed index in its place, durably, and lets it go.
    pub(super) fn replace(mut self, index: &mut Index) -> Result<(), GitError> {
        let (copy, target) = (self.path(COPY), self.path(INDEX));
        fault::lock!("checkout.index", self.path(COPY_LOCK), index.write())
            .map_err(GitError::git("update the index"))?;
        fault::point!("index.replace", fs::rename(&copy, &target)).map_err(GitError::io("write", &target))?;
        fault::point!("index.sync", File::open(self.git_dir).and_then(|folder| folder.sync_all()))
            .map_err(GitError::io("sync", self.git_dir))?;
        self.let_go()
    }

    /// Removes the copy, the lock if it is held, and at last the note, by which the lock is known.
    fn let_go(&mut self) -> Result<(), GitError> {
        self.let_go = true;
        for name in [COPY, COPY_LOCK] {
            let path = self.path(name);
            gone(fault::point!("index.remove_copy", fs::remove_file(&path)))
                .map_err(GitError::io("remove", path))?;
        }
        if self.held {
            let lock = self.path(LOCK);
            gone(fault::point!("index.unlock", fs::remove_file(&lock)))
                .map_err(GitError::io("remove", lock))?;
        }
        let note = self.path(NOTE);
        gone(fault::point!("index.remove_note", fs::remove_file(&note))).map_err(GitError::io("remove", note))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.git_dir.join(name)
    }
}

impl Drop for IndexLock<'_> {
    fn drop(&mut self) {
        // What stays is known by the note, and cleared by the next landing or `resume`.
        if !self.let_go
            && let Err(error) = self.let_go()
        {
            tracing::warn!(%error, "the lock of the index stays behind");
        }
    }
}

/// Whether the index is locked by a Mycelium, living or dead.
pub(super) fn is_ours(git_dir: &Path) -> bool {
    let identity =
        |name| fs::symlink_metadata(git_dir.join(name)).map(|found| (found.dev(), found.ino())).ok();
    identity(NOTE).is_some_and(|note| identity(LOCK) == Some(note))
}

/// Removes what a Mycelium that was killed left of its lock. The caller holds the landing lock, so that none lives.
pub(super) fn clear(upstream: &Upstream) -> Result<(), GitError> {
    let git_dir = upstream.git_dir();
    if git_dir.join(NOTE).symlink_metadata().is_err() {
        return Ok(());
    }
    let held = is_ours(git_dir);
    if held {
        tracing::warn!(path = %git_dir.join(LOCK).display(), "removing the lock of a landing that was killed");
    }
    IndexLock { git_dir, held, let_go: false }.let_go()
}

/// What a Mycelium that was killed left of its lock, in the order in which it goes: the note, by which the lock is known,
/// at last. The caller has seen that none lives.
pub fn left(upstream: &Upstream) -> Vec<PathBuf> {
    let git_dir = upstream.git_dir();
    let names = is_ours(git_dir).then_some(LOCK).into_iter().chain([COPY, COPY_LOCK, NOTE]);
    names.map(|name| git_dir.join(name)).filter(|path| path.symlink_metadata().is_ok()).collect()
}

/// Gives the note the lock's name; false where another git holds it.
fn link(note: &Path, lock: &Path) -> io::Result<bool> {
    // Without second names on the file system, nobody can know later whose the lock is.
    let without = |error: io::Error| match error.kind() {
        ErrorKind::Unsupported | ErrorKind::PermissionDenied => File::create_new(lock).map(drop),
        _ => Err(error),
    };
    match fault::point!("index.take", fs::hard_link(note, lock).or_else(without)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Copies a file with the time of its last change: a file that is younger than the index may have changed since.
fn copy_with_time(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let time = source.metadata()?.modified()?;
    let mut copy = File::options().write(true).create(true).truncate(true).open(to)?;
    io::copy(&mut source, &mut copy)?;
    copy.set_times(FileTimes::new().set_modified(time))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
