//! A checkout with one goal and one feature, and `accept` in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A good feature: what it says is not true of the programs below, which is all that these tests need.
pub(crate) const FEATURE: &str = "\
@G1.3 @tier1 @mock
Feature: A run executes

  Scenario: it says so
    Given the repository \"toy-repo\"
    When I run \"mycelium status\"
    Then the exit code is 0
    And no run was created
";

const GOAL: &str = "\
id: G1.3
tier: 1
title: A run executes
statement: This is what I expect to happen.
scope: [run]
config: []
scenario: {given: a plan, when: it runs, then: it lands}
artifacts: {state: [no run], events: [], git: []}
must_not:
  - {text: A run is created., assertion: fs.absent}
witness: []
control: []
hook: toy-repo
owner: orchestrator
flake_risk: low
lanes: [mock]
ci_jobs: [unit-and-acceptance-local]
saboteurs: []
";

/// The checkout.
pub(crate) struct Checkout(TempDir);

impl Checkout {
    pub(crate) fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let gates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traceability/gates.yaml");
        checkout.write("traceability/gates.yaml", &fs::read_to_string(gates).unwrap());
        checkout.write("traceability/goals/G1.3.yaml", GOAL);
        checkout.write("features/tier1/G1.3-a-run-executes.feature", FEATURE);
        checkout
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes the feature.
    pub(crate) fn change(&self, from: &str, to: &str) {
        assert!(FEATURE.contains(from));
        self.write("features/tier1/G1.3-a-run-executes.feature", &FEATURE.replace(from, to));
    }

    /// Commits everything, in a repository that is made where none is yet; the commit's id.
    pub(crate) fn commit(&self) -> String {
        let repository = git2::Repository::init(self.0.path()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("somebody", "somebody@example.com").unwrap();
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        repository.commit(Some("HEAD"), &who, &who, "a change", &tree, &parents).unwrap().to_string()
    }

    /// A program that says it is mycelium and else runs a script.
    pub(crate) fn program(&self, script: &str) {
        let answer = r#"if [ "$1" = --version ]; then echo '{"name":"mycelium","version":"0","features":[]}'; exit 0; fi"#;
        self.bare_program(&format!("{answer}\n{script}"));
    }

    /// A program that runs a script whatever it is asked.
    pub(crate) fn bare_program(&self, script: &str) {
        self.write("program", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path("program"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `accept` with these arguments, split at spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accept"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn accept(&self, arguments: &str) -> Answer {
        Answer::new(&self.command(arguments).output().unwrap())
    }
}

/// What `accept` said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// Codes of the causes in that document.
    pub(crate) fn causes(&self) -> Vec<String> {
        let json = self.json();
        json["causes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cause| cause["code"].as_str().unwrap().to_owned())
            .collect()
    }
}
