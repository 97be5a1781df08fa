//! A question in the words of each interface.

use hyper::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::Question;
use crate::{protocol::Protocol, upstream::Request};

/// Tokens that an answer may have, where the interface wants a number: the most that the smaller current models allow.
const ANSWER_TOKENS_MAX: u32 = 32_000;

/// The request that asks it.
pub(super) fn of(question: &Question<'_>) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A packed response could not be counted.
    headers.insert(hyper::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let (path, body) = match question.protocol {
        Protocol::Responses => ("/v1/responses", responses(question)),
        Protocol::Chat => ("/v1/chat/completions", chat(question)),
        Protocol::Messages => {
            let version = HeaderName::from_static("anthropic-version");
            headers.insert(version, HeaderValue::from_static("2023-06-01"));
            ("/v1/messages", messages(question))
        }
    };
    Request { method: Method::POST, path: path.to_owned(), headers, body: body.to_string().into() }
}

fn responses(question: &Question<'_>) -> Value {
    json!({
        "model": question.model,
        "input": [{"role": "user", "content": question.prompt}],
        "text": {"format": {
            "type": "json_schema", "name": question.form.name, "strict": true, "schema": question.form.schema,
        }},
        "store": false,
        "stream": true,
    })
}

fn chat(question: &Question<'_>) -> Value {
    json!({
        "model": question.model,
        "messages": [{"role": "user", "content": question.prompt}],
        "response_format": {"type": "json_schema", "json_schema": {
            "name": question.form.name, "strict": true, "schema": question.form.schema,
        }},
        "stream": true,
    })
}

/// This interface has no form of an answer: a tool that the model must use has one.
fn messages(question: &Question<'_>) -> Value {
    json!({
        "model": question.model,
        "max_tokens": ANSWER_TOKENS_MAX,
        "messages": [{"role": "user", "content": question.prompt}],
        "tools": [{
            "name": question.form.name, "description": "Takes the answer.", "input_schema": question.form.schema,
        }],
        "tool_choice": {"type": "tool", "name": question.form.name},
        "stream": true,
    })
}
