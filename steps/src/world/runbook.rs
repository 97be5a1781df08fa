//! The runbook in this scenario: its placeholders filled in, its commands and paths looked for.

use std::{fs, path::Path};

use mycelium_fixtures::process::Ending;
use mycelium_schemas::state::TaskStatus;

use super::{MyceliumWorld, WorldError, ending_text};
use crate::runbook::{self, Entry};

/// What the runbook writes for a run, a task and a number.
const RUN: &str = "RUN";
const TASK: &str = "TASK";
const NUMBER: &str = "N";
/// The only command whose exit codes 1 and 2 are answers: it found something to mend.
const DOCTOR: &str = "mycelium doctor";

impl MyceliumWorld {
    /// The entry of a symptom, for the scenario's last run and the first task of it that has not landed.
    pub(crate) fn runbook(&self, symptom: &str) -> Result<Entry, WorldError> {
        let Entry { symptom, look, paths, mend } = runbook::entry(symptom).map_err(WorldError::Argument)?;
        let fill = |texts: Vec<String>| texts.iter().map(|text| self.fill(text)).collect::<Result<_, _>>();
        Ok(Entry { symptom, look: fill(look)?, paths: fill(paths)?, mend: fill(mend)? })
    }

    fn fill(&self, text: &str) -> Result<String, WorldError> {
        let mut filled = text.to_owned();
        if filled.contains(RUN) {
            let run = self.run_folder()?;
            let id = run.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            filled = filled.replace(RUN, &id);
        }
        if filled.contains(TASK) {
            filled = filled.replace(TASK, &self.waiting_task()?);
        }
        Ok(filled)
    }

    /// The first task of the last run that has not landed, or the first of all.
    fn waiting_task(&self) -> Result<String, WorldError> {
        let tasks = self.run_folder()?.state()?.tasks;
        let waiting = tasks.iter().find(|(_, task)| task.status != TaskStatus::Landed);
        let task = waiting.or_else(|| tasks.iter().next()).map(|(id, _)| id.to_string());
        task.ok_or_else(|| WorldError::Argument("the run has no task".to_owned()))
    }

    /// How a command line of this scenario answered, in words: `an answer`, or what was there instead.
    pub(crate) fn answer_of(&self, line: &str) -> Result<String, WorldError> {
        let (_, commands) = self.commands()?;
        let Some(run) = commands.iter().rev().find(|run| run.line == line) else {
            return Ok("it was not run".to_owned());
        };
        let answers = match run.finished.ending {
            Ending::Exited(0) => true,
            Ending::Exited(1 | 2) => line == DOCTOR,
            _ => false,
        };
        Ok(match (answers, run.finished.stdout.is_empty()) {
            (false, _) => ending_text(run.finished.ending),
            (true, true) => "nothing on standard output".to_owned(),
            (true, false) => "an answer".to_owned(),
        })
    }

    /// The paths at a symptom that are not there.
    pub(crate) fn missing_of_runbook(&self, symptom: &str) -> Result<Vec<String>, WorldError> {
        let paths = self.runbook(symptom)?.paths;
        let mut missing = Vec::new();
        for path in paths {
            let root = if path.starts_with('.') {
                self.stage()?.path().to_owned()
            } else {
                self.run_folder()?.path().to_owned()
            };
            let segments: Vec<&str> = path.split('/').collect();
            if !is_there(&root, &segments) {
                missing.push(path);
            }
        }
        Ok(missing)
    }
}

/// Whether a path leads to a file with something in it. A segment that ends in the sign of a number fits every number.
fn is_there(folder: &Path, segments: &[&str]) -> bool {
    match segments {
        [] => folder.metadata().is_ok_and(|file| file.is_file() && file.len() > 0),
        [first, rest @ ..] => match first.strip_suffix(NUMBER) {
            None => is_there(&folder.join(first), rest),
            Some(stem) => entries(folder).iter().any(|name| {
                let number = name.strip_prefix(stem).unwrap_or_default();
                !number.is_empty()
                    && number.bytes().all(|byte| byte.is_ascii_digit())
                    && is_there(&folder.join(name), rest)
            }),
        },
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_path_fits_every_number_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        fs::create_dir_all(run.join("tasks/001/attempt-12")).unwrap();
        fs::create_dir_all(run.join("tasks/001/attempt-x")).unwrap();
        fs::write(run.join("tasks/001/attempt-12/agent.log"), "said").unwrap();
        fs::write(run.join("tasks/001/attempt-12/empty.log"), "").unwrap();
        fs::write(run.join("tasks/001/attempt-x/other.log"), "said").unwrap();
        let there = |path: &str| is_there(run, &path.split('/').collect::<Vec<_>>());
        assert!(there("tasks/001/attempt-N/agent.log"));
        for path in [
            "tasks/001/attempt-N/empty.log",
            "tasks/001/attempt-N/other.log",
            "tasks/001/attempt-N",
            "tasks/N/agent.log",
        ] {
            assert!(!there(path), "{path}");
        }
    }
}
