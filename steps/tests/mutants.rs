//! `.ci/mutants`: what it makes of the answer of cargo-mutants, a script in its place, and what it leaves for the gate.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up what it needs has failed")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use mycelium_schemas::mutation::{MUTATION, Mutation};
use serde_json::Value;
use tempfile::TempDir;

/// Stands for cargo: leaves the lists of the folder `answer` as cargo-mutants does, and ends as it does.
const CARGO: &str = r#"#!/bin/sh
[ "$2" = --version ] && exit 0
mkdir -p "$3/mutants.out" && cp answer/* "$3/mutants.out"
[ -e spoil ] && echo more >>tracked
exit "$(cat code)"
"#;

const NOTICED: &str =
    "traceability/src/gates.rs:28:5: replace evaluate -> Evaluation with Default::default()";
const LEFT: &str = r#"orchestrator/core/src/budget.rs:7:9: replace name -> &str with "\"x\\y\"""#;
/// The same without its place.
const LEFT_NAME: &str = r#"orchestrator/core/src/budget.rs: replace name -> &str with "\"x\\y\"""#;

/// A repository with the script in it.
struct Place(TempDir);

impl Place {
    /// cargo-mutants will have found these, and ends with a code.
    fn new(caught: &str, missed: &str, unviable: &str, code: u8) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/mutants");
        fs::create_dir(place.path(".ci")).unwrap();
        fs::copy(script, place.path(".ci/mutants")).unwrap();
        for (name, text) in [("caught", caught), ("missed", missed), ("unviable", unviable), ("timeout", "")]
        {
            place.write(&format!("answer/{name}.txt"), text);
        }
        place.write("code", &code.to_string());
        place.write("bin/cargo", CARGO);
        fs::set_permissions(place.path("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        place.write("tracked", "");
        place.write(".ci/mutants.survivors", "# none\n");
        place.write(".gitignore", "/target\n/answer\n/code\n/bin\n/spoil\n/.ci/mutants.survivors\n");
        git2::Repository::init(place.0.path()).unwrap();
        place.commit();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        let repository = git2::Repository::open(self.0.path()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("somebody", "somebody@example.com").unwrap();
        repository.commit(Some("HEAD"), &who, &who, "all", &tree, &[]).unwrap();
    }

    /// The tree of the commit.
    fn tree(&self) -> String {
        let repository = git2::Repository::open(self.0.path()).unwrap();
        repository.head().unwrap().peel_to_tree().unwrap().id().to_string()
    }

    /// What the script ends with and says.
    fn asked(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut script = Command::new(self.path(".ci/mutants"));
        let output = script.args(arguments).env("PATH", path).output().unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap()
        );
        (output.status.code(), said)
    }

    /// What it left for the gate, valid by its schema.
    fn left(&self) -> Mutation {
        let value: Value = serde_json::from_str(&fs::read_to_string(self.path(MUTATION)).unwrap()).unwrap();
        let schema = mycelium_schemas::schemas().remove("mutation").unwrap();
        jsonschema::validate(schema.as_value(), &value).unwrap();
        serde_json::from_value(value).unwrap()
    }
}

#[test]
fn where_all_is_noticed_it_says_so_and_leaves_the_files_with_the_tree() {
    let place =
        Place::new(&format!("{NOTICED}\n"), "", "traceability/src/gates.rs:9:1: replace a with b\n", 0);
    let (code, said) = place.asked(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("1 changes noticed, 1 not even code, 0 not noticed; all of these are named"),
        "{said}"
    );
    let left = place.left();
    assert_eq!((left.tree, left.partial, left.survivors), (Some(place.tree()), Vec::new(), Vec::new()));
    let [file] = &left.files[..] else { panic!("{:?}", left.files) };
    assert_eq!(
        (file.file.as_str(), file.noticed, file.not_code, file.survived),
        ("traceability/src/gates.rs", 1, 1, 0)
    );
}

#[test]
fn a_survivor_that_nobody_names_is_red_and_one_that_is_named_with_a_reason_is_not() {
    let place = Place::new(&format!("{NOTICED}\n"), &format!("{LEFT}\n"), "", 2);
    let (code, said) = place.asked(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("NOBODY NOTICES 1 of: {LEFT_NAME}")), "{said}");
    let [survivor] = &place.left().survivors[..] else { panic!() };
    assert_eq!((survivor.change.as_str(), survivor.survived, survivor.named), (LEFT_NAME, 1, 0));

    place.write(".ci/mutants.survivors", &format!("{LEFT_NAME}\n"));
    let (code, said) = place.asked(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no reason stands below"), "{said}");

    place.write(".ci/mutants.survivors", &format!("# Why.\n{LEFT_NAME}\n  Nobody reads\n  \"this\" \\.\n"));
    let (code, said) = place.asked(&[]);
    assert_eq!(code, Some(0), "{said}");
    let [survivor] = &place.left().survivors[..] else { panic!() };
    assert_eq!((survivor.survived, survivor.named), (1, 1));
    assert_eq!(survivor.reason, "Nobody reads \"this\" \\.");
}

#[test]
fn a_name_of_what_is_noticed_by_now_or_is_gone_is_red_but_where_it_was_not_asked_about() {
    let place = Place::new(&format!("{NOTICED}\n"), "", "", 0);
    place.write(".ci/mutants.survivors", &format!("{LEFT_NAME}\n  Because.\n"));
    let (code, said) = place.asked(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("take it out of .ci/mutants.survivors: {LEFT_NAME}")), "{said}");
    let [survivor] = &place.left().survivors[..] else { panic!() };
    assert_eq!((survivor.survived, survivor.named), (0, 1));

    let (code, said) = place.asked(&["--package", "it's \"this\""]);
    assert_eq!(code, Some(0), "{said}");
    let left = place.left();
    assert_eq!(left.partial, ["Only a part was asked about: --package it's \"this\"."]);
    assert!(left.survivors.is_empty());
}

#[test]
fn an_answer_about_uncommitted_changes_is_bound_to_no_tree() {
    let place = Place::new(&format!("{NOTICED}\n"), "", "", 0);
    place.write("spoil", "");
    assert_eq!(place.asked(&[]).0, Some(0));
    assert_eq!(place.left().tree, None, "it changed while it was asked");
    fs::remove_file(place.path("spoil")).unwrap();
    assert_eq!(place.asked(&[]).0, Some(0));
    assert_eq!(place.left().tree, None, "it was changed before");
}

#[test]
fn where_cargo_mutants_fails_or_changes_nothing_there_is_no_green_and_no_earlier_answer() {
    let place = Place::new(&format!("{NOTICED}\n"), "", "", 0);
    assert_eq!(place.asked(&[]).0, Some(0));
    place.write("code", "4");
    assert_eq!(place.asked(&[]).0, Some(4));
    assert!(!place.path(MUTATION).exists(), "the answer of another time is still there");
    place.write("code", "0");
    place.write("answer/caught.txt", "");
    let (code, said) = place.asked(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing was changed, so nothing was asked"), "{said}");
}
