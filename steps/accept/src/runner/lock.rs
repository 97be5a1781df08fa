//! One run at a time writes to an output folder, and only to one that is no other's. The folder itself is locked, so that
//! nothing is left when a run dies; a mark in it says that its results may be cleared away.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::store::{MESSAGES, PLANNING, UNFINISHED};

/// Name of the file that says whose folder it is.
const MARK: &str = ".accept";
const MARK_TEXT: &str = "accept writes its results into this folder, and removes those of the run before.\n";

/// The folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("another run of accept writes to {0}; wait for its end, or give another folder with --out DIR")]
    Held(PathBuf),
    /// Something else stands there.
    #[error("{0} is no folder; give another one with --out DIR")]
    NoFolder(PathBuf),
    /// It holds something, and accept did not make it.
    #[error(
        "the output folder {0} holds what accept did not write, and a run removes what was there; give another folder \
         with --out DIR, or an empty one"
    )]
    NotOurs(PathBuf),
    /// It cannot be created or opened.
    #[error("cannot use the output folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The right to write to an output folder, until it is dropped.
#[derive(Debug)]
pub struct OutLock {
    out: PathBuf,
    /// None as long as there is no such folder.
    held: Option<File>,
}

impl OutLock {
    /// Takes the folder to replace what is in it, where there is one; creates nothing. Refuses one with something in it
    /// that accept did not make.
    pub fn take(out: &Path) -> Result<Self, LockError> {
        let lock = Self::take_results(out)?;
        if lock.held.is_some() && !is_ours(out).map_err(|source| lock.failed(source))? {
            return Err(LockError::NotOurs(out.to_owned()));
        }
        Ok(lock)
    }

    /// Takes the folder to write beside the results in it, whoever brought them there.
    pub fn take_results(out: &Path) -> Result<Self, LockError> {
        let mut lock = Self { out: out.to_owned(), held: None };
        if let Some(there) = out.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir()) {
            return Err(LockError::NoFolder(there.to_owned()));
        }
        match fs::metadata(out) {
            Ok(_) => lock.hold()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(lock.failed(error)),
        }
        Ok(lock)
    }

    /// Creates the folder where there is none, takes it, and says in it that it is accept's.
    pub fn create(&mut self) -> Result<(), LockError> {
        if self.held.is_none() {
            fs::create_dir_all(&self.out).map_err(|source| self.failed(source))?;
            self.hold()?;
        }
        fs::write(self.out.join(MARK), MARK_TEXT).map_err(|source| self.failed(source))
    }

    /// Whether there is such a folder.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    fn hold(&mut self) -> Result<(), LockError> {
        let folder = File::open(&self.out).map_err(|source| self.failed(source))?;
        match folder.try_lock() {
            Ok(()) => self.held = Some(folder),
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(self.out.clone())),
            Err(TryLockError::Error(source)) => return Err(self.failed(source)),
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> LockError {
        LockError::Folder { path: self.out.clone(), source }
    }
}

impl Drop for OutLock {
    fn drop(&mut self) {
        // Closing it would not do: a process that another thread is just starting holds a copy of it until it has begun.
        // Where this fails, the folder is let go with the last copy.
        let _unlocked = self.held.as_ref().map(File::unlock);
    }
}

/// Whether a folder may be cleared: nothing is in it, it has the mark, or the stream of a run, which a copy of a folder
/// brings along without what is hidden.
fn is_ours(out: &Path) -> io::Result<bool> {
    let is_empty = fs::read_dir(out)?.next().is_none();
    Ok(is_empty || [MARK, MESSAGES, UNFINISHED, PLANNING].into_iter().any(|name| out.join(name).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_run_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("target/out");
        let mut first = OutLock::take(&out).unwrap();
        assert!(!out.exists(), "to ask is to create");
        let mut second = OutLock::take(&out).unwrap();
        first.create().unwrap();
        assert!(matches!(second.create(), Err(LockError::Held(_))));
        assert!(matches!(OutLock::take(&out), Err(LockError::Held(_))));
        // What a process holds that is just being started.
        let _copy = first.held.as_ref().unwrap().try_clone().unwrap();
        drop(first);
        second.create().unwrap();
    }
}
