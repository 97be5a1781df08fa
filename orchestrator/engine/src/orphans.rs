//! Ends what attempts left running, by whatever ties it to them: the mark in its environment, its working directory,
//! its parents. Also what made a session of its own, which no process group reaches.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::{
    error::{Error, IoContext},
    saboteur,
};

/// How long killed processes may take to go: the kernel has to tear them down.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// The variable by which processes of an attempt are known.
pub const MARK: &str = "MYCELIUM_WORKSPACE";

/// Kills every process that belongs to the workspace, or to one below the folder, and waits until none is left. Says
/// which there were.
pub fn end(workspaces: &Path) -> Result<BTreeSet<i32>, Error> {
    end_all(workspaces, || find(workspaces))
}

/// The same, with every process that this one or its children started, whatever it has shed. Nothing else of this
/// process's own may be running.
pub(crate) fn end_with_descendants(workspaces: &Path) -> Result<BTreeSet<i32>, Error> {
    end_all(workspaces, || {
        let mut found = find(workspaces)?;
        found.extend(descendants()?);
        Ok(found)
    })
}

/// Kills every process that this one or its children started. Nothing of this process's own may be running.
pub(crate) fn end_descendants() -> Result<BTreeSet<i32>, Error> {
    end_all(Path::new("this process"), descendants)
}

/// What this process started, and what was left to it: it is the reaper of all that.
fn descendants() -> Result<BTreeSet<i32>, Error> {
    Ok(below(&processes()?, &[getpid().as_raw_pid()].into()))
}

/// The living processes that belong to a workspace, or to one below the folder: those that bear its mark, those that
/// work in it, and whatever descends from one.
///
/// One that has a terminal is not known by where it works: it may be the shell of somebody who looks at the workspace.
pub fn find(workspaces: &Path) -> Result<BTreeSet<i32>, Error> {
    let processes = processes()?;
    let own = getpid().as_raw_pid();
    let is_ours = |pid: i32, process: &Process| {
        pid != own && (is_marked(pid, workspaces) || (!process.has_terminal && works_in(pid, workspaces)))
    };
    let roots: BTreeSet<i32> =
        processes.iter().filter(|(pid, process)| is_ours(**pid, process)).map(|(pid, _)| *pid).collect();
    let mut found = below(&processes, &roots);
    found.extend(roots);
    Ok(found)
}

/// As [`find`], but sure: a process that is just becoming another program shows no environment for a moment, so that
/// where nothing is found is looked twice.
pub fn find_all(workspaces: &Path) -> Result<BTreeSet<i32>, Error> {
    look_twice(|| find(workspaces))
}

fn look_twice(find: impl Fn() -> Result<BTreeSet<i32>, Error>) -> Result<BTreeSet<i32>, Error> {
    let found = find()?;
    if !found.is_empty() {
        return Ok(found);
    }
    thread::sleep(BETWEEN_LOOKS);
    find()
}

fn end_all(whose: &Path, find: impl Fn() -> Result<BTreeSet<i32>, Error>) -> Result<BTreeSet<i32>, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut ended = BTreeSet::new();
    if saboteur::is!("leave-processes") {
        return Ok(ended);
    }
    loop {
        let found = look_twice(&find)?;
        if found.is_empty() {
            return Ok(ended);
        }
        for pid in found.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            // An error means that it is gone, which is what is wanted.
            let _gone = kill_process(pid, Signal::KILL);
        }
        ended.extend(&found);
        if Instant::now() > deadline {
            return Err(std::io::Error::other(format!("{} processes do not end", found.len())))
                .at("end the processes of", whose);
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// A living process.
struct Process {
    parent: i32,
    has_terminal: bool,
}

/// Everything that lives, by its id.
fn processes() -> Result<BTreeMap<i32, Process>, Error> {
    let entries = fs::read_dir("/proc").at("list", "/proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    Ok(pids.filter_map(|pid| Some((pid, look(pid)?))).collect())
}

fn look(pid: i32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may hold anything.
    let end_of_name = stat.iter().rposition(|byte| *byte == b')')?;
    let text = String::from_utf8_lossy(stat.get(end_of_name + 1..)?).into_owned();
    let mut fields = text.split_ascii_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    let terminal: i64 = fields.nth(2)?.parse().ok()?;
    (state != "Z" && state != "X").then_some(Process { parent, has_terminal: terminal != 0 })
}

/// What descends from one of the processes, without them.
fn below(processes: &BTreeMap<i32, Process>, of: &BTreeSet<i32>) -> BTreeSet<i32> {
    let mut family = of.clone();
    loop {
        let is_child =
            |(pid, process): &(&i32, &Process)| family.contains(&process.parent) && !family.contains(*pid);
        let children: Vec<i32> = processes.iter().filter(is_child).map(|(pid, _)| *pid).collect();
        if children.is_empty() {
            return family.difference(of).copied().collect();
        }
        family.extend(children);
    }
}

/// Unreadable ones belong to somebody else; a zombie has no environment any more.
fn is_marked(pid: i32, workspaces: &Path) -> bool {
    let mut mark = format!("{MARK}=").into_bytes();
    mark.extend(workspaces.as_os_str().as_bytes());
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
        environ
            .split(|byte| *byte == 0)
            .any(|var| matches!(var.strip_prefix(mark.as_slice()), Some([] | [b'/', ..])))
    })
}

/// Also where the folder was removed since, which the kernel tells by a word behind the path.
fn works_in(pid: i32, workspaces: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| {
        let cwd = cwd.as_os_str().as_bytes();
        cwd.strip_suffix(b" (deleted)")
            .unwrap_or(cwd)
            .strip_prefix(workspaces.as_os_str().as_bytes())
            .is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        process::{Child, Command, Stdio},
    };

    use super::*;

    fn sleeper(command: &mut Command) -> Child {
        command.stdin(Stdio::null()).spawn().unwrap()
    }

    /// Ends it where it was left alone, which it must have been.
    fn was_spared(mut child: Child) {
        assert!(child.try_wait().unwrap().is_none(), "a process of somebody else was ended");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn what_bears_the_mark_is_ended_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let start = |workspace: &Path| sleeper(Command::new("sleep").arg("600").env(MARK, workspace));
        let mut ours = start(&dir.path().join("r1/001"));
        let other = start(&dir.path().join("r10/001"));
        let pid = ours.id().cast_signed();
        let reaper = thread::spawn(move || ours.wait().unwrap());
        assert_eq!(end(&dir.path().join("r1/00")).unwrap(), BTreeSet::new());
        assert_eq!(end(&dir.path().join("r1")).unwrap(), [pid].into());
        assert!(!reaper.join().unwrap().success());
        was_spared(other);
    }

    #[test]
    fn what_works_in_a_workspace_is_ended_without_a_mark_also_where_the_folder_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let start = |folder: &str| {
            let folder = dir.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            // Of a session of its own, as a daemon is: it has no terminal.
            sleeper(Command::new("setsid").args(["sleep", "600"]).env_clear().current_dir(folder))
        };
        let (mut here, mut gone, other) = (start("r1/001"), start("r1/002"), start("r10/001"));
        let has_begun = |child: &Child| look(child.id().cast_signed()).is_some_and(|it| !it.has_terminal);
        while ![&here, &gone, &other].into_iter().all(has_begun) {
            thread::yield_now();
        }
        fs::remove_dir(dir.path().join("r1/002")).unwrap();
        let pids = [&here, &gone].map(|child| child.id().cast_signed());
        assert_eq!(end(&dir.path().join("r1")).unwrap(), pids.into());
        assert!(!here.wait().unwrap().success());
        assert!(!gone.wait().unwrap().success());
        was_spared(other);
    }

    #[test]
    fn what_appears_while_others_are_ended_is_told_of_too() {
        // Beyond what the kernel gives, so that they are nobody's.
        let (first, second) = (i32::MAX, i32::MAX - 1);
        let looks = Cell::new(0);
        let find = || {
            looks.set(looks.get() + 1);
            Ok([first, second].get(looks.get() - 1).copied().into_iter().collect())
        };
        assert_eq!(end_all(Path::new("nobody"), find).unwrap(), [first, second].into());
    }

    #[test]
    fn what_descends_from_a_process_is_found_through_its_children() {
        let process = |parent| Process { parent, has_terminal: false };
        let processes = [(1, process(0)), (2, process(1)), (3, process(2)), (4, process(3)), (9, process(1))];
        assert_eq!(below(&processes.into(), &[2].into()), [3, 4].into());
    }
}
