//! No secret is written or said: every command of a run prints its secret in every spelling, and afterwards it stands
//! nowhere.

use std::{collections::BTreeSet, fs, path::Path};

use crate::place::{Done, Place};

/// With characters that every encoding spells in another way.
const VALUE: &str = "hunter2 & \"more\" /9?";

/// The value as it is, and as other programs spell it; made by hand and not by the code under test.
const SPELLINGS: [&str; 8] = [
    VALUE,
    "aHVudGVyMiAmICJtb3JlIiAvOT8=",
    // Behind one byte and behind two.
    "h1bnRlcjIgJiAibW9yZSIgLzk/",
    "odW50ZXIyICYgIm1vcmUiIC85P",
    "hunter2%20%26%20%22more%22%20%2F9%3F",
    "hunter2+%26+%22more%22+%2F9%3F",
    r#"hunter2 & \"more\" /9?"#,
    r#"hunter2 & \\\"more\\\" /9?"#,
];

/// A key that no configuration names; torn, so that this file holds none.
fn shape() -> String {
    ["gh", "p_", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ0bC2eF4hJ6"].concat()
}

/// Prints every spelling, in whole lines and in pieces, and an event that holds the value as text and key.
const LEAK: &str = r#"#!/bin/sh
while IFS= read -r line; do echo "leak $line"; echo "leak $line" >&2; done < "$LEAKS"
printf '%s' "$LEAK_TOKEN" | cut -c1-7 | tr -d '\n'; printf '%s' "$LEAK_TOKEN" | cut -c8-
printf '{"type":"note","hunter2 & \\"more\\" /9?":["hunter2 & \\"more\\" /9?"]}\n'
"#;

const TASK: &str = r#"{"tasks": [{"id": "001", "name": "One", "files": {"writes": ["src/one.js"]}, "spec": "One.", "verify": {"doctor": "sh \"$LEAK\""}}]}"#;

/// A project all of whose commands leak. `agent` is what the agent does besides.
fn leaking(agent: &str, doctor: &str, more: &str) -> Place {
    let mut place = Place::with_config("");
    let outside = place.outside();
    let (leak, leaks) = (outside.join("leak.sh"), outside.join("leaks"));
    fs::write(&leak, LEAK).unwrap();
    fs::write(&leaks, SPELLINGS.join("\n") + "\n" + &shape() + "\n").unwrap();
    let run = |name: &str, text: &str| {
        fs::write(outside.join(name), format!("sh \"$LEAK\"\n{text}\n")).unwrap();
        format!("'sh {}'", outside.join(name).display())
    };
    let agent = run("agent", agent);
    let report = r#"sh "$LEAK" >&2; printf '{"pass": true, "summary": "hunter2 & \\"more\\" /9?", "issues": [{"message": "%s"}]}' "$SHAPE""#;
    fs::write(outside.join("validate"), report).unwrap();
    let validate = format!("'sh {}'", outside.join("validate").display());
    place.write(".mycelium/doctor.sh", &format!("#!/bin/sh\nsh \"$LEAK\"\n{doctor}\n"));
    place.write(
        ".mycelium/config.yaml",
        &format!(
            "integration_branch: main\ndoctor: .mycelium/doctor.sh\nmax_retries: 0\nbootstrap: ['sh \"$LEAK\"']\nworker: {{ agent: command, command: {agent}, env: [LEAK, LEAKS, SHAPE, LEAK_TOKEN] }}\ntest_validator: {{ mode: block, provider: command, command: {validate} }}\n{more}"
        ),
    );
    place.sandbox.set("LEAK", leak);
    place.sandbox.set("LEAKS", leaks);
    place.sandbox.set("LEAK_TOKEN", VALUE);
    place.sandbox.set("SHAPE", shape());
    place.sandbox.set("MOCK_LLM_OUTPUT", TASK);
    place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
    place
}

/// Every file below a folder with its content, names first.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

/// Asserts that nothing secret stands in the run's folder and in what was said. Gives the names of the files.
#[track_caller]
fn assert_clean(place: &Place, said: &[&Done]) -> BTreeSet<String> {
    let mut found = Vec::new();
    files(&place.sandbox.mycelium_home(), &mut found);
    let names =
        found.iter().map(|(path, _)| path.rsplit('/').next().unwrap_or_default().to_owned()).collect();
    for done in said {
        found.push(("stdout".to_owned(), done.stdout.clone().into_bytes()));
        found.push(("stderr".to_owned(), done.stderr.clone().into_bytes()));
    }
    let shape = shape();
    for secret in SPELLINGS.iter().copied().chain([shape.as_str()]) {
        for (path, content) in &found {
            let held = content.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!held, "{path} holds {secret}: {}", String::from_utf8_lossy(content));
        }
    }
    names
}

#[test]
fn no_artifact_and_no_output_of_a_landed_run_holds_a_secret() {
    let mut place = leaking("mkdir -p src; echo \"$LEAK_TOKEN $SHAPE\" > src/one.js", "", "");
    let spec = place.repository.path().join(".mycelium/tasks/001-one/spec.md");
    fs::write(&spec, format!("Use {VALUE} and {}.\n", shape())).unwrap();
    let run = place.run(&["run", "--run-id", "r", "-vv"]).exits(0).complains(&[
        "the secret LEAK_TOKEN was kept out of tasks/001/attempt-1/agent.log",
        "the secret github-token was kept out of tasks/001/attempt-1/diff.patch",
        "the secret LEAK_TOKEN was kept out of landing/1/doctor.log",
    ]);
    let status = place.run(&["status", "--json"]).exits(0);
    let names = assert_clean(&place, &[&run, &status]);
    for artifact in [
        "agent.log",
        "bootstrap-1.log",
        "verify.log",
        "validator-test.log",
        "validator-test.json",
        "doctor.log",
        "events.jsonl",
        "diff.patch",
        "spec.md",
        "plan.snapshot.json",
        "orchestrator.jsonl",
        "state.json",
    ] {
        assert!(names.contains(artifact), "{artifact} is not there: {names:?}");
    }
    // The work is the agent's and lands as it is.
    let landed = place.read("src/one.js");
    assert_eq!(landed, format!("{VALUE} {}\n", shape()));
    let json = status.json();
    let dir = Path::new(json["paths"]["run_dir"].as_str().unwrap());
    let log = fs::read_to_string(dir.join("tasks/001/attempt-1/agent.log")).unwrap();
    assert!(log.contains("leak [redacted:LEAK_TOKEN]\n"), "{log}");
    let spec = fs::read_to_string(dir.join("tasks/001/attempt-1/spec.md")).unwrap();
    assert_eq!(spec, "Use [redacted:LEAK_TOKEN] and [redacted:github-token].\n");
}

#[test]
fn reasons_and_errors_hold_no_secret() {
    let rejecting = "test_validator: { mode: block, provider: command, command: 'printf \"{\\\"pass\\\": false, \\\"summary\\\": \\\"%s\\\"}\" \"$SHAPE\"' }\n";
    let mut place = leaking("mkdir -p src; echo x > src/one.js", "exit 1", "");
    let config = place.read(".mycelium/config.yaml");
    let (kept, _) = config.split_once("test_validator").unwrap();
    place.write(".mycelium/config.yaml", &format!("{kept}{rejecting}"));
    let run = place.run(&["run", "--run-id", "blocked"]).exits(1).complains(&["[redacted:github-token]"]);
    // The reason of the failure names a file that is named like a key.
    place.write(
        ".mycelium/config.yaml",
        &format!("{kept}bootstrap: [': > \"$SHAPE\"']\n").replacen("bootstrap", "#", 1),
    );
    let failed = place.run(&["run", "--run-id", "failed"]).exits(1).complains(&["[redacted:github-token]"]);
    let json = place.run(&["status", "--run-id", "failed", "--json"]).exits(0);
    assert!(json.stdout.contains("bootstrap changed [redacted:github-token]"), "{json:#?}");
    // The request itself is what the error is about.
    let unknown = place.run(&["run", "--tasks", &shape()]).exits(2).complains(&["[redacted:github-token]"]);
    assert_clean(&place, &[&run, &failed, &json, &unknown]);
}

#[test]
fn what_a_run_keeps_unchanged_must_not_hold_a_value() {
    for (more, doctor, said) in [
        ("secrets: [OTHER]\nplanner: { model: other-secret }\n", "", "config.yaml holds the value of OTHER"),
        (
            "secrets: [OTHER]\n",
            "echo other-secret",
            "the doctor .mycelium/doctor.sh holds the value of OTHER",
        ),
    ] {
        let mut place = leaking("true", doctor, more);
        place.sandbox.set("OTHER", "other-secret");
        let run = place.run(&["run"]).exits(2).complains(&[said]);
        assert!(!run.stderr.contains("other-secret"), "{run:#?}");
        assert!(!place.ran());
    }
}

#[test]
fn a_key_in_the_configuration_is_refused_with_its_place() {
    let key = shape();
    let long = "x".repeat(100);
    for (more, label) in [
        (format!("planner: {{ model: {key} }}\n"), "`planner.model` in the configuration"),
        (format!("# {long} {key}{long}\n"), "the configuration"),
    ] {
        let mut place = leaking("true", "", &more);
        let run = place.run(&["run"]).exits(2).complains(&[
            label,
            "holds what looks like a secret (github-token)",
            ".mycelium/config.yaml:7:",
            "worker.env",
        ]);
        assert!(!place.ran());
        assert!(!run.stderr.contains(&key[..20]), "{run:#?}");
    }
}

#[test]
fn what_is_called_a_secret_later_is_not_shown_either() {
    let note = r#"printf '{"type":"note","text":"told & later"}\n'"#;
    let mut place = leaking(&format!("mkdir -p src; echo x > src/one.js; {note}"), "", "");
    place.run(&["run", "--run-id", "r"]).exits(0);
    let shown = |place: &mut Place, words: &[&str]| place.run(&[&["logs"], words].concat()).exits(0).stdout;
    for words in [&["--type", "agent.event"] as &[&str], &["--json", "--type", "agent.event"]] {
        assert!(shown(&mut place, words).contains("told & later"), "{words:?}");
    }
    place.sandbox.set("LATER", "told & later");
    let config = place.read(".mycelium/config.yaml");
    place.write(".mycelium/config.yaml", &format!("{config}secrets: [LATER]\n"));
    for words in [&["--type", "agent.event"] as &[&str], &["--json", "--type", "agent.event"]] {
        let shown = shown(&mut place, words);
        assert!(shown.contains("[redacted:LATER]") && !shown.contains("told & later"), "{shown}");
    }
    let events: serde_json::Value = serde_json::from_str(&shown(&mut place, &["--json"])).unwrap();
    place.assert_valid("logs", &events);
}

#[test]
fn a_secret_that_cannot_be_redacted_is_told() {
    let mut place = leaking("mkdir -p src; echo x > src/one.js", "", "secrets: [SHORT, GONE]\n");
    place.sandbox.set("SHORT", "12345");
    place.run(&["run"]).exits(0).complains(&[
        "the secret SHORT has fewer than 6 bytes, so it is not redacted",
        "the secret GONE is not set, so it is not redacted",
    ]);
}
