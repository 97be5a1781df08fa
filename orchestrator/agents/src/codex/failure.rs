//! Why a turn failed. Codex tells a sentence and no code, so the sentences that were seen are told apart; the body of an
//! answer with status 400 is handed on word by word.

use serde_json::Value;

use crate::{
    outcome::{Failure, FailureClass},
    reader::shortened,
};

/// What stands in a message, and what it means; the first that fits counts.
const SEEN: [(&str, FailureClass); 18] = [
    ("Quota exceeded", FailureClass::Quota),
    ("hit your usage limit", FailureClass::Quota),
    ("insufficient_quota", FailureClass::Quota),
    ("usage_limit_reached", FailureClass::Quota),
    ("last status: 429", FailureClass::RateLimit),
    ("status 429", FailureClass::RateLimit),
    ("context window", FailureClass::Context),
    ("reason: max_output_tokens", FailureClass::Context),
    ("status 401", FailureClass::Auth),
    ("status 403", FailureClass::Auth),
    ("Missing environment variable", FailureClass::Auth),
    ("status 402", FailureClass::Quota),
    ("status 404", FailureClass::Config),
    ("waiting for network", FailureClass::Network),
    ("error sending request", FailureClass::Network),
    ("Connection failed", FailureClass::Network),
    ("stream closed before response.completed", FailureClass::Network),
    ("idle timeout", FailureClass::Network),
];

pub(crate) fn of_message(message: &str) -> Failure {
    if let Some(error) = body(message) {
        return error;
    }
    let class = SEEN
        .iter()
        .find(|(text, _)| message.contains(text))
        .map_or(FailureClass::Provider, |(_, class)| *class);
    Failure { class, message: shortened(message) }
}

/// The error of a refused request, in the forms in which providers and gateways write it.
fn body(message: &str) -> Option<Failure> {
    let body: Value = serde_json::from_str(message).ok()?;
    let text = |name: &str| body.pointer(name).and_then(Value::as_str);
    let named = text("/error/code").or(text("/error/type")).unwrap_or_default();
    let class = match named {
        "budget_exceeded" | "insufficient_quota" => FailureClass::Quota,
        "rate_limit_exceeded" => FailureClass::RateLimit,
        "context_length_exceeded" => FailureClass::Context,
        _ => FailureClass::Config,
    };
    Some(Failure { class, message: shortened(text("/error/message").unwrap_or(message)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_refused_request_is_told_by_its_own_words() {
        let stopped =
            r#"{"error": {"type": "budget", "code": "budget_exceeded", "message": "over the budget"}}"#;
        assert_eq!(
            of_message(stopped),
            Failure { class: FailureClass::Quota, message: "over the budget".to_owned() }
        );
        let later = r#"{"error": {"type": "rate_limit_exceeded", "message": "wait"}}"#;
        assert_eq!(of_message(later).class, FailureClass::RateLimit);
        let refused = r#"{"error": {"message": "Unsupported parameter", "type": "invalid_request_error"}}"#;
        assert_eq!(of_message(refused).class, FailureClass::Config);
        assert_eq!(of_message("{}"), Failure { class: FailureClass::Config, message: "{}".to_owned() });
    }

    #[test]
    fn a_sentence_that_nobody_has_seen_is_the_providers_failure() {
        assert_eq!(of_message("something new").class, FailureClass::Provider);
        assert_eq!(of_message("").class, FailureClass::Provider);
    }
}
