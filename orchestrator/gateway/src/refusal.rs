//! The answers that stop an agent at once: those that it shows word by word and does not ask again after. Which they are
//! was measured on the real agents.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{protocol::Vendor, waiting};

/// Whether another request is worth it, in the words of Anthropic's clients.
pub(crate) const SHOULD_RETRY: &str = "x-should-retry";
/// Codes of providers that are not patient with whoever has paid for no more: to wait helps nobody.
const USED_UP: [&str; 2] = ["insufficient_quota", "usage_limit_reached"];
/// Characters of a provider's own words that are kept of a refusal.
const MESSAGE_MAX: usize = 500;

/// An answer instead of the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
    /// How long the provider asks to wait before it is asked again, where that is why.
    pub later: Option<Duration>,
}

/// No more is answered: Codex asks once after 400 and shows the body, Claude Code once after 402 and shows the message.
pub fn stopping(vendor: Vendor, code: &str, message: &str) -> Answer {
    match vendor {
        Vendor::OpenAi => {
            let error = json!({"type": code, "code": code, "message": message});
            Answer::new(400, &json!({"error": error}))
        }
        Vendor::Anthropic => Answer::new(402, &anthropic("billing_error", message)),
    }
}

/// The provider asks for more patience than there is. Codex would wait in silence, and shows none of the words of a 429;
/// Claude Code ends at one that is not to be asked again after.
pub(crate) fn later(vendor: Vendor, wait: Duration, body: &[u8]) -> Answer {
    let (spoken, said) = (waiting::spoken(wait), said(body));
    let message = format!("mycelium: the provider asks to wait {spoken} before it is asked again: {said}");
    let answer = match vendor {
        _ if is_used_up(body) => stopping(vendor, "insufficient_quota", &message),
        Vendor::OpenAi => stopping(vendor, "rate_limit_exceeded", &message),
        Vendor::Anthropic => Answer::new(429, &anthropic("rate_limit_error", &message)),
    };
    Answer { later: Some(wait), ..answer }
}

fn is_used_up(body: &[u8]) -> bool {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let named = |name: &str| body.pointer(name).and_then(Value::as_str);
    ["/error/code", "/error/type"].into_iter().filter_map(named).any(|code| USED_UP.contains(&code))
}

/// Whatever else is refused.
pub fn refused(status: u16, message: &str) -> Answer {
    Answer::new(status, &anthropic("invalid_request_error", message))
}

fn anthropic(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

impl Answer {
    fn new(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), later: None }
    }
}

/// What a body that refuses says, in the words that are for people if they are found.
pub(crate) fn said(body: &[u8]) -> String {
    let found = serde_json::from_slice::<Value>(body).ok().and_then(|body| {
        let message = body.pointer("/error/message").or_else(|| body.pointer("/message"));
        message.and_then(Value::as_str).map(str::to_owned)
    });
    shortened(&found.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

pub(crate) fn shortened(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { "nothing more".to_owned() } else { text.chars().take(MESSAGE_MAX).collect() }
}
