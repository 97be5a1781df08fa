//! The walk over a hostile folder: each step goes through an open folder by name and never through a path, so that
//! no link swapped in meanwhile can lead it outside.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, Read as _},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use git2::{ObjectType, Oid};
use mycelium_schemas::path::is_git_dir_name;
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode as Permissions, OFlags, fstat, open, openat, readlinkat, statat},
    io::Errno,
};

use super::{
    ends::go_on,
    error::GitError,
    gather::Gather,
    ignore_rules::IgnoreRules,
    link,
    tree::{DEPTH_MAX, Entry, Files, Mode, as_path},
};
use crate::saboteur;

/// Largest new or changed file taken, in bytes: the limit of the large public git hosts.
pub const FILE_BYTES_MAX: u64 = 100 * 1024 * 1024;

/// Longest line of a `.gitattributes`, in bytes; git's fsck rejects a longer one.
const ATTRIBUTES_LINE_MAX: usize = 2048;

/// What the walk found.
#[derive(Default)]
pub(super) struct Found {
    /// Files and links that are tracked or not ignored; the blobs of changed ones are written.
    pub(super) present: Files,
    /// What cannot be taken, and why.
    pub(super) refused: BTreeMap<Vec<u8>, String>,
}

impl Found {
    /// True where the base's entry stays, since the path or a folder above it was refused.
    pub(super) fn keeps(&self, path: &[u8]) -> bool {
        let folders =
            path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(slash, _)| &path[..slash]);
        folders.chain([path]).any(|path| self.refused.contains_key(path))
    }
}

/// Walks the workspace `dir`. `.git` at its top is ours and not looked at; any other spelling or place is refused.
pub(super) fn scan(
    dir: &Path,
    gather: &Gather<'_>,
    base: &Files,
    rules: &IgnoreRules,
) -> Result<Found, GitError> {
    let root = open(dir, folder_flags(), Permissions::empty()).map_err(|errno| match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => GitError::WorkspaceGone { path: dir.to_owned() },
        errno => GitError::io("open", dir)(errno.into()),
    })?;
    let folders = base.keys().flat_map(|path| {
        path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(slash, _)| &path[..slash])
    });
    let mut walk =
        Walk { dir, gather, base, tracked_folders: folders.collect(), rules, found: Found::default() };
    walk.folder(&root, &Vec::new(), 0, false)?;
    Ok(walk.found)
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

struct Walk<'a> {
    dir: &'a Path,
    gather: &'a Gather<'a>,
    base: &'a Files,
    tracked_folders: HashSet<&'a [u8]>,
    rules: &'a IgnoreRules,
    found: Found,
}

/// A file's state once opened.
enum Taken {
    Entry(Entry),
    Refused(String),
}

impl Walk<'_> {
    fn folder(&mut self, folder: &OwnedFd, path: &[u8], depth: usize, ignored: bool) -> Result<(), GitError> {
        for name in names(folder).map_err(|error| self.failed("list", path, error))? {
            if path.is_empty() && name == b".git" {
                continue;
            }
            let below = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
            self.step(folder.as_fd(), &name, below, depth, ignored)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: Vec<u8>,
        depth: usize,
        in_ignored: bool,
    ) -> Result<(), GitError> {
        go_on(self.gather.ends)?;
        let file_type = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(self.failed("read", &path, errno)),
        };
        let is_folder = file_type == FileType::Directory;
        let tracked = if is_folder {
            self.tracked_folders.contains(path.as_slice()) || self.base.contains_key(&path)
        } else {
            self.base.contains_key(&path)
        };
        let ignored = in_ignored || self.rules.ignores(&path, is_folder);
        if ignored && !tracked {
            return Ok(());
        }
        if is_git_dir_name(&String::from_utf8_lossy(name)) {
            self.refuse(path, "names git's own folder");
            return Ok(());
        }
        if self.base.get(&path).is_some_and(|entry| entry.mode == Mode::Submodule) {
            return self.submodule(parent, name, path, is_folder);
        }
        let taken = match file_type {
            FileType::Directory => return self.descend(parent, name, path, depth, ignored),
            FileType::RegularFile => self.file(parent, name, &path)?,
            FileType::Symlink => self.link(parent, name, &path)?,
            _ => Taken::Refused("is a FIFO, socket or device".to_owned()),
        };
        match taken {
            Taken::Entry(entry) => drop(self.found.present.insert(path, entry)),
            Taken::Refused(why) => self.refuse(path, why),
        }
        Ok(())
    }

    fn descend(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: Vec<u8>,
        depth: usize,
        ignored: bool,
    ) -> Result<(), GitError> {
        if depth == DEPTH_MAX {
            self.refuse(path, format!("lies deeper than {DEPTH_MAX} folders"));
            return Ok(());
        }
        match openat(parent, name, folder_flags(), Permissions::empty()) {
            Ok(folder) => self.folder(&folder, &path, depth + 1, ignored),
            Err(errno) => {
                let why = self.unreadable(&path, errno)?;
                self.refuse(path, why);
                Ok(())
            }
        }
    }

    /// A submodule is an empty folder in a workspace; what an agent puts there or in its place cannot land.
    fn submodule(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: Vec<u8>,
        is_folder: bool,
    ) -> Result<(), GitError> {
        let empty = is_folder
            && match openat(parent, name, folder_flags(), Permissions::empty()) {
                Ok(folder) => names(&folder).map_err(|error| self.failed("list", &path, error))?.is_empty(),
                Err(_) => false,
            };
        if !empty {
            self.refuse(path, "is a submodule, which a task cannot change");
        }
        Ok(())
    }

    fn file(&self, parent: BorrowedFd<'_>, name: &[u8], path: &[u8]) -> Result<Taken, GitError> {
        // Non-blocking, should a FIFO have taken the file's place since it was looked at.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat(parent, name, flags, Permissions::empty()) {
            Ok(file) => file,
            Err(errno) => return Ok(Taken::Refused(self.unreadable(path, errno)?)),
        };
        let stat = fstat(&file).map_err(|errno| self.failed("read", path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(Taken::Refused("changed while it was read".to_owned()));
        }
        let limit = FILE_BYTES_MAX.max(self.base_size(path));
        let mut data = Vec::new();
        File::from(file)
            .take(limit + 1)
            .read_to_end(&mut data)
            .map_err(|error| self.failed("read", path, error))?;
        if data.len() as u64 > limit {
            return Ok(Taken::Refused(format!("is larger than {limit} bytes")));
        }
        let mode = if stat.st_mode & 0o100 == 0 { Mode::File } else { Mode::Executable };
        self.take(path, mode, &data)
    }

    fn link(&self, parent: BorrowedFd<'_>, name: &[u8], path: &[u8]) -> Result<Taken, GitError> {
        match readlinkat(parent, name, Vec::new()) {
            Ok(target) => self.take(path, Mode::Link, target.as_bytes()),
            Err(errno) => Ok(Taken::Refused(self.unreadable(path, errno)?)),
        }
    }

    /// The entry of this content. What differs from the base is judged, and its blob written.
    fn take(&self, path: &[u8], mode: Mode, data: &[u8]) -> Result<Taken, GitError> {
        let id = Oid::hash_object(ObjectType::Blob, data).map_err(GitError::git("hash a file"))?;
        let entry = Entry { mode, id };
        if self.base.get(path) == Some(&entry) {
            return Ok(Taken::Entry(entry));
        }
        let refusal = match mode {
            Mode::Link if saboteur::is!("follow-symlink") => None,
            Mode::Link => link::refusal(path, data),
            _ => poison(path, data),
        };
        if let Some(why) = refusal {
            return Ok(Taken::Refused(why.to_owned()));
        }
        if data.len() as u64 > FILE_BYTES_MAX {
            return Ok(Taken::Refused(format!("is larger than {FILE_BYTES_MAX} bytes")));
        }
        self.gather.add(id, data)?;
        Ok(Taken::Entry(entry))
    }

    /// Size of the base's file; none is read further than it needs to be to see a difference.
    fn base_size(&self, path: &[u8]) -> u64 {
        let Some(entry) = self.base.get(path) else { return 0 };
        let header = self.gather.repo.odb().and_then(|odb| odb.read_header(entry.id));
        header.map_or(0, |(size, _)| size as u64)
    }

    /// Why something cannot be opened, where the workspace is the cause; else the failure of the machine.
    fn unreadable(&self, path: &[u8], errno: Errno) -> Result<String, GitError> {
        match errno {
            Errno::ACCESS | Errno::PERM => Ok("cannot be read: permission denied".to_owned()),
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::INVAL => {
                Ok("changed while it was read".to_owned())
            }
            errno => Err(self.failed("open", path, errno)),
        }
    }

    fn failed(&self, action: &'static str, path: &[u8], error: impl Into<io::Error>) -> GitError {
        GitError::io(action, self.dir.join(as_path(path)))(error.into())
    }

    fn refuse(&mut self, path: Vec<u8>, why: impl Into<String>) {
        self.found.refused.insert(path, why.into());
    }
}

/// Names in a folder, sorted: the order of a listing differs between file systems.
fn names(folder: &OwnedFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    names.sort();
    Ok(names)
}

/// Why a file's content would spoil the repository for others: git's fsck, which servers run, rejects it.
fn poison(path: &[u8], data: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(path).to_lowercase();
    let name = text.rsplit('/').next().unwrap_or_default();
    if text == ".gitmodules" || text.starts_with("gitmod~") {
        return Some("configures submodules, which a task cannot change");
    }
    if name == ".gitattributes" && data.split(|byte| *byte == b'\n').any(|l| l.len() >= ATTRIBUTES_LINE_MAX) {
        return Some("has a line that is too long for git");
    }
    None
}
