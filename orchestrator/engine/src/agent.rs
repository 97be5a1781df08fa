//! Agents are adapters over a child process that prints events (design 3.4): what to start, and how to read what it
//! prints.

use mycelium_core::{budget, settle::Draft};
use mycelium_schemas::{
    config::{Agent, Config, Price},
    event::{AgentEvent, EventKind, Local, WorkerStart},
    id::TaskId,
    state::Usage,
};
use serde::Deserialize;
use tokio::{sync::mpsc, time::Instant};

use crate::{
    conversation::Keeper,
    environment::Environment,
    error::Error,
    hired::Said,
    job::{Program, Watcher},
    journal::EventFile,
};

/// The configured agent.
pub fn program(config: &Config, environment: &Environment) -> Program {
    match (config.worker.agent, &config.worker.command) {
        (Agent::Command, Some(command)) => Program::Shell(command.clone()),
        // The configuration's own check makes a command agent without a command impossible; agents that ask a model are
        // hired for each attempt.
        (Agent::Command | Agent::Mock | Agent::Codex | Agent::Claude, _) => {
            Program::Own { path: environment.program.clone(), command: "mock-agent" }
        }
    }
}

/// The agent's name in events.
pub fn name(config: &Config) -> &'static str {
    match config.worker.agent {
        Agent::Mock => "mock",
        Agent::Command => "command",
        Agent::Codex => "codex",
        Agent::Claude => "claude",
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
    /// Its number where those are not counted that were lost with their orchestrator.
    pub turn: u32,
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
    /// Its agent's name.
    pub agent: &'static str,
    /// How what it prints is understood.
    pub(crate) reading: Reading,
    /// Keeps the conversation's id once the agent tells it, where none is kept yet.
    pub(crate) keeper: Option<Keeper>,
}

/// How what an agent prints is understood.
#[derive(Debug)]
pub(crate) enum Reading {
    /// By the usage that it reports.
    Usage(UsageCount),
    /// By its adapter: the gateway counts what it uses.
    Adapter(Box<Said>),
}

/// The part of a `turn.completed` event that counts.
#[derive(Deserialize)]
struct Turn {
    usage: ReportedUsage,
}

#[expect(clippy::struct_field_names, reason = "the names are the agents' own")]
#[derive(Deserialize)]
struct ReportedUsage {
    input_tokens: u64,
    #[serde(default)]
    cached_input_tokens: u64,
    #[serde(default)]
    cache_write_input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    reasoning_output_tokens: u64,
}

impl Watcher for AgentWatcher<'_> {
    fn started(&mut self, pid: Option<u32>) {
        let local = Local { pid, ..Local::default() };
        let kind = EventKind::WorkerStart(WorkerStart { agent: self.agent.to_owned(), local });
        // The receiver is gone only when the run is ending; then nobody reads it any more.
        let _unheard = self.journal.send(self.key.draft(kind));
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(line) else { return Ok(()) };
        if event.get("type").and_then(serde_json::Value::as_str).is_none() {
            return Ok(());
        }
        match &mut self.reading {
            Reading::Usage(usage) => usage.add(&event),
            Reading::Adapter(said) => {
                said.event(&event);
                if let (Some(keeper), Some(session)) = (&mut self.keeper, said.session()) {
                    keeper.keep(session)?;
                }
            }
        }
        self.events.append(vec![self.key.draft(EventKind::AgentEvent(AgentEvent { event }))])?;
        Ok(())
    }

    fn too_long(&mut self) {
        if let Reading::Usage(usage) = &mut self.reading {
            usage.unreadable = true;
        }
    }

    fn lost(&mut self) {
        self.too_long();
    }

    fn error_output(&mut self, chunk: &[u8]) {
        if let Reading::Adapter(said) = &mut self.reading {
            said.error_output(chunk);
        }
    }

    fn has_ended(&self) -> bool {
        matches!(&self.reading, Reading::Adapter(said) if said.has_ended())
    }

    fn has_begun(&self) -> bool {
        match &self.reading {
            Reading::Adapter(said) => said.has_begun(),
            Reading::Usage(_) => true,
        }
    }

    fn sign_of_life(&self) -> Option<Instant> {
        match &self.reading {
            Reading::Adapter(said) => said.sign_of_life(),
            Reading::Usage(_) => None,
        }
    }

    fn container(&mut self, kind: EventKind) {
        let _unheard = self.journal.send(self.key.draft(kind));
    }
}

/// A watcher that tells of the containers of an attempt's commands alone.
#[derive(Debug)]
pub struct Notes {
    /// The attempt.
    pub key: AttemptKey,
    /// To the run's journal.
    pub journal: mpsc::UnboundedSender<Draft>,
}

impl Watcher for Notes {
    fn container(&mut self, kind: EventKind) {
        let _unheard = self.journal.send(self.key.draft(kind));
    }
}

/// Adds up what an agent reports.
#[derive(Debug)]
pub struct UsageCount {
    price: Option<Price>,
    total: Option<Usage>,
    unreadable: bool,
}

impl UsageCount {
    /// Nothing yet, at the price of the configured model.
    pub fn new(config: &Config) -> Self {
        Self {
            price: config.budgets.prices.get(&config.worker.model).copied(),
            total: None,
            unreadable: false,
        }
    }

    /// Adds an event that the agent printed, if it reports usage. What it costs is never taken from the agent.
    pub fn add(&mut self, event: &serde_json::Value) {
        if event.get("type").and_then(serde_json::Value::as_str) != Some("turn.completed") {
            return;
        }
        let Ok(Turn { usage: reported }) = Turn::deserialize(event) else {
            self.unreadable = true;
            return;
        };
        let tokens = Usage {
            input_tokens: reported.input_tokens,
            cached_input_tokens: reported.cached_input_tokens,
            cache_write_input_tokens: reported.cache_write_input_tokens,
            output_tokens: reported.output_tokens,
            reasoning_output_tokens: reported.reasoning_output_tokens,
            cost_microusd: 0,
        };
        let cost_microusd = self.price.map_or(0, |price| budget::cost_microusd(tokens, price));
        self.total = Some(self.total.unwrap_or_default().plus(Usage { cost_microusd, ..tokens }));
    }

    /// True where something may have been reported that cannot be counted: a budget must not be judged by the rest.
    pub fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// The sum; none until something was reported.
    pub fn total(&self) -> Option<Usage> {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use mycelium_schemas::{config, problem::Source};

    use super::*;

    fn count(event: &str) -> UsageCount {
        let source = Source::new("c", "integration_branch: main\ndoctor: d.sh\n");
        let mut count = UsageCount::new(&config::parse(&source).unwrap());
        count.add(&serde_json::from_str(event).unwrap());
        count
    }

    #[test]
    fn usage_that_cannot_be_counted_is_never_taken_for_none() {
        for usage in [
            r#"{"input_tokens": 5000.0, "output_tokens": 2}"#,
            r#"{"input_tokens": "5000", "output_tokens": 2}"#,
            r#"{"input_tokens": 99999999999999999999, "output_tokens": 2}"#,
            r#"{"input_tokens": -1, "output_tokens": 2}"#,
            r#"{"input_tokens": 1, "cached_input_tokens": null, "output_tokens": 2}"#,
            r#"{"output_tokens": 2}"#,
            "{}",
            "null",
        ] {
            assert!(
                count(&format!(r#"{{"type": "turn.completed", "usage": {usage}}}"#)).is_unreadable(),
                "{usage}"
            );
        }
        let good = count(r#"{"type": "turn.completed", "usage": {"input_tokens": 5, "output_tokens": 2}}"#);
        assert!(!good.is_unreadable());
        assert_eq!(good.total().unwrap().tokens(), 7);
        assert!(!count(r#"{"type": "item.completed", "usage": "x"}"#).is_unreadable());
    }
}
