//! Agents that give no sign of life are ended by the limit that they passed; those whose model takes its time are not.

use std::process::Command;

use mycelium_fixtures::models::{End, ModelServer, Script, Turn};

use crate::{
    place::{Place, program},
    plans::ONE,
};

/// A place whose worker is a scripted Codex, with limits. The wall is high, and near enough for a test that fails.
fn place(models: &ModelServer, more: &str) -> Place {
    let mut place = Place::new();
    let codex = place.scripted_agent("codex");
    place.run(&["init"]).exits(0);
    let config = format!(
        "integration_branch: main\ndoctor: {}\nmax_retries: 0\ntimeout_minutes: 0.3\n\
         gateway: {{ openai: {{ base_url: \"{}\" }} }}\n\
         worker: {{ agent: codex, model: m1, program: {}, args: [{{args}}] }}\n",
        mycelium_fixtures::Fixture::Toy.doctor(),
        models.base_url(),
        codex.display()
    );
    let (args, limits) = more.split_once('|').unwrap();
    place.write(".mycelium/config.yaml", &(config.replace("{args}", args) + limits + "\n"));
    place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
    place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
    place
}

fn serve(turns: Vec<Turn>) -> ModelServer {
    ModelServer::start(Script { turns, ..Script::default() }).unwrap()
}

fn says(text: &str) -> Turn {
    Turn { text: Some(text.to_owned()), ..Turn::default() }
}

#[test]
fn one_that_is_stuck_is_ended_by_the_limit_that_it_passed() {
    let stalls = Turn { end: End::StallAfter(1), ..says("I think") };
    for (turn, more, reason, said) in [
        (
            says("Done."),
            "--scripted, mute-in-attempt=1|first_event_timeout_minutes: 0.02",
            "first_event_timeout",
            "said nothing after it was started",
        ),
        (stalls, "|idle_timeout_minutes: 0.02", "idle_timeout", "was silent for too long"),
    ] {
        let models = serve(vec![turn]);
        let mut place = place(&models, more);
        place.run(&["run", "--run-id", "r1"]).exits(1).complains(&[said]);
        let exit = place.run(&["logs", "--type", "worker.exit", "--json"]).exits(0).stdout;
        assert!(exit.contains(&format!("\"reason\":\"{reason}\"")), "{exit}");
    }
}

#[test]
fn one_whose_model_takes_its_time_is_not_stuck() {
    let works = Turn { shell: Some("echo one > src/one.js".to_owned()), ..Turn::default() };
    // Twenty words at a pace that is slower than the limit as a whole, and far below it from one to the next.
    let slow = Turn { pace_ms: Some(150), ..says(&["word"; 20].join(" ")) };
    let models = serve(vec![works, slow]);
    let mut place = place(&models, "|idle_timeout_minutes: 0.03");
    place.run(&["run", "--run-id", "r1"]).exits(0);
    place.landed_once("001");
}

#[test]
fn a_signal_to_the_relay_is_one_to_its_agent() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, code) in [("INT", 3), ("TERM", 4), ("HUP", 5)] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The agent's parent is the relay. It ends by itself, too, where the signal is kept from it.
        let agent = format!(
            "trap 'exit {code}' {signal}; kill -{signal} $PPID; n=0
             while [ $n -lt 50 ]; do read -t 0.1 never; n=$((n + 1)); done </dev/zero"
        );
        let mut relay = Command::new(program());
        relay.arg("relay").arg(folder.path().join("socket")).arg(port.to_string());
        let told = relay.args(["--", "bash", "-c", &agent]).status().unwrap();
        assert_eq!(told.code(), Some(code), "{signal}");
    }
}

#[test]
fn a_planner_that_is_stuck_is_ended_by_the_limit_that_it_passed() {
    let models = serve(vec![says("nobody asks")]);
    let mut place = place(&models, "|first_event_timeout_minutes: 0.02");
    let mute =
        "#!/bin/sh\ncase \"$1\" in --version) echo 'codex-cli 0.169.0'; exit 0;; esac\nexec sleep 600\n";
    std::fs::write(place.outside().join("codex"), mute).unwrap();
    let config =
        place.read(".mycelium/config.yaml").replace("worker: { agent: codex", "planner: { provider: codex");
    place.write(".mycelium/config.yaml", &config.replace(", args: []", ""));
    let plan = place.run(&["plan", "--input", ".mycelium/plan.md", "--force"]).exits(4);
    assert!(plan.stderr.contains("said nothing after it was started"), "{}", plan.stderr);
}
