//! Runs the program under test and keeps what it did.

use mycelium_fixtures::{process::Ending, sandbox::Finished};

use super::{MyceliumWorld, WorldError, observe::Observation};
use crate::context::Record;

/// The program's name in features.
const PROGRAM: &str = "mycelium";

/// A command that a When ran.
#[derive(Debug)]
pub(crate) struct CommandRun {
    /// As the feature says it.
    pub(crate) line: String,
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
        let before = self.observe()?;
        let finished = self.start(line)?;
        let after = self.observe()?;
        self.commands.push(CommandRun { line: line.to_owned(), finished, before, after });
        self.keep_evidence()
    }

    /// Runs a command line of a Given; it must succeed.
    pub(crate) fn set_up(&mut self, line: &str) -> Result<(), WorldError> {
        let finished = self.start(line)?;
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

    /// All commands, the first one first; there is at least one.
    pub(crate) fn commands(&self) -> Result<(&CommandRun, &[CommandRun]), WorldError> {
        self.commands.first().map(|first| (first, self.commands.as_slice())).ok_or(WorldError::NothingRan)
    }

    fn start(&mut self, line: &str) -> Result<Finished, WorldError> {
        let refuse = |why| WorldError::CommandLine { line: line.to_owned(), why };
        let mut words = words(line).ok_or_else(|| refuse("a quote is not closed"))?.into_iter();
        if words.next().as_deref() != Some(PROGRAM) {
            return Err(refuse("it does not begin with `mycelium`"));
        }
        let arguments: Vec<String> = words.collect();
        let folder = self.stage()?.path().to_owned();
        let program = self.context.bin.clone();
        Ok(self.sandbox.run(&program, &arguments, &folder)?)
    }

    fn observe(&self) -> Result<Observation, WorldError> {
        Observation::of(self.stage()?, &self.sandbox.mycelium_home())
    }

    fn keep_evidence(&self) -> Result<(), WorldError> {
        let (number, run) = (self.commands.len(), self.last()?);
        let keep = |name: &str, bytes: &[u8]| {
            let name = format!("command-{number}/{name}");
            self.context.recorder.push(Record::Evidence { name, bytes: bytes.to_vec() });
        };
        let ending = ending_text(run.finished.ending);
        self.context.recorder.push(Record::Log(format!("$ {} ({ending})", run.line)));
        for line in String::from_utf8_lossy(&run.finished.stderr).lines() {
            self.context.recorder.push(Record::Log(line.to_owned()));
        }
        keep("exit", format!("{ending}\n").as_bytes());
        keep("stdout", &run.finished.stdout);
        keep("stderr", &run.finished.stderr);
        keep("git-refs-before.txt", run.before.refs_text().as_bytes());
        keep("git-refs-after.txt", run.after.refs_text().as_bytes());
        if let Ok(folder) = self.run_folder() {
            for name in ["state.json", "orchestrator.jsonl"] {
                // A run that ended early may lack one; the assertions say so where it matters.
                if let Ok(bytes) = std::fs::read(folder.path().join(name)) {
                    keep(name, &bytes);
                }
            }
        }
        Ok(())
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
fn words(line: &str) -> Option<Vec<String>> {
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
    fn quotes_keep_blanks_together() {
        let line = "mycelium run  --tasks 'a b' ''";
        assert_eq!(words(line).unwrap(), ["mycelium", "run", "--tasks", "a b", ""]);
        assert_eq!(words("mycelium 'x"), None);
    }
}
