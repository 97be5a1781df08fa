//! Serves agents: one address a task's attempt, whose path nobody can guess, so that what is asked there is this
//! attempt's and no other's.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http_body_util::{BodyExt, Limited, combinators::BoxBody};
use hyper::{
    Request as Incoming, Response, body::Incoming as IncomingBody, header::HeaderMap, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    cassette::Tape,
    counter::Counter,
    passing::{self, Broken, Exchange},
    protocol::{Route, Vendor},
    refusal::{self, Answer},
    signs::Signs,
    upstream::{Provider, Request, Upstream},
};

/// Bytes of a request's body.
const REQUEST_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a connection that wait to be read by an agent, and of the head of its request. The library's own bound is
/// six times this, which many slow agents would fill.
const BUFFER_MAX: usize = 64 * 1024;
/// How long nobody is let in after the system had no room for one more.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);
/// What concerns the agent's own connection, or its dummy key; the provider gets another one.
const NOT_PASSED_ON: [&str; 12] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "authorization",
    "x-api-key",
];

/// The body of an answer.
pub(crate) type Body = BoxBody<bytes::Bytes, Broken>;

/// An attempt of a task, as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The task.
    pub task: String,
    /// Its attempt.
    pub attempt: u32,
    /// Which of the task's attempts it is, those not counted that were lost with their orchestrator: a cassette knows it
    /// by that.
    pub turn: u32,
    /// Who of the attempt: its agent, or a validator.
    pub by: String,
    /// The model that it is known to ask, by whose price is counted where the one that a request names has none.
    pub model: String,
}

/// A client, and a sign that each of its requests carries as long as it is under way.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) client: Client,
    pub(crate) under_way: mpsc::Sender<Infallible>,
    /// True once its connections are cut, whatever is under way on them.
    pub(crate) cut: watch::Receiver<bool>,
    pub(crate) signs: Signs,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clients: Mutex<BTreeMap<String, Served>>,
    pub(crate) upstreams: BTreeMap<Vendor, Upstream>,
    pub(crate) provider: Provider,
    pub(crate) counter: Counter,
    pub(crate) tape: Tape,
}

impl Shared {
    pub(crate) fn clients(&self) -> MutexGuard<'_, BTreeMap<String, Served>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens on the loopback address, on a port that is free.
pub(crate) async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until it is dropped, and all that it serves with it.
pub(crate) async fn serve_tcp(listener: TcpListener, shared: Arc<Shared>) {
    serve_all(|| async { listener.accept().await.map(|(stream, _)| stream) }, shared).await;
}

/// The same on a socket in the file system, for containers without a network.
pub(crate) async fn serve_unix(listener: UnixListener, shared: Arc<Shared>) {
    serve_all(|| async { listener.accept().await.map(|(stream, _)| stream) }, shared).await;
}

async fn serve_all<S, F>(accept: impl Fn() -> F, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<S>>,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept() => match accepted {
                Ok(stream) => drop(connections.spawn(serve(stream, shared.clone()))),
                // Too many open files: some will be closed.
                Err(_) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let (asking, last_asked) = watch::channel(None);
    let asking = Arc::new(asking);
    let service = service_fn(move |request| {
        let (shared, asking) = (shared.clone(), asking.clone());
        async move { Ok::<_, Infallible>(answer(&shared, &asking, request).await.unwrap_or_else(said)) }
    });
    let served =
        http1::Builder::new().max_buf_size(BUFFER_MAX).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An agent that goes away in the middle is no error of ours.
        _gone = served => {}
        // Also where the agent reads nothing, so that the response is not even looked at.
        () = is_cut(last_asked) => {}
    }
}

/// Returns when the client that asked last on a connection is cut: its requests come one after the other.
async fn is_cut(mut last_asked: watch::Receiver<Option<watch::Receiver<bool>>>) {
    loop {
        let cut = last_asked.borrow_and_update().clone();
        let cut = async {
            // Whoever gave up its address without closing it cuts nothing.
            let is_cut = match cut {
                Some(mut cut) => cut.wait_for(|cut| *cut).await.is_ok(),
                None => false,
            };
            if !is_cut {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = cut => return,
            changed = last_asked.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
        }
    }
}

async fn answer(
    shared: &Shared,
    asking: &watch::Sender<Option<watch::Receiver<bool>>>,
    request: Incoming<IncomingBody>,
) -> Result<Response<Body>, Answer> {
    let (parts, body) = request.into_parts();
    let path_and_query = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let (served, rest) = client_of(shared, path_and_query)
        .ok_or_else(|| refusal::refused(404, "no task of this run has this address"))?;
    asking.send_replace(Some(served.cut.clone()));
    served.signs.note();
    let path = rest.split('?').next().unwrap_or_default();
    let route = Route::of(parts.method.as_str(), path).ok_or_else(|| {
        refusal::refused(
            404,
            &format!("{} {path} is not passed on: what it costs is not known", parts.method),
        )
    })?;
    let body = Limited::new(body, REQUEST_MAX)
        .collect()
        .await
        .map_err(|error| refusal::refused(413, &format!("the request could not be read whole: {error}")))?;
    let request = Request {
        method: parts.method,
        path: rest.to_owned(),
        headers: passed_on(&parts.headers),
        body: body.to_bytes(),
    };
    pass(shared, served, route, request).await
}

/// Passes a request on, whoever made it.
pub(crate) async fn pass(
    shared: &Shared,
    served: Served,
    route: Route,
    request: Request,
) -> Result<Response<Body>, Answer> {
    let vendor = match route {
        Route::Model(protocol) => protocol.vendor(),
        Route::Free(vendor) => vendor,
    };
    let upstream = shared
        .upstreams
        .get(&vendor)
        .ok_or_else(|| refusal::refused(404, &format!("no provider is configured for {}", request.path)))?;
    let Shared { provider, counter, tape, .. } = shared;
    let exchange = Exchange { provider, tape, counter, vendor, upstream, request };
    match route {
        Route::Model(protocol) => passing::counted(exchange, protocol, served).await,
        Route::Free(_) => passing::free(exchange, &served).await,
    }
}

/// `/t/<token>/v1/…` is the attempt's that the token was given to.
fn client_of<'a>(shared: &Shared, path: &'a str) -> Option<(Served, &'a str)> {
    let rest = path.strip_prefix("/t/")?;
    let (token, _) = rest.split_once('/')?;
    let client = shared.clients().get(token)?.clone();
    Some((client, rest.get(token.len()..)?))
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed: HeaderMap = headers
        .iter()
        .filter(|(name, _)| !NOT_PASSED_ON.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // A packed response could not be counted.
    passed.insert(hyper::header::ACCEPT_ENCODING, hyper::header::HeaderValue::from_static("identity"));
    passed
}

/// An answer of the gateway's own.
fn said(answer: Answer) -> Response<Body> {
    let later = answer.later;
    let body = http_body_util::Full::from(answer.body).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() =
        hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    if let Some(wait) = later {
        response.headers_mut().insert(hyper::header::RETRY_AFTER, wait.as_secs().into());
        response
            .headers_mut()
            .insert(refusal::SHOULD_RETRY, hyper::header::HeaderValue::from_static("false"));
    }
    response
}
