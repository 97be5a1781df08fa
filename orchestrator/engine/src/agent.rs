//! Agents are adapters over a child process that prints events (design 3.4): what to start, and how to read what it
//! prints.

use std::ffi::OsString;

use mycelium_core::{budget, settle::Draft};
use mycelium_schemas::{
    config::{Agent, Config, Price},
    event::{AgentEvent, EventKind, Local, WorkerStart},
    id::TaskId,
    state::Usage,
};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::{
    environment::Environment,
    error::Error,
    journal::EventFile,
    process::{Job, Watcher},
};

/// Program and arguments of the configured agent.
pub fn command_line(config: &Config, environment: &Environment) -> (OsString, Vec<OsString>) {
    match (config.worker.agent, &config.worker.command) {
        (Agent::Command, Some(command)) => Job::shell(command),
        // The configuration's own check makes a command agent without a command impossible.
        (Agent::Command | Agent::Mock, _) => (environment.program.clone().into(), vec!["mock-agent".into()]),
    }
}

/// The agent's name in events.
pub fn name(config: &Config) -> &'static str {
    match config.worker.agent {
        Agent::Mock => "mock",
        Agent::Command => "command",
    }
}

/// Which attempt an event belongs to.
#[derive(Debug, Clone)]
pub struct AttemptKey {
    /// Its batch.
    pub batch: u32,
    /// Its task.
    pub task: TaskId,
    /// Its number.
    pub attempt: u32,
}

impl AttemptKey {
    /// An event about this attempt.
    pub fn draft(&self, kind: EventKind) -> Draft {
        Draft::task(self.batch, &self.task, self.attempt, kind)
    }
}

/// Reads what an agent prints: every JSON object with a `type` is kept, usage is added up.
#[derive(Debug)]
pub struct AgentWatcher<'a> {
    /// The attempt.
    pub key: AttemptKey,
    /// Its own file of events.
    pub events: &'a mut EventFile,
    /// To the run's journal.
    pub journal: mpsc::UnboundedSender<Draft>,
    /// `mock` or `command`.
    pub agent: &'static str,
    /// What its agent reported.
    pub usage: UsageCount,
}

/// The part of a `turn.completed` event that counts.
#[derive(Deserialize)]
struct Turn {
    usage: Usage,
}

impl Watcher for AgentWatcher<'_> {
    fn started(&mut self, pid: u32) {
        let local = Local { pid: Some(pid), ..Local::default() };
        let kind = EventKind::WorkerStart(WorkerStart { agent: self.agent.to_owned(), local });
        // The receiver is gone only when the run is ending; then nobody reads it any more.
        let _unheard = self.journal.send(self.key.draft(kind));
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(line) else { return Ok(()) };
        if event.get("type").and_then(serde_json::Value::as_str).is_none() {
            return Ok(());
        }
        self.usage.add(&event);
        self.events.append(vec![self.key.draft(EventKind::AgentEvent(AgentEvent { event }))])?;
        Ok(())
    }
}

/// Adds up what an agent reports.
#[derive(Debug)]
pub struct UsageCount {
    price: Option<Price>,
    total: Option<Usage>,
}

impl UsageCount {
    /// Nothing yet, at the price of the configured model.
    pub fn new(config: &Config) -> Self {
        Self { price: config.budgets.prices.get(&config.worker.model).copied(), total: None }
    }

    /// Adds an event that the agent printed, if it reports usage. What it costs is never taken from the agent.
    pub fn add(&mut self, event: &serde_json::Value) {
        if event.get("type").and_then(serde_json::Value::as_str) != Some("turn.completed") {
            return;
        }
        let Ok(turn) = Turn::deserialize(event) else { return };
        let tokens = Usage { cost_microusd: 0, ..turn.usage };
        let cost_microusd = self.price.map_or(0, |price| budget::cost_microusd(tokens, price));
        self.total = Some(self.total.unwrap_or_default().plus(Usage { cost_microusd, ..tokens }));
    }

    /// The sum; none until something was reported.
    pub fn total(&self) -> Option<Usage> {
        self.total
    }
}
