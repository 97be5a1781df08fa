//! The journal: appended, durable before anything that depends on it happens, and folded into the state at once.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
};

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
    store,
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
    /// none. What of them a failed write left is taken back. Gives them as they were written: without secrets.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        self.write(drafts, false)
    }

    /// The same, durably.
    pub fn append_durably(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        self.write(drafts, true)
    }

    fn write(&mut self, drafts: Vec<Draft>, durably: bool) -> Result<Vec<Event>, Error> {
        let mut bytes = Vec::new();
        let mut events = Vec::with_capacity(drafts.len());
        let count = drafts.len();
        for (number, draft) in (1..).zip(drafts) {
            self.seq += 1;
            let event = Event {
                v: SCHEMA_VERSION,
                ts: self.clock.stamp(),
                seq: self.seq,
                run_id: self.run_id.clone(),
                task_id: draft.task,
                attempt: draft.attempt,
                batch: draft.batch,
                more: number < count,
                kind: draft.kind,
            };
            let (line, event) = self.redactor.event(&self.path, event)?;
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
            events.push(event);
        }
        if self.broken {
            return Err(std::io::Error::other("its end is torn")).at("append to", &self.path);
        }
        let written = fault::write_all!("events.append", &mut self.file, &bytes).at("append to", &self.path);
        if let Err(error) = written.and_then(|()| if durably { self.sync() } else { Ok(()) }) {
            self.broken = fault::point!("events.take_back", self.file.set_len(self.whole_bytes)).is_err();
            return Err(error);
        }
        self.whole_bytes += bytes.len() as u64;
        Ok(events)
    }

    /// Makes what was appended survive a power cut.
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
        let events = file.append_durably(vec![start])?;
        let first = events.first().ok_or(Error::Lost("the journal"))?;
        let state = RunState::start(project, first)?;
        Ok((Self { file, state }, events))
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

    /// Appends events durably, then folds them into the state.
    pub fn append(&mut self, mut drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        let ends = |draft: &Draft| matches!(draft.kind, EventKind::RunStop(_) | EventKind::RunComplete(_));
        if let Some(end) = drafts.iter().position(ends) {
            // What was kept out of the journal itself is told once, before its last event.
            drafts.splice(end..end, self.file.redactor.notes().into_iter().map(Draft::run));
        }
        let events = self.file.append_durably(drafts)?;
        self.fold(&events)?;
        Ok(events)
    }

    /// Appends events that nothing depends on; the next durable append makes them durable too.
    pub fn append_report(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        let events = self.file.append(drafts)?;
        self.fold(&events)?;
        Ok(events)
    }

    fn fold(&mut self, events: &[Event]) -> Result<(), Error> {
        for event in events {
            self.state.apply(event)?;
        }
        Ok(())
    }
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
