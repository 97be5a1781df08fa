//! Whether a commit lies in another's history.
//!
//! Not libgit2's `graph_descendant_of`: that one ignores the boundary of a shallow clone and fails there, while
//! `find_commit` honours it.

use std::collections::HashSet;

use git2::{Oid, Repository};

use super::error::GitError;

/// True where `ancestor` is `tip` or in its history.
pub(super) fn is_ancestor(repo: &Repository, ancestor: Oid, tip: Oid) -> Result<bool, GitError> {
    Ok(outside(repo, &[ancestor], tip)?.is_empty())
}

/// Those of the commits that are neither `tip` nor in its history, in their order.
pub(super) fn outside(repo: &Repository, commits: &[Oid], tip: Oid) -> Result<Vec<Oid>, GitError> {
    let mut left = commits.to_vec();
    let mut seen = HashSet::from([tip]);
    let mut frontier = vec![tip];
    while !frontier.is_empty() {
        // Generation by generation: the ancestors that Mycelium asks for lie near the tip.
        left.retain(|commit| !seen.contains(commit));
        if left.is_empty() {
            break;
        }
        let mut next = Vec::new();
        for id in frontier {
            let commit = repo.find_commit(id).map_err(GitError::git(format!("read the commit {id}")))?;
            next.extend(commit.parent_ids().filter(|parent| seen.insert(*parent)));
        }
        frontier = next;
    }
    Ok(left)
}
