//! `init`, `plan` and `status`, and what broken input gets.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use crate::place::Place;

const PLAN: &str = r#"{"tasks": [
    {"id": "001", "name": "One", "files": {"writes": ["one.txt"]}, "spec": "Write one."},
    {"id": "002", "name": "Two", "dependencies": ["001"], "spec": "Write two."}
]}"#;

#[test]
fn init_writes_what_is_missing_and_clobbers_nothing() {
    let mut place = Place::new();
    let done = place.run(&["init"]).exits(0);
    for file in ["config.yaml", "doctor.sh", ".gitignore", "plan.md"] {
        assert!(done.stdout.contains(&format!("created  .mycelium/{file}\n")), "{done:#?}");
    }
    place.write(".mycelium/doctor.sh", "mine");
    let again = place.run(&["init"]).exits(0).complains(&["--force"]);
    assert!(again.stdout.contains("kept     .mycelium/doctor.sh"), "{again:#?}");
    assert_eq!(place.read(".mycelium/doctor.sh"), "mine");
    let forced = place.run(&["init", "--force", "--json"]).exits(0).json();
    assert_eq!(forced["files"][1]["written"], "replaced");
    assert_ne!(place.read(".mycelium/doctor.sh"), "mine");
}

#[test]
fn a_fresh_project_has_no_runs_and_says_so() {
    let mut place = Place::with_config("");
    assert_eq!(place.run(&["status"]).exits(0).stdout, "no runs yet\n");
    assert!(place.run(&["status", "--json"]).exits(0).json()["run_id"].is_null());
    place.run(&["status", "--run-id", "r9"]).exits(2).complains(&["there is no run r9"]);
    assert!(!place.ran(), "a reader wrote something");
}

#[test]
fn outside_a_repository_every_command_says_so() {
    let mut place = Place::new();
    let outside = place.outside();
    for words in [vec!["init"], vec!["plan", "--input", "x"], vec!["run"], vec!["status"]] {
        place.run_in(&outside, &words).exits(2).complains(&["is not inside a git repository"]);
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let root = place.repository.path().display().to_string();
    place.run_in(&outside, &["-C", &root, "status"]).exits(0);
}

#[test]
fn a_path_that_cannot_be_handed_on_is_refused_before_anything_is_written() {
    for (name, why, shown) in [
        (&b"caf\xe9"[..], "is not valid UTF-8", r"caf\xe9"),
        (b"two\nlines", "has a line break", r"two\nlines"),
    ] {
        let mut place = Place::new();
        let odd = place.outside().join(OsStr::from_bytes(name));
        let plain = place.repository.path().to_owned();
        fs::rename(&plain, &odd).unwrap();
        let plan = ["plan", "--input", "x"];
        for words in
            [&["init"][..], &plan, &["run"], &["resume"], &["status"], &["review"], &["logs"], &["clean"]]
        {
            place.run_in(&odd, words).exits(2).complains(&[why, shown, "rename the folder"]);
        }
        let doctor = place.run_in(&odd, &["doctor"]).exits(2);
        assert!(doctor.stdout.contains(why) && doctor.stdout.contains("rename the folder"), "{doctor:#?}");
        assert!(!odd.join(".mycelium").exists() && !place.ran(), "something was written");
        // The same for a home.
        fs::rename(&odd, &plain).unwrap();
        let status = place.command(&["status"]).env("MYCELIUM_HOME", &odd).output().unwrap();
        let said = String::from_utf8(status.stderr).unwrap();
        for part in ["the path of the home", why, shown, "MYCELIUM_HOME"] {
            assert!(said.contains(part), "{part:?} is not said: {said}");
        }
        assert_eq!(status.status.code(), Some(2));
        assert!(!odd.exists());
    }
}

#[test]
fn a_plan_is_written_once_and_shown_in_batches() {
    let mut place = Place::with_config("");
    place.sandbox.set("MOCK_LLM_OUTPUT", PLAN);
    let plan = ["plan", "--input", ".mycelium/plan.md"];
    let dry = place.run(&["plan", "--input", ".mycelium/plan.md", "--dry-run"]).exits(0);
    let batches = "batch 1: 001 One\nbatch 2: 002 Two\n";
    let table = "\nTASK  BATCH  NAME  AFTER  LOCKS  WRITES\n001   1      One   -      -      one.txt\n002   2      Two   001    -      -\n";
    assert_eq!(dry.stdout, format!("{batches}{table}"));
    assert!(!place.repository.path().join(".mycelium/tasks").exists());
    let first = place.run(&plan).exits(0).complains(&["2 tasks written to .mycelium/tasks"]);
    assert_eq!(first.stdout, batches);
    let manifest = place.read(".mycelium/tasks/001-one/manifest.json");
    place.run(&plan).exits(0).complains(&["nothing was written"]);
    assert_eq!(place.read(".mycelium/tasks/001-one/manifest.json"), manifest);

    place.sandbox.set("MOCK_LLM_OUTPUT", PLAN.replace("Write one.", "Write 1."));
    let other = place.run(&plan).exits(2).complains(&["-Write one.\n+Write 1.\n", "--force"]);
    assert_eq!(other.stdout, "");
    let forced = place.run(&["plan", "--input", ".mycelium/plan.md", "--force", "--json"]).exits(0).json();
    assert_eq!((&forced["outcome"], &forced["batches"][0][0]), (&"written".into(), &"001".into()));
}

#[test]
fn every_problem_of_a_plan_is_shown_at_its_place_and_nothing_is_written() {
    let mut place = Place::with_config("");
    place.sandbox.set(
        "MOCK_LLM_OUTPUT",
        "{\"tasks\": [\n {\"id\": \"a\", \"name\": \"x\", \"dependencies\": [\"b\"]},\n {\"id\": \"b\", \"name\": \"y\", \"dependencies\": [\"a\"], \"locks\": {\"writes\": [\"repo\"]}}\n]}",
    );
    let plan = ["plan", "--input", ".mycelium/plan.md"];
    let shown = place.run(&plan).exits(2).complains(&[
        "error: the tasks depend on each other in a cycle: a -> b -> a\n --> MOCK_LLM_OUTPUT:3:44\n",
        "error: no resource of the configuration has the name \"repo\"\n --> MOCK_LLM_OUTPUT:3:71\n",
        &format!("  | {}^^^^^^\n", " ".repeat(70)),
        "= help: declare it under `resources` in the configuration",
        "2 problems in the input",
    ]);
    assert_eq!(shown.stdout, "");
    let json = place.run(&["plan", "--input", ".mycelium/plan.md", "--json"]).exits(2).json();
    let problem = &json["error"]["problems"][1];
    assert_eq!((&problem["line"], &problem["column"]), (&3.into(), &71.into()), "{json}");
    assert!(!place.repository.path().join(".mycelium/tasks").exists());
}

#[test]
fn a_mock_planner_without_an_answer_is_an_error() {
    let mut place = Place::with_config("");
    let plan = ["plan", "--input", ".mycelium/plan.md"];
    place.run(&plan).exits(2).complains(&["neither MOCK_LLM_OUTPUT nor MOCK_LLM_OUTPUT_PATH is set"]);
    place.sandbox.set("MOCK_LLM_OUTPUT_PATH", "nowhere.json");
    place.run(&plan).exits(2).complains(&["nowhere.json"]);
    place.sandbox.set("MOCK_LLM_OUTPUT", "I cannot do that.");
    place.run(&plan).exits(2).complains(&["MOCK_LLM_OUTPUT:1:1", "must be a mapping"]);
    place.run(&["plan", "--input", "missing.md"]).exits(2).complains(&["missing.md is not there"]);
}

#[test]
fn every_problem_of_a_configuration_is_shown_at_its_place_and_no_run_begins() {
    let mut place = Place::with_config("max_paralel: 3\nworker:\n  agent: codex\n");
    let before = place.head();
    let done = place.run(&["run"]).exits(2).complains(&[
        "error: unknown key `max_paralel`\n --> .mycelium/config.yaml:3:1\n  |\n3 | max_paralel: 3\n  | ^^^^^^^^^^^\n  = help: did you mean `max_parallel`?",
        "error: `worker.agent` asks a model and needs `worker.model`\n --> .mycelium/config.yaml:5:10\n",
        "2 problems in the input",
    ]);
    assert_eq!((done.stdout.as_str(), place.head()), ("", before));
    assert!(!place.ran());
}

#[test]
fn a_configuration_that_is_missing_is_said_with_its_mend() {
    let mut place = Place::new();
    place
        .run(&["run"])
        .exits(2)
        .complains(&["there is no configuration .mycelium/config.yaml", "mycelium init"]);
}
