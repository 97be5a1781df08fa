//! The journal: appended, durable before anything that depends on it happens, and folded into the state at once.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use mycelium_core::{settle::Draft, state::RunState};
use mycelium_schemas::{
    SCHEMA_VERSION,
    event::Event,
    id::{ProjectName, RunId},
};

use crate::{
    clock::Clock,
    error::{Error, IoContext},
    journal_tail::{self, Tail},
};

/// An append-only file of events.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
    run_id: RunId,
    clock: Clock,
    seq: u64,
}

impl EventFile {
    /// Creates the file; it must not exist.
    pub fn create(path: &Path, run_id: RunId, clock: Clock) -> Result<Self, Error> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).at("create", path)?;
        Ok(Self { path: path.to_owned(), file, run_id, clock, seq: 0 })
    }

    /// Goes on with a file whose last event is known.
    fn reopen(path: &Path, last: &Event, clock: Clock) -> Result<Self, Error> {
        let file = OpenOptions::new().append(true).open(path).at("open", path)?;
        Ok(Self { path: path.to_owned(), file, run_id: last.run_id.clone(), clock, seq: last.seq })
    }

    /// Stamps events and appends them in one write. They belong together: a reader that finds a part of them takes
    /// none.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
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
            serde_json::to_writer(&mut bytes, &event)?;
            bytes.push(b'\n');
            events.push(event);
        }
        self.file.write_all(&bytes).at("append to", &self.path)?;
        Ok(events)
    }

    /// Makes what was appended survive a power cut.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().at("sync", &self.path)
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
        let events = file.append(vec![start])?;
        file.sync()?;
        let first = events.first().ok_or(Error::Lost("the journal"))?;
        let state = RunState::start(project, first)?;
        Ok((Self { file, state }, events))
    }

    /// The state that a journal folds into, up to its last whole group of events. Writes nothing.
    pub fn peek(path: &Path, project: ProjectName) -> Result<RunState, Error> {
        let bytes = std::fs::read(path).at("read", path)?;
        fold(path, project, &journal_tail::read(path, &bytes)?)
    }

    /// Reads the journal of a run, folds it, and goes on behind its last whole group of events. What is torn behind
    /// it is cut off; says how many bytes that were.
    pub fn load(path: &Path, project: ProjectName, stepped: bool) -> Result<(Self, u64), Error> {
        let bytes = std::fs::read(path).at("read", path)?;
        let tail = journal_tail::read(path, &bytes)?;
        let state = fold(path, project, &tail)?;
        let torn = bytes.len() as u64 - tail.whole_bytes;
        let last = tail.events.last().ok_or(Error::Lost("the journal"))?;
        let clock = if stepped { Clock::after(last.ts) } else { Clock::Real };
        let file = EventFile::reopen(path, last, clock)?;
        if torn > 0 {
            file.file.set_len(tail.whole_bytes).at("cut", path)?;
            file.file.sync_all().at("sync", path)?;
        }
        Ok((Self { file, state }, torn))
    }

    /// The state after the last event.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Appends events durably, then folds them into the state.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        let events = self.file.append(drafts)?;
        self.file.sync()?;
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
