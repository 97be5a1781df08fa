//! The gateway between a client and a scripted model server, over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use mycelium_agents::tokens::Tokens;
use mycelium_fixtures::models::{End, ModelServer, Script, Tokens as Told, Turn};
use mycelium_gateway::{
    Client, Gateway, Key, Lease, Notice, Settings, Upstream,
    account::Limits,
    cassette::Tape,
    ledger::{Entry, Ledger, keep},
    protocol::Vendor,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

const KEY: &str = "sk-operators-own";

struct Rig {
    models: ModelServer,
    gateway: Gateway,
    notices: UnboundedReceiver<Notice>,
    folder: TempDir,
}

fn says(text: &str, input: u64, output: u64) -> Turn {
    Turn { text: Some(text.to_owned()), usage: Told { input, output, ..Told::default() }, ..Turn::default() }
}

fn turns(turns: Vec<Turn>) -> Script {
    Script { turns, ..Script::default() }
}

impl Rig {
    async fn new(script: Script, tokens: Limits) -> Self {
        let models = ModelServer::start(script).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (gateway, notices) = open(&models.base_url(), folder.path().join("ledger.jsonl"), tokens).await;
        Self { models, gateway, notices, folder }
    }

    fn lease(&self, task: &str) -> Lease {
        self.gateway.admit(client(task, 1)).unwrap()
    }

    fn ledger(&self) -> Vec<Entry> {
        Ledger::open(&self.folder.path().join("ledger.jsonl")).unwrap().1
    }

    /// What was counted next, which may be after the answer ended.
    async fn counted(&mut self) -> Entry {
        match self.notices.recv().await.unwrap() {
            Notice::Counted(entry) => entry,
            other => panic!("{other:?}"),
        }
    }
}

async fn open(base_url: &str, ledger: PathBuf, tokens: Limits) -> (Gateway, UnboundedReceiver<Notice>) {
    Gateway::open(settings(base_url, ledger, tokens)).await.unwrap()
}

fn settings(base_url: &str, ledger: PathBuf, tokens: Limits) -> Settings {
    let upstream =
        Upstream { base_url: base_url.to_owned(), key: Some(Key::new("OPERATORS_KEY", KEY).unwrap()) };
    Settings {
        upstreams: BTreeMap::from([(Vendor::OpenAi, upstream.clone()), (Vendor::Anthropic, upstream)]),
        tokens,
        cost: Limits::default(),
        prices: Arc::new(|[model, _], tokens: Tokens| if model == "priced" { tokens.total() * 2 } else { 0 }),
        ledger,
        keep: Arc::new(keep),
        tape: Tape::Off,
    }
}

fn per_task(limit: u64) -> Limits {
    Limits { per_task: Some(limit), per_run: None }
}

async fn ask(lease: &Lease, path: &str, body: &Value) -> Response {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}{path}", lease.base_url()))
        .header("authorization", "Bearer dummy")
        .header("x-api-key", "dummy")
        .header("accept-encoding", "gzip")
        .header("x-of-the-agent", "stays")
        .body(body.to_string())
        .send()
        .await
        .unwrap()
}

fn streaming(model: &str) -> Value {
    json!({"model": model, "stream": true, "input": "do it"})
}

async fn responses(lease: &Lease) -> Response {
    ask(lease, "/v1/responses", &streaming("priced")).await
}

#[tokio::test]
async fn a_response_passes_as_it_is_and_is_counted_when_it_has_ended() {
    for (path, protocol) in [
        ("/v1/responses", "responses"),
        ("/v1/chat/completions", "chat"),
        ("/v1/messages?beta=true", "messages"),
    ] {
        for stream in [true, false] {
            let rig = Rig::new(turns(vec![says("hello", 120, 7)]), Limits::default()).await;
            let lease = rig.lease("001");
            let request = json!({"model": "priced", "stream": stream, "messages": []});
            let passed = ask(&lease, path, &request).await.text().await.unwrap();
            assert!(passed.contains("hello"), "{passed}");
            let counted = rig.ledger();
            assert_eq!(counted.len(), 1, "{path} {stream}");
            let entry = &counted[0];
            assert_eq!(
                (entry.input_tokens, entry.output_tokens, entry.is_estimate),
                (120, 7, false),
                "{path} {stream}"
            );
            assert_eq!(
                (entry.cost_microusd, entry.protocol.as_str(), entry.model.as_str()),
                (254, protocol, "priced")
            );

            // The same, asked without a gateway.
            let direct = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut request = request;
            if stream && protocol == "chat" {
                request["stream_options"] = json!({"include_usage": true});
            }
            let direct = direct.post(format!("{}{path}", rig.models.base_url())).body(request.to_string());
            let direct = direct.send().await.unwrap().text().await.unwrap();
            assert_eq!(passed, direct.replace("_0002", "_0001"), "{path} {stream}");
        }
    }
}

/// Text, and in a stream two tellings of its usage before the last.
fn tells_thrice() -> Turn {
    let told = |output| Told { input: 120, output, ..Told::default() };
    Turn { usage_before: vec![told(1), told(4)], ..says("hello", 120, 7) }
}

#[tokio::test]
async fn of_several_tellings_the_last_one_counts_also_where_it_breaks_off() {
    // Events up to the one that tells for the second time.
    for (path, events) in [("/v1/chat/completions", 4), ("/v1/messages", 6)] {
        let mut rig = Rig::new(turns(vec![tells_thrice()]), Limits::default()).await;
        ask(&rig.lease("001"), path, &streaming("m")).await.text().await.unwrap();
        let entry = rig.counted().await;
        assert_eq!((entry.input_tokens, entry.output_tokens, entry.is_estimate), (120, 7, false), "{path}");

        let cut = Turn { end: End::CutAfter(events), ..tells_thrice() };
        let mut rig = Rig::new(turns(vec![cut]), Limits::default()).await;
        assert!(ask(&rig.lease("001"), path, &streaming("m")).await.text().await.is_err());
        let entry = rig.counted().await;
        assert_eq!((entry.input_tokens, entry.output_tokens, entry.is_estimate), (120, 4, true), "{path}");
    }
}

#[tokio::test]
async fn no_agent_sees_the_end_of_what_could_not_be_kept() {
    for (path, end) in [
        ("/v1/responses", "response.completed"),
        ("/v1/chat/completions", "[DONE]"),
        ("/v1/messages", "message_stop"),
    ] {
        let models = ModelServer::start(turns(vec![tells_thrice()])).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            keep: Arc::new(|_, _| Err(std::io::ErrorKind::StorageFull.into())),
            ..settings(&models.base_url(), folder.path().join("ledger.jsonl"), Limits::default())
        };
        let (gateway, mut notices) = Gateway::open(settings).await.unwrap();
        let lease = gateway.admit(client("001", 1)).unwrap();
        let mut response = ask(&lease, path, &streaming("m")).await;
        let mut seen = Vec::new();
        while let Ok(chunk) = response.chunk().await {
            seen.extend(chunk.unwrap_or_else(|| panic!("{path}: it ended as if whole")));
        }
        assert!(!String::from_utf8(seen).unwrap().contains(end), "{path}");
        assert!(matches!(notices.recv().await, Some(Notice::Lost(_))), "{path}");
    }
}

#[tokio::test]
async fn the_provider_gets_the_key_and_the_agent_never_does() {
    let rig = Rig::new(turns(vec![says("hello", 1, 1)]), Limits::default()).await;
    let lease = rig.lease("001");
    let openai = responses(&lease).await;
    let headers = format!("{:?}", openai.headers());
    assert!(!(headers + &openai.text().await.unwrap()).contains(KEY));
    ask(&lease, "/v1/messages", &streaming("m")).await.text().await.unwrap();
    let asked = rig.models.asked();
    assert_eq!(asked[0].headers["authorization"], format!("Bearer {KEY}"));
    assert!(!asked[0].headers.contains_key("x-api-key"));
    assert_eq!(asked[1].headers["x-api-key"], KEY);
    assert!(!asked[1].headers.contains_key("authorization"));
    for request in asked {
        assert_eq!(request.headers["accept-encoding"], "identity");
        assert_eq!(request.headers["x-of-the-agent"], "stays");
    }
    assert!(!format!("{:?}", rig.gateway).contains(KEY));
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_answered_and_nobody_is_asked() {
    for (path, status) in [("/v1/responses", 400), ("/v1/chat/completions", 400), ("/v1/messages", 402)] {
        let mut rig = Rig::new(turns(vec![says("hello", 90, 20)]), per_task(100)).await;
        let lease = rig.lease("001");
        ask(&lease, path, &streaming("m")).await.text().await.unwrap();
        rig.counted().await;
        let refused = ask(&lease, path, &streaming("m")).await;
        assert_eq!(refused.status().as_u16(), status);
        let said = refused.text().await.unwrap();
        assert!(said.contains("the budget of the task is used up: 110 tokens of 100"), "{said}");
        assert!(matches!(rig.notices.recv().await.unwrap(), Notice::Refused { task, .. } if task == "001"));
        assert_eq!(rig.models.asked().len(), 1);
        // Another task has its own.
        assert_eq!(ask(&rig.lease("002"), path, &streaming("m")).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn what_was_used_before_counts_after_a_restart() {
    let rig = Rig::new(turns(vec![says("hello", 90, 20)]), per_task(100)).await;
    responses(&rig.lease("001")).await.text().await.unwrap();
    let Rig { models, gateway, folder, .. } = rig;
    drop(gateway);
    let (gateway, _notices) =
        open(&models.base_url(), folder.path().join("ledger.jsonl"), per_task(100)).await;
    let lease = gateway.admit(client("001", 2)).unwrap();
    assert_eq!(responses(&lease).await.status().as_u16(), 400);
    assert_eq!(models.asked().len(), 1);
}

#[tokio::test]
async fn nobody_is_served_at_an_address_that_is_no_attempts() {
    let rig = Rig::new(turns(vec![says("hello", 1, 1)]), Limits::default()).await;
    let lease = rig.lease("001");
    for path in ["/v1/embeddings", "/v1/responses/x", "/v1/../v1/embeddings"] {
        assert_eq!(ask(&lease, path, &json!({})).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let gone = lease.base_url().to_owned();
    drop(lease);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let root = gone.split("/t/").next().unwrap();
    for base in [gone.as_str(), root, &format!("{root}/t/"), &format!("{root}/t/001")] {
        let answer = client.post(format!("{base}/v1/responses")).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{base}");
    }
    assert!(rig.models.asked().is_empty() && rig.ledger().is_empty());
}

#[tokio::test]
async fn a_failure_that_passes_is_asked_again_and_one_that_stays_is_passed_on() {
    let soon = BTreeMap::from([("retry-after".to_owned(), "0".to_owned())]);
    for status in [429, 500, 529] {
        let failing = Turn { status: Some(status), headers: soon.clone(), times: Some(2), ..Turn::default() };
        let rig = Rig::new(turns(vec![failing.clone(), says("hello", 5, 1)]), Limits::default()).await;
        assert!(responses(&rig.lease("001")).await.text().await.unwrap().contains("hello"));
        assert_eq!((rig.models.asked().len(), rig.ledger().len()), (3, 1));

        let rig = Rig::new(turns(vec![failing]), Limits::default()).await;
        let answer = responses(&rig.lease("001")).await;
        assert_eq!((answer.status().as_u16(), rig.models.asked().len()), (status, 5));
        assert!(answer.text().await.unwrap().contains(&format!("scripted {status}")));
        assert!(rig.ledger().is_empty());
    }
    // What another request would not change.
    for status in [401, 400] {
        let turn = Turn { status: Some(status), headers: soon.clone(), ..Turn::default() };
        let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
        assert_eq!(responses(&rig.lease("001")).await.status().as_u16(), status);
        assert_eq!(rig.models.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn whoever_would_have_to_wait_too_long_is_stopped_and_told_how_long() {
    for (name, value, spoken) in [
        ("retry-after", "61", "61 s"),
        ("retry-after", "3600", "60 min"),
        ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT", " min"),
        ("retry-after-ms", "86400000", "1440 min"),
    ] {
        for (path, status, kind) in [
            ("/v1/responses", 400, "rate_limit_exceeded"),
            ("/v1/chat/completions", 400, "rate_limit_exceeded"),
            ("/v1/messages", 429, "rate_limit_error"),
        ] {
            for failure in [429, 503] {
                let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
                let turn = Turn { status: Some(failure), headers, ..Turn::default() };
                let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
                let answer = ask(&rig.lease("001"), path, &streaming("m")).await;
                assert_eq!(answer.status().as_u16(), status, "{path} {value}");
                // Claude Code asks again but for this.
                assert_eq!(answer.headers()["x-should-retry"], "false");
                let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                assert_eq!(said["error"]["type"], kind);
                let message = said["error"]["message"].as_str().unwrap();
                assert!(
                    message.contains(spoken) && message.contains(&format!("scripted {failure}")),
                    "{message}"
                );
                assert_eq!((rig.models.asked().len(), rig.ledger().len()), (1, 0), "{path} {value}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_a_provider_repeats_in_an_error_is_not_passed_on() {
    let said =
        format!("Incorrect API key provided: {KEY}, as sk-oper***own. It is long: {}", "x".repeat(100_000));
    for status in [401, 500] {
        let headers = BTreeMap::from([("retry-after".to_owned(), "0".to_owned())]);
        let body = Some(json!({"error": {"message": said, "end": KEY}}));
        let turn = Turn { status: Some(status), headers, body, ..Turn::default() };
        let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
        for path in ["/v1/responses", "/v1/messages"] {
            let answer = ask(&rig.lease("001"), path, &streaming("m")).await;
            assert_eq!(answer.status().as_u16(), status, "{path}");
            let passed = answer.text().await.unwrap();
            let mark = "[redacted:OPERATORS_KEY]";
            assert!(passed.contains(&format!("provided: {mark}, as {mark}. It is long")), "{passed}");
            assert!(!passed.contains(KEY) && passed.len() < 70_000, "{path}");
        }
    }
}

#[tokio::test]
async fn a_key_that_a_provider_repeats_in_an_answer_or_a_header_is_not_passed_on() {
    let headers = BTreeMap::from([("x-seen".to_owned(), format!("Bearer {KEY}"))]);
    for status in [None, Some(401)] {
        let turn = Turn { status, headers: headers.clone(), ..says(&format!("yours is {KEY}!"), 5, 1) };
        let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
        for (path, stream) in [
            ("/v1/responses", true),
            ("/v1/responses", false),
            ("/v1/chat/completions", true),
            ("/v1/messages", false),
        ] {
            let request = json!({"model": "m", "stream": stream, "messages": []});
            let answer = ask(&rig.lease("001"), path, &request).await;
            assert!(answer.headers().get("x-seen").is_none(), "{path} {status:?}");
            let passed = answer.text().await.unwrap();
            assert!(!passed.contains(KEY), "{path}: {passed}");
            let stars = format!("yours is {}!", "*".repeat(KEY.len()));
            assert_eq!(passed.contains(&stars), status.is_none(), "{path}: {passed}");
        }
    }
}

#[tokio::test]
async fn whoever_has_paid_for_no_more_is_told_so_and_not_to_wait() {
    for code in ["insufficient_quota", "usage_limit_reached"] {
        let headers = BTreeMap::from([("retry-after".to_owned(), "3600".to_owned())]);
        let body = Some(json!({"error": {"message": "no money", "type": code, "code": null}}));
        let turn = Turn { status: Some(429), headers, body, ..Turn::default() };
        let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
        let answer = responses(&rig.lease("001")).await;
        assert_eq!(answer.status().as_u16(), 400, "{code}");
        let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(said["error"]["code"], "insufficient_quota", "{code}");
        assert!(said["error"]["message"].as_str().unwrap().contains("60 min"), "{said}");
        let answer = ask(&rig.lease("001"), "/v1/messages", &streaming("m")).await;
        assert_eq!(answer.status().as_u16(), 402, "{code}");
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_sent_again() {
    let turn = Turn { status: Some(401), ..Turn::default() };
    let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
    let answer = ask(&rig.lease("001"), "/v1/messages", &streaming("m")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-should-retry"]),
        (401, &"false".parse().unwrap())
    );
}

#[tokio::test]
async fn a_stream_is_counted_whatever_its_type_says() {
    for content_type in ["", "text/plain", "application/json"] {
        for (path, end) in [
            ("/v1/responses", "response.completed"),
            ("/v1/chat/completions", "[DONE]"),
            ("/v1/messages", "message_stop"),
        ] {
            let headers = BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]);
            let turn = Turn { headers, ..says("hello", 120, 7) };
            let mut rig = Rig::new(turns(vec![turn]), Limits::default()).await;
            let passed = ask(&rig.lease("001"), path, &streaming("m")).await.text().await.unwrap();
            assert!(passed.contains("hello") && passed.contains(end), "{passed}");
            let entry = rig.counted().await;
            let counted = (entry.input_tokens, entry.output_tokens, entry.is_estimate);
            assert_eq!(counted, (120, 7, false), "{path} {content_type}");
        }
    }
}

#[tokio::test]
async fn what_is_odd_about_a_request_hides_neither_its_model_nor_its_use() {
    let rig = Rig::new(turns(vec![says("hello", 120, 7)]), Limits::default()).await;
    let lease = rig.lease("001");
    let odd = json!({"model": "priced", "stream": null, "input": "x"});
    ask(&lease, "/v1/responses", &odd).await.text().await.unwrap();
    let odd = json!({"model": "priced", "stream": true, "stream_options": null});
    ask(&lease, "/v1/chat/completions", &odd).await.text().await.unwrap();
    let ledger = rig.ledger();
    let counted: Vec<_> = ledger.iter().map(|entry| (entry.cost_microusd, entry.is_estimate)).collect();
    assert_eq!(counted, [(254, false), (254, false)]);
}

#[tokio::test]
async fn no_agent_is_sent_on_to_where_nobody_counts() {
    for status in [301, 302, 303, 307, 308] {
        let headers = BTreeMap::from([("location".to_owned(), "http://127.0.0.1:1/v1/responses".to_owned())]);
        let turn = Turn { status: Some(status), headers, ..Turn::default() };
        let rig = Rig::new(turns(vec![turn]), Limits::default()).await;
        let answer = responses(&rig.lease("001")).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None), "{status}");
        assert!(answer.text().await.unwrap().contains("set `base_url`"), "{status}");
        assert_eq!((rig.models.asked().len(), rig.ledger().len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn a_response_that_breaks_off_is_reckoned_and_breaks_off() {
    let cut = Turn { end: End::CutAfter(3), ..says("a long answer that never ends", 5000, 900) };
    let mut rig = Rig::new(turns(vec![cut]), Limits::default()).await;
    assert!(responses(&rig.lease("001")).await.text().await.is_err());
    let entry = rig.counted().await;
    assert!(entry.is_estimate && entry.output_tokens > 0 && entry.input_tokens > 0, "{entry:?}");
    // Never asked for again: it may have cost.
    assert_eq!(rig.models.asked().len(), 1);
    assert_eq!(rig.ledger(), [entry]);
}

#[tokio::test]
async fn what_an_agent_did_not_wait_for_is_counted_too() {
    let stalled = Turn { end: End::StallAfter(3), ..says("never ends", 5000, 900) };
    let mut rig = Rig::new(turns(vec![stalled]), Limits::default()).await;
    let mut response = ask(&rig.lease("001"), "/v1/messages", &streaming("m")).await;
    response.chunk().await.unwrap().unwrap();
    drop(response);
    let entry = rig.counted().await;
    assert!(entry.is_estimate && entry.input_tokens == 5000, "{entry:?}");
}

#[tokio::test]
async fn who_closes_an_address_knows_all_that_was_used_there() {
    let stalled = Turn { end: End::StallAfter(3), ..says("never ends", 5000, 900) };
    let mut rig = Rig::new(turns(vec![stalled]), Limits::default()).await;
    let lease = rig.lease("001");
    let mut response = ask(&lease, "/v1/messages", &streaming("m")).await;
    response.chunk().await.unwrap().unwrap();
    drop(response);
    lease.close().await;
    assert!(matches!(rig.notices.try_recv(), Ok(Notice::Counted(_))));
}

#[tokio::test]
async fn what_nobody_lets_go_of_is_cut_off_and_counted_when_its_address_is_closed() {
    let stalled = Turn { end: End::StallAfter(3), ..says("never ends", 5000, 900) };
    let mut rig = Rig::new(turns(vec![stalled]), Limits::default()).await;
    let lease = rig.lease("001");
    let mut response = ask(&lease, "/v1/messages", &streaming("m")).await;
    response.chunk().await.unwrap().unwrap();
    close_at_once(lease).await;
    let Ok(Notice::Counted(entry)) = rig.notices.try_recv() else { panic!("it is not counted") };
    assert!(entry.is_estimate && entry.input_tokens == 5000, "{entry:?}");
    assert_eq!(rig.ledger(), [entry]);
    // Nobody takes what came for all of it.
    while let Ok(chunk) = response.chunk().await {
        assert!(chunk.is_some());
    }
}

#[tokio::test]
async fn an_agent_that_reads_nothing_or_does_not_say_all_is_cut_off_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    // It talks until nobody listens.
    let provider = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(&[b'\n'; 1024]).await.is_ok() {}
    });
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.jsonl");
    let (gateway, mut notices) = open(&base_url, ledger, Limits::default()).await;
    for body in [Some(streaming("m").to_string()), None] {
        let lease = gateway.admit(client("001", 1)).unwrap();
        let (host, path) = lease.base_url().strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut agent = tokio::net::TcpStream::connect(host).await.unwrap();
        let length = body.as_ref().map_or(1, String::len);
        let head =
            format!("POST /{path}/v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        agent.write_all(head.as_bytes()).await.unwrap();
        if let Some(body) = &body {
            agent.write_all(body.as_bytes()).await.unwrap();
            agent.read_u8().await.unwrap();
        }
        while lease.signs().last().is_none() {
            tokio::task::yield_now().await;
        }
        close_at_once(lease).await;
        assert_eq!(matches!(notices.try_recv(), Ok(Notice::Counted(_))), body.is_some());
        // The connection ends, one way or the other.
        let _reset = agent.read_to_end(&mut Vec::new()).await;
    }
    provider.await.unwrap();
}

/// The time that is given to what is under way passes at once.
async fn close_at_once(lease: Lease) {
    tokio::time::pause();
    lease.close().await;
    tokio::time::resume();
}

#[tokio::test]
async fn parallel_tasks_pass_a_budget_by_no_more_than_what_was_under_way() {
    const TASKS: usize = 8;
    let limits = Limits { per_task: None, per_run: Some(1000) };
    let rig = Rig::new(turns(vec![says("hello", 90, 10)]), limits).await;
    let leases: Vec<Lease> = (0..TASKS).map(|task| rig.lease(&task.to_string())).collect();
    let work = leases.iter().map(|lease| async move {
        let mut served = 0_u64;
        while responses(lease).await.status() == StatusCode::OK {
            served += 1;
        }
        served
    });
    let served: u64 = futures_util::future::join_all(work).await.iter().sum();
    assert!((10..10 + TASKS as u64).contains(&served), "{served}");
}

#[tokio::test]
async fn nobody_is_refused_for_what_others_may_still_use_but_for_what_they_used() {
    for (used, status) in [(10, StatusCode::OK), (500, StatusCode::BAD_REQUEST)] {
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        let waits = Turn { wait_for: Some(go.clone()), ..says("hello", used - 1, 1) };
        let limits = Limits { per_task: None, per_run: Some(800) };
        let rig = Rig::new(turns(vec![says("hello", 399, 1), waits, says("hello", 1, 1)]), limits).await;
        let (one, two) = (rig.lease("1"), rig.lease("2"));
        responses(&one).await.text().await.unwrap();
        // 400 used, and as much reckoned for what is under way.
        let first = async { responses(&one).await.text().await.unwrap() };
        let second = async {
            while rig.models.asked().len() < 2 {
                tokio::task::yield_now().await;
            }
            let asks = responses(&two);
            let waits = async {
                // Once when it asks, and again while it waits.
                for _ in 0..2 {
                    let before = two.signs().last();
                    while two.signs().last() == before {
                        tokio::task::yield_now().await;
                    }
                }
            };
            let (asks, waits) = (std::pin::pin!(asks), std::pin::pin!(waits));
            let came = futures_util::future::select(asks, waits).await;
            std::fs::write(&go, "").unwrap();
            match came {
                futures_util::future::Either::Left((answer, _)) => panic!("it did not wait: {answer:?}"),
                futures_util::future::Either::Right(((), asks)) => asks.await.status(),
            }
        };
        let (_, answered) = futures_util::future::join(first, second).await;
        assert_eq!(answered, status, "{used}");
    }
}

#[tokio::test]
async fn what_would_be_answered_where_nobody_counts_is_not_asked() {
    let rig = Rig::new(turns(vec![says("hello", 1, 1)]), Limits::default()).await;
    let later = json!({"model": "m", "background": true, "input": "x"});
    let answer = ask(&rig.lease("001"), "/v1/responses", &later).await;
    assert_eq!(answer.status().as_u16(), 400);
    assert!(answer.text().await.unwrap().contains("`background`"));
    assert!(rig.models.asked().is_empty());
}

// Paused: the waits between its tries pass at once.
#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_there_is_named_without_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, _notices) =
        open("http://127.0.0.1:9", folder.path().join("ledger.jsonl"), Limits::default()).await;
    let lease = gateway.admit(client("001", 1)).unwrap();
    let answer = responses(&lease).await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    let said = answer.text().await.unwrap();
    assert!(said.contains("Connection refused") && !said.contains("127.0.0.1"), "{said}");
}

#[tokio::test]
async fn containers_reach_it_by_a_socket() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut rig = Rig::new(turns(vec![says("hello", 1, 1)]), Limits::default()).await;
    let socket = rig.folder.path().join("gateway.sock");
    rig.gateway.also_listen_at(&socket).unwrap();
    let lease = rig.lease("001");
    let path = lease.base_url().split_once("/t/").unwrap().1;
    let body = streaming("m").to_string();
    let mut stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
    let request = format!(
        "POST /t/{path}/v1/responses HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("hello"), "{answer}");
    assert_eq!(rig.ledger().len(), 1);
}

fn client(task: &str, attempt: u32) -> Client {
    Client {
        task: task.to_owned(),
        attempt,
        turn: attempt,
        by: "agent".to_owned(),
        model: "known".to_owned(),
    }
}
