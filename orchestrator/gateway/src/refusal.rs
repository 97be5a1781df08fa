//! The answers that stop an agent at once: those that it shows word by word and does not ask again after. Which they are
//! was measured on the real agents.

use serde_json::json;

use crate::protocol::Protocol;

/// An answer instead of the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

/// A budget is used up: Codex asks once after 400 and shows the body, Claude Code once after 402 and shows the message.
pub fn over_budget(protocol: Protocol, message: &str) -> Answer {
    let error = |kind: &str| json!({"type": kind, "code": "budget_exceeded", "message": message});
    match protocol {
        Protocol::Responses | Protocol::Chat => {
            Answer { status: 400, body: json!({"error": error("budget")}).to_string() }
        }
        Protocol::Messages => Answer {
            status: 402,
            body: json!({"type": "error", "error": {"type": "billing_error", "message": message}})
                .to_string(),
        },
    }
}

/// Whatever else is refused.
pub fn refused(status: u16, message: &str) -> Answer {
    let body = json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
    Answer { status, body: body.to_string() }
}
