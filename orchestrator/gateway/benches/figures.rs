//! What the gateway costs: `cargo bench -p mycelium-gateway --bench figures`.
//!
//! A model server and the gateway, each in a process of its own, are asked by this one, by turns. The goals: at most 1 ms
//! more to the first byte; at most 5 % of a processor for a stream; no more memory for 100 parallel streams that are ten
//! times as long. What grows up to a bound, as buffers of connections do, has reached it with the shorter ones. No test
//! depends on it.
#![expect(clippy::print_stdout, reason = "a benchmark talks on standard output")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    io::{BufRead, BufReader, Read},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::{Response, body::Frame, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mycelium_fixtures::models::{ModelServer, Script, Track, Turn};
use mycelium_gateway::{
    Client, Gateway, Settings, Upstream, account::Limits, cassette::Tape, ledger::keep, protocol::Vendor,
};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Requests of each way to the first byte.
const ROUNDS: usize = 300;
const STREAMS: usize = 100;
/// How often they pass.
const TIMES: usize = 10;
/// Words of a stream that is paced, and the time between two of them.
const WORDS: usize = 250;
const PACE_MS: u64 = 20;
/// Bytes of the answers whose memory is looked at. A connection's buffers have at most 400 KiB.
const SHORT: usize = 2_000_000;
const LONG: usize = 10 * SHORT;
/// Bytes of the text of an event of those.
const EVENT: usize = 4096;
const LATENCY_MAX: Duration = Duration::from_millis(1);
const CPU_MAX: f64 = 0.05;
/// A tenth more is what an allocator may keep.
const MEMORY_MAX: f64 = 1.1;
/// Ticks of a second in `/proc`.
const TICKS: f64 = 100.0;

fn main() -> Result<(), Failed> {
    let mut words = std::env::args().skip_while(|word| word != "serve" && word != "pass");
    match (words.next().as_deref(), words.next(), words.next()) {
        (Some("serve"), ..) => return serve(),
        (Some("pass"), Some(models), Some(bulk)) => return pass(models, bulk),
        _ => {}
    }
    let mut server = Process::start(&["serve"])?;
    let (models, bulk) = server.told.split_once(' ').ok_or("no addresses")?;
    let mut gateway = Process::start(&["pass", models, bulk])?;
    let missed = Runtime::new()?.block_on(measure(models, &gateway));
    for process in [&mut gateway, &mut server] {
        process.child.kill()?;
        process.child.wait()?;
    }
    let missed = missed?;
    if missed > 0 {
        return Err(format!("{missed} figures are missed").into());
    }
    Ok(())
}

/// The model servers, until the input ends.
fn serve() -> Result<(), Failed> {
    let says = |text: String| Turn { text: Some(text), ..Turn::default() };
    let paced = Turn { pace_ms: Some(PACE_MS), ..says("word ".repeat(WORDS)) };
    let server = ModelServer::start(Script {
        tracks: vec![Track { when: "paced".to_owned(), turns: vec![paced] }],
        turns: vec![says("Hello.".to_owned())],
    })?;
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{} http://{}", server.base_url(), listener.local_addr()?);
        tokio::spawn(serve_bulk(listener));
        until_the_input_ends().await
    })
}

/// Long answers of Anthropic's interface, no event of which holds the text as a whole. Nothing of them is kept here.
async fn serve_bulk(listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| async {
            let asked = request
                .into_body()
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes)
                .unwrap_or_default();
            let is_long = String::from_utf8_lossy(&asked).contains("long");
            let count = if is_long { LONG } else { SHORT } / EVENT;
            let event =
                |name: &str, data: serde_json::Value| Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
            let usage = json!({"input_tokens": 1, "output_tokens": 1});
            let begin = event("message_start", json!({"type": "message_start", "message": {"usage": usage}}));
            let delta = json!({"type": "text_delta", "text": "x".repeat(EVENT)});
            let delta = event("content_block_delta", json!({"type": "content_block_delta", "delta": delta}));
            let end = event("message_delta", json!({"type": "message_delta", "usage": usage}));
            let stop = event("message_stop", json!({"type": "message_stop"}));
            let events = std::iter::once(begin).chain(std::iter::repeat_n(delta, count)).chain([end, stop]);
            let body = StreamBody::new(stream::iter(events.map(Frame::data).map(Ok::<_, Infallible>)));
            Response::builder().header("content-type", "text/event-stream").body(body)
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

/// The gateway, until the input ends.
fn pass(models: String, bulk: String) -> Result<(), Failed> {
    Runtime::new()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let upstream = |base_url| Upstream { base_url, key: None };
        let (gateway, mut notices) = Gateway::open(Settings {
            upstreams: BTreeMap::from([
                (Vendor::OpenAi, upstream(models)),
                (Vendor::Anthropic, upstream(bulk)),
            ]),
            tokens: Limits::default(),
            cost: Limits::default(),
            prices: Arc::new(|_, _| 0),
            ledger: folder.path().join("models.jsonl"),
            keep: Arc::new(keep),
            tape: Tape::Off,
        })
        .await?;
        let client = Client {
            task: "001".to_owned(),
            attempt: 1,
            turn: 1,
            by: "agent".to_owned(),
            model: String::new(),
        };
        let lease = gateway.admit(client)?;
        println!("{}", lease.base_url());
        tokio::spawn(async move { while notices.recv().await.is_some() {} });
        until_the_input_ends().await
    })
}

async fn until_the_input_ends() -> Result<(), Failed> {
    Ok(tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await?.map(drop)?)
}

/// This program in another role.
struct Process {
    child: Child,
    /// Its first line.
    told: String,
}

impl Process {
    fn start(words: &[&str]) -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut told = String::new();
        let stdout = child.stdout.take().ok_or("no output")?;
        BufReader::new(stdout).read_line(&mut told)?;
        Ok(Self { child, told: told.trim().to_owned() })
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    /// What it took of all processors.
    fn ticks(&self) -> Result<f64, Failed> {
        let stat = fs::read_to_string(self.file("stat"))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        // Behind the name: state is the first, user and system time are the twelfth and thirteenth.
        let at =
            |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).ok_or("no ticks");
        Ok(at(11)? + at(12)?)
    }

    /// From now on the most memory is counted anew.
    fn forget_peak(&self) -> Result<(), Failed> {
        Ok(fs::write(self.file("clear_refs"), "5")?)
    }

    /// The most memory that was resident, in KiB.
    fn peak(&self) -> Result<f64, Failed> {
        let status = fs::read_to_string(self.file("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no memory")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

/// How many figures are missed.
async fn measure(direct: &str, gateway: &Process) -> Result<u32, Failed> {
    let through = &gateway.told;
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;

    let latency = added_latency(&client, direct, through).await?;
    println!("first byte: {:.3} ms more through the gateway (at most 1)", latency.as_secs_f64() * 1000.0);

    let cpu = cpu_of_stream(&client, gateway).await?;
    println!("a stream: {:.2} % of a processor for the gateway (at most 5)", cpu * 100.0);

    // The first time is the allocator's and the connections'.
    streams(&client, gateway, "short").await?;
    let short = most(&client, gateway, "short").await?;
    let long = most(&client, gateway, "long").await?;
    let growth = long / short;
    println!(
        "{STREAMS} streams: {short:.0} KiB, {long:.0} KiB where they are ten times as long ({growth:.2}, at most 1.1)"
    );
    Ok([latency > LATENCY_MAX, cpu > CPU_MAX, growth > MEMORY_MAX].map(u32::from).iter().sum())
}

async fn ask(client: &reqwest::Client, url: String, what: &str) -> Result<reqwest::Response, Failed> {
    let body = json!({"model": "m", "stream": true, "input": what});
    Ok(client.post(url).body(body.to_string()).send().await?.error_for_status()?)
}

/// The middle of the times to the first byte, by turns, one taken from the other.
async fn added_latency(client: &reqwest::Client, direct: &str, through: &str) -> Result<Duration, Failed> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (base_url, times) in [direct, through].into_iter().zip(&mut times) {
            let begun = Instant::now();
            let mut answer = ask(client, format!("{base_url}/v1/responses"), "hello").await?;
            answer.chunk().await?;
            times.push(begun.elapsed());
            while answer.chunk().await?.is_some() {}
        }
    }
    let [direct, through] = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    Ok(through.saturating_sub(direct))
}

/// The part of a processor that the gateway takes while a stream passes.
async fn cpu_of_stream(client: &reqwest::Client, gateway: &Process) -> Result<f64, Failed> {
    let (begun, ticks) = (Instant::now(), gateway.ticks()?);
    let mut answer = ask(client, format!("{}/v1/responses", gateway.told), "paced").await?;
    while answer.chunk().await?.is_some() {}
    Ok((gateway.ticks()? - ticks) / TICKS / begun.elapsed().as_secs_f64())
}

/// The most memory (KiB) of several times: how many buffers are full at once is chance.
async fn most(client: &reqwest::Client, gateway: &Process, what: &'static str) -> Result<f64, Failed> {
    let mut most: f64 = 0.0;
    for _ in 0..TIMES {
        most = most.max(streams(client, gateway, what).await?);
    }
    Ok(most)
}

/// The most memory (KiB) of the gateway while so many streams passed at once.
async fn streams(client: &reqwest::Client, gateway: &Process, what: &'static str) -> Result<f64, Failed> {
    gateway.forget_peak()?;
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let (client, url) = (client.clone(), format!("{}/v1/messages", gateway.told));
        streams.spawn(async move {
            let mut answer = ask(&client, url, what).await?;
            let mut bytes = 0;
            while let Some(chunk) = answer.chunk().await? {
                bytes += chunk.len();
            }
            Ok::<usize, Failed>(bytes)
        });
    }
    let mut bytes = 0;
    while let Some(ended) = streams.join_next().await {
        bytes += ended??;
    }
    let wanted = if what == "long" { LONG } else { SHORT };
    if bytes < STREAMS * (wanted - EVENT) {
        return Err(format!("only {bytes} bytes came").into());
    }
    gateway.peak()
}
