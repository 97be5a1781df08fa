//! The folders are the architecture: dependencies between the crates point one way (docs/ARCHITECTURE.md).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate may use of the others, in its program and its tests.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("mycelium-schemas", &[]),
    ("mycelium-agents", &[]),
    ("mycelium-gateway", &["mycelium-agents", "mycelium-core", "mycelium-fixtures", "mycelium-schemas"]),
    ("mycelium-core", &["mycelium-schemas"]),
    ("mycelium-engine", &["mycelium-agents", "mycelium-core", "mycelium-gateway", "mycelium-schemas"]),
    ("mycelium-sim", &["mycelium-core", "mycelium-schemas"]),
    ("mycelium", &["mycelium-core", "mycelium-engine", "mycelium-fixtures", "mycelium-schemas"]),
    ("mycelium-fixtures", &["mycelium-schemas"]),
    ("mycelium-traceability", &["mycelium-schemas"]),
    ("mycelium-reports", &["mycelium-schemas", "mycelium-traceability"]),
    ("mycelium-gherkin", &["mycelium-schemas"]),
    // Nothing with steps: a changed step would compile the runner again.
    (
        "mycelium-accept",
        &[
            "mycelium-fixtures",
            "mycelium-gherkin",
            "mycelium-reports",
            "mycelium-schemas",
            "mycelium-traceability",
        ],
    ),
    ("mycelium-steps", &["mycelium-accept", "mycelium-fixtures", "mycelium-gherkin", "mycelium-schemas"]),
];

/// Crates that do I/O, keep time or run things at once: what is pure may depend on none of them.
const IMPURE: [&str; 9] =
    ["tokio", "git2", "tempfile", "rustix", "libc", "walkdir", "reqwest", "bollard", "async-std"];

fn direct_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .packages
        .into_iter()
        .map(|package| {
            let names = package
                .dependencies
                .into_iter()
                .filter(|dependency| dependency.kind != DependencyKind::Build)
                .map(|dependency| dependency.name)
                .collect();
            (package.name.to_string(), names)
        })
        .collect()
}

#[test]
fn dependencies_between_the_crates_point_one_way() {
    let found = direct_dependencies();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), known, "a crate came or went");
    for (name, allowed) in ALLOWED {
        let ours: BTreeSet<&str> =
            found[name].iter().map(String::as_str).filter(|d| known.contains(d)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let forbidden: Vec<_> = ours.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{name} depends on {forbidden:?}");
    }
}

#[test]
fn what_is_pure_depends_on_nothing_that_touches_the_world() {
    let found = direct_dependencies();
    for name in ["mycelium-core", "mycelium-agents"] {
        let impure: Vec<_> = IMPURE.iter().filter(|impure| found[name].contains(**impure)).collect();
        assert!(impure.is_empty(), "{name} depends on {impure:?}");
    }
}

/// The command line may use the fixtures for its demo alone: nothing of them is reachable from `run`.
#[test]
fn only_the_demo_uses_the_fixtures() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../orchestrator/cli/src");
    let users: Vec<String> = walkdir::WalkDir::new(&root)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .filter(|entry| std::fs::read_to_string(entry.path()).unwrap().contains("mycelium_fixtures"))
        .map(|entry| entry.path().strip_prefix(&root).unwrap().display().to_string())
        .collect();
    assert_eq!(users, ["commands/demo.rs"], "the demo alone may");
}
