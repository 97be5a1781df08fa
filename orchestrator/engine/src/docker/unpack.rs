//! A workspace out of the archive in which an engine gives it back. Whoever filled it may have meant harm: nothing of it
//! gets out of the folder, and there is an end to its size.
//!
//! The folder is empty at first and nobody else's, and a name goes only into folders that were made here, so that no name
//! of the archive ever leads through a link.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::OsStr,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{fault, private};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tar::{Entry, EntryType};

/// Bytes of a path with its end, as the kernel takes them (`PATH_MAX`).
const PATH_BYTES_MAX: usize = 4096;
/// Bytes of a name in a folder (`NAME_MAX`).
const NAME_BYTES_MAX: usize = 255;

/// What a workspace may hold when it is carried.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of all files together.
    pub(super) bytes: u64,
    /// Files, folders and links.
    pub(super) entries: u64,
    /// Bytes of all their paths together, which are kept in memory meanwhile.
    pub(super) names: u64,
}

/// Why it was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unpack {
    /// The archive itself is at fault; why.
    #[error("{0}")]
    Refused(String),
    /// It could not be read to its end.
    #[error("reading the archive")]
    Read(#[source] io::Error),
    /// This machine cannot write.
    #[error("{path}")]
    Write {
        /// What was written.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Unpacks what lies below `root` in an archive into an empty folder.
pub(super) fn unpack(archive: impl Read, root: &str, into: &Path, limits: Limits) -> Result<(), Unpack> {
    let mut made = Made {
        root,
        into,
        limits,
        taken: Limits::default(),
        folders: BTreeMap::new(),
        files: HashSet::new(),
        others: HashSet::new(),
    };
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().map_err(Unpack::Read)? {
        made.add(&mut entry.map_err(Unpack::Read)?)?;
    }
    made.finish()
}

/// A path below the workspace, as the archive spells it.
type Inside = Vec<u8>;

struct Made<'a> {
    root: &'a str,
    into: &'a Path,
    limits: Limits,
    taken: Limits,
    /// With the permissions that they get once all is in them.
    folders: BTreeMap<Inside, u32>,
    files: HashSet<Inside>,
    others: HashSet<Inside>,
}

impl Made<'_> {
    fn add(&mut self, entry: &mut Entry<'_, impl Read>) -> Result<(), Unpack> {
        let path = self.inside(&entry.path_bytes())?;
        if path.is_empty() {
            return Ok(());
        }
        self.count(&path, entry.size())?;
        let (target, mode) =
            (self.into.join(OsStr::from_bytes(&path)), entry.header().mode().unwrap_or(0o600) & 0o777);
        let failed = |source| Unpack::Write { path: target.clone(), source };
        match entry.header().entry_type() {
            EntryType::Directory => {
                fault::point!("carried.folder", private::make_dir(&target)).map_err(failed)?;
                self.folders.insert(path, mode);
                return Ok(());
            }
            EntryType::Regular => {
                write(entry, &target, mode)?;
                self.files.insert(path);
                return Ok(());
            }
            EntryType::Symlink => {
                let to = entry.link_name_bytes().filter(|to| !to.is_empty());
                let to = to.ok_or_else(|| refused(&path, "is a link to nothing"))?;
                fault::point!("carried.link", symlink(OsStr::from_bytes(&to), &target)).map_err(failed)?;
            }
            EntryType::Link => {
                let to = self.inside(&entry.link_name_bytes().unwrap_or_default())?;
                if !self.files.contains(&to) {
                    return Err(refused(&path, "is another name of what is not a file of the workspace"));
                }
                let to = self.into.join(OsStr::from_bytes(&to));
                fault::point!("carried.name", fs::hard_link(to, &target)).map_err(failed)?;
            }
            EntryType::Fifo => {
                let made = mknodat(CWD, &target, FileType::Fifo, Mode::from_raw_mode(mode), 0);
                made.map_err(|error| failed(error.into()))?;
            }
            _ => return Err(refused(&path, "is neither file nor folder nor link")),
        }
        self.others.insert(path);
        Ok(())
    }

    /// The path below the workspace; empty for the workspace itself.
    fn inside(&self, spelled: &[u8]) -> Result<Inside, Unpack> {
        let mut parts = spelled.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
        if parts.next() != Some(self.root.as_bytes()) || spelled.starts_with(b"/") {
            return Err(refused(spelled, "is not in the workspace"));
        }
        let parts: Vec<&[u8]> = parts.collect();
        if parts.contains(&b"..".as_slice()) {
            return Err(refused(spelled, "leads out of the workspace"));
        }
        let path = parts.join(&b'/');
        let whole = self.into.as_os_str().len() + 1 + path.len() + 1;
        if whole > PATH_BYTES_MAX || parts.iter().any(|part| part.len() > NAME_BYTES_MAX) || path.contains(&0)
        {
            return Err(refused(spelled, "is a name that this machine cannot have"));
        }
        Ok(path)
    }

    /// Takes a new entry into account: it is in a folder that was made here, nobody was there before, and there is room.
    fn count(&mut self, path: &[u8], size: u64) -> Result<(), Unpack> {
        let parent = path.iter().rposition(|byte| *byte == b'/').map_or(&[][..], |at| &path[..at]);
        if !parent.is_empty() && !self.folders.contains_key(parent) {
            return Err(refused(path, "is in no folder of the workspace"));
        }
        if self.folders.contains_key(path) || self.files.contains(path) || self.others.contains(path) {
            return Err(refused(path, "is there twice"));
        }
        let (limits, taken) = (self.limits, &mut self.taken);
        let take = |taken: &mut u64, size: u64, limit: u64, what: &str| {
            *taken = taken.saturating_add(size);
            if *taken > limit {
                return Err(Unpack::Refused(format!("there are more than {limit} {what}")));
            }
            Ok(())
        };
        take(&mut taken.entries, 1, limits.entries, "files")?;
        take(&mut taken.names, path.len() as u64, limits.names, "bytes of names")?;
        take(&mut taken.bytes, size, limits.bytes, "bytes")
    }

    /// Gives the folders their permissions, the inner ones first.
    fn finish(self) -> Result<(), Unpack> {
        for (path, mode) in self.folders.iter().rev() {
            let path = self.into.join(OsStr::from_bytes(path));
            let mode = Permissions::from_mode(*mode);
            fault::point!("carried.mode", fs::set_permissions(&path, mode))
                .map_err(|source| Unpack::Write { path, source })?;
        }
        Ok(())
    }
}

fn write(entry: &mut Entry<'_, impl Read>, target: &Path, mode: u32) -> Result<(), Unpack> {
    let failed = |source| Unpack::Write { path: target.to_owned(), source };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(target).map_err(failed)?;
    let size = entry.size();
    copy(entry, &mut file, size, target)?;
    let time = entry.header().mtime().unwrap_or_default();
    // A time that this machine cannot have is none.
    if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time)) {
        let _kept = file.set_modified(time);
    }
    file.set_permissions(Permissions::from_mode(mode)).map_err(failed)
}

/// Copies a file and tells apart who failed.
fn copy(from: &mut impl Read, to: &mut File, size: u64, target: &Path) -> Result<(), Unpack> {
    let mut buffer = vec![0; 64 * 1024];
    let mut copied = 0;
    loop {
        let read = from.read(&mut buffer).map_err(Unpack::Read)?;
        if read == 0 {
            break;
        }
        fault::write_all!("carried.file", to, &buffer[..read])
            .map_err(|source| Unpack::Write { path: target.to_owned(), source })?;
        copied += read as u64;
    }
    if copied < size {
        return Err(Unpack::Read(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

fn refused(path: &[u8], why: &str) -> Unpack {
    Unpack::Refused(format!("`{}` {why}", String::from_utf8_lossy(path).escape_debug()))
}

#[cfg(test)]
#[path = "tests/unpack.rs"]
mod tests;
