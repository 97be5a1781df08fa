//! Processes that outlive their scenario. A scenario's home lies in its folder, so whatever it started carries the folder
//! in its environment and is found by it, however it was orphaned.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    process, thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// How often, and how long between, to look whether all of them are gone.
const ROUNDS_MAX: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Kills every process that was started inside a folder; says how many there were. Does nothing where the system has no
/// `/proc`.
pub fn kill_inside(folder: &Path) -> usize {
    let mut killed: Vec<i32> = Vec::new();
    let mut quiet = 0;
    for _ in 0..ROUNDS_MAX {
        let found = find_inside(folder);
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        // Once is not enough: a process that is just being started has no environment yet.
        if quiet == 2 {
            break;
        }
        for pid in found {
            if let Some(target) = Pid::from_raw(pid) {
                // It may have ended by itself meanwhile.
                let _ = kill_process(target, Signal::KILL);
            }
            if !killed.contains(&pid) {
                killed.push(pid);
            }
        }
        thread::sleep(PAUSE);
    }
    killed.len()
}

/// The processes that were started inside a folder and live.
pub fn find_inside(folder: &Path) -> Vec<i32> {
    living(folder).into_iter().map(|process| process.pid).collect()
}

/// A process that was started inside a folder and lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its id.
    pub pid: i32,
    /// Which entry of the folder it belongs to.
    pub entry: OsString,
    /// Its command line.
    pub command: String,
}

/// The processes that stay alive inside some of a folder's entries, although they had time to end.
pub fn lasting(folder: &Path, is_meant: impl Fn(&OsStr) -> bool) -> Vec<Leftover> {
    let look = || -> Vec<Leftover> {
        living(folder).into_iter().filter(|process| is_meant(&process.entry)).collect()
    };
    let mut found = look();
    for _ in 0..ROUNDS_MAX {
        if found.is_empty() {
            break;
        }
        thread::sleep(PAUSE);
        found = look();
    }
    found
}

fn living(folder: &Path) -> Vec<Leftover> {
    let mut needle = folder.as_os_str().as_bytes().to_vec();
    // Below the folder: this program itself knows the folder by name.
    needle.push(b'/');
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| u32::try_from(*pid).is_ok_and(|pid| pid != process::id()))
        .filter_map(|pid| {
            // Another user's process, or one that just ended, cannot be read and is none of ours.
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            let at = environment.windows(needle.len()).position(|window| window == needle)?;
            let name = environment[at + needle.len()..].split(|byte| matches!(byte, b'/' | 0)).next()?;
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
            Some(Leftover { pid, entry: OsStr::from_bytes(name).to_owned(), command })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    #[test]
    fn a_process_that_lives_in_the_folder_is_killed_and_no_other() {
        let ours = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let start = |home: &Path| {
            Sleeper(Command::new("sleep").arg("600").env("HOME", home.join("home")).spawn().unwrap())
        };
        let mut inside = start(ours.path());
        let mut outside = start(other.path());
        assert_eq!(kill_inside(ours.path()), 1);
        assert!(!inside.0.wait().unwrap().success());
        assert!(outside.0.try_wait().unwrap().is_none(), "a stranger was killed");
        assert_eq!(kill_inside(ours.path()), 0);
    }

    /// Ends with the test, whatever comes of it.
    struct Sleeper(Child);

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
