//! Runs the program under test and keeps what it did.

use std::{path::Path, time::Duration};

use mycelium_fixtures::{
    process::Ending,
    sandbox::{Finished, Running, TIME_LIMIT},
};
use serde_json::{Value, json};

use super::{MyceliumWorld, WorldError, observe::Observation};
use mycelium_accept::context::Record;

/// The program's name in features.
const PROGRAM: &str = "mycelium";

/// A command that a When ran.
#[derive(Debug)]
pub(crate) struct CommandRun {
    /// As the feature says it.
    pub(crate) line: String,
    /// Its place among all commands in the order in which they began.
    pub(crate) number: usize,
    /// How it ended and what it printed.
    pub(crate) finished: Finished,
    /// The world before.
    pub(crate) before: Observation,
    /// The world after.
    pub(crate) after: Observation,
}

impl MyceliumWorld {
    /// Runs a command line of a When and keeps its evidence.
    pub(crate) fn run_command(&mut self, line: &str) -> Result<(), WorldError> {
        let folder = self.stage()?.path().to_owned();
        self.run_command_in(line, &folder)
    }

    /// The same in a folder of its own.
    pub(crate) fn run_command_in(&mut self, line: &str, folder: &Path) -> Result<(), WorldError> {
        let (before, number) = (self.observe()?, self.next_number());
        let running = self.begin(line, folder)?;
        let finished = self.finish(running)?;
        self.keep_command(line, number, before, finished)
    }

    /// The number of the next command.
    pub(super) fn next_number(&self) -> usize {
        self.commands.len() + usize::from(self.started.is_some()) + usize::from(self.watching.is_some()) + 1
    }

    /// Keeps a command that has ended, with its evidence, and looks at what it wrote.
    pub(super) fn keep_command(
        &mut self,
        line: &str,
        number: usize,
        before: Observation,
        finished: Finished,
    ) -> Result<(), WorldError> {
        let after = self.observe()?;
        self.commands.push(CommandRun { line: line.to_owned(), number, finished, before, after });
        self.keep_evidence()?;
        self.check_ending()?;
        self.check_artifacts()
    }

    /// A command that crashed or hung ends its scenario: what Thens would find behind it is no answer.
    fn check_ending(&self) -> Result<(), WorldError> {
        let run = self.last()?;
        if !is_crash(run.finished.ending) {
            return Ok(());
        }
        Err(WorldError::Crashed {
            line: run.line.clone(),
            ending: ending_text(run.finished.ending),
            stderr: String::from_utf8_lossy(&run.finished.stderr).into_owned(),
        })
    }

    /// Runs a command line of a Given; it must succeed.
    pub(crate) fn set_up(&mut self, line: &str) -> Result<(), WorldError> {
        let folder = self.stage()?.path().to_owned();
        let running = self.begin(line, &folder)?;
        let finished = self.finish(running)?;
        match finished.ending {
            Ending::Exited(0) => Ok(()),
            ending => Err(WorldError::SetUp {
                line: line.to_owned(),
                ending: ending_text(ending),
                stderr: String::from_utf8_lossy(&finished.stderr).into_owned(),
            }),
        }
    }

    /// The last command.
    pub(crate) fn last(&self) -> Result<&CommandRun, WorldError> {
        self.commands.last().ok_or(WorldError::NothingRan)
    }

    /// The command that began first, and all that have ended, in the order of their ends; there is at least one.
    pub(crate) fn commands(&self) -> Result<(&CommandRun, &[CommandRun]), WorldError> {
        let first = self.commands.iter().min_by_key(|run| run.number);
        first.map(|first| (first, self.commands.as_slice())).ok_or(WorldError::NothingRan)
    }

    /// Starts a command line in a folder.
    pub(super) fn begin(&mut self, line: &str, folder: &Path) -> Result<Running, WorldError> {
        let refuse = |why| WorldError::CommandLine { line: line.to_owned(), why };
        let mut words = words(line).ok_or_else(|| refuse("a quote is not closed"))?.into_iter();
        if words.next().as_deref() != Some(PROGRAM) {
            return Err(refuse("it does not begin with `mycelium`"));
        }
        let arguments = self.in_its_world(words.collect());
        let program = self.installed.clone().unwrap_or_else(|| self.context.bin.clone());
        let running = self.sandbox.start(&program, &arguments, folder)?;
        // Should the step be given up, its card shows what the program says.
        let path = running.stderr_file().to_owned();
        self.context.recorder.push(Record::Writes { what: line.to_owned(), path });
        Ok(running)
    }

    /// Waits for the end of a command.
    pub(super) fn finish(&self, running: Running) -> Result<Finished, WorldError> {
        let path = running.stderr_file().to_owned();
        let finished = running.finish(self.patience())?;
        self.context.recorder.push(Record::Wrote(path));
        Ok(finished)
    }

    /// How long a command may take: less than its step, so that what it said is told.
    pub(super) fn patience(&self) -> Duration {
        within(self.context.limit)
    }

    pub(super) fn observe(&self) -> Result<Observation, WorldError> {
        let idle = self.started.is_none();
        Observation::of(self.stage()?, self.sandbox.root(), &self.home(), idle)
    }

    /// Keeps something that an assertion looked at.
    pub(crate) fn keep(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        let name = name.to_owned();
        self.context.recorder.push(Record::Evidence { name, bytes: bytes.into() });
    }

    fn keep_evidence(&self) -> Result<(), WorldError> {
        let run = self.last()?;
        let number = run.number;
        let keep = |name: &str, bytes: &[u8]| self.keep(&format!("command-{number}/{name}"), bytes);
        let ending = ending_text(run.finished.ending);
        self.say(format!("$ {} ({ending})", run.line));
        for line in String::from_utf8_lossy(&run.finished.stderr).lines() {
            self.say(line);
        }
        keep("exit", format!("{ending}\n").as_bytes());
        keep("stdout", &run.finished.stdout);
        keep("stderr", &run.finished.stderr);
        keep("git-refs-before.txt", run.before.refs_text().as_bytes());
        keep("git-refs-after.txt", run.after.refs_text().as_bytes());
        // What is left of containers, and how they were limited. An engine that is away tells nothing.
        if self.contained.is_some()
            && let Ok(containers) = self.containers()
        {
            let inspected: Vec<&Value> = containers.iter().map(|container| &container.inspected).collect();
            keep("containers.json", format!("{:#}\n", json!(inspected)).as_bytes());
        }
        if let Ok(folder) = self.run_folder() {
            for name in ["state.json", "orchestrator.jsonl"] {
                // A run that ended early may lack one; the assertions say so where it matters.
                let path = folder.path().join(name);
                if path.is_file()
                    && let Ok(bytes) = std::fs::read(path)
                {
                    keep(name, &bytes);
                }
            }
        }
        Ok(())
    }
}

/// How long a command may take whose step has a limit.
fn within(limit: Duration) -> Duration {
    (limit / 6 * 5).max(TIME_LIMIT)
}

/// Whether a program ended by a bug of its own: the exit codes of a bug and of a panic, a signal that the processor or the
/// program itself raises, or no end at all. Signals that a scenario sends are none.
fn is_crash(ending: Ending) -> bool {
    const OF_A_BUG: [i32; 2] = [70, 101];
    // SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
    const RAISED: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];
    match ending {
        Ending::Exited(code) => OF_A_BUG.contains(&code),
        Ending::Signaled(signal) => RAISED.contains(&signal),
        Ending::TimedOut => true,
    }
}

/// How a program ended, for people.
pub(crate) fn ending_text(ending: Ending) -> String {
    match ending {
        Ending::Exited(code) => format!("exit code {code}"),
        Ending::Signaled(signal) => format!("ended by signal {signal}"),
        Ending::TimedOut => "did not end in time and was stopped".to_owned(),
    }
}

/// The words of a command line: separated by blanks, single quotes keep blanks. None where a quote is not closed.
pub(super) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (!quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_scenario_can_ask_for_is_no_crash() {
        for ending in [Ending::Exited(0), Ending::Exited(4), Ending::Signaled(9), Ending::Signaled(15)] {
            assert!(!is_crash(ending), "{ending:?}");
        }
        for ending in [Ending::Exited(70), Ending::Exited(101), Ending::Signaled(11), Ending::TimedOut] {
            assert!(is_crash(ending), "{ending:?}");
        }
    }

    #[test]
    fn a_command_ends_before_its_step_which_may_have_more_time_than_usual() {
        assert_eq!(within(Duration::from_secs(60)), TIME_LIMIT);
        assert_eq!(within(Duration::from_secs(240)), Duration::from_secs(200));
    }

    #[test]
    fn quotes_keep_blanks_together() {
        let line = "mycelium run  --tasks 'a b' ''";
        assert_eq!(words(line).unwrap(), ["mycelium", "run", "--tasks", "a b", ""]);
        assert_eq!(words("mycelium 'x"), None);
    }
}
