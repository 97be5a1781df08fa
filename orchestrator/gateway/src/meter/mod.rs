//! What a response used, read from its bytes as they pass: nothing of it is kept but the counts.

pub(crate) mod sse;
mod usage;

use mycelium_agents::tokens::Tokens;
use serde_json::Value;

use self::{sse::Events, usage::Count};
use crate::protocol::Protocol;

/// Bytes of one event, or of a body that is no stream, that are looked at.
const LOOKED_AT_MAX: usize = 32 * 1024 * 1024;
/// What a stream of chat completions says at its end.
const CHAT_END: &[u8] = b"[DONE]";

/// Counts one response.
#[derive(Debug)]
pub struct Meter {
    protocol: Protocol,
    framing: Framing,
    count: Count,
    bytes: u64,
}

#[derive(Debug)]
enum Framing {
    Events(Events),
    Body(Body),
}

#[derive(Debug, Default)]
struct Body {
    bytes: Vec<u8>,
    is_too_long: bool,
}

/// What a response used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metered {
    /// The provider's id of the response.
    pub id: Option<String>,
    /// What it told last.
    pub tokens: Option<Tokens>,
    /// True if that is all that it used until then: input and output.
    pub is_told: bool,
    /// True if it said its end, behind which nothing more is told.
    pub has_ended: bool,
    /// Bytes of its body.
    pub bytes: u64,
}

impl Meter {
    /// Nothing seen yet, of a response with this content type.
    pub fn new(protocol: Protocol, content_type: &str) -> Self {
        let is_stream = content_type.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
        let framing =
            if is_stream { Framing::Events(Events::default()) } else { Framing::Body(Body::default()) };
        Self { protocol, framing, count: Count::default(), bytes: 0 }
    }

    /// Looks at the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        match &mut self.framing {
            Framing::Events(events) => {
                let (count, protocol) = (&mut self.count, self.protocol);
                events.push(bytes, |data| take(count, protocol, data));
            }
            Framing::Body(body) => {
                if body.bytes.len() + bytes.len() > LOOKED_AT_MAX {
                    body.is_too_long = true;
                    body.bytes.clear();
                }
                if !body.is_too_long {
                    body.bytes.extend_from_slice(bytes);
                }
                if sse::begin_in(&body.bytes) {
                    let mut events = Events::default();
                    let (count, protocol) = (&mut self.count, self.protocol);
                    events.push(&std::mem::take(&mut body.bytes), |data| take(count, protocol, data));
                    self.framing = Framing::Events(events);
                }
            }
        }
    }

    /// True for what is no stream of events: it is understood as a whole.
    pub fn tells_at_the_end(&self) -> bool {
        matches!(self.framing, Framing::Body(_))
    }

    /// True once a stream said its end: what it used was told before.
    pub fn has_ended(&self) -> bool {
        self.count.has_ended()
    }

    /// Nothing more comes.
    pub fn finish(mut self) -> Metered {
        match &mut self.framing {
            Framing::Events(events) => {
                let (count, protocol) = (&mut self.count, self.protocol);
                events.finish(|data| take(count, protocol, data));
            }
            Framing::Body(body) => {
                if let Ok(response) = serde_json::from_slice::<Value>(&body.bytes) {
                    self.count.response(self.protocol, &response);
                    self.count.end();
                }
            }
        }
        self.count.metered(self.bytes)
    }
}

/// Takes the data of an event.
fn take(count: &mut Count, protocol: Protocol, data: &[u8]) {
    if protocol == Protocol::Chat && data == CHAT_END {
        count.end();
    } else if let Ok(event) = serde_json::from_slice::<Value>(data) {
        count.event(protocol, &event);
    }
}
