//! What models answered is answered again without them, byte for byte and to nobody else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mycelium_fixtures::models::{End, ModelServer, Script, Turn};
use mycelium_gateway::{
    Client, Gateway, Notice, Settings, Upstream,
    account::Limits,
    cassette::{CassetteError, Known, Player, Recorder, Standing, Tape},
    ledger::{Entry, Keep, Ledger, keep},
    protocol::Vendor,
};
use mycelium_schemas::cassette::{CassetteLine, RecordedBody, RecordedEnd};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

const SECRET: &str = "the-password-of-the-database";

fn says(text: &str) -> Turn {
    Turn { text: Some(text.to_owned()), ..Turn::default() }
}

fn known() -> Known {
    let clean = |text: &str| text.contains(SECRET).then(|| text.replace(SECRET, "[redacted:DB]"));
    Known::new(Arc::new(clean), [("/tmp/of-this-run".to_owned(), "<run>")])
}

/// A folder with a cassette and ledgers.
struct Rig {
    folder: TempDir,
}

/// What came of one request.
#[derive(Debug, PartialEq)]
struct Got {
    status: StatusCode,
    headers: [Option<String>; 2],
    /// None where it broke off.
    body: Option<String>,
    /// All that came.
    bytes: Vec<u8>,
}

struct Open {
    gateway: Gateway,
    notices: UnboundedReceiver<Notice>,
    ledger: PathBuf,
}

impl Rig {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run.jsonl")
    }

    async fn open(&self, base_url: &str, ledger: &str, tape: Tape) -> Open {
        let upstream = Upstream { base_url: base_url.to_owned(), key: None };
        let ledger = self.folder.path().join(ledger);
        let settings = Settings {
            upstreams: BTreeMap::from([(Vendor::OpenAi, upstream.clone()), (Vendor::Anthropic, upstream)]),
            tokens: Limits::default(),
            cost: Limits::default(),
            prices: Arc::new(|_, tokens| tokens.total() * 2),
            ledger: ledger.clone(),
            keep: Arc::new(keep),
            tape,
        };
        let (gateway, notices) = Gateway::open(settings).await.unwrap();
        Open { gateway, notices, ledger }
    }

    async fn record(&self, models: &ModelServer, run_id: &str) -> Open {
        self.record_by(models, run_id, Arc::new(keep)).await
    }

    async fn record_by(&self, models: &ModelServer, run_id: &str, keep: Arc<Keep>) -> Open {
        let recorder = Recorder::open(&self.path(), Some(run_id), known(), keep).unwrap();
        self.open(&models.base_url(), "recorded.jsonl", Tape::Record(recorder)).await
    }

    /// Nobody listens where the provider should be.
    async fn replay(&self) -> Open {
        let player = Player::open(&self.path(), known()).unwrap();
        self.open("http://127.0.0.1:9", "replayed.jsonl", Tape::Replay(player)).await
    }

    fn lines(&self) -> Vec<CassetteLine> {
        let text = fs::read_to_string(self.path()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Open {
    /// Each request in its turn, as an attempt makes them.
    async fn asks(&self, client: Client, requests: &[(&str, Value)]) -> Vec<Got> {
        let lease = self.gateway.admit(client).unwrap();
        let mut all = Vec::new();
        for (path, body) in requests {
            all.push(ask(lease.base_url(), path, body).await);
        }
        lease.close().await;
        all
    }

    fn counted(&self) -> Vec<Entry> {
        Ledger::open(&self.ledger).unwrap().1
    }
}

async fn ask(base_url: &str, path: &str, body: &Value) -> Got {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answer = client.post(format!("{base_url}{path}")).body(body.to_string()).send().await.unwrap();
    let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (status, headers) = (answer.status(), ["content-type", "retry-after"].map(header));
    let mut bytes = Vec::new();
    let is_whole = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    let body = is_whole.then(|| String::from_utf8(bytes.clone()).unwrap());
    Got { status, headers, body, bytes }
}

fn client(task: &str, attempt: u32, turn: u32) -> Client {
    let (task, by) = (task.to_owned(), "agent".to_owned());
    Client { task, attempt, turn, by, model: "m".to_owned() }
}

fn first() -> Client {
    client("001", 1, 1)
}

fn question(text: &str) -> Value {
    json!({"model": "m", "stream": true, "input": text, "messages": [{"role": "user", "content": text}]})
}

fn every_way() -> Vec<(&'static str, Value)> {
    let paths = ["/v1/responses", "/v1/chat/completions", "/v1/messages?beta=true"];
    let streamed = paths.into_iter().map(|path| (path, question("streamed")));
    let whole = paths.into_iter().map(|path| {
        let mut question = question("whole");
        question["stream"] = false.into();
        (path, question)
    });
    streamed.chain(whole).collect()
}

#[tokio::test]
async fn a_recording_answers_the_very_bytes_and_counts_the_same_with_the_provider_gone() {
    let rig = Rig::new();
    let models = ModelServer::start(Script { turns: vec![says("grüße")], ..Script::default() }).unwrap();
    let recording = rig.record(&models, "r1").await;
    let recorded = recording.asks(first(), &every_way()).await;
    recording.gateway.finish().unwrap();
    assert_eq!(models.asked().len(), 6);
    drop(models);
    let replay = rig.replay().await;
    let replayed = replay.asks(first(), &every_way()).await;
    assert!(recorded.iter().all(|got| got.body.as_ref().is_some_and(|body| body.contains("grüße"))));
    assert_eq!(replayed, recorded);
    assert_eq!(replay.counted(), recording.counted());
    assert_eq!(replay.counted().len(), 6);
}

#[tokio::test]
async fn failures_are_replayed_too() {
    let rig = Rig::new();
    let refused = Turn {
        status: Some(429),
        headers: [("retry-after".to_owned(), "100".to_owned()), ("set-cookie".to_owned(), "c=1".to_owned())]
            .into(),
        ..Turn::default()
    };
    let turns = vec![refused, Turn { end: End::CutAfter(3), ..says("half") }];
    let models = ModelServer::start(Script { turns, ..Script::default() }).unwrap();
    let requests = [("/v1/messages", question("a")), ("/v1/messages", question("b"))];
    let recording = rig.record(&models, "r1").await;
    let recorded = recording.asks(first(), &requests).await;
    recording.gateway.finish().unwrap();
    drop(models);
    let replayed = rig.replay().await.asks(first(), &requests).await;
    assert_eq!(replayed, recorded);
    assert_eq!(recorded[0].headers[1].as_deref(), Some("100"));
    assert_eq!((recorded[1].body.is_none(), recorded[1].bytes.is_empty()), (true, false));
    let text = fs::read_to_string(rig.path()).unwrap();
    assert!(!text.contains("set-cookie"), "{text}");
    let CassetteLine::Interaction(second) = &rig.lines()[2] else { panic!("{text}") };
    assert_eq!(second.end, RecordedEnd::Broken);
}

#[tokio::test]
async fn what_was_not_asked_is_refused_and_the_run_hears_how_it_differs() {
    let rig = Rig::new();
    let models = ModelServer::start(Script { turns: vec![says("x")], ..Script::default() }).unwrap();
    let recording = rig.record(&models, "r1").await;
    let requests = [("/v1/responses", question("do it")), ("/v1/messages", question("do it"))];
    recording.asks(first(), &requests).await;
    recording.gateway.finish().unwrap();
    drop(models);
    for (client, path, text, status, why) in [
        (
            first(),
            "/v1/responses",
            "do that",
            400,
            "the first 2 of its 3 parts are, and the next one, user, says: do that",
        ),
        (first(), "/v1/messages", "do that", 402, "and the next one, user, says: do that"),
        (client("002", 1, 1), "/v1/responses", "do it", 400, "holds nothing of it in this attempt"),
        (client("001", 2, 2), "/v1/responses", "do it", 400, "holds nothing of it in this attempt"),
        (
            Client { by: "style".to_owned(), ..first() },
            "/v1/responses",
            "do it",
            400,
            "of the style of task 001",
        ),
    ] {
        let mut replay = rig.replay().await;
        let got = replay.asks(client, &[(path, question(text))]).await.remove(0);
        assert_eq!(got.status, status, "{got:?}");
        assert!(got.body.unwrap().contains("is not in the cassette"));
        let Notice::NotRecorded(told) = replay.notices.recv().await.unwrap() else { panic!("no notice") };
        assert!(told.starts_with("request 1 of the ") && told.contains(why), "{told}");
        assert!(replay.counted().is_empty());
    }
    let mut replay = rig.replay().await;
    let twice = [requests[0].clone(), requests[0].clone()];
    let got = replay.asks(first(), &twice).await;
    assert_eq!([got[0].status, got[1].status], [200, 400]);
    let Some(Notice::Counted(_)) = replay.notices.recv().await else { panic!("not counted") };
    let Some(Notice::NotRecorded(told)) = replay.notices.recv().await else { panic!("no notice") };
    assert!(told.contains("request 2") && told.contains("was not made so often"), "{told}");
}

#[tokio::test]
async fn equal_requests_are_answered_in_their_order_and_places_and_times_make_no_other() {
    let rig = Rig::new();
    let turns = vec![says("one"), says("two"), says("three")];
    let models = ModelServer::start(Script { turns, ..Script::default() }).unwrap();
    let recording = rig.record(&models, "r1").await;
    let at = |place: &str, time: &str| ("/v1/responses", question(&format!("in {place} at {time}")));
    let requests = ["10:00:00", "11:00:00", "12:00:00"].map(|time| at("/tmp/of-this-run/x", time));
    let recorded = recording.asks(first(), &requests).await;
    recording.gateway.finish().unwrap();
    let requests = ["20:00:00", "21:00:00", "22:00:00"].map(|time| at("<run>/x", time));
    assert_eq!(rig.replay().await.asks(first(), &requests).await, recorded);
}

#[tokio::test]
async fn no_secret_is_in_a_cassette_and_no_question() {
    let rig = Rig::new();
    let models = ModelServer::start(Script { turns: vec![says(SECRET)], ..Script::default() }).unwrap();
    let recording = rig.record(&models, "r1").await;
    let asked = [("/v1/responses", question(&format!("Use {SECRET} well.")))];
    recording.asks(first(), &asked).await;
    recording.gateway.finish().unwrap();
    let text = fs::read_to_string(rig.path()).unwrap();
    assert!(!text.contains(SECRET) && !text.contains("well"), "{text}");
    let CassetteLine::Interaction(interaction) = &rig.lines()[1] else { panic!("{text}") };
    let RecordedBody::Text(pieces) = &interaction.body else { panic!("{text}") };
    assert!(interaction.redacted && pieces.concat().contains("[redacted:DB]"));
    // One that the replay does not know is the same question.
    let asked = [("/v1/responses", question("Use [redacted:DB] well."))];
    assert_eq!(rig.replay().await.asks(first(), &asked).await[0].status, 200);
}

#[tokio::test]
async fn whoever_closes_the_address_has_heard_that_an_answer_could_not_be_recorded() {
    type Fails = fn() -> std::io::Result<()>;
    let full: Fails = || Err(std::io::ErrorKind::StorageFull.into());
    let bug: Fails = || panic!("a bug while it is recorded");
    for (fails, is_heard) in [
        (full, (|notice| matches!(notice, Notice::Lost(_))) as fn(&Notice) -> bool),
        (bug, |notice| matches!(notice, Notice::Died)),
    ] {
        let rig = Rig::new();
        let turns = vec![says("lost")];
        let models = ModelServer::start(Script { turns, ..Script::default() }).unwrap();
        let first_line = std::sync::Once::new();
        let fails = move |file: &mut fs::File, bytes: &[u8]| {
            if first_line.is_completed() {
                return fails();
            }
            first_line.call_once(|| {});
            keep(file, bytes)
        };
        let mut recording = rig.record_by(&models, "r1", Arc::new(fails)).await;
        let _got = recording.asks(first(), &[("/v1/responses", question("a"))]).await;
        let heard: Vec<Notice> = std::iter::from_fn(|| recording.notices.try_recv().ok()).collect();
        assert!(heard.iter().any(is_heard), "{heard:?}");
    }
}

#[tokio::test]
async fn a_recording_that_was_cut_off_is_noticed_and_goes_on_with_its_run_alone() {
    let rig = Rig::new();
    let turns = vec![says("lost"), says("kept"), says("last")];
    let models = ModelServer::start(Script { turns, ..Script::default() }).unwrap();
    let asked = [("/v1/responses", question("a"))];
    let lost = rig.record(&models, "r1").await.asks(first(), &asked).await;
    // Killed in the midst of the next line.
    let mut text = fs::read(rig.path()).unwrap();
    let whole = text.len();
    text.extend_from_slice(b"{\"type\":\"inter");
    fs::write(rig.path(), &text).unwrap();
    assert!(matches!(Player::open(&rig.path(), known()), Err(CassetteError::CutOff(_))));
    assert_eq!(Recorder::standing(&rig.path(), Some("r2")).unwrap(), Standing::Begins);
    assert_eq!(Recorder::standing(&rig.path(), Some("r1")).unwrap(), Standing::GoesOn);
    // The attempt in the place of the one that was lost has its turn.
    let recording = rig.record(&models, "r1").await;
    let kept = recording.asks(client("001", 2, 1), &asked).await;
    recording.gateway.finish().unwrap();
    assert_eq!(fs::read(rig.path()).unwrap()[..whole], text[..whole]);
    assert_ne!(kept, lost);
    assert_eq!(rig.replay().await.asks(first(), &asked).await, kept);
    // A run that ended may go on, as after a review.
    let recording = rig.record(&models, "r1").await;
    let last = recording.asks(client("001", 3, 2), &asked).await;
    recording.gateway.finish().unwrap();
    let replay = rig.replay().await;
    assert_eq!(replay.asks(first(), &asked).await, kept);
    assert_eq!(replay.asks(client("001", 2, 2), &asked).await, last);
    assert!(matches!(Recorder::standing(&rig.path(), Some("r2")), Err(CassetteError::Whole(_))));
    assert!(matches!(Recorder::standing(&rig.path(), None), Err(CassetteError::Whole(_))));
}

#[test]
fn a_file_that_is_no_cassette_is_named_with_its_line_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let begin = r#"{"type":"begin","v":1,"run_id":null}"#;
    let end = |count: u64| format!(r#"{{"type":"end","interactions":{count}}}"#);
    let damaged = |path: &Path| Recorder::standing(path, Some("r1")).unwrap_err().to_string();
    for (text, why) in [
        (format!("{begin}\n{}\n", end(1)), "line 2 of the cassette"),
        (format!("{begin}\n{}\n{begin}\n", end(0)), "line 3 of the cassette"),
        (format!("{}\n", end(0)), "line 1 of the cassette"),
        ("nonsense\n".to_owned(), "line 1 of the cassette"),
        (begin.replace(":1", ":2") + "\n", "format version 2"),
    ] {
        fs::write(&path, &text).unwrap();
        assert!(damaged(&path).contains(why), "{}", damaged(&path));
        assert!(Player::open(&path, known()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert!(damaged(folder.path()).contains("is no file"));
    assert!(matches!(Player::open(&folder.path().join("none"), known()), Err(CassetteError::Missing(_))));
    fs::write(&path, "").unwrap();
    assert_eq!(Recorder::standing(&path, Some("r1")).unwrap(), Standing::Begins);
}
