//! The commit that the doctor tests and the branch may be moved to.
//!
//! Three-way merges in memory, in the order of tasks. Nothing is checked out. No merge driver and no attribute takes
//! part: the quarantine is bare and has none. Renames are not followed: with them an edit could land in a file that
//! its task's manifest does not declare; without them it is a conflict, and the task is retried from the new head.

use git2::{MergeOptions, Oid, Repository, Tree};
use jiff::Timestamp;
use mycelium_schemas::id::{CommitId, TaskId};

use super::{
    ancestry,
    commit::commit_in,
    conflict::{Conflict, describe},
    ends::{Ends, go_on},
    error::GitError,
    oid::{find_commit, to_id, to_oid},
    quarantine::Quarantine,
};
use crate::{fault, saboteur};

/// A commit ready to be tested and landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its first parent is the head it was built on.
    pub commit: CommitId,
    /// Its tree.
    pub tree: CommitId,
    /// The tasks in it, in order: the first of those that were to be merged.
    pub tasks: Vec<TaskId>,
}

/// Why there is no candidate.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A task does not merge onto the head.
    #[error("task {} conflicts in {} file(s)", .0.task, .0.files.len())]
    Conflict(Box<Conflict>),
    /// The branch was rewound: a merge would bring back, as history, commits that somebody took off the branch.
    #[error("task {task} was made on {base}, which is no longer in the branch's history")]
    BaseGone {
        /// The task; it has to be done again from the new head.
        task: TaskId,
        /// The commit that its workspace began as.
        base: CommitId,
    },
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What comes of merging all of some tasks.
enum Merged {
    Whole(Candidate),
    /// The task at this place merges onto the head, but not onto the tasks before it as well.
    CutAt(usize),
}

/// Merges the commits of tasks, each with its base as only parent, onto `head`, in the order given.
///
/// Work that conflicts with a task before it is left out, and so is all that follows: whether what it conflicts with
/// lands at all is not known yet. Only a conflict with the head is one.
///
/// One task made on `head` itself is its own candidate. Otherwise one merge commit is made, with `head` as first
/// parent: every commit that the branch passes through by first parents is one that was tested.
pub fn candidate(
    quarantine: &Quarantine,
    head: &CommitId,
    tasks: &[(TaskId, CommitId)],
    message: &str,
    time: Timestamp,
    ends: Ends<'_>,
) -> Result<Candidate, MergeError> {
    let repo = quarantine.open()?;
    let mut tasks = tasks;
    loop {
        match merge_all(&repo, head, tasks, message, time, ends)? {
            Merged::Whole(candidate) => return Ok(candidate),
            Merged::CutAt(place) => tasks = tasks.get(..place).unwrap_or_default(),
        }
    }
}

fn merge_all(
    repo: &Repository,
    head: &CommitId,
    tasks: &[(TaskId, CommitId)],
    message: &str,
    time: Timestamp,
    ends: Ends<'_>,
) -> Result<Merged, MergeError> {
    let head_id = to_oid(head)?;
    let head_tree = tree_of(repo, head)?;
    let mut tree = head_tree.clone();
    let mut parents = vec![head.clone()];
    for (place, (task, commit)) in tasks.iter().enumerate() {
        go_on(ends)?;
        let base = base_of(repo, commit)?;
        if base == head_id && tasks.len() == 1 {
            let tree = to_id(tree_of(repo, commit)?.id())?;
            let tasks = vec![task.clone()];
            return Ok(Merged::Whole(Candidate { commit: commit.clone(), tree, tasks }));
        }
        if !ancestry::is_ancestor(repo, base, head_id)? {
            return Err(MergeError::BaseGone { task: task.clone(), base: to_id(base)? });
        }
        let (from, theirs) = (tree_of(repo, &to_id(base)?)?, tree_of(repo, commit)?);
        let onto = |ours: &Tree<'_>| merge_onto(repo, head, ours, task, commit, &from, &theirs);
        tree = match onto(&tree) {
            Err(MergeError::Conflict(_)) if place > 0 => {
                return onto(&head_tree).map(|_| Merged::CutAt(place));
            }
            merged => merged?,
        };
        parents.push(commit.clone());
    }
    let tree = to_id(tree.id())?;
    let commit = to_id(commit_in(repo, &tree, &parents, message, time)?)?;
    let tasks = tasks.iter().map(|(task, _)| task.clone()).collect();
    Ok(Merged::Whole(Candidate { commit, tree, tasks }))
}

fn merge_onto<'repo>(
    repo: &'repo Repository,
    head: &CommitId,
    ours: &Tree<'_>,
    task: &TaskId,
    commit: &CommitId,
    base: &Tree<'_>,
    theirs: &Tree<'_>,
) -> Result<Tree<'repo>, MergeError> {
    let failed = || GitError::git(format!("merge the commit of task {task}"));
    let mut options = MergeOptions::new();
    options.find_renames(false);
    if saboteur::is!("commit-on-conflict") {
        options.file_favor(git2::FileFavor::Theirs);
    }
    let mut merged = repo.merge_trees(base, ours, theirs, Some(&options)).map_err(failed())?;
    if merged.has_conflicts() {
        return Err(MergeError::Conflict(Box::new(Conflict {
            task: task.clone(),
            commit: commit.clone(),
            onto: head.clone(),
            onto_tree: to_id(ours.id())?,
            files: describe(repo, &merged)?,
        })));
    }
    let id = fault::point!("git.merge", merged.write_tree_to(repo)).map_err(failed())?;
    Ok(repo.find_tree(id).map_err(failed())?)
}

fn base_of(repo: &Repository, commit: &CommitId) -> Result<Oid, GitError> {
    let failed = || GitError::git(format!("read the base of the task's commit {commit}"));
    find_commit(repo, commit)?.parent_id(0).map_err(failed())
}

fn tree_of<'repo>(repo: &'repo Repository, commit: &CommitId) -> Result<Tree<'repo>, GitError> {
    super::oid::commit_tree(repo, commit)
}
