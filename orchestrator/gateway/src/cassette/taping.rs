//! An answer that is passed on, and kept when it has ended.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use hyper::{StatusCode, header::HeaderMap};
use mycelium_schemas::cassette::{Interaction, RecordedBody, RecordedEnd};
use tokio::sync::mpsc;

use super::{Recorder, asker};
use crate::{
    counter::{Counter, Notice},
    passing::{Answered, Broken, Pieces},
    server::Served,
};

/// Bytes of one body that are kept.
const BODY_MAX: usize = 32 * 1024 * 1024;
/// The headers of an answer that agents act on. Others tell of the account and of the provider's machines.
const KEPT_HEADERS: [&str; 4] = ["content-type", "retry-after", "retry-after-ms", "x-should-retry"];

/// A request whose answer is to be kept.
pub(crate) struct Taping {
    recorder: Recorder,
    counter: Counter,
    interaction: Interaction,
    /// Held until it is kept.
    under_way: mpsc::Sender<Infallible>,
}

impl Taping {
    pub(crate) fn new(
        recorder: &Recorder,
        counter: &Counter,
        served: &Served,
        interface: &str,
        body: &[u8],
    ) -> Self {
        let (number, request) = recorder.request(body);
        let interaction = Interaction {
            number,
            asker: asker(&served.client, interface),
            attempt: served.client.attempt,
            request,
            status: 0,
            headers: std::collections::BTreeMap::new(),
            body: RecordedBody::Text(Vec::new()),
            end: RecordedEnd::Left,
            redacted: false,
        };
        Self {
            recorder: recorder.clone(),
            counter: counter.clone(),
            interaction,
            under_way: served.under_way.clone(),
        }
    }

    /// The answer, which is kept as it passes.
    pub(crate) fn tape(mut self, answered: Answered) -> Answered {
        self.interaction.status = answered.status.as_u16();
        self.interaction.headers = KEPT_HEADERS
            .into_iter()
            .filter_map(|name| {
                let value = answered.headers.get(name)?.to_str().ok()?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect();
        let Answered { status, headers, body } = answered;
        let taped = Taped { body, taping: Some(self), pieces: Vec::new(), bytes: 0 };
        Answered { status, headers, body: Box::pin(taped) }
    }

    /// Keeps it, off the event loop.
    fn keep(mut self, end: RecordedEnd, pieces: Vec<Bytes>, is_too_long: bool) {
        self.interaction.end = end;
        tokio::task::spawn_blocking(move || {
            let Self { recorder, counter, interaction, under_way } = self;
            // Dropped before what whoever closes the address waits for.
            let _watch = counter.watch();
            let lost = if is_too_long {
                Some(format!("an answer of more than {BODY_MAX} bytes cannot be recorded"))
            } else {
                recorder.keep(interaction, &pieces).err().map(|error| chain(&error))
            };
            if let Some(lost) = lost {
                counter.tell(Notice::Lost(lost));
            }
            drop(under_way);
        });
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", chain(source)))
}

struct Taped {
    body: Pieces,
    taping: Option<Taping>,
    pieces: Vec<Bytes>,
    bytes: usize,
}

impl Taped {
    fn finish(&mut self, end: RecordedEnd) {
        if let Some(taping) = self.taping.take() {
            taping.keep(end, std::mem::take(&mut self.pieces), self.bytes > BODY_MAX);
        }
    }
}

impl Stream for Taped {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Poll::Ready(next) = this.body.as_mut().poll_next(context) else { return Poll::Pending };
        match &next {
            Some(Ok(piece)) => {
                this.bytes += piece.len();
                if this.bytes > BODY_MAX {
                    this.pieces.clear();
                } else {
                    this.pieces.push(piece.clone());
                }
            }
            Some(Err(_)) => this.finish(RecordedEnd::Broken),
            None => this.finish(RecordedEnd::Whole),
        }
        Poll::Ready(next)
    }
}

impl Drop for Taped {
    fn drop(&mut self) {
        self.finish(RecordedEnd::Left);
    }
}

/// A status and headers that were kept.
pub(super) fn head(interaction: &Interaction) -> (StatusCode, HeaderMap) {
    let headers = interaction.headers.iter().filter_map(|(name, value)| {
        Some((name.parse::<hyper::header::HeaderName>().ok()?, value.parse().ok()?))
    });
    let status = StatusCode::from_u16(interaction.status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, headers.collect())
}
