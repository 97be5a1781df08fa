//! The folder in which a run's scenarios get theirs. Its owner holds a lock in it as long as it lives, so that the next
//! run can tell what a dead one left behind, and clears it away.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::runner::leftovers;

const PREFIX: &str = "accept-";
const ALIVE: &str = "alive";

/// A run's folder, with the lock that says that the run lives.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
    _alive: File,
}

impl Scratch {
    /// Makes one below the folder of temporary files.
    pub(super) fn create() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // Locked before it has its name: whoever finds it by that must not take this run for dead.
        let unlocked = folder.path().join("alive.new");
        let alive = File::create(&unlocked)?;
        alive.lock_shared()?;
        fs::rename(&unlocked, folder.path().join(ALIVE))?;
        Ok(Self { folder, _alive: alive })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes the folder.
    pub(super) fn close(self) -> io::Result<()> {
        self.folder.close()
    }
}

/// Says of another process of the same run that it lives, as long as what is returned is kept.
pub(super) fn hold(scratch: &Path) -> io::Result<File> {
    let alive = File::open(scratch.join(ALIVE))?;
    alive.lock_shared()?;
    Ok(alive)
}

/// Ends and removes what runs that are dead left below the folder of temporary files. Returns the folders.
pub(super) fn clear_dead() -> Vec<PathBuf> {
    clear_dead_in(&std::env::temp_dir())
}

fn clear_dead_in(temporary: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(|folder| {
            // Somebody else's folder cannot be opened, and is none of ours.
            let Ok(alive) = File::open(folder.join(ALIVE)) else { return false };
            if alive.try_lock().is_err() {
                return false;
            }
            leftovers::kill_inside(folder);
            fs::remove_dir_all(folder).is_ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_dead_run_is_removed_and_that_of_a_living_one_is_not() {
        let temporary = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let folder = temporary.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(ALIVE), "").unwrap();
            folder
        };
        let dead = make("accept-dead");
        let living = make("accept-living");
        let other = make("other");
        let held = hold(&living).unwrap();
        assert_eq!(clear_dead_in(temporary.path()), [dead]);
        assert!(living.exists() && other.exists());
        // Not by closing it: a command that another test just starts may have it open until it is executed.
        held.unlock().unwrap();
        assert_eq!(clear_dead_in(temporary.path()), [living]);
    }
}
