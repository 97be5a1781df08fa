//! The real agents as planners and as validators: they answer in a form, and change nothing.

use std::path::PathBuf;

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Turn};
use serde_json::{Value, json};

use crate::{Agent, KEY, equip, holding, place::Place, runs, says, tokens};

const PLAN: [&str; 4] = ["plan", "--input", ".mycelium/plan.md", "--json"];
const ONE: &str = r#"{"tasks": [{"id": "001", "name": "One", "spec": "Write src/one.js.", "files": {"writes": ["src/one.js"]}}]}"#;
const USED: Tokens = Tokens { input: 1000, cached: 600, cache_write: 0, output: 50, reasoning: 0 };

fn serve(turns: Vec<Turn>) -> ModelServer {
    ModelServer::start(Script { turns, ..Script::default() }).unwrap()
}

/// A section of the configuration that asks the real agent.
fn asks(section: &str, agent: Agent, models: &ModelServer) -> String {
    let (name, model, program) = (agent.name(), agent.model(), agent.program());
    format!(
        "{section}: {{ mode: block, provider: {name}, model: {model}, program: {} }}\n{}",
        program.display(),
        agent.gateway(models)
    )
}

fn planner(agent: Agent, models: &ModelServer) -> Place {
    let config = asks("planner", agent, models).replace("mode: block", "max_repairs: 2");
    let mut place = Place::with_config(&config);
    equip(&mut place);
    place
}

/// A plan in the form that a planner is told, with a task that comes after these.
fn plan(dependencies: &[&str]) -> Value {
    let none = json!({"reads": [], "writes": []});
    json!({"tasks": [{
        "id": "001", "name": "One", "description": "", "dependencies": dependencies, "locks": none,
        "files": {"reads": [], "writes": ["docs/one.md"]}, "verify": {"doctor": null}, "spec": "Do it.",
    }]})
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn a_planner_is_told_what_is_wrong_with_its_answer_until_it_is_a_plan() {
    for agent in Agent::ALL {
        let (unformed, attempts) = match agent {
            Agent::Codex => (Turn { usage: USED, ..says("Of course!", 0, 0) }, 3),
            // It has its model keep to the form by itself.
            Agent::Claude => (agent.answers(&json!({"tasks": [{"id": "001"}]}), USED), 2),
        };
        let flawed = agent.answers(&plan(&["000"]), USED);
        let models = serve(vec![unformed, flawed, agent.answers(&plan(&[]), USED)]);
        let mut place = planner(agent, &models);
        let planned = place.run(&PLAN).exits(0).json();
        place.assert_valid("plan", &planned);
        assert_eq!((&planned["outcome"], &planned["batches"]), (&json!("written"), &json!([["001"]])));
        assert_eq!(planned["asked"]["attempts"].as_array().unwrap().len(), attempts, "{agent:?}");
        let usage = json!({
            "input_tokens": 3000, "cached_input_tokens": 1800, "output_tokens": 150, "cost_microusd": 0,
        });
        assert_eq!(planned["asked"]["usage"], usage, "{agent:?}");
        let asked = models.asked();
        let told: Vec<String> = asked.iter().map(|asked| asked.body.to_string()).collect();
        assert_eq!(told.len(), 3, "{agent:?}");
        // The form went to the model with each question.
        assert!(told.iter().all(|told| told.contains("\"dependencies\"")), "{agent:?}");
        assert!(told[2].contains("no task of the plan has the id"), "{agent:?}: {}", told[2]);
        assert!(asked.iter().all(|asked| asked.headers.values().any(|value| value.contains(KEY))));
        assert_eq!(holding(place.repository.path(), KEY), Vec::<PathBuf>::new(), "{agent:?}");
    }
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn a_planner_that_never_keeps_to_the_form_plans_nothing() {
    for (agent, turn, said) in [
        (Agent::Codex, says("Of course!", 10, 1), "the answer is not JSON"),
        (Agent::Claude, says("Of course!", 10, 1), "claude did not answer in the form"),
        (Agent::Claude, Agent::Claude.answers(&json!({"tasks": 1}), USED), "valid structured output"),
    ] {
        let models = serve(vec![turn]);
        let mut place = planner(agent, &models);
        // It is the answer's fault, and nobody's who could be asked again later.
        place.run(&PLAN[..3]).exits(2).complains(&[said]);
        assert!(!place.repository.path().join(".mycelium/tasks").exists());
    }
}

#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn a_validator_decides_by_its_report_and_without_one_nothing_lands() {
    let report = |pass: bool, summary: &str| json!({"pass": pass, "summary": summary, "issues": []});
    for agent in Agent::ALL {
        let unreadable = match agent {
            Agent::Codex => ("is not one report", 1050),
            // It reminds its model of the form once.
            Agent::Claude => ("claude did not answer in the form", 2100),
        };
        let refused = Turn { status: Some(403), ..Turn::default() };
        for (turn, said, used, is_error) in [
            (agent.answers(&report(true, "well tested"), USED), None, 1050, false),
            (agent.answers(&report(false, "no test"), USED), Some("no test"), 1050, false),
            (Turn { usage: USED, ..says("looks good", 0, 0) }, Some(unreadable.0), unreadable.1, true),
            (refused, Some("(auth)"), 0, true),
        ] {
            let models = serve(vec![turn]);
            let config = asks("test_validator", agent, &models) + "max_retries: 0\n";
            let mut place = Place::with_plan(&config, ONE);
            equip(&mut place);
            let before = place.head();
            let run = place.run(&["run", "--run-id", "r1"]);
            let status = place.run(&["status", "--json"]).exits(0).json();
            let told = models.asked()[0].body.to_string();
            assert!(told.contains("diff --git a/src/one.js b/src/one.js"), "{agent:?}: {told}");
            if used > 0 {
                assert_eq!(tokens(&status, "001"), used, "{agent:?}");
                assert_eq!(status["validators"]["test"], status["tasks"]["001"]["usage"], "{agent:?}");
            }
            let Some(said) = said else {
                run.exits(0);
                place.landed_once("001");
                continue;
            };
            run.exits(1).complains(&[said]);
            assert_eq!(place.head(), before, "{agent:?}: {said}");
            assert_eq!(status["stop_reason"], "validator_block", "{agent:?}: {said}");
            let blocked = place.run(&["logs", "--type", "validator.block", "--json"]).exits(0).stdout;
            assert!(blocked.contains(&format!("\"error\":{is_error}")), "{agent:?}: {blocked}");
        }
    }
}

/// Codex alone has tools while it answers.
#[test]
#[ignore = "needs the real agents: run .ci/agents"]
fn a_validator_may_look_around_and_what_it_changes_does_not_land() {
    let report = json!({"pass": true, "summary": "well tested", "issues": []});
    let looks = runs("cat src/one.js; echo changed >> src/one.js; env", 100, 10);
    let models = serve(vec![looks, Agent::Codex.answers(&report, USED)]);
    let mut place = Place::with_plan(&asks("test_validator", Agent::Codex, &models), ONE);
    equip(&mut place);
    place.run(&["run", "--run-id", "r1"]).exits(0);
    let seen = models.asked()[1].body.to_string();
    assert!(seen.contains("MYCELIUM_TASK_ID=001") && !seen.contains("OPERATORS_KEY"), "{seen}");
    assert_eq!(place.git("show main:src/one.js"), "001");
    let status = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!(tokens(&status, "001"), 110 + 1050);
}
