//! Codex CLI: `codex exec --json`. One invocation is one turn: `thread.started`, `turn.started`, items, and
//! `turn.completed` or `turn.failed`. An `error` event ends nothing: it is a connection that is made again.

mod failure;
pub(crate) mod invocation;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    outcome::Failure,
    reader::{Report, Terminal, text_at},
    tokens::Tokens,
};

/// Usage as OpenAI's interfaces tell it. `input_tokens` includes the cached ones.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are the provider's")]
pub(crate) struct Usage {
    input_tokens: u64,
    #[serde(default)]
    cached_input_tokens: u64,
    #[serde(default)]
    cache_write_input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    reasoning_output_tokens: u64,
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input_tokens,
            cached_input: usage.cached_input_tokens,
            cache_write_input: usage.cache_write_input_tokens,
            output: usage.output_tokens,
            reasoning_output: usage.reasoning_output_tokens,
        }
    }
}

pub(crate) fn read(report: &mut Report, kind: &str, event: &Value) {
    match kind {
        "thread.started" => report.session = text_at(event, "/thread_id").map(str::to_owned),
        "turn.completed" => {
            match event.get("usage").map(Usage::deserialize) {
                Some(Ok(usage)) => report.session_tokens = Some(usage.into()),
                _ => report.usage_is_unreadable = true,
            }
            report.terminal = Some(Terminal::Completed);
        }
        "turn.failed" => {
            report.terminal = Some(Terminal::Failed(failure(text_at(event, "/error/message"))));
        }
        "error" => report.trouble = Some(failure(text_at(event, "/message"))),
        "item.completed" => read_item(report, event),
        _ => {}
    }
}

fn read_item(report: &mut Report, event: &Value) {
    match text_at(event, "/item/type") {
        Some("agent_message") => report.say(text_at(event, "/item/text").unwrap_or_default()),
        Some("error") => report.warn(text_at(event, "/item/message").unwrap_or_default()),
        _ => {}
    }
}

fn failure(message: Option<&str>) -> Failure {
    failure::of_message(message.unwrap_or("no message was given"))
}

/// Whether it could not go on with a conversation because there is none of that name, by what it says on standard error.
pub(crate) fn lost_session(stderr: &str) -> bool {
    stderr.contains("no rollout found for thread id")
}
