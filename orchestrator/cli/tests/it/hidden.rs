//! A process that an agent hid from its sweep, without mark, session or folder of the attempt, and that waits for a model
//! which never ends: no run waits with it, however its agent ended.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mycelium_fixtures::models::{End, ModelServer, Script, Tokens, Track, Turn};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    held::{file_of_held, start, wait_until},
    place::Place,
    plans::ONE,
};

/// What the hidden process asks, and nobody else.
const ASKED: &str = "hidden-question";

/// Tokens of input that the answer to it tells at its start, and no other does.
const TOLD: u64 = 7777;

/// Asks the model of the environment that it is given, and reads its answer to the end; then it lives on.
const HIDDEN: &str = r#"
rest=${1#http://}; host=${rest%%/*}; body="{\"model\":\"m1\",\"stream\":true,\"messages\":[\"hidden-question\"]}"
exec 3<>/dev/tcp/${host%:*}/${host#*:}
printf 'POST /%s/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s' "${rest#*/}" ${#body} "$body" >&3
head -c 1 <&3 >/dev/null
echo $$ >"$2"
cat <&3 >/dev/null
exec sleep 600
"#;

fn says(text: &str) -> Turn {
    Turn { text: Some(text.to_owned()), ..Turn::default() }
}

/// A run whose agent hides such a process before it comes to its last turn; the file says which one.
struct Hiding {
    place: Place,
    _models: ModelServer,
    pid: PathBuf,
}

impl Hiding {
    fn place(last: Turn, more: &str) -> Self {
        let mut place = Place::new();
        let (script, pid) = (place.outside().join("hidden.sh"), place.outside().join("pid"));
        fs::write(&script, HIDDEN).unwrap();
        let shell = format!(
            "(cd /; exec env -i PATH=\"$PATH\" setsid bash {} \"$ANTHROPIC_BASE_URL\" {pid} >/dev/null 2>&1 </dev/null) & \
             until test -s {pid}; do :; done; echo one > src/one.js",
            script.display(),
            pid = pid.display()
        );
        let usage = Tokens { input: TOLD, ..Tokens::default() };
        let stalls = Turn { end: End::StallAfter(3), usage, ..says("never ends") };
        let models = ModelServer::start(Script {
            tracks: vec![Track { when: ASKED.to_owned(), turns: vec![stalls] }],
            turns: vec![Turn { shell: Some(shell), ..Turn::default() }, last],
        })
        .unwrap();
        let claude = place.scripted_agent("claude");
        place.run(&["init"]).exits(0);
        let config = format!(
            "integration_branch: main\ndoctor: {}\nmax_retries: 0\n\
             gateway: {{ anthropic: {{ base_url: \"{}\" }} }}\n\
             worker: {{ agent: claude, model: m1, program: {} }}\n{more}\n",
            mycelium_fixtures::Fixture::Toy.doctor(),
            models.base_url(),
            claude.display()
        );
        place.write(".mycelium/config.yaml", &config);
        place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
        place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
        Self { place, _models: models, pid }
    }

    /// Asserts that what came of the answer is counted, once and by its size.
    #[track_caller]
    fn is_counted(&self) {
        let ledger = file_of_held(&self.place, "models.jsonl").unwrap();
        let reckoned = |line: &str| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["is_estimate"] == true && entry["input_tokens"] == TOLD
        };
        assert_eq!(ledger.lines().filter(|line| reckoned(line)).count(), 1, "{ledger}");
    }
}

impl Drop for Hiding {
    fn drop(&mut self) {
        // The run has ended it by now; where that is what failed, nothing stays behind nevertheless.
        let pid = fs::read_to_string(&self.pid).ok().and_then(|pid| pid.trim().parse::<i32>().ok());
        if let Some(pid) = pid.filter(|pid| is_hidden(*pid)).and_then(Pid::from_raw) {
            let _gone = kill_process(pid, Signal::KILL);
        }
    }
}

/// Whether a process is still this one, and no other that got its number.
fn is_hidden(pid: i32) -> bool {
    let words = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("cmdline"));
    words.is_ok_and(|words| words.contains("hidden.sh") || words.starts_with("sleep\x00600"))
}

#[test]
fn it_does_not_hold_a_run_whose_agent_is_done() {
    let mut hiding = Hiding::place(says("Done."), "");
    hiding.place.run(&["run", "--run-id", "held"]).exits(0);
    hiding.place.landed_once("001");
    hiding.is_counted();
}

#[test]
fn it_does_not_hold_a_run_whose_agent_took_too_long() {
    let stalls = Turn { end: End::StallAfter(1), ..says("I think") };
    let mut hiding = Hiding::place(stalls, "timeout_minutes: 0.1");
    hiding.place.run(&["run", "--run-id", "held"]).exits(1).complains(&["ran into its time limit"]);
    hiding.is_counted();
}

#[test]
fn it_does_not_hold_a_run_that_a_signal_stops() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let stalls = Turn { end: End::StallAfter(1), ..says("I think") };
        let hiding = Hiding::place(stalls, "");
        let mut run = start(&hiding.place, &["run", "--run-id", "held"]);
        wait_until(&mut run, || fs::read_to_string(&hiding.pid).is_ok_and(|pid| pid.ends_with('\n')));
        kill_process(Pid::from_child(&run), signal).unwrap();
        assert_eq!(run.wait().unwrap().code(), Some(code));
        hiding.is_counted();
    }
}
