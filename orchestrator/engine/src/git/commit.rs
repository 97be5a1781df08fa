//! Commits that depend on nothing but their input: equal trees, parents, message and time give equal ids.

use git2::{Oid, Repository, Signature, Time};
use jiff::Timestamp;
use mycelium_schemas::id::CommitId;

use super::{
    error::GitError,
    oid::{find_commit, find_tree, to_id},
    quarantine::Quarantine,
};
use crate::fault;

/// Author and committer of every commit that Mycelium makes.
pub(super) const AUTHOR_NAME: &str = "Mycelium";
/// Their address: none that mail could reach.
pub(super) const AUTHOR_EMAIL: &str = "mycelium@localhost";

/// Mycelium's signature at a time, in UTC.
pub(super) fn signature(time: Timestamp) -> Result<Signature<'static>, GitError> {
    Signature::new(AUTHOR_NAME, AUTHOR_EMAIL, &Time::new(time.as_second(), 0))
        .map_err(GitError::git("make the signature of a commit"))
}

/// Makes a commit in the quarantine. No ref names it yet: see [`Quarantine::keep_task`].
pub fn commit(
    quarantine: &Quarantine,
    tree: &CommitId,
    parents: &[CommitId],
    message: &str,
    time: Timestamp,
) -> Result<CommitId, GitError> {
    to_id(commit_in(&quarantine.open()?, tree, parents, message, time)?)
}

pub(super) fn commit_in(
    repo: &Repository,
    tree: &CommitId,
    parents: &[CommitId],
    message: &str,
    time: Timestamp,
) -> Result<Oid, GitError> {
    let author = signature(time)?;
    let tree = find_tree(repo, tree)?;
    let parents = parents.iter().map(|id| find_commit(repo, id)).collect::<Result<Vec<_>, _>>()?;
    let parents: Vec<_> = parents.iter().collect();
    fault::point!("git.commit", repo.commit(None, &author, &author, message, &tree, &parents))
        .map_err(GitError::git("write a commit"))
}
