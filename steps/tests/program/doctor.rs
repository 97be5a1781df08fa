//! `accept doctor`: that it calls ready only what a run would take.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::checkout::{Answer, Checkout};

/// What it says of the program under test.
fn program(answer: &Answer) -> Value {
    let json = answer.json();
    let checks = json["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == "program under test").unwrap().clone()
}

#[test]
fn a_program_is_well_where_a_run_would_take_it() {
    let checkout = Checkout::new();
    for script in ["exit 0", "echo hello", "echo '{}'; exit 1"] {
        checkout.bare_program(script);
        let answer = checkout.accept("doctor --json --bin program");
        assert_eq!(answer.code, Some(1), "{script}: {answer:?}");
        let found = program(&answer)["found"].to_string();
        assert!(found.contains("is it mycelium?"), "{script}: {found}");
    }
    checkout.program("exit 0");
    let answer = checkout.accept("doctor --json --bin program");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let found = program(&answer)["found"].to_string();
    assert!(found.contains("mycelium 0"), "{found}");
    let answer = checkout.accept("doctor --json --bin missing");
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(program(&answer)["found"].to_string().contains("No such file"), "{answer:?}");
}

#[test]
fn an_accept_that_cannot_build_the_program_says_so() {
    let checkout = Checkout::new();
    // A link, because a file that was just written may still be open in another test's child.
    let elsewhere = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let accept = elsewhere.path().join("accept");
    fs::hard_link(Path::new(env!("CARGO_BIN_EXE_accept")), &accept).unwrap();
    let command = |arguments: &[&str]| {
        Answer::new(&Command::new(&accept).args(arguments).current_dir(checkout.path("")).output().unwrap())
    };
    let answer = command(&["doctor", "--json"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(program(&answer)["found"].to_string().contains("give --bin PATH"), "{answer:?}");
    checkout.program("exit 0");
    assert_eq!(command(&["doctor", "--bin", "program"]).code, Some(0));
}
