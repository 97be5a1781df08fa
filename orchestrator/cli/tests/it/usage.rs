//! Help, versions, and what a wrong command line gets.

use crate::{place::Place, plans::ONE};

const COMMANDS: [&str; 12] = [
    "init",
    "plan",
    "run",
    "resume",
    "status",
    "review",
    "logs",
    "clean",
    "doctor",
    "demo",
    "schema",
    "completions",
];

#[test]
fn help_lists_what_works_and_nothing_that_does_not() {
    let help = Place::new().run(&["--help"]).exits(0);
    for listed in COMMANDS.iter().chain(&["--repo", "--json"]) {
        assert!(help.stdout.contains(listed), "{listed}: {help:#?}");
    }
    assert!(!help.stdout.contains("mock-agent"), "{help:#?}");
    assert_eq!(help.stderr, "");
}

#[test]
fn every_listed_command_has_help() {
    let mut place = Place::new();
    for command in COMMANDS {
        assert!(place.run(&[command, "--help"]).exits(0).stdout.contains("Usage: mycelium"), "{command}");
    }
}

#[test]
fn a_run_in_containers_says_what_it_lacks_before_anything_begins() {
    let mut place = Place::with_plan("docker: {image: nothing}\n", ONE);
    let nobody = place.repository.path().join("nobody.sock");
    place.sandbox.set("DOCKER_HOST", format!("unix://{}", nobody.display()));
    let docker = ["run", "--world", "docker"];
    place.run(&docker).exits(4).complains(&["does not answer", "start it, or set DOCKER_HOST"]);
    let json = place.run(&[&docker[..], &["--json"]].concat()).exits(4).json();
    assert_eq!(json["error"]["kind"], "environment");
    assert!(place.run(&["status"]).exits(0).stdout.contains("no runs yet"));
    let done = place.run(&["doctor"]).exits(4);
    assert!(done.stdout.contains("FAIL  container engine"), "{done:#?}");
}

#[test]
fn the_version_names_the_features_of_the_build() {
    let mut place = Place::new();
    let version = place.run(&["--version"]).exits(0).stdout;
    assert_eq!(version, format!("mycelium {}\n", env!("CARGO_PKG_VERSION")));
    let json = place.run(&["--version", "--json"]).exits(0).json();
    let expected =
        serde_json::json!({ "name": "mycelium", "version": env!("CARGO_PKG_VERSION"), "features": [] });
    assert_eq!(json, expected);
}

#[test]
fn a_wrong_command_line_is_never_silent() {
    let mut place = Place::new();
    place.run(&[]).exits(2).complains(&["no command was given", "mycelium --help"]);
    place.run(&["stauts"]).exits(2).complains(&["unrecognized subcommand 'stauts'", "status"]);
    place.run(&["plan"]).exits(2).complains(&["--input"]);
    place.run(&["run", "--run-id", "../x"]).exits(2).complains(&["--run-id", "has the character '.'"]);
    place.run(&["run", "--tasks", "a,../b"]).exits(2).complains(&["--tasks", "has the character '.'"]);
    place.run(&["logs", "tail"]).exits(2).complains(&["'tail'", "timeline"]);
    place.run(&["logs", "--limit", "0"]).exits(2).complains(&["--limit"]);
    place.run(&["clean", "--all", "--run-id", "r1"]).exits(2).complains(&["cannot be used with"]);
    place.run(&["-q", "-v", "status"]).exits(2).complains(&["cannot be used with"]);
    for wrong in ["abc", "0", "-1", "257", "1.5", ""] {
        let said = ["--max-parallel", "write a whole number from 1 to 256"];
        let done = place.run(&["run", "--max-parallel", wrong]).exits(2).complains(&said);
        assert_eq!(done.stdout, "");
    }
    assert!(!place.ran());
}

#[test]
fn a_wrong_command_line_is_one_document_where_json_is_asked_for() {
    let done =
        Place::new().run(&["run", "--json", "--max-parallel", "0"]).exits(2).complains(&["--max-parallel"]);
    let error = &done.json()["error"];
    assert_eq!(
        (error["kind"].as_str(), error["problems"].as_array().map(Vec::len)),
        (Some("usage"), Some(0))
    );
    assert!(error["message"].as_str().unwrap().contains("from 1 to 256"), "{error}");
}

#[test]
fn colour_is_used_only_where_it_is_wanted() {
    let mut place = Place::with_config("max_paralel: 3\n");
    let escape = '\u{1b}';
    assert!(!place.run(&["run"]).exits(2).stderr.contains(escape));
    assert!(place.run(&["run", "--color", "always"]).exits(2).stderr.contains(escape));
    assert!(!place.run(&["run", "--color", "never"]).exits(2).stderr.contains(escape));
    assert!(place.run(&["rnu", "--color=always"]).exits(2).stderr.contains(escape));
}

#[test]
fn every_schema_that_is_listed_is_printed() {
    let mut place = Place::new();
    let names = place.run(&["schema"]).exits(0).stdout;
    assert!(names.lines().any(|name| name == "event"), "{names}");
    for name in names.lines() {
        let schema = place.run(&["schema", name]).exits(0).json();
        assert!(schema["$schema"].as_str().unwrap().contains("2020-12"), "{name}");
    }
    place
        .run(&["schema", "evnt"])
        .exits(2)
        .complains(&["there is no schema \"evnt\"", "did you mean `event`?"]);
}

#[test]
fn completions_are_printed_for_a_shell() {
    let mut place = Place::new();
    assert!(place.run(&["completions", "bash"]).exits(0).stdout.contains("_mycelium()"));
    place.run(&["completions", "tcsh"]).exits(2).complains(&["possible values", "bash"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(crate::place::program())
        .args(["schema", "event"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
