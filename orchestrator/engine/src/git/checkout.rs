//! Whether the user's checkout of the integration branch may be fast-forwarded. Reads only.
//!
//! Files are judged as git does: an index entry whose times and size still match is unchanged, else the content is
//! hashed by the rules of the repository's own configuration and attributes. Rules from `~/.gitconfig` are not seen
//! (see [`super::setup`]): a checkout made with a global `core.autocrlf` is clean as long as its index is fresh.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    thread,
    time::Duration,
};

use git2::{Delta, Diff, DiffOptions, Index, IndexEntry, IndexTime, Repository, RepositoryState};
use mycelium_schemas::id::CommitId;

use super::{
    error::GitError,
    index_lock,
    oid::{commit_tree, find_tree, to_id},
    quarantine::Quarantine,
    tree::{Entry, Mode, as_path, printable},
    upstream::Upstream,
};

const ASSUME_UNCHANGED: u16 = 0x8000;
const SKIP_WORKTREE: u16 = 0x4000;
/// How often a held index is looked at, and how long is waited between at first and at most: ten seconds in all. An
/// editor asks for the status every now and then; the work of a night must not end there.
const LOCK_TRIES: u32 = 25;
const LOCK_WAIT: Duration = Duration::from_millis(25);
const LOCK_WAIT_MAX: Duration = Duration::from_millis(500);

/// What keeps the checkout from being fast-forwarded: paths, and states such as a merge in progress. Empty where it
/// is clean.
///
/// Asked only where the branch is checked out here. Dirty are the index and tracked files that differ from HEAD and,
/// where a commit of the quarantine is about to land, anything untracked in its way. Files that git was told not to look
/// at are looked at. `.mycelium/` is exempt.
///
/// An index that another git process holds is waited for a bounded time; then it is an error of the environment.
pub fn dirty(
    upstream: &Upstream,
    incoming: Option<(&Quarantine, &CommitId)>,
) -> Result<Vec<String>, GitError> {
    dirty_unless(upstream, incoming, || false)
}

/// As [`dirty`], but where the index is held it is no longer waited for once the wait is to end.
pub fn dirty_unless(
    upstream: &Upstream,
    incoming: Option<(&Quarantine, &CommitId)>,
    ends: impl Fn() -> bool,
) -> Result<Vec<String>, GitError> {
    await_index(upstream, ends)?;
    let repo = upstream.open()?;
    let mut reasons = states(&repo);
    let head = repo.head().and_then(|head| head.peel_to_tree()).map_err(GitError::git("read HEAD"))?;
    let index = repo.index().map_err(unreadable(upstream))?;
    let mut paths = BTreeSet::new();
    let staged = repo
        .diff_tree_to_index(Some(&head), Some(&index), None)
        .map_err(GitError::git("compare the index with HEAD"))?;
    paths.extend(touched(&staged));
    let hidden = hidden(&repo, &index)?;
    let working = touched(&working_changes(&repo, &index, &[])?);
    paths.extend(working.into_iter().filter(|path| !hidden.contains_key(path)));
    let mut in_hiding: BTreeSet<&[u8]> =
        hidden.iter().filter(|(_, file)| file.changed).map(|(path, _)| path.as_slice()).collect();
    if let Some((quarantine, new)) = incoming {
        let source = quarantine.open()?;
        let head = find_tree(&source, &to_id(head.id())?)?;
        for change in changes(&source, &head, &commit_tree(&source, new)?)? {
            if let Some((path, _)) = hidden.get_key_value(&change.path) {
                in_hiding.insert(path);
            } else if in_the_way(upstream, &index, &change) {
                paths.insert(change.path);
            }
        }
    }
    let ours = |path: &[u8]| path.starts_with(b".mycelium/") || path == b".mycelium";
    reasons.extend(paths.iter().filter(|path| !ours(path)).map(|path| printable(path)));
    let say = |path: &&[u8]| hidden.get(*path).filter(|_| !ours(path)).map(|file| file.say(path));
    reasons.extend(in_hiding.iter().filter_map(say));
    Ok(reasons)
}

/// A path that differs between two trees.
pub(super) struct PathChange {
    pub(super) path: Vec<u8>,
    pub(super) old: Option<Entry>,
    pub(super) new: Option<Entry>,
}

/// The paths that differ between two trees, in order.
pub(super) fn changes(
    repo: &Repository,
    old: &git2::Tree<'_>,
    new: &git2::Tree<'_>,
) -> Result<Vec<PathChange>, GitError> {
    let diff = repo
        .diff_tree_to_tree(Some(old), Some(new), Some(DiffOptions::new().include_typechange(true)))
        .map_err(GitError::git("compare two trees"))?;
    let entry = |file: git2::DiffFile<'_>| {
        (!file.id().is_zero()).then(|| Entry { mode: Mode::from_raw(file.mode().into()), id: file.id() })
    };
    let mut changes: Vec<_> = diff
        .deltas()
        .filter_map(|delta| {
            let path = delta.new_file().path_bytes().or(delta.old_file().path_bytes())?.to_vec();
            Some(PathChange { path, old: entry(delta.old_file()), new: entry(delta.new_file()) })
        })
        .collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

/// Tracked files that differ from the index, among `paths` or, where none are given, all. Submodules do not count.
pub(super) fn working_changes<'repo>(
    repo: &'repo Repository,
    index: &Index,
    paths: &[&[u8]],
) -> Result<Diff<'repo>, GitError> {
    let mut options = DiffOptions::new();
    options.ignore_submodules(true).disable_pathspec_match(true);
    for path in paths {
        options.pathspec(as_path(path));
    }
    repo.diff_index_to_workdir(Some(index), Some(&mut options))
        .map_err(GitError::git("compare the working tree with the index"))
}

/// Files that the user told git not to look at: what was told, and whether the file differs from the index.
struct Hidden {
    by: &'static str,
    changed: bool,
}

impl Hidden {
    fn say(&self, path: &[u8]) -> String {
        let changed = if self.changed { "changed, and " } else { "" };
        format!("{} ({changed}hidden from git by {})", printable(path), self.by)
    }
}

/// All hidden files of the index. One that `skip-worktree` leaves out is as it should be.
fn hidden(repo: &Repository, index: &Index) -> Result<BTreeMap<Vec<u8>, Hidden>, GitError> {
    let entries: Vec<IndexEntry> = index.iter().filter(is_hidden).collect();
    if entries.is_empty() {
        return Ok(BTreeMap::new());
    }
    let failed = || GitError::git("compare hidden files with the index");
    let mut shown = Index::new().map_err(failed())?;
    let never = IndexTime::new(0, 0);
    for entry in &entries {
        // Without the flags it is looked at, and without its times its content is hashed.
        let entry = IndexEntry {
            path: entry.path.clone(),
            ctime: never,
            mtime: never,
            flags: 0,
            flags_extended: 0,
            ..*entry
        };
        shown.add(&entry).map_err(failed())?;
    }
    let paths: Vec<&[u8]> = entries.iter().map(|entry| entry.path.as_slice()).collect();
    let differing: BTreeSet<Vec<u8>> = touched(&working_changes(repo, &shown, &paths)?).into_iter().collect();
    let absent = |path: &[u8]| {
        repo.workdir().is_none_or(|folder| folder.join(as_path(path)).symlink_metadata().is_err())
    };
    let judge = |entry: IndexEntry| {
        let skipped = entry.flags_extended & SKIP_WORKTREE != 0;
        let changed = differing.contains(&entry.path) && !(skipped && absent(&entry.path));
        let by = if skipped { "skip-worktree" } else { "assume-unchanged" };
        (entry.path, Hidden { by, changed })
    };
    Ok(entries.into_iter().map(judge).collect())
}

/// The paths of a diff.
pub(super) fn touched(diff: &Diff<'_>) -> Vec<Vec<u8>> {
    diff.deltas()
        .filter(|delta| delta.status() != Delta::Unmodified)
        .filter_map(|delta| {
            delta.new_file().path_bytes().or(delta.old_file().path_bytes()).map(<[u8]>::to_vec)
        })
        .collect()
}

/// Why an index cannot be opened; some features of git's own are not understood.
pub(super) fn unreadable(upstream: &Upstream) -> impl FnOnce(git2::Error) -> GitError {
    |source| {
        if source.message().contains("extension") {
            let reason = format!("{}; sparse and split indexes cannot be read", source.message());
            GitError::Unsupported { path: upstream.worktree().to_owned(), reason }
        } else {
            GitError::git("read the index")(source)
        }
    }
}

/// Waits a bounded time until no other git process changes the index: what it is about to hold is not known before. A
/// lock of ours is no reason to wait: whoever made it is dead, or is told by the lock of the repository.
fn await_index(upstream: &Upstream, ends: impl Fn() -> bool) -> Result<(), GitError> {
    patiently(upstream, ends, |lock| Ok(!lock.exists() || index_lock::is_ours(upstream.git_dir())))
}

/// Tries for a bounded time, or until it is stopped, what another git process keeps from being done that holds the index.
pub(super) fn patiently(
    upstream: &Upstream,
    ends: impl Fn() -> bool,
    done: impl Fn(&Path) -> Result<bool, GitError>,
) -> Result<(), GitError> {
    let lock = upstream.git_dir().join("index.lock");
    let mut wait = LOCK_WAIT;
    for _ in 0..LOCK_TRIES {
        if done(&lock)? {
            return Ok(());
        }
        if ends() {
            break;
        }
        thread::sleep(wait);
        wait = (wait * 2).min(LOCK_WAIT_MAX);
    }
    Err(GitError::Locked { path: lock })
}

/// True where the user told git not to look at the file: what it holds is unknown.
pub(super) fn is_hidden(entry: &IndexEntry) -> bool {
    entry.flags & ASSUME_UNCHANGED != 0 || entry.flags_extended & SKIP_WORKTREE != 0
}

/// True where something that no commit holds would be overwritten by, or blocks, a path that lands.
pub(super) fn blocked(worktree: &Path, path: &[u8], tracked: impl Fn(&[u8]) -> bool) -> bool {
    let parents = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(slash, _)| &path[..slash]);
    for parent in parents {
        match fs::symlink_metadata(worktree.join(as_path(parent))) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return !tracked(parent),
            Err(_) => return false,
        }
    }
    match fs::symlink_metadata(worktree.join(as_path(path))) {
        Ok(found) if found.is_dir() => holds_untracked(worktree, path, &tracked),
        Ok(_) => !tracked(path),
        Err(_) => false,
    }
}

fn holds_untracked(worktree: &Path, folder: &[u8], tracked: &impl Fn(&[u8]) -> bool) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    let Ok(entries) = fs::read_dir(worktree.join(as_path(folder))) else { return true };
    entries.into_iter().any(|entry| {
        let Ok(entry) = entry else { return true };
        let path = [folder, b"/", entry.file_name().as_bytes()].concat();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => holds_untracked(worktree, &path, tracked),
            _ => !tracked(&path),
        }
    })
}

fn in_the_way(upstream: &Upstream, index: &Index, change: &PathChange) -> bool {
    let tracked = |path: &[u8]| index.get_path(as_path(path), 0).is_some();
    change.new.is_some() && blocked(upstream.worktree(), &change.path, tracked)
}

fn states(repo: &Repository) -> Vec<String> {
    let mut found = Vec::new();
    let state = match repo.state() {
        RepositoryState::Clean => return found,
        RepositoryState::Merge => "a merge",
        RepositoryState::Revert | RepositoryState::RevertSequence => "a revert",
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "a cherry-pick",
        RepositoryState::Bisect => "a bisect",
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
            "a rebase"
        }
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => "the applying of patches",
    };
    found.push(format!("{state} is in progress"));
    found
}
