//! The real agents as workers of a run.

use std::{
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use mycelium_fixtures::models::{ModelServer, Turn};
use rustix::process::{Pid, Signal, kill_process};

use crate::{Agent, KEY, TWO, equip, holding, place::Place, runs, says, script, tokens, writes};

fn place(agent: Agent, models: &ModelServer, more: &str) -> Place {
    let (name, model, program) = (agent.name(), agent.model(), agent.program());
    let program = program.display();
    let worker = format!("worker: {{ agent: {name}, model: {model}, program: {program} }}\n");
    let mut place = Place::with_plan(&(worker + &agent.gateway(models) + more), TWO);
    equip(&mut place);
    place
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn two_tasks_land_and_every_token_is_counted() {
    for agent in Agent::ALL {
        let one = vec![writes("one"), says("Done.", 1100, 12)];
        // What of the environment a command can see, and what the agent's own process holds.
        let looks = "env > docs/two.md; tr '\\0' '\\n' < /proc/$PPID/environ >> docs/two.md || true; \
                     { printf 'called: '; tr '\\0' ' ' < /proc/$PPID/cmdline; echo; } >> docs/two.md";
        let two =
            vec![runs(&format!("mkdir -p docs && {{ {looks}; }}"), 2000, 40), says("Done too.", 2100, 9)];
        let models = ModelServer::start(script(one, two)).unwrap();
        let mut place = place(agent, &models, "");
        let ran = place.run(&["run", "--run-id", "r1"]).exits(0);
        let status = place.run(&["status", "--json"]).exits(0).json();
        assert_eq!((tokens(&status, "001"), tokens(&status, "002")), (2142, 4149), "{agent:?}");
        // They count the same.
        assert!(!ran.stderr.contains("the gateway counted"), "{agent:?}: {}", ran.stderr);
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
        // Nor does its address stand where every user of the machine may read it.
        let called = seen.lines().find(|line| line.starts_with("called: ")).unwrap();
        assert!(called.contains(agent.model()) && !called.contains("127.0.0.1"), "{agent:?}: {called}");
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
fn a_killed_agent_goes_on_with_its_conversation_and_what_it_used_is_counted_once() {
    for agent in Agent::ALL {
        let folder = tempfile::tempdir().unwrap();
        let (started, go_on) = (folder.path().join("started"), folder.path().join("go-on"));
        let waits = format!(
            "mkdir -p docs && echo half > docs/one.md; touch {}; while [ ! -e {} ]; do sleep 0.1; done",
            started.display(),
            go_on.display()
        );
        let other_half = "grep -qx half docs/one.md && echo other-half >> docs/one.md";
        let one = vec![
            Turn { times: Some(1), ..runs(&waits, 1000, 30) },
            runs(other_half, 1000, 30),
            says("Done.", 1100, 12),
        ];
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
        place.run(&["resume", "--run-id", "r1"]).exits(2).complains(&["OPERATORS_KEY is empty"]);
        place.sandbox.set("OPERATORS_KEY", KEY);
        let resumed = place.run(&["resume", "--run-id", "r1"]).exits(0);
        resumed.complains(&["task 001: goes on with the conversation of attempt 1"]);
        let status = place.run(&["status", "--json"]).exits(0).json();
        assert_eq!(tokens(&status, "001"), 1030 + 1030 + 1112, "{agent:?}");
        assert_eq!(place.git("show main:docs/one.md"), "half\nother-half");
        place.landed_once("001");
        // The conversation so far is in what it asks when it goes on, and is not asked for again.
        let asked: Vec<String> = models.asked().iter().map(|asked| asked.body.to_string()).collect();
        let of_one: Vec<&String> = asked.iter().filter(|asked| asked.contains("docs/one.md")).collect();
        assert_eq!(of_one.len(), 3, "{agent:?}");
        for earlier in ["echo half > docs/one.md", "You were interrupted", "Write docs/one.md."] {
            assert!(of_one[1].contains(earlier), "{agent:?} does not say {earlier:?}: {}", of_one[1]);
        }
        assert!(!of_one[0].contains("You were interrupted"), "{agent:?}");
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
