//! The real agents, Codex CLI and Claude Code, as workers of the built program, with a scripted model behind the gateway.
//! `.ci/agents` installs them and runs these; without it they are ignored, and shown so.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../it/place.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod place;

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Track, Turn};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use place::Place;

const KEY: &str = "sk-the-operators-own-key-0123456789";
const TWO: &str = r#"{"tasks": [
  {"id": "001", "name": "One", "spec": "Write docs/one.md.", "files": {"writes": ["docs/one.md"]}},
  {"id": "002", "name": "Two", "spec": "Write docs/two.md.", "files": {"writes": ["docs/two.md"]}}]}"#;

/// The real agents.
#[derive(Debug, Clone, Copy)]
enum Agent {
    Codex,
    Claude,
}

impl Agent {
    const ALL: [Self; 2] = [Self::Codex, Self::Claude];

    fn config(self, models: &ModelServer) -> String {
        let (name, model, vendor) = match self {
            Self::Codex => ("codex", "gpt-5.5", "openai"),
            Self::Claude => ("claude", "claude-sonnet-4-5", "anthropic"),
        };
        let folder = env::var("MYCELIUM_AGENTS_DIR").expect("`.ci/agents` says where the agents are");
        let program = Path::new(&folder).join("node_modules/.bin").join(name);
        assert!(program.exists(), "{} is not there", program.display());
        format!(
            "worker: {{ agent: {name}, model: {model}, program: {} }}\n\
             gateway: {{ {vendor}: {{ base_url: \"{}\", key: OPERATORS_KEY }} }}\n",
            program.display(),
            models.base_url()
        )
    }
}

/// Two tasks, whose conversations are told apart by what they are asked for.
fn script(one: Vec<Turn>, two: Vec<Turn>) -> Script {
    let track = |when: &str, turns| Track { when: when.to_owned(), turns };
    Script { tracks: vec![track("docs/one.md", one), track("docs/two.md", two)], ..Script::default() }
}

fn runs(command: &str, input: u64, output: u64) -> Turn {
    Turn {
        shell: Some(command.to_owned()),
        usage: Tokens { input, output, ..Tokens::default() },
        ..Turn::default()
    }
}

fn says(text: &str, input: u64, output: u64) -> Turn {
    Turn {
        text: Some(text.to_owned()),
        usage: Tokens { input, cached: input / 2, output, ..Tokens::default() },
        ..Turn::default()
    }
}

fn writes(name: &str) -> Turn {
    runs(&format!("mkdir -p docs && echo {name} > docs/{name}.md"), 1000, 30)
}

fn place(agent: Agent, models: &ModelServer, more: &str) -> Place {
    let mut place = Place::with_plan(&(agent.config(models) + more), TWO);
    // The agents' own programs come from the machine.
    place.sandbox.set("OPERATORS_KEY", KEY);
    place.sandbox.set("PATH", env::var("PATH").unwrap());
    place
}

fn tokens(status: &Value, task: &str) -> u64 {
    let usage = &status["tasks"][task]["usage"];
    usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap()
}

/// Every file below a folder that holds a text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(holding(&entry.path(), text));
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(entry.path());
            }
        }
    }
    found
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn two_tasks_land_and_every_token_is_counted() {
    for agent in Agent::ALL {
        let one = vec![writes("one"), says("Done.", 1100, 12)];
        // What of the environment a command can see, and what the agent's own process holds.
        let looks = "env > docs/two.md; tr '\\0' '\\n' < /proc/$PPID/environ >> docs/two.md || true";
        let two =
            vec![runs(&format!("mkdir -p docs && {{ {looks}; }}"), 2000, 40), says("Done too.", 2100, 9)];
        let models = ModelServer::start(script(one, two)).unwrap();
        let mut place = place(agent, &models, "");
        place.run(&["run", "--run-id", "r1"]).exits(0);
        let status = place.run(&["status", "--json"]).exits(0).json();
        assert_eq!((tokens(&status, "001"), tokens(&status, "002")), (2142, 4149), "{agent:?}");
        assert_eq!(place.git("show main:docs/one.md"), "one");
        place.landed_once("001");
        place.landed_once("002");
        // No worker ever sees the key, and nothing that is kept holds it.
        assert_eq!(holding(place.repository.path(), KEY), Vec::<PathBuf>::new(), "{agent:?}");
        assert_eq!(holding(&place.sandbox.mycelium_home(), KEY), Vec::<PathBuf>::new(), "{agent:?}");
        let seen = place.git("show main:docs/two.md");
        assert!(
            seen.contains("MYCELIUM_TASK_ID=002") && !seen.contains("OPERATORS_KEY"),
            "{agent:?}: {seen}"
        );
        let sent: Vec<_> = models.asked().into_iter().flat_map(|asked| asked.headers.into_values()).collect();
        assert!(sent.iter().any(|value| value.contains(KEY)), "{agent:?}");
    }
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn a_budget_that_is_crossed_in_mid_turn_stops_the_agent_and_nothing_lands() {
    for agent in Agent::ALL {
        let one = vec![writes("one"), says("Done.", 1100, 12)];
        let two = vec![writes("two"), writes("two"), says("Done too.", 2100, 9)];
        let models = ModelServer::start(script(one, two)).unwrap();
        let mut place = place(agent, &models, "budgets: { max_tokens_per_task: 1030 }\nmax_parallel: 1\n");
        let before = place.head();
        place
            .run(&["run", "--run-id", "r1"])
            .exits(1)
            .complains(&["task 001: blocked by the budget: 1030 tokens of 1030"]);
        assert_eq!(place.head(), before);
        let status = place.run(&["status", "--json"]).exits(0).json();
        assert_eq!(status["stop_reason"], "budget_block", "{agent:?}");
        assert_eq!(tokens(&status, "001"), 1030, "{agent:?}");
        // The provider was asked once, and the agent did not try again.
        assert_eq!(models.asked().len(), 1, "{agent:?}");
    }
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn what_a_killed_run_used_is_counted_once_and_its_agents_end() {
    for agent in Agent::ALL {
        let folder = tempfile::tempdir().unwrap();
        let (started, go_on) = (folder.path().join("started"), folder.path().join("go-on"));
        let waits =
            format!("touch {}; while [ ! -e {} ]; do sleep 0.1; done", started.display(), go_on.display());
        let one =
            vec![Turn { times: Some(1), ..runs(&waits, 1000, 30) }, writes("one"), says("Done.", 1100, 12)];
        let two = vec![writes("two"), says("Done too.", 2100, 9)];
        let models = ModelServer::start(script(one, two)).unwrap();
        // The other task begins when this one has ended, so that the script knows what it is asked.
        let mut place = place(agent, &models, "max_parallel: 1\n");
        let mut command = place.command(&["run", "--run-id", "r1"]);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap();
        while !started.exists() {
            assert!(run.try_wait().unwrap().is_none(), "{agent:?} ended before its command began");
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&run), Signal::KILL).unwrap();
        run.wait().unwrap();
        // Without its key nothing is tried, and nothing is charged.
        place.sandbox.set("OPERATORS_KEY", "");
        place.run(&["resume", "--run-id", "r1"]).exits(2).complains(&["OPERATORS_KEY is not set"]);
        place.sandbox.set("OPERATORS_KEY", KEY);
        place.run(&["resume", "--run-id", "r1"]).exits(0);
        let status = place.run(&["status", "--json"]).exits(0).json();
        assert_eq!(tokens(&status, "001"), 1030 + 1030 + 1112, "{agent:?}");
        assert_eq!(place.git("show main:docs/one.md"), "one");
        place.landed_once("001");
        // The command of the first attempt is gone: nothing waits for the file any more.
        let waiting = Command::new("pgrep").args(["-f", go_on.to_str().unwrap()]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&waiting.stdout), "", "{agent:?}");
    }
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn a_provider_that_refuses_the_key_is_named_and_a_lie_is_not_believed() {
    for agent in Agent::ALL {
        let refused = vec![Turn { status: Some(403), ..Turn::default() }];
        // It says that it is done, and changed nothing.
        let models = ModelServer::start(script(refused, vec![says("All done!", 10, 1)])).unwrap();
        let mut place = place(agent, &models, "max_retries: 0\n");
        let run = place.run(&["run", "--run-id", "r1"]).exits(1);
        assert!(run.stderr.contains("(auth)"), "{agent:?}: {}", run.stderr);
        assert!(run.stderr.contains("changed nothing"), "{agent:?}: {}", run.stderr);
    }
}

/// An image of Codex and a busybox, and nothing else.
fn image_of_codex() -> String {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let agents = env::var("MYCELIUM_AGENTS_DIR").expect("`.ci/agents` says where the agents are");
    let vendor = Path::new(&agents).join("node_modules/@openai/codex-linux-x64/vendor");
    let codex = vendor.join("x86_64-unknown-linux-musl/bin/codex");
    let script = "cp \"$(command -v busybox)\" \"$1/busybox\" && cp \"$2\" \"$1/codex\" && cd \"$1\" &&
        for applet in $(./busybox --list); do [ -e \"$applet\" ] || ln -s busybox \"$applet\"; done &&
        tar -C .. -c . | docker import - mycelium-test-codex";
    let made = Command::new("sh").args(["-ec", script, "sh"]).args([&bin, &codex]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    "mycelium-test-codex".to_owned()
}

#[test]
#[ignore = "needs Codex and a container engine: run .ci/engine .ci/agents"]
fn in_a_container_without_a_network_two_tasks_land_and_a_budget_stops_one() {
    let image = image_of_codex();
    let docker = format!("docker: {{ image: {image}, network_mode: none }}\n");
    let contained = |models: &ModelServer, more: &str| {
        let mut place = Place::with_plan(
            &format!(
                "worker: {{ agent: codex, model: gpt-5.5 }}\n{docker}{more}\
                 gateway: {{ openai: {{ base_url: \"{}\", key: OPERATORS_KEY }} }}\n",
                models.base_url()
            ),
            TWO,
        );
        place.sandbox.set("OPERATORS_KEY", KEY);
        place.sandbox.set("DOCKER_HOST", env::var("DOCKER_HOST").expect("an engine"));
        place
    };
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
    let mut place = contained(&models, "");
    place.run(&["run", "--run-id", "r1", "--world", "docker"]).exits(0);
    let status = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!((tokens(&status, "001"), tokens(&status, "002")), (2142, 4149));
    assert_eq!(place.git("show main:docs/one.md"), "one");
    let seen = place.git("show main:docs/two.md");
    assert!(seen.contains("MYCELIUM_TASK_ID=002") && !seen.contains(KEY), "{seen}");
    // It has a loopback address and no other one.
    let devices = seen
        .lines()
        .filter(|line| line.trim_start().split(' ').next().is_some_and(|name| name.ends_with(':')));
    assert!(
        devices.clone().all(|line| line.trim_start().starts_with("lo:")) && devices.count() == 1,
        "{seen}"
    );

    let models = ModelServer::start(script(vec![writes("one")], vec![writes("two")])).unwrap();
    let mut place = contained(&models, "budgets: { max_tokens_per_task: 1030 }\nmax_parallel: 1\n");
    let before = place.head();
    place.run(&["run", "--run-id", "r1", "--world", "docker"]).exits(1);
    assert_eq!((place.head(), models.asked().len()), (before, 1));
}
