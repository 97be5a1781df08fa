//! What the real agents are told again from a cassette.

use std::{env, fs};

use mycelium_fixtures::models::ModelServer;

use crate::{Agent, KEY, TWO, equip, place::Place, runs, says, script, tokens, writes};

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn what_was_recorded_is_repeated_elsewhere_with_the_model_gone_and_without_a_key() {
    for agent in Agent::ALL {
        // What a command prints differs each time, and is sent to the model with the next request.
        let looks = "mkdir -p docs && echo one > docs/one.md && date && pwd && ls -la . && git log -1 && echo $$ $RANDOM";
        let one = vec![runs(looks, 1000, 30), says("Done.", 1100, 12)];
        let two = vec![runs("false", 900, 20), writes("two"), says("Done too.", 2100, 9)];
        let models = ModelServer::start(script(one, two)).unwrap();
        let gateway = agent.gateway(&models);
        let configured = |tape: &str| {
            let (name, model, program) = (agent.name(), agent.model(), agent.program());
            format!("worker: {{ agent: {name}, model: {model}, program: {} }}\n", program.display())
                + &gateway.replace("gateway: {", &format!("gateway: {{ {tape}: first,"))
        };
        let mut recorded = Place::with_plan(&configured("record"), TWO);
        equip(&mut recorded);
        recorded.run(&["run", "--run-id", "r1"]).exits(0);
        assert_eq!(models.asked().len(), 5, "{agent:?}");
        drop(models);
        let mut place = Place::with_plan(&configured("replay"), TWO);
        place.sandbox.set("PATH", env::var("PATH").unwrap());
        let folder = ".mycelium/cassettes/first";
        fs::create_dir_all(place.repository.path().join(folder)).unwrap();
        let cassette = recorded.read(&format!("{folder}/run.jsonl"));
        assert!(!cassette.contains(KEY) && !cassette.contains("Write docs"), "{agent:?}");
        place.write(&format!("{folder}/run.jsonl"), &cassette);
        place.run(&["run", "--run-id", "r2"]).exits(0);
        let [before, after] = [&mut recorded, &mut place].map(|place| {
            let status = place.run(&["status", "--json"]).exits(0).json();
            (tokens(&status, "001"), tokens(&status, "002"), place.git("rev-parse main^{tree}"))
        });
        assert_eq!((before.0, before.1), (2142, 920 + 1030 + 2109), "{agent:?}");
        assert_eq!(after, before, "{agent:?}");
        // Another task is another question.
        let mut other =
            Place::with_plan(&configured("replay"), &TWO.replace("Write docs/two.md", "Paint docs/two.md"));
        other.sandbox.set("PATH", env::var("PATH").unwrap());
        fs::create_dir_all(other.repository.path().join(folder)).unwrap();
        other.write(&format!("{folder}/run.jsonl"), &cassette);
        let head = other.head();
        other.run(&["run", "--run-id", "r3"]).exits(4).complains(&[
            "request 1 of the agent of task 002, attempt 1",
            "Paint docs/two.md",
            "is not in the cassette",
        ]);
        assert_eq!(other.head(), head, "{agent:?}");
    }
}
