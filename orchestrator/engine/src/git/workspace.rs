//! Fresh folders that hold a commit's files: workspaces of tasks, and the doctor's scratch workspace.
//!
//! Each has a `.git` of its own, so that an agent can use git and reach neither the user's refs nor configuration.
//! The files are the blobs of the commit byte for byte: no filter, attribute, line-ending rule or hook touches them.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, symlink},
    path::Path,
};

use git2::{IndexEntry, IndexTime, Oid, Repository, RepositoryInitOptions};
use mycelium_schemas::id::CommitId;

use super::{
    commit::{AUTHOR_EMAIL, AUTHOR_NAME},
    ends::{Ends, go_on},
    error::GitError,
    oid::find_commit,
    quarantine::{self, Durability},
    tree::{Entry, Mode, as_path, flatten},
};
use crate::{fault, private};

/// Branch that a workspace's HEAD is on.
pub const WORKSPACE_BRANCH: &str = "mycelium";

/// Where a workspace's git finds the objects of its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In the object database that it was made from, with all of the history.
    Shared,
    /// In itself, whoever mounts it where: the commit alone, as in a shallow clone.
    Alone,
}

/// Makes the folder `dir`, which must not exist, with the files of `commit`.
///
/// `objects` is the object database to read from: the user's for a task, the quarantine's for the doctor. Submodules
/// become empty folders. A path that could escape is refused before anything is written outside `.git`.
pub fn create(
    dir: &Path,
    commit: &CommitId,
    objects: &Path,
    reach: Reach,
    ends: Ends<'_>,
) -> Result<(), GitError> {
    if let Some(parent) = dir.parent() {
        fault::point!("workspace.parents", private::make_dirs(parent))
            .map_err(GitError::io("create", parent))?;
    }
    fault::point!("workspace.folder", private::make_dir(dir)).map_err(GitError::io("create", dir))?;
    let mut options = RepositoryInitOptions::new();
    options.initial_head(WORKSPACE_BRANCH).no_reinit(true);
    let repo = quarantine::init(dir, &mut options, objects, Durability::None)?;
    if let Some(git_dir) = objects.parent() {
        quarantine::copy_shallow(git_dir, repo.path())?;
    }
    fault::point!("workspace.configure", configure(&repo)).map_err(GitError::git("configure a workspace"))?;
    fill(&repo, dir, commit, ends)?;
    match reach {
        Reach::Shared => Ok(()),
        Reach::Alone => stand_alone(&repo, commit, ends),
    }
}

/// Brings the commit's objects into the workspace and cuts it off from where they came from.
fn stand_alone(repo: &Repository, commit: &CommitId, ends: Ends<'_>) -> Result<(), GitError> {
    let failed = || GitError::git("bring a commit's objects into a workspace");
    let id = find_commit(repo, commit)?.id();
    let mut pack = repo.packbuilder().map_err(failed())?;
    pack.insert_commit(id).map_err(failed())?;
    go_on(ends)?;
    let folder = repo.path().join("objects/pack");
    fault::point!("engine.pack", pack.write(&folder, 0o444)).map_err(failed())?;
    let shallow = repo.path().join("shallow");
    fault::point!("engine.shallow", fs::write(&shallow, format!("{id}\n")))
        .map_err(GitError::io("write", shallow))?;
    let alternates = repo.path().join("objects/info/alternates");
    fault::point!("engine.cut_off", fs::remove_file(&alternates)).map_err(GitError::io("remove", alternates))
}

/// Lets an agent commit without a configuration of its own, keeps its git from changing line endings, and from
/// packing in the background while the files are read.
fn configure(repo: &Repository) -> Result<(), git2::Error> {
    let mut config = repo.config()?;
    config.set_str("user.name", AUTHOR_NAME)?;
    config.set_str("user.email", AUTHOR_EMAIL)?;
    config.set_bool("core.autocrlf", false)?;
    config.set_i32("gc.auto", 0)?;
    config.set_bool("maintenance.auto", false)
}

fn fill(repo: &Repository, dir: &Path, commit: &CommitId, ends: Ends<'_>) -> Result<(), GitError> {
    let commit = find_commit(repo, commit)?;
    let tree = commit.tree().map_err(GitError::git("read a commit's tree"))?;
    let mut index = repo.index().map_err(GitError::git("open a workspace's index"))?;
    let mut folders = HashSet::new();
    for (path, entry) in flatten(repo, &tree)? {
        go_on(ends)?;
        make_parents(dir, &path, &mut folders)?;
        let target = dir.join(as_path(&path));
        write_entry(repo, &target, entry).map_err(|failure| failure.at(&target))?;
        let metadata = fs::symlink_metadata(&target).map_err(GitError::io("read", &target))?;
        index.add(&index_entry(path, entry, &metadata)).map_err(GitError::git("fill a workspace's index"))?;
    }
    fault::point!("workspace.index", index.write()).map_err(GitError::git("write a workspace's index"))?;
    // Written by hand: libgit2 would fsync it, and a workspace need not survive a power cut.
    let branch = repo.path().join("refs/heads").join(WORKSPACE_BRANCH);
    fault::point!("workspace.branch", fs::write(&branch, format!("{}\n", commit.id())))
        .map_err(GitError::io("write", branch))
}

/// Makes the folders above a file. `create_dir` fails on anything that is there, a planted link above all.
fn make_parents(dir: &Path, path: &[u8], made: &mut HashSet<Vec<u8>>) -> Result<(), GitError> {
    for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let folder = &path[..slash];
        if made.insert(folder.to_vec()) {
            let target = dir.join(as_path(folder));
            make_folder(&target).map_err(GitError::io("create", &target))?;
        }
    }
    Ok(())
}

fn make_folder(path: &Path) -> io::Result<()> {
    fault::point!("workspace.subfolder", fs::create_dir(path))
}

enum WriteFailure {
    Blob(Oid, git2::Error),
    Io(io::Error),
}

impl WriteFailure {
    fn at(self, path: &Path) -> GitError {
        match self {
            Self::Blob(id, source) => {
                GitError::git(format!("read the blob {id} of {}", path.display()))(source)
            }
            Self::Io(source) => GitError::io("write", path)(source),
        }
    }
}

fn write_entry(repo: &Repository, target: &Path, entry: Entry) -> Result<(), WriteFailure> {
    let io = WriteFailure::Io;
    if entry.mode == Mode::Submodule {
        return make_folder(target).map_err(io);
    }
    let blob = repo.find_blob(entry.id).map_err(|error| WriteFailure::Blob(entry.id, error))?;
    let mode = if entry.mode == Mode::Executable { 0o777 } else { 0o666 };
    if entry.mode == Mode::Link {
        return fault::point!("workspace.link", symlink(as_path(blob.content()), target)).map_err(io);
    }
    let mut file = fault::point!("workspace.file", create_file(target, mode)).map_err(io)?;
    fault::write_all!("workspace.write", &mut file, blob.content()).map_err(io)
}

fn create_file(target: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(target)
}

/// The index entry of a file just written, with its times and sizes, so that git sees it as unchanged.
pub(super) fn index_entry(path: Vec<u8>, entry: Entry, metadata: &fs::Metadata) -> IndexEntry {
    // A submodule's folder has no times that git would compare.
    let known = entry.mode != Mode::Submodule;
    // The index keeps the low 32 bits of each field, as git does.
    #[expect(clippy::cast_possible_truncation, reason = "the index holds 32 bits")]
    let low = |value: u64| if known { value as u32 } else { 0 };
    let time = |seconds: i64, nanoseconds: i64| {
        IndexTime::new(low(seconds.cast_unsigned()).cast_signed(), low(nanoseconds.cast_unsigned()))
    };
    IndexEntry {
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        dev: low(metadata.dev()),
        ino: low(metadata.ino()),
        mode: entry.mode.stored().into(),
        uid: low(u64::from(metadata.uid())),
        gid: low(u64::from(metadata.gid())),
        file_size: low(metadata.size()),
        id: entry.id,
        flags: 0,
        flags_extended: 0,
        path,
    }
}
