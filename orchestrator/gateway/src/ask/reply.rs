//! Reads an answer from a response, whether it is a stream or one document, and how it ended.

use serde_json::Value;

use crate::{
    meter::sse::{self, Events},
    protocol::Protocol,
};

/// How a response ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// With an answer.
    Whole(String),
    /// Before the answer was written.
    CutOff,
    /// The model would not, with what it said.
    Declined(String),
    /// The provider failed, with what it said.
    Failed(String),
}

/// One response, as far as it came.
#[derive(Debug)]
pub(super) struct Reply {
    protocol: Protocol,
    framing: Framing,
    said: Said,
}

#[derive(Debug)]
enum Framing {
    Events(Events),
    Document(Vec<u8>),
}

/// What the model said so far.
#[derive(Debug, Default)]
struct Said {
    text: String,
    /// The input of the tool that takes the answer.
    form: String,
    refusal: String,
    stop: Option<Stop>,
}

/// What the provider said of the end.
#[derive(Debug)]
enum Stop {
    Done,
    CutOff,
    Declined,
    Failed(String),
}

impl Reply {
    pub(super) fn new(protocol: Protocol, content_type: &str) -> Self {
        let is_stream = content_type.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
        let framing =
            if is_stream { Framing::Events(Events::default()) } else { Framing::Document(Vec::new()) };
        Self { protocol, framing, said: Said::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.framing {
            Framing::Events(events) => events.push(bytes, |data| self.said.event(self.protocol, data)),
            Framing::Document(document) => {
                document.extend_from_slice(bytes);
                if sse::begin_in(document) {
                    let mut events = Events::default();
                    let document = std::mem::take(document);
                    events.push(&document, |data| self.said.event(self.protocol, data));
                    self.framing = Framing::Events(events);
                }
            }
        }
    }

    /// How it ended; none where it broke off.
    pub(super) fn finish(mut self) -> Option<End> {
        match &mut self.framing {
            Framing::Events(events) => events.finish(|data| self.said.event(self.protocol, data)),
            Framing::Document(document) => {
                let document = serde_json::from_slice::<Value>(document).ok()?;
                match self.protocol {
                    Protocol::Responses => self.said.response(&document),
                    Protocol::Chat => self.said.chat(&document, "message"),
                    Protocol::Messages => self.said.message(&document),
                }
            }
        }
        self.said.end()
    }
}

impl Said {
    fn event(&mut self, protocol: Protocol, data: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Value>(data) else { return };
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            self.stop = Some(Stop::Failed(message_of(error)));
            return;
        }
        match protocol {
            Protocol::Responses => self.responses_event(&event),
            Protocol::Chat => self.chat(&event, "delta"),
            Protocol::Messages => self.messages_event(&event),
        }
    }

    fn responses_event(&mut self, event: &Value) {
        match text(event, "/type") {
            "response.output_item.done" => event.get("item").into_iter().for_each(|item| self.item(item)),
            "response.completed" | "response.incomplete" | "response.failed" => {
                if let Some(response) = event.get("response") {
                    self.response(response);
                }
            }
            "error" => self.stop = Some(Stop::Failed(message_of(event))),
            _ => {}
        }
    }

    fn response(&mut self, response: &Value) {
        // Streams tell their items before, and some tell them nowhere else.
        if self.text.is_empty() && self.refusal.is_empty() {
            each(response, "/output").for_each(|item| self.item(item));
        }
        self.stop = match (text(response, "/status"), text(response, "/incomplete_details/reason")) {
            (_, "content_filter") => Some(Stop::Declined),
            ("incomplete", _) => Some(Stop::CutOff),
            ("failed", _) => Some(Stop::Failed(message_of(response.get("error").unwrap_or(&Value::Null)))),
            _ => Some(Stop::Done),
        };
    }

    fn item(&mut self, item: &Value) {
        for part in each(item, "/content") {
            self.text.push_str(text(part, "/text"));
            self.refusal.push_str(text(part, "/refusal"));
        }
    }

    /// A chunk of a stream, or the whole.
    fn chat(&mut self, chunk: &Value, part: &str) {
        let Some(choice) = chunk.pointer("/choices/0") else { return };
        self.text.push_str(text(choice, &format!("/{part}/content")));
        self.refusal.push_str(text(choice, &format!("/{part}/refusal")));
        self.stop_by(text(choice, "/finish_reason"));
    }

    fn messages_event(&mut self, event: &Value) {
        match text(event, "/type") {
            "content_block_delta" => {
                self.text.push_str(text(event, "/delta/text"));
                self.form.push_str(text(event, "/delta/partial_json"));
            }
            "message_delta" => self.stop_by(text(event, "/delta/stop_reason")),
            _ => {}
        }
    }

    fn message(&mut self, message: &Value) {
        for block in each(message, "/content") {
            self.text.push_str(text(block, "/text"));
            if let Some(input) = block.get("input") {
                self.form.push_str(&input.to_string());
            }
        }
        self.stop_by(text(message, "/stop_reason"));
    }

    fn stop_by(&mut self, reason: &str) {
        self.stop = match reason {
            "" => return,
            "length" | "max_tokens" | "model_context_window_exceeded" => Some(Stop::CutOff),
            "content_filter" | "refusal" => Some(Stop::Declined),
            _ => Some(Stop::Done),
        };
    }

    fn end(self) -> Option<End> {
        let Self { text, form, refusal, stop } = self;
        Some(match stop? {
            Stop::Failed(why) => End::Failed(why),
            Stop::Declined if refusal.is_empty() => End::Declined(text),
            Stop::Declined => End::Declined(refusal),
            Stop::CutOff => End::CutOff,
            Stop::Done if !refusal.is_empty() => End::Declined(refusal),
            Stop::Done if !form.is_empty() => End::Whole(form),
            Stop::Done => End::Whole(text),
        })
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn each<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn message_of(error: &Value) -> String {
    match text(error, "/message") {
        "" => error.to_string(),
        message => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(protocol: Protocol, events: &[&str]) -> Option<End> {
        let mut reply = Reply::new(protocol, "text/event-stream; charset=utf-8");
        for event in events {
            reply.push(format!("data: {event}\n\n").as_bytes());
        }
        reply.finish()
    }

    fn document(protocol: Protocol, document: &str) -> Option<End> {
        let mut reply = Reply::new(protocol, "application/json");
        reply.push(document.as_bytes());
        reply.finish()
    }

    fn whole(text: &str) -> End {
        End::Whole(text.to_owned())
    }

    fn declined(text: &str) -> End {
        End::Declined(text.to_owned())
    }

    fn failed(text: &str) -> End {
        End::Failed(text.to_owned())
    }

    #[track_caller]
    fn ends(protocol: Protocol, events: &[&str], end: impl Into<Option<End>>) {
        assert_eq!(streamed(protocol, events), end.into(), "{events:?}");
    }

    #[test]
    fn responses_tell_their_answer_and_their_end() {
        use Protocol::Responses;
        let said = r#"{"type":"response.output_item.done","item":{"content":[{"text":"{}"}]}}"#;
        let no = r#"{"type":"response.output_item.done","item":{"content":[{"refusal":"no"}]}}"#;
        let ended = |response: &str| format!(r#"{{"type":"response.completed","response":{response}}}"#);
        let whole_at_the_end = ended(r#"{"output":[{"content":[{"text":"x"}]}]}"#);
        let cut = r#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}"#;
        let filtered = r#"{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}"#;
        ends(Responses, &[said, &ended(r#"{"status":"completed"}"#)], whole("{}"));
        ends(Responses, &[said], None);
        ends(Responses, &[&whole_at_the_end], whole("x"));
        ends(Responses, &[said, &ended(cut)], End::CutOff);
        ends(Responses, &[said, &ended(filtered)], declined("{}"));
        ends(Responses, &[&ended(r#"{"status":"failed","error":{"message":"broke"}}"#)], failed("broke"));
        ends(Responses, &[no, &ended("{}")], declined("no"));
        ends(Responses, &[r#"{"type":"error","message":"busy"}"#], failed("busy"));
    }

    #[test]
    fn chats_tell_their_answer_and_their_end() {
        use Protocol::Chat;
        let piece = |delta: &str| format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#);
        let end = |reason: &str| format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        let (a, b) = (piece(r#"{"content":"a"}"#), piece(r#"{"content":"b"}"#));
        let usage = r#"{"choices":[],"usage":{"prompt_tokens":1}}"#;
        ends(Chat, &[&a, &b, &end("stop"), usage, "[DONE]"], whole("ab"));
        ends(Chat, &[&a, &b], None);
        ends(Chat, &[&a, &end("length")], End::CutOff);
        ends(Chat, &[&piece(r#"{"refusal":"never"}"#), &end("stop")], declined("never"));
        ends(Chat, &[r#"{"error":{"message":"overloaded"}}"#], failed("overloaded"));
    }

    #[test]
    fn messages_tell_their_answer_and_their_end() {
        use Protocol::Messages;
        let piece = |delta: &str| format!(r#"{{"type":"content_block_delta","delta":{delta}}}"#);
        let end =
            |reason: &str| format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}}}}"#);
        let first = piece(r#"{"partial_json":"{\"a\""}"#);
        let rest = piece(r#"{"partial_json":":1}"}"#);
        ends(Messages, &[&first, &rest, &end("tool_use")], whole(r#"{"a":1}"#));
        ends(Messages, &[&first, &rest], None);
        ends(Messages, &[&first, &end("max_tokens")], End::CutOff);
        ends(Messages, &[&piece(r#"{"text":"I won't"}"#), &end("refusal")], declined("I won't"));
        ends(Messages, &[r#"{"type":"error","error":{"message":"busy"}}"#], failed("busy"));
    }

    #[test]
    fn a_provider_that_does_not_stream_is_understood_too() {
        let response = r#"{"status":"completed","output":[{"content":[{"text":"{}"}]}]}"#;
        assert_eq!(document(Protocol::Responses, response), Some(whole("{}")));
        let chat = r#"{"choices":[{"message":{"content":"{}"},"finish_reason":"stop"}]}"#;
        assert_eq!(document(Protocol::Chat, chat), Some(whole("{}")));
        let message = r#"{"content":[{"type":"tool_use","input":{"a":1}}],"stop_reason":"tool_use"}"#;
        assert_eq!(document(Protocol::Messages, message), Some(whole(r#"{"a":1}"#)));
        assert_eq!(document(Protocol::Messages, r#"{"content":"#), None);
    }
}
