//! What helps whoever writes features: the vocabulary, a first draft, and a watch.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use mycelium_steps::CATALOGUE;
use rustix::process::{Pid, Signal, kill_process};

use crate::checkout::{Answer, Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";

#[test]
fn steps_and_fixtures_that_no_scenario_uses_stand_in_matrix_and_page() {
    let checkout = Checkout::new();
    let unused = || checkout.accept("matrix --json").json()["unused"].clone();
    let found = unused();
    assert_eq!(found["fixtures"], serde_json::json!(["conflict-repo", "large-repo-sim"]));
    let steps: Vec<&str> =
        found["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    let used = ["Given the repository {fixture}", "Then no run was created"];
    assert!(used.iter().all(|step| !steps.contains(step)), "{steps:#?}");
    assert!(steps.contains(&"Given a folder that is not a git repository"), "{steps:#?}");
    assert_eq!(steps.len() + 4, CATALOGUE.definitions.len());
    let page = fs::read_to_string(checkout.path("docs/traceability-matrix.md")).unwrap();
    for part in
        ["* step Given a folder that is not a git repository, steps/src/", "* fixture conflict-repo\n"]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    checkout.change("toy-repo", "large-repo-sim");
    assert_eq!(unused()["fixtures"], serde_json::json!(["conflict-repo", "toy-repo"]));
}

#[test]
fn a_step_is_shown_with_values_example_and_use() {
    let checkout = Checkout::new();
    let answer = checkout.accept("steps repository");
    assert_eq!(answer.code, Some(0));
    for part in [
        "GIVEN",
        "Given the repository {fixture}",
        "{fixture}  A fixture repository by name, in quotes.",
        "toy-repo, conflict-repo, large-repo-sim",
        "for example, features/tier1/G1.3-a-run-executes.feature:5:",
        "        Given the repository \"toy-repo\"",
        "used once",
    ] {
        assert!(answer.out.contains(part), "no {part:?} in {}", answer.out);
    }
    let json = checkout.accept("steps --json").json();
    let steps = json.as_array().unwrap();
    let find = |expression: &str| steps.iter().find(|step| step["expression"] == expression).unwrap();
    assert_eq!(find("no run was created")["negative"], true);
    assert_eq!(find("the repository {fixture}")["parameters"][0]["values"][0], "toy-repo");
    assert_eq!((&find("the plan:")["uses"], &find("the plan:")["takes_argument"]), (&0.into(), &true.into()));
    let unused = checkout.accept("steps --unused --json").json();
    let used = steps.len() - unused.as_array().unwrap().len();
    assert_eq!(used, 4, "the feature uses four steps");
}

#[test]
fn what_is_said_of_all_features_is_refused_where_they_are_broken_or_missing() {
    let checkout = Checkout::new();
    assert_eq!(checkout.accept("steps --write").code, Some(0));
    let page = fs::read(checkout.path("docs/steps.md")).unwrap();
    checkout.write("features/broken.feature", "no feature\n");
    let refused = |reason: &str| {
        for option in ["--write", "--check", "--unused"] {
            let answer = checkout.accept(&format!("steps {option}"));
            assert_eq!(answer.code, Some(2), "{option}: {}", answer.err);
            assert!(answer.err.contains(reason), "{option}: {}", answer.err);
        }
        assert_eq!(fs::read(checkout.path("docs/steps.md")).unwrap(), page);
        assert_eq!(checkout.accept("steps repository").code, Some(0), "the catalogue alone still helps");
    };
    refused("the feature files do not parse");
    fs::remove_dir_all(checkout.path("features")).unwrap();
    refused("does not exist");
}

#[test]
fn nothing_found_is_told_with_what_was_asked() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    for (arguments, code, message) in [
        ("steps --slow --out out KiB", 1, "no step that speaks of \"KiB\" ran in the last run"),
        ("steps --slow --out out nobody-says-this", 1, "no step speaks of \"nobody-says-this\""),
        ("steps --unused nobody-says-this", 1, "no step speaks of \"nobody-says-this\""),
        ("steps --unused {fixture}", 0, "every step that speaks of \"{fixture}\" is used"),
    ] {
        let answer = checkout.accept(arguments);
        assert_eq!((answer.code, answer.err.trim()), (Some(code), message), "{arguments}");
    }
}

#[test]
fn a_step_is_found_by_words_that_stand_apart_in_it_where_none_says_them_so() {
    let checkout = Checkout::new();
    let found = |search: &str| {
        let answer = Answer::new(&checkout.command("steps").arg(search).output().unwrap());
        (answer.code, answer.out)
    };
    let (code, said) = found("MOVED branch");
    assert!(code == Some(0) && said.contains("Then the integration branch has not moved"), "{said}");
    let (_, phrase) = found("branch has not moved");
    assert!(phrase.contains("has not moved") && !phrase.contains("branch has moved"), "{phrase}");
    assert_eq!(found("moved nobody-says-this").0, Some(1));
}

#[test]
fn a_step_is_found_by_a_value_that_it_allows() {
    let checkout = Checkout::new();
    let answer = checkout.accept("steps conflict-repo");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.contains("Given the repository {fixture}"), "{}", answer.out);
}

#[test]
fn slow_steps_are_those_of_the_last_run() {
    let checkout = Checkout::new();
    assert_eq!(checkout.accept("steps --slow --out out").code, Some(2), "nothing ran");
    checkout.program("exit 0");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let json = checkout.accept("steps --slow --out out --json").json();
    let means: Vec<u64> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            step["duration"]["total_ms"].as_u64().unwrap() / step["duration"]["runs"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(means.len(), 4);
    assert!(means.is_sorted_by(|a, b| a >= b), "{means:?}");
}

#[test]
fn the_committed_page_of_steps_is_checked_against_the_vocabulary() {
    let checkout = Checkout::new();
    assert_eq!(checkout.accept("steps --check").code, Some(1));
    assert!(!checkout.path("docs").exists(), "a check wrote something");
    assert_eq!(checkout.accept("steps --write").code, Some(0));
    assert_eq!(checkout.accept("steps --check").code, Some(0));
    let page = fs::read_to_string(checkout.path("docs/steps.md")).unwrap();
    assert!(page.contains("### `no run was created` – **must not**"), "{page}");
}

#[test]
fn the_page_of_steps_of_this_repository_is_up_to_date() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_accept"))
        .args(["steps", "--check"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const BACKLOG: &str = "\
- {id: G0.4, tier: 0, title: 'Nothing, ever: lost', ticket: later, reason: not yet, owner: nobody}
";

#[test]
fn a_draft_is_red_until_everything_in_it_is_written() {
    let checkout = Checkout::new();
    checkout.write("traceability/backlog.yaml", BACKLOG);
    let answer = checkout.accept("new G0.4");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let file = "features/tier0/G0.4-nothing-ever-lost.feature";
    assert_eq!(answer.out.trim(), file);
    let draft = fs::read_to_string(checkout.path(file)).unwrap();
    assert!(draft.starts_with("@G0.4 @tier0 @mock\nFeature: G0.4 Nothing, ever: lost\n"), "{draft}");
    assert!(draft.contains("@control"), "{draft}");
    assert_eq!(checkout.accept("fmt --check").code, Some(0), "{draft}");
    let problems = checkout.accept(&format!("lint {file} --json")).json();
    let rules: Vec<_> =
        problems["problems"].as_array().unwrap().iter().map(|p| p["rule"].as_str().unwrap()).collect();
    let left = draft.matches("replace this:").count();
    assert_eq!(rules.iter().filter(|rule| **rule == "replace-this").count(), left, "{rules:?}");
    assert_eq!(rules.iter().filter(|rule| **rule != "replace-this").collect::<Vec<_>>(), [&"unknown-goal"]);
    checkout.write(file, "mine\n");
    assert_eq!(checkout.accept("new G0.4").code, Some(2));
    assert_eq!(fs::read_to_string(checkout.path(file)).unwrap(), "mine\n");
}

#[test]
fn a_draft_says_what_its_goal_says() {
    let checkout = Checkout::new();
    let answer = checkout.accept("new G1.3");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains(&format!("has a feature already, {FILE}")), "{}", answer.err);
    fs::remove_dir_all(checkout.path("features")).unwrap();
    assert_eq!(checkout.accept("new G1.3").code, Some(0));
    let draft = fs::read_to_string(checkout.path(FILE)).unwrap();
    for part in [
        "  This is what I expect to happen.",
        "When replace this: it runs",
        "must not happen: A run is created.",
    ] {
        assert!(draft.contains(part), "no {part:?} in {draft}");
    }
    assert!(!draft.contains("@control"), "{draft}");
    assert_eq!(checkout.accept("new G2.7").code, Some(2));
}

#[test]
fn a_saved_feature_is_linted_and_its_changed_scenarios_run_until_ctrl_c() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let second = FEATURE[FEATURE.find("  Scenario").unwrap()..].replace("it says so", "it says more");
    let both = format!("{FEATURE}\n{second}");
    checkout.write(FILE, &both);
    let mut accept =
        checkout.command("watch --bin program --out out").stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(accept.stderr.take().unwrap()).lines();
    let mut wait_for = |text: &str| {
        let mut before = Vec::new();
        loop {
            let line = said.next().unwrap_or_else(|| panic!("no {text:?} in {before:#?}")).unwrap();
            if line.contains(text) {
                return;
            }
            before.push(line);
        }
    };
    wait_for("watching 1 feature file");
    checkout.write(FILE, &both.replace("Then the exit code is 0", "Then the exit kode is 0"));
    wait_for("no step is `Then the exit kode is 0`");
    checkout.write(FILE, &both);
    wait_for("no scenario means anything else");
    let (first, last) = both.split_at(both.find("it says more").unwrap());
    checkout.write(FILE, &format!("{first}{}", last.replace("exit code is 0", "exit code is 1")));
    wait_for("FAILED it says more");
    wait_for("1 scenario ran, 0 passed");
    kill_process(Pid::from_child(&accept), Signal::INT).unwrap();
    assert_eq!(accept.wait().unwrap().code(), Some(130));
}

#[test]
fn the_editor_knows_every_parameter_type() {
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.vscode/settings.json");
    let settings: serde_json::Value = serde_json::from_str(&fs::read_to_string(settings).unwrap()).unwrap();
    let of_editor = settings["cucumber.parameterTypes"].as_array().unwrap().iter();
    let mut known: Vec<(&str, &str)> = of_editor
        .map(|parameter| (parameter["name"].as_str().unwrap(), parameter["regexp"].as_str().unwrap()))
        .collect();
    let mut wanted: Vec<(&str, &str)> =
        CATALOGUE.parameters.iter().map(|parameter| (parameter.name, parameter.regex)).collect();
    known.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(known, wanted);
}
