//! Moves the integration branch to a tested commit, if and only if it still is where the test began.
//!
//! Never touches HEAD, index or working tree, and runs no hook.

use git2::Repository;
use mycelium_schemas::id::CommitId;

use super::{
    ends::Ends,
    error::GitError,
    index_lock,
    oid::{find_commit, to_oid},
    pack,
    quarantine::Quarantine,
    ref_lock::{self, RefLock},
    upstream::{Branch, Upstream, read_ref},
};
use crate::saboteur;

/// How a landing ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// The ref was moved.
    Moved,
    /// The ref was at the commit already: an earlier call had moved it.
    AlreadyThere,
}

/// Why the ref was not moved.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// Somebody else moved the branch. Nothing was written to the user's repository.
    #[error("the branch moved: expected {expected}, found {}", found.as_ref().map_or("no commit", CommitId::as_str))]
    HeadMoved {
        /// The head that the candidate was built on.
        expected: CommitId,
        /// The head found; none where the branch is gone or symbolic.
        found: Option<CommitId>,
    },
    /// The candidate was not built on that head, so that its tree is not what was tested there.
    #[error("the commit {commit} does not have {expected} as its first parent")]
    NotBuiltOnHead {
        /// The head it should have been built on.
        expected: CommitId,
        /// The candidate.
        commit: CommitId,
    },
    /// Git failed; the ref was not moved.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Lands `new`, built on `old`, on the branch.
///
/// The objects are copied as one pack, the ref is moved under git's own lock by compare-and-swap, and both are
/// fsynced before this returns. While the lock is held the head is compared before the pack becomes part of the
/// user's object database: a refused landing leaves nothing there. The caller holds the repository's landing lock, so
/// that what an earlier, killed landing left behind can be told from another's work, and is cleared first. It is
/// stopped, if it is, before the ref moves alone: then nothing is left in the user's repository either.
pub fn land(
    upstream: &Upstream,
    quarantine: &Quarantine,
    branch: &Branch,
    old: &CommitId,
    new: &CommitId,
    ends: Ends<'_>,
) -> Result<Landing, LandError> {
    let repo = upstream.open()?;
    pack::clear_abandoned(&upstream.objects_dir())?;
    if let Some(done) = compare(&repo, branch, old, new)? {
        return Ok(done);
    }
    let source = quarantine.open()?;
    let (old_id, new_id) = (to_oid(old)?, to_oid(new)?);
    if find_commit(&source, new)?.parent_ids().next() != Some(old_id) {
        return Err(LandError::NotBuiltOnHead { expected: old.clone(), commit: new.clone() });
    }
    let pack = pack::prepare(&source, &repo, &upstream.objects_dir(), old_id, new_id, ends)?;

    let lock = RefLock::take(&repo, upstream, branch, new, ends)?;
    if let Some(done) = compare(&repo, branch, old, new)? {
        return Ok(done);
    }
    let kept = pack.install()?;
    lock.set(new_id, &format!("mycelium: land {}", new.short()))?;
    drop(kept);
    Ok(Landing::Moved)
}

/// Removes what a landing on this branch that was killed left in the user's repository, unless it is stopped before. The
/// caller holds the landing lock. [`land()`] and [`super::fast_forward()`] do it too; this is for a landing that needs no
/// second call.
pub fn clear_abandoned(upstream: &Upstream, branch: &Branch, ends: Ends<'_>) -> Result<(), GitError> {
    index_lock::clear(upstream)?;
    pack::clear_abandoned(&upstream.objects_dir())?;
    ref_lock::clear(upstream, branch, ends)
}

/// The compare of compare-and-swap: none where the branch is at `old`.
fn compare(
    repo: &Repository,
    branch: &Branch,
    old: &CommitId,
    new: &CommitId,
) -> Result<Option<Landing>, LandError> {
    let found = read_ref(repo, &branch.refname())?;
    if found.as_ref() == Some(new) {
        Ok(Some(Landing::AlreadyThere))
    } else if found.as_ref() == Some(old) || saboteur::is!("swap-without-compare") {
        Ok(None)
    } else {
        Err(LandError::HeadMoved { expected: old.clone(), found })
    }
}
