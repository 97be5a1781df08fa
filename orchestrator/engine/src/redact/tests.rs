//! What is found, what is not, and that pieces are redacted as the whole is.

use std::{path::Path, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use mycelium_schemas::{
    event::{Event, EventKind, TaskRetry},
    problem::Source,
};
use proptest::prelude::*;

use super::*;

/// Put together at run time, so that no scanner takes this file for a leak.
fn key(parts: &[&str]) -> String {
    parts.concat()
}

fn config(more: &str) -> Config {
    let text = format!("integration_branch: main\ndoctor: d.sh\n{more}");
    mycelium_schemas::config::parse(&Source::new("config.yaml", text)).unwrap()
}

fn redactor(values: &[(&str, &str)]) -> Redactor {
    let environment = values.iter().fold(Environment::default(), |all, (name, value)| all.with(name, *value));
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    Redactor::new(&config(&format!("secrets: [{}]\n", names.join(", "))), &environment).0
}

const DATABASE: (&str, &str) = ("DATABASE", "hunter2 & \"more\" /9");
const LINES: (&str, &str) = ("LINES", "first line of it\nsecond line of it\n");

#[test]
fn a_value_is_found_in_every_spelling_and_named() {
    let redactor = redactor(&[DATABASE, LINES]);
    for spelling in [
        DATABASE.1.to_owned(),
        STANDARD.encode(DATABASE.1),
        "hunter2%20%26%20%22more%22%20%2F9".to_owned(),
        serde_json::to_string(DATABASE.1).unwrap().trim_matches('"').to_owned(),
    ] {
        assert_eq!(redactor.text(&format!("a {spelling} z")), "a [redacted:DATABASE] z", "{spelling}");
    }
    assert_eq!(redactor.text("only second line of it here"), "only [redacted:LINES] here");
    let text = format!("a {}b", LINES.1);
    assert_eq!(redactor.text(&text), "a [redacted:LINES]\nb");
}

#[test]
fn values_that_overlap_leave_nothing_between_them() {
    let redactor = redactor(&[("ONE", "abcdefgh"), ("TWO", "efghijkl")]);
    assert_eq!(redactor.text("-abcdefghijkl-"), "-[redacted:ONE]-");
    assert_eq!(redactor.text("-abcdefghabcdefgh-"), "-[redacted:ONE][redacted:ONE]-");
}

#[test]
fn a_value_that_cannot_be_redacted_is_told() {
    let environment = Environment::default()
        .with("SHORT", "12345")
        .with("WORD", "redacted")
        .with("GOOD", "long enough")
        .with("HANDED_TOKEN", "handed-on");
    let config = config(
        "secrets: [SHORT, WORD, GOOD, GONE]\nworker: { env: [HANDED_TOKEN, MODE=plain-text, SET_KEY=written] }\n",
    );
    let (redactor, unusable) = Redactor::new(&config, &environment);
    let unusable: Vec<String> = unusable.iter().map(|(name, why)| format!("{name} {why}")).collect();
    assert_eq!(
        unusable,
        [
            "GONE is not set",
            "SHORT has fewer than 6 bytes",
            "WORD is a word of the marks that replace secrets"
        ]
    );
    let text = "12345 redacted long enough handed-on plain-text written";
    let expected = "12345 redacted [redacted:GOOD] [redacted:HANDED_TOKEN] plain-text [redacted:SET_KEY]";
    assert_eq!(redactor.text(text), expected);
}

fn keys() -> Vec<(&'static str, String)> {
    let mixed = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ0bC2eF4hJ6lM8n";
    vec![
        ("aws-access-key", key(&["AK", "IA", "IOSFODNN7EXAMPLE"])),
        ("github-token", key(&["gh", "p_", &mixed[..36]])),
        ("github-token", key(&["github", "_pat_", mixed])),
        ("gitlab-token", key(&["gl", "pat-", &mixed[..20]])),
        ("slack-token", key(&["xo", "xb-", "1234567890-abcdefABCDEF"])),
        ("slack-token", key(&["xa", "pp-1-A012BC-345678-", "abc123def"])),
        ("api-key", key(&["sk", "-", mixed])),
        ("api-key", key(&["sk", "-ant-api03-", mixed, "-_A"])),
        ("api-key", key(&["sk", "-proj-", mixed])),
        ("google-api-key", key(&["AI", "za", &mixed[..35]])),
        ("google-oauth", key(&["GOC", "SPX-", &mixed[..28]])),
        ("stripe-key", key(&["sk", "_live_", &mixed[..24]])),
        ("npm-token", key(&["np", "m_", &mixed[..36]])),
        ("pypi-token", key(&["py", "pi-AgE", mixed, mixed])),
        ("jwt", key(&["ey", "JhbGciOiJIUzI1NiJ9.", "ey", "JzdWIiOiIxMjM0NTY3ODkwIn0.", mixed])),
    ]
}

#[test]
fn the_shapes_of_keys_are_found_wherever_they_stand() {
    let redactor = Redactor::default();
    for (name, key) in keys() {
        for (before, after) in [("", ""), ("KEY=", "\n"), ("\"", "\","), ("+", " x"), ("=> ", ". Then")] {
            let expected = format!("{before}[redacted:{name}]{after}");
            assert_eq!(redactor.text(&format!("{before}{key}{after}")), expected);
        }
    }
    let secret_key = key(&["wJalrXUtnFEMI", "/K7MDENG+", "bPxRfiCYEXAMPLEKEY"]);
    for (text, expected) in [
        (
            format!("aws_secret_access_key = {secret_key}\n"),
            "aws_secret_access_key = [redacted:aws-secret-key]\n",
        ),
        ("Authorization: Bearer abc.def-123".to_owned(), "Authorization: Bearer [redacted:authorization]"),
        (
            r#"{"authorization":"Basic dXNlcjpwYXNz"}"#.to_owned(),
            r#"{"authorization":"Basic [redacted:authorization]"}"#,
        ),
        (
            "git clone https://me:s3cr3t@example.invalid/x".to_owned(),
            "git clone https://me:[redacted:url-password]@example.invalid/x",
        ),
        (
            key(&["https://hooks.slack", ".com/services/T00000000/B00000000/abcdefghijklmnop"]),
            "https://hooks.slack.com/services/[redacted:slack-webhook]",
        ),
    ] {
        assert_eq!(redactor.text(&text), expected);
    }
}

fn pem(kind: &str, body: &str) -> String {
    format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----")
}

#[test]
fn a_private_key_goes_as_a_whole_and_a_torn_one_as_far_as_it_goes() {
    let redactor = Redactor::default();
    let body = "MIIEpAIBAAKCAQEA\nabc+/=";
    for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
        let key = pem(kind, body);
        assert_eq!(redactor.text(&format!("a\n{key}\nb")), "a\n[redacted:private-key]\nb");
        let escaped = key.replace('\n', "\\n");
        assert_eq!(redactor.text(&format!("\"{escaped}\"")), "\"[redacted:private-key]\"");
    }
    let torn = format!("-----BEGIN PRIVATE KEY-----\n{body}");
    assert_eq!(redactor.text(&format!("{torn} and text")), "[redacted:private-key] and text");
    for kind in ["CERTIFICATE", "PUBLIC KEY"] {
        let public = pem(kind, body);
        assert_eq!(redactor.text(&public), public);
    }
}

#[test]
fn what_is_no_secret_stays() {
    let redactor = Redactor::default();
    for text in [
        "commit 345646db6095c1f2a8a4a1b7a0c1d2e3f4a5b6c7",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "123e4567-e89b-12d3-a456-426614174000",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "src/sk-learn-something-with-a-long-kebab-case-name/index.js",
        "sk-proj-some-long-kebab-case-folder-2024/readme.md",
        "task-001-write-greeting task-sk-abcdefghijklmnopqrstuvwxyz",
        "https://example.invalid:8080/path?q=a:b@c",
        "postgres://user:${PASSWORD}@localhost/db and redis://:<password>@host",
        "git@github.com:owner/repository.git",
        "npm_config_registry=x npm_package_name=y github_pat_short",
        "the authorization: bearer tokens are explained below",
        "-----BEGIN CERTIFICATE-----",
        "AKIAshort eyJhbGciOi.not",
        "[redacted:DATABASE]",
    ] {
        assert_eq!(redactor.text(text), text);
    }
}

fn stream(redactor: &Redactor, pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = redactor.stream();
    let mut written: Vec<u8> = pieces.iter().flat_map(|piece| stream.push(piece)).collect();
    written.extend(stream.finish(Path::new("log")));
    written
}

fn corpus() -> String {
    let mut text = format!("{}\n{} {}\n{}x\n", DATABASE.1, STANDARD.encode(DATABASE.1), LINES.1, DATABASE.1);
    for (_, key) in keys() {
        text.extend([&key, "\nand ", &key, ";"]);
    }
    text + "\n" + &pem("RSA PRIVATE KEY", "MIIE\nabcd") + "\nhttps://u:pass@h/ the end hunter2"
}

#[test]
fn every_seam_between_two_pieces_is_bridged() {
    let redactor = redactor(&[DATABASE, LINES]);
    let text = corpus();
    let whole = redactor.text(&text).into_owned().into_bytes();
    for at in 0..=text.len() {
        let (one, two) = text.as_bytes().split_at(at);
        assert_eq!(stream(&redactor, &[one, two]), whole, "cut at {at}");
    }
    let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(stream(&redactor, &single), whole);
}

#[test]
fn secrets_back_to_back_and_endless_lines_are_redacted_too() {
    let redactor = redactor(&[("CODE", "abcabc")]);
    // Every third byte begins another occurrence: all of it is one secret.
    let chained = stream(&redactor, &vec![b"abc".as_slice(); 40_000]);
    assert_eq!(chained, b"[redacted:CODE]");
    let repeated = stream(&redactor, &vec![b"xabcabc".as_slice(); 20_000]);
    assert_eq!(repeated, b"x[redacted:CODE]".repeat(20_000));
    let shape = keys().remove(1).1 + " ";
    let repeated = stream(&redactor, &vec![shape.as_bytes(); 5_000]);
    assert_eq!(repeated, b"[redacted:github-token] ".repeat(5_000));
}

#[test]
fn a_stream_holds_back_no_more_than_it_must() {
    let redactor = redactor(&[LINES]);
    let mut stream = redactor.stream();
    assert_eq!(stream.push(b"one\ntwo"), b"one\n");
    assert_eq!(stream.push(b"\n"), b"two\n");
    assert_eq!(stream.push(b"first line of it\nsec"), b"");
    assert_eq!(stream.push(b"ret\n"), b"[redacted:LINES]\nsecret\n");
    let long = vec![b'.'; 100_000];
    let written = stream.push(&long).len();
    assert!(written > 80_000, "{written}");
    assert_eq!(written + stream.finish(Path::new("log")).len(), long.len());
}

#[test]
fn sixteen_mebibytes_go_through() {
    let redactor = redactor(&[DATABASE, LINES]);
    let line = format!("2026-01-02T03:04:05Z INFO building src/module.rs {}\n", DATABASE.1);
    let text = line.repeat(16 * 1024 * 1024 / line.len());
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(64 * 1024).collect();
    let expected = line.replace(DATABASE.1, "[redacted:DATABASE]").len() * (text.len() / line.len());
    assert_eq!(stream(&redactor, &pieces).len(), expected);
}

fn event(reason: &str) -> Event {
    Event {
        v: 1,
        ts: "2026-01-02T03:04:05Z".parse().unwrap(),
        seq: 123_456_789,
        run_id: "run".parse().unwrap(),
        task_id: Some("task-of-some-name".parse().unwrap()),
        attempt: Some(1),
        batch: Some(1),
        more: false,
        kind: EventKind::TaskRetry(TaskRetry { reason: reason.to_owned(), attempts_left: 1, backoff_ms: 0 }),
    }
}

#[test]
fn an_event_is_what_its_line_says_and_its_ids_stay() {
    let redactor =
        redactor(&[DATABASE, ("NUMBER", "123456789"), ("NAME", "of-some-name")]).below(Path::new("/run"));
    let path = Path::new("/run/orchestrator.jsonl");
    let reason = format!("no {} and {} of-some-name", DATABASE.1, 123_456_789);
    let (line, redacted) = redactor.event(path, event(&reason)).unwrap();
    assert_eq!(redacted, event("no [redacted:DATABASE] and [redacted:NUMBER] [redacted:NAME]"));
    assert_eq!(serde_json::to_string(&redacted).unwrap(), line);
    let (_, plain) = redactor.event(path, event("nothing")).unwrap();
    assert_eq!(plain, event("nothing"));
}

#[test]
fn what_was_kept_out_is_told_once_by_artifact() {
    let redactor = redactor(&[DATABASE]).below(Path::new("/run"));
    let other = redactor.apart();
    redactor.bytes(Path::new("/run/a/diff.patch"), format!("{0}{0}", DATABASE.1).into_bytes());
    redactor.clone().json(Path::new("/run/b.json"), &serde_json::json!({ DATABASE.1: [1] })).unwrap();
    let notes: Vec<(String, String, u64)> = redactor
        .notes()
        .into_iter()
        .map(|note| match note {
            EventKind::SecretRedacted(note) => (note.place, note.name, note.count),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = |place: &str, count| (place.to_owned(), "DATABASE".to_owned(), count);
    assert_eq!(notes, [expected("a/diff.patch", 2), expected("b.json", 1)]);
    assert!(redactor.notes().is_empty() && other.notes().is_empty());
}

/// Texts in which secrets, parts of them, marks and separators stand in any order.
fn fragments() -> impl Strategy<Value = String> {
    let mut parts: Vec<String> = keys().into_iter().map(|(_, key)| key).collect();
    parts.extend(
        [
            DATABASE.1,
            LINES.1,
            "hunter2",
            "\n",
            " ",
            "abc",
            "\"",
            ":",
            "@",
            "://",
            "-",
            "_",
            "Authorization: Bearer ",
        ]
        .map(str::to_owned),
    );
    parts.extend([
        pem("PRIVATE KEY", "MIIE"),
        "-----BEGIN PRIVATE KEY-----".into(),
        "-----END PRIVATE KEY-----".into(),
    ]);
    parts.extend(["[redacted:DATABASE]".to_owned(), STANDARD.encode(DATABASE.1)]);
    proptest::collection::vec(proptest::sample::select(parts), 0..16).prop_map(|parts| parts.concat())
}

/// Made once: the properties try many texts.
static BOTH: LazyLock<Redactor> = LazyLock::new(|| redactor(&[DATABASE, LINES]));

proptest! {
    #[test]
    fn redacting_again_changes_nothing(text in fragments()) {
        let once = BOTH.text(&text).into_owned();
        prop_assert!(!once.contains(DATABASE.1));
        // The longest mark replaces at least as many bytes as the shortest value has.
        prop_assert!(once.len() <= text.len() * 4);
        prop_assert_eq!(BOTH.text(&once).into_owned(), once);
    }

    #[test]
    fn pieces_of_any_size_leave_no_value(text in fragments(), size in 1usize..40) {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let written = String::from_utf8(stream(&BOTH, &pieces)).unwrap();
        prop_assert_eq!(written, BOTH.text(&text).into_owned());
    }

    #[test]
    fn json_stays_json(text in fragments()) {
        let value = serde_json::json!({ text.clone(): [text, 1, null] });
        let redacted = BOTH.json_text(&value.to_string()).into_owned();
        let back: serde_json::Value = serde_json::from_str(&redacted).unwrap();
        prop_assert!(!back.to_string().contains("hunter2 &"));
    }
}
