//! Runs of parts, runs again, and runs made one.

use std::fs;

use mycelium_accept::runner::OutLock;
use serde_json::Value;

use crate::checkout::{Checkout, FEATURE};

/// Passes where `status` is asked, and fails where `resume` is.
const HALF: &str = "case \"$*\" in *resume*) exit 9;; esac; exit 0";
const MANY: usize = 7;

/// A checkout with many scenarios, of which one fails under [`HALF`].
fn checkout() -> Checkout {
    let checkout = Checkout::new();
    checkout.program(HALF);
    let (head, scenario) = FEATURE.split_at(FEATURE.find("  Scenario").unwrap());
    let scenarios: Vec<String> = (0..MANY)
        .map(|n| {
            let command = if n == 3 { "mycelium resume" } else { "mycelium status" };
            scenario.replace("it says so", &format!("number {n}")).replace("mycelium status", command)
        })
        .collect();
    checkout.write("features/tier1/G1.3-a-run-executes.feature", &(head.to_owned() + &scenarios.join("\n")));
    checkout
}

fn names(json: &Value) -> Vec<String> {
    let scenarios = json["scenarios"].as_array().unwrap();
    let mut names: Vec<String> =
        scenarios.iter().map(|scenario| scenario["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn shards_are_a_partition_and_merge_to_the_whole_run() {
    let checkout = checkout();
    let whole = checkout.accept("run --bin program --out whole --json");
    let mut found = Vec::new();
    for index in 1..=3 {
        let answer = checkout.accept(&format!("run --bin program --out s{index} --shard {index}/3 --json"));
        let part = names(&answer.json());
        assert!((2..=3).contains(&part.len()), "{part:?}");
        found.extend(part);
    }
    found.sort();
    assert_eq!(found, names(&whole.json()));
    let answer = checkout.accept("merge s1 s2 s3 --out merged --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(answer.json()["partial"], serde_json::json!([]));
    assert!(checkout.path("merged/kept").read_dir().unwrap().next().is_some(), "the failed folder is kept");
    assert_eq!(matrix(&checkout, "merged"), matrix(&checkout, "whole"));
    let gates = |out: &str| checkout.accept(&format!("gate --out {out} --bin program --json"));
    let (whole, merged) = (gates("whole"), gates("merged"));
    assert_eq!((merged.code, merged.json()), (whole.code, whole.json()));
    let part = gates("s1").json().to_string();
    assert!(part.contains("shard 1/3"), "{part}");
}

/// The matrix without what two runs of the same never share: durations, and evidence that names the run's own folders.
fn matrix(checkout: &Checkout, out: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in
                    ["duration_nanos", "sha256", "bytes", "actual_digest", "seed", "started", "finished"]
                {
                    map.remove(key);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::String(text) if text.contains("/scenario-") => text.clear(),
            _ => {}
        }
    }
    let text = fs::read_to_string(checkout.path(out).join("matrix.json")).unwrap();
    let mut matrix = serde_json::from_str(&text).unwrap();
    strip(&mut matrix);
    matrix
}

#[test]
fn what_is_no_whole_is_said_or_refused() {
    let checkout = checkout();
    for index in 1..=2 {
        checkout.accept(&format!("run --bin program --out s{index} --shard {index}/3"));
    }
    let answer = checkout.accept("merge s1 s2 --out merged --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(answer.json()["partial"], serde_json::json!(["shard 3/3 of mock is missing"]));
    let refused = |arguments: &str, why: &str| {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains(why), "{arguments}: {}", answer.err);
    };
    checkout.accept("run --bin program --out again --shard 2/3");
    refused("merge s1 s2 again --out merged", "\" in mock: s2 and again");
    refused("merge s1 none --out merged", "no results at");
    refused("merge s1 s2 --out s1", "s1 and s1, one of the runs to merge");
    refused("run --bin program --shard 4/3", "no shard");
    checkout.program(&format!("{HALF} # another program"));
    checkout.accept("run --bin program --out other --shard 3/3");
    refused("merge s1 s2 other --out merged", "different programs");
    checkout.program(HALF);
    checkout.change("it says so", "it says more");
    checkout.accept("run --bin program --out other");
    refused("merge s1 s2 other --out merged", "different features");
    checkout.write("s1/messages.ndjson", "{}\n");
    refused("merge s1 s2 --out merged", "not a whole stream");
}

#[test]
fn half_of_a_lane_and_half_of_another_are_no_whole() {
    let checkout = checkout();
    checkout.change("@mock", "@mock @docker");
    for (out, more) in [("mock", "--shard 1/2"), ("docker", "--world docker --shard 2/2")] {
        let mut command = checkout.command(&format!("run --bin program --out {out} {more}"));
        command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env_remove("RUN_DOCKER_TESTS");
        command.output().unwrap();
    }
    let answer = checkout.accept("merge mock docker --out merged --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let missing = serde_json::json!(["shard 1/2 of docker is missing", "shard 2/2 of mock is missing"]);
    assert_eq!(answer.json()["partial"], missing);
}

#[test]
fn many_missing_shards_are_counted_and_not_listed() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.accept("run --bin program --out one --shard 1/1000");
    let answer = checkout.accept("merge one --out merged --json");
    let partial = answer.json()["partial"].clone();
    let partial = partial.as_array().unwrap();
    assert_eq!(partial.len(), 21, "{partial:?}");
    assert!(partial.contains(&"shard 21/1000 of mock is missing".into()), "{partial:?}");
    assert!(partial.contains(&"979 more of 1000 shards of mock are missing".into()), "{partial:?}");
}

#[test]
fn rerun_means_what_did_not_pass_and_follows_it_when_lines_move() {
    let checkout = checkout();
    let run = |arguments: &str| checkout.accept(&format!("run --bin program --out out --json {arguments}"));
    assert_eq!(checkout.accept("run --bin program --out out --rerun").code, Some(2), "nothing ran yet");
    assert_eq!(run("").code, Some(1));
    let file = "features/tier1/G1.3-a-run-executes.feature";
    let text = fs::read_to_string(checkout.path(file)).unwrap();
    checkout.write(file, &format!("# a comment\n\n{text}"));
    let answer = run("--rerun");
    assert_eq!((answer.code, names(&answer.json())), (Some(1), vec!["number 3".to_owned()]));
    checkout.program("exit 0");
    let answer = run("--rerun");
    assert_eq!((answer.code, names(&answer.json())), (Some(0), vec!["number 3".to_owned()]));
    let answer = run("--rerun");
    assert_eq!((answer.code, answer.causes()), (Some(1), vec!["nothing_selected".to_owned()]));
    assert!(checkout.path("out/messages.ndjson").exists(), "what says so was removed");
}

#[test]
fn a_rerun_that_is_refused_leaves_what_it_should_run_again() {
    let checkout = checkout();
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(1));
    let file = "features/tier1/G1.3-a-run-executes.feature";
    let text = fs::read_to_string(checkout.path(file)).unwrap();
    checkout.write(file, &text.replacen("Given the repository", "Given the repositry", 1));
    assert_eq!(checkout.accept("run --bin program --out out --rerun").code, Some(1), "the lint refuses it");
    checkout.write(file, &text);
    assert_eq!(checkout.accept("run --bin missing --out out --rerun").code, Some(2));
    // The parts of what is left are no parts of each other where each machine has another rest.
    let answer = checkout.accept("run --bin program --out out --rerun --shard 1/2");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    let answer = checkout.accept("run --bin program --out out --json --rerun");
    assert_eq!((answer.code, names(&answer.json())), (Some(1), vec!["number 3".to_owned()]));
}

#[test]
fn only_the_holder_of_a_folder_writes_to_it() {
    let checkout = checkout();
    assert_eq!(checkout.accept("run --bin program --out one").code, Some(1));
    fs::create_dir(checkout.path("merged")).unwrap();
    let held =
        [OutLock::take(&checkout.path("one")).unwrap(), OutLock::take(&checkout.path("merged")).unwrap()];
    for arguments in
        ["merge one --out merged", "report --out one --bin program", "watch missing.feature --out one"]
    {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains("another run of accept writes to"), "{}", answer.err);
    }
    assert_eq!(fs::read_dir(checkout.path("merged")).unwrap().count(), 0);
    drop(held);
    assert_eq!(checkout.accept("merge one --out merged").code, Some(0));
    assert_eq!(checkout.accept("report --out one --bin program").code, Some(0));
}

#[test]
fn rerun_means_what_was_not_started_too() {
    let checkout = checkout();
    checkout.program("exit 9");
    let answer = checkout.accept("run --bin program --out out --json --fail-fast --jobs 1");
    assert_eq!(answer.json()["not_started"].as_array().unwrap().len(), MANY - 1);
    checkout.program("exit 0");
    let answer = checkout.accept("run --bin program --out out --json --rerun");
    assert_eq!((answer.code, names(&answer.json()).len()), (Some(0), MANY));
}

#[test]
fn rerun_reads_what_a_killed_run_left() {
    let checkout = checkout();
    checkout.accept("run --bin program --out out");
    let text = fs::read_to_string(checkout.path("out/messages.ndjson")).unwrap();
    let cut = text.find("testCaseStarted").unwrap();
    fs::remove_file(checkout.path("out/messages.ndjson")).unwrap();
    checkout.write("out/messages.ndjson.unfinished", &text[..cut + 20]);
    let answer = checkout.accept("run --bin program --out out --json --rerun");
    assert_eq!(names(&answer.json()).len(), MANY);
}

#[test]
fn each_repetition_is_a_run_of_its_own() {
    let checkout = Checkout::new();
    // Fails the second time that it is asked.
    let counter = checkout.path("counter");
    checkout.program(&format!("echo x >> '{0}'; [ $(wc -l < '{0}') -ne 2 ]", counter.display()));
    let answer = checkout.accept("run --bin program --out out --json --repeat 3 --seed 10");
    let json = answer.json();
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let codes: Vec<_> = json["repetitions"].as_array().unwrap().iter().map(|run| &run["exit_code"]).collect();
    assert_eq!(codes, [0, 1, 0]);
    assert_eq!(
        (&json["first_failure"]["repetition"], &json["first_failure"]["seed"]),
        (&2.into(), &11.into())
    );
    assert_eq!((&json["unstable"][0]["failed"], &json["unstable"][0]["ran"]), (&1.into(), &3.into()));
    assert!(answer.err.contains("3 repetitions of 3 ran, 2 passed"), "{}", answer.err);
    assert!(answer.err.contains("FAILED"), "{}", answer.err);
    for number in 1..=3 {
        for name in ["messages.ndjson", "report.html"] {
            assert!(checkout.path(&format!("out/repetitions/{number}/{name}")).is_file(), "{number} {name}");
        }
    }
    fs::remove_file(counter).unwrap();
    let answer = checkout.accept("run --bin program --out out --json --repeat 3 --fail-fast");
    assert_eq!(answer.json()["repetitions"].as_array().unwrap().len(), 2);
    assert!(!checkout.path("out/repetitions/3").exists(), "an earlier repetition is still there");
}

#[test]
fn doctor_tells_what_this_machine_can_run_and_a_mend_for_what_it_cannot() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let answer = checkout.accept("doctor --bin program");
    assert_eq!(answer.code, Some(0), "{}", answer.out);
    assert!(answer.out.contains("mock world: can run"), "{}", answer.out);
    let nowhere = checkout.path("nowhere");
    let output = checkout
        .command("doctor --bin program --json")
        .env("TMPDIR", &nowhere)
        .env("DOCKER_HOST", format!("unix://{}", nowhere.display()))
        .output()
        .unwrap();
    let answer = crate::checkout::Answer::new(&output);
    assert_eq!(answer.code, Some(1));
    let json = answer.json();
    let bad: Vec<_> =
        json["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(
        bad.iter().map(|check| check["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["temporary folder", "container engine"]
    );
    assert!(bad.iter().all(|check| check["mend"].is_string()), "{json}");
}
