//! The real agents in containers that have no network and nothing but their image.

use std::{env, process::Command};

use mycelium_fixtures::models::{ModelServer, Script, Tokens};
use serde_json::json;

use crate::{Agent, KEY, TWO, place::Place, runs, says, script, tokens, writes};

/// Puts a program into a folder that becomes an image: with the libraries that it is loaded with, a busybox, and whatever
/// else of this machine is named.
const IMAGE: &str = r#"
root=$1 image=$2 program=$3 name=$4; shift 4
mkdir -p "$root/bin" "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
cp -L "$program" "$root/bin/$name"
for file in "$@"; do cp -L "$file" "$root/bin/"; done
for file in "$program" "$@"; do
  # One that is linked statically has none.
  for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
done
tar -C "$root" -c . | docker import - "$image"
"#;

/// An image of an agent and what it cannot do without, and nothing else.
fn image_of(agent: Agent) -> String {
    let folder = tempfile::tempdir().unwrap();
    let image = format!("mycelium-test-{}", agent.name());
    let (program, more) = match agent {
        Agent::Codex => ("@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex", [].as_slice()),
        // It runs commands in no other shell.
        Agent::Claude => ("@anthropic-ai/claude-code-linux-x64/claude", ["/bin/bash"].as_slice()),
    };
    let program = Agent::installed(program);
    let mut command = Command::new("sh");
    command.args(["-ec", IMAGE, "sh"]).arg(folder.path()).arg(&image).arg(program).arg(agent.name());
    let made = command.args(more).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    image
}

/// A place whose containers are of an image and have no network.
fn place(agent: Agent, image: &str, models: &ModelServer, more: &str) -> Place {
    let gateway = agent.gateway(models);
    let config = format!("docker: {{ image: {image}, network_mode: none }}\n{gateway}{more}");
    let mut place = Place::with_plan(&config, TWO);
    place.sandbox.set("OPERATORS_KEY", KEY);
    place.sandbox.set("DOCKER_HOST", env::var("DOCKER_HOST").expect("an engine"));
    place
}

fn two_tasks_land_and_a_budget_stops_one(agent: Agent) {
    let image = image_of(agent);
    let worker = format!("worker: {{ agent: {}, model: {} }}\n", agent.name(), agent.model());
    let one = vec![writes("one"), says("Done.", 1100, 12)];
    let looks = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/net/dev";
    let two = vec![
        runs(
            &format!("mkdir -p docs && {{ {looks}; }} 2>/dev/null | tr '\\0' '\\n' > docs/two.md"),
            2000,
            40,
        ),
        says("Done too.", 2100, 9),
    ];
    let models = ModelServer::start(script(one, two)).unwrap();
    let mut landing = place(agent, &image, &models, &worker);
    landing.run(&["run", "--run-id", "r1", "--world", "docker"]).exits(0);
    let status = landing.run(&["status", "--json"]).exits(0).json();
    assert_eq!((tokens(&status, "001"), tokens(&status, "002")), (2142, 4149));
    assert_eq!(landing.git("show main:docs/one.md"), "one");
    let seen = landing.git("show main:docs/two.md");
    assert!(seen.contains("MYCELIUM_TASK_ID=002") && !seen.contains(KEY), "{seen}");
    // Its address stands in no command line.
    let lines: Vec<&str> = seen.lines().filter(|line| line.contains("127.0.0.1:4180/t/")).collect();
    assert!(lines.iter().all(|line| line.starts_with("ANTHROPIC_BASE_URL=")), "{lines:?}");
    // It has a loopback address and no other one.
    let devices = seen
        .lines()
        .filter(|line| line.trim_start().split(' ').next().is_some_and(|name| name.ends_with(':')));
    assert!(
        devices.clone().all(|line| line.trim_start().starts_with("lo:")) && devices.count() == 1,
        "{seen}"
    );

    let models = ModelServer::start(script(vec![writes("one")], vec![writes("two")])).unwrap();
    let more = format!("{worker}budgets: {{ max_tokens_per_task: 1030 }}\nmax_parallel: 1\n");
    let mut stopped = place(agent, &image, &models, &more);
    let before = stopped.head();
    stopped.run(&["run", "--run-id", "r1", "--world", "docker"]).exits(1);
    assert_eq!((stopped.head(), models.asked().len()), (before, 1));
}

#[test]
#[ignore = "needs Codex and a container engine: run .ci/engine .ci/agents"]
fn in_a_container_without_a_network_two_tasks_of_codex_land_and_a_budget_stops_one() {
    two_tasks_land_and_a_budget_stops_one(Agent::Codex);
}

#[test]
#[ignore = "needs Claude Code and a container engine: run .ci/engine .ci/agents"]
fn in_a_container_without_a_network_two_tasks_of_claude_land_and_a_budget_stops_one() {
    two_tasks_land_and_a_budget_stops_one(Agent::Claude);
}

#[test]
#[ignore = "needs the real agents and a container engine: run .ci/engine .ci/agents"]
fn in_a_container_without_a_network_an_agent_judges_what_would_land() {
    let used = Tokens { input: 500, output: 40, ..Tokens::default() };
    for agent in Agent::ALL {
        let image = image_of(agent);
        let (name, model) = (agent.name(), agent.model());
        let judge =
            format!("test_validator: {{ mode: block, provider: {name}, model: {model} }}\nmax_parallel: 1\n");
        for pass in [true, false] {
            let report = agent.answers(&json!({"pass": pass, "summary": "seen", "issues": []}), used);
            let looks = runs("cat docs/*.md /proc/net/dev; env", 100, 10);
            let turns = match agent {
                Agent::Codex => vec![looks, report],
                // It has no tools while it answers.
                Agent::Claude => vec![report],
            };
            let models = ModelServer::start(Script { turns, ..Script::default() }).unwrap();
            let mut place = place(agent, &image, &models, &judge);
            let before = place.head();
            place
                .run(&["run", "--run-id", "r1", "--world", "docker", "--tasks", "001"])
                .exits(i32::from(!pass));
            assert_eq!(place.head() != before, pass, "{agent:?}");
            let status = place.run(&["status", "--json"]).exits(0).json();
            let all = if models.asked().len() == 2 { 650 } else { 540 };
            assert_eq!(tokens(&status, "001"), all, "{agent:?}");
            let told = models.asked().pop().unwrap().body.to_string();
            assert!(told.contains("diff --git a/docs/one.md b/docs/one.md"), "{agent:?}: {told}");
            if matches!(agent, Agent::Codex) {
                assert!(told.contains("MYCELIUM_TASK_ID=001") && !told.contains(KEY), "{told}");
                assert!(told.contains(" lo:") && !told.contains("eth0"), "{told}");
            }
        }
    }
}
