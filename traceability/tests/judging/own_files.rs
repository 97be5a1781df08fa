//! The files of `traceability/` themselves.

use std::{fs, path::Path};

use mycelium_schemas::{
    goal::{GoalId, gates::FLOOR},
    problem::Source,
    verdict::Gate,
};
use mycelium_traceability::{Files, Registry};

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source::new(path.display().to_string(), text)
}

/// The numbers of the goals that were ever promised, by tier. One that is in neither list any more was forgotten, not
/// given up: who gives it up says so here and signs for it in `denominator.yaml`.
const PROMISED: [&[u16]; 3] = [
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14],
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 20],
];

fn registry() -> Registry {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let goals = fs::read_dir(folder.join("goals")).unwrap();
    let files = Files {
        goals: goals.map(|entry| source(&entry.unwrap().path())).collect(),
        backlog: source(&folder.join("backlog.yaml")),
        links: source(&folder.join("links.yaml")),
        denominator: source(&folder.join("denominator.yaml")),
        gates: source(&folder.join("gates.yaml")),
        quarantine: source(&folder.join("quarantine.yaml")),
        baselines: source(&folder.join("bench.yaml")),
    };
    Registry::parse(&files).unwrap_or_else(|problems| {
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"))
    })
}

#[test]
fn every_promise_is_automated_or_in_the_backlog() {
    let registry = registry();
    let known =
        |id: GoalId| registry.goal(id).is_some() || registry.backlog.iter().any(|planned| planned.goal == id);
    let all = PROMISED.iter().enumerate();
    let all = all.flat_map(|(tier, numbers)| numbers.iter().map(move |number| format!("G{tier}.{number}")));
    let lost: Vec<String> = all.filter(|id| !known(id.parse().unwrap())).collect();
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn every_file_of_this_repository_is_valid() {
    let registry = registry();
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
