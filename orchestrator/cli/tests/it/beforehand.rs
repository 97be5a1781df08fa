//! What nothing begins without: programs, versions, keys, cassettes. `run` and `plan` refuse with every problem at the place
//! of its key, and `doctor` says the same before.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use crate::{place::Place, plans::ONE};

const KEY: &str = "sk-the-operators-own-key-0123456789";
const PLAN: [&str; 3] = ["plan", "--input", ".mycelium/plan.md"];

/// A program that says its version, as agents do.
fn agent(folder: &Path, name: &str, version: &str) -> String {
    let program = folder.join(name);
    fs::write(&program, format!("#!/bin/sh\necho '{version}'\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}

/// The place of a value in the configuration.
fn place_of(config: &str, value: &str) -> String {
    let (line, column) = (1..)
        .zip(config.lines())
        .find_map(|(line, text)| Some((line, text.find(&format!(": {value}"))?)))
        .unwrap();
    format!(".mycelium/config.yaml:{line}:{}", column + 3)
}

fn checks(found: &Value) -> Vec<[String; 4]> {
    let checks = found["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks.map(|check| ["name", "status", "message", "mend"].map(|key| text(&check[key]))).collect()
}

/// Each configuration with the command that refuses it, the key that is to blame, and why.
#[expect(clippy::too_many_lines, reason = "one row a key, in one table")]
#[test]
fn a_problem_names_the_place_of_its_key_and_doctor_says_the_same() {
    let place = Place::new();
    let folder = place.outside();
    let old = agent(&folder, "old", "codex-cli 0.77.0");
    let mute = agent(&folder, "mute", "hello");
    let no_program = agent(&folder, "no-program", "").replace("no-program", "script");
    fs::write(&no_program, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&no_program, fs::Permissions::from_mode(0o755)).unwrap();
    let text = folder.join("text");
    fs::write(&text, "no program").unwrap();
    let text = text.display();
    let keyless = "gateway: { openai: { base_url: \"http://127.0.0.1:9\" }, anthropic: { base_url: \"http://127.0.0.1:9\" } }";
    let keyed = "gateway: { openai: { base_url: \"http://127.0.0.1:9\", key: UNSET_KEY } }";
    let codex = agent(&folder, "codex-cli", "codex-cli 0.169.0");
    let worker = format!("worker: {{ agent: codex, model: m1, program: {codex} }}");
    let run: &[&str] = &["run"];
    let docker: &[&str] = &["run", "--world", "docker"];
    for (command, config, key, why, mend) in [
        (
            run,
            format!("worker: {{ agent: codex, model: m1, program: /no/such }}\n{keyless}"),
            "/no/such",
            "the agent /no/such is not there, or may not be executed",
            "npm install -g @openai/codex@",
        ),
        (
            run,
            format!("worker: {{ agent: codex, model: m1, program: {text} }}\n{keyless}"),
            &*text.to_string(),
            "is not there, or may not be executed",
            "npm install",
        ),
        (
            run,
            format!("worker: {{ agent: codex, model: m1, program: {no_program} }}\n{keyless}"),
            &*no_program,
            "cannot be started: No such file",
            "npm install",
        ),
        (
            run,
            format!("worker: {{ agent: codex, model: m1, program: {old} }}\n{keyless}"),
            &*old,
            "is codex 0.77.0; tested are 0.100.0 to",
            "npm install",
        ),
        (
            run,
            format!("worker: {{ agent: codex, model: m1, program: {mute} }}\n{keyless}"),
            &*mute,
            "does not say which version of codex it is",
            "set `program`",
        ),
        (
            run,
            format!("worker: {{ model: m1, agent: claude, program: no-such-agent }}\n{keyless}"),
            "no-such-agent",
            "no folder of PATH holds it",
            "npm install -g @anthropic-ai/claude-code@",
        ),
        (run, worker.clone(), "codex", "OPENAI_API_KEY is not set", "set the variable"),
        (run, format!("{worker}\n{keyed}"), "UNSET_KEY", "UNSET_KEY is not set", "set the variable"),
        (
            run,
            format!("style_validator: {{ mode: warn, provider: compatible, model: m1 }}\n{keyed}"),
            "UNSET_KEY",
            "UNSET_KEY is not set",
            "set the variable",
        ),
        (
            run,
            "style_validator: { mode: warn, model: m1, provider: anthropic }".to_owned(),
            "anthropic",
            "ANTHROPIC_API_KEY is not set",
            "set the variable",
        ),
        (
            run,
            format!(
                "test_validator: {{ mode: warn, model: m1, provider: codex, program: {old} }}\n{keyless}"
            ),
            &*old,
            "is codex 0.77.0",
            "npm install",
        ),
        (
            run,
            format!("{worker}\ngateway: {{ replay: first-try }}"),
            "first-try",
            "there is no cassette",
            "record it first",
        ),
        (
            run,
            format!("{worker}\ngateway: {{ record: whole }}"),
            "whole",
            "is whole and is not recorded over",
            "replay it",
        ),
        (run, "worker: { agent: codex }".to_owned(), "codex", "needs `worker.model`", "add for example"),
        (
            run,
            "worker: { agent: codex, model: \"\" }".to_owned(),
            "\"\"",
            "`worker.model` is empty",
            "write it like",
        ),
        (
            run,
            "gateway: { openai: { base_url: models.internal } }".to_owned(),
            "models.internal",
            "no address of http or https",
            "write it like",
        ),
        (
            run,
            "style_validator: { mode: warn, provider: openai }".to_owned(),
            "openai",
            "needs `style_validator.model`",
            "add for example",
        ),
        (
            docker,
            format!("{worker}\n{keyless}\ndocker: {{ image: nothing, network_mode: host }}"),
            "host",
            "`host` is no network of a container's own",
            "set `none`",
        ),
        (
            &PLAN,
            "planner: { provider: openai, model: m1 }".to_owned(),
            "openai",
            "OPENAI_API_KEY is not set",
            "set the variable",
        ),
        (
            &PLAN,
            format!("planner: {{ provider: codex, model: m1, program: {old} }}\n{keyless}"),
            &*old,
            "is codex 0.77.0",
            "npm install",
        ),
        (
            &PLAN,
            "planner: { provider: claude }".to_owned(),
            "claude",
            "needs `planner.model`",
            "add for example",
        ),
        (
            &PLAN,
            "planner: { provider: openai, model: m1 }\ngateway: { replay: first-try }".to_owned(),
            "first-try",
            "there is no cassette",
            "record it first",
        ),
    ] {
        let mut place = Place::with_plan("", ONE);
        if command == PLAN {
            fs::remove_dir_all(place.repository.path().join(".mycelium/tasks")).unwrap();
        }
        let cassette = place.repository.path().join(".mycelium/cassettes/whole");
        fs::create_dir_all(&cassette).unwrap();
        fs::write(
            cassette.join("run.jsonl"),
            "{\"type\":\"begin\",\"v\":1}\n{\"type\":\"end\",\"interactions\":0}\n",
        )
        .unwrap();
        let config = place.read(".mycelium/config.yaml") + &config + "\n";
        place.write(".mycelium/config.yaml", &config);
        let at = place_of(&config, key);
        place.run(command).exits(2).complains(&[&format!(" --> {at}\n"), why, mend]);
        assert!(!place.ran(), "{config}");
        let doctor = if command == docker {
            &["doctor", "--json", "--world", "docker"][..]
        } else {
            &["doctor", "--json"]
        };
        let found = place.run(doctor);
        // Containers are asked about, and there may be no engine here.
        assert!(found.code == 2 || command == docker, "{found:#?}");
        let found = checks(&found.json());
        let same = |[_, status, message, help]: &&[String; 4]| {
            status == "fail"
                && message.starts_with(&format!("{at}: "))
                && message.contains(why)
                && help.contains(mend)
        };
        assert!(found.iter().any(|check| same(&check)), "{at} {why}: {found:#?}");
    }
}

#[test]
fn every_problem_is_found_at_once_and_no_key_is_shown() {
    let mut place = Place::with_plan("", ONE);
    let old = agent(&place.outside(), "old", "codex-cli 0.77.0");
    let config = format!(
        "{}planner: {{ provider: anthropic, model: m3 }}\n\
             worker: {{ agent: codex, model: m1, program: {old} }}\n\
             test_validator: {{ mode: block, provider: claude, model: m2, program: no-such-agent }}\n\
             architecture_validator: {{ mode: warn, provider: openai, model: m4 }}\n\
             style_validator: {{ provider: openai, model: m5, program: nobody }}\n",
        place.read(".mycelium/config.yaml")
    );
    place.write(".mycelium/config.yaml", &config);
    place.sandbox.set("OPENAI_API_KEY", KEY);
    let refused = place.run(&["run"]).exits(2).complains(&[
        &place_of(&config, &old),
        "is codex 0.77.0",
        &place_of(&config, "no-such-agent"),
        "no-such-agent is not installed",
        &place_of(&config, "claude"),
        "ANTHROPIC_API_KEY is not set",
        "3 problems in the input",
    ]);
    let found = place.run(&["doctor", "--json"]).exits(2).json();
    place.assert_valid("doctor", &found);
    let mut failed: Vec<[String; 2]> = Vec::new();
    for [name, status, message, mend] in checks(&found) {
        assert!(status == "ok" || !mend.is_empty(), "{name}: {message}");
        let is_somebody = ["worker", "planner", "validator", "cassette"].iter().any(|who| name.contains(who));
        if status != "ok" && is_somebody {
            failed.push([name, status]);
        }
    }
    let expected = [
        ["worker", "fail"],
        ["test validator", "fail"],
        ["test validator's model", "fail"],
        // There is a plan: a run works without another one.
        ["planner", "warn"],
    ];
    assert_eq!(failed, expected, "{found:#}");
    let said = checks(&found).concat().join("\n");
    assert!(said.contains("m4 at https://api.openai.com, with the key in OPENAI_API_KEY"), "{said}");
    assert!(!said.contains(KEY) && !refused.stderr.contains(KEY));
    assert!(
        !said.contains("nobody") && !said.contains("m5"),
        "a validator that is off was looked at: {said}"
    );
}

#[test]
fn whoever_can_be_asked_is_named_and_a_newer_version_is_warned_of_and_tried() {
    let mut place = Place::with_plan("", ONE);
    let folder = place.outside();
    let (new, codex) =
        (agent(&folder, "new", "codex-cli 0.999.0"), agent(&folder, "fine", "codex-cli 0.169.0"));
    let config = place.read(".mycelium/config.yaml");
    let write = |place: &Place, program: &str, more: &str| {
        let config = format!(
            "{config}max_retries: 0\nworker: {{ agent: codex, model: m1, program: {program} }}\ngateway: {{ {more}openai: {{ base_url: \"http://127.0.0.1:9\" }} }}\n"
        );
        place.write(".mycelium/config.yaml", &config);
    };
    write(&place, &codex, "record: first-try, ");
    let found = checks(&place.run(&["doctor", "--json"]).exits(0).json());
    let said = |name: &str| found.iter().find(|check| check[0] == name).map(|check| [&*check[1], &*check[2]]);
    assert_eq!(said("worker"), Some(["ok", &*format!("codex 0.169.0, {codex}")]));
    assert_eq!(said("worker's model"), Some(["ok", "m1 at http://127.0.0.1:9, without a key"]));
    let cassette = "recorded to .mycelium/cassettes/first-try/run.jsonl";
    assert_eq!(said("cassette of the run"), Some(["ok", cassette]));
    assert!(!place.repository.path().join(".mycelium/cassettes").exists(), "a check wrote something");
    write(&place, &new, "");
    let found = checks(&place.run(&["doctor", "--json"]).exits(0).json());
    let worker = found.iter().find(|check| check[0] == "worker").unwrap();
    assert!(worker[1] == "warn" && worker[3].contains("@openai/codex@"), "{worker:?}");
    assert!(worker[2].starts_with("codex 0.999.0 is newer than the tested ones (0.100.0 to "), "{worker:?}");
    // The same words from the run, which tries it.
    let ran = place.run(&["run", "--run-id", "r1"]).exits(1);
    assert!(ran.stderr.contains(&worker[2]), "{ran:#?}");
}
