//! Where each interface tells what a response used, and when it has told the last of it. It may be told several times;
//! the last telling counts.

use mycelium_agents::tokens::Tokens;
use serde_json::Value;

use super::Metered;
use crate::protocol::Protocol;

/// What one response told so far.
#[derive(Debug, Default)]
pub(super) struct Count {
    id: Option<String>,
    tokens: Option<Tokens>,
    is_told: bool,
    has_ended: bool,
}

impl Count {
    /// An event of a stream.
    pub(super) fn event(&mut self, protocol: Protocol, event: &Value) {
        match protocol {
            Protocol::Responses => self.responses_event(event),
            Protocol::Chat => self.response(protocol, event),
            Protocol::Messages => self.messages_event(event),
        }
    }

    /// A response that is no stream, or the part of one that stands for it.
    pub(super) fn response(&mut self, protocol: Protocol, response: &Value) {
        if let Some(id) = response.get("id").and_then(Value::as_str) {
            self.id = Some(id.to_owned());
        }
        let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) else { return };
        self.told(match protocol {
            Protocol::Responses => responses(usage),
            Protocol::Chat => chat(usage),
            Protocol::Messages => messages(self.tokens, usage),
        });
    }

    /// What cannot be read takes nothing back.
    fn told(&mut self, tokens: Option<Tokens>) {
        if tokens.is_some() {
            self.tokens = tokens;
            self.is_told = true;
        }
    }

    fn responses_event(&mut self, event: &Value) {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        if matches!(kind, "response.completed" | "response.incomplete" | "response.failed")
            && let Some(response) = event.get("response")
        {
            self.response(Protocol::Responses, response);
            self.end();
        }
    }

    fn messages_event(&mut self, event: &Value) {
        match event.get("type").and_then(Value::as_str) {
            Some("message_start") => {
                if let Some(message) = event.get("message") {
                    self.response(Protocol::Messages, message);
                }
                // What it tells at the start is the input; the output is still to come.
                self.is_told = false;
            }
            Some("message_delta") => {
                if let Some(usage) = event.get("usage") {
                    self.told(messages(self.tokens, usage));
                }
            }
            Some("message_stop") => self.end(),
            _ => {}
        }
    }

    /// Nothing more is told.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(super) fn metered(self, bytes: u64) -> Metered {
        let Self { id, tokens, is_told, has_ended } = self;
        Metered { id, tokens, is_told, has_ended, bytes }
    }
}

fn number(usage: &Value, pointer: &str) -> Option<u64> {
    usage.pointer(pointer).and_then(Value::as_u64)
}

fn responses(usage: &Value) -> Option<Tokens> {
    Some(Tokens {
        input: number(usage, "/input_tokens")?,
        cached_input: number(usage, "/input_tokens_details/cached_tokens").unwrap_or_default(),
        cache_write_input: 0,
        output: number(usage, "/output_tokens")?,
        reasoning_output: number(usage, "/output_tokens_details/reasoning_tokens").unwrap_or_default(),
    })
}

fn chat(usage: &Value) -> Option<Tokens> {
    Some(Tokens {
        input: number(usage, "/prompt_tokens")?,
        cached_input: number(usage, "/prompt_tokens_details/cached_tokens").unwrap_or_default(),
        cache_write_input: 0,
        output: number(usage, "/completion_tokens")?,
        reasoning_output: number(usage, "/completion_tokens_details/reasoning_tokens").unwrap_or_default(),
    })
}

/// Counts are totals of the response, each told where it is known; its input excludes what concerns the cache.
fn messages(before: Option<Tokens>, usage: &Value) -> Option<Tokens> {
    if before.is_none() {
        number(usage, "/input_tokens")?;
    }
    let before = before.unwrap_or_default();
    let cached = number(usage, "/cache_read_input_tokens").unwrap_or(before.cached_input);
    let written = number(usage, "/cache_creation_input_tokens").unwrap_or(before.cache_write_input);
    let fresh_before =
        before.input.saturating_sub(before.cached_input.saturating_add(before.cache_write_input));
    let fresh = number(usage, "/input_tokens").unwrap_or(fresh_before);
    Some(Tokens {
        input: fresh.saturating_add(cached).saturating_add(written),
        cached_input: cached,
        cache_write_input: written,
        output: number(usage, "/output_tokens").unwrap_or(before.output),
        reasoning_output: before.reasoning_output,
    })
}
