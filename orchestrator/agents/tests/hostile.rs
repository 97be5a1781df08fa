//! Whatever an agent prints, it is read without a panic and never taken for more than it is.

use mycelium_agents::{
    agent::Agent,
    outcome::{Ending, Facts, FailureClass, Outcome, judge},
    reader::{Line, Reader},
};
use proptest::prelude::*;

const DONE: Facts<'_> =
    Facts { ending: Ending::Exited(0), changed: true, asked_session: None, counted: None, stderr: "" };

fn read(agent: Agent, lines: &[&str]) -> Reader {
    let mut reader = Reader::new(agent);
    for line in lines {
        reader.line(line.as_bytes());
    }
    reader
}

#[test]
fn a_line_of_megabytes_is_an_event_and_keeps_little() {
    let mut reader = Reader::new(Agent::Codex);
    let text = "\u{1}".repeat(1024 * 1024);
    let event =
        serde_json::json!({"type": "item.completed", "item": {"type": "agent_message", "text": text}});
    let line = serde_json::to_vec(&event).unwrap();
    assert!(line.len() > 6_000_000, "{}", line.len());
    assert!(matches!(reader.line(&line), Line::Event(_)));
    assert_eq!(reader.report().answer.as_ref().unwrap().chars().count(), 64 * 1024);
}

#[test]
fn of_two_results_the_last_one_counts() {
    let success = r#"{"type":"result","subtype":"success","is_error":false,"session_id":"a","result":"one","modelUsage":{}}"#;
    let failure = r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":500,"session_id":"a","result":"two","modelUsage":{}}"#;
    let failed = judge(Agent::Claude, read(Agent::Claude, &[success, failure]).report(), DONE);
    assert!(matches!(failed, Outcome::Failed(failure) if failure.class == FailureClass::Provider));
    let report = read(Agent::Claude, &[failure, success]);
    assert_eq!(judge(Agent::Claude, report.report(), DONE), Outcome::Completed);
    assert_eq!(report.report().answer.as_deref(), Some("one"));
}

#[test]
fn one_that_went_on_after_its_result_is_not_done_before_it_says_so_again() {
    let began = r#"{"type":"system","subtype":"init","session_id":"a"}"#;
    let done = r#"{"type":"result","subtype":"success","is_error":false,"session_id":"a","result":"one","modelUsage":{}}"#;
    let woken = read(Agent::Claude, &[began, done, began]);
    let stopped = Facts { ending: Ending::Stopped, ..DONE };
    for facts in [DONE, stopped] {
        let outcome = judge(Agent::Claude, woken.report(), facts);
        assert!(
            matches!(&outcome, Outcome::Failed(failure) if failure.class == FailureClass::Killed),
            "{outcome:?}"
        );
    }
    let again = read(Agent::Claude, &[began, done, began, done]);
    assert_eq!(judge(Agent::Claude, again.report(), DONE), Outcome::Completed);
}

#[test]
fn one_that_cannot_begin_to_go_on_has_lost_its_conversation() {
    let facts = |ending, asked_session| Facts {
        ending,
        asked_session,
        stderr: "Error: failed to read the rollout",
        ..DONE
    };
    for agent in Agent::ALL {
        for ending in [Ending::Exited(1), Ending::Signalled(11)] {
            let silent = Reader::new(agent);
            let gone_on = judge(agent, silent.report(), facts(ending, Some("a")));
            assert_eq!(gone_on, Outcome::SessionLost, "{agent:?} {ending:?}");
            let anew = judge(agent, silent.report(), facts(ending, None));
            assert!(matches!(anew, Outcome::Failed(_)), "{agent:?} {ending:?}");
        }
        // A limit of ours says nothing of its conversation.
        let ended = judge(agent, Reader::new(agent).report(), facts(Ending::Stopped, Some("a")));
        assert!(matches!(ended, Outcome::Failed(_)), "{agent:?}");
    }
}

#[test]
fn what_nobody_knows_yet_is_kept_and_changes_nothing() {
    for agent in Agent::ALL {
        let mut reader = Reader::new(agent);
        for event in [
            r#"{"type":"new.thing","usage":{"input_tokens":9}}"#,
            r#"{"type":"system"}"#,
            r#"{"type":"item.completed"}"#,
        ] {
            assert!(matches!(reader.line(event.as_bytes()), Line::Event(_)), "{event}");
        }
        assert_eq!(reader.report(), Reader::new(agent).report());
        for text in ["", "plain", "[]", "{}", r#"{"type":1}"#, "\u{0}"] {
            assert_eq!(reader.line(text.as_bytes()), Line::Text, "{text:?}");
        }
    }
}

#[test]
fn a_usage_that_cannot_be_read_is_never_taken_for_none() {
    for usage in [
        r#"{"input_tokens":5.5,"output_tokens":1}"#,
        r#"{"input_tokens":-1,"output_tokens":1}"#,
        "null",
        "{}",
    ] {
        let line = format!(r#"{{"type":"turn.completed","usage":{usage}}}"#);
        assert!(read(Agent::Codex, &[&line]).report().usage_is_unreadable, "{usage}");
        let line = format!(
            r#"{{"type":"result","subtype":"success","is_error":false,"modelUsage":{{"m":{usage}}}}}"#
        );
        assert!(read(Agent::Claude, &[&line]).report().usage_is_unreadable, "{usage}");
    }
    assert!(read(Agent::Codex, &[r#"{"type":"turn.completed"}"#]).report().usage_is_unreadable);
    let mut reader = Reader::new(Agent::Codex);
    reader.too_long();
    assert!(reader.report().usage_is_unreadable);
}

#[test]
fn an_error_that_ended_nothing_is_no_failure() {
    let lines = [
        r#"{"type":"thread.started","thread_id":"a"}"#,
        r#"{"type":"error","message":"Reconnecting... 1/5 (stream closed before response.completed)"}"#,
        r#"{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}"#,
    ];
    assert_eq!(judge(Agent::Codex, read(Agent::Codex, &lines).report(), DONE), Outcome::Completed);
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20)) {
        for agent in Agent::ALL {
            let mut reader = Reader::new(agent);
            for line in &lines {
                reader.line(line);
            }
            let nothing_said = Facts { changed: false, ..DONE };
            prop_assert_ne!(judge(agent, reader.report(), nothing_said), Outcome::Completed);
        }
    }
}
