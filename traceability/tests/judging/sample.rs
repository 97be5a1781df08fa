//! The matrix and the evaluation that the renderers are tested with, kept as files: what this version writes, later
//! versions have to read.

use std::{fs, path::PathBuf};

use mycelium_schemas::{
    SCHEMA_VERSION,
    matrix::{Matrix, ScenarioKey, Unused, UnusedStep},
    sabotage::{Noticed, Sabotage, Trial, TrialOutcome},
    verdict::Evaluation,
};
use serde_json::json;

use crate::{
    flakes::{clean, fail},
    support::{Fixture, TREE, World, goal},
};

/// One saboteur was noticed, one survived.
fn sabotage() -> Sabotage {
    let names = ["ignore-budget", "two-writers"];
    let trials = names.into_iter().zip([TrialOutcome::Killed, TrialOutcome::Survived]);
    let noticed = Noticed {
        scenario: ScenarioKey { uri: "features/tier0/G0.1-block.feature".to_owned(), line: 5 },
        assertion: "git.branch_unmoved".to_owned(),
        subject: "refs/heads/main".to_owned(),
    };
    Sabotage {
        schema_version: SCHEMA_VERSION,
        tree: Some(TREE.to_owned()),
        source_digest: Some("s1".to_owned()),
        binary_digest: "d2".to_owned(),
        partial: Vec::new(),
        known: names.map(str::to_owned).to_vec(),
        trials: trials
            .map(|(name, outcome)| Trial {
                goal: "G0.1".parse().unwrap(),
                saboteur: name.to_owned(),
                outcome,
                scenarios: 2,
                noticed: if outcome == TrialOutcome::Killed { vec![noticed.clone()] } else { Vec::new() },
                remarks: Vec::new(),
            })
            .collect(),
    }
}

/// A world in which a bit of everything happened.
fn mixed() -> World {
    let mut world = World::honest();
    for (id, event) in [("G0.6", "landing.refused"), ("G2.1", "worker.exit"), ("G1.3", "run.complete")] {
        world.goals.push(goal(id, event));
    }
    for fixture in
        [Fixture::new("G0.6", 5, "=A foreign commit <stays> & \"survives\""), Fixture::control("G0.6", 12)]
    {
        world.features.push(fixture.clone());
        world.ran.push(fixture);
    }
    let mut orphan = Fixture::new("G1.3", 5, "Nobody asked for | this");
    orphan.tags.retain(|tag| !tag.starts_with("@G"));
    world.features.push(orphan.clone());
    world.ran.push(orphan);
    world.goals[0] = world.goals[0].replace("saboteurs: []", "saboteurs: [ignore-budget, two-writers]");
    world.sabotage = Some(sabotage());
    world.review_all();
    world.goals[2] = world.goals[2].replace("nothing lands.", "next to nothing lands.");
    world.ran[2].attempts = vec!["FAILED"];
    world.ran[6].attempts = vec!["FAILED", "PASSED"];
    world.ran[8].attempts.clear();
    // One scenario was run again and again, and failed once.
    world.history = clean(&world, 11);
    world.history.retain(|execution| execution.scenario.uri.contains("G1.1-") && execution.lane == "mock");
    fail(&mut world.history[4]);
    let step = "Given nobody | asks <for this>".to_owned();
    world.unused = Unused {
        steps: vec![UnusedStep { step, place: "steps/src/given.rs:7".to_owned() }],
        fixtures: vec!["large-repo-sim".to_owned()],
    };
    world.quarantine = world.quarantine_entry("G1.1", "2026-02-01").replace("goal: G1.1", "goal: G1.9");
    world.run.success = false;
    world.run.binary_version = json!({"name": "mycelium", "version": "0.1.0", "features": []});
    world
}

#[test]
fn the_kept_sample_is_what_this_version_builds() {
    let (matrix, evaluation) = mixed().judge().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/samples/v1");
    for (name, text) in [
        ("matrix.json", serde_json::to_string_pretty(&matrix)),
        ("evaluation.json", serde_json::to_string_pretty(&evaluation)),
    ] {
        let text = format!("{}\n", text.unwrap());
        if std::env::var_os("UPDATE_SAMPLES").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(name), &text).unwrap();
        }
        let kept = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(kept == text, "reports/samples/v1/{name} is out of date: run the test with UPDATE_SAMPLES=1");
    }
}

#[test]
fn a_matrix_and_an_evaluation_are_read_back_as_they_were_written() {
    let (matrix, evaluation) = mixed().judge().unwrap();
    let read: Matrix = serde_json::from_str(&json!(matrix).to_string()).unwrap();
    assert_eq!(read, matrix);
    let read: Evaluation = serde_json::from_str(&json!(evaluation).to_string()).unwrap();
    assert_eq!(read, evaluation);
}
