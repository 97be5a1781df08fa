//! What a response used, on bodies as the providers send them, however they are cut.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, path::PathBuf};

use mycelium_agents::tokens::Tokens;
use mycelium_gateway::{
    meter::{Meter, Metered},
    protocol::Protocol,
};
use proptest::prelude::*;

const STREAM: &str = "text/event-stream; charset=utf-8";
const CHAT: &str = concat!(
    "data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":10,",
    "\"prompt_tokens_details\":{\"cached_tokens\":40},\"completion_tokens_details\":{\"reasoning_tokens\":3}}}\n\n",
    "data: [DONE]\n\n"
);

fn recorded(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models").join(name)).unwrap()
}

fn meter(protocol: Protocol, content_type: &str, chunks: &[&[u8]]) -> Metered {
    let mut meter = Meter::new(protocol, content_type);
    for chunk in chunks {
        meter.push(chunk);
    }
    meter.finish()
}

/// As all samples tell it; Anthropic counts cached input beside the rest, and no reasoning.
fn used(protocol: Protocol) -> Tokens {
    match protocol {
        Protocol::Responses | Protocol::Chat => {
            Tokens { input: 100, cached_input: 40, output: 10, reasoning_output: 3, ..Tokens::default() }
        }
        Protocol::Messages => Tokens { input: 140, cached_input: 40, output: 10, ..Tokens::default() },
    }
}

fn streams() -> [(Protocol, Vec<u8>); 3] {
    [
        (Protocol::Responses, recorded("openai-responses.sse")),
        (Protocol::Chat, CHAT.as_bytes().to_vec()),
        (Protocol::Messages, recorded("anthropic-messages.sse")),
    ]
}

#[test]
fn a_stream_tells_what_it_used_whichever_way_it_is_cut() {
    for (protocol, body) in streams() {
        for size in [1, 7, 64, body.len()] {
            let chunks: Vec<&[u8]> = body.chunks(size).collect();
            let metered = meter(protocol, STREAM, &chunks);
            assert_eq!(metered.tokens, Some(used(protocol)), "{protocol:?} in {size}");
            assert!(metered.is_told && metered.has_ended && metered.id.is_some(), "{protocol:?}");
            assert_eq!(metered.bytes, body.len() as u64);
        }
    }
}

#[test]
fn a_body_that_is_no_stream_tells_it_too() {
    let metered =
        meter(Protocol::Messages, "application/json", &[&recorded("anthropic-messages-nonstream.json")]);
    assert_eq!((metered.tokens, metered.is_told), (Some(used(Protocol::Messages)), true));
    let body = br#"{"id":"r","usage":{"input_tokens":7,"output_tokens":1}}"#;
    let metered = meter(Protocol::Responses, "application/json", &[body]);
    assert_eq!(metered.tokens, Some(Tokens { input: 7, output: 1, ..Tokens::default() }));
}

#[test]
fn a_stream_that_breaks_off_is_never_taken_for_a_whole_one() {
    for (protocol, body) in streams() {
        let text = String::from_utf8(body).unwrap();
        let last = text.rfind("output_tokens").or(text.rfind("completion_tokens")).unwrap();
        let metered = meter(protocol, STREAM, &[&text.as_bytes()[..last]]);
        assert!(!metered.is_told && !metered.has_ended, "{protocol:?}");
    }
    // Anthropic tells the input before anything is written.
    let messages = recorded("anthropic-messages.sse");
    let metered = meter(Protocol::Messages, STREAM, &[&messages[..600]]);
    assert_eq!((metered.tokens.unwrap().input, metered.is_told), (140, false));
}

#[test]
fn what_is_told_last_counts_and_what_cannot_be_read_takes_nothing_back() {
    let told = |output: u64| match output {
        0 => r#"{"prompt_tokens":"many"}"#.to_owned(),
        output => format!(r#"{{"prompt_tokens":7,"completion_tokens":{output}}}"#),
    };
    let chat = |output: u64| format!("data: {{\"choices\":[],\"usage\":{}}}\n\n", told(output));
    let messages = |output: u64| {
        let usage = if output == 0 { "null".to_owned() } else { format!("{{\"output_tokens\":{output}}}") };
        format!("data: {{\"type\":\"message_delta\",\"usage\":{usage}}}\n\n")
    };
    let started = "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n";
    let tellings = [3, 40, 0];
    for (protocol, body, end) in [
        (Protocol::Chat, tellings.map(chat).concat(), "data: [DONE]\n\n"),
        (
            Protocol::Messages,
            format!("{started}{}", tellings.map(messages).concat()),
            "data: {\"type\":\"message_stop\"}\n\n",
        ),
    ] {
        let last = Some(Tokens { input: 7, output: 40, ..Tokens::default() });
        let broken = meter(protocol, STREAM, &[body.as_bytes()]);
        assert_eq!((broken.tokens, broken.is_told, broken.has_ended), (last, true, false), "{protocol:?}");
        let whole = meter(protocol, STREAM, &[body.as_bytes(), end.as_bytes()]);
        assert_eq!((whole.tokens, whole.is_told, whole.has_ended), (last, true, true), "{protocol:?}");
    }
}

#[test]
fn a_refused_request_used_nothing_that_is_known() {
    for body in
        [&br#"{"error":{"message":"no"}}"#[..], b"", b"<html>", br#"{"usage":null}"#, br#"{"usage":{}}"#]
    {
        let metered = meter(Protocol::Responses, "application/json", &[body]);
        assert_eq!((metered.tokens, metered.is_told), (None, false));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_meter_panic(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..20)) {
        for protocol in [Protocol::Responses, Protocol::Chat, Protocol::Messages] {
            for content_type in [STREAM, "application/json"] {
                let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
                prop_assert_eq!(meter(protocol, content_type, &chunks).tokens, None);
            }
        }
    }
}
