//! Running again and again: what is told, what is written down, what the gates make of it.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

use crate::checkout::{Answer, Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";
const HISTORY: &str = "target/flake-history.jsonl";

fn lines(checkout: &Checkout) -> Vec<Value> {
    let text = fs::read_to_string(checkout.path(HISTORY)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A program that fails the time of this number, and passes each other time.
fn fails_once(checkout: &Checkout, time: usize) {
    let count = checkout.path("target/count").display().to_string();
    checkout.write("target/count", "");
    checkout.program(&format!("echo x >> '{count}'; [ $(wc -l < '{count}') -eq {time} ] && exit 9; exit 0"));
}

/// Makes the checkout a repository with one commit, so that its tree has a name.
fn commit(checkout: &Checkout) {
    checkout.write(".gitignore", "/target\n/out\n");
    for arguments in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "--all"],
        &["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message", "m"],
    ] {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(checkout.path("")).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(git.status().unwrap().success());
    }
}

fn counts(answer: &Answer) -> Vec<(u64, u64)> {
    let json = answer.json();
    let scenarios = json["scenarios"].as_array().unwrap();
    scenarios
        .iter()
        .map(|scenario| (scenario["n"].as_u64().unwrap(), scenario["failed"].as_u64().unwrap()))
        .collect()
}

#[test]
fn clean_runs_are_written_down_and_sold_for_what_they_are() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let answer = checkout.accept("flake --bin program --repeat 3 --seed 7 --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(counts(&answer), [(3, 0)]);
    let json = answer.json();
    assert_eq!(
        (&json["scenarios"][0]["bound_ppm"], &json["scenarios"][0]["rating"]),
        (&631_597.into(), &"unrated".into())
    );
    assert!(json["bounds"][0].as_str().unwrap().starts_with("3 clean runs bound"), "{json:#}");
    let lines = lines(&checkout);
    let seen = |key: &str| lines.iter().map(|line| line[key].to_string()).collect::<BTreeSet<_>>();
    assert_eq!((lines.len(), seen("seed").len(), seen("environment").len(), seen("run").len()), (3, 3, 3, 3));
    assert!(lines.iter().all(|line| line["outcome"] == "passed" && line["failure"].is_null()));
    // What the history says is all that there is to say of a clean run.
    assert!(!checkout.path("target/flake/repetitions/1").exists());
    let answer = checkout.accept("flake --bin program --repeat 10");
    assert!(
        answer.out.contains("10 clean runs bound the rate at which a run fails at 25.9 %"),
        "{}",
        answer.out
    );
    assert_eq!(self::lines(&checkout).len(), 13);
}

#[test]
fn one_failure_of_many_is_a_failure_that_can_be_seen_again() {
    let checkout = Checkout::new();
    fails_once(&checkout, 2);
    let answer = checkout.accept("flake --bin program --repeat 3 --json");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert_eq!(counts(&answer), [(3, 1)]);
    let json = answer.json();
    let first = &json["first_failure"];
    assert_eq!(first["scenario"], format!("{FILE}:4"));
    assert!(checkout.path("target/flake/repetitions/2/messages.ndjson").is_file());
    assert_eq!(json["clusters"][0]["incidents"], 1);
    let failed = &lines(&checkout)[1];
    assert_eq!((&failed["outcome"], &failed["seed"]), (&"failed".into(), &first["seed"]));
    // The command that is told runs the same again.
    let again = first["again"].as_str().unwrap().strip_prefix("cargo accept ").unwrap();
    let answer = checkout.accept(&format!("{again} --bin program"));
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let last = lines(&checkout).pop().unwrap();
    assert_eq!((&last["seed"], &last["environment"]), (&failed["seed"], &failed["environment"]));
}

#[test]
fn surroundings_reach_the_program_where_the_scenario_does_not_say_otherwise() {
    let checkout = Checkout::new();
    let seen = checkout.path("target/seen").display().to_string();
    checkout.program(&format!("echo \"$TZ|$LANG|$(umask)|$PWD\" >> '{seen}'; exit 0"));
    checkout.write("target/seen", "");
    assert_eq!(checkout.accept("flake --bin program --repeat 4").code, Some(0));
    let text = fs::read_to_string(&seen).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('|').collect()).collect();
    let environments: Vec<Value> = lines(&checkout).iter().map(|line| line["environment"].clone()).collect();
    for (row, environment) in rows.iter().zip(&environments) {
        assert_eq!(
            (row[0], row[1]),
            (environment["timezone"].as_str().unwrap(), environment["locale"].as_str().unwrap())
        );
        assert_eq!(
            row[2].trim_start_matches('0'),
            environment["umask"].as_str().unwrap().trim_start_matches('0')
        );
        let folder = environment["folder"].as_str().unwrap();
        assert_eq!(row[3].contains("a folder with blanks"), folder == "blanks", "{row:?}");
        assert_eq!(row[3].contains(&"l".repeat(120)), folder == "long", "{row:?}");
    }
    assert_eq!(rows.len(), 4);
    // A scenario that fixes them keeps what it says.
    checkout.change(
        "    When I run",
        "    And the umask is 013\n    And the environment variable TZ is \"Mars\"\n    When I run",
    );
    checkout.write("target/seen", "");
    let answer = checkout.accept(
        "flake --bin program --repeat 1 --environment jobs=1,folder=plain,tz=UTC,locale=C.UTF-8,umask=077",
    );
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let text = fs::read_to_string(&seen).unwrap();
    assert!(text.starts_with("Mars|C.UTF-8|0013|"), "{text}");
}

#[test]
fn a_flake_stays_one_for_this_tree_and_program_whatever_the_next_run_says() {
    let checkout = Checkout::new();
    fails_once(&checkout, 2);
    commit(&checkout);
    let status = || {
        let matrix = fs::read_to_string(checkout.path("out/matrix.json")).unwrap();
        serde_json::from_str::<Value>(&matrix).unwrap()["rows"][0]["status"].clone()
    };
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    assert_ne!(status(), "flaky");
    assert_eq!(checkout.accept("flake --bin program --repeat 2").code, Some(1));
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    assert_eq!(status(), "flaky");
    let gate = checkout.accept("gate --out out --bin program --profile ci --json").json();
    let flake =
        gate["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["gate"] == "flake").unwrap();
    assert!(flake["reasons"][0].as_str().unwrap().contains("was not clean"), "{flake:#}");
    // Another history is another answer.
    let gate = checkout.accept("gate --out out --bin program --profile ci --history elsewhere --json").json();
    assert!(gate.to_string().contains("Nothing counted how often"), "{gate:#}");
    // What was counted before of the same counts on.
    assert_eq!(counts(&checkout.accept("flake --bin program --repeat 2 --json")), [(4, 1)]);
}

#[test]
fn a_sequential_test_ends_by_itself() {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    let answer = checkout.accept("flake --bin program --sprt --json");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert_eq!(counts(&answer), [(2, 2)]);
    assert_eq!(answer.json()["scenarios"][0]["decision"], "reject");
    checkout.program("exit 0");
    let answer = checkout.accept("flake --bin program --sprt --json");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(counts(&answer), [(64, 0)]);
    assert_eq!(answer.json()["scenarios"][0]["decision"], "accept");
}

#[test]
fn what_is_new_or_changed_is_told_from_what_is_not() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    commit(&checkout);
    let since = |rev: &str| checkout.accept(&format!("flake --bin program --repeat 1 --since {rev} --json"));
    let answer = since("main");
    assert_eq!((answer.code, counts(&answer)), (Some(0), Vec::new()), "{}", answer.err);
    assert!(answer.json()["notes"].to_string().contains("no scenario is new or changed since main"));
    let (head, scenario) = FEATURE.split_at(FEATURE.find("  Scenario").unwrap());
    // One before it moves the old one, which is no change.
    checkout.write(FILE, &format!("{head}{}\n{scenario}", scenario.replace("it says so", "a new one")));
    let answer = since("main");
    assert_eq!((answer.code, counts(&answer)), (Some(0), vec![(1, 0)]), "{}", answer.err);
    assert_eq!(answer.json()["scenarios"][0]["name"], "a new one");
    checkout.change("it says so", "it says otherwise");
    assert_eq!(counts(&since("HEAD")), [(1, 0)]);
    let answer = since("no-such-branch");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("no-such-branch"), "{}", answer.err);
}

#[test]
fn what_cannot_be_counted_is_refused_or_told() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let answer = checkout.accept("flake --bin program --tags @nope --json");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(answer.json()["notes"].to_string().contains("no scenario was selected"));
    assert_eq!(checkout.accept("flake --bin program --repeat 2 --sprt").code, Some(2));
    assert_eq!(checkout.accept("flake --bin program --environment jobs=many").code, Some(2));
    assert_eq!(checkout.accept("flake --bin program --repeat 1").code, Some(0));
    // A line that was cut off costs itself alone; one of a newer version stops everything that counts.
    let whole = fs::read_to_string(checkout.path(HISTORY)).unwrap();
    checkout.write(HISTORY, &whole[..whole.len() / 2]);
    assert_eq!(checkout.accept("flake --bin program --repeat 1").code, Some(0));
    checkout.write(HISTORY, &whole.replace("\"v\":1", "\"v\":2"));
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(2));
    for arguments in ["flake --bin program --repeat 1", "gate --out out --bin program", "matrix --out out"] {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains("format version 2"), "{arguments}: {}", answer.err);
    }
    assert_eq!(fs::read_to_string(checkout.path(HISTORY)).unwrap(), whole.replace("\"v\":1", "\"v\":2"));
}
