//! Ends what a dead orchestrator left running: every process whose environment names a workspace of the run. Also
//! those that made a session of their own, which no process group reaches.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, IoContext};

/// How long killed processes may take to go: the kernel has to tear them down.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// The variable by which processes of an attempt are known.
pub const MARK: &str = "MYCELIUM_WORKSPACE";

/// Kills every process that belongs to the workspace, or to one below the folder, and waits until none is left. Says
/// how many there were.
pub fn end(workspaces: &Path) -> Result<usize, Error> {
    let own = std::process::id();
    let deadline = Instant::now() + PATIENCE;
    let (mut ended, mut looked_in_vain) = (0, false);
    loop {
        let found: Vec<i32> =
            marked(workspaces)?.into_iter().filter(|pid| pid.cast_unsigned() != own).collect();
        if found.is_empty() {
            // A process that is just becoming another program shows no environment for a moment: look twice.
            if std::mem::replace(&mut looked_in_vain, true) {
                return Ok(ended);
            }
            thread::sleep(BETWEEN_LOOKS);
            continue;
        }
        looked_in_vain = false;
        for pid in &found {
            if let Some(pid) = Pid::from_raw(*pid) {
                // An error means that it is gone, which is what is wanted.
                let _gone = kill_process(pid, Signal::KILL);
            }
        }
        ended = ended.max(found.len());
        if Instant::now() > deadline {
            return Err(std::io::Error::other(format!("{} processes do not end", found.len())))
                .at("end the processes of", workspaces);
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

fn marked(workspaces: &Path) -> Result<Vec<i32>, Error> {
    let mut mark = format!("{MARK}=").into_bytes();
    mark.extend(workspaces.as_os_str().as_bytes());
    let entries = fs::read_dir("/proc").at("list", "/proc")?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            // Unreadable ones belong to somebody else; a zombie has no environment any more.
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
                environ
                    .split(|byte| *byte == 0)
                    .any(|var| matches!(var.strip_prefix(mark.as_slice()), Some([] | [b'/', ..])))
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_bears_the_mark_is_ended_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let start = |workspace: &Path| {
            Command::new("sleep").arg("600").env(MARK, workspace).stdin(Stdio::null()).spawn().unwrap()
        };
        let mut ours = start(&dir.path().join("r1/001"));
        let mut other = start(&dir.path().join("r10/001"));
        let reaper = thread::spawn(move || ours.wait().unwrap());
        assert_eq!(end(&dir.path().join("r1/00")).unwrap(), 0);
        assert_eq!(end(&dir.path().join("r1")).unwrap(), 1);
        assert!(!reaper.join().unwrap().success());
        assert!(other.try_wait().unwrap().is_none(), "another run's process was ended");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
