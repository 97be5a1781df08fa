//! What an agent left in its workspace, as a tree in the quarantine and a list of changes against the base.
//!
//! The folder is hostile: its `.git` is never opened, no link is followed, nothing but regular files is opened, and
//! every file is hashed, since times and sizes can be forged. See [`super::scan`] for the walk.

use std::path::Path;

use mycelium_schemas::{
    event::ChangeKind,
    id::CommitId,
    path::{PathError, RepoPath},
};
use serde::Serialize;

use super::{
    ends::Ends,
    error::GitError,
    gather::Gather,
    ignore_rules::IgnoreRules,
    oid::{commit_tree, to_id},
    quarantine::Quarantine,
    scan::{Found, scan},
    tree::{Edits, Entry, Files, Mode, edit, flatten, printable},
};

/// A change that can be committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The file. A rename is a deletion and an addition.
    pub path: RepoPath,
    /// What was done to it.
    pub kind: ChangeKind,
}

/// Something in the workspace that cannot be committed; the tree holds the base's entry there, if any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refused {
    /// The path as printable text; it may be no [`RepoPath`].
    pub path: String,
    /// Why, as a fragment that follows the path: "is a FIFO, socket or device".
    pub why: String,
}

/// What a workspace holds, relative to its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The base's tree with all `changes`; equal to the base's tree where there are none.
    pub tree: CommitId,
    /// In order of path. Changes below `.mycelium/` are among them, for the caller to judge.
    pub changes: Vec<Change>,
    /// In order of path.
    pub refused: Vec<Refused>,
}

/// Takes the snapshot of the workspace `dir`, which began as `base`.
///
/// Ignored by the base's own `.gitignore` files: neither changes nor refused. Submodules stay as they are. Its objects
/// are durable once this returns.
pub fn snapshot(
    dir: &Path,
    base: &CommitId,
    quarantine: &Quarantine,
    ends: Ends<'_>,
) -> Result<Snapshot, GitError> {
    let repo = quarantine.open()?;
    let odb = repo.odb().map_err(GitError::git("open the run's objects"))?;
    let gather = Gather::begin(&repo, &odb, ends)?;
    let base_tree = commit_tree(&repo, base)?;
    let base = flatten(&repo, &base_tree)?;
    let rules = IgnoreRules::of(&repo, &base)?;
    let found = scan(dir, &gather, &base, &rules)?;
    let mut judged = judge(&base, found);
    judged.refused.sort();
    let tree = to_id(edit(&gather, &base_tree, &judged.edits)?)?;
    gather.finish()?;
    Ok(Snapshot { tree, changes: judged.changes, refused: judged.refused })
}

#[derive(Default)]
struct Judged {
    edits: Edits,
    changes: Vec<Change>,
    refused: Vec<Refused>,
}

fn judge(base: &Files, found: Found) -> Judged {
    let mut judged = Judged::default();
    let deleted = base.iter().filter(|(path, entry)| {
        entry.mode != Mode::Submodule && !found.present.contains_key(*path) && !found.keeps(path)
    });
    let mut edits: Edits = deleted.map(|(path, _)| (path.clone(), None)).collect();
    for (path, entry) in &found.present {
        if base.get(path) != Some(entry) {
            edits.insert(path.clone(), Some(*entry));
        }
    }
    for (path, why) in found.refused {
        judged.refused.push(Refused { path: printable(&path), why });
    }
    for (path, entry) in edits {
        match repo_path(&path) {
            Ok(valid) => {
                judged.changes.push(Change { path: valid, kind: kind(base.get(&path), entry) });
                judged.edits.insert(path, entry);
            }
            Err(error) => {
                judged.refused.push(Refused { path: printable(&path), why: error.to_string() });
            }
        }
    }
    judged
}

fn kind(old: Option<&Entry>, new: Option<Entry>) -> ChangeKind {
    match (old, new) {
        (None, _) => ChangeKind::Added,
        (Some(_), None) => ChangeKind::Deleted,
        (Some(old), Some(new)) if is_link(*old) != is_link(new) => ChangeKind::ModeChanged,
        (Some(old), Some(new)) if old.id == new.id => ChangeKind::ModeChanged,
        (Some(_), Some(_)) => ChangeKind::Modified,
    }
}

fn is_link(entry: Entry) -> bool {
    entry.mode == Mode::Link
}

/// The path as one that the rest of Mycelium may name.
pub(super) fn repo_path(path: &[u8]) -> Result<RepoPath, PathError> {
    std::str::from_utf8(path).map_err(|_| PathError::NotUtf8)?.parse()
}
