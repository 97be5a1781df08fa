//! Asks a model for one answer in a given form, through the gateway: counted, limited and repeated as the requests of
//! agents are.

mod reply;
mod request;

use http_body_util::BodyExt;
use hyper::{Response, body::Bytes};
use serde_json::Value;

use self::reply::{End, Reply};
use crate::{
    protocol::{Protocol, Route},
    refusal::{said, shortened},
    server::{self, Body, Served, Shared},
};

/// Times that a question is asked whose answers break off.
const TRIES_MAX: u32 = 3;
/// Bytes of a response that are taken in.
const REPLY_MAX: u64 = 64 * 1024 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The interface by which it is asked.
    pub protocol: Protocol,
    /// The model, by its provider's name.
    pub model: &'a str,
    /// All that the model is told.
    pub prompt: &'a str,
    /// The form of the answer.
    pub form: &'a Form,
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Its name: letters, digits, `_`.
    pub name: &'static str,
    /// A JSON Schema in which every property is required and no other is allowed, as strict providers want it.
    pub schema: Value,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The address is closed.
    #[error("the gateway serves this address no more")]
    Closed,
    /// Something other than the model answered.
    #[error("the provider answered with {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The provider failed while it answered.
    #[error("the provider failed: {0}")]
    Failed(String),
    /// The answer broke off, each time.
    #[error("the provider's answer broke off, {TRIES_MAX} times")]
    Broken,
    /// The answer is longer than the model may write.
    #[error("the answer was cut off at the longest that the model may write")]
    CutOff,
    /// The model would not.
    #[error("the model declined to answer: {0}")]
    Declined(String),
}

/// Asks until there is a whole answer, or a reason why there is none.
pub(crate) async fn ask(
    shared: &Shared,
    served: &Served,
    question: &Question<'_>,
) -> Result<String, AskError> {
    for _ in 0..TRIES_MAX {
        let request = request::of(question);
        let route = Route::Model(question.protocol);
        let response = match server::pass(shared, served.clone(), route, request).await {
            Ok(response) => response,
            Err(answer) => {
                // An agent is told in its own way to ask later.
                let status = answer.later.map_or(answer.status, |_| 429);
                return Err(AskError::Refused { status, message: said(answer.body.as_bytes()) });
            }
        };
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
            return Err(AskError::Refused { status, message: said(&body.unwrap_or_default()) });
        }
        match read(question.protocol, response).await {
            Some(End::Whole(answer)) => return Ok(answer),
            Some(End::CutOff) => return Err(AskError::CutOff),
            Some(End::Declined(why)) => return Err(AskError::Declined(shortened(&why))),
            Some(End::Failed(why)) => return Err(AskError::Failed(shortened(&why))),
            None => {}
        }
    }
    Err(AskError::Broken)
}

/// How a response ended; none where it broke off.
async fn read(protocol: Protocol, response: Response<Body>) -> Option<End> {
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    let mut reply = Reply::new(protocol, content_type.unwrap_or_default());
    let (mut body, mut bytes) = (response.into_body(), 0_u64);
    while let Some(frame) = body.frame().await {
        let chunk: Bytes = frame.ok()?.into_data().unwrap_or_default();
        bytes = bytes.saturating_add(chunk.len() as u64);
        if bytes > REPLY_MAX {
            return Some(End::Failed(format!("its answer is longer than {REPLY_MAX} bytes")));
        }
        reply.push(&chunk);
    }
    reply.finish()
}
