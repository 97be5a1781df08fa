//! What the model gateway has counted in attempts whose end is not journaled yet, for those who look at a run. Once it is
//! journaled the state has it: nothing is counted twice.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::PathBuf,
};

use mycelium_gateway::ledger::Entry;
use mycelium_schemas::{
    answer::LiveUsage,
    id::{ProjectName, TaskId},
    state::{RunStatus, RunView, TaskStatus, Usage},
};

use crate::{
    journal::Journal,
    models,
    store::{self, RunPaths},
};

/// Bytes of a line of the ledger that are read: its own are far shorter.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Reads the ledger of a run as it grows, each line once. Writes nothing.
#[derive(Debug)]
pub struct LiveReader {
    ledger: PathBuf,
    journal: PathBuf,
    /// Where the first line begins that was not read.
    read: u64,
    used: BTreeMap<(String, u32), Usage>,
    has_complained: bool,
}

impl LiveReader {
    /// Has read nothing yet.
    pub fn new(paths: &RunPaths) -> Self {
        Self {
            ledger: paths.ledger(),
            journal: paths.journal.clone(),
            read: 0,
            used: BTreeMap::new(),
            has_complained: false,
        }
    }

    /// What was counted in the attempts that are under way in this view; none where nothing was. That it cannot be read
    /// is said, and nothing else depends on it.
    pub fn look(&mut self, view: &RunView) -> Option<LiveUsage> {
        let open = self.open_attempts(view);
        if open.is_empty() {
            return None;
        }
        if let Err(error) = self.read_on() {
            self.complain(&error.to_string());
        }
        let mut live = LiveUsage::default();
        for (task, attempt) in open {
            if let Some(usage) = self.used.get(&(task.to_string(), attempt)) {
                live.usage = live.usage.plus(*usage);
                live.tasks.insert(task, *usage);
            }
        }
        (!live.tasks.is_empty()).then_some(live)
    }

    /// The last attempts of tasks that are at work, or were cut off.
    fn open_attempts(&self, view: &RunView) -> Vec<(TaskId, u32)> {
        let tasks = view.tasks.iter();
        match view.status {
            RunStatus::Running => tasks
                .filter(|(_, task)| task.status == TaskStatus::Running)
                .map(|(id, task)| (id.clone(), task.attempts))
                .collect(),
            // The view shows a task again as pending whose attempt was cut off.
            RunStatus::Interrupted => self.cut_off(view.project.clone()),
            RunStatus::Complete | RunStatus::Failed | RunStatus::NeedsHumanReview => Vec::new(),
        }
    }

    fn cut_off(&self, project: ProjectName) -> Vec<(TaskId, u32)> {
        // Whatever is wrong with the journal is told by whoever reads the run.
        let Ok(state) = Journal::peek(&self.journal, project) else { return Vec::new() };
        let cut_off = state.tasks.into_iter().filter(|(_, facts)| facts.status == TaskStatus::Running);
        cut_off.map(|(id, facts)| (id, facts.attempts)).collect()
    }

    /// Reads the whole lines that are there now and were not before. A last one that is torn is not whole yet.
    fn read_on(&mut self) -> io::Result<()> {
        let mut file = match store::open_file(&self.ledger) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let length = file.metadata()?.len();
        if length < self.read {
            // Another file has taken its place.
            (self.read, self.used) = (0, BTreeMap::new());
        }
        file.seek(SeekFrom::Start(self.read))?;
        // What is added meanwhile is read the next time: a reader has an end.
        let mut reader = BufReader::new(file.take(length - self.read));
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            let mut bytes = count as u64;
            if !line.ends_with(b"\n") {
                if bytes < LINE_BYTES_MAX {
                    return Ok(());
                }
                bytes = bytes.saturating_add(reader.skip_until(b'\n')? as u64);
            }
            self.read = self.read.saturating_add(bytes);
            match serde_json::from_slice::<Entry>(&line) {
                Ok(entry) => {
                    let usage = models::usage(&entry);
                    let of_attempt = self.used.entry((entry.task, entry.attempt)).or_default();
                    *of_attempt = of_attempt.plus(usage);
                }
                Err(error) => self.complain(&format!("a line of it is left out: {error}")),
            }
        }
    }

    /// Once: whoever watches looks again and again.
    fn complain(&mut self, why: &str) {
        if !std::mem::replace(&mut self.has_complained, true) {
            tracing::warn!("what models used so far is not all known from {}: {why}", self.ledger.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use mycelium_schemas::state::TaskState;

    use super::*;

    fn line(task: &str, attempt: u32, tokens: u64) -> String {
        let entry = Entry { task: task.to_owned(), attempt, input_tokens: tokens, ..Entry::default() };
        serde_json::to_string(&entry).unwrap() + "\n"
    }

    /// A run at work on the first attempt at one task, and the second one at another.
    fn view() -> RunView {
        let task = |status, attempts| TaskState {
            status,
            attempts,
            usage: Usage::default(),
            validators: BTreeMap::new(),
            unmetered_attempts: 0,
            commit: None,
            reasons: Vec::new(),
        };
        let commit = "0".repeat(40);
        let view = serde_json::json!({
            "schema_version": 1, "run_id": "r1", "project": "p", "status": "running", "stop_reason": null,
            "integration_branch": "main", "base_commit": commit, "head_commit": commit,
            "started_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
            "batches": [], "tasks": {}, "usage": {},
        });
        let mut view: RunView = serde_json::from_value(view).unwrap();
        for (id, status, attempts) in
            [("a", TaskStatus::Running, 1), ("b", TaskStatus::Running, 2), ("c", TaskStatus::Landed, 1)]
        {
            view.tasks.insert(id.parse().unwrap(), task(status, attempts));
        }
        view
    }

    fn reader(folder: &std::path::Path) -> LiveReader {
        LiveReader {
            ledger: folder.join("models.jsonl"),
            journal: folder.join("none"),
            read: 0,
            used: BTreeMap::new(),
            has_complained: false,
        }
    }

    fn tokens(live: Option<LiveUsage>) -> Vec<(String, u64)> {
        let live = live.unwrap_or_default();
        assert_eq!(live.usage.tokens(), live.tasks.values().map(Usage::tokens).sum::<u64>());
        live.tasks.iter().map(|(task, usage)| (task.to_string(), usage.tokens())).collect()
    }

    #[test]
    fn each_whole_line_of_an_attempt_under_way_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut reader, view) = (reader(folder.path()), view());
        assert_eq!(reader.look(&view), None);
        let mut ledger = fs::File::create(&reader.ledger).unwrap();
        let torn = line("a", 1, 7);
        let (begin, end) = torn.split_at(40);
        write!(
            ledger,
            "{}{}{}{}{begin}",
            line("a", 1, 5),
            line("b", 1, 100),
            line("b", 2, 20),
            line("c", 1, 9)
        )
        .unwrap();
        let first = vec![("a".to_owned(), 5), ("b".to_owned(), 20)];
        assert_eq!(tokens(reader.look(&view)), first);
        assert_eq!(tokens(reader.look(&view)), first);
        write!(ledger, "{end}").unwrap();
        assert_eq!(tokens(reader.look(&view)), [("a".to_owned(), 12), ("b".to_owned(), 20)]);
        assert!(!reader.has_complained);
        let ended = RunView { status: RunStatus::Complete, ..view };
        assert_eq!(reader.look(&ended), None);
    }

    #[test]
    fn lines_that_are_none_are_left_out_and_another_file_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (mut reader, view) = (reader(folder.path()), view());
        let long = "x".repeat(3 * usize::try_from(LINE_BYTES_MAX).unwrap());
        fs::write(&reader.ledger, format!("{{}}\n{long}\n\0\n{}", line("a", 1, 5))).unwrap();
        assert_eq!(tokens(reader.look(&view)), [("a".to_owned(), 5)]);
        assert!(reader.has_complained);
        fs::write(&reader.ledger, line("a", 1, 6)).unwrap();
        assert_eq!(tokens(reader.look(&view)), [("a".to_owned(), 6)]);
        fs::remove_file(&reader.ledger).unwrap();
        fs::create_dir(&reader.ledger).unwrap();
        assert_eq!(tokens(reader.look(&view)), [("a".to_owned(), 6)], "what is no file is not read");
    }
}
