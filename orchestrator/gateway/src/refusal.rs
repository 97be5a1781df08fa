//! The answers that stop an agent at once: those that it shows word by word and does not ask again after. Which they are
//! was measured on the real agents.

use serde_json::json;

use crate::protocol::Vendor;

/// An answer instead of the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

/// No more is answered: Codex asks once after 400 and shows the body, Claude Code once after 402 and shows the message.
pub fn stopping(vendor: Vendor, code: &str, message: &str) -> Answer {
    match vendor {
        Vendor::OpenAi => {
            let error = json!({"type": code, "code": code, "message": message});
            Answer { status: 400, body: json!({"error": error}).to_string() }
        }
        Vendor::Anthropic => Answer {
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
