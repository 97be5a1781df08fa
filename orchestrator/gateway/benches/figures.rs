//! What the gateway costs: `cargo bench -p mycelium-gateway --bench figures`.
//!
//! A model server in a process of its own is asked directly and through the gateway, by turns. The goals: at most 1 ms
//! more to the first byte; at most 5 % of a processor for a stream; no more memory for 100 parallel streams that are ten
//! times as long. No test depends on it.
#![expect(clippy::print_stdout, reason = "a benchmark talks on standard output")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mycelium_fixtures::models::{ModelServer, Script, Track, Turn};
use mycelium_gateway::{
    Client, Gateway, Settings, Upstream, account::Limits, cassette::Tape, ledger::keep, protocol::Vendor,
};
use serde_json::json;
use tokio::{runtime::Runtime, task::JoinSet};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Requests of each way to the first byte.
const ROUNDS: usize = 300;
const STREAMS: usize = 100;
/// Words of a stream that is paced, and the time between two of them.
const WORDS: usize = 250;
const PACE_MS: u64 = 20;
/// Bytes of the answers whose memory is looked at.
const SHORT: usize = 300_000;
const LONG: usize = 10 * SHORT;
const LATENCY_MAX: Duration = Duration::from_millis(1);
const CPU_MAX: f64 = 0.05;
/// A tenth more is what an allocator may keep.
const MEMORY_MAX: f64 = 1.1;
/// Ticks of a second in `/proc`.
const TICKS: f64 = 100.0;

fn main() -> Result<(), Failed> {
    if std::env::args().any(|word| word == "serve") {
        return serve();
    }
    let mut server = Server::start()?;
    let runtime = Runtime::new()?;
    let missed = runtime.block_on(measure(&server.base_url));
    server.child.kill()?;
    server.child.wait()?;
    let missed = missed?;
    if missed > 0 {
        return Err(format!("{missed} figures are missed").into());
    }
    Ok(())
}

/// The model server, until its input ends.
fn serve() -> Result<(), Failed> {
    let says = |text: String| Turn { text: Some(text), ..Turn::default() };
    let track = |when: &str, turn| Track { when: when.to_owned(), turns: vec![turn] };
    let server = ModelServer::start(Script {
        tracks: vec![
            track("paced", Turn { pace_ms: Some(PACE_MS), ..says("word ".repeat(WORDS)) }),
            track("short", Turn { pace_ms: Some(0), ..says(text_of(SHORT)) }),
            track("long", Turn { pace_ms: Some(0), ..says(text_of(LONG)) }),
        ],
        turns: vec![says("Hello.".to_owned())],
    })?;
    println!("{}", server.base_url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A text of so many bytes, in words of a kilobyte.
fn text_of(bytes: usize) -> String {
    format!("{} ", "x".repeat(1023)).repeat(bytes / 1024)
}

struct Server {
    child: Child,
    base_url: String,
}

impl Server {
    fn start() -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut base_url = String::new();
        let stdout = child.stdout.take().ok_or("no output")?;
        BufReader::new(stdout).read_line(&mut base_url)?;
        Ok(Self { child, base_url: base_url.trim().to_owned() })
    }
}

/// How many figures are missed.
async fn measure(direct: &str) -> Result<u32, Failed> {
    let folder = tempfile::tempdir()?;
    let upstream = Upstream { base_url: direct.to_owned(), key: None };
    let (gateway, _notices) = Gateway::open(Settings {
        upstreams: BTreeMap::from([(Vendor::OpenAi, upstream.clone()), (Vendor::Anthropic, upstream)]),
        tokens: Limits::default(),
        cost: Limits::default(),
        prices: Arc::new(|_, _| 0),
        ledger: folder.path().join("models.jsonl"),
        keep: Arc::new(keep),
        tape: Tape::Off,
    })
    .await?;
    let lease = gateway.admit(Client {
        task: "001".to_owned(),
        attempt: 1,
        turn: 1,
        by: "agent".to_owned(),
        model: String::new(),
    })?;
    let through = lease.base_url();
    let client = reqwest::Client::builder().no_proxy().build()?;

    let latency = added_latency(&client, direct, through).await?;
    println!("first byte: {:.3} ms more through the gateway (at most 1)", latency.as_secs_f64() * 1000.0);

    let alone = cpu_of_stream(&client, direct).await?;
    let passed = cpu_of_stream(&client, through).await?;
    let cpu = passed - alone;
    println!("a stream: {:.2} % of a processor more through the gateway (at most 5)", cpu * 100.0);

    // The first time is the allocator's and the connections'.
    streams(&client, through, "short").await?;
    let short = streams(&client, through, "short").await?;
    let long = streams(&client, through, "long").await?;
    let growth = long / short;
    println!(
        "{STREAMS} streams: {short:.0} KiB, {long:.0} KiB where they are ten times as long ({growth:.2}, at most 1.1)"
    );
    Ok([latency > LATENCY_MAX, cpu > CPU_MAX, growth > MEMORY_MAX].map(u32::from).iter().sum())
}

async fn ask(client: &reqwest::Client, base_url: &str, what: &str) -> Result<reqwest::Response, Failed> {
    // Anthropic's interface: no event of it holds the text as a whole, whose bytes would be measured instead.
    let body = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": what}]});
    let asked = client.post(format!("{base_url}/v1/messages")).body(body.to_string()).send().await?;
    Ok(asked.error_for_status()?)
}

/// The middle of the times to the first byte, by turns, one taken from the other.
async fn added_latency(client: &reqwest::Client, direct: &str, through: &str) -> Result<Duration, Failed> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (base_url, times) in [direct, through].into_iter().zip(&mut times) {
            let begun = Instant::now();
            let mut answer = ask(client, base_url, "hello").await?;
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

/// The part of a processor that this process takes while a stream comes.
async fn cpu_of_stream(client: &reqwest::Client, base_url: &str) -> Result<f64, Failed> {
    let (begun, ticks) = (Instant::now(), ticks()?);
    let mut answer = ask(client, base_url, "paced").await?;
    while answer.chunk().await?.is_some() {}
    Ok((self::ticks()? - ticks) / TICKS / begun.elapsed().as_secs_f64())
}

/// What this process took of all processors.
fn ticks() -> Result<f64, Failed> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    // Behind the name: state is the first, user and system time are the twelfth and thirteenth.
    let at = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).ok_or("no ticks");
    Ok(at(11)? + at(12)?)
}

/// The most memory (KiB) that was seen while so many streams came at once.
async fn streams(client: &reqwest::Client, base_url: &str, what: &'static str) -> Result<f64, Failed> {
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let (client, base_url) = (client.clone(), base_url.to_owned());
        streams.spawn(async move {
            let mut answer = ask(&client, &base_url, what).await?;
            let mut most = 0.0_f64;
            let mut chunks = 0_u32;
            while answer.chunk().await?.is_some() {
                chunks += 1;
                if chunks.is_multiple_of(100) {
                    most = most.max(memory()?);
                }
            }
            Ok::<f64, Failed>(most)
        });
    }
    let mut most = 0.0_f64;
    while let Some(ended) = streams.join_next().await {
        most = most.max(ended??);
    }
    Ok(most)
}

/// Resident memory of this process, in KiB.
fn memory() -> Result<f64, Failed> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no memory")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
