//! A command that runs while the scenario goes on, and the meetings of the scenario with its agents.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use mycelium_fixtures::{FixtureError, sandbox::Running};
use rustix::{
    fs::{Mode, mkfifoat},
    process::Signal,
};

use super::{
    MyceliumWorld, WorldError,
    observe::{Observation, run_folders},
};
use mycelium_accept::runner::leftovers;

/// How often to look whether a command ended instead of coming to a meeting.
const LOOK: Duration = Duration::from_millis(20);

/// A command that was started and has not been waited for.
#[derive(Debug)]
pub(super) struct Started {
    line: String,
    number: usize,
    before: Observation,
    running: Running,
}

impl Started {
    /// What it is, and what to write instead of leaving it.
    pub(super) fn text(&self) -> String {
        format!("`{}`, which was started; say how it ends, with `has ended` or `is killed`", self.line)
    }
}

/// What a crash that the scenario made may have left running; it ends with the world.
#[derive(Debug)]
pub(super) struct Orphans(PathBuf);

impl Drop for Orphans {
    fn drop(&mut self) {
        leftovers::kill_inside(&self.0);
    }
}

/// Which end of a script's meeting the scenario takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meeting {
    /// The script says `signal`.
    Signalled,
    /// The script says `await`.
    Awaited,
}

impl MyceliumWorld {
    /// Starts a command line of a When; one at a time.
    pub(crate) fn start_command(&mut self, line: &str) -> Result<(), WorldError> {
        if self.started.is_some() {
            return Err(WorldError::StartedAlready);
        }
        self.started = Some(self.begun(line)?);
        Ok(())
    }

    /// The process id of the command that runs.
    pub(crate) fn started_pid(&mut self) -> Result<i32, WorldError> {
        Ok(self.started()?.running.process().pid())
    }

    /// Kills the command that runs, alone, and keeps how it ended.
    pub(crate) fn kill_started(&mut self) -> Result<(), WorldError> {
        self.orphans.get_or_insert_with(|| Orphans(self.sandbox.root().to_owned()));
        if let Some(contained) = &mut self.contained {
            contained.orphan();
        }
        let pid = self.started_pid()?;
        self.started()?.running.process().kill_alone();
        let finished = self.finish_started();
        if let Some(clock) = &self.clock {
            clock.forget(pid);
        }
        finished
    }

    /// Sends a signal to the command that runs, alone.
    pub(crate) fn signal_started(&mut self, signal: Signal) -> Result<(), WorldError> {
        self.started()?.running.process().signal_alone(signal);
        Ok(())
    }

    /// Waits for the end of the command that runs.
    pub(crate) fn finish_started(&mut self) -> Result<(), WorldError> {
        let started = self.started.take();
        self.ended(started)
    }

    /// Meets a script of the command that runs, or one that goes on in its container though the command was killed; an
    /// error where the command ends instead.
    pub(crate) fn meet(&mut self, name: &str, meeting: Meeting) -> Result<(), WorldError> {
        let pipe = self.stage()?.scripts().meeting(name);
        make_pipe(&pipe)?;
        let (sender, met) = mpsc::channel();
        let end = pipe.clone();
        thread::spawn(move || sender.send(open(&end, meeting).map(drop)));
        loop {
            if let Ok(result) = met.recv_timeout(LOOK) {
                return result.map_err(|e| FixtureError::file("open the pipe", &pipe)(e).into());
            }
            let goes_on_alone = self.started.is_none() && self.has_orphaned_containers();
            if !goes_on_alone && self.started()?.running.process().is_over() {
                let why = String::from_utf8_lossy(&self.end_early()?).into_owned();
                return Err(WorldError::EndedEarly { name: name.to_owned(), why });
            }
        }
    }

    /// Starts a command that only looks, beside the one that runs.
    pub(crate) fn start_watching(&mut self, line: &str) -> Result<(), WorldError> {
        if self.watching.is_some() {
            return Err(WorldError::StartedAlready);
        }
        self.watching = Some(self.begun(line)?);
        Ok(())
    }

    /// Waits until the command that looks has printed a text.
    pub(crate) fn wait_for_print(&mut self, wanted: &str) -> Result<(), WorldError> {
        loop {
            let watching = self.watching.as_mut().ok_or(WorldError::NothingStarted)?;
            // Asked before reading: what it printed up to its end is read after it.
            let is_over = watching.running.process().is_over();
            let said = watching.running.printed()?;
            if said.contains(wanted) {
                return Ok(());
            }
            if is_over {
                return Err(WorldError::NeverPrinted { wanted: wanted.to_owned(), said });
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until the started command has asked the model something that holds a text.
    pub(crate) fn wait_for_question(&mut self, wanted: &str) -> Result<(), WorldError> {
        self.wait_until(wanted, |world| {
            Ok(world.asked()?.iter().any(|asked| asked.body.to_string().contains(wanted)))
        })
    }

    /// Waits until the journal of a run tells that the agent of a task is at work.
    pub(crate) fn wait_for_start(&mut self, task: &str) -> Result<(), WorldError> {
        let (begun, of_task) = (r#""type":"worker.start""#, format!(r#""task_id":"{task}""#));
        self.wait_until(begun, |world| {
            Ok(world.journals()?.lines().any(|line| line.contains(begun) && line.contains(&of_task)))
        })
    }

    /// Waits until a run has written down by which id its task's agent finds its conversation.
    pub(crate) fn wait_for_conversation(&mut self, task: &str) -> Result<(), WorldError> {
        let note = format!(".conversations/{task}.json");
        self.wait_until(&note, |world| {
            let runs = run_folders(&world.home());
            let workspaces = runs
                .iter()
                .filter_map(|run| Some(run.parent()?.parent()?.join("workspaces").join(run.file_name()?)));
            Ok(workspaces.into_iter().any(|folder| folder.join(&note).is_file()))
        })
    }

    /// Waits for something that the started command does; its end without it is told by the name.
    fn wait_until(
        &mut self,
        name: &str,
        is_so: impl Fn(&mut Self) -> Result<bool, WorldError>,
    ) -> Result<(), WorldError> {
        loop {
            // Asked before looking: what it did up to its end is seen after it.
            let is_over = self.started()?.running.process().is_over();
            if is_so(self)? {
                return Ok(());
            }
            if is_over {
                let why = String::from_utf8_lossy(&self.end_early()?).into_owned();
                return Err(WorldError::EndedEarly { name: name.to_owned(), why });
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits for the end of the command that looks.
    pub(crate) fn finish_watching(&mut self) -> Result<(), WorldError> {
        let watching = self.watching.take();
        self.ended(watching)
    }

    fn has_orphaned_containers(&self) -> bool {
        self.orphans.is_some() && self.contained.is_some()
    }

    fn begun(&mut self, line: &str) -> Result<Started, WorldError> {
        let (before, number) = (self.observe()?, self.next_number());
        let folder = self.stage()?.path().to_owned();
        let running = self.begin(line, &folder)?;
        Ok(Started { line: line.to_owned(), number, before, running })
    }

    fn ended(&mut self, command: Option<Started>) -> Result<(), WorldError> {
        let Started { line, number, before, running } = command.ok_or(WorldError::NothingStarted)?;
        let finished = self.finish(running)?;
        self.keep_command(&line, number, before, finished)
    }

    fn end_early(&mut self) -> Result<Vec<u8>, WorldError> {
        self.finish_started()?;
        Ok(self.last()?.finished.stderr.clone())
    }

    fn started(&mut self) -> Result<&mut Started, WorldError> {
        self.started.as_mut().ok_or(WorldError::NothingStarted)
    }
}

/// Makes the pipe unless the script was here before.
fn make_pipe(pipe: &PathBuf) -> Result<(), FixtureError> {
    match mkfifoat(rustix::fs::CWD, pipe, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(errno) => Err(FixtureError::file("make the pipe", pipe)(errno.into())),
    }
}

/// Opening returns when the other end is there.
fn open(pipe: &Path, meeting: Meeting) -> std::io::Result<File> {
    match meeting {
        Meeting::Signalled => File::open(pipe),
        Meeting::Awaited => File::options().write(true).open(pipe),
    }
}
