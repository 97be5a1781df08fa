//! Between the wire type of object ids and libgit2's.

use git2::{Oid, Repository, Tree};
use mycelium_schemas::id::CommitId;

use super::error::GitError;

/// The wire form of an object id.
pub(super) fn to_id(oid: Oid) -> Result<CommitId, GitError> {
    oid.to_string().parse().map_err(|error| GitError::Git {
        action: format!("read the object id {oid}"),
        source: git2::Error::from_str(&format!("{error}")),
    })
}

/// libgit2's form of an object id.
pub(super) fn to_oid(id: &CommitId) -> Result<Oid, GitError> {
    Oid::from_str(id.as_str()).map_err(GitError::git(format!("read the object id {id}")))
}

/// The commit of that id.
pub(super) fn find_commit<'repo>(
    repo: &'repo Repository,
    id: &CommitId,
) -> Result<git2::Commit<'repo>, GitError> {
    repo.find_commit(to_oid(id)?).map_err(GitError::git(format!("read the commit {id}")))
}

/// The tree of that commit.
pub(super) fn commit_tree<'repo>(repo: &'repo Repository, id: &CommitId) -> Result<Tree<'repo>, GitError> {
    find_commit(repo, id)?.tree().map_err(GitError::git(format!("read the tree of {id}")))
}

/// The tree of that id.
pub(super) fn find_tree<'repo>(repo: &'repo Repository, id: &CommitId) -> Result<Tree<'repo>, GitError> {
    repo.find_tree(to_oid(id)?).map_err(GitError::git(format!("read the tree {id}")))
}
