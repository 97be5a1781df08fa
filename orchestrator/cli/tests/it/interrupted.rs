//! An agent whose orchestrator ended in the middle of its conversation goes on with it, where it was; or begins anew, and
//! it is said why.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use mycelium_fixtures::models::{ModelServer, Script, Turn};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{place::Place, plans::ONE};

const AGENTS: [(&str, &str); 2] = [("codex", "openai"), ("claude", "anthropic")];

fn runs(command: &str) -> Turn {
    Turn { shell: Some(command.to_owned()), ..Turn::default() }
}

fn says(text: &str) -> Turn {
    Turn { text: Some(text.to_owned()), ..Turn::default() }
}

/// What happens between an end and the beginning after it.
type Between = fn(&AtWork);

/// A run whose agent is in the middle of something.
struct AtWork {
    place: Place,
    models: ModelServer,
}

impl AtWork {
    /// The first command writes half of the work and waits for ever; then the model answers these turns. The run is
    /// ended there by the signal.
    fn ended_by(signal: Signal, agent: (&str, &str), args: &str, tape: &str, then: Vec<Turn>) -> Self {
        let run = Self::new(agent, args, tape, |_| ONE.to_owned());
        let first = format!("echo half >> src/one.js; {}", run.waits());
        run.models.change(|script| {
            script.turns = std::iter::once(runs(&first)).chain(then).collect();
        });
        run.end_by(signal, &["run", "--run-id", "r1"], true);
        run
    }

    /// Nothing has begun.
    fn new((name, vendor): (&str, &str), args: &str, tape: &str, plan: impl FnOnce(&Path) -> String) -> Self {
        let mut place = Place::new();
        let models = ModelServer::start(Script::default()).unwrap();
        let agent = place.scripted_agent(name);
        place.run(&["init"]).exits(0);
        let config = format!(
            "integration_branch: main\ndoctor: {}\nmax_retries: 0\nbootstrap: ['echo made >> .git/ready']\n\
             gateway: {{ {tape} {vendor}: {{ base_url: \"{}\" }} }}\n\
             worker: {{ agent: {name}, model: m1, program: {}, args: [{args}] }}\n",
            mycelium_fixtures::Fixture::Toy.doctor(),
            models.base_url(),
            agent.display(),
        );
        place.write(".mycelium/config.yaml", &config);
        place.sandbox.set("MOCK_LLM_OUTPUT", plan(&place.outside()));
        place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
        Self { place, models }
    }

    /// A command that says that it has begun, and waits for ever.
    fn waits(&self) -> String {
        format!("touch {}; while :; do sleep 1; done", self.begun().display())
    }

    fn begun(&self) -> PathBuf {
        self.place.outside().join("begun")
    }

    /// Runs a command until something has begun, in the middle of a conversation or not, and ends it then.
    fn end_by(&self, signal: Signal, words: &[&str], in_conversation: bool) {
        let mut command = self.place.command(words);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !self.begun().exists() || (in_conversation && !self.note().exists()) {
            assert!(run.try_wait().unwrap().is_none(), "it ended before anything began");
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&run), signal).unwrap();
        run.wait().unwrap();
        fs::remove_file(self.begun()).unwrap();
        assert_eq!(self.note().exists(), in_conversation);
    }

    fn note(&self) -> PathBuf {
        self.workspaces().join(".conversations/001.json")
    }

    fn workspaces(&self) -> PathBuf {
        let projects = self.place.sandbox.mycelium_home().join("projects");
        let project = fs::read_dir(projects).ok().and_then(|mut found| found.next());
        project.map_or_else(|| PathBuf::from("/nowhere"), |found| found.unwrap().path().join("workspaces/r1"))
    }

    fn resume(&mut self) -> crate::place::Done {
        self.place.run(&["resume", "--run-id", "r1"])
    }

    /// What attempts began with.
    fn starts(&mut self) -> Vec<Value> {
        let said = self.place.run(&["logs", "--type", "task.start", "--json"]).exits(0).json();
        said.as_array().unwrap().iter().map(|event| event["payload"].clone()).collect()
    }

    fn asked(&self) -> Vec<String> {
        self.models.asked().into_iter().map(|asked| asked.body.to_string()).collect()
    }
}

/// Goes on with the half that is there.
fn other_half() -> Turn {
    runs("grep -qx half src/one.js && grep -qx made .git/ready && echo other-half >> src/one.js")
}

#[test]
fn an_interrupted_agent_goes_on_with_its_conversation_in_its_workspace() {
    for agent in AGENTS {
        for signal in [Signal::KILL, Signal::INT] {
            let mut run = AtWork::ended_by(signal, agent, "", "", vec![other_half(), says("Done.")]);
            assert_eq!(run.asked().len(), 1, "{agent:?}");
            run.resume().exits(0).complains(&["goes on with the conversation of attempt 1"]);
            assert_eq!(run.place.git("show main:src/one.js"), "half\nother-half", "{agent:?} {signal:?}");
            run.place.landed_once("001");
            // What was asked before is in what it asks now, and is not asked for again.
            let asked = run.asked();
            assert_eq!(asked.len(), 3, "{agent:?} {signal:?}");
            assert!(asked[1].contains("echo half >> src/one.js"), "{agent:?}: {}", asked[1]);
            assert!(asked[1].contains("You were interrupted"), "{agent:?}: {}", asked[1]);
            let starts = run.starts();
            assert_eq!(starts.len(), 2, "{starts:?}");
            assert_eq!((&starts[0]["continues"], &starts[1]["continues"]), (&Value::Null, &1.into()));
            let status = run.place.run(&["status", "--json"]).exits(0).json();
            assert_eq!(status["tasks"]["001"]["usage"]["input_tokens"], 300, "{agent:?}");
            // Nothing is left to go on with.
            assert!(!run.note().exists());
        }
    }
}

#[test]
fn one_that_is_interrupted_twice_goes_on_twice() {
    for agent in AGENTS {
        let mut run = AtWork::ended_by(Signal::KILL, agent, "", "", vec![says("Done.")]);
        let again = runs(&format!("echo more >> src/one.js; {}", run.waits()));
        run.models.change(|script| script.turns.insert(1, again));
        run.end_by(Signal::KILL, &["resume", "--run-id", "r1"], true);
        run.resume().exits(0).complains(&["goes on with the conversation of attempt 2"]);
        assert_eq!(run.place.git("show main:src/one.js"), "half\nmore", "{agent:?}");
        let asked = run.asked();
        assert_eq!((asked.len(), asked[2].matches("You were interrupted").count()), (3, 2), "{agent:?}");
        assert!(asked[2].contains("echo half") && asked[2].contains("echo more"), "{agent:?}");
    }
}

#[test]
fn where_something_does_not_fit_it_begins_anew_and_that_is_said() {
    let cases: [(&str, Between, &str); 4] = [
        (
            "",
            |run| fs::remove_dir_all(run.workspaces().join(".agents/001")).unwrap(),
            "has no file of its conversation",
        ),
        ("", |run| fs::remove_dir_all(run.workspaces().join("001")).unwrap(), "its workspace is gone"),
        (
            "",
            |run| {
                run.place.git("-c user.name=c -c user.email=c@e.invalid commit -q --allow-empty -m pushed");
            },
            "the integration branch has moved",
        ),
        ("record: first,", |_| {}, "a cassette holds attempts from their beginning"),
    ];
    for agent in AGENTS {
        for (tape, between, why) in &cases {
            let then = vec![runs("echo whole >> src/one.js"), says("Done.")];
            let mut run = AtWork::ended_by(Signal::KILL, agent, "", tape, then);
            between(&run);
            run.resume().exits(0).complains(&["starts again: ", why]);
            // Nothing of the first attempt is left, and it is no part of the conversation.
            assert_eq!(run.place.git("show main:src/one.js"), "whole", "{agent:?} {why}");
            assert!(!run.asked()[1].contains("echo half"), "{agent:?} {why}");
            let starts = run.starts();
            assert!(starts[1]["anew"].as_str().unwrap().contains(why), "{agent:?}: {starts:?}");
            assert_eq!((starts.len(), &starts[1]["continues"]), (2, &Value::Null));
        }
    }
}

#[test]
fn an_agent_that_has_lost_the_conversation_begins_anew_once_and_is_not_charged() {
    let strays = runs("echo astray >> src/one.js");
    for (agent, whim) in [(AGENTS[0], "forgets"), (AGENTS[1], "forgets"), (AGENTS[0], "strays")] {
        let work = vec![runs("echo whole >> src/one.js"), says("Done.")];
        let mut run = AtWork::ended_by(Signal::KILL, agent, &format!("--scripted, {whim}"), "", work);
        if whim == "strays" {
            // It may ask before it is ended.
            run.models.change(|script| {
                let track = |turns| mycelium_fixtures::models::Track {
                    when: "You were interrupted".to_owned(),
                    turns,
                };
                script.tracks.push(track(vec![strays.clone(), says("Done.")]));
            });
        }
        run.resume().exits(0).complains(&[
            "goes on with the conversation of attempt 1",
            "its attempt is lost: the agent does not have the conversation that it was to go on with any more",
            "starts again: there is no conversation that could be gone on with",
        ]);
        assert_eq!(run.place.git("show main:src/one.js"), "whole", "{agent:?} {whim}");
        run.place.landed_once("001");
        let starts = run.starts();
        assert_eq!(
            (starts.len(), &starts[1]["continues"], &starts[2]["continues"]),
            (3, &1.into(), &Value::Null)
        );
        let failed = run.place.run(&["logs", "--type", "task.retry", "--json"]).exits(0).json();
        assert_eq!(failed, Value::Array(Vec::new()), "{agent:?} {whim}");
    }
}

/// A Codex that goes on with a conversation in a way of its own.
fn codex_that_goes_on(run: &AtWork, how: &str) {
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *' resume '*) cat >/dev/null; session=$(echo \"$*\" | sed 's/.* resume \\([^ ]*\\).*/\\1/'); {how};; esac\n\
         exec {} scripted-agent codex \"$@\"\n",
        crate::place::program().display()
    );
    fs::write(run.place.outside().join("codex"), script).unwrap();
}

#[test]
fn an_agent_that_cannot_read_the_conversation_begins_anew_once_and_is_not_charged() {
    let work = vec![runs("echo whole >> src/one.js"), says("Done.")];
    let mut run = AtWork::ended_by(Signal::KILL, AGENTS[0], "", "", work);
    codex_that_goes_on(&run, "echo 'Error: failed to parse the rollout' >&2; exit 1");
    run.resume().exits(0).complains(&[
        "goes on with the conversation of attempt 1",
        "its attempt is lost: the agent does not have the conversation",
    ]);
    assert_eq!(run.place.git("show main:src/one.js"), "whole");
    run.place.landed_once("001");
}

#[test]
fn one_that_goes_on_past_the_gateway_fails_and_nothing_lands() {
    let mut run = AtWork::ended_by(Signal::KILL, AGENTS[0], "", "", vec![says("Done.")]);
    let before = run.place.head();
    codex_that_goes_on(
        &run,
        "echo past >> src/one.js; echo '{\"type\":\"thread.started\",\"thread_id\":\"'$session'\"}'; \
         echo '{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":40,\"output_tokens\":2}}'; exit 0",
    );
    run.resume().exits(1).complains(&["told 42 tokens, none of which passed the gateway"]);
    assert_eq!(run.place.head(), before);
    assert_eq!(run.asked().len(), 1);
}

/// What a gate did in the workspace would pass for the agent's work.
#[test]
fn one_that_had_ended_is_done_again_since_a_gate_was_at_work_in_its_workspace() {
    for agent in AGENTS {
        let verify = |outside: &Path| {
            let [begun, go] = ["begun", "go"].map(|name| outside.join(name).display().to_string());
            let once = format!("echo judged >> src/one.js; touch {begun}; while :; do sleep 1; done");
            ONE.replace(
                "\"spec\"",
                &format!("\"verify\": {{\"doctor\": \"test -e {go} || {{ {once}; }}\"}}, \"spec\""),
            )
        };
        let mut run = AtWork::new(agent, "", "", verify);
        let whole = || [runs("echo whole >> src/one.js"), says("Done.")];
        run.models.change(|script| script.turns = [whole(), whole()].concat());
        run.end_by(Signal::KILL, &["run", "--run-id", "r1"], false);
        fs::write(run.place.outside().join("go"), "").unwrap();
        run.resume().exits(0).complains(&["starts again: there is no conversation"]);
        assert_eq!(run.place.git("show main:src/one.js"), "whole", "{agent:?}");
        assert_eq!(run.asked().len(), 4, "{agent:?}");
    }
}
