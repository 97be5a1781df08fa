//! `accept fmt`: rewrites what is laid out otherwise, and nothing else.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use crate::checkout::{Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";

fn loose() -> String {
    FEATURE.replace("    When", "  When  ").replace("@G1.3 ", "@G1.3   ")
}

#[test]
fn a_file_is_replaced_with_its_mode_and_stays_as_it_is_from_then_on() {
    let checkout = Checkout::new();
    let wanted = FEATURE.replace("When I", "When   I");
    checkout.write(FILE, &loose());
    fs::set_permissions(checkout.path(FILE), fs::Permissions::from_mode(0o640)).unwrap();
    let answer = checkout.accept("fmt");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains(&format!("formatted {FILE}")), "{}", answer.err);
    assert_eq!(fs::read_to_string(checkout.path(FILE)).unwrap(), wanted);
    assert_eq!(fs::metadata(checkout.path(FILE)).unwrap().permissions().mode() & 0o777, 0o640);
    let entries = fs::read_dir(checkout.path("features/tier1")).unwrap().count();
    assert_eq!(entries, 1, "something was left beside the file");
    let answer = checkout.accept("fmt --json");
    let wanted = serde_json::json!({"changed": [], "unchanged": 1, "refused": []});
    assert_eq!((answer.code, answer.json()), (Some(0), wanted));
}

#[test]
fn check_writes_nothing_and_shows_what_would_change() {
    let checkout = Checkout::new();
    assert_eq!(checkout.accept("fmt --check").code, Some(0));
    checkout.write(FILE, &loose());
    let answer = checkout.accept("fmt --check");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(answer.out.contains("\n-  When   I run"), "{}", answer.out);
    assert!(answer.out.contains("\n+    When   I run"), "{}", answer.out);
    assert!(!answer.out.contains('\x1b'), "no colour where nobody looks: {}", answer.out);
    assert!(checkout.accept("fmt --check --color always").out.contains("\x1b[32m+    When"));
    assert_eq!(fs::read_to_string(checkout.path(FILE)).unwrap(), loose());
}

#[test]
fn a_file_that_does_not_parse_is_reported_and_left_alone() {
    let checkout = Checkout::new();
    let broken = loose().replace("Then the", "Ten the");
    checkout.write(FILE, &broken);
    checkout.write("features/other.feature", "Feature:  other\nScenario: s\n");
    for arguments in ["fmt --check", "fmt"] {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(
            answer.err.contains(&format!("{FILE}:7:5: `Ten the exit code is 0` begins with no keyword")),
            "{}",
            answer.err
        );
    }
    assert_eq!(fs::read_to_string(checkout.path(FILE)).unwrap(), broken);
    let other = fs::read_to_string(checkout.path("features/other.feature")).unwrap();
    assert_eq!(other, "Feature:  other\n\n  Scenario: s\n");
}

#[test]
fn a_file_that_is_not_utf8_or_cannot_be_read_is_a_problem_and_left_alone() {
    let checkout = Checkout::new();
    let latin1 = b"@G1.3   @mock\nFeature: Caf\xe9\n".to_vec();
    fs::write(checkout.path(FILE), &latin1).unwrap();
    symlink("nowhere", checkout.path("features/dead.feature")).unwrap();
    for arguments in ["fmt --check", "fmt", "lint --fix"] {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains(&format!("{FILE}:2:13: the byte 0xe9 is not UTF-8")), "{}", answer.err);
        assert!(answer.err.contains("features/dead.feature:1:1: this cannot be read"), "{}", answer.err);
        assert_eq!(fs::read(checkout.path(FILE)).unwrap(), latin1, "{arguments} wrote the file");
    }
    let formatted = checkout.accept("fmt --json").json();
    assert_eq!((&formatted["unchanged"], &formatted["changed"]), (&0.into(), &serde_json::json!([])));
}
