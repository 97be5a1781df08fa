//! Git's own lock of a ref, and what to do when a Mycelium that was killed still seems to hold it.
//!
//! A note beside the refs says, from before the lock is taken until it is gone, which lock is being taken and for which
//! commit. A lock that outlives our patience is removed only where the note names it and it is empty or holds that very
//! commit. Another git process holds an empty lock for a moment alone: it writes the new id right after creating it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use git2::{ErrorCode, Oid, Repository, Transaction};
use jiff::Timestamp;
use mycelium_schemas::id::CommitId;

use super::{
    commit::signature,
    ends::{Ends, go_on},
    error::GitError,
    upstream::{Branch, Upstream},
};
use crate::fault;

/// How often a held lock is tried, and how long is waited between: a second in all, ten times git's own patience.
const TRIES: u32 = 20;
const WAIT: Duration = Duration::from_millis(50);

/// Name of the note in the common git folder.
const NOTE: &str = "mycelium.ref-lock";

/// The held lock of a branch; dropping it lets the branch go, unchanged.
pub(super) struct RefLock<'repo> {
    // Before the note: the lock is gone first.
    transaction: Transaction<'repo>,
    _note: Note,
    refname: String,
}

impl<'repo> RefLock<'repo> {
    /// Takes the lock to move the branch to `new`, waiting for others a bounded time, or until it is stopped.
    pub(super) fn take(
        repo: &'repo Repository,
        upstream: &Upstream,
        branch: &Branch,
        new: &CommitId,
        ends: Ends<'_>,
    ) -> Result<Self, GitError> {
        let refname = branch.refname();
        let lock_file = upstream.common_dir().join(format!("{refname}.lock"));
        let note_file = upstream.common_dir().join(NOTE);
        // Before the note is written anew: it is all that tells whose the lock is, should this fail or be killed too.
        if let Some(commit) = abandoned_commit(&note_file, &refname)? {
            clear_abandoned(&lock_file, &commit, ends)?;
        }
        let note = Note::write(note_file, &refname, new)?;
        match wait(repo, &refname, ends)? {
            Some(transaction) => Ok(Self { transaction, _note: note, refname }),
            None => Err(GitError::Locked { path: lock_file }),
        }
    }

    /// Moves the ref, durably, and lets it go.
    pub(super) fn set(mut self, target: Oid, message: &str) -> Result<(), GitError> {
        let failed = || GitError::git(format!("move {}", self.refname));
        let author = signature(Timestamp::now())?;
        fault::point!(
            "ref.target",
            self.transaction.set_target(&self.refname, target, Some(&author), message)
        )
        .map_err(failed())?;
        fault::point!("ref.move", self.transaction.commit()).map_err(failed())?;
        Ok(())
    }
}

fn wait<'repo>(
    repo: &'repo Repository,
    refname: &str,
    ends: Ends<'_>,
) -> Result<Option<Transaction<'repo>>, GitError> {
    let failed = || GitError::git(format!("lock {refname}"));
    for _ in 0..TRIES {
        let mut transaction = repo.transaction().map_err(failed())?;
        match fault::lock!(
            "ref.lock",
            repo.commondir().join(format!("{refname}.lock")),
            transaction.lock_ref(refname)
        ) {
            Ok(()) => return Ok(Some(transaction)),
            Err(error) if error.code() == ErrorCode::Locked => {
                go_on(ends)?;
                thread::sleep(WAIT);
            }
            Err(error) => return Err(failed()(error)),
        }
    }
    Ok(None)
}

/// The note on disk; dropping it removes it.
struct Note {
    path: PathBuf,
}

impl Note {
    fn write(path: PathBuf, refname: &str, new: &CommitId) -> Result<Self, GitError> {
        let text = format!("{refname}\n{new}\n");
        let write = || {
            let mut file = fault::point!("ref.note", fs::File::create(&path))?;
            fault::write_all!("ref.write_note", &mut file, text.as_bytes())?;
            fault::point!("ref.sync_note", file.sync_all())
        };
        write().map_err(GitError::io("write", &path))?;
        Ok(Self { path })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // Harmless where it fails: a note without a lock says nothing.
        if let Err(error) = fault::point!("ref.remove_note", fs::remove_file(&self.path)) {
            tracing::warn!(path = %self.path.display(), %error, "a note of a landing stays behind");
        }
    }
}

/// The commit that a killed landing was about to move this ref to.
fn abandoned_commit(note: &Path, refname: &str) -> Result<Option<String>, GitError> {
    let text = match fs::read_to_string(note) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GitError::io("read", note)(error)),
    };
    let mut lines = text.lines();
    Ok((lines.next() == Some(refname)).then(|| lines.next().unwrap_or_default().to_owned()))
}

/// Removes lock and note of a landing on this branch that was killed, if there is a note.
pub(super) fn clear(upstream: &Upstream, branch: &Branch, ends: Ends<'_>) -> Result<(), GitError> {
    let (refname, note) = (branch.refname(), upstream.common_dir().join(NOTE));
    let Some(commit) = abandoned_commit(&note, &refname)? else { return Ok(()) };
    clear_abandoned(&upstream.common_dir().join(format!("{refname}.lock")), &commit, ends)?;
    fault::point!("ref.clear_note", fs::remove_file(&note)).map_err(GitError::io("remove", &note))
}

/// Removes a lock that looks like the abandoned one for longer than any living process would hold it so, unless it is
/// stopped before.
fn clear_abandoned(lock_file: &Path, commit: &str, ends: Ends<'_>) -> Result<(), GitError> {
    for _ in 0..TRIES {
        if !is_ours(lock_file, commit) {
            return Ok(());
        }
        go_on(ends)?;
        thread::sleep(WAIT);
    }
    tracing::warn!(path = %lock_file.display(), %commit, "removing the lock of a landing that was killed");
    fault::point!("ref.unlock", fs::remove_file(lock_file)).map_err(GitError::io("remove", lock_file))
}

fn is_ours(lock: &Path, commit: &str) -> bool {
    fs::read_to_string(lock).is_ok_and(|text| text.is_empty() || text.trim_end() == commit)
}
