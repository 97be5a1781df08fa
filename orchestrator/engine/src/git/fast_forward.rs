//! Brings the user's checkout to a commit that landed, where it has the branch checked out.
//!
//! File by file: a path is written only while it is, in index and working tree, what the old commit holds. One that
//! already is what the new commit holds counts as done, so that a call interrupted anywhere is completed by another. Each
//! takes its place whole (`staging.rs`).
//! Anything else belongs to the user, is left alone and reported.

use std::{
    collections::HashSet,
    fs::{self, Metadata},
    io,
    path::Path,
};

use git2::{Index, IndexEntry, IndexTime, Repository, RepositoryState};
use mycelium_schemas::{event::CheckoutUpdate, id::CommitId};

use super::{
    checkout::{PathChange, blocked, changes, is_hidden, touched, working_changes},
    ends::Ends,
    error::GitError,
    index_lock::IndexLock,
    oid::commit_tree,
    staging::{Staging, remove_folder},
    tree::{Entry, Mode, as_path, printable},
    upstream::{Branch, Upstream},
    workspace::index_entry,
};
use crate::{fault, saboteur};

/// What became of the checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastForward {
    /// For the journal.
    pub update: CheckoutUpdate,
    /// Paths left alone, since they are neither their old nor their new content.
    pub left: Vec<String>,
}

/// What a path of the landing is at the moment.
enum State {
    Old,
    /// With what it was on disk when it was looked at, where it is there.
    New(Option<Metadata>),
    Other,
}

/// Shows `new` in the checkout in place of `old`. Called after the ref moved, and again by whoever finds it undone.
///
/// No other git process can change the index meanwhile. One that holds it is waited for a bounded time, or until the wait
/// is to end: then nothing was changed. The caller holds the landing lock.
pub fn fast_forward(
    upstream: &Upstream,
    branch: &Branch,
    old: &CommitId,
    new: &CommitId,
    ends: Ends<'_>,
) -> Result<FastForward, GitError> {
    if saboteur::is!("touch-checkout") {
        let forced = upstream.open()?.checkout_head(Some(git2::build::CheckoutBuilder::new().force()));
        forced.map_err(GitError::git("overwrite the checkout"))?;
    }
    if upstream.current_branch()?.as_deref() != Some(branch.name()) {
        return Ok(FastForward { update: CheckoutUpdate::NotCheckedOut, left: Vec::new() });
    }
    let repo = upstream.open()?;
    let changes = changes(&repo, &commit_tree(&repo, old)?, &commit_tree(&repo, new)?)?;
    let mut left = Vec::new();
    if repo.state() == RepositoryState::Clean {
        let lock = IndexLock::take(upstream, ends)?;
        let mut files = index_of_new(&changes).map_err(GitError::git("list the files of a landing"))?;
        let staging = Staging::fill(upstream, &repo, &mut files)?;
        // Looked at when all is ready, so that what the user writes meanwhile is seen.
        let mut index = lock.open(upstream, &repo)?;
        let states = judge(upstream, &repo, &index, &changes, &files)?;
        apply(upstream, &staging, &mut index, &changes, &states, &mut left)?;
        lock.replace(&mut index)?;
        staging.remove()?;
    } else {
        left = changes.iter().map(|change| printable(&change.path)).collect();
    }
    let update = if left.is_empty() { CheckoutUpdate::FastForwarded } else { CheckoutUpdate::LeftPartly };
    Ok(FastForward { update, left })
}

fn judge(
    upstream: &Upstream,
    repo: &Repository,
    index: &Index,
    changes: &[PathChange],
    files: &Index,
) -> Result<Vec<State>, GitError> {
    let paths: Vec<&[u8]> = changes.iter().map(|change| change.path.as_slice()).collect();
    // Before the contents: what changes from here on differs from it.
    let on_disk: Vec<Option<Metadata>> =
        paths.iter().map(|path| fs::symlink_metadata(upstream.worktree().join(as_path(path))).ok()).collect();
    let modified = differing(repo, index, &paths)?;
    let not_new = differing(repo, files, &paths)?;
    let state = |(change, on_disk): (&PathChange, Option<Metadata>)| {
        let staged = index.get_path(as_path(&change.path), 0);
        let submodule = [change.old, change.new].iter().flatten().any(|entry| entry.mode == Mode::Submodule);
        if submodule || staged.as_ref().is_some_and(is_hidden) {
            return State::Other;
        }
        let staged =
            staged.map(|entry| Entry { mode: Mode::from_raw(entry.mode.cast_signed()), id: entry.id });
        // A folder in place of a file that is absent is made of other paths, which are judged by themselves.
        let absent = on_disk.as_ref().is_none_or(Metadata::is_dir);
        let is_new = if change.new.is_some() { !not_new.contains(&change.path) } else { absent };
        let is_old = if change.old.is_some() { !modified.contains(&change.path) } else { absent };
        if is_new && (staged == change.new || staged == change.old) {
            State::New(on_disk)
        } else if is_old && staged == change.old {
            State::Old
        } else {
            State::Other
        }
    };
    Ok(changes.iter().zip(on_disk).map(state).collect())
}

fn differing(repo: &Repository, index: &Index, paths: &[&[u8]]) -> Result<HashSet<Vec<u8>>, GitError> {
    // No pathspec at all would mean every file.
    if paths.is_empty() {
        return Ok(HashSet::new());
    }
    Ok(touched(&working_changes(repo, index, paths)?).into_iter().collect())
}

/// An index that holds the new files alone, without times: comparing with it hashes the files.
fn index_of_new(changes: &[PathChange]) -> Result<Index, git2::Error> {
    let mut index = Index::new()?;
    for change in changes {
        if let Some(entry) = change.new.filter(|entry| entry.mode != Mode::Submodule) {
            index.add(&timeless_entry(&change.path, entry))?;
        }
    }
    Ok(index)
}

fn timeless_entry(path: &[u8], entry: Entry) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: entry.mode.stored().into(),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: entry.id,
        flags: 0,
        flags_extended: 0,
        path: path.to_vec(),
    }
}

fn apply(
    upstream: &Upstream,
    staging: &Staging<'_>,
    index: &mut Index,
    changes: &[PathChange],
    states: &[State],
    left: &mut Vec<String>,
) -> Result<(), GitError> {
    let failed = || GitError::git("update the index");
    // Removals first: a file may take the place of a folder, and the other way round.
    let removals = changes.iter().zip(states).filter(|(change, _)| change.new.is_none());
    for (change, state) in removals {
        match state {
            State::Other => left.push(printable(&change.path)),
            State::Old => remove(upstream.worktree(), &change.path)?,
            State::New(_) => {}
        }
        if !matches!(state, State::Other) {
            index.remove(as_path(&change.path), 0).or_else(missing_is_done).map_err(failed())?;
        }
    }
    for (change, state) in changes.iter().zip(states) {
        let Some(new) = change.new else { continue };
        let in_the_way = change.old.is_none() && blocked(upstream.worktree(), &change.path, |_| false);
        let placed = match state {
            State::Old if !in_the_way => staging.place(&change.path)?,
            State::New(found) => found.clone(),
            State::Old | State::Other => None,
        };
        match placed {
            Some(found) => {
                index.add(&index_entry(change.path.clone(), new, &found)).map_err(failed())?;
            }
            None => left.push(printable(&change.path)),
        }
    }
    left.sort();
    Ok(())
}

fn missing_is_done(error: git2::Error) -> Result<(), git2::Error> {
    if error.code() == git2::ErrorCode::NotFound { Ok(()) } else { Err(error) }
}

/// Removes a file, and the folders that it leaves empty.
fn remove(worktree: &Path, path: &[u8]) -> Result<(), GitError> {
    let target = worktree.join(as_path(path));
    match fault::point!("checkout.remove", fs::remove_file(&target)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(GitError::io("remove", target)(error)),
    }
    let mut folder = target.parent();
    while let Some(parent) = folder.filter(|parent| *parent != worktree) {
        if remove_folder(parent).is_err() {
            break;
        }
        folder = parent.parent();
    }
    Ok(())
}
