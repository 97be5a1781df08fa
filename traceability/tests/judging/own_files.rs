//! The files of `traceability/` themselves.

use std::{fs, path::Path};

use mycelium_schemas::{goal::gates::FLOOR, problem::Source, verdict::Gate};
use mycelium_traceability::{Files, Registry};

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source::new(path.display().to_string(), text)
}

#[test]
fn every_file_of_this_repository_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let goals = fs::read_dir(folder.join("goals")).unwrap();
    let files = Files {
        goals: goals.map(|entry| source(&entry.unwrap().path())).collect(),
        backlog: source(&folder.join("backlog.yaml")),
        links: source(&folder.join("links.yaml")),
        denominator: source(&folder.join("denominator.yaml")),
        gates: source(&folder.join("gates.yaml")),
        quarantine: source(&folder.join("quarantine.yaml")),
    };
    let registry = Registry::parse(&files).unwrap_or_else(|problems| {
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"))
    });
    let twice = registry.backlog.iter().filter(|entry| registry.goal(entry.goal).is_some());
    assert_eq!(twice.map(|entry| entry.goal.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_release_requires_every_gate() {
    use mycelium_schemas::goal::gates::ProfileName;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = mycelium_schemas::goal::gates::parse(&source(&folder.join("gates.yaml"))).unwrap();
    let release = rules.profile(ProfileName::Release);
    assert!(Gate::ALL.into_iter().all(|gate| release.requires(gate)));
    assert!(FLOOR.into_iter().all(|gate| rules.profile(ProfileName::Local).requires(gate)));
}
