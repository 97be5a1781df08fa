//! Passes one request on, and its response back as it comes.

use std::{
    convert::Infallible,
    error::Error as _,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{HeaderMap, HeaderValue},
};
use mycelium_core::budget;
use mycelium_schemas::event::{BudgetScope, BudgetVerdict};
use tokio::sync::mpsc;

use crate::{
    asked::Asked,
    cassette::{self, Tape, Taping},
    counter::{Admitted, Counter, Notice},
    key::Key,
    ledger::{Entry, telling},
    masked::Masked,
    meter::{Meter, Metered},
    protocol::{Protocol, Vendor},
    refusal::{self, Answer},
    server::{Body, Served},
    signs::Signs,
    upstream::{self, Provider, Request, Upstream},
    waiting,
};

/// Bytes of text that make about one token, to reckon with where a response broke off.
const BYTES_A_TOKEN: u64 = 4;
/// Bytes of a body that tells of an error.
const ERROR_MAX: usize = 64 * 1024;
/// What concerns the provider's connection alone.
const NOT_PASSED_BACK: [&str; 5] = ["connection", "keep-alive", "trailer", "transfer-encoding", "upgrade"];

/// A response broke off; the agent's connection breaks off with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the provider's response broke off")]
    Upstream(#[source] reqwest::Error),
    #[error("the recorded response broke off here")]
    Recorded,
    #[error("what the response used could not be kept")]
    Ledger,
}

/// The bytes of a response as they come.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Broken>> + Send + Sync>>;

/// A response, of a provider or of a cassette.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Pieces,
}

/// A request and where it goes.
pub(crate) struct Exchange<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) tape: &'a Tape,
    pub(crate) counter: &'a Counter,
    pub(crate) vendor: Vendor,
    pub(crate) upstream: &'a Upstream,
    pub(crate) request: Request,
}

impl Exchange<'_> {
    /// Asks whoever answers: the provider, or a cassette.
    async fn ask(&self, served: &Served, interface: &str) -> Result<Answered, Answer> {
        let Self { tape, counter, request, .. } = self;
        let answered = match tape {
            Tape::Off => self.ask_provider(served).await,
            Tape::Record(recorder) => {
                let taping = Taping::new(recorder, counter, served, interface, &request.body);
                self.ask_provider(served).await.map(|answered| taping.tape(answered))
            }
            Tape::Replay(player) => {
                let asker = cassette::asker(&served.client, interface);
                player.answer(&asker, served.client.attempt, &request.body).map_err(|why| {
                    counter.tell(Notice::NotRecorded(why.clone()));
                    refusal::stopping(self.vendor, "not_recorded", &format!("mycelium: {why}"))
                })
            }
        }?;
        match upstream::too_long(answered.status, &answered.headers) {
            Some(wait) => {
                let body = beginning(answered.body, ERROR_MAX).await;
                Err(refusal::later(self.vendor, wait, &body))
            }
            None => Ok(answered),
        }
    }

    async fn ask_provider(&self, served: &Served) -> Result<Answered, Answer> {
        let asked = self.provider.ask(served, self.vendor, self.upstream, &self.request).await;
        let answer = asked.map_err(|error| {
            refusal::refused(502, &format!("the provider was not reached: {}", innermost(&error)))
        })?;
        if answer.status().is_redirection() {
            // An agent would follow it, past what counts and limits.
            let message = "mycelium: the provider sends on to another address, which is not followed: set \
                           `base_url` of the provider in `gateway` to where it is";
            return Err(refusal::stopping(self.vendor, "redirected", message));
        }
        let key = self.upstream.key.as_ref().and_then(Key::sought);
        let (status, mut headers) = (answer.status(), passed_back(answer.headers(), key));
        waiting::tell_in_seconds(&mut headers);
        let body: Pieces =
            Box::pin(futures_util::TryStreamExt::map_err(answer.bytes_stream(), Broken::Upstream));
        if status.is_success() {
            let body = match key {
                Some(key) => Box::pin(Masked::new(body, key)),
                None => body,
            };
            return Ok(Answered { status, headers, body });
        }
        if status == StatusCode::UNAUTHORIZED {
            // Claude Code would ask ten times more for as many minutes.
            headers.insert(refusal::SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        // It may repeat the key; then it has another length.
        headers.remove(hyper::header::CONTENT_LENGTH);
        let said = self.without_key(beginning(body, ERROR_MAX).await);
        Ok(Answered { status, headers, body: Box::pin(stream::iter([Ok(said)])) })
    }

    fn without_key(&self, said: Vec<u8>) -> Bytes {
        let hide = |key: &Key| key.hide(&String::from_utf8_lossy(&said));
        match self.upstream.key.as_ref().and_then(hide) {
            Some(hidden) => Bytes::from(hidden),
            None => Bytes::from(said),
        }
    }
}

/// The bytes of a body until it ends or breaks off; where it is too long, a mark stands for its rest.
async fn beginning(mut body: Pieces, bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > bytes_max {
            bytes.truncate(bytes_max);
            bytes.extend_from_slice("…".as_bytes());
            break;
        }
    }
    bytes
}

/// The address stands in the outer errors, and may hold more than an agent should know.
fn innermost(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut message = None;
    while let Some(inner) = source {
        message = Some(inner.to_string());
        source = inner.source();
    }
    message.unwrap_or_else(|| "no answer".to_owned())
}

/// Passes on what costs nothing.
pub(crate) async fn free(exchange: Exchange<'_>, served: &Served) -> Result<Response<Body>, Answer> {
    let path = exchange.request.path.split('?').next().unwrap_or_default();
    let interface = format!("{} {path}", exchange.request.method);
    let Answered { status, headers, body } = exchange.ask(served, &interface).await?;
    let body = StreamBody::new(futures_util::TryStreamExt::map_ok(body, Frame::data));
    Ok(response(status, headers, BodyExt::boxed(body)))
}

/// Passes on what a model is asked, if the budget lets it, and counts the response.
pub(crate) async fn counted(
    mut exchange: Exchange<'_>,
    protocol: Protocol,
    served: Served,
) -> Result<Response<Body>, Answer> {
    let asked = Asked::of(&exchange.request.body);
    if asked.in_the_background {
        let message =
            "mycelium: an answer in the `background` is not asked for: what it uses is told elsewhere";
        return Err(refusal::stopping(protocol.vendor(), "uncounted", message));
    }
    let admitted = exchange.counter.admit(&served).await.map_err(|reached| {
        let message = format!("mycelium: {}", spoken(&reached));
        refusal::stopping(protocol.vendor(), "budget_exceeded", &message)
    })?;
    if protocol == Protocol::Chat && asked.stream {
        exchange.request.body = telling_usage(&exchange.request.body);
    }
    let Answered { status, headers, body } = exchange.ask(&served, protocol.name()).await?;
    let Served { client, under_way, signs, .. } = served;
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let counting = Counting {
        meter: Meter::new(protocol, content_type),
        admitted,
        costs: status.is_success(),
        request_bytes: exchange.request.body.len() as u64,
        under_way,
        entry: Entry {
            task: client.task,
            attempt: client.attempt,
            by: client.by,
            protocol: protocol.name().to_owned(),
            model: asked.model,
            ..Entry::default()
        },
    };
    let body = Counted { upstream: body, signs, counting: Some(counting), last: None, settling: None };
    Ok(response(status, headers, BodyExt::boxed(StreamBody::new(body))))
}

fn spoken(reached: &BudgetVerdict) -> String {
    let whose = match reached.scope {
        BudgetScope::Task => "task",
        BudgetScope::Run => "run",
    };
    format!("the budget of the {whose} is used up: {}", budget::spoken(reached))
}

/// A stream of chat completions tells its usage only if it is asked to.
fn telling_usage(body: &Bytes) -> Bytes {
    let Ok(mut request) = serde_json::from_slice::<serde_json::Value>(body) else { return body.clone() };
    if let Some(request) = request.as_object_mut() {
        let options = request.entry("stream_options").or_insert_with(|| serde_json::json!({}));
        if !options.is_object() {
            *options = serde_json::json!({});
        }
        if let Some(options) = options.as_object_mut() {
            options.insert("include_usage".to_owned(), true.into());
        }
    }
    Bytes::from(request.to_string())
}

fn passed_back(headers: &HeaderMap, key: Option<&[u8]>) -> HeaderMap {
    let is_passed = |name: &str| !NOT_PASSED_BACK.contains(&name);
    let tells_key = |value: &[u8]| key.is_some_and(|key| value.windows(key.len()).any(|part| part == key));
    headers
        .iter()
        .filter(|(name, value)| is_passed(name.as_str()) && !tells_key(value.as_bytes()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn response(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A response being counted. One that is dropped before its end was paid for nevertheless.
struct Counting {
    meter: Meter,
    admitted: Admitted,
    costs: bool,
    request_bytes: u64,
    entry: Entry,
    /// Held until it is counted.
    under_way: mpsc::Sender<Infallible>,
}

impl Counting {
    /// Counts what there is, off the event loop: it is durable when the task ends. Where no more comes, a response has
    /// ended whether or not it said so.
    fn settle(self, no_more_comes: bool) -> tokio::task::JoinHandle<bool> {
        tokio::task::spawn_blocking(move || {
            let Self { meter, admitted, costs, request_bytes, entry, under_way } = self;
            let metered = meter.finish();
            let is_whole = metered.is_told && (metered.has_ended || no_more_comes);
            let entry = Entry { is_estimate: !is_whole, ..entry };
            let entry = entry_of(entry, &metered, costs, request_bytes);
            let kept = entry.is_none_or(|entry| admitted.settle(entry).is_ok());
            drop(under_way);
            kept
        })
    }
}

/// What is counted; nothing for a request that was refused, or was answered by nothing.
fn entry_of(entry: Entry, metered: &Metered, costs: bool, request_bytes: u64) -> Option<Entry> {
    let entry = Entry { response: metered.id.clone(), ..entry };
    match metered.tokens {
        Some(tokens) if metered.is_told => Some(telling(entry, tokens)),
        _ if !costs || metered.bytes == 0 => None,
        tokens => {
            let mut tokens = tokens.unwrap_or_default();
            tokens.input = tokens.input.max(request_bytes / BYTES_A_TOKEN);
            tokens.output = tokens.output.max(metered.bytes / BYTES_A_TOKEN);
            Some(telling(entry, tokens))
        }
    }
}

/// The bytes of a response, each passed on as it comes; but those with which it says its end, or ends without a word, only
/// when what it used is durable. What it tells of that before may not be the last.
struct Counted {
    upstream: Pieces,
    /// Each of its bytes is a sign that the agent does not wait for nothing.
    signs: Signs,
    counting: Option<Counting>,
    /// The last bytes of what is no stream of events: nobody may have all of it before it is counted.
    last: Option<Bytes>,
    settling: Option<(tokio::task::JoinHandle<bool>, Option<Bytes>)>,
}

impl Stream for Counted {
    type Item = Result<Frame<Bytes>, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some((settling, held_back)) = &mut this.settling {
                let Poll::Ready(kept) = Pin::new(settling).poll(context) else { return Poll::Pending };
                let held_back = held_back.take();
                this.settling = None;
                return Poll::Ready(match (kept, held_back) {
                    (Ok(true), held_back) => held_back.map(|chunk| Ok(Frame::data(chunk))),
                    _ => Some(Err(Broken::Ledger)),
                });
            }
            let Poll::Ready(next) = this.upstream.as_mut().poll_next(context) else { return Poll::Pending };
            let chunk = match next {
                Some(Err(error)) => {
                    this.finish(None, false);
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(chunk)) => {
                    this.signs.note();
                    chunk
                }
                None => {
                    let last = this.last.take();
                    if this.finish(last, true) {
                        continue;
                    }
                    return Poll::Ready(None);
                }
            };
            let Some(counting) = &mut this.counting else { return Poll::Ready(Some(Ok(Frame::data(chunk)))) };
            counting.meter.push(&chunk);
            let is_whole = counting.meter.tells_at_the_end();
            let chunk = match this.last.take_if(|_| !is_whole) {
                // It turned out to be a stream.
                Some(before) => [before, chunk].concat().into(),
                None => chunk,
            };
            if counting.meter.has_ended() {
                this.finish(Some(chunk), true);
            } else if is_whole {
                if let Some(before) = this.last.replace(chunk) {
                    return Poll::Ready(Some(Ok(Frame::data(before))));
                }
            } else {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
        }
    }
}

impl Counted {
    /// Settles once; true if that is under way now.
    fn finish(&mut self, held_back: Option<Bytes>, no_more_comes: bool) -> bool {
        let Some(counting) = self.counting.take() else { return false };
        self.settling = Some((counting.settle(no_more_comes), held_back));
        true
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // The agent went away in the middle: what came so far was paid for.
        self.finish(None, false);
    }
}
