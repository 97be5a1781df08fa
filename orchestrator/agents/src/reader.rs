//! Reads an agent's standard output, line by line, into a report of what it said about itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{agent::Agent, claude, codex, outcome::Failure, tokens::Tokens};

/// Characters of an answer or a message that are kept.
pub(crate) const TEXT_MAX: usize = 64 * 1024;
/// Warnings that are kept: the first ones.
const WARNINGS_MAX: usize = 20;

/// What an agent said about itself so far. None of it is believed before exit status and diff say the same: see
/// [`crate::outcome::judge`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Its conversation, with which it can be gone on with.
    pub session: Option<String>,
    /// How it says that it ended.
    pub terminal: Option<Terminal>,
    /// What the conversation used since it began, each time it was told; none until then.
    pub session_tokens: Option<Tokens>,
    /// The same by model, where the agent tells it.
    pub models: BTreeMap<String, Tokens>,
    /// The last words of the agent.
    pub answer: Option<String>,
    /// The answer in the form that was asked for.
    pub structured: Option<Value>,
    /// What went wrong and did not end it, as a connection that it made again.
    pub trouble: Option<Failure>,
    /// What it warned of: refused permissions, a model that it does not know.
    pub warnings: Vec<String>,
    /// True where it told a usage that cannot be read: no budget may be judged by the rest.
    pub usage_is_unreadable: bool,
}

/// How an agent says that it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terminal {
    /// With its work done.
    Completed,
    /// Without.
    Failed(Failure),
}

impl Report {
    /// The tokens that the conversation used since it began, by the agent's own count.
    pub fn told(&self) -> Option<u64> {
        self.session_tokens.map(Tokens::total)
    }

    pub(crate) fn warn(&mut self, text: &str) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(shortened(text));
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.answer = Some(shortened(text));
        }
    }
}

/// The beginning of a text, so that no agent fills the memory with one.
pub(crate) fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(TEXT_MAX).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().to_owned()
}

/// What a line is.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// One of its events; also one that nobody knows yet.
    Event(Value),
    /// Something else that it printed.
    Text,
}

/// Reads the lines of one invocation.
#[derive(Debug)]
pub struct Reader {
    agent: Agent,
    report: Report,
}

impl Reader {
    /// Nothing read yet.
    pub fn new(agent: Agent) -> Self {
        Self { agent, report: Report::default() }
    }

    /// Reads a line, given without its end. A torn or foreign one is text.
    pub fn line(&mut self, line: &[u8]) -> Line {
        match serde_json::from_slice::<Value>(line) {
            Ok(event) if self.event(&event) => Line::Event(event),
            _ => Line::Text,
        }
    }

    /// Reads what a line holds; false where it is no event.
    pub fn event(&mut self, event: &Value) -> bool {
        let Some(kind) = event.get("type").and_then(Value::as_str) else { return false };
        match self.agent {
            Agent::Codex => codex::read(&mut self.report, kind, event),
            Agent::Claude => claude::read(&mut self.report, kind, event),
        }
        true
    }

    /// A line was too long to be looked at: it may have told a usage.
    pub fn too_long(&mut self) {
        self.report.usage_is_unreadable = true;
    }

    /// What it said so far.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// The answer in the form that was asked for, whole, where this event holds one: the last that comes counts.
pub fn answer_in(agent: Agent, event: &Value) -> Option<String> {
    match (agent, text_at(event, "/type")?) {
        (Agent::Codex, "item.completed") if text_at(event, "/item/type") == Some("agent_message") => {
            text_at(event, "/item/text").map(str::to_owned)
        }
        (Agent::Claude, "result") => {
            let structured = event.get("structured_output").filter(|value| !value.is_null());
            structured.map(Value::to_string)
        }
        _ => None,
    }
}

pub(crate) fn text_at<'a>(event: &'a Value, pointer: &str) -> Option<&'a str> {
    event.pointer(pointer).and_then(Value::as_str)
}
