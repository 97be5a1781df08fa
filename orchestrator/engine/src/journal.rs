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

    /// Stamps events and appends them in one write.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Event>, Error> {
        let mut bytes = Vec::new();
        let mut events = Vec::with_capacity(drafts.len());
        for draft in drafts {
            self.seq += 1;
            let event = Event {
                v: SCHEMA_VERSION,
                ts: self.clock.stamp(),
                seq: self.seq,
                run_id: self.run_id.clone(),
                task_id: draft.task,
                attempt: draft.attempt,
                batch: draft.batch,
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
