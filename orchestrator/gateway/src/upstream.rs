//! The providers: where they are, with which key, and how often a request is made again.

use std::{fmt, time::Duration};

use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};

use crate::{key::Key, protocol::Vendor, server::Served, waiting};

/// Times a request is made, before its answer is passed on whatever it is.
const TRIES_MAX: u32 = 5;
/// The longest wait that a provider may ask for; an attempt that would have to wait longer fails.
const WAIT_MAX: Duration = Duration::from_secs(60);
const FIRST_WAIT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a provider may be silent, before its first byte and between two.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// A provider.
#[derive(Clone)]
pub struct Upstream {
    /// Its address, without the version: `https://api.openai.com`.
    pub base_url: String,
    /// Its key; none where it wants none.
    pub key: Option<Key>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// What is asked of a provider.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// The agent's own, without what concerns its connection and without its key.
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

/// Asks providers.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    client: Client,
}

impl Provider {
    /// Proxies come from the environment of this process.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // Another library of the same program may have chosen already, and alike.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client })
    }

    /// Asks until there is an answer worth passing on. What is passed on is never asked for again: a response that broke
    /// off may have cost.
    pub(crate) async fn ask(
        &self,
        served: &Served,
        vendor: Vendor,
        upstream: &Upstream,
        request: &Request,
    ) -> Result<Response, reqwest::Error> {
        let mut tries = 1;
        loop {
            let answer = self.ask_once(vendor, upstream, request).await;
            let Some(wait) = (tries < TRIES_MAX).then(|| wait_before_another(&answer, tries)).flatten()
            else {
                return answer;
            };
            let why = answer.map_or("no connection".to_owned(), |answer| answer.status().to_string());
            let (task, by) = (&served.client.task, &served.client.by);
            tracing::warn!(%task, %by, ?wait, "the provider is asked again after it failed: {why}");
            tokio::time::sleep(wait).await;
            // An agent that waits for its provider is not stuck.
            served.signs.note();
            tries += 1;
        }
    }

    async fn ask_once(
        &self,
        vendor: Vendor,
        upstream: &Upstream,
        request: &Request,
    ) -> Result<Response, reqwest::Error> {
        let mut headers = request.headers.clone();
        if let Some((name, value)) = upstream.key.as_ref().and_then(|key| key.header(vendor)) {
            headers.insert(name, value);
        }
        self.client
            .request(request.method.clone(), format!("{}{}", upstream.base_url, request.path))
            .headers(headers)
            .body(request.body.clone())
            .send()
            .await
    }
}

/// How long to wait before asking again; none where that would help nobody. A server's own wish goes first.
fn wait_before_another(answer: &Result<Response, reqwest::Error>, tries: u32) -> Option<Duration> {
    let back_off = FIRST_WAIT * 2_u32.saturating_pow(tries - 1);
    match answer {
        Err(error) => error.is_connect().then_some(back_off),
        Ok(answer) if passes(answer.status()) => {
            let wait = waiting::asked(answer.headers()).unwrap_or(back_off);
            (wait <= WAIT_MAX).then_some(wait)
        }
        Ok(_) => None,
    }
}

/// How long an answer asks to wait, where that is too long.
pub(crate) fn too_long(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    waiting::asked(headers).filter(|wait| passes(status) && *wait > WAIT_MAX)
}

/// Whether a failure may pass by itself.
fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504 | 529)
}
