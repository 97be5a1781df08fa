//! Reads the artifacts of the scenario's run as any outsider would: by their schemas.

use std::{
    fmt::Write,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use mycelium_fixtures::FixtureError;
use mycelium_schemas::{event::Event, id::TaskId, state::RunView};
use serde_json::Value;

use super::{MyceliumWorld, WorldError, observe::run_folders};

/// The folder of a run.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder(PathBuf);

/// One line of a journal, typed and as it stands.
#[derive(Debug, Clone)]
pub(crate) struct JournalLine {
    /// The typed event.
    pub(crate) event: Event,
    /// Its payload as JSON.
    pub(crate) payload: Value,
}

impl JournalLine {
    /// Whether it has that type and, where one is asked for, that task.
    pub(crate) fn is(&self, kind: &str, task: Option<&str>) -> bool {
        let about = self.event.task_id.as_ref().map(TaskId::as_str);
        self.event.kind.type_name() == kind && (task.is_none() || task == about)
    }

    /// `seq type task attempt batch`, as far as they apply.
    pub(crate) fn summary(&self) -> String {
        let mut line = format!("{:>3} {}", self.event.seq, self.event.kind.type_name());
        // Writing to a String cannot fail.
        if let Some(task) = &self.event.task_id {
            let _ = write!(line, " task {task}");
        }
        if let Some(attempt) = self.event.attempt {
            let _ = write!(line, " attempt {attempt}");
        }
        if let Some(batch) = self.event.batch {
            let _ = write!(line, " batch {batch}");
        }
        line
    }
}

/// A journal for people, one line an event.
pub(crate) fn summary(journal: &[JournalLine]) -> String {
    journal.iter().map(|line| line.summary() + "\n").collect()
}

impl MyceliumWorld {
    /// The project's folder in Mycelium's home, which a run has made.
    pub(crate) fn project_home(&self) -> Result<PathBuf, WorldError> {
        let run = self.run_folder()?;
        run.project().map(Path::to_owned).ok_or_else(|| WorldError::NoRun(self.home()))
    }

    /// The run that the scenario's latest creating command made.
    pub(crate) fn run_folder(&self) -> Result<RunFolder, WorldError> {
        let made = |run: &super::CommandRun| run.after.runs.difference(&run.before.runs).last().cloned();
        let folder = self.commands.iter().rev().find_map(made);
        folder.map(RunFolder).ok_or_else(|| WorldError::NoRun(self.home()))
    }

    /// All journals of the home as they are now, one behind the other.
    pub(super) fn journals(&self) -> Result<String, WorldError> {
        let paths = run_folders(&self.home()).into_iter().map(|run| run.join("orchestrator.jsonl"));
        let read = |path: PathBuf| match fs::read_to_string(&path) {
            // Its run has just begun.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(FixtureError::file("read", &path)),
        };
        Ok(paths.map(read).collect::<Result<String, _>>()?)
    }

    /// Every run that is there after the last command; at least one.
    pub(crate) fn run_folders(&self) -> Result<Vec<RunFolder>, WorldError> {
        let runs = self.commands.last().map(|run| run.after.runs.iter().cloned().map(RunFolder).collect());
        let runs: Vec<RunFolder> = runs.unwrap_or_default();
        if runs.is_empty() { Err(WorldError::NoRun(self.home())) } else { Ok(runs) }
    }
}

impl RunFolder {
    /// The project's folder in the home.
    fn project(&self) -> Option<&Path> {
        self.0.parent()?.parent()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// `state.json`.
    pub(crate) fn state(&self) -> Result<RunView, WorldError> {
        let path = self.0.join("state.json");
        let bytes = read(&path)?;
        serde_json::from_slice(&bytes).map_err(|e| WorldError::Artifact { path, why: e.to_string() })
    }

    /// `orchestrator.jsonl`; every line must be an event of the schema.
    pub(crate) fn journal(&self) -> Result<Vec<JournalLine>, WorldError> {
        let path = self.0.join("orchestrator.jsonl");
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let parse = |(number, line): (usize, &str)| {
            let invalid = |e: serde_json::Error| WorldError::Artifact {
                path: path.clone(),
                why: format!("line {}: {e}", number + 1),
            };
            let value: Value = serde_json::from_str(line).map_err(invalid)?;
            let event: Event = serde_json::from_value(value.clone()).map_err(invalid)?;
            Ok(JournalLine { event, payload: value["payload"].clone() })
        };
        text.lines().enumerate().map(parse).collect()
    }

    /// A file of the run as text; none where it does not exist.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        fs::read(self.0.join(path)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, WorldError> {
    let invalid = |why| WorldError::Artifact { path: path.to_owned(), why };
    // Reading a pipe would never end.
    if path.exists() && !path.is_file() {
        return Err(invalid("it is not a file".to_owned()));
    }
    fs::read(path).map_err(|e| invalid(e.to_string()))
}
