//! Codex' own record of a session: one line for each response of a model, on disk before the response's command runs, for
//! sub-agents too, and there after a kill. With a `CODEX_HOME` a task, the sum over all files is what the task used.

use serde::Deserialize;
use serde_json::Value;

use crate::{codex, tokens::Tokens};

/// What one response used, if the line is the record of one; `Err` where it is and cannot be read.
pub fn response(line: &[u8]) -> Option<Result<Response, Unreadable>> {
    let value: Value = serde_json::from_slice(line).ok()?;
    if value.get("type")?.as_str()? != "token_usage_record" {
        return None;
    }
    Some(
        Record::deserialize(value)
            .map(|record| record.payload.into())
            .map_err(|error| Unreadable(error.to_string())),
    )
}

/// A response of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The provider's id: a line that was written twice is one response.
    pub id: String,
    /// What it used.
    pub tokens: Tokens,
}

/// A record that is not as it should be, so that the sum is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

#[derive(Deserialize)]
struct Record {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    response_id: String,
    usage: codex::Usage,
}

impl From<Payload> for Response {
    fn from(payload: Payload) -> Self {
        Self { id: payload.response_id, tokens: payload.usage.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_a_response_is_read_and_nothing_else() {
        let line = br#"{"timestamp":"t","type":"token_usage_record","payload":{"thread_id":"a","turn_id":"b","root_turn_id":"b","response_id":"r1","usage":{"input_tokens":100,"cached_input_tokens":40,"output_tokens":9,"reasoning_output_tokens":3,"total_tokens":109},"turn_token_usage":{},"thread_token_usage":{}}}"#;
        let response = response(line).unwrap().unwrap();
        assert_eq!(response.id, "r1");
        assert_eq!(
            response.tokens,
            Tokens { input: 100, cached_input: 40, output: 9, reasoning_output: 3, ..Tokens::default() }
        );
        for other in [&b"{\"type\":\"event_msg\"}"[..], b"", b"{\"type\":\"token_usage_re", b"[]", b"\xff"] {
            assert_eq!(super::response(other), None);
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_is_not_taken_for_none() {
        for usage in
            [r#"{"input_tokens":-1,"output_tokens":1}"#, r#"{"input_tokens":"9","output_tokens":1}"#, "null"]
        {
            let line =
                format!(r#"{{"type":"token_usage_record","payload":{{"response_id":"r","usage":{usage}}}}}"#);
            assert!(response(line.as_bytes()).unwrap().is_err(), "{usage}");
        }
    }
}
