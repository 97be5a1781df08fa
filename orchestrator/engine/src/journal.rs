//! The journal: appended, durable before anything that depends on it happens, and folded into the state at once.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use mycelium_core::{settle::Draft, state::RunState};
use mycelium_schemas::{
    SCHEMA_VERSION,
    event::{Event, EventKind, JournalTruncated},
    id::{ProjectName, RunId},
};

use crate::{
    clock::Clock,
    error::{Error, IoContext},
    fault,
    journal_tail::{self, Tail},
    private,
    redact::Redactor,
    saboteur, store,
};

/// An append-only file of events.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
    run_id: RunId,
    clock: Clock,
    redactor: Redactor,
    seq: u64,
    /// Length up to the last append that succeeded.
    whole_bytes: u64,
    /// Set where an append failed and could not be taken back: nothing may follow what is torn.
    broken: bool,
}

/// Events that belong together, and the lines that they become.
#[derive(Debug)]
struct Group {
    bytes: Vec<u8>,
    events: Vec<Event>,
}

impl EventFile {
    /// Creates the file; it must not exist.
    pub fn create(path: &Path, run_id: RunId, clock: Clock, redactor: Redactor) -> Result<Self, Error> {
        let file = fault::point!("events.create", private::open().append(true).create_new(true).open(path))
            .at("create", path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            run_id,
            clock,
            redactor,
            seq: 0,
            whole_bytes: 0,
            broken: false,
        })
    }

    /// Goes on with a file whose last event is known.
    fn reopen(path: &Path, last: &Event, whole_bytes: u64, clock: Clock) -> Result<Self, Error> {
        let file = OpenOptions::new().append(true).open(path).at("open", path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            run_id: last.run_id.clone(),
            clock,
            redactor: Redactor::default(),
            seq: last.seq,
            whole_bytes,
            broken: false,
        })
    }

    /// Stamps events and appends them in one write. They belong together: a reader that finds a part of them takes
    /// none. What of them a failed write left is taken back, and their numbers are used again.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<(), Error> {
        let group = self.stamp(drafts)?;
        self.write(&group, false)
    }

    /// Numbers and dates events, and keeps secrets out of them. Writes nothing.
    fn stamp(&mut self, drafts: Vec<Draft>) -> Result<Group, Error> {
        let mut group = Group { bytes: Vec::new(), events: Vec::with_capacity(drafts.len()) };
        let count = drafts.len();
        for (number, draft) in (1..).zip(drafts) {
            let event = Event {
                v: SCHEMA_VERSION,
                ts: self.clock.stamp(),
                seq: self.seq + number as u64,
                run_id: self.run_id.clone(),
                task_id: draft.task,
                attempt: draft.attempt,
                batch: draft.batch,
                more: number < count,
                kind: draft.kind,
            };
            let (line, event) = self.redactor.event(&self.path, event)?;
            let swallowed =
                saboteur::is!("swallow-log-line") && matches!(event.kind, EventKind::TaskLanded(_));
            if !swallowed {
                group.bytes.extend_from_slice(line.as_bytes());
                group.bytes.push(b'\n');
            }
            group.events.push(event);
        }
        Ok(group)
    }

    fn write(&mut self, group: &Group, durably: bool) -> Result<(), Error> {
        if self.broken {
            return Err(std::io::Error::other("its end is torn")).at("append to", &self.path);
        }
        let written =
            fault::write_all!("events.append", &mut self.file, &group.bytes).at("append to", &self.path);
        if let Err(error) = written.and_then(|()| if durably { self.sync() } else { Ok(()) }) {
            self.broken = fault::point!("events.take_back", self.file.set_len(self.whole_bytes)).is_err();
            return Err(error);
        }
        self.whole_bytes += group.bytes.len() as u64;
        self.seq += group.events.len() as u64;
        Ok(())
    }

    /// Makes all that was appended survive a power cut.
    pub fn finish(self) -> Result<(), Error> {
        fault::point!("events.finish", self.file.sync_data()).at("sync", &self.path)
    }

    fn sync(&self) -> Result<(), Error> {
        fault::point!("journal.sync", self.file.sync_data()).at("sync", &self.path)
    }
}

/// The journal of a run together with the state that it folds into.
#[derive(Debug)]
pub struct Journal {
    file: EventFile,
    state: RunState,
}

impl Journal {
    /// Begins the journal with its first event, `run.start`.
    pub fn begin(
        mut file: EventFile,
        project: ProjectName,
        start: Draft,
    ) -> Result<(Self, Vec<Event>), Error> {
        let group = file.stamp(vec![start])?;
        let first = group.events.first().ok_or(Error::Lost("the journal"))?;
        let state = RunState::start(project, first)?;
        file.write(&group, true)?;
        // Its name, too, is there after a power cut.
        store::sync_dir(store::folder_of(&file.path))?;
        Ok((Self { file, state }, group.events))
    }

    /// Whether a run has begun: its journal holds a whole event. One that cannot be read counts as begun.
    pub fn has_begun(path: &Path) -> Result<bool, Error> {
        let bytes = match store::read_file(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            result => result.at("read", path)?,
        };
        Ok(!journal_tail::read(path, &bytes).is_ok_and(|tail| tail.events.is_empty()))
    }

    /// The state that a journal folds into, up to its last whole group of events. Writes nothing.
    pub fn peek(path: &Path, project: ProjectName) -> Result<RunState, Error> {
        let bytes = store::read_file(path).at("read", path)?;
        fold(path, project, &journal_tail::read(path, &bytes)?)
    }

    /// Reads the journal of a run, folds it, and goes on behind its last whole group of events. What is torn behind
    /// it is cut off, which is journaled: gives the events that say so, or none.
    pub fn load(path: &Path, project: ProjectName, stepped: bool) -> Result<(Self, Vec<Event>), Error> {
        let bytes = store::read_file(path).at("read", path)?;
        let tail = journal_tail::read(path, &bytes)?;
        if let Some(version) = tail.newer {
            return Err(Error::Newer { path: path.to_owned(), version });
        }
        let state = fold(path, project, &tail)?;
        let torn = bytes.len() as u64 - tail.whole_bytes;
        let last = tail.events.last().ok_or(Error::Lost("the journal"))?;
        let clock = if stepped { Clock::after(last.ts) } else { Clock::Real };
        let file = EventFile::reopen(path, last, tail.whole_bytes, clock)?;
        let mut journal = Self { file, state };
        if torn == 0 {
            return Ok((journal, Vec::new()));
        }
        fault::point!("journal.cut", journal.file.file.set_len(tail.whole_bytes)).at("cut", path)?;
        fault::point!("journal.sync_cut", journal.file.file.sync_all()).at("sync", path)?;
        let cut = EventKind::JournalTruncated(JournalTruncated { bytes: torn });
        let said = journal.append(vec![Draft::run(cut)])?;
        Ok((journal, said))
    }

    /// From here on keeps out what a redactor knows; a journal that was loaded knows the shapes of keys alone.
    pub fn keep_out(&mut self, redactor: Redactor) {
        self.file.redactor = redactor;
    }

    /// The state after the last event.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Appends events durably and folds them into the state, all of them or none.
    pub fn append(&mut self, mut drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        let ends = |draft: &Draft| matches!(draft.kind, EventKind::RunStop(_) | EventKind::RunComplete(_));
        if let Some(end) = drafts.iter().position(ends) {
            // What was kept out of the journal itself is told once, before its last event.
            drafts.splice(end..end, self.file.redactor.notes().into_iter().map(Draft::run));
        }
        self.record(drafts, true)
    }

    /// Appends events that nothing depends on; the next durable append makes them durable too.
    pub fn append_report(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        self.record(drafts, false)
    }

    /// Makes all that was appended survive a power cut.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync()
    }

    /// Asks the state first, so that what it refuses is never written; the state changes once the events are.
    fn record(&mut self, drafts: Vec<Draft>, durably: bool) -> Result<Vec<Event>, Error> {
        let group = self.file.stamp(drafts)?;
        if let [event] = group.events.as_slice() {
            self.state.check(event)?;
            self.file.write(&group, durably)?;
            self.state.apply(event)?;
            return Ok(group.events);
        }
        // Each of several is judged by what the ones before it make of the state.
        let mut next = self.state.clone();
        for event in &group.events {
            next.apply(event)?;
        }
        self.file.write(&group, durably)?;
        self.state = next;
        Ok(group.events)
    }
}

/// As much of a journal's end as is looked at for its last event.
const LAST_LINE_MAX: u64 = 1 << 16;

/// When the last event of a journal happened, without reading all of it; none where that is not easily told.
pub(crate) fn last_stamp(path: &Path) -> Option<Timestamp> {
    let mut file = store::open_file(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_LINE_MAX))).ok()?;
    let mut end = Vec::new();
    file.take(LAST_LINE_MAX).read_to_end(&mut end).ok()?;
    let line = end.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    let event: Event = serde_json::from_slice(line).ok()?;
    (!event.more).then_some(event.ts)
}

fn fold(path: &Path, project: ProjectName, tail: &Tail) -> Result<RunState, Error> {
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    let (first, rest) =
        tail.events.split_first().ok_or_else(|| damaged("it holds no whole event".to_owned()))?;
    let mut state = RunState::start(project, first).map_err(|illegal| damaged(illegal.to_string()))?;
    for event in rest {
        state.apply(event).map_err(|illegal| damaged(illegal.to_string()))?;
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mycelium_schemas::{
        event::{Local, RunComplete, RunStart, RunStop, World},
        id::CommitId,
        state::{RunStatus, StopReason},
    };

    use super::*;

    fn begin(dir: &Path) -> Journal {
        let commit: CommitId = "1".repeat(40).parse().unwrap();
        let start = RunStart {
            tasks: Vec::new(),
            landed_before: Vec::new(),
            number: None,
            integration_branch: "main".to_owned(),
            base_commit: commit,
            max_parallel: 1,
            config_digest: String::new(),
            doctor_digest: String::new(),
            world: World::Local,
            local: Local::default(),
        };
        let file = EventFile::create(
            &dir.join("orchestrator.jsonl"),
            "r1".parse().unwrap(),
            Clock::Real,
            Redactor::default(),
        );
        Journal::begin(file.unwrap(), "p".parse().unwrap(), Draft::run(EventKind::RunStart(start))).unwrap().0
    }

    fn complete(journal: &Journal) -> Draft {
        let head_commit = journal.state().head.clone();
        Draft::run(EventKind::RunComplete(RunComplete { head_commit }))
    }

    fn stop() -> Draft {
        Draft::run(EventKind::RunStop(RunStop {
            status: RunStatus::Interrupted,
            stop_reason: StopReason::Environment,
            message: String::new(),
        }))
    }

    #[test]
    fn a_group_with_one_illegal_event_leaves_file_and_state_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begin(dir.path());
        let before = fs::read(&journal.file.path).unwrap();
        let drafts = vec![complete(&journal), stop()];
        assert!(matches!(journal.append(drafts), Err(Error::Illegal(_))));
        assert_eq!(fs::read(&journal.file.path).unwrap(), before);
        assert!(journal.state().end.is_none());
        let last = complete(&journal);
        assert_eq!(journal.append(vec![last]).unwrap()[0].seq, 2);
        Journal::peek(&journal.file.path, "p".parse().unwrap()).unwrap();
    }

    #[test]
    fn a_write_that_fails_leaves_no_gap() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begin(dir.path());
        let path = journal.file.path.clone();
        let before = fs::read(&path).unwrap();
        let writable = std::mem::replace(&mut journal.file.file, File::open(&path).unwrap());
        let last = complete(&journal);
        assert!(journal.append(vec![last]).is_err());
        assert!(journal.state().end.is_none());
        // Neither could the file be shortened through this handle: from now on nothing is written.
        journal.file.file = writable;
        assert!(journal.append(vec![stop()]).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
        journal.file.broken = false;
        assert_eq!(journal.append(vec![stop()]).unwrap()[0].seq, 2);
    }
}
