//! What a person needs to resolve a conflict: the files, both sides, the hunks.

use git2::{IndexEntry, MergeFileInput, MergeFileOptions, Repository};
use mycelium_schemas::{
    id::{CommitId, TaskId},
    path::RepoPath,
};
use serde::Serialize;

use super::{
    error::GitError,
    snapshot::repo_path,
    tree::{Mode, printable},
};

/// Largest side of a conflict that is kept as text, in bytes.
pub(super) const SIDE_BYTES_MAX: usize = 256 * 1024;

/// A task's commit that does not merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The task.
    pub task: TaskId,
    /// Its commit: "theirs".
    pub commit: CommitId,
    /// The head that the candidate was to be built on.
    pub onto: CommitId,
    /// The head's tree: "ours".
    pub onto_tree: CommitId,
    /// The files in conflict, in order of path.
    pub files: Vec<ConflictFile>,
}

/// One file in conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictFile {
    /// The file.
    pub path: RepoPath,
    /// It before both changes.
    pub base: Side,
    /// It on the branch.
    pub ours: Side,
    /// It as the task leaves it.
    pub theirs: Side,
    /// Both sides in one text with conflict markers, where both are text.
    pub hunks: Option<String>,
}

/// One side of a file in conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Side {
    /// The file does not exist on this side.
    Absent,
    /// Its text, or the target of a link.
    Text(String),
    /// Not UTF-8 text; its size in bytes.
    Binary(usize),
    /// More than 256 KiB; its size in bytes.
    TooLarge(usize),
    /// A submodule's commit.
    Submodule(String),
}

impl Conflict {
    /// The paths in conflict.
    pub fn paths(&self) -> Vec<RepoPath> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

/// Describes the conflicts of a merge.
pub(super) fn describe(repo: &Repository, merged: &git2::Index) -> Result<Vec<ConflictFile>, GitError> {
    let mut files: Vec<ConflictFile> = Vec::new();
    for conflict in merged.conflicts().map_err(GitError::git("list the conflicts"))? {
        let conflict = conflict.map_err(GitError::git("list the conflicts"))?;
        let named = conflict.their.as_ref().or(conflict.our.as_ref()).or(conflict.ancestor.as_ref());
        let Some(named) = named else { continue };
        let path = repo_path(&named.path)
            .map_err(|error| GitError::UnsafeTree { path: printable(&named.path), why: error.to_string() })?;
        let base = side(repo, conflict.ancestor.as_ref())?;
        let ours = side(repo, conflict.our.as_ref())?;
        let theirs = side(repo, conflict.their.as_ref())?;
        let hunks = hunks(&base, &ours, &theirs)?;
        files.push(ConflictFile { path, base, ours, theirs, hunks });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn side(repo: &Repository, entry: Option<&IndexEntry>) -> Result<Side, GitError> {
    let Some(entry) = entry else { return Ok(Side::Absent) };
    if Mode::from_raw(entry.mode.cast_signed()) == Mode::Submodule {
        return Ok(Side::Submodule(entry.id.to_string()));
    }
    let blob = repo.find_blob(entry.id).map_err(GitError::git(format!("read the blob {}", entry.id)))?;
    let content = blob.content();
    Ok(match std::str::from_utf8(content) {
        _ if content.len() > SIDE_BYTES_MAX => Side::TooLarge(content.len()),
        Ok(text) if !text.contains('\0') => Side::Text(text.to_owned()),
        _ => Side::Binary(content.len()),
    })
}

fn hunks(base: &Side, ours: &Side, theirs: &Side) -> Result<Option<String>, GitError> {
    let text = |side: &Side| match side {
        Side::Text(text) => Some(text.clone()),
        Side::Absent => Some(String::new()),
        Side::Binary(_) | Side::TooLarge(_) | Side::Submodule(_) => None,
    };
    let (Some(base), Some(ours), Some(theirs)) = (text(base), text(ours), text(theirs)) else {
        return Ok(None);
    };
    let (mut ancestor, mut our, mut their) =
        (MergeFileInput::new(), MergeFileInput::new(), MergeFileInput::new());
    ancestor.content(base.as_bytes());
    our.content(ours.as_bytes());
    their.content(theirs.as_bytes());
    let mut options = MergeFileOptions::new();
    options.our_label("branch").their_label("task");
    let merged = git2::merge_file(&ancestor, &our, &their, Some(&mut options))
        .map_err(GitError::git("show a conflict"))?;
    Ok(Some(String::from_utf8_lossy(merged.content()).into_owned()))
}
