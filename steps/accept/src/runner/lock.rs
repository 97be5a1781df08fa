//! One run at a time writes to an output folder. The folder itself is locked, so that nothing is left when a run dies.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("another run of accept writes to {0}; wait for its end, or give another folder with --out DIR")]
    Held(PathBuf),
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
    /// Takes the folder, where there is one; creates nothing.
    pub fn take(out: &Path) -> Result<Self, LockError> {
        let mut lock = Self { out: out.to_owned(), held: None };
        if out.is_dir() {
            lock.hold()?;
        }
        Ok(lock)
    }

    /// Creates the folder where there is none, and takes it.
    pub fn create(&mut self) -> Result<(), LockError> {
        if self.held.is_none() {
            fs::create_dir_all(&self.out).map_err(|source| self.failed(source))?;
            self.hold()?;
        }
        Ok(())
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
        drop(first);
        second.create().unwrap();
    }
}
