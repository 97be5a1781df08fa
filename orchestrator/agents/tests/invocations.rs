//! What the agents are started with: the command lines that were tried with the real ones, as a whole.

use std::{collections::BTreeMap, path::Path};

use mycelium_agents::{
    agent::Agent,
    invocation::{Answer, Invocation, Session, Start, is_session_id},
};

fn with(agent: Agent, change: impl FnOnce(&mut Start<'_>)) -> Invocation {
    let marks = BTreeMap::from([("MYCELIUM_TASK_ID".to_owned(), "001".to_owned())]);
    let mut start = Start {
        model: "a-model",
        workspace: Path::new("/w"),
        home: Path::new("/h"),
        base_url: "http://127.0.0.1:4000/t/001",
        session: Session::New("01234567-0123-4123-8123-0123456789ab"),
        marks: &marks,
        as_root: false,
        answer: None,
        more: &[],
    };
    change(&mut start);
    Invocation::of(agent, &start)
}

fn words(invocation: &Invocation) -> Vec<&str> {
    invocation.args.iter().map(String::as_str).collect()
}

#[test]
fn codex_is_started_as_it_was_tried() {
    let call = with(Agent::Codex, |_| {});
    assert_eq!(
        words(&call),
        [
            "exec",
            "--json",
            "--ignore-rules",
            "--skip-git-repo-check",
            "-m",
            "a-model",
            "-c",
            r#"model_provider="mycelium""#,
            "-c",
            "analytics.enabled=false",
            "-c",
            r#"web_search="disabled""#,
            "-c",
            r#"shell_environment_policy.inherit="core""#,
            "-c",
            r#"shell_environment_policy.set={"MYCELIUM_TASK_ID"="001"}"#,
            "--disable",
            "plugins",
            "--disable",
            "multi_agent",
            "--disable",
            "goals",
            "--disable",
            "apps",
            "--disable",
            "unbounded_connection_retries",
            "--dangerously-bypass-approvals-and-sandbox",
            "-C",
            "/w",
            "-",
        ]
    );
    assert_eq!(call.env, BTreeMap::from([("CODEX_HOME".to_owned(), "/h".to_owned())]));
    let config = "[model_providers.mycelium]\nname = \"mycelium\"\n\
                  base_url = \"http://127.0.0.1:4000/t/001/v1\"\nwire_api = \"responses\"\n";
    assert_eq!(call.files, BTreeMap::from([("config.toml".to_owned(), config.to_owned())]));
}

#[test]
fn no_address_stands_where_every_user_of_the_machine_may_read_it() {
    for agent in Agent::ALL {
        let answer = Answer { schema: "{}", file: Path::new("/s.json") };
        for call in [with(agent, |_| {}), with(agent, |start| start.answer = Some(answer))] {
            let shown = call.args.iter().find(|arg| arg.contains("4000") || arg.contains("/t/001"));
            assert_eq!(shown, None, "{agent:?}");
        }
    }
}

#[test]
fn claude_is_started_as_it_was_tried() {
    let call = with(Agent::Claude, |_| {});
    assert_eq!(
        words(&call),
        [
            "-p",
            "--output-format",
            "stream-json",
            "--verbose",
            "--bare",
            "--model",
            "a-model",
            "--permission-mode",
            "bypassPermissions",
            "--permission-prompts",
            "none",
            "--strict-mcp-config",
            "--setting-sources",
            "",
            "--tools",
            "Bash,Read,Edit",
            "--session-id",
            "01234567-0123-4123-8123-0123456789ab",
        ]
    );
    let names: Vec<&str> = call.env.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            "CLAUDE_CONFIG_DIR",
            "MYCELIUM_TASK_ID",
        ]
    );
    assert_eq!(with(Agent::Claude, |start| start.as_root = true).env["IS_SANDBOX"], "1");
}

#[test]
fn a_conversation_is_gone_on_with_by_its_id() {
    let codex = with(Agent::Codex, |start| start.session = Session::Resume("s"));
    // What belongs to `exec` stands before `resume`, which has neither folder nor permissions of its own.
    let words_of_codex = words(&codex);
    assert_eq!(words_of_codex[words_of_codex.len() - 5..], ["-C", "/w", "resume", "s", "-"]);
    let claude = with(Agent::Claude, |start| start.session = Session::Resume("s"));
    assert_eq!(words(&claude)[words(&claude).len() - 2..], ["--resume", "s"]);
}

#[test]
fn the_form_of_an_answer_is_asked_for_in_each_agents_way() {
    let answer = Answer { schema: r#"{"type":"object"}"#, file: Path::new("/s.json") };
    let codex = with(Agent::Codex, |start| start.answer = Some(answer));
    assert!(words(&codex).windows(2).any(|pair| pair == ["--output-schema", "/s.json"]));
    let claude = with(Agent::Claude, |start| start.answer = Some(answer));
    assert!(
        words(&claude)
            .windows(4)
            .any(|four| four == ["--tools", "", "--json-schema", r#"{"type":"object"}"#])
    );
}

#[test]
fn what_stands_in_a_setting_cannot_leave_it() {
    let call = with(Agent::Codex, |start| start.base_url = "http://h/\"}\n,x={\u{7f}");
    let provider = &call.files["config.toml"];
    assert_eq!(provider.lines().nth(2), Some(r#"base_url = "http://h/\"}\n,x={\u007f/v1""#), "{provider}");
}

#[test]
fn a_conversation_is_known_by_its_own_file_alone() {
    let (id, other) = ("01234567-0123-7123-8123-0123456789ab", "11234567-0123-7123-8123-0123456789ab");
    let rollout = format!("rollout-2026-01-02T03-04-05-{id}.jsonl");
    let claude = format!("{id}.jsonl");
    for (agent, name, session, is_it) in [
        (Agent::Codex, rollout.as_str(), id, true),
        (Agent::Codex, rollout.as_str(), other, false),
        (Agent::Codex, rollout.as_str(), &id[1..], false),
        (Agent::Codex, claude.as_str(), id, false),
        (Agent::Codex, &rollout[..rollout.len() - 1], id, false),
        (Agent::Claude, claude.as_str(), id, true),
        (Agent::Claude, claude.as_str(), other, false),
        (Agent::Claude, rollout.as_str(), id, false),
        (Agent::Claude, &format!("agent-{claude}"), id, false),
    ] {
        assert_eq!(agent.is_session_file(name, session), is_it, "{agent:?} {name} {session}");
    }
}

#[test]
fn only_a_uuid_is_asked_for() {
    assert!(is_session_id("01234567-0123-4123-8123-0123456789ab"));
    for id in [
        "",
        "the last one",
        "--last",
        "--config=a=b-0123-4123-8123-0123456789",
        "01234567-0123-4123-8123-0123456789abc",
        "01234567-0123-4123-8123-0123456789a",
        "012345678-123-4123-8123-0123456789ab",
        "01234567-0123-4123-8123-0123456789\u{e4}",
        "../34567-0123-4123-8123-0123456789ab",
    ] {
        assert!(!is_session_id(id), "{id}");
    }
}
