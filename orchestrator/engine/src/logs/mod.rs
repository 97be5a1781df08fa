//! Reading what a run wrote: its journal and the agents' own events (design 3.5). Readers never write, take any type of
//! event, and survive lines that are torn or damaged. Memory is bounded by the longest line and by the number of
//! attempts, never by the length of a log. There is no index (docs/adr/0006-log-reading.md).

mod failures;
mod filter;
mod head;
mod lines;
mod reader;
mod timeline;

use std::path::Path;

use mycelium_schemas::{
    event::RawEvent,
    id::{RunId, TaskId},
    problem::did_you_mean,
    state::RunView,
};

pub use failures::{failures, last_stop};
pub use filter::{Filter, Query};
pub use reader::{Entry, Reader};
pub use timeline::timeline;

use crate::{
    error::{Error, IoContext},
    project::Project,
    store::{self, RunPaths},
};

/// What a reader could not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Lines that are no events, or longer than any event.
    pub damaged: u64,
    /// Last lines without an end: of a process that writes, or was killed while it wrote.
    pub unfinished: u64,
}

/// The places of a run that has a journal.
pub fn find(project: &Project, run: &RunId) -> Result<RunPaths, Error> {
    let paths = RunPaths::new(project, run);
    match paths.journal.symlink_metadata() {
        Ok(_) => Ok(paths),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::UnknownRun { run_id: run.clone() })
        }
        Err(error) => Err(error).at("read", &paths.journal),
    }
}

/// Refuses a task that the run does not have. Where its journal cannot be folded, every task may be asked for: what can be
/// read of it is shown.
pub fn check_task(project: &Project, run: &RunId, task: &TaskId) -> Result<(), Error> {
    let Ok(view) = store::read_view(project, run) else { return Ok(()) };
    if view.tasks.contains_key(task) {
        return Ok(());
    }
    Err(no_such_task(&view, task))
}

/// A task was asked for that the run does not have: tells which ones it has.
pub fn no_such_task(view: &RunView, asked: &TaskId) -> Error {
    let ids = || view.tasks.keys().map(TaskId::as_str);
    let there = format!("its tasks are {}", ids().collect::<Vec<_>>().join(", "));
    let help = match did_you_mean(asked.as_str(), ids()) {
        Some(near) => format!("did you mean `{near}`? {there}"),
        None => there,
    };
    Error::Request { message: format!("run {} has no task {asked}", view.run_id), help }
}

/// Hands the events of these types in a journal to a fold, and in any case the first and the last one.
fn fold(journal: &Path, kinds: &[&str], mut each: impl FnMut(RawEvent)) -> Result<Unread, Error> {
    let file = store::open_file(journal).at("open", journal)?;
    let mut lines = lines::Lines::new(file, journal.to_owned());
    let mut unread = Unread::default();
    let mut read = |line: &[u8], unread: &mut Unread| match serde_json::from_slice(line) {
        Ok(event) => each(event),
        Err(_) => unread.damaged += 1,
    };
    let (mut is_first, mut passed_over) = (true, Vec::new());
    while let Some(line) = lines.next_line()? {
        passed_over.clear();
        if !std::mem::take(&mut is_first) && head::kind(line).is_some_and(|kind| !kinds.contains(&kind)) {
            passed_over.extend_from_slice(line);
        } else {
            read(line, &mut unread);
        }
    }
    if !passed_over.is_empty() {
        read(&passed_over, &mut unread);
    }
    unread.damaged += lines.too_long;
    unread.unfinished += u64::from(lines.is_unfinished());
    Ok(unread)
}

#[cfg(test)]
mod samples {
    //! The kept sample of every type of event, for tests.

    use mycelium_schemas::event::EventKind;

    use super::*;

    pub(super) fn events() -> Vec<RawEvent> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/samples/v1/events.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        let events: Vec<RawEvent> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for kind in EventKind::TYPES {
            assert!(events.iter().any(|event| event.kind == *kind), "there is no sample of {kind}");
        }
        events
    }

    pub(super) fn project() -> Project {
        Project {
            root: "/repo".into(),
            config_path: "/repo/.mycelium/config.yaml".into(),
            name: "p".parse().unwrap(),
            home: "/home".into(),
            home_in_checkout: false,
        }
    }
}
