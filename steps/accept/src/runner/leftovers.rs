//! Processes that outlive their scenario. A scenario's home lies in its folder, so whatever it started carries the folder
//! in its environment and is found by it, however it was orphaned. One that has no environment at all is found by the
//! folder that it works in; one that has another environment could be somebody's who only looks.

use std::{fs, os::unix::ffi::OsStrExt, path::Path, process, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

/// Set for a build, to a path in the folder that it belongs to. What of a build has a session of its own is a server that
/// stays for the next one, and is nobody's leftover.
pub const BUILD_VARIABLE: &str = "MYCELIUM_ACCEPT_BUILD";

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
    /// Its command line.
    pub command: String,
}

/// The processes that stay alive inside a folder, although they had time to end.
pub fn lasting(folder: &Path) -> Vec<Leftover> {
    let mut found = living(folder);
    for _ in 0..ROUNDS_MAX {
        if found.is_empty() {
            break;
        }
        thread::sleep(PAUSE);
        found = living(folder);
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
        .filter(|pid| {
            // Another user's process, or one that just ended, cannot be read and is none of ours.
            let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
            let has = |text: &[u8]| environment.windows(text.len()).any(|window| window == text);
            (has(&needle) && !(has(BUILD_VARIABLE.as_bytes()) && has_own_session(*pid)))
                || (environment.is_empty() && works_in(*pid, folder))
        })
        .map(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
            Leftover { pid, command }
        })
        .collect()
}

fn has_own_session(pid: i32) -> bool {
    session(&pid.to_string()) != session("self")
}

/// The session of a process, as the kernel writes it: 0 where its leader lives outside of this container, which the
/// system call's wrapper takes for impossible.
fn session(pid: &str) -> Option<i32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; state, parent, group and session follow its last one.
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    str::from_utf8(stat.get(name_end + 1..)?).ok()?.split_whitespace().nth(3)?.parse().ok()
}

fn works_in(pid: i32, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|place| place.starts_with(folder))
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
        let bare = |place: &Path| {
            Sleeper(Command::new("sleep").arg("600").env_clear().current_dir(place).spawn().unwrap())
        };
        let looking = || Sleeper(Command::new("sleep").arg("600").current_dir(ours.path()).spawn().unwrap());
        let (mut bare_inside, mut bare_outside, mut looking) =
            (bare(ours.path()), bare(other.path()), looking());
        let mut inside = start(ours.path());
        let mut outside = start(other.path());
        assert_eq!(kill_inside(ours.path()), 2);
        for dead in [&mut inside, &mut bare_inside] {
            assert!(!dead.0.wait().unwrap().success());
        }
        for stranger in [&mut outside, &mut bare_outside, &mut looking] {
            assert!(stranger.0.try_wait().unwrap().is_none(), "a stranger was killed");
        }
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
