//! Why a request or an invocation failed: by the status of the answer where there was one, else by the sentence.

use serde_json::Value;

use crate::{
    outcome::{Failure, FailureClass},
    reader::{shortened, text_at},
};

pub(crate) const NO_SESSION: &str = "No conversation found";

/// What stands in a message without a status, and what it means; the first that fits counts.
const SEEN: [(&str, FailureClass); 8] = [
    (NO_SESSION, FailureClass::Config),
    ("Not logged in", FailureClass::Auth),
    ("Invalid API key", FailureClass::Auth),
    ("output token maximum", FailureClass::Context),
    ("Connection refused", FailureClass::Network),
    ("Unable to connect", FailureClass::Network),
    ("Connection error", FailureClass::Network),
    ("timed out", FailureClass::Network),
];

/// The failure that a `result` tells; none where it is a success.
pub(crate) fn of_result(event: &Value) -> Option<Failure> {
    let subtype = text_at(event, "/subtype").unwrap_or_default();
    let is_error = event.get("is_error").and_then(Value::as_bool).unwrap_or(true);
    if subtype == "success" && !is_error {
        return None;
    }
    let message = text_at(event, "/result").or(text_at(event, "/errors/0")).unwrap_or(subtype);
    let class = match (subtype, text_at(event, "/terminal_reason")) {
        ("error_max_budget_usd", _) => FailureClass::Quota,
        ("error_max_turns", _) => FailureClass::Config,
        (_, Some("aborted_tools")) => FailureClass::Killed,
        (_, Some("prompt_too_long")) => FailureClass::Context,
        (_, Some("structured_output_retry_exhausted")) => FailureClass::Empty,
        _ => of_answer(event.get("api_error_status").and_then(Value::as_u64), message),
    };
    Some(Failure { class, message: shortened(message) })
}

/// The failure for which a request is made again.
pub(crate) fn of_retry(event: &Value) -> Failure {
    let message = text_at(event, "/error").unwrap_or("a request was made again");
    let class = match event.get("error_status").and_then(Value::as_u64) {
        None => FailureClass::Network,
        status => of_answer(status, message),
    };
    Failure { class, message: shortened(message) }
}

fn of_answer(status: Option<u64>, message: &str) -> FailureClass {
    match status {
        Some(401 | 403) => FailureClass::Auth,
        Some(402) => FailureClass::Quota,
        Some(429) => FailureClass::RateLimit,
        Some(413) => FailureClass::Context,
        Some(400) if message.contains("redit balance") => FailureClass::Quota,
        Some(400..=499) => FailureClass::Config,
        Some(_) => FailureClass::Provider,
        None => SEEN
            .iter()
            .find(|(text, _)| message.contains(text))
            .map_or(FailureClass::Provider, |(_, class)| *class),
    }
}
