//! One writer: a lock held by the living process guards the repository's landing (design 3.4). The operating system
//! releases it when the process ends, so that a stale one never blocks.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use mycelium_schemas::id::RunId;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, IoContext},
    fault, saboteur,
};

/// A reader that looks who holds the lock has it for a moment: a writer tries again before it gives up.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Who holds the lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// When it took the lock.
    pub since: Timestamp,
    /// What it does, for example `run r1`.
    pub doing: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {} ({})", self.pid, self.host, self.since, self.doing)
    }
}

/// The held lock; dropping it releases it.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    path: PathBuf,
}

impl RunLock {
    /// Takes the lock of a repository, given its common git folder, or says who holds it.
    pub fn acquire(common_dir: &Path, doing: String) -> Result<Self, Error> {
        let path = common_dir.join("mycelium.lock");
        let mut file = loop {
            let file = Self::lock(&path)?;
            // A file that was removed since it was opened guards nothing: the next one would lock another.
            if is_at(&file, &path)? {
                break file;
            }
        };
        let holder = Holder { pid: std::process::id(), host: host_name(), since: Timestamp::now(), doing };
        fault::point!("lock.cut", file.set_len(0)).at("write", &path)?;
        file.rewind().at("write", &path)?;
        let text = serde_json::to_vec(&holder)?;
        fault::write_all!("lock.write", &mut file, &text).at("write", &path)?;
        Ok(Self { file, path })
    }

    fn lock(path: &Path) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = fault::point!("lock.open", options.open(path)).at("open", path)?;
        for tries_left in (0..TRIES).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if saboteur::is!("two-writers") => break,
                Err(TryLockError::WouldBlock) if tries_left > 0 => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked { holder: read_holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(source).at("lock", path),
            }
        }
        Ok(file)
    }

    /// Refuses to go on where the lock's file is no longer the one that is held: nobody else is kept out.
    pub fn still_held(&self) -> Result<(), Error> {
        if is_at(&self.file, &self.path)? { Ok(()) } else { Err(Error::LockLost { path: self.path.clone() }) }
    }
}

/// Whether an open file is the one at the path.
fn is_at(file: &File, path: &Path) -> Result<bool, Error> {
    let held = file.metadata().at("look at", path)?;
    match path.metadata() {
        Ok(found) => Ok((found.dev(), found.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).at("look at", path),
    }
}

/// What a process that runs this run says it does.
pub fn doing(run: &RunId) -> String {
    format!("run {run}")
}

/// Who holds the lock of a repository now. Looking takes a shared lock for a moment and writes nothing.
pub fn holder(common_dir: &Path) -> Result<Option<Holder>, Error> {
    let path = common_dir.join("mycelium.lock");
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.at("open", &path)?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(read_holder(&mut file))),
        Err(TryLockError::Error(source)) => Err(source).at("lock", &path),
    }
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    // The holder may be writing just now; who it is only informs, that it holds the lock is certain.
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    read.unwrap_or(Holder {
        pid: 0,
        host: "unknown".into(),
        since: Timestamp::UNIX_EPOCH,
        doing: "starting".into(),
    })
}

/// The machine's name.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_whose_file_was_removed_or_replaced_is_not_held_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(dir.path(), "run r1".into()).unwrap();
        assert!(lock.still_held().is_ok());
        std::fs::remove_file(dir.path().join("mycelium.lock")).unwrap();
        assert!(matches!(lock.still_held(), Err(Error::LockLost { .. })));
        let second = RunLock::acquire(dir.path(), "run r2".into()).unwrap();
        assert!(matches!(lock.still_held(), Err(Error::LockLost { .. })));
        assert!(second.still_held().is_ok());
    }

    #[test]
    fn the_second_is_told_who_holds_it_and_a_dropped_lock_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let first = RunLock::acquire(dir.path(), "run r1".into()).unwrap();
        let Err(Error::Locked { holder: first_holder }) = RunLock::acquire(dir.path(), "run r2".into())
        else {
            panic!("the lock was given twice");
        };
        assert_eq!((first_holder.pid, first_holder.doing.as_str()), (std::process::id(), "run r1"));
        assert_eq!(holder(dir.path()).unwrap().unwrap().doing, "run r1");
        drop(first);
        assert!(holder(dir.path()).unwrap().is_none());
        assert!(RunLock::acquire(dir.path(), "run r3".into()).is_ok());
    }
}
