//! The contract of the adapters (design 3.4): recorded invocations of the real agents, with what each of them was, as it
//! was seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]
#![expect(clippy::disallowed_methods, reason = "the adapters read no files; their recordings are some")]

use std::{fs, path::PathBuf};

use mycelium_agents::{
    agent::Agent,
    outcome::{Ending, Facts, Outcome, judge},
    reader::Reader,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    /// Folder and file below `fixtures/agents`.
    case: String,
    ending: Ended,
    changed: bool,
    /// `completed`, `session_lost` or the class of a failure.
    outcome: String,
    asked_session: Option<String>,
    session: Option<String>,
    /// Input, cached input, output.
    tokens: Option<[u64; 3]>,
    #[serde(default)]
    stderr: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Code(i32),
    Signal(i32),
    #[serde(untagged)]
    Ours(Ours),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ours {
    Stopped,
    Lingered,
}

impl Recording {
    fn agent(&self) -> Agent {
        Agent::ALL.into_iter().find(|agent| self.case.starts_with(agent.name())).unwrap()
    }

    fn facts(&self) -> Facts<'_> {
        let ending = match self.ending {
            Ended::Code(code) => Ending::Exited(code),
            Ended::Signal(signal) => Ending::Signalled(signal),
            Ended::Ours(Ours::Stopped) => Ending::Stopped,
            Ended::Ours(Ours::Lingered) => Ending::Lingered,
        };
        let asked_session = self.asked_session.as_deref();
        Facts { ending, changed: self.changed, asked_session, counted: None, stderr: &self.stderr }
    }

    fn output(&self) -> Vec<u8> {
        fs::read(folder().join(format!("{}.jsonl", self.case))).unwrap()
    }

    fn read(&self) -> Reader {
        let mut reader = Reader::new(self.agent());
        for line in self.output().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            reader.line(line);
        }
        reader
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/agents")
}

fn recordings() -> Vec<Recording> {
    let found: Vec<Recording> =
        serde_json::from_slice(&fs::read(folder().join("recordings.json")).unwrap()).unwrap();
    assert!(found.len() > 250, "{}", found.len());
    found
}

fn name(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::SessionLost => "session_lost",
        Outcome::Failed(failure) => failure.class.name(),
    }
}

#[test]
fn every_recording_has_the_outcome_that_was_seen_from_outside() {
    let mut wrong = Vec::new();
    for recording in recordings() {
        let reader = recording.read();
        let outcome = judge(recording.agent(), reader.report(), recording.facts());
        if name(&outcome) != recording.outcome {
            wrong.push(format!("{}: {} is told as {outcome:?}", recording.case, recording.outcome));
        }
        if let Outcome::Failed(failure) = outcome {
            assert!(!failure.message.is_empty(), "{} says nothing", recording.case);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_recording_has_its_session_and_its_tokens() {
    for recording in recordings() {
        let reader = recording.read();
        let report = reader.report();
        assert_eq!(report.session, recording.session, "{}", recording.case);
        let tokens = report.session_tokens.map(|tokens| [tokens.input, tokens.cached_input, tokens.output]);
        assert_eq!(tokens, recording.tokens, "{}", recording.case);
        assert!(!report.usage_is_unreadable, "{}", recording.case);
    }
}

#[test]
fn every_recorded_file_is_replayed() {
    let mut files: Vec<String> = walk(&folder());
    let mut cases: Vec<String> = recordings().into_iter().map(|recording| recording.case).collect();
    files.sort();
    cases.sort();
    assert_eq!(files, cases);
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for version in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let version_name = version.file_name().into_string().unwrap();
        for file in fs::read_dir(version.path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            found.push(format!("{version_name}/{}", name.strip_suffix(".jsonl").unwrap()));
        }
    }
    found
}

/// Cut anywhere, as by a kill: never completed before its last line has come, and never a panic.
#[test]
fn a_torn_recording_is_never_a_completed_one() {
    for recording in recordings().into_iter().filter(|recording| recording.outcome == "completed") {
        let output = recording.output();
        let lines: Vec<&[u8]> = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let Some(end) = lines.iter().position(|line| is_end(line)) else { panic!("{}", recording.case) };
        for torn in 0..end {
            let mut reader = Reader::new(recording.agent());
            for line in &lines[..torn] {
                reader.line(line);
            }
            let half = &lines[torn][..lines[torn].len() / 2];
            reader.line(half);
            let outcome = judge(recording.agent(), reader.report(), recording.facts());
            assert_ne!(outcome, Outcome::Completed, "{} cut in line {}", recording.case, torn + 1);
        }
    }
}

fn is_end(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    line.contains("\"turn.completed\"") || line.contains("\"type\":\"result\"")
}

#[test]
fn a_success_whose_process_ended_otherwise_is_none() {
    for case in ["codex-0.169.0/ok-shell-commit", "claude-2.1.330/ok-shell-commit"] {
        let recording = recordings().into_iter().find(|recording| recording.case == case).unwrap();
        let reader = recording.read();
        for ending in [Ending::Exited(1), Ending::Exited(101), Ending::Signalled(9), Ending::Stopped] {
            let facts = Facts { ending, ..recording.facts() };
            let outcome = judge(recording.agent(), reader.report(), facts);
            assert_eq!(name(&outcome), "killed", "{case} {ending:?}");
        }
    }
}

#[test]
fn another_conversation_than_the_one_asked_for_is_none_that_was_gone_on_with() {
    for case in ["codex-0.169.0/resume.2", "claude-2.1.330/resume.2"] {
        let recording = recordings().into_iter().find(|recording| recording.case == case).unwrap();
        let reader = recording.read();
        let facts = Facts { asked_session: Some("another"), ..recording.facts() };
        assert_eq!(name(&judge(recording.agent(), reader.report(), facts)), "session_lost", "{case}");
    }
}

/// Its own count alone says that it asked a model, which nobody counted.
#[test]
fn an_agent_that_used_what_nobody_counted_has_failed_whatever_it_says() {
    for recording in recordings() {
        let reader = recording.read();
        let told = reader.report().told().unwrap_or_default();
        let judged = |counted, asked_session| {
            let facts = Facts { counted, asked_session, ..recording.facts() };
            judge(recording.agent(), reader.report(), facts)
        };
        let as_ever = judge(recording.agent(), reader.report(), recording.facts());
        assert_eq!(judged(Some(1), recording.asked_session.as_deref()), as_ever, "{}", recording.case);
        let past = judged(Some(0), None);
        if told == 0 {
            assert_eq!(past, judged(None, None), "{}", recording.case);
            continue;
        }
        let Outcome::Failed(failure) = past else { panic!("{} is {past:?}", recording.case) };
        assert_eq!(failure.class.name(), "config", "{}", recording.case);
        let said = format!("told {told} tokens, none of which passed the gateway");
        assert!(failure.message.starts_with(&said), "{}: {}", recording.case, failure.message);
    }
}

/// It tells what it used before, though it was refused at once.
#[test]
fn an_older_conversation_that_was_refused_asked_nobody_else() {
    let mut reader = Reader::new(Agent::Claude);
    reader.line(
        br#"{"type":"result","subtype":"success","is_error":true,"api_error_status":402,"result":"over","session_id":"s",
            "modelUsage":{"m":{"inputTokens":90,"outputTokens":10}}}"#,
    );
    let judged = |asked_session| {
        let facts =
            Facts { ending: Ending::Exited(1), changed: false, asked_session, counted: Some(0), stderr: "" };
        judge(Agent::Claude, reader.report(), facts)
    };
    assert_eq!(name(&judged(Some("s"))), "quota");
    assert_eq!(name(&judged(None)), "config");
}
